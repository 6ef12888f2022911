//! The cryptographic back ends: AWS-LC, and for Ed448 a crate of its own. What the rest of the crate
//! asks of them is the surface here; it says yes or no and never why, and no algorithm is chosen in it.

mod aws_lc;
#[cfg(feature = "ed448")]
mod ed448;
mod password;

use zeroize::Zeroizing;

use crate::{
    Alg, KeyError, SignError,
    key::{
        kind::{Curve, Kind, MlDsa},
        material::{PrivateMaterial, PublicMaterial},
    },
};
use aws_lc::{EcdsaKey, Ed25519Key, MlDsaKey, RsaKey};

pub(crate) use aws_lc::{Digest, Hasher, Mac, MacContext, random};
pub(crate) use password::{
    Chaining, Prf, aes_256_cbc_encrypt_padded, aes_cbc_decrypt_padded, aes_decrypt, pbkdf2,
};

/// A public key, parsed once and used many times.
pub(crate) enum PublicKey {
    AwsLc(aws_lc::PublicKey),
    #[cfg(feature = "ed448")]
    Ed448(ed448::PublicKey),
}

impl PublicKey {
    /// Refuses a point that is not on its curve.
    pub(crate) fn new(alg: Alg, material: &PublicMaterial) -> Result<Self, KeyError> {
        material.kind().check_fits(alg)?;
        match material {
            PublicMaterial::Rsa { n, e } => aws_lc::PublicKey::rsa(alg, n, e),
            PublicMaterial::Ec(point) => aws_lc::PublicKey::ecdsa(point),
            PublicMaterial::Ed25519(point) => aws_lc::PublicKey::ed25519(point),
            #[cfg(feature = "ed448")]
            PublicMaterial::Ed448(point) => return ed448::PublicKey::new(point).map(Self::Ed448),
            PublicMaterial::MlDsa { set, public } => aws_lc::PublicKey::ml_dsa(*set, public),
        }
        .map(Self::AwsLc)
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::AwsLc(key) => key.verifies(message, signature),
            #[cfg(feature = "ed448")]
            Self::Ed448(key) => key.verifies(message, signature),
        }
    }

    /// The caller has seen to it that the algorithm signs digests of this kind.
    pub(crate) fn verifies_digest(&self, digest: &Digest, signature: &[u8]) -> bool {
        match self {
            Self::AwsLc(key) => key.verifies_digest(digest, signature),
            #[cfg(feature = "ed448")]
            Self::Ed448(_) => false,
        }
    }
}

/// A private key, parsed once and used many times.
pub(crate) enum PrivateKey {
    Rsa(RsaKey),
    Ec(EcdsaKey),
    Ed25519(Ed25519Key),
    #[cfg(feature = "ed448")]
    Ed448(ed448::PrivateKey),
    MlDsa(MlDsaKey),
}

impl PrivateKey {
    pub(crate) fn generate(alg: Alg) -> Result<Self, KeyError> {
        if let Some(curve) = Curve::from_alg(alg) {
            return EcdsaKey::generate(curve).map(Self::Ec);
        }
        if let Some(set) = MlDsa::from_alg(alg) {
            return MlDsaKey::generate(set).map(Self::MlDsa);
        }
        match alg {
            Alg::Ed25519 => Ed25519Key::generate().map(Self::Ed25519),
            #[cfg(feature = "ed448")]
            Alg::Ed448 => ed448::PrivateKey::generate().map(Self::Ed448),
            mac if mac.is_mac() => Err(KeyError::Type { alg, seen: "an asymmetric key" }),
            _ => Self::generate_rsa(alg, 2048),
        }
    }

    pub(crate) fn generate_rsa(alg: Alg, bits: usize) -> Result<Self, KeyError> {
        Kind::Rsa.check_fits(alg)?;
        RsaKey::generate(alg, bits).map(Self::Rsa)
    }

    /// Refuses halves that do not belong together.
    pub(crate) fn new(alg: Alg, material: &PrivateMaterial) -> Result<Self, KeyError> {
        material.kind().check_fits(alg)?;
        match material {
            PrivateMaterial::Rsa(rsa) => RsaKey::new(alg, rsa).map(Self::Rsa),
            PrivateMaterial::Ec { curve, d, public } => {
                EcdsaKey::new(*curve, d, public.as_ref()).map(Self::Ec)
            }
            PrivateMaterial::Ed25519 { seed, public } => {
                Ed25519Key::new(seed, public.as_ref()).map(Self::Ed25519)
            }
            #[cfg(feature = "ed448")]
            PrivateMaterial::Ed448 { seed, public } => {
                ed448::PrivateKey::new(seed, public.as_ref()).map(Self::Ed448)
            }
            PrivateMaterial::MlDsa { set, seed, expanded, public } => {
                let expanded = expanded.as_ref().map(|expanded| &expanded[..]);
                MlDsaKey::new(*set, seed, expanded, public.as_deref()).map(Self::MlDsa)
            }
        }
    }

    pub(crate) fn public_material(&self) -> Result<PublicMaterial, KeyError> {
        match self {
            Self::Rsa(key) => key.public_material(),
            Self::Ec(key) => key.point().map(PublicMaterial::Ec),
            Self::Ed25519(key) => PublicMaterial::ed25519(key.public()),
            #[cfg(feature = "ed448")]
            Self::Ed448(key) => PublicMaterial::ed448(key.public()),
            Self::MlDsa(key) => key.public_material(),
        }
    }

    /// The numbers, to be written in another format.
    pub(crate) fn private_material(&self) -> Result<PrivateMaterial, KeyError> {
        match self {
            Self::Rsa(key) => key.private_material(),
            Self::Ec(key) => key.private_material(),
            Self::Ed25519(key) => key.private_material(),
            #[cfg(feature = "ed448")]
            Self::Ed448(key) => Ok(key.private_material()),
            Self::MlDsa(key) => Ok(key.private_material()),
        }
    }

    pub(crate) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match self {
            Self::Rsa(key) => key.to_pkcs8(),
            Self::Ec(key) => key.to_pkcs8(),
            Self::Ed25519(key) => key.to_pkcs8(),
            #[cfg(feature = "ed448")]
            Self::Ed448(key) => key.to_pkcs8(),
            Self::MlDsa(key) => key.to_pkcs8(),
        }
    }

    /// Lends the signature in its JWS form.
    pub(crate) fn sign<R>(&self, message: &[u8], take: impl FnOnce(&[u8]) -> R) -> Result<R, SignError> {
        match self {
            Self::Rsa(key) => key.sign(message, take),
            Self::Ec(key) => key.sign(message, take),
            Self::Ed25519(key) => key.sign(message, take),
            #[cfg(feature = "ed448")]
            Self::Ed448(key) => Ok(key.sign(message, take)),
            Self::MlDsa(key) => key.sign(message, take),
        }
    }

    /// As [`sign`](Self::sign), from the digest. The caller has seen to it that the algorithm signs
    /// digests of this kind.
    pub(crate) fn sign_digest<R>(
        &self,
        digest: &Digest,
        take: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, SignError> {
        match self {
            Self::Rsa(key) => key.sign_digest(digest, take),
            Self::Ec(key) => key.sign_digest(digest, take),
            _ => Err(SignError::Backend),
        }
    }
}
