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
    /// The bytes that were signed as payload, decoded.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Scratch, Signer, Verifier}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let token = Signer::mac(&key).sign_compact(b"hello")?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build()?;
    /// let mut scratch = Scratch::new();
    /// // It lies in the scratch buffer, not in the `Verified`, which may be gone.
    /// let payload = verifier.verify_compact(&token, &mut scratch)?.payload();
    /// assert_eq!(payload, b"hello");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn payload(&self) -> &'t [u8] {
        self.payload
    }

    /// The algorithm of the key that verified it, also where the token has another name for it.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, VerifyingKey, jws::{Scratch, Verifier}};
    /// # let key = VerifyingKey::from_jwk_as(Alg::Ed25519, r#"{"kty":"OKP","crv":"Ed25519",
    /// #     "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#)?;
    /// # let verifier = Verifier::builder([Alg::Ed25519]).key(key).build()?;
    /// // RFC 8037 A.4, which says `EdDSA`, the older name.
    /// let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    /// let mut scratch = Scratch::new();
    /// assert_eq!(verifier.verify_compact(token, &mut scratch)?.alg(), Alg::Ed25519);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn alg(&self) -> Alg {
        self.signature.alg()
    }

    /// The `kid` of the protected header (RFC 7515 §4.1.4), if it has one. One that stood in the
    /// unprotected header is a hint and not shown.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Scratch, Signer, Verifier}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(key.clone().with_kid("k1")).build()?;
    /// let json = Signer::mac(&key).unprotected("kid", "k1".into()).sign_flattened(b"hello")?;
    /// let mut scratch = Scratch::new();
    /// let verified = verifier.verify_flattened(&json, &mut scratch)?;
    /// assert_eq!(verified.kid(), None, "nobody signed it");
    /// assert_eq!(verified.key_kid(), Some("k1"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn kid(&self) -> Option<&str> {
        self.signature.kid()
    }

    /// The `typ` of the protected header (RFC 7515 §4.1.9), as it is spelt there, if it has one.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Scratch, Signer, Verifier}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// let token = Signer::mac(&key).typ("application/AT+JWT").sign_compact(b"{}")?;
    /// let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).typ("at+jwt").build()?;
    /// let mut scratch = Scratch::new();
    /// assert_eq!(verifier.verify_compact(&token, &mut scratch)?.typ(), Some("application/AT+JWT"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn typ(&self) -> Option<&str> {
        self.signature.typ()
    }

    /// A parameter of the protected header as JSON, if it is there.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Scratch, Signer, Verifier}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(key.clone()).build()?;
    /// let token = Signer::mac(&key).param("iat", 1764547200.into()).sign_compact(b"hello")?;
    /// let mut scratch = Scratch::new();
    /// let verified = verifier.verify_compact(&token, &mut scratch)?;
    /// assert_eq!(verified.header("iat").and_then(|iat| iat.as_u64()), Some(1764547200));
    /// assert_eq!(verified.header("exp"), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn header(&self, name: &str) -> Option<serde_json::Value> {
        self.signature.header(name)
    }

    /// The protected header's JSON, byte for byte as it was signed.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Scratch, Verifier}};
    /// # let key = MacKey::from_jwk_as(Alg::Hs256, r#"{"kty":"oct",
    /// # "k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build()?;
    /// // RFC 7515 A.1.
    /// let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    /// let mut scratch = Scratch::new();
    /// let verified = verifier.verify_compact(token, &mut scratch)?;
    /// assert_eq!(verified.protected_header(), "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn protected_header(&self) -> &str {
        self.signature.protected_header()
    }

    /// The key that verified it; `None` for a MAC.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, SigningKey, jws::{Scratch, Signer, Verifier}};
    /// let (pair, secret) = (SigningKey::generate(Alg::Ed25519)?, MacKey::generate(Alg::Hs256)?);
    /// let verifier =
    ///     Verifier::builder([Alg::Ed25519, Alg::Hs256]).key(pair.verifying_key()).mac_key(&secret).build()?;
    /// let (public, mut scratch) = (pair.verifying_key(), Scratch::new());
    /// for (signer, key) in [(Signer::new(&pair), Some(&public)), (Signer::mac(&secret), None)] {
    ///     let token = signer.sign_compact(b"hello")?;
    ///     assert_eq!(verifier.verify_compact(&token, &mut scratch)?.key(), key);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn key(&self) -> Option<&'t VerifyingKey> {
        self.signature.key()
    }

    /// The `kid` of the key that verified it, public or symmetric, if the key has one. [`kid`](Self::kid) is the
    /// token's word for it.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Scratch, Signer, Verifier}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// let token = Signer::mac(&key).sign_compact(b"it names no key")?;
    /// let verifier = Verifier::builder([Alg::Hs256]).mac_key(key.with_kid("2026-11")).build()?;
    /// let mut scratch = Scratch::new();
    /// let verified = verifier.verify_compact(&token, &mut scratch)?;
    /// assert_eq!((verified.key_kid(), verified.kid()), (Some("2026-11"), None));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn key_kid(&self) -> Option<&'t str> {
        self.signature.key_kid()
    }

    /// Whether the payload was signed as it is, not in base64url (RFC 7797, `"b64":false`). A JWT
    /// never is (§7).
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Scratch, Signer, Verifier}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// let verifier = Verifier::builder([Alg::Hs256]).mac_key(&key).unencoded().build()?;
    /// let mut scratch = Scratch::new();
    /// for (signer, unencoded) in [(Signer::mac(&key), false), (Signer::mac(&key).unencoded(), true)] {
    ///     let token = signer.sign_compact(b"hello")?;
    ///     let verified = verifier.verify_compact(&token, &mut scratch)?;
    ///     assert_eq!((verified.payload(), verified.is_unencoded()), (&b"hello"[..], unencoded));
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
///
/// ```
/// use sealwright_jose::{Alg, MacKey, jws::{Require, Scratch, Signer, Verifier, sign_general}};
///
/// let alice = MacKey::generate(Alg::Hs256)?.with_kid("alice");
/// let bob = MacKey::generate(Alg::Hs256)?.with_kid("bob");
/// let json = sign_general(&[&Signer::mac(&alice), &Signer::mac(&bob)], b"a contract")?;
/// let verifier = Verifier::builder([Alg::Hs256]).mac_key(alice).mac_key(bob).build()?;
///
/// let mut scratch = Scratch::new();
/// let verified = verifier.verify_general(&json, Require::AtLeast(2), &mut scratch)?;
/// let signed_by: Vec<_> = verified.signatures().iter().map(|signature| signature.key_kid()).collect();
/// assert_eq!(signed_by, [Some("alice"), Some("bob")]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Require, Scratch, Signer, Verifier, sign_general}};
    /// # let theirs = MacKey::generate(Alg::Hs256)?.with_kid("theirs");
    /// # let ours = MacKey::generate(Alg::Hs256)?.with_kid("ours");
    /// let json = sign_general(&[&Signer::mac(&theirs), &Signer::mac(&ours)], b"hello")?;
    /// let verifier = Verifier::builder([Alg::Hs256]).mac_key(ours).build()?;
    /// let mut scratch = Scratch::new();
    /// let verified = verifier.verify_general(&json, Require::Any, &mut scratch)?;
    /// assert_eq!(verified.signatures()[0].index(), 1, "the only one that was verified is the second");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn index(&self) -> usize {
        self.index
    }

    /// The algorithm of the key that verified it.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, SigningKey};
    /// # use sealwright_jose::jws::{Require, Scratch, Signer, Verifier, sign_general};
    /// # let (pair, secret) = (SigningKey::generate(Alg::Ed25519)?, MacKey::generate(Alg::Hs256)?);
    /// # let verifier = Verifier::builder([Alg::Ed25519, Alg::Hs256]).key(pair.verifying_key());
    /// # let verifier = verifier.mac_key(&secret).build()?;
    /// let json = sign_general(&[&Signer::new(&pair), &Signer::mac(&secret)], b"hello")?;
    /// let mut scratch = Scratch::new();
    /// let verified = verifier.verify_general(&json, Require::All, &mut scratch)?;
    /// let algs: Vec<_> = verified.signatures().iter().map(|signature| signature.alg()).collect();
    /// assert_eq!(algs, [Alg::Ed25519, Alg::Hs256]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn alg(&self) -> Alg {
        self.key.alg()
    }

    /// The `kid` of the protected header (RFC 7515 §4.1.4), if it has one. One that stood in the
    /// unprotected header is a hint and not shown.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, SigningKey};
    /// # use sealwright_jose::jws::{Require, Scratch, Signer, Verifier, sign_general};
    /// let pair = SigningKey::generate(Alg::Es256)?.with_kid("k1");
    /// let secret = MacKey::generate(Alg::Hs256)?;
    /// # let verifier = Verifier::builder([Alg::Es256, Alg::Hs256]).key(pair.verifying_key());
    /// # let verifier = verifier.mac_key(&secret).build()?;
    /// let json = sign_general(&[&Signer::new(&pair), &Signer::mac(&secret)], b"hello")?;
    /// let mut scratch = Scratch::new();
    /// let verified = verifier.verify_general(&json, Require::All, &mut scratch)?;
    /// let kids: Vec<_> = verified.signatures().iter().map(|signature| signature.kid()).collect();
    /// assert_eq!(kids, [Some("k1"), None], "the secret has no name");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The `typ` of the protected header (RFC 7515 §4.1.9), as it is spelt there, if it has one.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Require, Scratch, Signer, Verifier}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(key.clone()).build()?;
    /// let mut scratch = Scratch::new();
    /// let signer = Signer::mac(&key);
    /// for (signer, typ) in [(signer.clone(), None), (signer.typ("JOSE+JSON"), Some("JOSE+JSON"))] {
    ///     let json = signer.sign_flattened(b"hello")?;
    ///     assert_eq!(verifier.verify_json(&json, Require::All, &mut scratch)?.signatures()[0].typ(), typ);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// A parameter of the protected header as JSON, if it is there. The unprotected header is not looked at.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Require, Scratch, Signer, Verifier}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(key.clone()).build()?;
    /// let signer = Signer::mac(&key).param("role", "witness".into()).unprotected("note", "archive".into());
    /// let json = signer.sign_flattened(b"hello")?;
    /// let mut scratch = Scratch::new();
    /// let verified = verifier.verify_json(&json, Require::All, &mut scratch)?;
    /// assert_eq!(verified.signatures()[0].header("role"), Some("witness".into()));
    /// assert_eq!(verified.signatures()[0].header("note"), None, "anybody can have written it");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn header(&self, name: &str) -> Option<serde_json::Value> {
        header::parameter(&self.header, name)
    }

    /// The protected header's JSON, byte for byte as it was signed; `{}` if there was none, which not
    /// every [`Policy`](super::Policy) allows.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Policy, Require, Scratch, Signer, Verifier}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// let signer = Signer::mac(&key).policy(Policy::Rfc).unprotected("alg", "HS256".into());
    /// let json = signer.sign_flattened(b"hello")?;
    /// let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).policy(Policy::Rfc).build()?;
    /// let mut scratch = Scratch::new();
    /// let verified = verifier.verify_json(&json, Require::All, &mut scratch)?;
    /// assert_eq!(verified.signatures()[0].protected_header(), "{}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn protected_header(&self) -> &str {
        &self.header
    }

    /// The key that verified it; `None` for a MAC.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, SigningKey, jws::{Require, Scratch, Signer, Verifier}};
    /// # let (old, new) = (SigningKey::generate(Alg::Ed25519)?, SigningKey::generate(Alg::Ed25519)?);
    /// # let (old_public, new_public) = (old.verifying_key(), new.verifying_key());
    /// let json = Signer::new(&old).sign_flattened(b"it names no key")?;
    /// let verifier = Verifier::builder([Alg::Ed25519]).key(&new_public).key(&old_public).try_all(2);
    /// let verifier = verifier.build()?;
    /// let mut scratch = Scratch::new();
    /// let verified = verifier.verify_json(&json, Require::All, &mut scratch)?;
    /// assert_eq!(verified.signatures()[0].key(), Some(&old_public), "which of the two it was");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn key(&self) -> Option<&'t VerifyingKey> {
        match self.key {
            AnyKey::Public(key) => Some(key),
            AnyKey::Mac(_) => None,
        }
    }

    /// The `kid` of the key that verified it, public or symmetric, if the key has one. [`kid`](Self::kid) is the
    /// token's word for it.
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
