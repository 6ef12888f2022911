//! What verification leaves behind.

use std::{borrow::Cow, fmt};

use crate::{
    Alg, VerifyingKey, header,
    jws::rules::{AnyKey, Decision},
};

/// A payload and header whose signature was verified. Only a [`Verifier`](super::Verifier) can make
/// one.
///
/// It borrows from the verifier, the token and the scratch buffer, and is made without allocating.
///
/// ```
/// use sealwright_jose::{Alg, SigningKey, jws::{Scratch, Signer, Verifier}};
///
/// let key = SigningKey::generate(Alg::Es256)?.with_kid("2026-11");
/// let token = Signer::new(&key).typ("JWT").param("nonce", "n-1".into()).sign_compact(b"hello")?;
/// let verifier = Verifier::builder([Alg::Es256]).key(key.verifying_key()).build()?;
///
/// let mut scratch = Scratch::new();
/// let verified = verifier.verify_compact(&token, &mut scratch)?;
/// assert_eq!((verified.alg(), verified.kid(), verified.typ()), (Alg::Es256, Some("2026-11"), Some("JWT")));
/// assert_eq!(verified.header("nonce"), Some("n-1".into()));
/// assert_eq!(verified.key(), Some(&key.verifying_key()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Verified<'t> {
    pub(super) payload: &'t [u8],
    pub(super) signature: VerifiedSignature<'t>,
}

impl<'t> Verified<'t> {
    /// The bytes that were signed as payload.
    pub fn payload(&self) -> &'t [u8] {
        self.payload
    }

    /// The algorithm of the key that verified it.
    pub fn alg(&self) -> Alg {
        self.signature.alg()
    }

    /// The `kid` of the protected header. One that stood in the unprotected header is a hint and
    /// not shown.
    pub fn kid(&self) -> Option<&str> {
        self.signature.kid()
    }

    /// The `typ` of the protected header.
    pub fn typ(&self) -> Option<&str> {
        self.signature.typ()
    }

    /// A parameter of the protected header as JSON.
    pub fn header(&self, name: &str) -> Option<serde_json::Value> {
        self.signature.header(name)
    }

    /// The protected header's JSON.
    pub fn protected_header(&self) -> &str {
        self.signature.protected_header()
    }

    /// The key that verified it; `None` for a MAC.
    pub fn key(&self) -> Option<&'t VerifyingKey> {
        self.signature.key()
    }

    /// The `kid` of the key that verified it, public or symmetric. [`kid`](Self::kid) is the token's word for it.
    pub fn key_kid(&self) -> Option<&'t str> {
        self.signature.key_kid()
    }

    /// Whether the payload was signed as it is, not in base64url (RFC 7797, `"b64":false`). A JWT
    /// never is (§7).
    pub fn is_unencoded(&self) -> bool {
        self.signature.unencoded
    }
}

impl fmt::Debug for Verified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("alg", &self.alg())
            .field("kid", &self.kid())
            .field("typ", &self.typ())
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

/// One signature that was verified: its protected header and the key.
pub struct VerifiedSignature<'t> {
    pub(super) index: usize,
    header: Cow<'t, str>,
    kid: Option<Cow<'t, str>>,
    typ: Option<Cow<'t, str>>,
    pub(super) unencoded: bool,
    pub(super) key: &'t AnyKey,
}

impl<'t> VerifiedSignature<'t> {
    pub(super) fn new(index: usize, decision: Decision<'t>, key: &'t AnyKey) -> Self {
        Self {
            index,
            header: Cow::Borrowed(decision.header),
            kid: decision.kid,
            typ: decision.typ,
            unencoded: decision.unencoded,
            key,
        }
    }

    /// As [`new`](Self::new), but keeps its own copy of what was decided.
    pub(super) fn owned(index: usize, decision: &Decision<'_>, key: &'t AnyKey) -> Self {
        let owned = |text: &Option<Cow<'_, str>>| text.as_deref().map(|text| Cow::Owned(text.to_owned()));
        Self {
            index,
            header: Cow::Owned(decision.header.to_owned()),
            kid: owned(&decision.kid),
            typ: owned(&decision.typ),
            unencoded: decision.unencoded,
            key,
        }
    }

    /// The same, verified by this key of those that were tried.
    pub(super) fn by(self, key: &'t AnyKey) -> Self {
        Self { key, ..self }
    }

    /// Its place in the array `signatures`, from 0; 0 in the other serializations.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The algorithm of the key that verified it.
    pub fn alg(&self) -> Alg {
        self.key.alg()
    }

    /// The `kid` of the protected header. One that stood in the unprotected header is a hint and
    /// not shown.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The `typ` of the protected header.
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// A parameter of the protected header as JSON.
    pub fn header(&self, name: &str) -> Option<serde_json::Value> {
        header::parameter(&self.header, name)
    }

    /// The protected header's JSON; `{}` if there was none, which not every
    /// [`Policy`](super::Policy) allows.
    pub fn protected_header(&self) -> &str {
        &self.header
    }

    /// The key that verified it; `None` for a MAC.
    pub fn key(&self) -> Option<&'t VerifyingKey> {
        match self.key {
            AnyKey::Public(key) => Some(key),
            AnyKey::Mac(_) => None,
        }
    }

    /// The `kid` of the key that verified it, public or symmetric. [`kid`](Self::kid) is the token's word for it.
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey, jws::{Scratch, Signer, Verifier}};
    ///
    /// let key = MacKey::generate(Alg::Hs256)?;
    /// let token = Signer::mac(&key).param("kid", "any".into()).sign_compact(b"hello")?;
    /// // A key without a name is meant by every name that no other has.
    /// let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build()?;
    /// let mut scratch = Scratch::new();
    /// let verified = verifier.verify_compact(&token, &mut scratch)?;
    /// assert_eq!((verified.kid(), verified.key_kid()), (Some("any"), None));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn key_kid(&self) -> Option<&'t str> {
        self.key.kid()
    }
}

impl fmt::Debug for VerifiedSignature<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedSignature")
            .field("index", &self.index)
            .field("alg", &self.alg())
            .field("kid", &self.kid)
            .field("typ", &self.typ)
            .finish_non_exhaustive()
    }
}
