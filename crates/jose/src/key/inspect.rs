//! What a key file is, for people: also one that cannot be used, and why not.

use std::fmt;

use crate::{
    Alg, KeyError, MacKey, SigningKey, VerifyingKey,
    json::{self, Str},
    jwk::{Jwk, Member, Operation, Writer},
    key::{
        any::jwk_text,
        container::{Block, Container, Material},
        der,
        kind::Kind,
        material::{self, PrivateMaterial, PublicMaterial},
    },
};

/// The structure that a key stands in.
///
/// ```
/// use sealwright_jose::{Alg, Inspected, KeyFormat, SigningKey};
///
/// let key = SigningKey::generate(Alg::Ed25519)?;
/// let format = |key: &[u8]| Inspected::read(key, None).map(|facts| facts.format());
/// assert_eq!(format(key.to_jwk()?.as_bytes())?, KeyFormat::Jwk);
/// // DER is told by its structure.
/// assert_eq!(format(&key.to_pkcs8_der()?)?.to_string(), "PKCS#8");
/// # Ok::<(), sealwright_jose::KeyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyFormat {
    /// JSON Web Key (RFC 7517).
    Jwk,
    /// `SubjectPublicKeyInfo` (RFC 5280 §4.1).
    Spki,
    /// PKCS#1 (RFC 8017 A.1), public or private.
    Pkcs1,
    /// An X.509 certificate (RFC 5280).
    Certificate,
    /// PKCS#8 (RFC 5958), not encrypted.
    Pkcs8,
    /// PKCS#8 behind a password (RFC 5958 §3).
    EncryptedPkcs8,
    /// `ECPrivateKey` of SEC 1 (RFC 5915).
    Sec1,
    /// OpenSSH's own, public or private.
    OpenSsh,
}

impl fmt::Display for KeyFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Jwk => "JWK",
            Self::Spki => "SPKI",
            Self::Pkcs1 => "PKCS#1",
            Self::Certificate => "X.509 certificate",
            Self::Pkcs8 => "PKCS#8",
            Self::EncryptedPkcs8 => "encrypted PKCS#8",
            Self::Sec1 => "SEC1",
            Self::OpenSsh => "OpenSSH",
        })
    }
}

impl From<Container> for KeyFormat {
    fn from(container: Container) -> Self {
        match container {
            Container::Spki => Self::Spki,
            Container::Pkcs1Public | Container::Pkcs1Private => Self::Pkcs1,
            Container::Certificate => Self::Certificate,
            Container::OpenSshPublic | Container::OpenSshPrivate => Self::OpenSsh,
            Container::Pkcs8 => Self::Pkcs8,
            Container::EncryptedPkcs8 => Self::EncryptedPkcs8,
            Container::Sec1 => Self::Sec1,
        }
    }
}

/// What a key is and what is wrong with it. It holds nothing secret.
///
/// ```
/// use sealwright_jose::{Alg, Inspected, SigningKey};
///
/// let key = SigningKey::generate(Alg::Es384)?;
/// let facts = Inspected::read(key.to_pem()?.as_bytes(), None)?;
/// assert_eq!((facts.key_type(), facts.curve(), facts.bits()), (Some("EC"), Some("P-384"), Some(384)));
/// assert_eq!(facts.fitting_algs(), [Alg::Es384]);
/// assert_eq!(facts.thumbprint(), Some(key.verifying_key().thumbprint()));
/// assert!(facts.is_secret() && facts.faults().is_empty());
///
/// // A key that cannot be used is described, too.
/// let facts = Inspected::read(br#"{"kty":"oct","k":"c2VjcmV0","alg":"HS256"}"#, None)?;
/// assert_eq!(facts.bits(), Some(48));
/// assert_eq!(facts.faults(), ["the secret has 48 bits; 256 to 524288 are accepted"]);
/// # Ok::<(), sealwright_jose::KeyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Inspected {
    format: KeyFormat,
    encrypted: bool,
    secret: bool,
    key_type: Option<String>,
    curve: Option<String>,
    bits: Option<usize>,
    named_alg: Option<String>,
    fitting: Vec<Alg>,
    kid: Option<String>,
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    thumbprint: Option<[u8; 32]>,
    faults: Vec<String>,
}

impl Inspected {
    /// Looks at a key in any format that [`Key::parse_with_password`](crate::Key::parse_with_password)
    /// reads.
    ///
    /// ```
    /// use sealwright_jose::{Inspected, KeyError};
    ///
    /// // A key is described with its faults, what is none is an error.
    /// assert_eq!(Inspected::read(br#"{"kty":"RSA"}"#, None)?.faults(), ["the JWK has no member `n`"]);
    /// assert!(matches!(Inspected::read(b"Dear Sir or Madam", None), Err(KeyError::Format { .. })));
    /// # Ok::<(), KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::Format`], [`KeyError::Malformed`], [`KeyError::Unsupported`] (such as an SSH key of another
    /// type) and [`KeyError::TooLarge`] (64 KiB) if this is no key at all; [`KeyError::PasswordNeeded`],
    /// [`KeyError::Password`] and [`KeyError::TooCostly`] for one whose inside cannot be seen. What is wrong
    /// with a key that can be seen is one of its [`faults`](Self::faults).
    pub fn read(key: &[u8], password: Option<&[u8]>) -> Result<Self, KeyError> {
        match jwk_text(key)? {
            Some(text) => Self::of_jwk(&Jwk::parse(text)?),
            None => Self::of_block(&Block::read(key)?, password),
        }
    }

    fn of_jwk(jwk: &Jwk<'_>) -> Result<Self, KeyError> {
        let text =
            |member| jwk.value(member).and_then(json::Value::as_str).map(|text| text.decoded().into_owned());
        let key_ops = jwk.value(Member::KeyOps).and_then(json::Value::strings);
        let mut facts = Self {
            key_type: text(Member::Kty),
            curve: text(Member::Crv),
            named_alg: text(Member::Alg),
            kid: text(Member::Kid),
            usage: text(Member::Use),
            key_ops: key_ops.map(|ops| ops.into_iter().map(Str::decoded).map(Into::into).collect()),
            ..Self::new(KeyFormat::Jwk, false, jwk.is_secret())
        };
        let kind = match jwk.kind() {
            Ok(kind) => kind,
            Err(error) => {
                facts.fault(error);
                return Ok(facts);
            }
        };
        let uses = if facts.secret && kind != Kind::Oct { [Operation::Sign; 2] } else { Operation::BOTH };
        facts.note(jwk.check_use(&uses));
        facts.note(jwk.kid().map(drop));
        let named = jwk.named_alg().unwrap_or_else(|error| {
            facts.fault(error);
            None
        });
        if let Some(alg) = named {
            facts.note(kind.check_fits(alg));
        }
        let fits = |alg: &Alg| kind.fits(*alg) && (facts.named_alg.is_none() || named == Some(*alg));
        let algs: Vec<Alg> = Alg::ALL.iter().copied().filter(fits).collect();
        if kind == Kind::Oct {
            facts.of_secret(jwk, &algs);
        } else if facts.secret {
            let material = jwk.private_material().map(Material::Private);
            facts.of_material(kind, material, &algs);
        } else {
            facts.of_material(kind, jwk.public_material(kind).map(Material::Public), &algs);
        }
        Ok(facts)
    }

    fn of_block(block: &Block, password: Option<&[u8]>) -> Result<Self, KeyError> {
        let mut facts = Self::new(block.container.into(), block.is_encrypted(), block.container.is_private());
        let material = match block.material(password) {
            Err(error @ (KeyError::PasswordNeeded | KeyError::Password | KeyError::TooCostly(_))) => {
                return Err(error);
            }
            material => material,
        };
        let kind = match &material {
            Ok(Material::Public(material)) => material.kind(),
            Ok(Material::Private(material)) => material.kind(),
            Err(error) => {
                facts.fault(error.clone());
                if let Some(outline) = der::outline(block.container, &block.bytes) {
                    facts.key_type = Some(outline.key_type.to_owned());
                    facts.curve = outline.curve.map(str::to_owned);
                    facts.bits = outline.bits;
                }
                return Ok(facts);
            }
        };
        let algs: Vec<Alg> = Alg::ALL.iter().copied().filter(|alg| kind.fits(*alg)).collect();
        facts.of_material(kind, material, &algs);
        Ok(facts)
    }

    fn new(format: KeyFormat, encrypted: bool, secret: bool) -> Self {
        Self {
            format,
            encrypted,
            secret,
            key_type: None,
            curve: None,
            bits: None,
            named_alg: None,
            fitting: Vec::new(),
            kid: None,
            usage: None,
            key_ops: None,
            thumbprint: None,
            faults: Vec::new(),
        }
    }

    fn fault(&mut self, error: KeyError) {
        let fault = error.to_string();
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    fn note(&mut self, result: Result<(), KeyError>) {
        if let Err(error) = result {
            self.fault(error);
        }
    }

    fn of_secret(&mut self, jwk: &Jwk<'_>, algs: &[Alg]) {
        let secret = match jwk.secret() {
            Ok(secret) => secret,
            Err(error) => return self.fault(error),
        };
        self.bits = Some(secret.len() * 8);
        let mut refusal = None;
        for alg in algs {
            match MacKey::from_bytes(*alg, &secret) {
                Ok(_) => self.fitting.push(*alg),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        // What is too short for HS512 may do for HS256.
        if let Some(error) = refusal.filter(|_| self.fitting.is_empty()) {
            self.fault(error);
        }
    }

    fn of_material(&mut self, kind: Kind, material: Result<Material, KeyError>, algs: &[Alg]) {
        let Some(alg) = Alg::ALL.iter().copied().find(|alg| kind.fits(*alg)) else { return };
        let refused = outline(kind, material.as_ref().ok());
        let public = material.and_then(|material| match material {
            Material::Public(material) => VerifyingKey::from_material(alg, material),
            Material::Private(material) => {
                SigningKey::from_material(alg, &material).map(|key| key.verifying_key())
            }
        });
        match public {
            Ok(key) => {
                self.describe(key.material());
                self.thumbprint = Some(key.thumbprint());
                self.fitting = algs.to_vec();
            }
            Err(error) => {
                self.fault(error);
                let der::Outline { key_type, curve, bits } = refused;
                self.key_type.get_or_insert_with(|| key_type.to_owned());
                self.curve = self.curve.take().or(curve.map(str::to_owned));
                self.bits = bits;
            }
        }
    }

    /// Type and curve are what its JWK would say.
    fn describe(&mut self, public: &PublicMaterial) {
        let mut writer = Writer::new(8 * 1024);
        writer.public(public);
        let jwk = writer.finish();
        let text = |name| json::member(&jwk, name)?.as_str().map(|text| text.decoded().into_owned());
        self.key_type = text("kty");
        self.curve = text("crv");
        self.bits = match public {
            PublicMaterial::Rsa { n, .. } => Some(material::bits(n)),
            PublicMaterial::Ec(point) => Some(point.curve().bits()),
            PublicMaterial::Ed25519(_) => Some(256),
            #[cfg(feature = "ed448")]
            PublicMaterial::Ed448(_) => Some(456),
            PublicMaterial::MlDsa { .. } => None,
        };
    }

    /// The structure that it stands in.
    ///
    /// ```
    /// use sealwright_jose::{Inspected, KeyFormat};
    ///
    /// let line = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea test";
    /// assert_eq!(Inspected::read(line, None)?.format(), KeyFormat::OpenSsh);
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn format(&self) -> KeyFormat {
        self.format
    }

    /// Whether it is behind a password.
    ///
    /// ```
    /// use sealwright_jose::{Inspected, KeyError};
    ///
    /// # let pem = include_bytes!(concat!(
    /// #     env!("CARGO_MANIFEST_DIR"),
    /// #     "/tests/it/vectors/encrypted/ed_pbkdf2_sha512_aes256.pem"
    /// # ));
    /// // A PEM text `ENCRYPTED PRIVATE KEY`.
    /// assert!(Inspected::read(pem, Some(b"correct horse"))?.is_encrypted());
    /// assert_eq!(Inspected::read(pem, None).unwrap_err(), KeyError::PasswordNeeded);
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Whether it must stay secret: a private or a symmetric key.
    ///
    /// ```
    /// use sealwright_jose::Inspected;
    ///
    /// // A key that cannot be used is no less secret.
    /// let facts = Inspected::read(br#"{"kty":"EC","crv":"P-224","d":"AQ"}"#, None)?;
    /// assert!(facts.is_secret() && !facts.faults().is_empty());
    /// assert!(!Inspected::read(br#"{"kty":"EC","crv":"P-224","x":"AQ"}"#, None)?.is_secret());
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// Its type as a JWK says it (`kty`): `RSA`, `EC`, `OKP`, `AKP`, `oct`. A JWK may name one that
    /// this library does not know, and a file hold one that no JWK can, such as `DSA`.
    ///
    /// ```
    /// use sealwright_jose::Inspected;
    ///
    /// let facts = Inspected::read(br#"{"kty":"LATTICE"}"#, None)?;
    /// assert_eq!(facts.key_type(), Some("LATTICE"));
    /// assert!(facts.faults()[0].starts_with("a key type (`kty`) other than EC, OKP, "));
    /// assert_eq!(Inspected::read(b"{}", None)?.key_type(), None);
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn key_type(&self) -> Option<&str> {
        self.key_type.as_deref()
    }

    /// Its curve as a JWK says it (`crv`).
    ///
    /// ```
    /// use sealwright_jose::Inspected;
    ///
    /// # let pem = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/vectors/openssl/k256.pem"));
    /// // What `openssl ecparam -name secp256k1 -genkey` wrote.
    /// assert_eq!(Inspected::read(pem, None)?.curve(), Some("secp256k1"));
    /// # let pem = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/vectors/openssl/rsapub.pem"));
    /// assert_eq!(Inspected::read(pem, None)?.curve(), None, "an RSA key");
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn curve(&self) -> Option<&str> {
        self.curve.as_deref()
    }

    /// Its size in bits: of the modulus, of the curve, of the secret. A key for ML-DSA has none.
    ///
    /// ```
    /// use sealwright_jose::{Alg, Inspected, SigningKey};
    ///
    /// let bits = |alg| {
    ///     let jwk = SigningKey::generate(alg)?.to_jwk()?;
    ///     Inspected::read(jwk.as_bytes(), None).map(|facts| facts.bits())
    /// };
    /// assert_eq!((bits(Alg::Es512)?, bits(Alg::MlDsa44)?), (Some(521), None));
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn bits(&self) -> Option<usize> {
        self.bits
    }

    /// The algorithm that it names itself, as it stands there; only a JWK can.
    ///
    /// ```
    /// use sealwright_jose::{Alg, Inspected};
    ///
    /// let jwk = br#"{"kty":"OKP","crv":"Ed25519","alg":"EdDSA",
    ///                "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    /// let facts = Inspected::read(jwk, None)?;
    /// assert_eq!(facts.named_alg(), Some("EdDSA"), "the old name");
    /// assert_eq!(facts.fitting_algs(), [Alg::Ed25519], "what it means for this key");
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn named_alg(&self) -> Option<&str> {
        self.named_alg.as_deref()
    }

    /// The algorithms that it can be used for: the one that it names, or all that fit its type and
    /// size. None if it cannot be used.
    ///
    /// ```
    /// use sealwright_jose::{Alg, Inspected, base64url};
    ///
    /// let algs = |k: &[u8]| {
    ///     let jwk = format!(r#"{{"kty":"oct","k":"{}"}}"#, base64url::encode(k));
    ///     Inspected::read(jwk.as_bytes(), None).map(|facts| facts.fitting_algs().to_vec())
    /// };
    /// assert_eq!(algs(&[7; 48])?, [Alg::Hs256, Alg::Hs384], "too short for HS512");
    /// assert_eq!(algs(b"secret")?, [], "too short for any");
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn fitting_algs(&self) -> &[Alg] {
        &self.fitting
    }

    /// Its key identifier; only a JWK has one.
    ///
    /// ```
    /// use sealwright_jose::{Alg, Inspected, SigningKey};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?.with_kid("2026-11");
    /// assert_eq!(Inspected::read(key.to_jwk()?.as_bytes(), None)?.kid(), Some("2026-11"));
    /// assert_eq!(Inspected::read(key.to_pem()?.as_bytes(), None)?.kid(), None);
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Its `use` (RFC 7517 §4.2).
    ///
    /// ```
    /// use sealwright_jose::Inspected;
    ///
    /// let facts = Inspected::read(br#"{"kty":"RSA","use":"enc","n":"AQ","e":"AQAB"}"#, None)?;
    /// assert_eq!(facts.usage(), Some("enc"));
    /// assert_eq!(facts.faults()[0], "the JWK's `use` forbids this use", "it is not for signatures");
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn usage(&self) -> Option<&str> {
        self.usage.as_deref()
    }

    /// Its `key_ops` (RFC 7517 §4.3).
    ///
    /// ```
    /// use sealwright_jose::Inspected;
    ///
    /// let facts = Inspected::read(br#"{"kty":"oct","k":"c2VjcmV0","key_ops":["verify","wrapKey"]}"#, None)?;
    /// assert_eq!(facts.key_ops().map(<[String]>::len), Some(2), "also what means nothing here");
    /// assert_eq!(Inspected::read(br#"{"kty":"oct","k":"c2VjcmV0"}"#, None)?.key_ops(), None, "any use");
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn key_ops(&self) -> Option<&[String]> {
        self.key_ops.as_deref()
    }

    /// The SHA-256 thumbprint of its public half (RFC 7638). A symmetric key has none.
    ///
    /// ```
    /// use sealwright_jose::{Alg, Inspected, MacKey, SigningKey};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?;
    /// let thumbprint = |key: &str| Inspected::read(key.as_bytes(), None).map(|facts| facts.thumbprint());
    /// // Whether a certificate, say, belongs to a private key: both halves have the same.
    /// assert_eq!(thumbprint(&key.to_pem()?)?, thumbprint(&key.verifying_key().to_jwk())?);
    /// assert_eq!(thumbprint(&MacKey::generate(Alg::Hs256)?.to_jwk())?, None);
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn thumbprint(&self) -> Option<[u8; 32]> {
        self.thumbprint
    }

    /// What is wrong with it, a sentence each. Without any it can be used.
    ///
    /// ```
    /// use sealwright_jose::Inspected;
    ///
    /// # let pem = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/vectors/openssl/rsa1024.pem"));
    /// // What `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024` wrote.
    /// let facts = Inspected::read(pem, None)?;
    /// assert_eq!(facts.faults(), ["the RSA modulus has 1024 bits; 2048 to 8192 are accepted"]);
    /// assert_eq!((facts.bits(), facts.fitting_algs()), (Some(1024), &[][..]));
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn faults(&self) -> &[String] {
        &self.faults
    }
}

/// What is seen of a key of ours that cannot be used for its numbers.
fn outline(kind: Kind, material: Option<&Material>) -> der::Outline {
    let (key_type, curve, bits) = match (kind, material) {
        (Kind::Rsa, Some(Material::Public(PublicMaterial::Rsa { n, .. }))) => {
            ("RSA", None, Some(material::bits(n)))
        }
        (Kind::Rsa, Some(Material::Private(PrivateMaterial::Rsa(key)))) => {
            ("RSA", None, Some(material::bits(&key.n)))
        }
        (Kind::Rsa, _) => ("RSA", None, None),
        (Kind::Ec(curve), _) => ("EC", Some(curve.name()), Some(curve.bits())),
        (Kind::Ed25519, _) => ("OKP", Some("Ed25519"), Some(256)),
        #[cfg(feature = "ed448")]
        (Kind::Ed448, _) => ("OKP", Some("Ed448"), Some(456)),
        (Kind::MlDsa(_), _) => ("AKP", None, None),
        (Kind::Oct, _) => ("oct", None, None),
    };
    der::Outline { key_type, curve, bits }
}
