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
        material::{PrivateMaterial, PublicMaterial, Seed},
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
    seed: Seed<32>,
}

impl PrivateKey {
    pub(in crate::provider) fn generate(set: MlDsa) -> Result<Self, KeyError> {
        let mut seed = Seed::zero();
        random(&mut seed[..])?;
        Self::new(set, &seed, None, None)
    }

    /// Refuses an expanded or a public key that is not that of the seed.
    pub(in crate::provider) fn new(
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
        let mut kept = Seed::zero();
        kept.copy_from_slice(seed);
        Ok(Self { set, pair, seed: kept })
    }

    pub(in crate::provider) fn public_material(&self) -> Result<PublicMaterial, KeyError> {
        PublicMaterial::ml_dsa(self.set, self.pair.public_key().as_ref())
    }

    pub(in crate::provider) fn private_material(&self) -> PrivateMaterial {
        let mut seed = Seed::zero();
        seed.copy_from_slice(&self.seed[..]);
        PrivateMaterial::MlDsa {
            set: self.set,
            seed,
            expanded: None,
            public: Some(self.pair.public_key().as_ref().into()),
        }
    }

    /// In the form of the seed.
    pub(in crate::provider) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let der = self.pair.to_pkcs8v1().map_err(backend)?;
        Ok(Zeroizing::new(der.as_ref().to_vec()))
    }

    pub(in crate::provider) fn sign<R>(
        &self,
        message: &[u8],
        take: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, SignError> {
        let mut room = [0; MAX_BYTES];
        let len = self.pair.sign(message, &mut room).map_err(|_| SignError::Backend)?;
        room.get(..len).map(take).ok_or(SignError::Backend)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SigningKey, key::der};

    fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
        let [high, low] = u16::try_from(value.len()).unwrap().to_be_bytes();
        let header = match value.len() {
            0..0x80 => vec![tag, low],
            0x80..0x100 => vec![tag, 0x81, low],
            _ => vec![tag, 0x82, high, low],
        };
        [&header, value].concat()
    }

    /// A `PrivateKeyInfo` around this `privateKey`, with these attributes or public key after it.
    fn pkcs8(set: MlDsa, version: u8, key: &[u8], more: &[u8]) -> Vec<u8> {
        let algorithm = tlv(0x30, &tlv(0x06, set.oid().as_bytes()));
        tlv(0x30, &[&[0x02, 0x01, version], &algorithm[..], &tlv(0x04, key), more].concat())
    }

    #[test]
    fn private_keys_are_read_by_seed_or_by_both_forms_that_agree() {
        for set in MlDsa::ALL {
            let key = PrivateKey::generate(set).unwrap();
            let expanded = key.pair.private_key().as_raw_bytes().unwrap().as_ref().to_vec();
            let public = key.pair.public_key().as_ref().to_vec();
            assert_eq!((public.len(), expanded.len()), (set.public_len(), set.expanded_len()));
            let seed = &key.seed[..];
            let read = |der: &[u8]| SigningKey::from_pkcs8_der(set.alg(), der);
            let both =
                |seed: &[u8], expanded: &[u8]| tlv(0x30, &[tlv(0x04, seed), tlv(0x04, expanded)].concat());
            // What AWS-LC writes is the seed in its own tag.
            assert_eq!(*key.to_pkcs8().unwrap(), pkcs8(set, 0, &tlv(0x80, seed), &[]));
            let with_public = |public: &[u8]| tlv(0x81, &[&[0], public].concat());
            let public_key = key.public_material().unwrap();
            for good in [
                pkcs8(set, 0, &tlv(0x80, seed), &[]),
                pkcs8(set, 1, &tlv(0x80, seed), &with_public(&public)),
                pkcs8(set, 0, &both(seed, &expanded), &[]),
            ] {
                let read = read(&good).unwrap();
                assert_eq!(read.verifying_key().to_spki_der(), der::public_to_spki(&public_key).unwrap());
            }
            assert_eq!(
                read(&pkcs8(set, 0, &tlv(0x04, &expanded), &[])).unwrap_err().to_string(),
                "found an ML-DSA private key in expanded form only, but one with its seed (RFC 9881 §6, `seed` or \
                 `both`) is needed"
            );
            let mut other_expanded = expanded.clone();
            other_expanded[100] ^= 1;
            let mut other_public = public.clone();
            other_public[100] ^= 1;
            for bad in [
                pkcs8(set, 0, &both(seed, &other_expanded), &[]),
                pkcs8(set, 0, &both(&[7; 32], &expanded), &[]),
                pkcs8(set, 0, &both(&seed[1..], &expanded), &[]),
                pkcs8(set, 0, &both(seed, &expanded[1..]), &[]),
                pkcs8(set, 0, &[both(seed, &expanded), vec![0]].concat(), &[]),
                pkcs8(set, 1, &tlv(0x80, seed), &with_public(&other_public)),
                pkcs8(set, 1, &tlv(0x80, seed), &with_public(&public[1..])),
                pkcs8(set, 0, &tlv(0x80, &seed[1..]), &[]),
                pkcs8(set, 0, &tlv(0xA0, seed), &[]),
                pkcs8(set, 0, &tlv(0x81, seed), &[]),
                pkcs8(set, 0, seed, &[]),
                pkcs8(set, 0, &[], &[]),
            ] {
                assert!(read(&bad).is_err(), "{bad:x?}");
            }
        }
    }
}
