//! AWS-LC through `aws-lc-rs`: everything but Ed448.

mod digest;
mod ecdsa;
mod ed25519;
mod mac;
mod ml_dsa;
mod rsa;

use aws_lc_rs::{
    rand,
    signature::{ED25519, ParsedPublicKey},
};

use crate::{
    Alg, KeyError,
    key::{kind::MlDsa, material::Point},
};

pub(crate) use digest::{Digest, Hasher};
pub(crate) use ecdsa::PrivateKey as EcdsaKey;
pub(crate) use ed25519::PrivateKey as Ed25519Key;
pub(crate) use mac::{Mac, MacContext};
pub(crate) use ml_dsa::PrivateKey as MlDsaKey;
pub(crate) use rsa::PrivateKey as RsaKey;

/// A public key of any algorithm of this back end.
pub(crate) struct PublicKey(ParsedPublicKey);

impl PublicKey {
    pub(super) fn rsa(alg: Alg, n: &[u8], e: &[u8]) -> Result<Self, KeyError> {
        rsa::public(alg, n, e).map(Self).map_err(not_a_key)
    }

    /// Refuses a point that is not on its curve.
    pub(super) fn ecdsa(point: &Point) -> Result<Self, KeyError> {
        let parsed = ParsedPublicKey::new(ecdsa::verification(point.curve()), point.bytes());
        parsed.map(Self).map_err(not_a_key)
    }

    pub(super) fn ed25519(point: &[u8; 32]) -> Result<Self, KeyError> {
        ParsedPublicKey::new(&ED25519, point).map(Self).map_err(not_a_key)
    }

    pub(super) fn ml_dsa(set: MlDsa, public: &[u8]) -> Result<Self, KeyError> {
        ParsedPublicKey::new(ml_dsa::verification(set), public).map(Self).map_err(not_a_key)
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }

    pub(super) fn verifies_digest(&self, digest: &Digest, signature: &[u8]) -> bool {
        self.0.verify_digest_sig(digest.get(), signature).is_ok()
    }
}

pub(crate) fn random(bytes: &mut [u8]) -> Result<(), KeyError> {
    rand::fill(bytes).map_err(backend)
}

/// AWS-LC failed at something that cannot fail for a reason of the caller's.
fn backend<E>(_: E) -> KeyError {
    KeyError::Backend
}

fn not_a_key<E>(_: E) -> KeyError {
    KeyError::Invalid("the numbers are not a public key")
}

/// What every private key says whose parts contradict each other.
fn invalid<E>(_: E) -> KeyError {
    KeyError::Invalid("the private numbers do not fit each other or the public ones")
}
