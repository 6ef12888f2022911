//! The private half.

use std::{fmt, sync::Arc};

use zeroize::Zeroizing;

use crate::{
    Alg, Digest, KeyError, SignError, VerifyingKey,
    jwk::{Jwk, Operation, Writer},
    key::{der, material::PrivateMaterial, pem},
    provider,
};

/// A private key with exactly one algorithm. Cheap to clone; `Debug` shows its public half.
///
/// ```
/// use sealwright_jose::{Alg, SigningKey};
///
/// let key = SigningKey::generate(Alg::Es256)?.with_kid("2026-11");
/// let signature = key.sign(b"message").expect("a sound key signs");
/// assert!(key.verifying_key().verify(b"message", &signature).is_ok());
/// assert!(key.verifying_key().verify(b"another", &signature).is_err());
/// # Ok::<(), sealwright_jose::KeyError>(())
/// ```
#[derive(Clone)]
pub struct SigningKey {
    private: Arc<provider::PrivateKey>,
    public: VerifyingKey,
}

impl SigningKey {
    /// A new key. An RSA key has 2048 bits.
    ///
    /// # Errors
    ///
    /// [`KeyError::Type`] for a MAC algorithm, whose keys are [`MacKey`](crate::MacKey)s.
    pub fn generate(alg: Alg) -> Result<Self, KeyError> {
        Self::from_private(alg, provider::PrivateKey::generate(alg)?)
    }

    /// The key of a private JWK that names its algorithm. An RSA key must have its primes and
    /// exponents too (`p`, `q`, `dp`, `dq`, `qi`).
    ///
    /// # Errors
    ///
    /// A [`KeyError`] that says what was found and what would be right.
    pub fn from_jwk(jwk: &str) -> Result<Self, KeyError> {
        let jwk = Jwk::parse(jwk)?;
        Self::from_parsed(&jwk, jwk.alg(None)?)
    }

    /// The key of a private JWK that may leave its algorithm out; one that names another is
    /// refused.
    ///
    /// # Errors
    ///
    /// As [`from_jwk`](Self::from_jwk).
    pub fn from_jwk_as(alg: Alg, jwk: &str) -> Result<Self, KeyError> {
        let jwk = Jwk::parse(jwk)?;
        Self::from_parsed(&jwk, jwk.alg(Some(alg))?)
    }

    pub(crate) fn from_parsed(jwk: &Jwk<'_>, alg: Alg) -> Result<Self, KeyError> {
        jwk.check_use(&[Operation::Sign])?;
        let key = Self::from_material(alg, &jwk.private_material()?)?;
        Ok(match jwk.kid()? {
            Some(kid) => key.with_kid(kid),
            None => key,
        })
    }

    /// The key of a PEM text: PKCS#8 (`PRIVATE KEY`), PKCS#1 (`RSA PRIVATE KEY`) or SEC1 (`EC
    /// PRIVATE KEY`).
    ///
    /// # Errors
    ///
    /// A [`KeyError`] that says what was found and what would be right.
    pub fn from_pem(alg: Alg, pem: &str) -> Result<Self, KeyError> {
        Self::from_material(alg, &pem::parse(pem)?.private()?)
    }

    /// The key of an unencrypted PKCS#8 structure (RFC 5958) in DER.
    ///
    /// # Errors
    ///
    /// A [`KeyError`], also for bytes after the structure.
    pub fn from_pkcs8_der(alg: Alg, der: &[u8]) -> Result<Self, KeyError> {
        Self::from_material(alg, &der::private_from_pkcs8(der)?)
    }

    pub(crate) fn from_material(alg: Alg, material: &PrivateMaterial) -> Result<Self, KeyError> {
        Self::from_private(alg, provider::PrivateKey::new(alg, material)?)
    }

    fn from_private(alg: Alg, private: provider::PrivateKey) -> Result<Self, KeyError> {
        let public = VerifyingKey::from_material(alg, private.public_material()?)?;
        Ok(Self { private: Arc::new(private), public })
    }

    /// The same key under this `kid`.
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        self.public = self.public.with_kid(kid);
        self
    }

    /// Its algorithm.
    pub fn alg(&self) -> Alg {
        self.public.alg()
    }

    /// Its key identifier, if it has one.
    pub fn kid(&self) -> Option<&str> {
        self.public.kid()
    }

    /// Its public half, with the same algorithm and `kid`.
    pub fn verifying_key(&self) -> VerifyingKey {
        self.public.clone()
    }

    /// As [`verifying_key`](Self::verifying_key), but lends it.
    pub(crate) fn public(&self) -> &VerifyingKey {
        &self.public
    }

    /// How many bytes each of its signatures has in the JWS form: as many as the algorithm says
    /// or, for RSA, as the modulus has.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey};
    ///
    /// assert_eq!(SigningKey::generate(Alg::Es384)?.signature_len(), 96);
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn signature_len(&self) -> usize {
        self.public.signature_len()
    }

    /// The signature of `input` in its JWS form (for ECDSA r‖s, RFC 7518 §3.4).
    ///
    /// # Errors
    ///
    /// [`SignError::Backend`].
    pub fn sign(&self, input: &[u8]) -> Result<Vec<u8>, SignError> {
        self.sign_with(input, <[u8]>::to_vec)
    }

    /// As [`sign`](Self::sign), but lends the signature, so that nothing is allocated for it.
    pub(crate) fn sign_with<R>(&self, input: &[u8], take: impl FnOnce(&[u8]) -> R) -> Result<R, SignError> {
        self.private.sign(input, take)
    }

    /// The signature of what has this digest, in its JWS form, for a message that is not at hand as
    /// a whole.
    ///
    /// # Errors
    ///
    /// [`SignError::Digest`] if the algorithm does not sign that kind of digest (see
    /// [`Alg::digest`]), and [`SignError::Backend`].
    pub fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>, SignError> {
        self.sign_digest_with(digest, <[u8]>::to_vec)
    }

    /// As [`sign_digest`](Self::sign_digest), but lends the signature.
    pub(crate) fn sign_digest_with<R>(
        &self,
        digest: &Digest,
        take: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, SignError> {
        if self.alg().digest() != Some(digest.hash()) {
            return Err(SignError::Digest { alg: self.alg(), hash: digest.hash() });
        }
        self.private.sign_digest(digest.inner(), take)
    }

    /// PKCS#8 in DER, not encrypted.
    ///
    /// # Errors
    ///
    /// [`KeyError::Backend`].
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.private.to_pkcs8()
    }

    /// PKCS#8 in PEM (`PRIVATE KEY`), not encrypted.
    ///
    /// # Errors
    ///
    /// [`KeyError::Backend`].
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        pem::encode("PRIVATE KEY", &self.to_pkcs8_der()?).map(Zeroizing::new)
    }

    /// The private JWK: the members of its type, `use`, `alg` and, if it has one, `kid`.
    ///
    /// # Errors
    ///
    /// [`KeyError::Backend`].
    pub fn to_jwk(&self) -> Result<Zeroizing<String>, KeyError> {
        let mut writer = Writer::new(16 * 1024);
        writer.public(&self.private.public_material()?);
        writer.private(&self.private.private_material()?);
        writer.usage(self.alg(), self.kid());
        Ok(writer.finish())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}
