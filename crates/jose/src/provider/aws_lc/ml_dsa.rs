//! ML-DSA, pure and with an empty context (RFC 9964 §4).

use aws_lc_rs::{
    constant_time,
    encoding::AsRawBytes,
    signature::{
        KeyPair, ML_DSA_44, ML_DSA_44_SIGNING, ML_DSA_65, ML_DSA_65_SIGNING, ML_DSA_87, ML_DSA_87_SIGNING,
        PqdsaKeyPair, PqdsaSigningAlgorithm, PqdsaVerificationAlgorithm,
    },
};
use zeroize::Zeroizing;

use super::{backend, invalid, random};
use crate::{
    KeyError, SignError,
    key::{
        kind::MlDsa,
        material::{PrivateMaterial, PublicMaterial},
    },
};

/// The longest signature: that of ML-DSA-87.
const MAX_BYTES: usize = 4627;

pub(super) fn verification(set: MlDsa) -> &'static PqdsaVerificationAlgorithm {
    match set {
        MlDsa::L44 => &ML_DSA_44,
        MlDsa::L65 => &ML_DSA_65,
        MlDsa::L87 => &ML_DSA_87,
    }
}

fn signing(set: MlDsa) -> &'static PqdsaSigningAlgorithm {
    match set {
        MlDsa::L44 => &ML_DSA_44_SIGNING,
        MlDsa::L65 => &ML_DSA_65_SIGNING,
        MlDsa::L87 => &ML_DSA_87_SIGNING,
    }
}

/// AWS-LC hands the seed out inside PKCS#8 only, so it is kept beside the pair.
pub(crate) struct PrivateKey {
    set: MlDsa,
    pair: PqdsaKeyPair,
    seed: Zeroizing<[u8; 32]>,
}

impl PrivateKey {
    pub(super) fn generate(set: MlDsa) -> Result<Self, KeyError> {
        let mut seed = Zeroizing::new([0; 32]);
        random(&mut seed[..])?;
        Self::new(set, &seed, None, None)
    }

    /// Refuses an expanded or a public key that is not that of the seed.
    pub(super) fn new(
        set: MlDsa,
        seed: &[u8; 32],
        expanded: Option<&[u8]>,
        public: Option<&[u8]>,
    ) -> Result<Self, KeyError> {
        let pair = PqdsaKeyPair::from_seed(signing(set), seed).map_err(backend)?;
        if let Some(expanded) = expanded {
            let ours = pair.private_key().as_raw_bytes().map_err(backend)?;
            constant_time::verify_slices_are_equal(ours.as_ref(), expanded).map_err(invalid)?;
        }
        if public.is_some_and(|public| public != pair.public_key().as_ref()) {
            return Err(invalid(()));
        }
        Ok(Self { set, pair, seed: Zeroizing::new(*seed) })
    }

    pub(super) fn public_material(&self) -> Result<PublicMaterial, KeyError> {
        PublicMaterial::ml_dsa(self.set, self.pair.public_key().as_ref())
    }

    pub(super) fn private_material(&self) -> Result<PrivateMaterial, KeyError> {
        Ok(PrivateMaterial::MlDsa {
            set: self.set,
            seed: self.seed.clone(),
            expanded: None,
            public: Some(self.pair.public_key().as_ref().into()),
        })
    }

    /// In the form of the seed.
    pub(super) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let der = self.pair.to_pkcs8v1().map_err(backend)?;
        Ok(Zeroizing::new(der.as_ref().to_vec()))
    }

    pub(super) fn sign<R>(&self, message: &[u8], take: impl FnOnce(&[u8]) -> R) -> Result<R, SignError> {
        let mut room = [0; MAX_BYTES];
        let len = self.pair.sign(message, &mut room).map_err(|_| SignError::Backend)?;
        room.get(..len).map(take).ok_or(SignError::Backend)
    }
}
