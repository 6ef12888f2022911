//! Keys of which the caller does not know the kind, such as a file that a person names.

use crate::{
    Alg, KeyError, MacKey, SigningKey, VerifyingKey,
    jwk::Jwk,
    key::{der, kind::Kind, pem},
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
    /// Reads a JWK or PEM text. `alg` is needed where the key names no algorithm; where it does,
    /// both must agree.
    ///
    /// # Errors
    ///
    /// A [`KeyError`] that says what was found and what would be right.
    pub fn parse(text: &str, alg: Option<Alg>) -> Result<Self, KeyError> {
        if text.trim_ascii_start().starts_with('{') {
            let jwk = Jwk::parse(text)?;
            let alg = jwk.alg(alg)?;
            return match jwk.kind()? {
                Kind::Oct => MacKey::from_parsed(&jwk, alg).map(Self::Mac),
                _ if jwk.is_secret() => SigningKey::from_parsed(&jwk, alg).map(Self::Signing),
                _ => VerifyingKey::from_parsed(&jwk, alg).map(Self::Verifying),
            };
        }
        if !text.contains("-----BEGIN ") {
            let seen = pem::describe(text.as_bytes());
            return Err(KeyError::Format { seen, wanted: "a JWK or PEM" });
        }
        let block = pem::parse(text)?;
        let alg = alg.ok_or(KeyError::AlgMissing)?;
        if block.container.is_private() {
            SigningKey::from_material(alg, &block.private()?).map(Self::Signing)
        } else {
            VerifyingKey::from_material(alg, block.public()?).map(Self::Verifying)
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
    /// A [`KeyError`] that says what was found and what would be right.
    pub fn parse_der(der: &[u8], alg: Alg) -> Result<Self, KeyError> {
        for read in [der::public_from_spki, der::public_from_certificate, der::public_from_pkcs1] {
            match read(der) {
                Err(KeyError::Malformed { .. }) => {}
                key => return VerifyingKey::from_material(alg, key?).map(Self::Verifying),
            }
        }
        for read in [der::private_from_pkcs8, der::private_from_pkcs1, der::private_from_sec1] {
            match read(der) {
                Err(KeyError::Malformed { .. }) => {}
                key => return SigningKey::from_material(alg, &key?).map(Self::Signing),
            }
        }
        let seen = pem::describe(der);
        Err(KeyError::Format { seen, wanted: "a key or a certificate in DER" })
    }

    /// Its algorithm.
    pub fn alg(&self) -> Alg {
        match self {
            Self::Signing(key) => key.alg(),
            Self::Verifying(key) => key.alg(),
            Self::Mac(key) => key.alg(),
        }
    }

    /// Its key identifier, if it has one.
    pub fn kid(&self) -> Option<&str> {
        match self {
            Self::Signing(key) => key.kid(),
            Self::Verifying(key) => key.kid(),
            Self::Mac(key) => key.kid(),
        }
    }

    /// Its public half; a symmetric key has none.
    pub fn verifying_key(&self) -> Option<VerifyingKey> {
        match self {
            Self::Signing(key) => Some(key.verifying_key()),
            Self::Verifying(key) => Some(key.clone()),
            Self::Mac(_) => None,
        }
    }
}
