//! What kinds of keys there are, and which algorithm takes which.

use const_oid::{
    ObjectIdentifier,
    db::rfc5912::{SECP_256_R_1, SECP_384_R_1, SECP_521_R_1},
};

use crate::{Alg, KeyError};

/// A curve of ECDSA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
    Secp256k1,
}

impl Curve {
    pub(crate) const ALL: [Self; 4] = [Self::P256, Self::P384, Self::P521, Self::Secp256k1];

    /// Its `crv` (RFC 7518 §6.2.1.1, RFC 8812 §3.1).
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::Secp256k1 => "secp256k1",
        }
    }

    /// The one algorithm that uses it.
    pub(crate) const fn alg(self) -> Alg {
        match self {
            Self::P256 => Alg::Es256,
            Self::P384 => Alg::Es384,
            Self::P521 => Alg::Es512,
            Self::Secp256k1 => Alg::Es256k,
        }
    }

    /// The length of a coordinate and of a private number, in bytes.
    pub(crate) const fn len(self) -> usize {
        match self {
            Self::P256 | Self::Secp256k1 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// The size of the field.
    pub(crate) const fn bits(self) -> usize {
        match self {
            Self::P521 => 521,
            _ => self.len() * 8,
        }
    }

    pub(crate) const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::P256 => SECP_256_R_1,
            Self::P384 => SECP_384_R_1,
            Self::P521 => SECP_521_R_1,
            // SEC 2 §A.2.1.
            Self::Secp256k1 => ObjectIdentifier::new_unwrap("1.3.132.0.10"),
        }
    }

    pub(crate) fn from_alg(alg: Alg) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| curve.alg() == alg)
    }

    pub(crate) fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| curve.name().as_bytes() == name)
    }

    pub(crate) fn from_oid(oid: ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| curve.oid() == oid)
    }
}

/// A parameter set of ML-DSA (FIPS 204 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum MlDsa {
    L44,
    L65,
    L87,
}

impl MlDsa {
    pub(crate) const ALL: [Self; 3] = [Self::L44, Self::L65, Self::L87];

    pub(crate) const fn alg(self) -> Alg {
        match self {
            Self::L44 => Alg::MlDsa44,
            Self::L65 => Alg::MlDsa65,
            Self::L87 => Alg::MlDsa87,
        }
    }

    /// The length of a public key, in bytes (FIPS 204 table 2).
    pub(crate) const fn public_len(self) -> usize {
        match self {
            Self::L44 => 1312,
            Self::L65 => 1952,
            Self::L87 => 2592,
        }
    }

    /// The length of the expanded private key, in bytes (FIPS 204 table 2).
    pub(crate) const fn expanded_len(self) -> usize {
        match self {
            Self::L44 => 2560,
            Self::L65 => 4032,
            Self::L87 => 4896,
        }
    }

    /// RFC 9881 §2.
    pub(crate) const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::L44 => ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.17"),
            Self::L65 => ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.18"),
            Self::L87 => ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.19"),
        }
    }

    pub(crate) fn from_alg(alg: Alg) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.alg() == alg)
    }

    pub(crate) fn from_oid(oid: ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.oid() == oid)
    }
}

/// The kind of a key: in a JWK, what `kty` and `crv` say, and for AKP `alg`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Rsa,
    Ec(Curve),
    Ed25519,
    #[cfg(feature = "ed448")]
    Ed448,
    MlDsa(MlDsa),
    Oct,
}

impl Kind {
    pub(crate) fn fits(self, alg: Alg) -> bool {
        match self {
            Self::Rsa => {
                matches!(alg, Alg::Rs256 | Alg::Rs384 | Alg::Rs512 | Alg::Ps256 | Alg::Ps384 | Alg::Ps512)
            }
            Self::Ec(curve) => curve.alg() == alg,
            Self::Ed25519 => alg == Alg::Ed25519,
            #[cfg(feature = "ed448")]
            Self::Ed448 => alg == Alg::Ed448,
            Self::MlDsa(set) => set.alg() == alg,
            Self::Oct => alg.is_mac(),
        }
    }

    /// Refuses the key unless `alg` is for its kind.
    pub(crate) fn check_fits(self, alg: Alg) -> Result<(), KeyError> {
        if self.fits(alg) { Ok(()) } else { Err(KeyError::Type { alg, seen: self.seen() }) }
    }

    pub(crate) fn seen(self) -> &'static str {
        match self {
            Self::Rsa => "an RSA key",
            Self::Ec(Curve::P256) => "a P-256 key",
            Self::Ec(Curve::P384) => "a P-384 key",
            Self::Ec(Curve::P521) => "a P-521 key",
            Self::Ec(Curve::Secp256k1) => "a secp256k1 key",
            Self::Ed25519 => "an Ed25519 key",
            #[cfg(feature = "ed448")]
            Self::Ed448 => "an Ed448 key",
            Self::MlDsa(MlDsa::L44) => "an ML-DSA-44 key",
            Self::MlDsa(MlDsa::L65) => "an ML-DSA-65 key",
            Self::MlDsa(MlDsa::L87) => "an ML-DSA-87 key",
            Self::Oct => "a symmetric key",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_algorithm_has_one_kind_of_key() {
        let kinds = [Kind::Rsa, Kind::Ed25519, Kind::Oct]
            .into_iter()
            .chain(Curve::ALL.map(Kind::Ec))
            .chain(MlDsa::ALL.map(Kind::MlDsa));
        #[cfg(feature = "ed448")]
        let kinds = kinds.chain([Kind::Ed448]);
        let kinds: Vec<_> = kinds.collect();
        for alg in Alg::ALL {
            assert_eq!(kinds.iter().filter(|kind| kind.fits(*alg)).count(), 1, "{alg}");
        }
    }
}
