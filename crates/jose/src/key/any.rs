//! Keys of which the caller does not know the kind, such as a file that a person names.

use zeroize::Zeroizing;

use crate::{
    Alg, KeyError, MacKey, SigningKey, VerifyingKey,
    jwk::Jwk,
    key::{
        container::{Block, Container, Material},
        kind::Kind,
        pem,
    },
};

/// A key of any kind.
///
/// ```
/// use sealwright_jose::{Alg, Key, SigningKey};
///
/// let made = SigningKey::generate(Alg::Ed25519)?;
/// // A JWK of ours names its algorithm; PEM cannot.
/// assert!(matches!(Key::parse(&made.to_jwk()?, None)?, Key::Signing(_)));
/// assert!(Key::parse(&made.to_pem()?, None).is_err());
/// let read = Key::parse(&made.verifying_key().to_pem()?, Some(Alg::Ed25519))?;
/// assert_eq!(read.verifying_key(), Some(made.verifying_key()));
/// # Ok::<(), sealwright_jose::KeyError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Key {
    /// A private key.
    Signing(SigningKey),
    /// A public key.
    Verifying(VerifyingKey),
    /// A symmetric key.
    Mac(MacKey),
}

impl Key {
    /// Reads a JWK, PEM, or an OpenSSH public key. `alg` is needed where the key names no algorithm;
    /// where it does, both must agree.
    ///
    /// ```
    /// use sealwright_jose::{Alg, Key, KeyError, MacKey};
    ///
    /// let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea test";
    /// assert!(matches!(Key::parse(line, Some(Alg::Ed25519))?, Key::Verifying(_)));
    /// assert_eq!(Key::parse(line, None).unwrap_err(), KeyError::AlgMissing);
    /// assert!(matches!(Key::parse(&MacKey::generate(Alg::Hs256)?.to_jwk(), None)?, Key::Mac(_)));
    /// # Ok::<(), KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`parse_with_password`](Self::parse_with_password) without a password.
    pub fn parse(text: &str, alg: Option<Alg>) -> Result<Self, KeyError> {
        Self::parse_with_password(text.as_bytes(), alg, None)
    }

    /// Reads a key in any format: JWK, PEM, DER, OpenSSH. `alg` is needed where the key names no
    /// algorithm; where it does, both must agree.
    ///
    /// The password is for encrypted PKCS#8 (PBES2) and OpenSSH private keys. One that the key does
    /// not need is not used.
    ///
    /// ```
    /// use sealwright_jose::{Alg, Key, KeyError, SigningKey};
    ///
    /// let made = SigningKey::generate(Alg::Ed25519)?;
    /// let file = made.to_encrypted_pem(b"correct horse")?;
    /// let read = |password| Key::parse_with_password(file.as_bytes(), Some(Alg::Ed25519), password);
    /// assert_eq!(read(Some(b"correct horse"))?.verifying_key(), Some(made.verifying_key()));
    /// assert_eq!(read(Some(b"battery staple")).unwrap_err(), KeyError::Password);
    /// assert_eq!(read(None).unwrap_err(), KeyError::PasswordNeeded);
    /// # Ok::<(), KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As the function that reads this kind and format, such as [`SigningKey::from_pem_with_password`],
    /// [`VerifyingKey::from_jwk`] or [`MacKey::from_jwk_as`]; [`KeyError::Format`] for what is none of them,
    /// [`KeyError::AlgMissing`] and [`KeyError::AlgMismatch`] for the algorithm.
    pub fn parse_with_password(
        key: &[u8],
        alg: Option<Alg>,
        password: Option<&[u8]>,
    ) -> Result<Self, KeyError> {
        if let Some(text) = jwk_text(key)? {
            let jwk = Jwk::parse(text)?;
            // What no algorithm can use is refused for that, and not for want of an algorithm.
            let kind = jwk.kind()?;
            let alg = jwk.alg(alg)?;
            return match kind {
                Kind::Oct => MacKey::from_parsed(&jwk, alg).map(Self::Mac),
                _ if jwk.is_secret() => SigningKey::from_parsed(&jwk, alg).map(Self::Signing),
                _ => VerifyingKey::from_parsed(&jwk, alg).map(Self::Verifying),
            };
        }
        Self::from_block(&Block::read(key)?, alg.ok_or(KeyError::AlgMissing)?, password)
    }

    fn from_block(block: &Block, alg: Alg, password: Option<&[u8]>) -> Result<Self, KeyError> {
        match block.material(password)? {
            Material::Public(material) => VerifyingKey::from_material(alg, material).map(Self::Verifying),
            Material::Private(material) => SigningKey::from_material(alg, &material).map(Self::Signing),
        }
    }

    /// Reads DER, told apart by its structure: a public key (SPKI, PKCS#1), an X.509 certificate,
    /// of which only the key is looked at, or an unencrypted private key (PKCS#8, PKCS#1, SEC1).
    /// DER names no algorithm.
    ///
    /// ```
    /// use sealwright_jose::{Alg, Key, SigningKey};
    ///
    /// let made = SigningKey::generate(Alg::Es256)?;
    /// assert!(matches!(Key::parse_der(&made.to_pkcs8_der()?, Alg::Es256)?, Key::Signing(_)));
    /// let read = Key::parse_der(&made.verifying_key().to_spki_der(), Alg::Es256)?;
    /// assert_eq!(read.verifying_key(), Some(made.verifying_key()));
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::Format`] for what is none of them; [`KeyError::PasswordNeeded`] for encrypted PKCS#8;
    /// otherwise as [`SigningKey::from_pkcs8_der`].
    pub fn parse_der(der: &[u8], alg: Alg) -> Result<Self, KeyError> {
        match Container::of_der(der) {
            Some(container) => {
                let block = Block { container, bytes: Zeroizing::new(der.to_vec()) };
                Self::from_block(&block, alg, None)
            }
            None => {
                let seen = pem::describe(der);
                Err(KeyError::Format { seen, wanted: "a key or a certificate in DER" })
            }
        }
    }

    /// Its algorithm.
    ///
    /// ```
    /// use sealwright_jose::{Alg, Key};
    ///
    /// // The old name says no curve; the key does.
    /// let jwk = r#"{"kty":"OKP","crv":"Ed25519","alg":"EdDSA",
    ///               "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    /// assert_eq!(Key::parse(jwk, None)?.alg(), Alg::Ed25519);
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn alg(&self) -> Alg {
        match self {
            Self::Signing(key) => key.alg(),
            Self::Verifying(key) => key.alg(),
            Self::Mac(key) => key.alg(),
        }
    }

    /// Its key identifier, if it has one.
    ///
    /// ```
    /// use sealwright_jose::{Alg, Key, SigningKey};
    ///
    /// let made = SigningKey::generate(Alg::Es256)?.with_kid("2026-11");
    /// assert_eq!(Key::parse(&made.to_jwk()?, None)?.kid(), Some("2026-11"));
    /// assert_eq!(Key::parse(&made.to_pem()?, Some(Alg::Es256))?.kid(), None, "PEM has no place for it");
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn kid(&self) -> Option<&str> {
        match self {
            Self::Signing(key) => key.kid(),
            Self::Verifying(key) => key.kid(),
            Self::Mac(key) => key.kid(),
        }
    }

    /// Its public half; a symmetric key has none.
    ///
    /// ```
    /// use sealwright_jose::{Alg, Key, MacKey, SigningKey};
    ///
    /// // What can be published of keys of all kinds.
    /// let keys = [Key::Signing(SigningKey::generate(Alg::Es256)?), Key::Mac(MacKey::generate(Alg::Hs256)?)];
    /// let public: Vec<_> = keys.iter().filter_map(Key::verifying_key).collect();
    /// assert_eq!((public.len(), public[0].alg()), (1, Alg::Es256));
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn verifying_key(&self) -> Option<VerifyingKey> {
        match self {
            Self::Signing(key) => Some(key.verifying_key()),
            Self::Verifying(key) => Some(key.clone()),
            Self::Mac(_) => None,
        }
    }
}

/// The text, if it looks like JSON.
pub(crate) fn jwk_text(bytes: &[u8]) -> Result<Option<&str>, KeyError> {
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Ok(None);
    }
    let text = str::from_utf8(bytes);
    text.map(Some).map_err(|_| KeyError::Malformed { format: "JWK", problem: "it is not UTF-8" })
}
