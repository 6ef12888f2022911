//! ECDSA in the form of JWS, r‖s (RFC 7518 §3.4).

use aws_lc_rs::{
    encoding::{AsBigEndian, EcPrivateKeyBin},
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P256K1_SHA256_FIXED,
        ECDSA_P256K1_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING,
        ECDSA_P521_SHA512_FIXED, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
        EcdsaVerificationAlgorithm, KeyPair,
    },
};
use zeroize::Zeroizing;

use super::{Digest, backend, invalid};
use crate::{
    KeyError, SignError,
    key::{
        der,
        kind::Curve,
        material::{Point, PrivateMaterial},
    },
};

pub(super) fn verification(curve: Curve) -> &'static EcdsaVerificationAlgorithm {
    match curve {
        Curve::P256 => &ECDSA_P256_SHA256_FIXED,
        Curve::P384 => &ECDSA_P384_SHA384_FIXED,
        Curve::P521 => &ECDSA_P521_SHA512_FIXED,
        Curve::Secp256k1 => &ECDSA_P256K1_SHA256_FIXED,
    }
}

fn signing(curve: Curve) -> &'static EcdsaSigningAlgorithm {
    match curve {
        Curve::P256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
        Curve::P384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        Curve::P521 => &ECDSA_P521_SHA512_FIXED_SIGNING,
        Curve::Secp256k1 => &ECDSA_P256K1_SHA256_FIXED_SIGNING,
    }
}

pub(crate) struct PrivateKey {
    curve: Curve,
    pair: EcdsaKeyPair,
}

impl PrivateKey {
    pub(in crate::provider) fn generate(curve: Curve) -> Result<Self, KeyError> {
        let pair = EcdsaKeyPair::generate(signing(curve)).map_err(backend)?;
        Ok(Self { curve, pair })
    }

    pub(in crate::provider) fn new(curve: Curve, d: &[u8], public: Option<&Point>) -> Result<Self, KeyError> {
        let pair = match public {
            Some(point) => EcdsaKeyPair::from_private_key_and_public_key(signing(curve), d, point.bytes()),
            None => EcdsaKeyPair::from_private_key_der(signing(curve), &der::ec_to_sec1(curve, d)?),
        };
        Ok(Self { curve, pair: pair.map_err(invalid)? })
    }

    pub(in crate::provider) fn point(&self) -> Result<Point, KeyError> {
        Point::parse(self.curve, self.pair.public_key().as_ref())
    }

    pub(in crate::provider) fn private_material(&self) -> Result<PrivateMaterial, KeyError> {
        let d: EcPrivateKeyBin<'_> = self.pair.private_key().as_be_bytes().map_err(backend)?;
        let d = Zeroizing::new(d.as_ref().to_vec());
        Ok(PrivateMaterial::Ec { curve: self.curve, d, public: Some(self.point()?) })
    }

    pub(in crate::provider) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let der = self.pair.to_pkcs8v1().map_err(backend)?;
        Ok(Zeroizing::new(der.as_ref().to_vec()))
    }

    pub(in crate::provider) fn sign<R>(
        &self,
        message: &[u8],
        take: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, SignError> {
        match self.pair.sign(&SystemRandom::new(), message) {
            Ok(signature) => Ok(take(signature.as_ref())),
            Err(_) => Err(SignError::Backend),
        }
    }

    pub(in crate::provider) fn sign_digest<R>(
        &self,
        digest: &Digest,
        take: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, SignError> {
        match self.pair.sign_digest(digest.get()) {
            Ok(signature) => Ok(take(signature.as_ref())),
            Err(_) => Err(SignError::Backend),
        }
    }
}
