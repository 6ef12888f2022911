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
    /// ```
    /// use sealwright_jose::{Alg, KeyError, SigningKey};
    ///
    /// let key = SigningKey::generate(Alg::MlDsa44)?;
    /// assert_eq!((key.alg(), key.kid()), (Alg::MlDsa44, None));
    /// assert!(matches!(SigningKey::generate(Alg::Hs256), Err(KeyError::Type { alg: Alg::Hs256, .. })));
    /// # Ok::<(), KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::Type`] for a MAC algorithm, whose keys are [`MacKey`](crate::MacKey)s;
    /// [`KeyError::Backend`] if the cryptographic library fails.
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
    /// size, [`KeyError::Backend`] if the cryptographic library fails.
    pub fn generate_rsa(alg: Alg, bits: usize) -> Result<Self, KeyError> {
        Self::from_private(alg, provider::PrivateKey::generate_rsa(alg, bits)?)
    }

    /// The key of a private JWK that names its algorithm. An RSA key may leave out its primes and
    /// their companions (`p`, `q`, `dp`, `dq`, `qi`), but only all of them: they are found again from
    /// `n`, `e` and `d`.
    ///
    /// ```
    /// use sealwright_jose::{Alg, KeyError, SigningKey};
    ///
    /// let jwk = SigningKey::generate(Alg::Es256)?.with_kid("2026-11").to_jwk()?;
    /// let key = SigningKey::from_jwk(&jwk)?;
    /// assert_eq!((key.alg(), key.kid()), (Alg::Es256, Some("2026-11")));
    /// let error = SigningKey::from_jwk(&key.verifying_key().to_jwk()).unwrap_err();
    /// assert!(matches!(error, KeyError::Format { seen: "a public JWK", .. }));
    /// # Ok::<(), KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::Format`] for what is no private JWK; [`KeyError::Malformed`], [`KeyError::MemberMissing`]
    /// and [`KeyError::Member`] for one that breaks the rules; [`KeyError::AlgMissing`],
    /// [`KeyError::AlgUnsupported`] and [`KeyError::Type`] for its `alg`, [`KeyError::Unsupported`] for its
    /// `kty` or `crv`, [`KeyError::Use`] where it is not for signing; [`KeyError::Size`],
    /// [`KeyError::Invalid`] and [`KeyError::Weak`] for its numbers; [`KeyError::TooLarge`] beyond 64 KiB.
    pub fn from_jwk(jwk: &str) -> Result<Self, KeyError> {
        let jwk = Jwk::parse(jwk)?;
        Self::from_parsed(&jwk, jwk.alg(None)?)
    }

    /// The key of a private JWK that may leave its algorithm out; one that names another is
    /// refused.
    ///
    /// ```
    /// use sealwright_jose::{Alg, KeyError, SigningKey};
    ///
    /// // RFC 8037 A.1; it names no algorithm.
    /// let jwk = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    ///               "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    /// assert!(SigningKey::from_jwk_as(Alg::Ed25519, jwk).is_ok());
    /// assert_eq!(SigningKey::from_jwk(jwk).unwrap_err(), KeyError::AlgMissing);
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
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, VerifyingKey};
    ///
    /// // RFC 8410 §10.3, and its public half of §10.1.
    /// let key = SigningKey::from_pem(Alg::Ed25519, "-----BEGIN PRIVATE KEY-----
    /// MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
    /// -----END PRIVATE KEY-----")?;
    /// let public = VerifyingKey::from_pem(Alg::Ed25519, "-----BEGIN PUBLIC KEY-----
    /// MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
    /// -----END PUBLIC KEY-----")?;
    /// assert_eq!(key.verifying_key(), public);
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::PasswordNeeded`] for a key behind a password; [`KeyError::Format`] for what is no private
    /// key in PEM, [`KeyError::Malformed`] for PEM or DER that breaks the rules, [`KeyError::Unsupported`]
    /// for a kind of key that this library does not know, [`KeyError::Type`] for one that `alg` cannot use;
    /// [`KeyError::Size`], [`KeyError::Invalid`] and [`KeyError::Weak`] for its numbers;
    /// [`KeyError::TooLarge`] beyond 64 KiB.
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
    /// bcrypt, [`KeyError::Unsupported`] if it is encrypted in another way; otherwise as
    /// [`from_pem`](Self::from_pem).
    pub fn from_pem_with_password(alg: Alg, pem: &str, password: &[u8]) -> Result<Self, KeyError> {
        Self::from_material(alg, &pem::parse(pem)?.private(Some(password))?)
    }

    /// The key of an OpenSSH private key file (`OPENSSH PRIVATE KEY`), with its password if it has
    /// one.
    ///
    /// ```
    /// use sealwright_jose::{Alg, KeyError, SigningKey, VerifyingKey};
    ///
    /// // What `ssh-keygen -t ed25519` wrote, with a password.
    /// # let file = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/vectors/openssh/ed25519_enc"));
    /// # let line = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/vectors/openssh/ed25519.pub"));
    /// let key = SigningKey::from_openssh(Alg::Ed25519, file, Some(b"correct horse"))?;
    /// assert_eq!(key.verifying_key(), VerifyingKey::from_openssh(Alg::Ed25519, line)?);
    /// let error = SigningKey::from_openssh(Alg::Ed25519, file, None).unwrap_err();
    /// assert_eq!(error, KeyError::PasswordNeeded);
    /// # Ok::<(), KeyError>(())
    /// ```
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
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, base64url};
    ///
    /// // RFC 8410 §10.3.
    /// let mut der = base64url::decode("MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp-K06_nwoy_HU--CXqI9EdVhC")?;
    /// assert!(SigningKey::from_pkcs8_der(Alg::Ed25519, &der).is_ok());
    /// der.push(0);
    /// let error = SigningKey::from_pkcs8_der(Alg::Ed25519, &der).unwrap_err();
    /// assert_eq!(error.to_string(), "malformed PKCS#8: not the DER of one");
    /// # Ok::<(), base64url::DecodeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem); [`KeyError::Malformed`] also for bytes after the structure.
    pub fn from_pkcs8_der(alg: Alg, der: &[u8]) -> Result<Self, KeyError> {
        Self::from_material(alg, &der::private_from_pkcs8(der)?)
    }

    /// The key of an encrypted PKCS#8 structure (RFC 5958 §3) in DER.
    ///
    /// ```
    /// use sealwright_jose::{Alg, KeyError, SigningKey};
    ///
    /// // What `openssl pkcs8 -topk8 -outform DER` wrote of an RSA key.
    /// # let der = include_bytes!(concat!(
    /// #     env!("CARGO_MANIFEST_DIR"),
    /// #     "/tests/it/vectors/encrypted/rsa_pbkdf2_sha256_aes256.der"
    /// # ));
    /// let read = |password| SigningKey::from_encrypted_pkcs8_der(Alg::Ps256, der, password);
    /// assert_eq!(read(b"correct horse")?.alg(), Alg::Ps256);
    /// assert_eq!(read(b"Correct Horse").unwrap_err(), KeyError::Password);
    /// # Ok::<(), KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`from_pem_with_password`](Self::from_pem_with_password).
    pub fn from_encrypted_pkcs8_der(alg: Alg, der: &[u8], password: &[u8]) -> Result<Self, KeyError> {
        Self::from_pkcs8_der(alg, &encrypted::decrypt(der, Some(password))?)
    }

    /// The key of a PKCS#1 structure (`RSAPrivateKey`, RFC 8017 A.1.2) in DER.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey};
    ///
    /// // The bytes inside a PEM text `RSA PRIVATE KEY`.
    /// # let pem = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/vectors/openssl/rsa1.pem"));
    /// # let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    /// # let text = text.replace('+', "-").replace('/', "_");
    /// # let der = sealwright_jose::base64url::decode(text.trim_end_matches('=')).expect("it is base64");
    /// let key = SigningKey::from_pkcs1_der(Alg::Rs256, &der)?;
    /// assert_eq!(key.signature_len(), 256, "an RSA key of 2048 bits");
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem); [`KeyError::Malformed`] also for bytes after the structure.
    pub fn from_pkcs1_der(alg: Alg, der: &[u8]) -> Result<Self, KeyError> {
        Self::from_material(alg, &der::private_from_pkcs1(der)?)
    }

    /// The key of a SEC1 structure (`ECPrivateKey`, RFC 5915) in DER, which must name its curve.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, base64url};
    ///
    /// // The key of RFC 7515 A.3, of which there is the private number and the name of the curve.
    /// let der = base64url::decode("MDECAQEEII6bEJ5xkJi_mASH3x9dd-nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49AwEH")?;
    /// let jwk = SigningKey::from_sec1_der(Alg::Es256, &der)?.verifying_key().to_jwk();
    /// assert!(jwk.contains(r#""x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU""#), "the point was found");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem); [`KeyError::Malformed`] also for bytes after the structure.
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
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey};
    ///
    /// // A key that names itself by its thumbprint.
    /// let key = SigningKey::generate(Alg::Es256)?;
    /// let kid = key.verifying_key().thumbprint_base64url();
    /// let key = key.with_kid(&kid);
    /// assert_eq!(key.verifying_key().kid(), Some(kid.as_str()), "both halves have it");
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        self.public = self.public.with_kid(kid);
        self
    }

    /// Its algorithm.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey};
    ///
    /// // An RSA key in PEM, which could be for six algorithms, is for the one that was asked for.
    /// # let pem = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/vectors/openssl/rsa8.pem"));
    /// assert_eq!(SigningKey::from_pem(Alg::Ps384, pem)?.alg(), Alg::Ps384);
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn alg(&self) -> Alg {
        self.public.alg()
    }

    /// Its key identifier, if it has one.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey};
    ///
    /// let key = SigningKey::generate(Alg::Ed25519)?;
    /// assert_eq!(key.kid(), None);
    /// let jwk = key.with_kid("7").to_jwk()?;
    /// assert_eq!(SigningKey::from_jwk(&jwk)?.kid(), Some("7"));
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn kid(&self) -> Option<&str> {
        self.public.kid()
    }

    /// Its public half, with the same algorithm and `kid`.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?.with_kid("2026-11");
    /// let public = key.verifying_key();
    /// assert_eq!((public.alg(), public.kid()), (Alg::Es256, Some("2026-11")));
    /// assert!(!public.to_jwk().contains(r#""d":"#));
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
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

    /// The signature of `input` in its JWS form (for ECDSA r‖s, RFC 7518 §3.4), of
    /// [`signature_len`](Self::signature_len) bytes. That of RSA-PSS, ECDSA and ML-DSA is another each time.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, base64url};
    ///
    /// # let jwk = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/vectors/rfc8037_a1.jwk"));
    /// // RFC 8037 A.1 and A.4: what is signed of a token, and its third part.
    /// let key = SigningKey::from_jwk_as(Alg::Ed25519, jwk)?;
    /// let signature = key.sign(b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc")?;
    /// assert_eq!(
    ///     base64url::encode(&signature),
    ///     "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SignError::Backend`] if the cryptographic library fails.
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
    /// ```
    /// use sealwright_jose::{Alg, Digest, Hash, SignError, SigningKey};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?;
    /// let signature = key.sign_digest(&Digest::of(Hash::Sha256, b"message"))?;
    /// assert!(key.verifying_key().verify(b"message", &signature).is_ok());
    /// let error = key.sign_digest(&Digest::of(Hash::Sha384, b"message")).unwrap_err();
    /// assert_eq!(error, SignError::Digest { alg: Alg::Es256, hash: Hash::Sha384 });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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

    /// PKCS#8 (RFC 5958) in DER, not encrypted, which has no place for `kid` and algorithm.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey};
    ///
    /// // For a library that takes keys in DER. Zeros overwrite it when it is dropped.
    /// let key = SigningKey::generate(Alg::Es256)?;
    /// let der = key.to_pkcs8_der()?;
    /// assert_eq!(SigningKey::from_pkcs8_der(Alg::Es256, &der)?.verifying_key(), key.verifying_key());
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::Backend`] if the cryptographic library fails.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.private.to_pkcs8()
    }

    /// PKCS#8 in PEM (`PRIVATE KEY`), not encrypted.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey};
    ///
    /// let pem = SigningKey::generate(Alg::Ed25519)?.to_pem()?;
    /// let lines: Vec<_> = pem.lines().collect();
    /// assert_eq!(lines[0], "-----BEGIN PRIVATE KEY-----");
    /// assert!(lines[1].starts_with("MC4CAQAwBQYDK2VwBCIEI"), "what is the same in all of Ed25519");
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::Backend`] if the cryptographic library fails.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        pem::encode("PRIVATE KEY", &self.to_pkcs8_der()?).map(Zeroizing::new)
    }

    /// PKCS#8 in PEM behind a password (`ENCRYPTED PRIVATE KEY`): PBES2 with 600,000 iterations of
    /// PBKDF2 with HMAC-SHA-256, and AES-256-CBC.
    ///
    /// ```
    /// use sealwright_jose::{Alg, KeyError, SigningKey};
    ///
    /// let key = SigningKey::generate(Alg::Ed25519)?;
    /// let pem = key.to_encrypted_pem(b"correct horse")?;
    /// assert!(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    /// assert_eq!(SigningKey::from_pem(Alg::Ed25519, &pem).unwrap_err(), KeyError::PasswordNeeded);
    /// assert_eq!(key.to_encrypted_pem(b"").unwrap_err(), KeyError::PasswordNeeded);
    /// # Ok::<(), KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::PasswordNeeded`] for an empty password; [`KeyError::Backend`] if the cryptographic library
    /// fails.
    pub fn to_encrypted_pem(&self, password: &[u8]) -> Result<String, KeyError> {
        pem::encode("ENCRYPTED PRIVATE KEY", &self.to_encrypted_pkcs8_der(password)?)
    }

    /// As [`to_encrypted_pem`](Self::to_encrypted_pem), in DER (RFC 5958 §3). Salt and IV are new each time.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?;
    /// let der = key.to_encrypted_pkcs8_der(b"correct horse")?;
    /// let read = SigningKey::from_encrypted_pkcs8_der(Alg::Es256, &der, b"correct horse")?;
    /// assert_eq!(read.verifying_key(), key.verifying_key());
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`to_encrypted_pem`](Self::to_encrypted_pem).
    pub fn to_encrypted_pkcs8_der(&self, password: &[u8]) -> Result<Vec<u8>, KeyError> {
        encrypted::encrypt(&self.to_pkcs8_der()?, password)
    }

    /// The private JWK (RFC 7517): the members of its type, `use`, `alg` and, if it has one, `kid`.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey};
    ///
    /// # let jwk = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/vectors/rfc8037_a1.jwk"));
    /// // RFC 8037 A.1.
    /// let key = SigningKey::from_jwk_as(Alg::Ed25519, jwk)?.with_kid("a");
    /// let jwk = key.to_jwk()?;
    /// assert!(jwk.contains(r#","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","#), "the secret");
    /// assert_eq!(SigningKey::from_jwk(&jwk)?.kid(), Some("a"), "nothing need be said beside it");
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::Backend`] if the cryptographic library fails.
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
