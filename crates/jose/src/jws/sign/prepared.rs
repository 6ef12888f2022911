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
/// The [`SignError`] of a header that cannot be written.
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
    pub fn alg(&self) -> Alg {
        self.header.alg()
    }

    /// Adds a parameter to the unprotected header, which is not signed and which anybody can change; only
    /// the JSON forms have one (RFC 7515 §7.2.1). `alg`, `crit` and `b64` must be protected.
    ///
    /// # Errors
    ///
    /// [`SignError::HeaderParameter`] for a name that must be protected or stands in one of the headers
    /// already, [`SignError::HeaderValue`] for a value that is not of its parameter's type.
    pub fn unprotected(mut self, name: &str, value: Value) -> Result<Self, SignError> {
        if name == "alg" || self.header.has(name) {
            return Err(SignError::HeaderParameter(name.to_owned()));
        }
        member::add_unprotected(&mut self.unprotected, Member::new(name, &value), &value)?;
        Ok(self)
    }

    /// The bytes that the key signs.
    pub fn message(&self) -> &[u8] {
        self.input()
    }

    /// As [`message`](Self::message), for whoever takes either that or a digest.
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

    /// The JWS with this signature, of which nothing but the length is checked.
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
#[derive(Clone)]
pub struct Signed {
    prepared: Prepared,
    /// The JSON text of the unprotected header.
    unprotected: Option<String>,
    signature: Vec<u8>,
}

impl Signed {
    /// The compact serialization.
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
    /// # Errors
    ///
    /// [`SignError::UnprotectedHeader`] if there is one.
    pub fn detached(&self) -> Result<String, SignError> {
        self.check_compact()?;
        Ok(text::compact_detached(&self.prepared.protected, &self.signature))
    }

    /// The flattened JSON serialization.
    ///
    /// # Errors
    ///
    /// [`SignError::Unencoded`] for an unencoded payload that is not UTF-8.
    pub fn flattened(&self) -> Result<String, SignError> {
        Ok(text::flattened(Some(&self.prepared.payload_member()?), &self.part()))
    }

    /// The flattened JSON serialization without the payload.
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
