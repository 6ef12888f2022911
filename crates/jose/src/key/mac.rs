//! Symmetric keys.

use std::{fmt, sync::Arc};

use zeroize::Zeroizing;

use crate::{
    Alg, Hash, KeyError, SignError, VerifyError, VerifyErrorKind,
    jwk::{Jwk, Operation, Writer},
    key::{
        MAX_KEY_BYTES,
        container::Container,
        kind::{Curve, Kind},
        material::{Point, PublicMaterial},
        openssh, pem,
    },
    provider, thumbprint,
};

/// A symmetric key (HMAC), at least as long as its hash (RFC 7518 §3.2). Cheap to clone; `Debug`
/// shows no secret.
///
/// It is never made from the bytes of a key of another kind: a PEM, DER, SSH or JWK text as secret
/// is the classic way to forge tokens, since such texts are public.
///
/// ```
/// use sealwright_jose::{Alg, MacKey};
///
/// assert!(MacKey::from_bytes(Alg::Hs256, b"too short").is_err());
/// let pem = b"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----";
/// assert!(MacKey::from_bytes(Alg::Hs256, pem).is_err());
/// assert_eq!(MacKey::generate(Alg::Hs256)?.alg(), Alg::Hs256);
/// # Ok::<(), sealwright_jose::KeyError>(())
/// ```
#[derive(Clone)]
pub struct MacKey(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    alg: Alg,
    kid: Option<Box<str>>,
    secret: Zeroizing<Vec<u8>>,
    scheduled: Arc<provider::Mac>,
    may_sign: bool,
    may_verify: bool,
}

impl MacKey {
    /// A new key as long as the hash: 32, 48 or 64 bytes.
    ///
    /// ```
    /// use sealwright_jose::{Alg, KeyError, MacKey};
    ///
    /// let key = MacKey::generate(Alg::Hs384)?;
    /// assert_eq!(MacKey::from_jwk(&key.to_jwk())?.sign(b"message"), key.sign(b"message"));
    /// assert!(matches!(MacKey::generate(Alg::Es384), Err(KeyError::Type { alg: Alg::Es384, .. })));
    /// # Ok::<(), KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::Type`] for an algorithm that is no MAC; [`KeyError::Backend`] if there is no randomness.
    pub fn generate(alg: Alg) -> Result<Self, KeyError> {
        let mut secret = Zeroizing::new([0; 64]);
        let secret = &mut secret[..hash(alg)?.digest_len()];
        provider::random(secret)?;
        Self::from_bytes(alg, secret)
    }

    /// A key from its raw bytes: at least 32 for HS256, 48 for HS384, 64 for HS512 (RFC 7518 §3.2), and at
    /// most 64 KiB.
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey};
    ///
    /// assert!(MacKey::from_bytes(Alg::Hs512, &[7; 64]).is_ok());
    /// let error = MacKey::from_bytes(Alg::Hs512, &[7; 32]).unwrap_err();
    /// assert_eq!(error.to_string(), "the secret has 256 bits; 512 to 524288 are accepted");
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::Size`] if they are too few or too many, [`KeyError::Format`] if they are a key of another
    /// kind in some encoding, [`KeyError::Type`] if `alg` is no MAC.
    pub fn from_bytes(alg: Alg, secret: &[u8]) -> Result<Self, KeyError> {
        let min = hash(alg)?.digest_len();
        if secret.len() < min {
            return Err(too_few_or_many(secret.len(), min));
        }
        Self::insecure_from_short_bytes(alg, secret)
    }

    /// A key from bytes that may be fewer than the hash has, for peers that have such a key.
    ///
    /// Whoever sees one tag can try all secrets of a few bytes, so a verifier or signer accepts a
    /// short key ([`is_weak`](Self::is_weak)) under
    /// [`Policy::Joserfc`](crate::jws::Policy::Joserfc) only.
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey};
    ///
    /// assert!(MacKey::insecure_from_short_bytes(Alg::Hs256, b"secret")?.is_weak());
    /// assert!(MacKey::insecure_from_short_bytes(Alg::Hs256, b"").is_err());
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`from_bytes`](Self::from_bytes), but for too few bytes only where there is none.
    pub fn insecure_from_short_bytes(alg: Alg, secret: &[u8]) -> Result<Self, KeyError> {
        let hash = hash(alg)?;
        check_secret(secret)?;
        let scheduled = Arc::new(provider::Mac::new(hash, secret));
        let secret = Zeroizing::new(secret.to_vec());
        Ok(Self(Arc::new(Inner { alg, kid: None, secret, scheduled, may_sign: true, may_verify: true })))
    }

    /// The key of a symmetric JWK (`"kty":"oct"`) that names its algorithm.
    ///
    /// ```
    /// use sealwright_jose::{Alg, KeyError, MacKey};
    ///
    /// let k = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    /// let key = MacKey::from_jwk(&format!(r#"{{"kty":"oct","k":"{k}","alg":"HS256","kid":"a"}}"#))?;
    /// assert_eq!((key.alg(), key.kid()), (Alg::Hs256, Some("a")));
    /// // As it stands in RFC 7515 A.1.
    /// let error = MacKey::from_jwk(&format!(r#"{{"kty":"oct","k":"{k}"}}"#)).unwrap_err();
    /// assert_eq!(error, KeyError::AlgMissing);
    /// # Ok::<(), KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`from_bytes`](Self::from_bytes); [`KeyError::Format`] also for what is no symmetric JWK,
    /// [`KeyError::Malformed`], [`KeyError::MemberMissing`] and [`KeyError::Member`] for one that breaks the
    /// rules, [`KeyError::AlgMissing`] and [`KeyError::AlgUnsupported`] for its `alg`,
    /// [`KeyError::Unsupported`] for its `kty`, [`KeyError::Use`] where it is not for signatures,
    /// [`KeyError::TooLarge`] beyond 64 KiB of text.
    pub fn from_jwk(jwk: &str) -> Result<Self, KeyError> {
        let jwk = Jwk::parse(jwk)?;
        Self::from_parsed(&jwk, jwk.alg(None)?)
    }

    /// The key of a symmetric JWK that may leave its algorithm out; one that names another is
    /// refused.
    ///
    /// ```
    /// use sealwright_jose::{Alg, KeyError, MacKey};
    ///
    /// let jwk = MacKey::generate(Alg::Hs512)?.to_jwk();
    /// assert!(MacKey::from_jwk_as(Alg::Hs512, &jwk).is_ok());
    /// let error = MacKey::from_jwk_as(Alg::Hs256, &jwk).unwrap_err();
    /// assert_eq!(error, KeyError::AlgMismatch { key: Alg::Hs512, wanted: Alg::Hs256 });
    /// # Ok::<(), KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`from_jwk`](Self::from_jwk), and [`KeyError::AlgMismatch`].
    pub fn from_jwk_as(alg: Alg, jwk: &str) -> Result<Self, KeyError> {
        let jwk = Jwk::parse(jwk)?;
        Self::from_parsed(&jwk, jwk.alg(Some(alg))?)
    }

    /// As [`from_jwk_as`](Self::from_jwk_as), for a secret that may be
    /// [short](Self::insecure_from_short_bytes).
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey};
    ///
    /// let jwk = r#"{"kty":"oct","k":"c2VjcmV0"}"#;
    /// assert!(MacKey::from_jwk_as(Alg::Hs256, jwk).is_err());
    /// assert!(MacKey::insecure_from_short_jwk_as(Alg::Hs256, jwk)?.is_weak());
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`from_jwk_as`](Self::from_jwk_as), but for too few bytes only where there is none.
    pub fn insecure_from_short_jwk_as(alg: Alg, jwk: &str) -> Result<Self, KeyError> {
        let jwk = Jwk::parse(jwk)?;
        let alg = jwk.alg(Some(alg))?;
        Self::insecure_from_short_bytes(alg, &jwk.secret()?)?.with_members_of(&jwk)
    }

    pub(crate) fn from_parsed(jwk: &Jwk<'_>, alg: Alg) -> Result<Self, KeyError> {
        Self::from_bytes(alg, &jwk.secret()?)?.with_members_of(jwk)
    }

    /// The same key with the `kid` and for the uses that the JWK names.
    fn with_members_of(self, jwk: &Jwk<'_>) -> Result<Self, KeyError> {
        jwk.check_use(&[Operation::Sign, Operation::Verify])?;
        let mut key = self;
        let inner = Arc::make_mut(&mut key.0);
        inner.kid = jwk.kid()?.map(Into::into);
        if let Some(operations) = jwk.operations()? {
            inner.may_sign = operations.contains(&Operation::Sign);
            inner.may_verify = operations.contains(&Operation::Verify);
        }
        Ok(key)
    }

    /// The same key under this `kid`.
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey, jws::{Signer, Unverified}};
    ///
    /// let key = MacKey::generate(Alg::Hs256)?.with_kid("2026-11");
    /// let token = Signer::mac(&key).sign_compact(b"hello")?;
    /// let header = Unverified::peek_compact(&token)?.protected_header().to_string();
    /// assert_eq!(header, r#"{"alg":"HS256","kid":"2026-11"}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.0).kid = Some(kid.into().into());
        self
    }

    /// Its algorithm.
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey};
    ///
    /// // A secret of 64 bytes would do for each of them; it is for the one that was chosen.
    /// assert_eq!(MacKey::from_bytes(Alg::Hs256, &[7; 64])?.alg(), Alg::Hs256);
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn alg(&self) -> Alg {
        self.0.alg
    }

    /// Whether the secret is shorter than the hash, which RFC 7518 §3.2 forbids.
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey};
    ///
    /// let is_weak = |alg| MacKey::insecure_from_short_bytes(alg, &[7; 32]).map(|key| key.is_weak());
    /// assert_eq!((is_weak(Alg::Hs256)?, is_weak(Alg::Hs384)?), (false, true));
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn is_weak(&self) -> bool {
        hash(self.alg()).is_ok_and(|hash| self.0.secret.len() < hash.digest_len())
    }

    /// Its key identifier, if it has one.
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey};
    ///
    /// let key = MacKey::generate(Alg::Hs256)?;
    /// assert_eq!(key.kid(), None, "a new key has none");
    /// assert_eq!(MacKey::from_jwk(&key.with_kid("a").to_jwk())?.kid(), Some("a"));
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn kid(&self) -> Option<&str> {
        self.0.kid.as_deref()
    }

    /// The JWK, which is the secret itself. It says so if the key may only sign, or only verify.
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey, SignError};
    ///
    /// let key = MacKey::from_bytes(Alg::Hs256, &[0; 32])?;
    /// let k = "A".repeat(43);
    /// assert_eq!(*key.to_jwk(), format!(r#"{{"kty":"oct","k":"{k}","use":"sig","alg":"HS256"}}"#));
    /// // What may only verify is written so, and cannot sign where it is read.
    /// let for_verifying = format!(r#"{{"kty":"oct","k":"{k}","alg":"HS256","key_ops":["verify"]}}"#);
    /// let read_again = MacKey::from_jwk(&MacKey::from_jwk(&for_verifying)?.to_jwk())?;
    /// assert_eq!(read_again.sign(b"message"), Err(SignError::KeyUse));
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn to_jwk(&self) -> Zeroizing<String> {
        let mut writer = Writer::new(2 * self.0.secret.len());
        writer.member("kty", "oct");
        writer.number("k", &self.0.secret);
        writer.usage(self.alg(), self.kid());
        match (self.0.may_sign, self.0.may_verify) {
            (true, false) => writer.only_for(Operation::Sign),
            (false, true) => writer.only_for(Operation::Verify),
            _ => {}
        }
        writer.finish()
    }

    /// The thumbprint of the secret by RFC 7638 with this hash.
    ///
    /// It is a digest of the secret, to be treated as one (RFC 7638 §7): whoever sees it can try
    /// secrets against it, so it is no name for a key that a person made up, and nothing for a log. The
    /// bytes are wiped when dropped.
    ///
    /// ```
    /// use sealwright_jose::{Alg, Digest, Hash, MacKey};
    ///
    /// let key = MacKey::from_bytes(Alg::Hs256, &[0; 32])?.with_kid("a");
    /// let text = format!(r#"{{"k":"{}","kty":"oct"}}"#, "A".repeat(43));
    /// let digest = Digest::of(Hash::Sha256, text.as_bytes());
    /// assert_eq!(key.thumbprint_of_secret(Hash::Sha256)[..], digest.as_bytes()[..]);
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn thumbprint_of_secret(&self, hash: Hash) -> Zeroizing<Vec<u8>> {
        thumbprint::of_secret(&self.0.secret, hash).as_bytes().to_vec().into()
    }

    /// The tag of `input`, as long as the hash.
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey, base64url};
    ///
    /// // RFC 7515 A.1.
    /// let k = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    /// let key = MacKey::from_bytes(Alg::Hs256, &base64url::decode(k)?)?;
    /// # let token = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/vectors/rfc7515_a1.jws"));
    /// let (signing_input, tag) = token.trim().rsplit_once('.').expect("a token has dots");
    /// assert_eq!(base64url::encode(key.sign(signing_input.as_bytes())?), tag);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SignError::KeyUse`] if the JWK's `key_ops` forbid it (RFC 7517 §4.3).
    pub fn sign(&self, input: &[u8]) -> Result<Vec<u8>, SignError> {
        self.sign_with(input, <[u8]>::to_vec)
    }

    /// As [`sign`](Self::sign), but lends the tag, so that nothing is allocated for it.
    pub(crate) fn sign_with<R>(&self, input: &[u8], take: impl FnOnce(&[u8]) -> R) -> Result<R, SignError> {
        self.may_sign()?;
        Ok(take(self.0.scheduled.sign(input).as_bytes()))
    }

    /// Begins the tag of a message that comes in pieces.
    pub(crate) fn start_signing(&self) -> Result<provider::MacContext, SignError> {
        self.may_sign()?;
        Ok(self.0.scheduled.start())
    }

    /// Begins a message that comes in pieces and whose tag is to be verified.
    pub(crate) fn start_verifying(&self) -> Result<provider::MacContext, VerifyError> {
        if self.0.may_verify { Ok(self.0.scheduled.start()) } else { Err(VerifyErrorKind::Signature.into()) }
    }

    fn may_sign(&self) -> Result<(), SignError> {
        if self.0.may_sign { Ok(()) } else { Err(SignError::KeyUse) }
    }

    /// Verifies a bare tag, in a time that does not depend on where it differs.
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey, VerifyErrorKind};
    ///
    /// let key = MacKey::generate(Alg::Hs256)?;
    /// let tag = key.sign(b"message")?;
    /// assert_eq!(key.verify(b"message", &tag), Ok(()));
    /// let error = key.verify(b"message", &tag[..16]).unwrap_err();
    /// assert_eq!(error.kind(), VerifyErrorKind::Signature, "half a tag is none");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`VerifyErrorKind::Signature`] if it is not this key's tag of `message`, or the JWK's `key_ops` forbid
    /// verifying (RFC 7517 §4.3).
    pub fn verify(&self, message: &[u8], tag: &[u8]) -> Result<(), VerifyError> {
        if self.0.may_verify && self.0.scheduled.verifies(message, tag) {
            Ok(())
        } else {
            Err(VerifyErrorKind::Signature.into())
        }
    }

    pub(crate) fn may_verify(&self) -> bool {
        self.0.may_verify
    }

    pub(crate) fn secret(&self) -> &[u8] {
        &self.0.secret
    }
}

/// The hash of an algorithm that is a MAC.
fn hash(alg: Alg) -> Result<Hash, KeyError> {
    match alg {
        Alg::Hs256 => Ok(Hash::Sha256),
        Alg::Hs384 => Ok(Hash::Sha384),
        Alg::Hs512 => Ok(Hash::Sha512),
        _ => Err(KeyError::Type { alg, seen: Kind::Oct.seen() }),
    }
}

fn too_few_or_many(len: usize, min: usize) -> KeyError {
    KeyError::Size { what: "the secret", bits: len * 8, min: min * 8, max: MAX_KEY_BYTES * 8 }
}

fn check_secret(secret: &[u8]) -> Result<(), KeyError> {
    if !(1..=MAX_KEY_BYTES).contains(&secret.len()) {
        return Err(too_few_or_many(secret.len(), 1));
    }
    // An uncompressed point that lies on its curve is a public key; by chance no secret is one.
    let is_point = Curve::ALL.into_iter().any(|curve| {
        Point::parse(curve, secret)
            .is_ok_and(|point| provider::PublicKey::new(curve.alg(), &PublicMaterial::Ec(point)).is_ok())
    });
    if pem::is_key_text(secret) || Container::of_der(secret).is_some() || openssh::is_blob(secret) || is_point
    {
        return Err(KeyError::Format {
            seen: "an encoded key of another kind",
            wanted: "a secret of random bytes",
        });
    }
    Ok(())
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MacKey").field("alg", &self.alg()).field("kid", &self.kid()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_key_may_do_goes_with_it() {
        let secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        for (operations, may_sign, may_verify) in [
            (r#"["sign"]"#, true, false),
            (r#"["verify"]"#, false, true),
            (r#"["sign","verify"]"#, true, true),
        ] {
            let jwk = format!(r#"{{"kty":"oct","alg":"HS256","k":"{secret}","key_ops":{operations}}}"#);
            let key = MacKey::from_jwk(&jwk).expect("it is a key");
            let again = MacKey::from_jwk(&key.to_jwk()).expect("what was written is read");
            assert_eq!((again.0.may_sign, again.0.may_verify), (may_sign, may_verify), "{operations}");
        }
    }

    /// Compared pair by pair, these took seconds.
    #[test]
    fn a_key_of_many_operations_is_refused_fast() {
        let operations: Vec<String> = (0..9000).map(|n| format!("\"{n}\"")).collect();
        let jwk = format!(r#"{{"kty":"oct","alg":"HS256","k":"AA","key_ops":[{}]}}"#, operations.join(","));
        let start = std::time::Instant::now();
        assert!(MacKey::from_jwk(&jwk).is_err());
        assert!(start.elapsed().as_millis() < 500, "{:?}", start.elapsed());
    }
}
