//! The floor: keys parsed beforehand, bytes that need no decoding.

use std::hint::black_box;

use aws_lc_rs::{
    hmac, rand,
    signature::{
        self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, ParsedPublicKey, PqdsaKeyPair,
        RsaEncoding, RsaKeyPair, VerificationAlgorithm,
    },
};
use house::Keys;
use sealwright_jose::{Alg, SigningKey, VerifyingKey};

/// What verifies with one key.
pub(crate) enum Verifies {
    Mac(Box<hmac::Key>),
    Signature(ParsedPublicKey),
}

impl Verifies {
    pub(crate) fn new(name: &str, keys: &Keys) -> Self {
        match (keys.secret(), &keys.public_pem) {
            (Some(secret), _) => Self::Mac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, &secret))),
            (None, Some(pem)) => {
                let alg = crate::alg(name).expect("the fixture has only algorithms that we have");
                Self::from_public_key(name, &VerifyingKey::from_pem(alg, pem).expect("a public key"))
            }
            (None, None) => panic!("{name} has no key"),
        }
    }

    pub(crate) fn from_public_key(name: &str, key: &VerifyingKey) -> Self {
        let spki = key.to_spki_der();
        Self::Signature(
            ParsedPublicKey::new(verification(name), spki).expect("a public key of that algorithm"),
        )
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) {
        match self {
            Self::Mac(key) => hmac::verify(key, message, signature),
            Self::Signature(key) => key.verify_sig(message, signature),
        }
        .expect("the signature is good");
    }
}

fn verification(name: &str) -> &'static dyn VerificationAlgorithm {
    match name {
        "RS256" => &signature::RSA_PKCS1_2048_8192_SHA256,
        "PS256" => &signature::RSA_PSS_2048_8192_SHA256,
        "ES256" => &signature::ECDSA_P256_SHA256_FIXED,
        "ES384" => &signature::ECDSA_P384_SHA384_FIXED,
        "ES256K" => &signature::ECDSA_P256K1_SHA256_FIXED,
        "EdDSA" => &signature::ED25519,
        "ML-DSA-44" => &signature::ML_DSA_44,
        _ => panic!("no primitive for {name}"),
    }
}

/// What signs with one key.
pub(crate) enum Signs {
    Mac(Box<hmac::Key>),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding, Vec<u8>),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    MlDsa(PqdsaKeyPair, Vec<u8>),
}

impl Signs {
    pub(crate) fn new(name: &str, keys: &Keys) -> Self {
        if let Some(secret) = keys.secret() {
            return Self::Mac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, &secret)));
        }
        let alg: Alg = crate::alg(name).expect("the fixture has only algorithms that we have");
        let pem = keys.private_pem.as_deref().expect("a private key");
        let key = SigningKey::from_pem(alg, pem).expect("a private key of that algorithm");
        let der = key.to_pkcs8_der().expect("it can be written");
        let ecdsa = |alg: &'static EcdsaSigningAlgorithm| {
            Self::Ecdsa(EcdsaKeyPair::from_pkcs8(alg, &der).expect("a private key"))
        };
        let rsa = |encoding| {
            let pair = RsaKeyPair::from_pkcs8(&der).expect("a private key");
            let room = vec![0; pair.public_modulus_len()];
            Self::Rsa(pair, encoding, room)
        };
        match name {
            "RS256" => rsa(&signature::RSA_PKCS1_SHA256),
            "PS256" => rsa(&signature::RSA_PSS_SHA256),
            "ES256" => ecdsa(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
            "ES384" => ecdsa(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
            "ES256K" => ecdsa(&signature::ECDSA_P256K1_SHA256_FIXED_SIGNING),
            "EdDSA" => {
                Self::Ed25519(Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).expect("a private key"))
            }
            "ML-DSA-44" => {
                let pair =
                    PqdsaKeyPair::from_pkcs8(&signature::ML_DSA_44_SIGNING, &der).expect("a private key");
                let room = vec![0; pair.algorithm().signature_len()];
                Self::MlDsa(pair, room)
            }
            _ => panic!("no primitive for {name}"),
        }
    }

    /// Signs and drops the signature; a buffer for it is kept where the primitive wants one.
    pub(crate) fn sign(&mut self, message: &[u8]) {
        let random = rand::SystemRandom::new();
        match self {
            Self::Mac(key) => {
                black_box(hmac::sign(key, message));
            }
            Self::Rsa(pair, encoding, room) => {
                pair.sign(*encoding, &random, message, room).expect("RSA signs");
                black_box(room);
            }
            Self::Ecdsa(pair) => {
                black_box(pair.sign(&random, message).expect("ECDSA signs"));
            }
            Self::Ed25519(pair) => {
                black_box(pair.try_sign(message).expect("Ed25519 signs"));
            }
            Self::MlDsa(pair, room) => {
                pair.sign(message, room).expect("ML-DSA signs");
                black_box(room);
            }
        }
    }
}
