//! The private half.

use std::{fmt, sync::Arc};

use zeroize::Zeroizing;

use crate::{
    Alg, Digest, KeyError, SignError, VerifyingKey,
    jwk::{Jwk, Operation, Writer},
    key::{container::Container, crt, der, encrypted, material::PrivateMaterial, pem},
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
    /// A new key. An RSA key has 2048 bits; [`generate_rsa`](Self::generate_rsa) makes larger
    /// ones.
    ///
    /// # Errors
    ///
    /// [`KeyError::Type`] for a MAC algorithm, whose keys are [`MacKey`](crate::MacKey)s.
    pub fn generate(alg: Alg) -> Result<Self, KeyError> {
        Self::from_private(alg, provider::PrivateKey::generate(alg)?)
    }

    /// A new RSA key of 2048, 3072, 4096 or 8192 bits. It takes from a tenth of a second to half a
    /// minute.
    ///
    /// ```
    /// use sealwright_jose::{Alg, KeyError, SigningKey};
    ///
    /// assert!(SigningKey::generate_rsa(Alg::Ps256, 2048).is_ok());
    /// assert!(SigningKey::generate_rsa(Alg::Ps256, 1024).is_err(), "too weak");
    /// assert!(SigningKey::generate_rsa(Alg::Es256, 2048).is_err(), "not for RSA keys");
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::Type`] if `alg` does not take RSA keys, [`KeyError::Unsupported`] for another
    /// size.
    pub fn generate_rsa(alg: Alg, bits: usize) -> Result<Self, KeyError> {
        Self::from_private(alg, provider::PrivateKey::generate_rsa(alg, bits)?)
    }

    /// The key of a private JWK that names its algorithm. An RSA key may leave out its primes and
    /// their companions (`p`, `q`, `dp`, `dq`, `qi`), but only all of them: they are found again from
    /// `n`, `e` and `d`.
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

    /// The key of a PEM text: PKCS#8 (`PRIVATE KEY`), PKCS#1 (`RSA PRIVATE KEY`), SEC1 (`EC PRIVATE
    /// KEY`) or OpenSSH's own (`OPENSSH PRIVATE KEY`).
    ///
    /// # Errors
    ///
    /// A [`KeyError`] that says what was found and what would be right;
    /// [`KeyError::PasswordNeeded`] for a key behind a password.
    pub fn from_pem(alg: Alg, pem: &str) -> Result<Self, KeyError> {
        Self::from_material(alg, &pem::parse(pem)?.private(None)?)
    }

    /// The key of a PEM text behind a password: PKCS#8 (`ENCRYPTED PRIVATE KEY`) encrypted by PBES2
    /// (RFC 8018 §6.2) with PBKDF2 or scrypt and AES-CBC, or OpenSSH's own. A key that is not
    /// encrypted is read as [`from_pem`](Self::from_pem) does.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey};
    ///
    /// let made = SigningKey::generate(Alg::Es256)?;
    /// let pem = made.to_encrypted_pem(b"correct horse")?;
    /// let read = SigningKey::from_pem_with_password(Alg::Es256, &pem, b"correct horse")?;
    /// assert_eq!(read.verifying_key(), made.verifying_key());
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::Password`] if it is the wrong one, [`KeyError::TooCostly`] if the file asks for
    /// more work than ten million iterations of PBKDF2, 256 MiB of scrypt or a thousand rounds of
    /// bcrypt; otherwise a [`KeyError`] that says what was found and what would be right.
    pub fn from_pem_with_password(alg: Alg, pem: &str, password: &[u8]) -> Result<Self, KeyError> {
        Self::from_material(alg, &pem::parse(pem)?.private(Some(password))?)
    }

    /// The key of an OpenSSH private key file (`OPENSSH PRIVATE KEY`), with its password if it has
    /// one.
    ///
    /// # Errors
    ///
    /// As [`from_pem_with_password`](Self::from_pem_with_password).
    pub fn from_openssh(alg: Alg, text: &str, password: Option<&[u8]>) -> Result<Self, KeyError> {
        let block = pem::parse(text)?;
        if block.container != Container::OpenSshPrivate {
            let seen = block.container.seen();
            return Err(KeyError::Format { seen, wanted: "an OpenSSH private key" });
        }
        Self::from_material(alg, &block.private(password)?)
    }

    /// The key of an unencrypted PKCS#8 structure (RFC 5958) in DER.
    ///
    /// # Errors
    ///
    /// A [`KeyError`], also for bytes after the structure.
    pub fn from_pkcs8_der(alg: Alg, der: &[u8]) -> Result<Self, KeyError> {
        Self::from_material(alg, &der::private_from_pkcs8(der)?)
    }

    /// The key of an encrypted PKCS#8 structure (RFC 5958 §3) in DER.
    ///
    /// # Errors
    ///
    /// As [`from_pem_with_password`](Self::from_pem_with_password).
    pub fn from_encrypted_pkcs8_der(alg: Alg, der: &[u8], password: &[u8]) -> Result<Self, KeyError> {
        Self::from_pkcs8_der(alg, &encrypted::decrypt(der, Some(password))?)
    }

    /// The key of a PKCS#1 structure (`RSAPrivateKey`, RFC 8017 A.1.2) in DER.
    ///
    /// # Errors
    ///
    /// A [`KeyError`], also for bytes after the structure.
    pub fn from_pkcs1_der(alg: Alg, der: &[u8]) -> Result<Self, KeyError> {
        Self::from_material(alg, &der::private_from_pkcs1(der)?)
    }

    /// The key of a SEC1 structure (`ECPrivateKey`, RFC 5915) in DER, which must name its curve.
    ///
    /// # Errors
    ///
    /// A [`KeyError`], also for bytes after the structure.
    pub fn from_sec1_der(alg: Alg, der: &[u8]) -> Result<Self, KeyError> {
        Self::from_material(alg, &der::private_from_sec1(der)?)
    }

    pub(crate) fn from_material(alg: Alg, material: &PrivateMaterial) -> Result<Self, KeyError> {
        if let PrivateMaterial::Rsa(key) = material
            && crt::primes_are_close(&key.n, &key.p, &key.q)
        {
            return Err(KeyError::Weak("the primes of the RSA key are nearly the same"));
        }
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

    /// A key whose signatures are wrong.
    #[cfg(test)]
    pub(crate) fn with_public_half_of(self, other: &Self) -> Self {
        Self { public: other.public.clone(), ..self }
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

    /// PKCS#8 in PEM behind a password (`ENCRYPTED PRIVATE KEY`): PBES2 with 600,000 iterations of
    /// PBKDF2 with HMAC-SHA-256, and AES-256-CBC.
    ///
    /// # Errors
    ///
    /// [`KeyError::PasswordNeeded`] for an empty password; [`KeyError::Backend`].
    pub fn to_encrypted_pem(&self, password: &[u8]) -> Result<String, KeyError> {
        pem::encode("ENCRYPTED PRIVATE KEY", &self.to_encrypted_pkcs8_der(password)?)
    }

    /// The same in DER.
    ///
    /// # Errors
    ///
    /// As [`to_encrypted_pem`](Self::to_encrypted_pem).
    pub fn to_encrypted_pkcs8_der(&self, password: &[u8]) -> Result<Vec<u8>, KeyError> {
        encrypted::encrypt(&self.to_pkcs8_der()?, password)
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
