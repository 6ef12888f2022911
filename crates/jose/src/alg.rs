//! Algorithm names (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864).

use std::{fmt, str::FromStr};

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
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3).
    Rs256,
    /// RSASSA-PSS with SHA-256 and MGF1 with SHA-256 (RFC 7518 §3.5).
    Ps256,
    /// ECDSA with P-256 and SHA-256 (RFC 7518 §3.4).
    Es256,
    /// EdDSA with the curve Ed25519 (RFC 8032, RFC 9864 §2.2).
    Ed25519,
}

impl Alg {
    /// Every algorithm of this version of the library.
    pub const ALL: [Self; 5] = [Self::Hs256, Self::Rs256, Self::Ps256, Self::Es256, Self::Ed25519];

    /// The IANA name, as in the `alg` header parameter.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// The algorithm of that name, in exactly that spelling. `EdDSA` is none: it does not say which
    /// curve (RFC 9864 §1).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|alg| alg.name() == name)
    }

    /// Whether whoever can verify can also sign, since both need the same secret.
    pub const fn is_mac(self) -> bool {
        matches!(self, Self::Hs256)
    }

    /// As [`from_name`](Self::from_name), but `EdDSA` is read as Ed25519. That is the one curve of
    /// this library that the old name can mean, and the key must agree.
    pub(crate) fn from_token(name: &str) -> Option<Self> {
        if name == "EdDSA" { Some(Self::Ed25519) } else { Self::from_name(name) }
    }

    /// Whether a signature of this algorithm can have `len` bytes.
    pub(crate) const fn signature_len_is_possible(self, len: usize) -> bool {
        match self {
            Self::Hs256 => len == 32,
            Self::Rs256 | Self::Ps256 => len >= 256 && len <= 1024,
            Self::Es256 | Self::Ed25519 => len == 64,
        }
    }
}

impl fmt::Display for Alg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The name is not that of an [`Alg`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown algorithm; known are HS256, RS256, PS256, ES256 and Ed25519")]
pub struct UnknownAlg;

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
            assert_eq!(Alg::from_name(alg.name()), Some(alg));
            assert!(UnknownAlg.to_string().contains(alg.name()));
        }
        for name in ["", "none", "None", "hs256", "HS256 ", "EdDSA", "ED25519", "HS512", "RSA1_5", "ES256K"] {
            assert_eq!(Alg::from_name(name), None, "{name}");
        }
        assert_eq!(Alg::from_token("EdDSA"), Some(Alg::Ed25519));
        assert_eq!(Alg::from_token("eddsa"), None);
    }
}
