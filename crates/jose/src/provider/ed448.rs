//! Ed448 (RFC 8032 §5.2), pure and with an empty context, through `ed448-goldilocks`.

use ed448_goldilocks::{Signature, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use crate::{
    KeyError,
    key::{
        der, edwards448,
        material::{PrivateMaterial, Seed},
    },
    provider,
};

pub(crate) struct PublicKey(Box<VerifyingKey>);

impl PublicKey {
    /// Refuses a point that is not on the curve, or not in the group of the base point.
    pub(super) fn new(point: &[u8; 57]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(point);
        key.map(Box::new).map(Self).map_err(|_| KeyError::Invalid("the numbers are not a public key"))
    }

    /// Refuses R in a second encoding, which the crate reads, and S out of range, which it does
    /// not.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let Some(r) = signature.first_chunk::<57>() else {
            return false;
        };
        edwards448::is_canonical(r)
            && Signature::try_from(signature)
                .is_ok_and(|signature| self.0.verify_raw(&signature, message).is_ok())
    }
}

pub(crate) struct PrivateKey {
    key: Box<SigningKey>,
    public: [u8; 57],
}

impl PrivateKey {
    pub(super) fn generate() -> Result<Self, KeyError> {
        let mut seed = Seed::zero();
        provider::random(&mut seed[..])?;
        Self::new(&seed, None)
    }

    pub(super) fn new(seed: &[u8; 57], public: Option<&[u8; 57]>) -> Result<Self, KeyError> {
        let key = SigningKey::try_from(&seed[..]).map(Box::new).map_err(|_| KeyError::Backend)?;
        let ours = key.verifying_key().to_bytes();
        if public.is_some_and(|public| *public != ours) {
            return Err(KeyError::Invalid("the private numbers do not fit each other or the public ones"));
        }
        Ok(Self { key, public: ours })
    }

    pub(super) fn public(&self) -> &[u8] {
        &self.public
    }

    pub(super) fn private_material(&self) -> PrivateMaterial {
        PrivateMaterial::Ed448 { seed: self.seed(), public: Some(self.public) }
    }

    pub(super) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        der::ed448_to_pkcs8(&self.seed())
    }

    pub(super) fn sign<R>(&self, message: &[u8], take: impl FnOnce(&[u8]) -> R) -> R {
        take(&self.key.sign_raw(message).to_bytes())
    }

    fn seed(&self) -> Seed<57> {
        let mut seed = Seed::zero();
        seed.copy_from_slice(self.key.as_bytes());
        seed
    }
}
