//! A key used as what it is not: any public key, in any encoding, as an HMAC secret, and any key
//! under the name of another algorithm (CVE-2016-10555, CVE-2022-29217, CVE-2023-48223,
//! CVE-2024-54150, CVE-2026-48526; RFC 8725bis §3.1).

use sealwright_jose::{
    Alg, KeyError, MacKey, SignError, SigningKey, VerifyErrorKind as Kind, VerifyingKey, base64url,
    jws::{BuildError, Verifier},
};
use serde_json::{Value, json};

use super::{jwk_of, keys};
use crate::{
    support::{HS256, PAYLOAD, outcome},
    tally::{refused, refused_if},
};

/// What a public key looks like to whoever has it: all that can be told from a secret, by itself.
fn encodings(key: &VerifyingKey) -> Vec<(&'static str, Vec<u8>)> {
    let (pem, der, jwk) = (key.to_pem().unwrap(), key.to_spki_der(), key.to_jwk());
    let pretty = serde_json::to_string_pretty(&jwk_of(key)).unwrap();
    let mut encodings = vec![
        ("PEM", pem.clone().into_bytes()),
        ("PEM without its last line feed", pem.trim_end().into()),
        ("PEM after white space", format!("\n\t {pem}").into()),
        ("PEM with CRLF", pem.replace('\n', "\r\n").into()),
        ("DER", der.clone()),
        ("JWK", jwk.clone().into()),
        ("JWK after white space", format!(" \n{jwk}").into()),
        ("JWK in several lines", pretty.into()),
        ("JWK set", format!(r#"{{"keys":[{jwk}]}}"#).into()),
    ];
    match key.alg() {
        Alg::Rs256 | Alg::Rs384 | Alg::Rs512 | Alg::Ps256 | Alg::Ps384 | Alg::Ps512 => {
            encodings.push(("PKCS#1 DER", der[24..].to_vec()));
        }
        Alg::Es256 | Alg::Es384 | Alg::Es512 | Alg::Es256k => {
            let point = [&[4][..], &number(key, "x"), &number(key, "y")].concat();
            encodings.push(("point", point));
        }
        _ => {}
    }
    encodings
}

/// Its bare numbers, which are a public key only beside that key.
fn numbers(key: &VerifyingKey) -> Vec<(&'static str, Vec<u8>)> {
    let members: &[&str] = match key.alg() {
        Alg::Es256 | Alg::Es384 | Alg::Es512 | Alg::Es256k => &["x", "y"],
        Alg::MlDsa44 | Alg::MlDsa65 | Alg::MlDsa87 => &["pub"],
        Alg::Rs256 | Alg::Rs384 | Alg::Rs512 | Alg::Ps256 | Alg::Ps384 | Alg::Ps512 => &["n"],
        _ => &["x"],
    };
    let all: Vec<_> = members.iter().map(|member| number(key, member)).collect();
    let mut numbers = vec![("first number", all[0].clone())];
    if let [x, y] = &all[..] {
        numbers.push(("both coordinates", [&x[..], y].concat()));
        numbers.push(("compressed point", [&[2 + (y[y.len() - 1] & 1)][..], x].concat()));
    }
    numbers
}

fn number(key: &VerifyingKey, member: &str) -> Vec<u8> {
    base64url::decode(jwk_of(key)[member].as_str().unwrap()).unwrap()
}

fn hmac_token(secret: &[u8]) -> String {
    let header = base64url::encode(r#"{"alg":"HS256","kid":"k"}"#);
    let input = format!("{header}.{}", base64url::encode(PAYLOAD));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
    let tag = aws_lc_rs::hmac::sign(&key, input.as_bytes());
    format!("{input}.{}", base64url::encode(tag))
}

#[test]
pub(super) fn every_encoding_of_every_public_key_as_hmac_secret() {
    for key in keys() {
        let (alg, public) = (key.alg(), key.verifying_key());
        let build = |algs: &[Alg]| Verifier::builder_from(algs).key(public.clone()).build().unwrap();
        let (only, both) = (build(&[alg]), build(&[alg, Alg::Hs256]));
        for (name, secret) in encodings(&public).into_iter().chain(numbers(&public)) {
            let token = hmac_token(&secret);
            refused(format_args!("{alg} {name}"), outcome(&only, &token), Kind::AlgNotAllowed);
            // Even if HS256 is allowed, the key is for another algorithm.
            assert_eq!(outcome(&both, &token), Err(Kind::KeyUnknown), "{alg} {name}");
        }
    }
}

#[test]
pub(super) fn every_encoding_of_every_public_key_as_mac_key() {
    for key in keys() {
        let (alg, public) = (key.alg(), key.verifying_key());
        for (name, secret) in encodings(&public) {
            let read = MacKey::from_bytes(Alg::Hs256, &secret);
            refused_if(format_args!("{alg} {name}"), read, |error| matches!(error, KeyError::Format { .. }));
            let jwk = json!({"kty": "oct", "k": base64url::encode(&secret)}).to_string();
            let read = MacKey::from_jwk_as(Alg::Hs256, &jwk);
            assert!(matches!(read, Err(KeyError::Format { .. })), "{alg} {name}");
        }
        for (name, secret) in numbers(&public) {
            let mac = MacKey::from_bytes(Alg::Hs256, &secret).unwrap();
            let builder = Verifier::builder_from(&[alg, Alg::Hs256]).key(public.clone()).mac_key(mac);
            refused(format_args!("{alg} {name}"), builder.build(), BuildError::SecretIsPublic);
        }
    }
}

#[test]
pub(super) fn key_under_every_other_algorithm() {
    for key in keys() {
        let own = key.alg();
        let narrow = Verifier::builder_from(&[own]).key(key.verifying_key()).build().unwrap();
        let wide = Verifier::builder_from(Alg::ALL).key(key.verifying_key()).build().unwrap();
        for alg in Alg::ALL.iter().filter(|alg| **alg != own) {
            let header = base64url::encode(format!(r#"{{"alg":"{alg}","kid":"k"}}"#));
            let input = format!("{header}.{}", base64url::encode(PAYLOAD));
            let token = format!("{input}.{}", base64url::encode(key.sign(input.as_bytes()).unwrap()));
            // One case, however many algorithms it goes through.
            refused(own, outcome(&narrow, &token), Kind::AlgNotAllowed);
            refused(own, outcome(&wide, &token), Kind::KeyUnknown);
        }
    }
}

#[test]
pub(super) fn jwk_under_every_other_algorithm() {
    for key in keys() {
        let own = key.alg();
        let is_rsa = |alg: Alg| alg.name().starts_with("RS") || alg.name().starts_with("PS");
        for alg in Alg::ALL.iter().filter(|alg| **alg != own && !(is_rsa(own) && is_rsa(**alg))) {
            let mut jwk = jwk_of(&key.verifying_key());
            jwk["alg"] = json!(alg.name());
            refused_if(own, VerifyingKey::from_jwk(&jwk.to_string()), |error| match jwk["kty"].as_str() {
                // Of this type the algorithm is the curve.
                Some("AKP") => {
                    matches!(error, KeyError::AlgUnsupported | KeyError::Member { member: "pub", .. })
                }
                _ => matches!(error, KeyError::Type { alg: of, .. } if of == alg),
            });
            let read = VerifyingKey::from_spki_der(*alg, &key.verifying_key().to_spki_der());
            refused_if(own, read, |error| matches!(error, KeyError::Type { alg: of, .. } if of == alg));
            let read = SigningKey::from_pem(*alg, &key.to_pem().unwrap());
            refused_if(own, read, |error| matches!(error, KeyError::Type { alg: of, .. } if of == alg));
        }
    }
}

#[test]
pub(super) fn key_for_another_use() {
    for key in keys() {
        for (member, value) in [
            ("use", json!("enc")),
            ("use", json!("")),
            ("key_ops", json!(["encrypt"])),
            ("key_ops", json!(["sign"])),
            ("key_ops", json!([])),
        ] {
            let mut jwk = jwk_of(&key.verifying_key());
            jwk[member] = value.clone();
            // One case for each key type would be the same code again.
            refused(value, VerifyingKey::from_jwk(&jwk.to_string()), KeyError::Use(member));
        }
        let mut private: Value = serde_json::from_str(&key.to_jwk().unwrap()).unwrap();
        private["key_ops"] = json!(["verify"]);
        refused("private", SigningKey::from_jwk(&private.to_string()), KeyError::Use("key_ops"));
    }
    let mut secret: Value = serde_json::from_str(&HS256.to_jwk()).unwrap();
    let mut mac = |operations: Value| {
        secret["key_ops"] = operations;
        MacKey::from_jwk(&secret.to_string())
    };
    refused("deriveKey", mac(json!(["deriveKey"])), KeyError::Use("key_ops"));
    let to_sign = mac(json!(["sign"])).unwrap();
    assert_eq!(to_sign.verify(b"m", &to_sign.sign(b"m").unwrap()).unwrap_err().kind(), Kind::Signature);
    let builder = Verifier::builder([Alg::Hs256]).mac_key(to_sign);
    refused("MAC key to sign", builder.build(), BuildError::KeyUse);
    let to_verify = mac(json!(["verify"])).unwrap();
    refused("MAC key to verify", to_verify.sign(b"m"), SignError::KeyUse);
}
