//! RSASSA-PKCS1-v1_5 and RSASSA-PSS.

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    error::KeyRejected,
    rand::SystemRandom,
    rsa::{KeyPairComponents, KeySize},
    signature::{
        KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
        RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
        RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RSA_PSS_SHA256,
        RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair, RsaParameters, RsaPublicKeyComponents,
    },
};
use zeroize::Zeroizing;

use super::{Digest, backend, invalid};
use crate::{
    Alg, KeyError, SignError,
    key::{
        der,
        material::{PrivateMaterial, PublicMaterial, RsaPrivate},
    },
};

/// The longest signature: that of a modulus of 8192 bits.
const MAX_BYTES: usize = 1024;

fn parameters(alg: Alg) -> &'static RsaParameters {
    match alg {
        Alg::Ps256 => &RSA_PSS_2048_8192_SHA256,
        Alg::Ps384 => &RSA_PSS_2048_8192_SHA384,
        Alg::Ps512 => &RSA_PSS_2048_8192_SHA512,
        Alg::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
        Alg::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
        _ => &RSA_PKCS1_2048_8192_SHA256,
    }
}

/// The salt of PSS is as long as the hash (RFC 7518 §3.5).
fn encoding(alg: Alg) -> &'static dyn RsaEncoding {
    match alg {
        Alg::Ps256 => &RSA_PSS_SHA256,
        Alg::Ps384 => &RSA_PSS_SHA384,
        Alg::Ps512 => &RSA_PSS_SHA512,
        Alg::Rs384 => &RSA_PKCS1_SHA384,
        Alg::Rs512 => &RSA_PKCS1_SHA512,
        _ => &RSA_PKCS1_SHA256,
    }
}

pub(super) fn public(alg: Alg, n: &[u8], e: &[u8]) -> Result<ParsedPublicKey, KeyRejected> {
    RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters(alg))
}

pub(crate) struct PrivateKey {
    pair: RsaKeyPair,
    encoding: &'static dyn RsaEncoding,
}

impl PrivateKey {
    pub(in crate::provider) fn generate(alg: Alg, bits: usize) -> Result<Self, KeyError> {
        let size = match bits {
            2048 => KeySize::Rsa2048,
            3072 => KeySize::Rsa3072,
            4096 => KeySize::Rsa4096,
            8192 => KeySize::Rsa8192,
            _ => {
                return Err(KeyError::Unsupported(
                    "making an RSA key of a size other than 2048, 3072, 4096 and 8192 bits",
                ));
            }
        };
        let pair = RsaKeyPair::generate(size).map_err(backend)?;
        Ok(Self { pair, encoding: encoding(alg) })
    }

    pub(in crate::provider) fn new(alg: Alg, rsa: &RsaPrivate) -> Result<Self, KeyError> {
        // The same rules as for the public half alone, before any long arithmetic.
        PublicMaterial::check_rsa(&rsa.n, &rsa.e)?;
        let pair = RsaKeyPair::from_components(&KeyPairComponents {
            public_key: RsaPublicKeyComponents { n: &rsa.n[..], e: &rsa.e[..] },
            d: &rsa.d[..],
            p: &rsa.p[..],
            q: &rsa.q[..],
            dP: &rsa.dp[..],
            dQ: &rsa.dq[..],
            qInv: &rsa.qi[..],
        });
        Ok(Self { pair: pair.map_err(invalid)?, encoding: encoding(alg) })
    }

    pub(in crate::provider) fn public_material(&self) -> Result<PublicMaterial, KeyError> {
        der::public_from_pkcs1(self.pair.public_key().as_ref())
    }

    pub(in crate::provider) fn private_material(&self) -> Result<PrivateMaterial, KeyError> {
        der::private_from_pkcs8(&self.to_pkcs8()?)
    }

    pub(in crate::provider) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let der: Pkcs8V1Der<'_> = self.pair.as_der().map_err(backend)?;
        Ok(Zeroizing::new(der.as_ref().to_vec()))
    }

    pub(in crate::provider) fn sign<R>(
        &self,
        message: &[u8],
        take: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, SignError> {
        self.fill(take, |room| self.pair.sign(self.encoding, &SystemRandom::new(), message, room))
    }

    pub(in crate::provider) fn sign_digest<R>(
        &self,
        digest: &Digest,
        take: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, SignError> {
        self.fill(take, |room| self.pair.sign_digest(self.encoding, digest.get(), room))
    }

    fn fill<R, E>(
        &self,
        take: impl FnOnce(&[u8]) -> R,
        sign: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<R, SignError> {
        let mut room = [0; MAX_BYTES];
        let room = room.get_mut(..self.pair.public_modulus_len()).ok_or(SignError::Backend)?;
        sign(room).map_err(|_| SignError::Backend)?;
        Ok(take(room))
    }
}
