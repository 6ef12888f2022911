//! AWS-LC through `aws-lc-rs`. Keys are parsed once, here, and used many times.

mod digest;
mod ecdsa;
mod ed25519;
mod mac;
mod ml_dsa;
mod rsa;

use aws_lc_rs::{rand, signature::ParsedPublicKey};
use zeroize::Zeroizing;

use crate::{
    Alg, KeyError, SignError,
    key::{
        kind::{Curve, Kind, MlDsa},
        material::{PrivateMaterial, PublicMaterial},
    },
};

pub(crate) use digest::{Digest, Hasher};
pub(crate) use mac::{Mac, MacContext};

pub(crate) struct PublicKey(ParsedPublicKey);

impl PublicKey {
    /// Refuses a point that is not on its curve.
    pub(crate) fn new(alg: Alg, material: &PublicMaterial) -> Result<Self, KeyError> {
        material.kind().check_fits(alg)?;
        let parsed = match material {
            PublicMaterial::Rsa { n, e } => rsa::public(alg, n, e),
            PublicMaterial::Ec(point) => {
                ParsedPublicKey::new(ecdsa::verification(point.curve()), point.bytes())
            }
            PublicMaterial::Ed25519(point) => ParsedPublicKey::new(&aws_lc_rs::signature::ED25519, point),
            PublicMaterial::MlDsa { set, public } => ParsedPublicKey::new(ml_dsa::verification(*set), public),
        };
        parsed.map(Self).map_err(|_| KeyError::Invalid("the numbers are not a public key"))
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }

    /// The caller has seen to it that the algorithm signs digests of this kind.
    pub(crate) fn verifies_digest(&self, digest: &Digest, signature: &[u8]) -> bool {
        self.0.verify_digest_sig(digest.get(), signature).is_ok()
    }
}

pub(crate) enum PrivateKey {
    Rsa(rsa::PrivateKey),
    Ec(ecdsa::PrivateKey),
    Ed25519(ed25519::PrivateKey),
    MlDsa(ml_dsa::PrivateKey),
}

impl PrivateKey {
    pub(crate) fn generate(alg: Alg) -> Result<Self, KeyError> {
        if let Some(curve) = Curve::ALL.into_iter().find(|curve| curve.alg() == alg) {
            return ecdsa::PrivateKey::generate(curve).map(Self::Ec);
        }
        if let Some(set) = MlDsa::from_alg(alg) {
            return ml_dsa::PrivateKey::generate(set).map(Self::MlDsa);
        }
        if alg == Alg::Ed25519 {
            return ed25519::PrivateKey::generate().map(Self::Ed25519);
        }
        Self::generate_rsa(alg, 2048)
    }

    /// `bits` is one of the sizes that [`Size`](KeyError::Size) would otherwise name.
    pub(crate) fn generate_rsa(alg: Alg, bits: usize) -> Result<Self, KeyError> {
        if !Kind::Rsa.fits(alg) {
            return Err(KeyError::Type {
                alg,
                seen: if alg.is_mac() { "an asymmetric key" } else { Kind::Rsa.seen() },
            });
        }
        rsa::PrivateKey::generate(alg, bits).map(Self::Rsa)
    }

    /// Refuses halves that do not belong together.
    pub(crate) fn new(alg: Alg, material: &PrivateMaterial) -> Result<Self, KeyError> {
        material.kind().check_fits(alg)?;
        match material {
            PrivateMaterial::Rsa(rsa) => rsa::PrivateKey::new(alg, rsa).map(Self::Rsa),
            PrivateMaterial::Ec { curve, d, public } => {
                ecdsa::PrivateKey::new(*curve, d, public.as_ref()).map(Self::Ec)
            }
            PrivateMaterial::Ed25519 { seed, public } => {
                ed25519::PrivateKey::new(seed, public.as_ref()).map(Self::Ed25519)
            }
            PrivateMaterial::MlDsa { set, seed, expanded, public } => {
                let expanded = expanded.as_ref().map(|expanded| &expanded[..]);
                ml_dsa::PrivateKey::new(*set, seed, expanded, public.as_deref()).map(Self::MlDsa)
            }
        }
    }

    pub(crate) fn public_material(&self) -> Result<PublicMaterial, KeyError> {
        match self {
            Self::Rsa(key) => key.public_material(),
            Self::Ec(key) => key.point().map(PublicMaterial::Ec),
            Self::Ed25519(key) => PublicMaterial::ed25519(key.public()),
            Self::MlDsa(key) => key.public_material(),
        }
    }

    /// The numbers, to be written in another format.
    pub(crate) fn private_material(&self) -> Result<PrivateMaterial, KeyError> {
        match self {
            Self::Rsa(key) => key.private_material(),
            Self::Ec(key) => key.private_material(),
            Self::Ed25519(key) => key.private_material(),
            Self::MlDsa(key) => key.private_material(),
        }
    }

    pub(crate) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match self {
            Self::Rsa(key) => key.to_pkcs8(),
            Self::Ec(key) => key.to_pkcs8(),
            Self::Ed25519(key) => key.to_pkcs8(),
            Self::MlDsa(key) => key.to_pkcs8(),
        }
    }

    /// Lends the signature in its JWS form.
    pub(crate) fn sign<R>(&self, message: &[u8], take: impl FnOnce(&[u8]) -> R) -> Result<R, SignError> {
        match self {
            Self::Rsa(key) => key.sign(message, take),
            Self::Ec(key) => key.sign(message, take),
            Self::Ed25519(key) => key.sign(message, take),
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
            Self::Ed25519(_) | Self::MlDsa(_) => Err(SignError::Backend),
        }
    }
}

pub(crate) fn random(bytes: &mut [u8]) -> Result<(), KeyError> {
    rand::fill(bytes).map_err(|_| KeyError::Backend)
}

/// AWS-LC failed at something that cannot fail for a reason of the caller's.
fn backend<E>(_: E) -> KeyError {
    KeyError::Backend
}

/// What every private key says whose parts contradict each other.
fn invalid<E>(_: E) -> KeyError {
    KeyError::Invalid("the private numbers do not fit each other or the public ones")
}
