//! Ed25519.

use aws_lc_rs::{
    encoding::AsBigEndian,
    signature::{Ed25519KeyPair, KeyPair},
};
use zeroize::Zeroizing;

use super::{backend, invalid};
use crate::{
    KeyError, SignError,
    key::material::{PrivateMaterial, Seed},
};

pub(crate) struct PrivateKey(Ed25519KeyPair);

impl PrivateKey {
    pub(in crate::provider) fn generate() -> Result<Self, KeyError> {
        Ed25519KeyPair::generate().map(Self).map_err(backend)
    }

    pub(in crate::provider) fn new(seed: &[u8; 32], public: Option<&[u8; 32]>) -> Result<Self, KeyError> {
        let pair = match public {
            Some(public) => Ed25519KeyPair::from_seed_and_public_key(seed, public),
            None => Ed25519KeyPair::from_seed_unchecked(seed),
        };
        pair.map(Self).map_err(invalid)
    }

    pub(in crate::provider) fn public(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    pub(in crate::provider) fn private_material(&self) -> Result<PrivateMaterial, KeyError> {
        let seed = self.0.seed().map_err(backend)?;
        let seed = seed.as_be_bytes().map_err(backend)?;
        let seed = Seed::copy_of(seed.as_ref()).ok_or(KeyError::Backend)?;
        let public = self.public().try_into().map_err(backend)?;
        Ok(PrivateMaterial::Ed25519 { seed, public: Some(public) })
    }

    pub(in crate::provider) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let der = self.0.to_pkcs8v1().map_err(backend)?;
        Ok(Zeroizing::new(der.as_ref().to_vec()))
    }

    pub(in crate::provider) fn sign<R>(
        &self,
        message: &[u8],
        take: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, SignError> {
        match self.0.try_sign(message) {
            Ok(signature) => Ok(take(signature.as_ref())),
            Err(_) => Err(SignError::Backend),
        }
    }
}
