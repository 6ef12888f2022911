//! Signing in two phases, for a key that lives elsewhere.

use std::{fmt, sync::OnceLock};

use serde_json::Value;

use crate::{
    Alg, Digest, Hash, SignError, VerifyingKey, base64url,
    jws::{
        Policy,
        sign::{
            Header,
            general::check_number,
            member::{self, Member},
            payload, text,
        },
    },
};

/// What is to be signed, by a key that may live elsewhere.
///
/// ```
/// use sealwright_jose::{Alg, Digest, SignError, SigningKey, jws::{Header, SigningInput, prepare}};
///
/// // What a signer elsewhere does with either.
/// # let key = SigningKey::generate(Alg::Es256)?;
/// let sign = |input: SigningInput<'_>| match input {
///     SigningInput::Message(message) => key.sign(message),
///     SigningInput::Digest(hash, digest) => {
///         key.sign_digest(&Digest::from_bytes(hash, digest).ok_or(SignError::Backend)?)
///     }
///     _ => Err(SignError::Backend),
/// };
/// let prepared = prepare(Header::new(Alg::Es256), b"hello")?;
/// let digest = prepared.digest().ok_or("ES256 signs a digest")?;
/// for input in [prepared.signing_input(), SigningInput::Digest(digest.hash(), digest.as_bytes())] {
///     let signature = sign(input)?;
///     assert!(prepared.clone().signed_by(&key.verifying_key(), signature).is_ok());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum SigningInput<'a> {
    /// The bytes themselves; the signer hashes them as the algorithm says.
    Message(&'a [u8]),
    /// Their digest by this hash function, which is the algorithm's, for a signer that does not
    /// want to read a large message.
    Digest(Hash, &'a [u8]),
}

impl fmt::Debug for SigningInput<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(message) => write!(f, "Message({} bytes)", message.len()),
            Self::Digest(hash, _) => write!(f, "Digest({hash:?})"),
        }
    }
}

/// A JWS without its signature: protected header and payload are fixed.
///
/// With [`signed_by`](Self::signed_by) or [`signed`](Self::signed) it becomes a [`Signed`], which is
/// written in any of the serializations.
///
/// ```
/// use sealwright_jose::{Alg, SigningKey, jws::{Header, Prepared, prepare}};
///
/// // It is kept while the key, which may be a person with a card, takes its time.
/// let waiting = [b"one", b"two"].map(|payload| prepare(Header::new(Alg::Ed25519), payload));
/// # let key = SigningKey::generate(Alg::Ed25519)?;
/// for prepared in waiting {
///     let prepared: Prepared = prepared?;
///     let signature = key.sign(prepared.message())?;
///     assert!(prepared.signed_by(&key.verifying_key(), signature)?.compact().is_ok());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Prepared {
    header: Header,
    protected: String,
    unprotected: Vec<Member>,
    input: Input,
    /// The digest of the input, once it was asked for.
    digest: OnceLock<Digest>,
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("alg", &self.alg())
            .field("input", &self.signing_input())
            .finish_non_exhaustive()
    }
}

/// Protected header, dot, payload.
#[derive(Clone)]
enum Input {
    /// The payload is in base64url.
    Text(String),
    /// The payload stands there as it is (RFC 7797).
    Unencoded(Vec<u8>),
}

/// First phase of signing: fixes header and payload. The key gets [`Prepared::message`] or [`Prepared::digest`], and its
/// signature goes into [`Prepared::signed_by`].
///
/// ```
/// use sealwright_jose::{Alg, SigningKey, jws::{Header, prepare}};
///
/// let key = SigningKey::generate(Alg::Es256)?; // it could be in another building
/// let prepared = prepare(Header::new(Alg::Es256).typ("jose+json"), b"hello")?;
/// let signature = key.sign(prepared.message())?;
/// let token = prepared.signed_by(&key.verifying_key(), signature)?.compact()?;
/// assert_eq!(token.split('.').count(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// As [`Header::to_json`], if the header cannot be written.
pub fn prepare(header: Header, payload: &[u8]) -> Result<Prepared, SignError> {
    let protected = base64url::encode(header.to_json()?);
    let input = if header.is_unencoded() {
        Input::Unencoded(text::unencoded_input(&protected, payload))
    } else {
        Input::Text(text::encoded_input(&protected, payload))
    };
    Ok(Prepared { header, protected, unprotected: Vec::new(), input, digest: OnceLock::new() })
}

impl Prepared {
    /// The algorithm that the header names, and that the key must have.
    ///
    /// ```
    /// use sealwright_jose::{Alg, jws::{Header, prepare}};
    ///
    /// let prepared = prepare(Header::from_json(Alg::Ed25519, r#"{"alg":"EdDSA"}"#)?, b"hello")?;
    /// assert_eq!(prepared.alg(), Alg::Ed25519, "`EdDSA` is an older name for it");
    /// # Ok::<(), sealwright_jose::SignError>(())
    /// ```
    pub fn alg(&self) -> Alg {
        self.header.alg()
    }

    /// Adds a parameter to the unprotected header, which is not signed and which anybody can change; only
    /// the JSON forms have one (RFC 7515 §7.2.1). `alg`, `crit` and `b64` must be protected.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SignError, SigningKey, jws::{Header, prepare}};
    ///
    /// let prepared = prepare(Header::new(Alg::Ed25519).typ("JWT"), b"{}")?.unprotected("kid", "k1".into())?;
    /// let twice = prepared.clone().unprotected("typ", "JWT".into()).unwrap_err();
    /// assert_eq!(twice, SignError::HeaderParameter("typ".to_owned()));
    /// # let key = SigningKey::generate(Alg::Ed25519)?;
    /// let signature = key.sign(prepared.message())?;
    /// assert!(prepared.signed(signature)?.flattened()?.contains(r#""header":{"kid":"k1"}"#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SignError::HeaderParameter`] for a name that must be protected or stands in one of the headers
    /// already, [`SignError::HeaderValue`] for a value that is not of its parameter's type.
    pub fn unprotected(mut self, name: &str, value: Value) -> Result<Self, SignError> {
        self.add_unprotected(Member::new(name, &value), &value)?;
        Ok(self)
    }

    /// Adds the members of a JSON text that is one object to the unprotected header: in their order, at any depth,
    /// in their values numbers and escapes as they are spelt there, without the whitespace between them.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SignError, jws::{Header, prepare}};
    ///
    /// let prepared = || prepare(Header::new(Alg::Es256), b"hello");
    /// let signed = prepared()?.unprotected_json(r#"{"x": {"b": 1, "a": 1.50}}"#)?.signed([7; 64])?;
    /// assert!(signed.flattened()?.contains(r#""header":{"x":{"b":1,"a":1.50}}"#));
    /// let twice = prepared()?.unprotected_json(r#"{"x":{"a":1,"a":2}}"#);
    /// assert_eq!(twice.err(), Some(SignError::HeaderJson));
    /// # Ok::<(), SignError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SignError::HeaderJson`] for a text that is no object or has a name twice at any depth,
    /// [`SignError::HeaderTooLarge`] for one of more than 16 KiB, and as
    /// [`unprotected`](Self::unprotected).
    pub fn unprotected_json(mut self, json: &str) -> Result<Self, SignError> {
        for (member, value) in Member::read_header(json)? {
            self.add_unprotected(member, &value)?;
        }
        Ok(self)
    }

    fn add_unprotected(&mut self, member: Member, value: &Value) -> Result<(), SignError> {
        if member.name == "alg" || self.header.has(&member.name) {
            return Err(SignError::HeaderParameter(member.name));
        }
        member::add_unprotected(&mut self.unprotected, member, value)
    }

    /// The bytes that the key signs: the protected header in base64url, a dot, and the payload (RFC 7515 §5.1),
    /// which is in base64url too unless the header says otherwise (RFC 7797 §3).
    ///
    /// ```
    /// use sealwright_jose::{Alg, jws::{Header, prepare}};
    ///
    /// let prepared = prepare(Header::new(Alg::Es256), b"hello")?;
    /// assert_eq!(prepared.message(), b"eyJhbGciOiJFUzI1NiJ9.aGVsbG8");
    /// # Ok::<(), sealwright_jose::SignError>(())
    /// ```
    pub fn message(&self) -> &[u8] {
        self.input()
    }

    /// As [`message`](Self::message), for whoever takes either that or a digest.
    ///
    /// ```
    /// use sealwright_jose::{Alg, jws::{Header, SigningInput, prepare}};
    ///
    /// let prepared = prepare(Header::new(Alg::Ed25519), b"hello")?;
    /// assert!(matches!(prepared.signing_input(), SigningInput::Message(m) if m == prepared.message()));
    /// # Ok::<(), sealwright_jose::SignError>(())
    /// ```
    pub fn signing_input(&self) -> SigningInput<'_> {
        SigningInput::Message(self.input())
    }

    /// The digest of what the key signs, for a key that wants no more of it; `None` for algorithms
    /// that need the message (see [`Alg::digest`]). It is computed once.
    ///
    /// ```
    /// use sealwright_jose::{Alg, Hash, SigningKey, jws::{Header, prepare}};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?; // it could be in another building
    /// let prepared = prepare(Header::new(Alg::Es256), b"hello")?;
    /// let digest = prepared.digest().ok_or("ES256 signs a digest")?;
    /// assert_eq!(digest.hash(), Hash::Sha256);
    /// let signature = key.sign_digest(digest)?;
    /// let token = prepared.signed_by(&key.verifying_key(), signature)?.compact()?;
    /// assert!(token.starts_with("eyJhbGciOiJFUzI1NiJ9.aGVsbG8."));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn digest(&self) -> Option<&Digest> {
        let hash = self.alg().digest()?;
        Some(self.digest.get_or_init(|| Digest::of(hash, self.input())))
    }

    /// The JWS with this signature, if `key` verifies it, so that a faulty device or a mistaken key is
    /// found out here and not by whoever gets the token.
    ///
    /// The signature is in its JWS form; what a device returns for ECDSA is mostly DER, for which there is
    /// [`ecdsa::der_to_fixed`](crate::ecdsa::der_to_fixed).
    ///
    /// ```
    /// use sealwright_jose::{Alg, SignError, SigningKey, ecdsa, jws::{Header, prepare}};
    ///
    /// let (key, other) = (SigningKey::generate(Alg::Es256)?, SigningKey::generate(Alg::Es256)?);
    /// let prepared = prepare(Header::new(Alg::Es256), b"hello")?;
    /// let der = ecdsa::fixed_to_der(&key.sign(prepared.message())?)?; // as a device returns it
    /// let signature = ecdsa::der_to_fixed(Alg::Es256, &der)?;
    /// let mistaken = prepared.clone().signed_by(&other.verifying_key(), signature.clone());
    /// assert_eq!(mistaken.unwrap_err(), SignError::Unverified);
    /// assert!(prepared.signed_by(&key.verifying_key(), signature).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SignError::Unverified`], [`SignError::AlgMismatch`] if the key is for another algorithm than the
    /// header, and as [`signed`](Self::signed).
    pub fn signed_by(self, key: &VerifyingKey, signature: impl Into<Vec<u8>>) -> Result<Signed, SignError> {
        let signed = self.signed(signature)?;
        if key.alg() != signed.prepared.alg() {
            return Err(SignError::AlgMismatch { key: key.alg() });
        }
        let verified = key.verify(signed.prepared.input(), &signed.signature);
        verified.map_err(|_| SignError::Unverified).map(|()| signed)
    }

    /// The JWS with this signature, of which nothing but the length is checked: for a MAC, or
    /// where the public key is not at hand.
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey, SignError, jws::{Header, prepare}};
    ///
    /// let key = MacKey::generate(Alg::Hs256)?;
    /// let prepared = prepare(Header::new(Alg::Hs256), b"hello")?;
    /// let tag = key.sign(prepared.message())?;
    /// let short = prepared.clone().signed(&tag[..16]).unwrap_err();
    /// assert_eq!(short, SignError::SignatureLength { alg: Alg::Hs256, len: 16 });
    /// assert!(prepared.signed(tag)?.compact()?.starts_with("eyJhbGciOiJIUzI1NiJ9.aGVsbG8."));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SignError::SignatureLength`] if the algorithm has no signatures of that length, and
    /// [`SignError::HeaderTooLarge`] for the unprotected header.
    pub fn signed(self, signature: impl Into<Vec<u8>>) -> Result<Signed, SignError> {
        let (alg, signature) = (self.alg(), signature.into());
        if !alg.signature_len_is_possible(signature.len()) {
            return Err(SignError::SignatureLength { alg, len: signature.len() });
        }
        let unprotected = match self.unprotected.is_empty() {
            true => None,
            false => Some(member::object(&self.unprotected)?),
        };
        Ok(Signed { prepared: self, unprotected, signature })
    }

    fn input(&self) -> &[u8] {
        match &self.input {
            Input::Text(text) => text.as_bytes(),
            Input::Unencoded(bytes) => bytes,
        }
    }

    /// The payload as it is signed.
    fn payload(&self) -> &[u8] {
        &self.input()[self.protected.len() + 1..]
    }

    fn is_unencoded(&self) -> bool {
        matches!(self.input, Input::Unencoded(_))
    }

    /// The value of the member `payload` in the JSON forms.
    fn payload_member(&self) -> Result<String, SignError> {
        match &self.input {
            Input::Text(text) => Ok(format!("\"{}\"", &text[self.protected.len() + 1..])),
            Input::Unencoded(_) => payload::json_member(self.payload(), true),
        }
    }
}

/// A payload and one signature over it, made elsewhere: what [`Prepared::signed_by`] and
/// [`Prepared::signed`] give. Several of one payload become a general JWS by [`general`].
///
/// ```
/// use sealwright_jose::{Alg, MacKey, jws::{Header, Signed, prepare}};
///
/// # let key = MacKey::generate(Alg::Hs256)?;
/// let prepared = prepare(Header::new(Alg::Hs256), b"hello")?;
/// let tag = key.sign(prepared.message())?;
/// let signed: Signed = prepared.signed(tag)?;
/// assert!(signed.flattened()?.starts_with(r#"{"payload":"aGVsbG8","protected":"#));
/// assert!(signed.detached()?.starts_with("eyJhbGciOiJIUzI1NiJ9.."), "of one signature");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Signed {
    prepared: Prepared,
    /// The JSON text of the unprotected header.
    unprotected: Option<String>,
    signature: Vec<u8>,
}

impl Signed {
    /// The compact serialization (RFC 7515 §7.1).
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, SignError, jws::{Header, prepare}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// let prepared = prepare(Header::new(Alg::Hs256).unencoded(), b"$.02")?;
    /// let tag = key.sign(prepared.message())?;
    /// let signed = prepared.signed(tag)?;
    /// assert!(matches!(signed.clone().compact(), Err(SignError::Unencoded(_))), "a dot between the dots");
    /// assert!(signed.flattened()?.contains(r#""payload":"$.02""#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SignError::UnprotectedHeader`] if there is one, and [`SignError::Unencoded`] for an unencoded
    /// payload that can only be detached.
    pub fn compact(self) -> Result<String, SignError> {
        self.check_compact()?;
        let Self { prepared, signature, .. } = self;
        let mut jws = match prepared.input {
            Input::Text(text) => text,
            Input::Unencoded(_) => {
                let payload = payload::unencoded_compact(prepared.payload(), Policy::Strict)?;
                [&prepared.protected, ".", payload].concat()
            }
        };
        jws.reserve_exact(1 + base64url::encoded_len(signature.len()));
        jws.push('.');
        base64url::encode_to(&signature, &mut jws);
        Ok(jws)
    }

    /// The compact serialization without the payload (RFC 7515 appendix F).
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey, jws::{Header, prepare}};
    ///
    /// // RFC 7797 §4.2, with the key of RFC 7515 A.1.
    /// # let key = MacKey::from_jwk_as(Alg::Hs256, r#"{"kty":"oct",
    /// # "k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#)?;
    /// let prepared = prepare(Header::new(Alg::Hs256).unencoded(), b"$.02")?;
    /// let tag = key.sign(prepared.message())?;
    /// assert_eq!(prepared.signed(tag)?.detached()?, "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19..A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SignError::UnprotectedHeader`] if there is one.
    pub fn detached(&self) -> Result<String, SignError> {
        self.check_compact()?;
        Ok(text::compact_detached(&self.prepared.protected, &self.signature))
    }

    /// The flattened JSON serialization (RFC 7515 §7.2.2).
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey, SignError, jws::{Header, prepare}};
    ///
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// let flattened = |payload: &[u8]| {
    ///     let prepared = prepare(Header::new(Alg::Hs256).unencoded(), payload)?;
    ///     let tag = key.sign(prepared.message())?;
    ///     prepared.signed(tag)?.flattened()
    /// };
    /// assert!(flattened("5 €".as_bytes())?.starts_with(r#"{"payload":"5 €","protected":"#));
    /// assert!(matches!(flattened(b"\xff"), Err(SignError::Unencoded(_))), "no text");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SignError::Unencoded`] for an unencoded payload that is not UTF-8.
    pub fn flattened(&self) -> Result<String, SignError> {
        Ok(text::flattened(Some(&self.prepared.payload_member()?), &self.part()))
    }

    /// The flattened JSON serialization without the payload (RFC 7515 appendix F). It cannot fail.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Header, prepare}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// let prepared = prepare(Header::new(Alg::Hs256), b"hello")?.unprotected("note", "archive".into())?;
    /// let tag = key.sign(prepared.message())?;
    /// let json = prepared.signed(tag)?.flattened_detached();
    /// assert!(json.starts_with(r#"{"protected":"eyJhbGciOiJIUzI1NiJ9","header":{"note":"archive"},"signature":""#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn flattened_detached(&self) -> String {
        text::flattened(None, &self.part())
    }

    fn check_compact(&self) -> Result<(), SignError> {
        if self.unprotected.is_some() { Err(SignError::UnprotectedHeader) } else { Ok(()) }
    }

    fn part(&self) -> text::Part<'_> {
        let Self { prepared, unprotected, signature } = self;
        text::Part { protected: &prepared.protected, unprotected: unprotected.as_deref(), signature }
    }
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed").field("prepared", &self.prepared).finish_non_exhaustive()
    }
}

/// The general JSON serialization (RFC 7515 §7.2.1) of one payload with signatures that were made
/// elsewhere, one at a time or at once, in this order.
///
/// ```
/// use sealwright_jose::{Alg, SigningKey, jws::{Header, general, prepare}};
///
/// let mut signed = Vec::new();
/// for (alg, name) in [(Alg::Es256, "ours"), (Alg::Ed25519, "theirs")] {
///     let key = SigningKey::generate(alg)?; // each in a building of its own
///     let prepared = prepare(Header::new(alg), b"a contract")?.unprotected("kid", name.into())?;
///     let signature = key.sign(prepared.message())?;
///     signed.push(prepared.signed_by(&key.verifying_key(), signature)?);
/// }
/// assert!(general(&signed)?.contains(r#""header":{"kid":"theirs"}"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`SignError::Signatures`] for none or more than verifiers accept, [`SignError::MixedEncoding`] if some
/// leave the payload unencoded and others do not (RFC 7797 §3), [`SignError::Payloads`] if they are not
/// over one payload, and [`SignError::Unencoded`] as for [`Signed::flattened`].
pub fn general(signed: &[Signed]) -> Result<String, SignError> {
    let first = check_together(signed)?;
    let payload = first.payload_member()?;
    Ok(text::general(Some(&payload), &parts(signed)))
}

/// As [`general`], with the payload detached (RFC 7515 appendix F).
///
/// ```
/// use sealwright_jose::{Alg, MacKey, SignError, jws::{Header, general_detached, prepare}};
///
/// # let key = MacKey::generate(Alg::Hs256)?;
/// let sign = |payload| {
///     let prepared = prepare(Header::new(Alg::Hs256), payload)?;
///     let tag = key.sign(prepared.message())?;
///     prepared.signed(tag)
/// };
/// let json = general_detached(&[sign(b"a contract")?, sign(b"a contract")?])?;
/// assert!(json.starts_with(r#"{"signatures":[{"#));
/// let mixed = general_detached(&[sign(b"a contract")?, sign(b"another")?]);
/// assert_eq!(mixed, Err(SignError::Payloads));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// As [`general`].
pub fn general_detached(signed: &[Signed]) -> Result<String, SignError> {
    check_together(signed)?;
    Ok(text::general(None, &parts(signed)))
}

fn parts(signed: &[Signed]) -> Vec<text::Part<'_>> {
    signed.iter().map(Signed::part).collect()
}

/// The first one, if all can stand in one JWS.
fn check_together(signed: &[Signed]) -> Result<&Prepared, SignError> {
    check_number(signed.len())?;
    let first = &signed[0].prepared;
    let mut all = signed.iter().map(|signed| &signed.prepared);
    if all.clone().any(|one| one.is_unencoded() != first.is_unencoded()) {
        Err(SignError::MixedEncoding)
    } else if all.any(|one| one.payload() != first.payload()) {
        Err(SignError::Payloads)
    } else {
        Ok(first)
    }
}
