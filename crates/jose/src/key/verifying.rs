//! The public half.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use crate::{
    Alg, Digest, Hash, KeyError, VerifyError, VerifyErrorKind, base64url,
    jwk::{Jwk, Operation, Writer},
    key::{der, kind::Kind, material::PublicMaterial, openssh, pem},
    provider, thumbprint,
};

/// A public key with exactly one algorithm. Cheap to clone.
///
/// ```
/// use sealwright_jose::{Alg, VerifyingKey};
///
/// // RFC 8037 A.2; it names no algorithm, so we do.
/// let jwk = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
/// let key = VerifyingKey::from_jwk_as(Alg::Ed25519, jwk)?.with_kid("2026");
/// assert_eq!(key.alg(), Alg::Ed25519);
/// assert_eq!(key.thumbprint_base64url(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
/// # Ok::<(), sealwright_jose::KeyError>(())
/// ```
#[derive(Clone)]
pub struct VerifyingKey(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    alg: Alg,
    kid: Option<Box<str>>,
    material: PublicMaterial,
    /// Made at once where making it is what checks the key, else when the key is first used: of a set
    /// of a hundred keys most tokens need one. `None` is a key that verifies nothing.
    parsed: OnceLock<Option<Arc<provider::PublicKey>>>,
}

impl Inner {
    fn new(alg: Alg, material: PublicMaterial) -> Result<Self, KeyError> {
        material.kind().check_fits(alg)?;
        let parsed = OnceLock::new();
        match material.is_valid() {
            Some(true) => {}
            Some(false) => return Err(KeyError::Invalid("the numbers are not a public key")),
            None => {
                let _ = parsed.set(Some(Arc::new(provider::PublicKey::new(alg, &material)?)));
            }
        }
        Ok(Self { alg, kid: None, material, parsed })
    }
}

impl VerifyingKey {
    /// The public key of a JWK that names its algorithm. A private JWK is refused: use
    /// [`SigningKey::verifying_key`](crate::SigningKey::verifying_key), so that a secret is never
    /// handled as public.
    ///
    /// ```
    /// use sealwright_jose::{Alg, KeyError, SigningKey, VerifyingKey};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?.with_kid("2026-11");
    /// let read = VerifyingKey::from_jwk(&key.verifying_key().to_jwk())?;
    /// assert_eq!((read.alg(), read.kid()), (Alg::Es256, Some("2026-11")));
    /// assert_eq!(VerifyingKey::from_jwk(&key.to_jwk()?), Err(KeyError::Secret));
    /// # Ok::<(), KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::Secret`] for a private or symmetric JWK; [`KeyError::Format`] for what is no JWK,
    /// [`KeyError::Malformed`], [`KeyError::MemberMissing`] and [`KeyError::Member`] for one that breaks the
    /// rules; [`KeyError::AlgMissing`], [`KeyError::AlgUnsupported`] and [`KeyError::Type`] for its `alg`,
    /// [`KeyError::Unsupported`] for its `kty` or `crv`, [`KeyError::Use`] where it is not for verifying;
    /// [`KeyError::Size`], [`KeyError::Invalid`] and [`KeyError::Weak`] for its numbers;
    /// [`KeyError::TooLarge`] beyond 64 KiB.
    pub fn from_jwk(jwk: &str) -> Result<Self, KeyError> {
        let jwk = Jwk::parse(jwk)?;
        Self::from_parsed(&jwk, jwk.alg(None)?)
    }

    /// The public key of a JWK that may leave its algorithm out; one that names another is refused.
    ///
    /// ```
    /// use sealwright_jose::{Alg, KeyError, VerifyingKey};
    ///
    /// // RFC 7638 §3.1. RSA keys fit six algorithms; this one names RS256.
    /// # let jwk = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/vectors/rfc7638_3_1.jwk"));
    /// assert!(VerifyingKey::from_jwk_as(Alg::Rs256, jwk).is_ok());
    /// let error = VerifyingKey::from_jwk_as(Alg::Ps256, jwk).unwrap_err();
    /// assert_eq!(error, KeyError::AlgMismatch { key: Alg::Rs256, wanted: Alg::Ps256 });
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
        if jwk.is_secret() {
            return Err(KeyError::Secret);
        }
        Self::from_public(jwk, alg, jwk.kind()?)
    }

    /// The key of a JWK that is known to be public and of this [kind](Jwk::kind).
    pub(crate) fn from_public(jwk: &Jwk<'_>, alg: Alg, kind: Kind) -> Result<Self, KeyError> {
        jwk.check_use(&[Operation::Verify])?;
        let mut key = Inner::new(alg, jwk.public_material(kind)?)?;
        key.kid = jwk.kid()?.map(Into::into);
        Ok(Self(Arc::new(key)))
    }

    /// The key of a PEM text: SPKI (`PUBLIC KEY`), PKCS#1 (`RSA PUBLIC KEY`) or an X.509
    /// certificate, of which nothing but the key is looked at.
    ///
    /// ```
    /// use sealwright_jose::{Alg, VerifyingKey};
    ///
    /// // RFC 8410 §10.1.
    /// let pem = "-----BEGIN PUBLIC KEY-----
    /// MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
    /// -----END PUBLIC KEY-----";
    /// assert_eq!(VerifyingKey::from_pem(Alg::Ed25519, pem)?.alg(), Alg::Ed25519);
    /// let error = VerifyingKey::from_pem(Alg::Es256, pem).unwrap_err();
    /// assert_eq!(error.to_string(), "ES256 cannot use an Ed25519 key");
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::Format`] for what is no public key in PEM, [`KeyError::Malformed`] for PEM or DER that
    /// breaks the rules, [`KeyError::Unsupported`] for a kind of key that this library does not know,
    /// [`KeyError::Type`] for one that `alg` cannot use; [`KeyError::Size`], [`KeyError::Invalid`] and
    /// [`KeyError::Weak`] for its numbers; [`KeyError::TooLarge`] beyond 64 KiB.
    pub fn from_pem(alg: Alg, pem: &str) -> Result<Self, KeyError> {
        Self::from_material(alg, pem::parse(pem)?.public()?)
    }

    /// The key of an OpenSSH public key: one line `TYPE BASE64 [COMMENT]`, where the type is
    /// `ssh-ed25519`, `ssh-rsa` or `ecdsa-sha2-nistp256`, `-nistp384`, `-nistp521`.
    ///
    /// ```
    /// use sealwright_jose::{Alg, VerifyingKey};
    ///
    /// let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea test";
    /// let key = VerifyingKey::from_openssh(Alg::Ed25519, line)?;
    /// assert_eq!(key.thumbprint_base64url(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem), for what is no such line or breaks the rules of OpenSSH.
    pub fn from_openssh(alg: Alg, line: &str) -> Result<Self, KeyError> {
        Self::from_material(alg, openssh::parse_line(line)?.public()?)
    }

    /// The key of a `SubjectPublicKeyInfo` (RFC 5280 §4.1) in DER.
    ///
    /// ```
    /// use sealwright_jose::{Alg, KeyError, VerifyingKey, base64url};
    ///
    /// // RFC 8410 §10.1.
    /// let mut der = base64url::decode("MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE")?;
    /// assert!(VerifyingKey::from_spki_der(Alg::Ed25519, &der).is_ok());
    /// der.push(0);
    /// let error = VerifyingKey::from_spki_der(Alg::Ed25519, &der).unwrap_err();
    /// assert!(matches!(error, KeyError::Malformed { format: "SPKI", .. }));
    /// # Ok::<(), base64url::DecodeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem); [`KeyError::Malformed`] also for bytes after the structure.
    pub fn from_spki_der(alg: Alg, der: &[u8]) -> Result<Self, KeyError> {
        Self::from_material(alg, der::public_from_spki(der)?)
    }

    /// The key that an X.509 certificate in DER is for. Nothing else of it is looked at: not its
    /// signature, dates or chain.
    ///
    /// ```
    /// use sealwright_jose::{Alg, VerifyingKey};
    ///
    /// # let file = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/vectors/openssl/ec.p12"));
    /// # let opened = sealwright_jose::Pkcs12::read(file, "correct horse")?;
    /// # let der = &opened.certificates()[0];
    /// # let pem = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/vectors/openssl/ecpub.pem"));
    /// let key = VerifyingKey::from_certificate_der(Alg::Es256, der)?;
    /// assert_eq!(key, VerifyingKey::from_pem(Alg::Es256, pem)?);
    /// assert!(VerifyingKey::from_spki_der(Alg::Es256, der).is_err(), "a certificate is more than its key");
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`from_spki_der`](Self::from_spki_der).
    pub fn from_certificate_der(alg: Alg, der: &[u8]) -> Result<Self, KeyError> {
        Self::from_material(alg, der::public_from_certificate(der)?)
    }

    pub(crate) fn from_material(alg: Alg, material: PublicMaterial) -> Result<Self, KeyError> {
        Inner::new(alg, material).map(|key| Self(Arc::new(key)))
    }

    fn parsed(&self) -> Option<&provider::PublicKey> {
        let Inner { alg, material, parsed, .. } = &*self.0;
        parsed.get_or_init(|| provider::PublicKey::new(*alg, material).ok().map(Arc::new)).as_deref()
    }

    /// The same key under this `kid`.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?.verifying_key();
    /// let renamed = key.clone().with_kid("https://id.example/keys/7");
    /// assert_ne!(key, renamed, "which key a token means depends on it");
    /// assert_eq!(key.thumbprint(), renamed.thumbprint());
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.0).kid = Some(kid.into().into());
        self
    }

    /// Its algorithm.
    ///
    /// ```
    /// use sealwright_jose::{Alg, VerifyingKey};
    ///
    /// # let pem = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/vectors/openssl/rsapub.pem"));
    /// // One RSA key in PEM, for two algorithms.
    /// let (old, new) = (VerifyingKey::from_pem(Alg::Rs256, pem)?, VerifyingKey::from_pem(Alg::Ps256, pem)?);
    /// assert_eq!((old.alg(), new.alg()), (Alg::Rs256, Alg::Ps256));
    /// assert_ne!(old, new);
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn alg(&self) -> Alg {
        self.0.alg
    }

    /// Its key identifier, if it has one.
    ///
    /// ```
    /// use sealwright_jose::{Alg, VerifyingKey};
    ///
    /// # let jwk = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/vectors/rfc7638_3_1.jwk"));
    /// assert_eq!(VerifyingKey::from_jwk(jwk)?.kid(), Some("2011-04-29"), "RFC 7638 §3.1");
    /// # let jwk = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/vectors/rfc8037_a2.jwk"));
    /// assert_eq!(VerifyingKey::from_jwk_as(Alg::Ed25519, jwk)?.kid(), None, "RFC 8037 A.2");
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn kid(&self) -> Option<&str> {
        self.0.kid.as_deref()
    }

    /// The public JWK (RFC 7517): the members of its type, `use`, `alg` and, if it has one, `kid`, in this
    /// order and without whitespace.
    ///
    /// ```
    /// use sealwright_jose::{Alg, VerifyingKey};
    ///
    /// // RFC 8037 A.2, with its members in another order and one that says nothing of the key.
    /// let jwk = r#"{"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","crv":"Ed25519","kty":"OKP","iat":7}"#;
    /// let key = VerifyingKey::from_jwk_as(Alg::Ed25519, jwk)?.with_kid("a");
    /// assert!(key.to_jwk().starts_with(r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKx"#));
    /// assert!(key.to_jwk().ends_with(r#"URo","use":"sig","alg":"Ed25519","kid":"a"}"#));
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn to_jwk(&self) -> String {
        let mut writer = Writer::new(4096);
        writer.public(&self.0.material);
        writer.usage(self.alg(), self.kid());
        String::clone(&writer.finish())
    }

    /// Its `SubjectPublicKeyInfo` (RFC 5280 §4.1) in DER, which has no place for `kid` and algorithm.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey};
    ///
    /// let len = |alg| SigningKey::generate(alg).map(|key| key.verifying_key().to_spki_der().len());
    /// assert_eq!((len(Alg::Ed25519)?, len(Alg::Es256)?, len(Alg::MlDsa44)?), (44, 91, 1334));
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    #[expect(clippy::missing_panics_doc, reason = "the encoder fails for lengths beyond all keys only")]
    pub fn to_spki_der(&self) -> Vec<u8> {
        der::public_to_spki(&self.0.material).expect("the DER of a key is far below the limit of DER")
    }

    /// Its `SubjectPublicKeyInfo` in PEM, labelled `PUBLIC KEY` (RFC 7468 §13).
    ///
    /// ```
    /// use sealwright_jose::{Alg, VerifyingKey};
    ///
    /// # let jwk = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/vectors/rfc8037_a2.jwk"));
    /// // RFC 8037 A.2.
    /// let pem = VerifyingKey::from_jwk_as(Alg::Ed25519, jwk)?.to_pem()?;
    /// assert_eq!(pem, "-----BEGIN PUBLIC KEY-----
    /// MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
    /// -----END PUBLIC KEY-----
    /// ");
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::Backend`] if the encoder fails.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        pem::encode("PUBLIC KEY", &der::public_to_spki(&self.0.material)?)
    }

    /// Its thumbprint by RFC 7638 with SHA-256, 32 bytes: the same for the same key, whatever its `kid` and
    /// algorithm.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, VerifyingKey};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?.with_kid("2026-11").verifying_key();
    /// let read = VerifyingKey::from_pem(Alg::Es256, &key.to_pem()?)?;
    /// assert_ne!(read, key, "its name was lost on the way");
    /// assert_eq!(read.thumbprint(), key.thumbprint());
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn thumbprint(&self) -> [u8; 32] {
        let mut thumbprint = [0; 32];
        thumbprint.copy_from_slice(thumbprint::of(&self.0.material, Hash::Sha256).as_bytes());
        thumbprint
    }

    /// Its thumbprint by RFC 7638 with this hash, as long as its [digests](Hash::digest_len).
    ///
    /// ```
    /// use sealwright_jose::{Alg, Hash, SigningKey};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?.verifying_key();
    /// assert_eq!(key.thumbprint_with(Hash::Sha256).as_bytes(), key.thumbprint());
    /// assert_eq!(key.thumbprint_with(Hash::Sha512).as_bytes().len(), 64);
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn thumbprint_with(&self, hash: Hash) -> Digest {
        thumbprint::of(&self.0.material, hash)
    }

    /// Its thumbprint as a URI (RFC 9278).
    ///
    /// ```
    /// use sealwright_jose::{Alg, Hash, VerifyingKey};
    ///
    /// let jwk = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    /// let key = VerifyingKey::from_jwk_as(Alg::Ed25519, jwk)?;
    /// let uri = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
    /// assert_eq!(key.thumbprint_uri(Hash::Sha256), uri);
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn thumbprint_uri(&self, hash: Hash) -> String {
        thumbprint::uri(&thumbprint::of(&self.0.material, hash))
    }

    /// The [`thumbprint`](Self::thumbprint) as text of 43 characters, as it is often used for a `kid`.
    ///
    /// ```
    /// use sealwright_jose::VerifyingKey;
    ///
    /// // RFC 7638 §3.1.
    /// # let jwk = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/vectors/rfc7638_3_1.jwk"));
    /// let key = VerifyingKey::from_jwk(jwk)?;
    /// assert_eq!(key.thumbprint_base64url(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn thumbprint_base64url(&self) -> String {
        base64url::encode(self.thumbprint())
    }

    /// Verifies a bare signature in its JWS form (for ECDSA r‖s, RFC 7518 §3.4).
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, ecdsa};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?;
    /// let signature = key.sign(b"message")?;
    /// assert_eq!(key.verifying_key().verify(b"message", &signature), Ok(()));
    /// // What OpenSSL would take is of another form.
    /// let der = ecdsa::fixed_to_der(&signature)?;
    /// assert!(key.verifying_key().verify(b"message", &der).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`VerifyErrorKind::Signature`] if it is not this key's signature of `message`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), VerifyError> {
        if self.parsed().is_some_and(|key| key.verifies(message, signature)) {
            Ok(())
        } else {
            Err(VerifyErrorKind::Signature.into())
        }
    }

    /// Verifies a bare signature by the digest of what was signed, for a message that is not at hand
    /// as a whole.
    ///
    /// ```
    /// use sealwright_jose::{Alg, Digest, Hash, SigningKey};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?;
    /// let signature = key.sign(b"message")?;
    /// let verify = |hash| key.verifying_key().verify_digest(&Digest::of(hash, b"message"), &signature);
    /// assert!(verify(Hash::Sha256).is_ok());
    /// assert!(verify(Hash::Sha512).is_err(), "ES256 signs SHA-256");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`VerifyErrorKind::Signature`] if it is not this key's signature, also where the algorithm
    /// does not sign that kind of digest (see [`Alg::digest`]).
    pub fn verify_digest(&self, digest: &Digest, signature: &[u8]) -> Result<(), VerifyError> {
        if self.alg().digest() == Some(digest.hash())
            && self.parsed().is_some_and(|key| key.verifies_digest(digest.inner(), signature))
        {
            Ok(())
        } else {
            Err(VerifyErrorKind::Signature.into())
        }
    }

    /// How many bytes each signature has that it can verify.
    pub(crate) fn signature_len(&self) -> usize {
        match (&self.0.material, self.alg().signature_len()) {
            (PublicMaterial::Rsa { n, .. }, _) => n.len(),
            (_, len) => len.unwrap_or_default(),
        }
    }

    pub(crate) fn material(&self) -> &PublicMaterial {
        &self.0.material
    }

    /// The same for the same keys, and for most others not: the last bytes of `kid` and numbers.
    pub(crate) fn mark(&self) -> u64 {
        let last = |bytes: &[u8]| match bytes.last_chunk() {
            Some(last) => u64::from_le_bytes(*last),
            None => bytes.iter().fold(0, |mark, byte| mark << 8 | u64::from(*byte)),
        };
        let numbers = match self.material() {
            PublicMaterial::Rsa { n, .. } => last(n),
            PublicMaterial::Ec(point) => last(point.bytes()),
            PublicMaterial::Ed25519(point) => last(point),
            #[cfg(feature = "ed448")]
            PublicMaterial::Ed448(point) => last(point),
            PublicMaterial::MlDsa { public, .. } => last(public),
        };
        self.kid().map_or(0, |kid| last(kid.as_bytes())).rotate_left(32) ^ numbers
    }

    /// What tells keys apart, in the order in which two different ones differ soonest.
    pub(crate) fn order(&self) -> impl Ord + '_ {
        (self.kid(), self.alg() as u8, self.material())
    }

    pub(crate) fn same_key(&self, other: &Self) -> bool {
        self.0.material == other.0.material
    }

    /// Whether these bytes are the public key in one of the forms that someone could take for a
    /// secret.
    pub(crate) fn is_encoded_as(&self, secret: &[u8]) -> bool {
        der::public_to_spki(&self.0.material).is_ok_and(|spki| secret == spki)
            || match &self.0.material {
                PublicMaterial::Rsa { n, .. } => secret == &n[..],
                PublicMaterial::Ec(point) => {
                    let (x, _) = point.coordinates();
                    let is_compressed = matches!(secret, [2 | 3, number @ ..] if number == x);
                    is_compressed || secret == x || secret == point.bytes() || secret == &point.bytes()[1..]
                }
                PublicMaterial::Ed25519(point) => secret == point,
                #[cfg(feature = "ed448")]
                PublicMaterial::Ed448(point) => secret == point,
                PublicMaterial::MlDsa { public, .. } => secret == &public[..],
            }
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("alg", &self.alg())
            .field("kid", &self.kid())
            .field("thumbprint", &self.thumbprint_base64url())
            .finish()
    }
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.alg() == other.alg() && self.kid() == other.kid() && self.same_key(other)
    }
}

impl Eq for VerifyingKey {}

#[cfg(test)]
mod tests {
    use super::*;

    /// The provider's form of an RSA key is made at first use, so what is accepted at import must be
    /// what the provider takes: the sizes at the edges, and exponents of 2 to 33 bits.
    #[test]
    fn every_rsa_key_that_is_accepted_can_verify() {
        for bits in [2048, 2049, 2055, 3072, 4095, 8191, 8192] {
            let mut n = vec![0x5A; usize::div_ceil(bits, 8)];
            n[0] = 1 << ((bits - 1) % 8);
            let last = n.len() - 1;
            for e in [
                &[3][..],
                &[1, 0, 1],
                &[0xFF, 0xFF, 0xFF, 0xFF],
                &[1, 0, 0, 0, 1],
                &[1, 0xFF, 0xFF, 0xFF, 0xFF],
            ] {
                // Moduli with small factors are refused, so the next odd number is tried.
                let material = (0..=u8::MAX).step_by(2).find_map(|step| {
                    n[last] = step | 1;
                    PublicMaterial::rsa(&n[..], e).ok()
                });
                let material = material.expect("most odd numbers have a modulus without small factors near");
                for alg in [Alg::Rs256, Alg::Ps512] {
                    let key = VerifyingKey::from_material(alg, material.clone()).expect("it was accepted");
                    assert!(key.parsed().is_some(), "{bits} bits, e = {e:?}, {alg}");
                }
            }
        }
    }
}
