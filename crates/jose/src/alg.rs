//! Algorithm names (RFC 7518 §3.1, RFC 8037 §3.1, RFC 8812 §3.2, RFC 9864, RFC 9964).

use std::{fmt, str::FromStr};

use crate::{Hash, json::short};

/// A fully specified signature algorithm: the name alone says curve, hash and padding (RFC 9864
/// §1).
///
/// ```
/// use sealwright_jose::Alg;
///
/// assert_eq!("ES256".parse(), Ok(Alg::Es256));
/// assert!("none".parse::<Alg>().is_err());
/// assert!("es256".parse::<Alg>().is_err(), "names are case-sensitive");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Alg {
    /// HMAC with SHA-256 (RFC 7518 §3.2).
    Hs256,
    /// HMAC with SHA-384 (RFC 7518 §3.2).
    Hs384,
    /// HMAC with SHA-512 (RFC 7518 §3.2).
    Hs512,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3).
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384 (RFC 7518 §3.3).
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512 (RFC 7518 §3.3).
    Rs512,
    /// RSASSA-PSS with SHA-256 and MGF1 with SHA-256 (RFC 7518 §3.5).
    Ps256,
    /// RSASSA-PSS with SHA-384 and MGF1 with SHA-384 (RFC 7518 §3.5).
    Ps384,
    /// RSASSA-PSS with SHA-512 and MGF1 with SHA-512 (RFC 7518 §3.5).
    Ps512,
    /// ECDSA with P-256 and SHA-256 (RFC 7518 §3.4).
    Es256,
    /// ECDSA with P-384 and SHA-384 (RFC 7518 §3.4).
    Es384,
    /// ECDSA with P-521 and SHA-512 (RFC 7518 §3.4).
    Es512,
    /// ECDSA with secp256k1 and SHA-256 (RFC 8812 §3.2).
    Es256k,
    /// EdDSA with the curve Ed25519 (RFC 8032, RFC 9864 §2.2).
    Ed25519,
    /// EdDSA with the curve Ed448 (RFC 8032, RFC 9864 §2.2). Needs the feature `ed448`.
    #[cfg(feature = "ed448")]
    Ed448,
    /// ML-DSA-44 (FIPS 204, RFC 9964), pure and with an empty context.
    MlDsa44,
    /// ML-DSA-65 (FIPS 204, RFC 9964), pure and with an empty context.
    MlDsa65,
    /// ML-DSA-87 (FIPS 204, RFC 9964), pure and with an empty context.
    MlDsa87,
}

/// The names of [`Alg::ALL`] by [`short`], which is zero for the longer ones.
static SHORT_NAMES: [u64; Alg::ALL.len()] = {
    let (mut names, mut at) = ([0; Alg::ALL.len()], 0);
    while at < names.len() {
        names[at] = short(Alg::ALL[at].name().as_bytes());
        at += 1;
    }
    names
};

impl Alg {
    /// Every algorithm of this version of the library.
    pub const ALL: &'static [Self] = &[
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::Es256k,
        Self::Ed25519,
        #[cfg(feature = "ed448")]
        Self::Ed448,
        Self::MlDsa44,
        Self::MlDsa65,
        Self::MlDsa87,
    ];

    /// What every JOSE implementation must or should have (RFC 7518 §3.1).
    pub const RECOMMENDED: [Self; 3] = [Self::Hs256, Self::Rs256, Self::Es256];

    /// The algorithms that the old name `EdDSA` can mean.
    const EDDSA: &'static [Self] = &[
        Self::Ed25519,
        #[cfg(feature = "ed448")]
        Self::Ed448,
    ];

    /// The IANA name, as in the `alg` header parameter (RFC 7515 §4.1.1).
    ///
    /// ```
    /// use sealwright_jose::Alg;
    ///
    /// assert_eq!(Alg::MlDsa44.name(), "ML-DSA-44");
    /// assert_eq!(format!("{:<8}|", Alg::Es256k), "ES256K  |", "what is displayed is the name, too");
    /// ```
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::Es256k => "ES256K",
            Self::Ed25519 => "Ed25519",
            #[cfg(feature = "ed448")]
            Self::Ed448 => "Ed448",
            Self::MlDsa44 => "ML-DSA-44",
            Self::MlDsa65 => "ML-DSA-65",
            Self::MlDsa87 => "ML-DSA-87",
        }
    }

    /// The algorithm of that name, in exactly that spelling. `EdDSA` is none: it does not say which
    /// curve (RFC 9864 §1).
    ///
    /// ```
    /// use sealwright_jose::Alg;
    ///
    /// assert_eq!(Alg::from_name("Ed25519"), Some(Alg::Ed25519));
    /// assert_eq!(Alg::from_name("EdDSA"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|alg| alg.name() == name)
    }

    /// Whether whoever can verify can also sign, since both need the same secret.
    ///
    /// ```
    /// use sealwright_jose::Alg;
    ///
    /// // What may be verified with keys that anybody can read.
    /// let public = Alg::RECOMMENDED.into_iter().filter(|alg| !alg.is_mac());
    /// assert!(public.eq([Alg::Rs256, Alg::Es256]));
    /// ```
    pub const fn is_mac(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }

    /// Whether its keys are RSA keys. They take a long time to make, and about a millisecond to
    /// sign.
    ///
    /// ```
    /// use sealwright_jose::Alg;
    ///
    /// assert_eq!(Alg::ALL.iter().filter(|alg| alg.is_rsa()).count(), 6, "RS and PS, three of each");
    /// assert!(!Alg::Es256.is_rsa());
    /// ```
    pub const fn is_rsa(self) -> bool {
        matches!(self, Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512)
    }

    /// The hash of a signature that needs no more of the message than its digest: RSA and ECDSA.
    ///
    /// `None` for HMAC, which mixes the key in first, and for EdDSA and ML-DSA, which need the
    /// message as a whole.
    ///
    /// ```
    /// use sealwright_jose::{Alg, Hash};
    ///
    /// assert_eq!(Alg::Es512.digest(), Some(Hash::Sha512));
    /// assert_eq!(Alg::Ed25519.digest(), None);
    /// ```
    pub const fn digest(self) -> Option<Hash> {
        match self {
            Self::Rs256 | Self::Ps256 | Self::Es256 | Self::Es256k => Some(Hash::Sha256),
            Self::Rs384 | Self::Ps384 | Self::Es384 => Some(Hash::Sha384),
            Self::Rs512 | Self::Ps512 | Self::Es512 => Some(Hash::Sha512),
            _ => None,
        }
    }

    /// The length of every signature of this algorithm in its JWS form, in bytes. `None` for RSA,
    /// where it is that of the key's modulus.
    ///
    /// ```
    /// use sealwright_jose::Alg;
    ///
    /// assert_eq!(Alg::Es512.signature_len(), Some(132));
    /// assert_eq!(Alg::Ps256.signature_len(), None);
    /// ```
    pub const fn signature_len(self) -> Option<usize> {
        match self {
            Self::Hs256 => Some(32),
            Self::Hs384 => Some(48),
            Self::Hs512 => Some(64),
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => None,
            Self::Es256 | Self::Es256k | Self::Ed25519 => Some(64),
            #[cfg(feature = "ed448")]
            Self::Ed448 => Some(114),
            Self::Es384 => Some(96),
            Self::Es512 => Some(132),
            Self::MlDsa44 => Some(2420),
            Self::MlDsa65 => Some(3309),
            Self::MlDsa87 => Some(4627),
        }
    }

    /// The algorithms that a token or key can mean by this name: one, or for `EdDSA` those of all
    /// its curves, among which the key's own decides. Empty for a name that nobody knows.
    pub(crate) fn meant_by(name: &str) -> &'static [Self] {
        if name == "EdDSA" {
            return Self::EDDSA;
        }
        let position = match short(name.as_bytes()) {
            0 => Self::ALL.iter().position(|alg| alg.name() == name),
            short => SHORT_NAMES.iter().position(|other| *other == short),
        };
        position.map_or(&[], |at| &Self::ALL[at..=at])
    }

    /// Whether a signature of this algorithm can have `len` bytes.
    pub(crate) fn signature_len_is_possible(self, len: usize) -> bool {
        self.signature_len().map_or((256..=1024).contains(&len), |fixed| len == fixed)
    }
}

impl fmt::Display for Alg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The name is not that of an [`Alg`].
///
/// ```
/// use sealwright_jose::{Alg, UnknownAlg};
///
/// assert_eq!("HS1".parse::<Alg>(), Err(UnknownAlg));
/// assert!(UnknownAlg.to_string().starts_with("unknown algorithm; known are HS256, HS384, HS512, RS256, "));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownAlg;

impl fmt::Display for UnknownAlg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown algorithm; known are ")?;
        for (n, alg) in Alg::ALL.iter().enumerate() {
            let before = match n {
                0 => "",
                n if n + 1 == Alg::ALL.len() => " and ",
                _ => ", ",
            };
            write!(f, "{before}{alg}")?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownAlg {}

impl FromStr for Alg {
    type Err = UnknownAlg;

    fn from_str(name: &str) -> Result<Self, UnknownAlg> {
        Self::from_name(name).ok_or(UnknownAlg)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_written_and_no_other_way() {
        for alg in Alg::ALL {
            assert_eq!(Alg::from_name(alg.name()), Some(*alg));
            assert_eq!(Alg::meant_by(alg.name()), [*alg]);
            assert!(UnknownAlg.to_string().contains(alg.name()));
        }
        let unknown = [
            "", "none", "None", "hs256", "HS256 ", "EdDSA", "ED25519", "HS1", "RSA1_5", "ES256k", "ML-DSA",
            "A128KW",
        ];
        for name in unknown {
            assert_eq!(Alg::from_name(name), None, "{name}");
        }
        assert_eq!(Alg::meant_by("EdDSA"), Alg::EDDSA);
        assert_eq!(Alg::meant_by("eddsa"), []);
        assert_eq!(Alg::meant_by("none"), []);
    }

    #[test]
    fn no_algorithm_is_listed_twice() {
        for (n, alg) in Alg::ALL.iter().enumerate() {
            assert!(!Alg::ALL[..n].contains(alg), "{alg}");
        }
        assert!(Alg::RECOMMENDED.iter().chain(Alg::EDDSA).all(|alg| Alg::ALL.contains(alg)));
    }
}
