//! AWS-LC through `aws-lc-rs`. Keys are parsed once, here, and used many times.

use aws_lc_rs::{
    digest,
    encoding::{AsBigEndian, AsDer, EcPrivateKeyBin},
    hmac, rand,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
        KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256,
        RSA_PSS_SHA256, RsaEncoding, RsaKeyPair, RsaParameters, RsaPublicKeyComponents,
    },
};
use zeroize::Zeroizing;

use crate::{
    Alg, KeyError, SignError,
    key::{
        der,
        material::{PrivateMaterial, PublicMaterial},
    },
};

pub(crate) struct PublicKey(ParsedPublicKey);

impl PublicKey {
    /// Refuses a point that is not on its curve.
    pub(crate) fn new(alg: Alg, material: &PublicMaterial) -> Result<Self, KeyError> {
        material.check_fits(alg)?;
        let invalid = |_| KeyError::Invalid("the numbers are not a public key");
        let parsed = match material {
            PublicMaterial::Rsa { n, e } => {
                RsaPublicKeyComponents { n, e }.to_parsed_public_key(rsa_parameters(alg)).map_err(invalid)?
            }
            PublicMaterial::P256 { x, y } => {
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, [&[4], &x[..], &y[..]].concat())
                    .map_err(invalid)?
            }
            PublicMaterial::Ed25519(point) => ParsedPublicKey::new(&ED25519, point).map_err(invalid)?,
        };
        Ok(Self(parsed))
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

fn rsa_parameters(alg: Alg) -> &'static RsaParameters {
    match alg {
        Alg::Ps256 => &RSA_PSS_2048_8192_SHA256,
        _ => &RSA_PKCS1_2048_8192_SHA256,
    }
}

pub(crate) enum PrivateKey {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl PrivateKey {
    pub(crate) fn generate(alg: Alg) -> Result<Self, KeyError> {
        let backend = |_| KeyError::Backend;
        Ok(match alg {
            Alg::Rs256 | Alg::Ps256 => {
                Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).map_err(backend)?, rsa_encoding(alg))
            }
            Alg::Es256 => {
                Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(backend)?)
            }
            Alg::Ed25519 => Self::Ed25519(Ed25519KeyPair::generate().map_err(backend)?),
            Alg::Hs256 => return Err(KeyError::Type { alg, seen: "an asymmetric key" }),
        })
    }

    /// Refuses halves that do not belong together.
    pub(crate) fn new(alg: Alg, material: &PrivateMaterial) -> Result<Self, KeyError> {
        material.check_fits(alg)?;
        let invalid = |_| KeyError::Invalid("the private numbers do not fit each other or the public ones");
        Ok(match material {
            PrivateMaterial::Rsa(rsa) => {
                // The same rules as for the public half alone, before any long arithmetic.
                PublicMaterial::rsa(&rsa.n, &rsa.e)?;
                let pair = RsaKeyPair::from_components(&aws_lc_rs::rsa::KeyPairComponents {
                    public_key: RsaPublicKeyComponents { n: &rsa.n[..], e: &rsa.e[..] },
                    d: &rsa.d[..],
                    p: &rsa.p[..],
                    q: &rsa.q[..],
                    dP: &rsa.dp[..],
                    dQ: &rsa.dq[..],
                    qInv: &rsa.qi[..],
                })
                .map_err(invalid)?;
                Self::Rsa(pair, rsa_encoding(alg))
            }
            PrivateMaterial::P256 { d, public: Some(PublicMaterial::P256 { x, y }) } => Self::P256(
                EcdsaKeyPair::from_private_key_and_public_key(
                    &ECDSA_P256_SHA256_FIXED_SIGNING,
                    &d[..],
                    &[&[4], &x[..], &y[..]].concat(),
                )
                .map_err(invalid)?,
            ),
            PrivateMaterial::P256 { d, .. } => Self::P256(
                EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &der::p256_to_sec1(d)?)
                    .map_err(invalid)?,
            ),
            PrivateMaterial::Ed25519 { seed, public: Some(public) } => {
                Self::Ed25519(Ed25519KeyPair::from_seed_and_public_key(&seed[..], public).map_err(invalid)?)
            }
            PrivateMaterial::Ed25519 { seed, public: None } => {
                Self::Ed25519(Ed25519KeyPair::from_seed_unchecked(&seed[..]).map_err(invalid)?)
            }
        })
    }

    pub(crate) fn public_material(&self) -> Result<PublicMaterial, KeyError> {
        match self {
            Self::Rsa(pair, _) => der::public_from_pkcs1(pair.public_key().as_ref()),
            Self::P256(pair) => PublicMaterial::p256_point(pair.public_key().as_ref()),
            Self::Ed25519(pair) => PublicMaterial::ed25519(pair.public_key().as_ref()),
        }
    }

    /// The numbers, to be written in another format.
    pub(crate) fn private_material(&self) -> Result<PrivateMaterial, KeyError> {
        match self {
            Self::Rsa(..) => der::private_from_pkcs8(&self.to_pkcs8()?),
            Self::P256(pair) => {
                let d: EcPrivateKeyBin<'_> =
                    pair.private_key().as_be_bytes().map_err(|_| KeyError::Backend)?;
                let d: [u8; 32] = d.as_ref().try_into().map_err(|_| KeyError::Backend)?;
                Ok(PrivateMaterial::P256 { d: Zeroizing::new(d), public: Some(self.public_material()?) })
            }
            Self::Ed25519(pair) => {
                let seed = pair.seed().map_err(|_| KeyError::Backend)?;
                let seed = seed.as_be_bytes().map_err(|_| KeyError::Backend)?;
                let seed: [u8; 32] = seed.as_ref().try_into().map_err(|_| KeyError::Backend)?;
                let public = pair.public_key().as_ref().try_into().map_err(|_| KeyError::Backend)?;
                Ok(PrivateMaterial::Ed25519 { seed: Zeroizing::new(seed), public: Some(public) })
            }
        }
    }

    pub(crate) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let der = match self {
            Self::Rsa(pair, _) => {
                AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(pair).map(|der| der.as_ref().to_vec())
            }
            Self::P256(pair) => pair.to_pkcs8v1().map(|der| der.as_ref().to_vec()),
            Self::Ed25519(pair) => pair.to_pkcs8v1().map(|der| der.as_ref().to_vec()),
        };
        der.map(Zeroizing::new).map_err(|_| KeyError::Backend)
    }

    /// The signature in its JWS form.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let random = rand::SystemRandom::new();
        let signature = match self {
            Self::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature).map(|()| signature)
            }
            Self::P256(pair) => pair.sign(&random, message).map(|signature| signature.as_ref().to_vec()),
            Self::Ed25519(pair) => pair.try_sign(message).map(|signature| signature.as_ref().to_vec()),
        };
        signature.map_err(|_| SignError::Backend)
    }
}

fn rsa_encoding(alg: Alg) -> &'static dyn RsaEncoding {
    match alg {
        Alg::Ps256 => &RSA_PSS_SHA256,
        _ => &RSA_PKCS1_SHA256,
    }
}

/// HMAC with SHA-256, the key scheduled once.
pub(crate) struct Mac(hmac::Key);

impl Mac {
    pub(crate) fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 32] {
        let tag = hmac::sign(&self.0, message);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(tag.as_ref());
        bytes
    }

    /// Takes the same time wherever the tags differ.
    pub(crate) fn verifies(&self, message: &[u8], tag: &[u8]) -> bool {
        hmac::verify(&self.0, message, tag).is_ok()
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, bytes);
    let mut out = [0; 32];
    out.copy_from_slice(digest.as_ref());
    out
}

pub(crate) fn random(bytes: &mut [u8]) -> Result<(), KeyError> {
    rand::fill(bytes).map_err(|_| KeyError::Backend)
}
