//! Project Wycheproof's cases, through the public API alone.
//!
//! What Wycheproof calls valid must be accepted and what it calls invalid must be refused, with two
//! kinds of exception, both stricter than Wycheproof:
//!
//! - *acceptable* cases are refused. There is one kind, `MissingNull`: PKCS#1 v1.5 padding whose
//!   DigestInfo leaves out the NULL parameters. RFC 8017 §9.2 has one encoding, with NULL.
//! - Parameters that JWA does not have are refused, whatever the signature: an RSASSA-PSS salt or
//!   MGF1 hash other than the algorithm's hash (RFC 7518 §3.5), a truncated HMAC tag or a key shorter
//!   than the hash (§3.2), an ML-DSA context (RFC 9964 §4).
//!
//! Each set says how many of its cases run, so that data that went missing is seen.

use sealwright_jose::{Alg, KeyError, MacKey, SigningKey, VerifyingKey, base64url};
use serde_json::Value;
use wycheproof::{ecdsa, eddsa, mac, mldsa_sign, mldsa_verify, rsa_pkcs1_verify, rsa_pss_verify};

/// One set of the data, with its name for messages.
struct Set {
    name: String,
    groups: Vec<Value>,
}

impl Set {
    fn read(name: impl std::fmt::Debug, json: &str) -> Self {
        let mut set: Value = serde_json::from_str(json).unwrap();
        Self { name: format!("{name:?}"), groups: serde_json::from_value(set["testGroups"].take()).unwrap() }
    }

    /// Shows each case to `accepts`, which says what we do, and compares with what is `right`. Gives
    /// the number of cases.
    fn hold(
        &self,
        mut accepts: impl FnMut(&Value, &Value) -> bool,
        right: impl Fn(&Value, &Value) -> bool,
    ) -> usize {
        let mut ran = 0;
        for group in &self.groups {
            for case in group["tests"].as_array().unwrap() {
                let context = || {
                    format!(
                        "{} {}: {} {} {}",
                        self.name, case["tcId"], case["comment"], case["flags"], case["result"]
                    )
                };
                assert_eq!(accepts(group, case), right(group, case), "{}", context());
                ran += 1;
            }
        }
        ran
    }
}

fn is_valid(case: &Value) -> bool {
    case["result"] == "valid"
}

fn bytes(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap().as_bytes();
    digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn verifies(key: &VerifyingKey, case: &Value) -> bool {
    key.verify(&bytes(&case["msg"]), &bytes(&case["sig"])).is_ok()
}

/// The key of a group by every encoding that the group has; all must be the same key.
fn key(alg: Alg, group: &Value) -> VerifyingKey {
    let key = VerifyingKey::from_spki_der(alg, &bytes(&group["publicKeyDer"])).unwrap();
    let pem = group["publicKeyPem"].as_str().unwrap();
    assert_eq!(VerifyingKey::from_pem(alg, pem).as_ref(), Ok(&key));
    for name in ["publicKeyJwk", "keyJwk"] {
        let Some(mut jwk) = group.get(name).filter(|jwk| !jwk.is_null()).cloned() else { continue };
        if jwk["crv"] == "P-256K" {
            // A draft's name of what RFC 8812 §3.1 calls secp256k1.
            assert!(VerifyingKey::from_jwk_as(alg, &jwk.to_string()).is_err());
            jwk["crv"] = "secp256k1".into();
        }
        let kid = jwk["kid"].as_str().unwrap();
        assert_eq!(VerifyingKey::from_jwk_as(alg, &jwk.to_string()).as_ref(), Ok(&key.clone().with_kid(kid)));
    }
    key
}

/// A set in which each group has one key, and nothing is stricter than Wycheproof.
fn hold_signatures(alg: Alg, set: &Set) -> usize {
    let mut last: Option<(String, VerifyingKey)> = None;
    set.hold(
        |group, case| {
            // Groups come one after another, so a key is parsed once a group.
            let der = group["publicKeyDer"].to_string();
            if last.as_ref().is_none_or(|(known, _)| *known != der) {
                last = Some((der, key(alg, group)));
            }
            verifies(&last.as_ref().unwrap().1, case)
        },
        |_, case| is_valid(case),
    )
}

#[test]
fn ecdsa() {
    use ecdsa::TestName::*;
    let table = [
        (EcdsaSecp256r1Sha256P1363, Alg::Es256, 262),
        (EcdsaSecp384r1Sha384P1363, Alg::Es384, 280),
        (EcdsaSecp521r1Sha512P1363, Alg::Es512, 318),
        (EcdsaSecp256k1Sha256P1363, Alg::Es256k, 252),
    ];
    for (name, alg, expected) in table {
        let set = Set::read(name, name.json_data());
        assert_eq!(hold_signatures(alg, &set), expected, "{name:?}");
    }
}

#[test]
fn ed25519() {
    let name = eddsa::TestName::Ed25519;
    assert_eq!(hold_signatures(Alg::Ed25519, &Set::read(name, name.json_data())), 151);
}

#[cfg(feature = "ed448")]
#[test]
fn ed448() {
    let name = eddsa::TestName::Ed448;
    assert_eq!(hold_signatures(Alg::Ed448, &Set::read(name, name.json_data())), 87);
}

#[test]
fn rsa_pkcs1() {
    use rsa_pkcs1_verify::TestName::*;
    let table = [
        (Rsa2048Sha256, Alg::Rs256, 259),
        (Rsa2048Sha384, Alg::Rs384, 258),
        (Rsa2048Sha512, Alg::Rs512, 259),
        (Rsa3072Sha256, Alg::Rs256, 259),
        (Rsa3072Sha384, Alg::Rs384, 259),
        (Rsa3072Sha512, Alg::Rs512, 260),
        (Rsa4096Sha256, Alg::Rs256, 258),
        (Rsa4096Sha384, Alg::Rs384, 259),
        (Rsa4096Sha512, Alg::Rs512, 259),
        (Rsa8192Sha256, Alg::Rs256, 258),
        (Rsa8192Sha384, Alg::Rs384, 259),
        (Rsa8192Sha512, Alg::Rs512, 259),
    ];
    for (name, alg, expected) in table {
        let set = Set::read(name, name.json_data());
        assert_eq!(hold_signatures(alg, &set), expected, "{name:?}");
    }
}

#[test]
fn rsa_pss() {
    use rsa_pss_verify::TestName::*;
    let table = [
        (RsaPss2048Sha256Mgf1SaltLen32, Alg::Ps256, 108),
        (RsaPss3072Sha256Mgf1SaltLen32, Alg::Ps256, 108),
        (RsaPss4096Sha256Mgf1SaltLen32, Alg::Ps256, 108),
        (RsaPss2048Sha384Mgf1SaltLen48, Alg::Ps384, 141),
        (RsaPss4096Sha384Mgf1SaltLen48, Alg::Ps384, 141),
        (RsaPss4096Sha512Mgf1SaltLen64, Alg::Ps512, 179),
    ];
    for (name, alg, expected) in table {
        let set = Set::read(name, name.json_data());
        assert_eq!(hold_signatures(alg, &set), expected, "{name:?}");
    }
}

#[test]
fn rsa_pss_with_parameters_that_jwa_does_not_have() {
    use rsa_pss_verify::TestName::*;
    // The number of cases, and of those that have our parameters all the same.
    let table = [
        (RsaPss2048Sha256Mgf1SaltLen0, 103, 1),
        (RsaPss2048Sha256Mgf1Sha1_20, 108, 0),
        (RsaPss4096Sha512Mgf1SaltLen32, 177, 0),
        // All combinations of hash, MGF1 hash and salt: those of PS256, PS384 and PS512 are among them.
        (RsaPssmisc, 150, 3),
    ];
    for (name, cases, ours) in table {
        let set = Set::read(name, name.json_data());
        let mut accepted = 0;
        let ran = set.hold(
            |group, case| {
                let verified = verifies(&key(pss_alg(group).unwrap_or(Alg::Ps256), group), case);
                accepted += usize::from(verified);
                verified
            },
            |group, case| match pss_alg(group) {
                // A salt of another length than the set says, which makes the signature ours.
                Some(alg) if case["comment"] == format!("s_len changed to {}", hash_len(alg)) => {
                    group["mgfSha"] == group["sha"]
                }
                Some(alg) => {
                    is_valid(case) && group["mgfSha"] == group["sha"] && group["sLen"] == hash_len(alg)
                }
                None => false,
            },
        );
        assert_eq!((ran, accepted), (cases, ours), "{name:?}");
    }
}

fn pss_alg(group: &Value) -> Option<Alg> {
    match group["sha"].as_str()? {
        "SHA-256" => Some(Alg::Ps256),
        "SHA-384" => Some(Alg::Ps384),
        "SHA-512" => Some(Alg::Ps512),
        _ => None,
    }
}

fn hash_len(alg: Alg) -> usize {
    match alg {
        Alg::Ps256 => 32,
        Alg::Ps384 => 48,
        _ => 64,
    }
}

#[test]
fn hmac() {
    use mac::TestName::*;
    for (name, alg, len) in
        [(HmacSha256, Alg::Hs256, 32), (HmacSha384, Alg::Hs384, 48), (HmacSha512, Alg::Hs512, 64)]
    {
        let set = Set::read(name, name.json_data());
        let (mut short_keys, mut accepted) = (0, 0);
        let ran = set.hold(
            |_, case| match MacKey::from_bytes(alg, &bytes(&case["key"])) {
                Ok(key) => {
                    let (message, tag) = (bytes(&case["msg"]), bytes(&case["tag"]));
                    let verified = key.verify(&message, &tag).is_ok();
                    assert_eq!(verified, key.sign(&message).unwrap() == tag);
                    accepted += usize::from(verified);
                    verified
                }
                Err(KeyError::Size { .. }) => {
                    short_keys += 1;
                    false
                }
                Err(error) => panic!("{name:?} {}: {error}", case["tcId"]),
            },
            |group, case| {
                let long_enough = group["keySize"].as_u64().unwrap() >= 8 * len;
                is_valid(case) && long_enough && group["tagSize"] == 8 * len
            },
        );
        assert_eq!((ran, short_keys, accepted), (174, 6, 30), "{name:?}");
    }
}

/// JOSE signs with the empty context.
fn has_context(case: &Value) -> bool {
    case["ctx"].as_str().is_some_and(|context| !context.is_empty())
}

#[test]
fn mldsa_verify() {
    use mldsa_verify::TestName::*;
    for (name, alg, expected) in [
        (MlDsa44Verify, Alg::MlDsa44, 180),
        (MlDsa65Verify, Alg::MlDsa65, 210),
        (MlDsa87Verify, Alg::MlDsa87, 241),
    ] {
        let set = Set::read(name, name.json_data());
        let ran = set.hold(
            |group, case| {
                // A key of another length is refused when it is read.
                mldsa_key(alg, &bytes(&group["publicKey"])).is_ok_and(|key| verifies(&key, case))
            },
            |_, case| is_valid(case) && !has_context(case),
        );
        assert_eq!(ran, expected, "{name:?}");
    }
}

fn mldsa_key(alg: Alg, public: &[u8]) -> Result<VerifyingKey, KeyError> {
    let public = base64url::encode(public);
    VerifyingKey::from_jwk(&format!(r#"{{"kty":"AKP","alg":"{alg}","pub":"{public}"}}"#))
}

#[test]
fn mldsa_sign_from_a_seed() {
    use mldsa_sign::TestName::*;
    for (name, alg, expected) in [
        (MlDsa44SignSeed, Alg::MlDsa44, 78),
        (MlDsa65SignSeed, Alg::MlDsa65, 88),
        (MlDsa87SignSeed, Alg::MlDsa87, 79),
    ] {
        let mut set = Set::read(name, name.json_data());
        for group in &mut set.groups {
            // Cases of the internal interface have no message, only its hash.
            group["tests"].as_array_mut().unwrap().retain(|case| case.get("msg").is_some());
        }
        // Groups whose seed has another length have no public key, so that of the first is theirs.
        let first = set.groups[0]["publicKey"].clone();
        let ran = set.hold(
            |group, case| {
                let public = if group["publicKey"].is_null() { &first } else { &group["publicKey"] };
                let jwk = format!(
                    r#"{{"kty":"AKP","alg":"{alg}","pub":"{}","priv":"{}"}}"#,
                    base64url::encode(bytes(public)),
                    base64url::encode(bytes(&group["privateSeed"]))
                );
                let Ok(key) = SigningKey::from_jwk(&jwk) else { return false };
                // Ours are randomised, so what is compared is whether they are each other's.
                let (public, message) = (key.verifying_key(), bytes(&case["msg"]));
                assert!(public.verify(&message, &key.sign(&message).unwrap()).is_ok());
                verifies(&public, case)
            },
            |_, case| is_valid(case) && !has_context(case),
        );
        assert_eq!(ran, expected, "{name:?}");
    }
}
