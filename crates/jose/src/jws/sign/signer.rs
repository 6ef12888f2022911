//! Signing with a key at hand.

use std::fmt;

use serde_json::Value;

use crate::{
    Alg, MacKey, SignError, SigningKey, base64url,
    jws::{
        Policy,
        sign::{
            Header,
            member::{self, Member},
            payload,
            secret::{Secret, Signature},
            text,
        },
    },
};

/// Signs with a key at hand: `alg` and `kid` come from the key. Built once, shared by all requests.
///
/// ```
/// use sealwright_jose::{Alg, SigningKey, jws::Signer};
///
/// let key = SigningKey::generate(Alg::Ed25519)?.with_kid("k1");
/// let signer = Signer::new(&key).typ("at+jwt");
/// let token = signer.sign_compact(br#"{"sub":"alice"}"#)?;
/// assert_eq!(token.split('.').count(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Signer {
    pub(super) key: Secret,
    header: Header,
    unprotected: Vec<Member>,
    refused: Option<SignError>,
    policy: Policy,
    pub(super) verify_after_signing: bool,
    /// The headers' texts, made anew by each call that changes them.
    encoded: Result<Encoded, SignError>,
}

/// The headers as they stand in the serializations.
#[derive(Clone)]
pub(super) struct Encoded {
    /// The base64url text of the protected header; empty if it has no member.
    pub(super) protected: String,
    /// The JSON text of the unprotected header, if it has a member.
    pub(super) unprotected: Option<String>,
    pub(super) unencoded: bool,
}

impl Signer {
    /// Signs with a private key. The protected header has its `alg` and, if the key has one, its `kid`.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, jws::Signer};
    ///
    /// // RFC 8037 A.4, with the key of A.1. The RFC is older than the name `Ed25519`.
    /// let key = SigningKey::from_jwk_as(Alg::Ed25519, r#"{"kty":"OKP","crv":"Ed25519",
    ///     "d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    ///     "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#)?;
    /// let signer = Signer::new(&key).param("alg", "EdDSA".into());
    /// assert_eq!(signer.sign_compact(b"Example of Ed25519 signing")?, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(key: &SigningKey) -> Self {
        Self::with_secret(Secret::Signing(key.clone()))
    }

    /// Signs with a symmetric key; otherwise as [`new`](Self::new).
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey, jws::{Signer, Unverified}};
    ///
    /// let key = MacKey::generate(Alg::Hs384)?.with_kid("shop");
    /// let token = Unverified::peek_compact(&Signer::mac(&key).sign_compact(b"hello")?)?;
    /// assert_eq!(token.protected_header(), r#"{"alg":"HS384","kid":"shop"}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn mac(key: &MacKey) -> Self {
        Self::with_secret(Secret::Mac(key.clone()))
    }

    fn with_secret(key: Secret) -> Self {
        let header = Header::new(key.alg());
        let header = match key.kid() {
            Some(kid) => header.kid(kid),
            None => header,
        };
        Self {
            key,
            header,
            unprotected: Vec::new(),
            refused: None,
            policy: Policy::default(),
            verify_after_signing: false,
            encoded: Err(SignError::HeaderJson),
        }
        .encode()
    }

    /// Takes this protected header in place of the one so far, with its members and no other: what
    /// [`typ`](Self::typ), [`param`](Self::param) and the like added before is gone, and the key's `kid`
    /// stands in it only if the caller put it there. It must be for the key's algorithm and, if it has a
    /// `kid`, for the key's.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, jws::{Header, Signer, Unverified}};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?.with_kid("k1");
    /// let signer = Signer::new(&key).typ("lost").header(Header::new(Alg::Es256).kid("k1")).cty("kept");
    /// let token = Unverified::peek_compact(&signer.sign_compact(b"hello")?)?;
    /// assert_eq!(token.protected_header(), r#"{"alg":"ES256","kid":"k1","cty":"kept"}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn header(self, header: Header) -> Self {
        Self { header, ..self }.encode()
    }

    /// The type of the whole object (RFC 7515 §4.1.9), such as `at+jwt`.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Signer, Unverified}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// let token = Signer::mac(&key).typ("logout+jwt").sign_compact(b"{}")?;
    /// assert_eq!(Unverified::peek_compact(&token)?.header("typ"), Some("logout+jwt".into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn typ(self, typ: &str) -> Self {
        self.param("typ", typ.into())
    }

    /// The media type of the payload (RFC 7515 §4.1.10).
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Signer, Unverified}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// let token = Signer::mac(&key).typ("jose").cty("text/plain").sign_compact(b"hello")?;
    /// let header = r#"{"alg":"HS256","typ":"jose","cty":"text/plain"}"#;
    /// assert_eq!(Unverified::peek_compact(&token)?.protected_header(), header, "in the order of the calls");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn cty(self, cty: &str) -> Self {
        self.param("cty", cty.into())
    }

    /// Any other parameter; see [`Header::param`].
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, SignError, jws::Signer};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// let signer = Signer::mac(&key).param("x5t", "not a digest".into()).typ("JWT");
    /// // It is said when something is signed.
    /// let (name, wanted) = ("x5t".to_owned(), "the base64url text of 20 bytes");
    /// assert_eq!(signer.sign_compact(b"{}"), Err(SignError::HeaderValue { name, wanted }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn param(self, name: &str, value: Value) -> Self {
        Self { header: self.header.param(name, value), ..self }.encode()
    }

    /// Calls a parameter critical; see [`Header::critical`].
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, SignError, jws::Signer};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// let signer = Signer::mac(&key).param("until", 1764550800.into()).critical("until");
    /// assert!(signer.sign_compact(b"hello").is_ok());
    /// // Every reader knows `kid`, so it cannot be critical.
    /// let error = signer.critical("kid").sign_compact(b"hello").unwrap_err();
    /// assert_eq!(error, SignError::Critical("kid".to_owned()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn critical(self, name: &str) -> Self {
        Self { header: self.header.critical(name), ..self }.encode()
    }

    /// Signs the payload as it is and not in base64url (RFC 7797); see [`Header::unencoded`].
    ///
    /// Attached, the compact form carries it only if it can do so unchanged: under
    /// [`Policy::Strict`] letters, digits, `-`, `_` and `~`, under [`Policy::Rfc`] printable ASCII
    /// without `.`. The JSON forms carry UTF-8. Detached, every payload will do.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, SignError, jws::{Policy, Signer}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// let signer = Signer::mac(&key).unencoded();
    /// assert!(signer.sign_compact(b"hello")?.contains(".hello."));
    /// assert!(matches!(signer.sign_compact(b"$02"), Err(SignError::Unencoded(_))));
    /// assert!(signer.clone().policy(Policy::Rfc).sign_compact(b"$02")?.contains(".$02."));
    /// assert!(signer.sign_flattened("5 €".as_bytes())?.starts_with(r#"{"payload":"5 €","#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn unencoded(self) -> Self {
        Self { header: self.header.unencoded(), ..self }.encode()
    }

    /// A parameter of the unprotected header, which anybody can change; only the JSON forms have
    /// one (RFC 7515 §7.2.1). A name is in one header only. `crit` and `b64` must be protected, and
    /// so must `alg` be under [`Policy::Strict`]; under another policy it may stand here instead.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, SignError, jws::Signer};
    ///
    /// let signer = Signer::new(&SigningKey::generate(Alg::Es256)?).unprotected("note", "for the archive".into());
    /// assert!(signer.sign_flattened(b"hello")?.contains(r#""header":{"note":"for the archive"}"#));
    /// assert_eq!(signer.sign_compact(b"hello").unwrap_err(), SignError::UnprotectedHeader);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn unprotected(mut self, name: &str, value: Value) -> Self {
        if let Err(error) = self.add_unprotected(Member::new(name, &value), &value) {
            self.refused.get_or_insert(error);
        }
        self.encode()
    }

    /// The members of a JSON text that is one object, for the unprotected header: in their order, at any depth, in
    /// their values numbers and escapes as they are spelt there, without the whitespace between them. Otherwise as
    /// [`unprotected`](Self::unprotected); a text that is no object, or has a name twice at any depth, is refused when
    /// something is signed ([`SignError::HeaderJson`]).
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, SignError, jws::Signer};
    ///
    /// let signer = || Signer::new(&SigningKey::generate(Alg::Es256).expect("a key"));
    /// let token = signer().unprotected_json(r#"{"x": {"b": 1, "a": 1.50}}"#).sign_flattened(b"hello")?;
    /// assert!(token.contains(r#""header":{"x":{"b":1,"a":1.50}}"#));
    /// let twice = signer().unprotected_json(r#"{"x":{"a":1,"a":2}}"#).sign_flattened(b"hello");
    /// assert_eq!(twice, Err(SignError::HeaderJson));
    /// # Ok::<(), SignError>(())
    /// ```
    #[must_use]
    pub fn unprotected_json(mut self, json: &str) -> Self {
        if let Err(error) = self.add_unprotected_json(json) {
            self.refused.get_or_insert(error);
        }
        self.encode()
    }

    fn add_unprotected_json(&mut self, json: &str) -> Result<(), SignError> {
        let members = Member::read_header(json)?;
        members.into_iter().try_for_each(|(member, value)| self.add_unprotected(member, &value))
    }

    fn add_unprotected(&mut self, member: Member, value: &Value) -> Result<(), SignError> {
        let alg = self.key.alg();
        if member.name == "alg" && !value.as_str().is_some_and(|name| member::names_alg(name, alg)) {
            return Err(SignError::AlgMismatch { key: alg });
        }
        member::add_unprotected(&mut self.unprotected, member, value)
    }

    /// Follows another [`Policy`] than the strict one.
    ///
    /// Under [`Policy::Joserfc`] headers have an escape for each character outside ASCII, as Python
    /// writes it.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Policy, Signer, Unverified}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// let signer = Signer::mac(&key).policy(Policy::Joserfc).param("name", "Zoë".into());
    /// let token = Unverified::peek_compact(&signer.sign_compact(b"hello")?)?;
    /// assert_eq!(token.protected_header(), r#"{"alg":"HS256","name":"Zo\u00eb"}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn policy(self, policy: Policy) -> Self {
        Self { policy, ..self }.encode()
    }

    /// Verifies each signature before giving it out, against faults of the machine: a wrong RSA
    /// signature can betray the private key. A MAC is computed twice. Default: no; it adds a verification to
    /// each signature, and [`SignError::Unverified`] to what can go wrong.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, jws::Signer};
    ///
    /// let key = SigningKey::generate(Alg::Ed25519)?;
    /// let (signer, careful) = (Signer::new(&key), Signer::new(&key).verify_after_signing());
    /// assert_eq!(careful.sign_compact(b"hello")?, signer.sign_compact(b"hello")?, "the token is the same");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn verify_after_signing(self) -> Self {
        Self { verify_after_signing: true, ..self }
    }

    /// The algorithm of its key.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::Signer};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// let signer = Signer::mac(&key).typ("JWT");
    /// assert_eq!(signer.alg(), Alg::Hs256);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn alg(&self) -> Alg {
        self.key.alg()
    }

    /// The compact serialization (RFC 7515 §7.1) of `payload`, signed.
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey, SignError, jws::Signer};
    ///
    /// let signer = Signer::mac(&MacKey::generate(Alg::Hs256)?);
    /// assert!(signer.sign_compact(b"hello")?.starts_with("eyJhbGciOiJIUzI1NiJ9.aGVsbG8."));
    /// // A header that could not be built fails here, whichever call it was.
    /// let error = signer.typ("JWT").typ("at+jwt").sign_compact(b"hello");
    /// assert_eq!(error, Err(SignError::HeaderParameter("typ".to_owned())));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SignError::UnprotectedHeader`] if there is one, [`Unencoded`](SignError::Unencoded) for a payload that
    /// this form cannot carry as it is, [`WeakKey`](SignError::WeakKey) and [`KeyUse`](SignError::KeyUse) for a MAC
    /// key that may not sign, [`Unverified`](SignError::Unverified) after
    /// [`verify_after_signing`](Self::verify_after_signing), [`Backend`](SignError::Backend), and for a header that
    /// could not be built as [`Header::to_json`].
    pub fn sign_compact(&self, payload: &[u8]) -> Result<String, SignError> {
        let mut jws = String::new();
        self.sign_compact_into(payload, &mut jws)?;
        Ok(jws)
    }

    /// Appends the compact serialization of `payload`, signed, to a text that the caller keeps:
    /// where that has room, nothing is allocated. After an error the text is as it was.
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey, jws::Signer};
    ///
    /// let signer = Signer::mac(&MacKey::generate(Alg::Hs256)?);
    /// let mut header = String::with_capacity(1024);
    /// for payload in [&b"one"[..], b"two"] {
    ///     header.clear();
    ///     header.push_str("Bearer ");
    ///     signer.sign_compact_into(payload, &mut header)?;
    /// }
    /// assert!(header.starts_with("Bearer ey"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`sign_compact`](Self::sign_compact).
    pub fn sign_compact_into(&self, payload: &[u8], out: &mut String) -> Result<(), SignError> {
        let encoded = self.compact_header()?;
        let unencoded = match encoded.unencoded {
            true => Some(payload::unencoded_compact(payload, self.policy)?),
            false => None,
        };
        let payload_len = unencoded.map_or(base64url::encoded_len(payload.len()), str::len);
        let signature_len = base64url::encoded_len(self.key.signature_len());
        out.reserve_exact(encoded.protected.len() + 1 + payload_len + 1 + signature_len);

        let start = out.len();
        out.push_str(&encoded.protected);
        out.push('.');
        match unencoded {
            Some(text) => out.push_str(text),
            None => base64url::encode_to(payload, out),
        }
        let input = out.len();
        out.push('.');
        match self.sign(&out.as_bytes()[start..input]) {
            Ok(signature) => {
                base64url::encode_to(signature.as_ref(), out);
                Ok(())
            }
            Err(error) => {
                out.truncate(start);
                Err(error)
            }
        }
    }

    /// The compact serialization without its payload (RFC 7515 appendix F), over `payload`.
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey, jws::Signer};
    ///
    /// // RFC 7797 §4.2, with the key of RFC 7515 A.1.
    /// let key = MacKey::from_jwk_as(Alg::Hs256, r#"{"kty":"oct",
    ///     "k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#)?;
    /// let token = Signer::mac(&key).unencoded().sign_detached(b"$.02")?;
    /// assert_eq!(token, "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19..A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`sign_compact`](Self::sign_compact), except that every payload will do.
    pub fn sign_detached(&self, payload: &[u8]) -> Result<String, SignError> {
        let encoded = self.compact_header()?;
        let signature = self.sign_payload(encoded, payload)?;
        Ok(text::compact_detached(&encoded.protected, signature.as_ref()))
    }

    /// The flattened JSON serialization (RFC 7515 §7.2.2) of `payload`, signed.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::Signer};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// let json = Signer::mac(&key).unprotected("kid", "k1".into()).sign_flattened(b"hello")?;
    /// let jws: serde_json::Value = serde_json::from_str(&json)?;
    /// assert_eq!((&jws["payload"], &jws["header"]["kid"]), (&"aGVsbG8".into(), &"k1".into()));
    /// assert_eq!(jws["signature"].as_str().map(str::len), Some(43), "32 bytes in base64url");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`sign_compact`](Self::sign_compact), except that an unprotected header is no error, and
    /// [`SignError::Unencoded`] is for an unencoded payload that is not UTF-8.
    pub fn sign_flattened(&self, payload: &[u8]) -> Result<String, SignError> {
        let encoded = self.encoded()?;
        let member = payload::json_member(payload, encoded.unencoded)?;
        let signature = self.sign_payload(encoded, payload)?;
        Ok(text::flattened(Some(&member), &encoded.part(signature.as_ref())))
    }

    /// The flattened JSON serialization without its payload (RFC 7515 appendix F), over `payload`.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::Signer};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// let json = Signer::mac(&key).unencoded().sign_flattened_detached(b"\xff\xfe")?;
    /// assert!(json.starts_with(r#"{"protected":""#), "there is no member `payload`");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`sign_flattened`](Self::sign_flattened), except that every payload will do.
    pub fn sign_flattened_detached(&self, payload: &[u8]) -> Result<String, SignError> {
        let encoded = self.encoded()?;
        let signature = self.sign_payload(encoded, payload)?;
        Ok(text::flattened(None, &encoded.part(signature.as_ref())))
    }

    pub(super) fn sign_payload(&self, encoded: &Encoded, payload: &[u8]) -> Result<Signature, SignError> {
        if encoded.unencoded {
            self.sign(&text::unencoded_input(&encoded.protected, payload))
        } else {
            self.sign(text::encoded_input(&encoded.protected, payload).as_bytes())
        }
    }

    fn sign(&self, input: &[u8]) -> Result<Signature, SignError> {
        let signature = self.key.sign(input)?;
        if self.verify_after_signing && !self.key.verifies(input, signature.as_ref()) {
            return Err(SignError::Unverified);
        }
        Ok(signature)
    }

    pub(super) fn encoded(&self) -> Result<&Encoded, SignError> {
        self.encoded.as_ref().map_err(SignError::clone)
    }

    fn compact_header(&self) -> Result<&Encoded, SignError> {
        let encoded = self.encoded()?;
        if encoded.unprotected.is_some() { Err(SignError::UnprotectedHeader) } else { Ok(encoded) }
    }

    /// Writes the headers' texts anew.
    fn encode(mut self) -> Self {
        self.encoded = self.try_encode();
        self
    }

    fn try_encode(&self) -> Result<Encoded, SignError> {
        if let Some(error) = &self.refused {
            return Err(error.clone());
        }
        if self.policy != Policy::Joserfc && matches!(&self.key, Secret::Mac(key) if key.is_weak()) {
            return Err(SignError::WeakKey);
        }
        let alg = self.key.alg();
        if self.header.alg() != alg {
            return Err(SignError::AlgMismatch { key: alg });
        }
        let in_both = self.unprotected.iter().find(|member| self.header.has(&member.name));
        if let Some(member) = in_both {
            return Err(SignError::HeaderParameter(member.name.clone()));
        }
        self.check_kid()?;
        let alg_is_unprotected = self.unprotected.iter().any(|member| member.name == "alg");
        if alg_is_unprotected && self.policy == Policy::Strict {
            return Err(SignError::HeaderParameter("alg".to_owned()));
        }
        let spelt = |json: String| if self.policy == Policy::Joserfc { member::ascii(&json) } else { json };
        let protected = match alg_is_unprotected && self.header.is_empty() {
            // RFC 7515 §5.1 step 4: without a protected header there is the empty string in its place.
            true => String::new(),
            false => base64url::encode(spelt(self.header.write(!alg_is_unprotected)?)),
        };
        let unprotected = match self.unprotected.is_empty() {
            true => None,
            false => Some(spelt(member::object(&self.unprotected)?)),
        };
        Ok(Encoded { protected, unprotected, unencoded: self.header.is_unencoded() })
    }

    /// A token that names another key than the one that signed it finds no key, or the wrong one.
    fn check_kid(&self) -> Result<(), SignError> {
        let Some(kid) = self.key.kid() else { return Ok(()) };
        let kid = Member::new("kid", &kid.into());
        let mut members = self.header.members().iter().chain(&self.unprotected);
        match members.find(|member| member.name == kid.name) {
            Some(member) if !member.means(&kid) => Err(SignError::HeaderParameter(kid.name)),
            _ => Ok(()),
        }
    }
}

impl Encoded {
    pub(super) fn part<'a>(&'a self, signature: &'a [u8]) -> text::Part<'a> {
        text::Part { protected: &self.protected, unprotected: self.unprotected.as_deref(), signature }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Signer");
        match &self.key {
            Secret::Signing(key) => shown.field("key", key),
            Secret::Mac(key) => shown.field("key", key),
        };
        shown.field("header", &self.header).field("policy", &self.policy).finish_non_exhaustive()
    }
}
