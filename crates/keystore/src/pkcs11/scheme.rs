//! How each algorithm is done by a token: mechanisms, templates, and the form of what goes in and out.

use cryptoki::{
    mechanism::{
        Mechanism, MechanismType,
        eddsa::{EddsaParams, EddsaSignatureScheme},
        rsa::{PkcsMgfType, PkcsPssParams},
    },
    object::{Attribute, AttributeType, ObjectHandle},
    types::Ulong,
};
use sealwright_jose::{Alg, Digest, Hash, KeyError, VerifyingKey, base64url};

use super::pool::{Failure, Held};

/// New RSA keys have as many bits as those that are made in memory.
const RSA_BITS: u64 = 2048;

/// What a token does for an algorithm.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scheme {
    Pkcs1(Hash),
    Pss(Hash),
    Ecdsa(Hash, Curve),
    Ed25519,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Curve {
    name: &'static str,
    /// The OBJECT IDENTIFIER in DER.
    oid: &'static [u8],
    /// How long a coordinate is, and each half of a signature.
    len: usize,
}

const P256: Curve =
    Curve { name: "P-256", oid: &[0x06, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07], len: 32 };
const P384: Curve = Curve { name: "P-384", oid: &[0x06, 5, 0x2B, 0x81, 0x04, 0x00, 0x22], len: 48 };
const P521: Curve = Curve { name: "P-521", oid: &[0x06, 5, 0x2B, 0x81, 0x04, 0x00, 0x23], len: 66 };
const ED25519_OID: &[u8] = &[0x06, 3, 0x2B, 0x65, 0x70];

impl Scheme {
    /// `None` for algorithms that PKCS#11 modules do not have, or that we have not tried with one.
    pub(super) fn of(alg: Alg) -> Option<Self> {
        Some(match alg {
            Alg::Rs256 => Self::Pkcs1(Hash::Sha256),
            Alg::Rs384 => Self::Pkcs1(Hash::Sha384),
            Alg::Rs512 => Self::Pkcs1(Hash::Sha512),
            Alg::Ps256 => Self::Pss(Hash::Sha256),
            Alg::Ps384 => Self::Pss(Hash::Sha384),
            Alg::Ps512 => Self::Pss(Hash::Sha512),
            Alg::Es256 => Self::Ecdsa(Hash::Sha256, P256),
            Alg::Es384 => Self::Ecdsa(Hash::Sha384, P384),
            Alg::Es512 => Self::Ecdsa(Hash::Sha512, P521),
            Alg::Ed25519 => Self::Ed25519,
            _ => return None,
        })
    }

    /// The mechanisms that it takes, with their names: to make a key, and to sign.
    pub(super) fn mechanisms(self) -> [(MechanismType, &'static str); 2] {
        match self {
            Self::Pkcs1(_) => [RSA_KEYS, (MechanismType::RSA_PKCS, "CKM_RSA_PKCS")],
            Self::Pss(_) => [RSA_KEYS, (MechanismType::RSA_PKCS_PSS, "CKM_RSA_PKCS_PSS")],
            Self::Ecdsa(..) => [
                (MechanismType::ECC_KEY_PAIR_GEN, "CKM_EC_KEY_PAIR_GEN"),
                (MechanismType::ECDSA, "CKM_ECDSA"),
            ],
            Self::Ed25519 => [
                (MechanismType::ECC_EDWARDS_KEY_PAIR_GEN, "CKM_EC_EDWARDS_KEY_PAIR_GEN"),
                (MechanismType::EDDSA, "CKM_EDDSA"),
            ],
        }
    }

    pub(super) fn generation(self) -> Mechanism<'static> {
        match self {
            Self::Pkcs1(_) | Self::Pss(_) => Mechanism::RsaPkcsKeyPairGen,
            Self::Ecdsa(..) => Mechanism::EccKeyPairGen,
            Self::Ed25519 => Mechanism::EccEdwardsKeyPairGen,
        }
    }

    /// What a template of a public key says beside its name and use.
    pub(super) fn parameters(self) -> Vec<Attribute> {
        match self {
            Self::Pkcs1(_) | Self::Pss(_) => {
                vec![Attribute::ModulusBits(Ulong::from(RSA_BITS)), Attribute::PublicExponent(vec![1, 0, 1])]
            }
            Self::Ecdsa(_, curve) => vec![Attribute::EcParams(curve.oid.to_vec())],
            Self::Ed25519 => vec![Attribute::EcParams(ED25519_OID.to_vec())],
        }
    }

    /// The hash that is signed; `None` if it is the message.
    fn hash(self) -> Option<Hash> {
        match self {
            Self::Pkcs1(hash) | Self::Pss(hash) | Self::Ecdsa(hash, _) => Some(hash),
            Self::Ed25519 => None,
        }
    }

    /// What the mechanism is given for a message.
    pub(super) fn input_of(self, message: &[u8]) -> Vec<u8> {
        match self.hash() {
            Some(hash) => self.wrapped(hash, Digest::of(hash, message).as_bytes()),
            None => message.to_vec(),
        }
    }

    /// What the mechanism is given for a digest; `None` if it signs no such digests.
    pub(super) fn input_of_digest(self, hash: Hash, digest: &[u8]) -> Option<Vec<u8>> {
        (self.hash() == Some(hash) && digest.len() == hash.digest_len()).then(|| self.wrapped(hash, digest))
    }

    /// `CKM_RSA_PKCS` pads what it is given, which must be the DigestInfo of the hash (RFC 8017 §9.2).
    fn wrapped(self, hash: Hash, digest: &[u8]) -> Vec<u8> {
        match self {
            Self::Pkcs1(_) => [digest_info(hash), digest].concat(),
            _ => digest.to_vec(),
        }
    }

    pub(super) fn sign(self, held: &Held, key: ObjectHandle, input: &[u8]) -> Result<Vec<u8>, Failure> {
        let mechanism = match self {
            Self::Pkcs1(_) => Mechanism::RsaPkcs,
            Self::Pss(hash) => Mechanism::RsaPkcsPss(pss(hash)),
            Self::Ecdsa(..) => Mechanism::Ecdsa,
            Self::Ed25519 => Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure)),
        };
        // What `CKM_ECDSA` gives is r‖s at full width already (PKCS#11 v3.1 §6.3.1), as JWS has it.
        Ok(held.session.sign(&mechanism, key, input)?)
    }

    /// How long a signature is; an RSA key says it by its modulus.
    pub(super) fn signature_len(self) -> Option<usize> {
        match self {
            Self::Pkcs1(_) | Self::Pss(_) => None,
            Self::Ecdsa(_, curve) => Some(2 * curve.len),
            Self::Ed25519 => Some(64),
        }
    }

    /// Reads the public key of an object, by way of its JWK, whose checks are those of all keys.
    pub(super) fn public_key(
        self,
        held: &Held,
        object: ObjectHandle,
        alg: Alg,
    ) -> Result<Result<VerifyingKey, KeyError>, Failure> {
        let member = |name: &str, bytes: &[u8]| format!(r#","{name}":"{}""#, base64url::encode(bytes));
        let members = match self {
            Self::Pkcs1(_) | Self::Pss(_) => {
                let mut members = r#""kty":"RSA""#.to_owned();
                let wanted = [AttributeType::Modulus, AttributeType::PublicExponent];
                for attribute in held.session.get_attributes(object, &wanted)? {
                    match attribute {
                        Attribute::Modulus(n) => members += &member("n", without_zeros(&n)),
                        Attribute::PublicExponent(e) => members += &member("e", without_zeros(&e)),
                        _ => {}
                    }
                }
                members
            }
            Self::Ecdsa(_, curve) => {
                let point = point(held, object)?;
                let xy = match unwrapped(&point, 1 + 2 * curve.len) {
                    Some([4, xy @ ..]) => xy,
                    _ => return Ok(Err(KeyError::Invalid("the token's point is not an uncompressed one"))),
                };
                let (x, y) = xy.split_at(curve.len);
                format!(r#""kty":"EC","crv":"{}""#, curve.name) + &member("x", x) + &member("y", y)
            }
            Self::Ed25519 => {
                let point = point(held, object)?;
                let Some(x) = unwrapped(&point, 32) else {
                    return Ok(Err(KeyError::Invalid("the token's point does not have 32 bytes")));
                };
                r#""kty":"OKP","crv":"Ed25519""#.to_owned() + &member("x", x)
            }
        };
        Ok(VerifyingKey::from_jwk_as(alg, &format!("{{{members}}}")))
    }
}

const RSA_KEYS: (MechanismType, &str) = (MechanismType::RSA_PKCS_KEY_PAIR_GEN, "CKM_RSA_PKCS_KEY_PAIR_GEN");

/// The salt is as long as the hash (RFC 7518 §3.5).
fn pss(hash: Hash) -> PkcsPssParams {
    let (hash_alg, mgf, len): (_, _, u64) = match hash {
        Hash::Sha384 => (MechanismType::SHA384, PkcsMgfType::MGF1_SHA384, 48),
        Hash::Sha512 => (MechanismType::SHA512, PkcsMgfType::MGF1_SHA512, 64),
        _ => (MechanismType::SHA256, PkcsMgfType::MGF1_SHA256, 32),
    };
    PkcsPssParams { hash_alg, mgf, s_len: Ulong::from(len) }
}

/// All of a DigestInfo but the digest at its end (RFC 8017 §9.2, note 1).
fn digest_info(hash: Hash) -> &'static [u8] {
    match hash {
        Hash::Sha384 => &[
            0x30, 0x41, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05,
            0x00, 0x04, 0x30,
        ],
        Hash::Sha512 => &[
            0x30, 0x51, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05,
            0x00, 0x04, 0x40,
        ],
        _ => &[
            0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
            0x00, 0x04, 0x20,
        ],
    }
}

fn point(held: &Held, object: ObjectHandle) -> Result<Vec<u8>, Failure> {
    let attributes = held.session.get_attributes(object, &[AttributeType::EcPoint])?;
    Ok(attributes
        .into_iter()
        .find_map(|attribute| match attribute {
            Attribute::EcPoint(point) => Some(point),
            _ => None,
        })
        .unwrap_or_default())
}

/// A point of this length, which stands in an OCTET STRING (PKCS#11 v3.1 §6.3.3) or, with some drivers, as it is.
fn unwrapped(point: &[u8], len: usize) -> Option<&[u8]> {
    match point {
        bare if bare.len() == len => Some(bare),
        [0x04, short, point @ ..] if point.len() == len && usize::from(*short) == len && len < 128 => {
            Some(point)
        }
        [0x04, 0x81, long, point @ ..] if point.len() == len && usize::from(*long) == len && len >= 128 => {
            Some(point)
        }
        _ => None,
    }
}

fn without_zeros(number: &[u8]) -> &[u8] {
    &number[number.iter().take_while(|byte| **byte == 0).count()..]
}
