//! Fixed keys in every form in which an operator may have them, and what is refused of them.

use crate::support::*;
use sealwright_jose::{Alg, JwkSet, SigningKey};
use sealwright_resource_server::{Authenticator, ConfigError, IssuerConfig};
use serde_json::{Value, json};
use std::error::Error;

/// Made by OpenSSL for the tests of the JOSE library: one EC and one RSA key, each also in a certificate.
macro_rules! vector {
    ($name:literal) => {
        include_str!(concat!("../../../jose/tests/it/vectors/openssl/", $name))
    };
}

/// What PEM surrounds.
fn bare(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}

fn der(pem: &str) -> Vec<u8> {
    base64_simd::STANDARD.decode_to_vec(bare(pem)).unwrap()
}

fn issuer(name: &str) -> IssuerConfig {
    IssuerConfig::new(name, AUDIENCE)
}

/// A token of `issuer`, which no `kid` would help to find the key of.
fn token_of(issuer: &str, key: &SigningKey) -> String {
    let header = with(header(), json!({"alg": key.alg().name(), "kid": null}));
    forge(&header.to_string(), &with(claims(), json!({"iss": issuer})).to_string(), key)
}

#[tokio::test]
async fn issuers_bring_their_keys_in_every_form() {
    let ec = SigningKey::from_pem(Alg::Es256, vector!("ec8.pem")).unwrap();
    let rsa = SigningKey::from_pem(Alg::Rs256, vector!("rsa8.pem")).unwrap();
    let set = JwkSet::from_keys([ec.verifying_key()]).unwrap().to_json();
    let encryption: Value = json!({"kty": "RSA", "use": "enc", "alg": "RSA-OAEP", "n": "AQAB", "e": "AQAB"});
    let mut mixed: Value = serde_json::from_str(&set).unwrap();
    mixed["keys"].as_array_mut().unwrap().push(encryption);
    let wrapped = bare(vector!("ecpub.pem")).replace("Z", "Z\r\n  ");
    let forms: Vec<(&str, Vec<u8>, &SigningKey)> = vec![
        ("a JWK", ec.verifying_key().to_jwk().into(), &ec),
        ("a JWK that names no algorithm", nameless(&ec).into(), &ec),
        ("a JWK set", set.into(), &ec),
        ("a JWK set with a key for something else", mixed.to_string().into(), &ec),
        ("PEM", vector!("ecpub.pem").into(), &ec),
        ("PEM of an RSA key", vector!("rsapub.pem").into(), &rsa),
        ("PEM by PKCS#1", vector!("rsa1pub.pem").into(), &rsa),
        ("DER", der(vector!("ecpub.pem")), &ec),
        ("base64 without armour", bare(vector!("ecpub.pem")).into(), &ec),
        ("base64 of an RSA key", bare(vector!("rsapub.pem")).into(), &rsa),
        ("base64 in several lines", wrapped.into(), &ec),
        ("a certificate", vector!("eccert.pem").into(), &ec),
        ("a certificate for an RSA key", vector!("rsacert.pem").into(), &rsa),
        ("a certificate in DER", der(vector!("eccert.pem")), &ec),
        ("a certificate in base64", bare(vector!("rsacert.pem")).into(), &rsa),
    ];
    let all = forms.iter().fold(Authenticator::builder(), |all, (name, form, _)| {
        all.issuer(issuer(name).keys_from(form, [Alg::Es256, Alg::Rs256, Alg::Ed25519]).unwrap())
    });
    let all = all.clock(|| NOW).build().unwrap();
    for (name, _, key) in &forms {
        let passed = all.authenticate_token(&token_of(name, key), NOW).await.map_err(|e| (name, e)).unwrap();
        assert_eq!(passed.issuer(), *name);
        // The key of one issuer is no other's.
        let other = if key.alg() == Alg::Es256 { &rsa } else { &ec };
        all.authenticate_token(&token_of(name, other), NOW).await.unwrap_err();
    }
}

fn nameless(key: &SigningKey) -> String {
    let jwk: Value = serde_json::from_str(&key.verifying_key().to_jwk()).unwrap();
    with(jwk, json!({"alg": null})).to_string()
}

/// A set of this key and a good public one.
fn among_public(jwk: &str) -> String {
    format!(r#"{{"keys":[{},{jwk}]}}"#, K1.verifying_key().to_jwk())
}

#[tokio::test]
async fn keys_of_several_files_add_up() {
    let ec = SigningKey::from_pem(Alg::Es256, vector!("ec8.pem")).unwrap();
    let rsa = SigningKey::from_pem(Alg::Rs256, vector!("rsa8.pem")).unwrap();
    let terms = issuer(ISSUER)
        .keys_from(vector!("ecpub.pem"), [Alg::Es256])
        .unwrap()
        .keys_from(vector!("rsacert.pem"), [Alg::Rs256])
        .unwrap();
    assert_eq!(terms.algs(), [Alg::Es256, Alg::Rs256]);
    for key in [&ec, &rsa] {
        decide(terms.clone(), &token_of(ISSUER, key)).await.unwrap();
    }
}

/// An error and its causes, as a start-up message shows them.
fn sentence(error: ConfigError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

#[test]
fn what_is_no_key_of_the_issuer_is_refused_in_a_sentence() {
    let ec = SigningKey::from_pem(Alg::Es256, vector!("ec8.pem")).unwrap();
    let private = ec.to_jwk().unwrap();
    for (name, source, algs, expected) in [
        (
            "nothing",
            "",
            &[Alg::Es256][..],
            "a key of issuer `a` cannot be used: found an unknown format, but a key as JWK, in PEM or DER, or of OpenSSH is needed",
        ),
        (
            "a private PEM",
            vector!("ec8.pem"),
            &[Alg::Es256],
            "a key of issuer `a` is private, and only its public half belongs here",
        ),
        (
            "an encrypted one",
            vector!("ecenc.pem"),
            &[Alg::Es256],
            "a key of issuer `a` is private, and only its public half belongs here",
        ),
        (
            "a private JWK",
            &private,
            &[Alg::Es256],
            "a key of issuer `a` is private, and only its public half belongs here",
        ),
        (
            "a private JWK among public ones",
            &among_public(&private),
            &[Alg::Es256],
            "a key of issuer `a` is private, and only its public half belongs here",
        ),
        (
            "a private JWK of an algorithm that is not asked for",
            &among_public(&SigningKey::generate(Alg::Ed25519).unwrap().to_jwk().unwrap()),
            &[Alg::Es256],
            "a key of issuer `a` is private, and only its public half belongs here",
        ),
        (
            "a symmetric JWK among public ones",
            &among_public(r#"{"kty":"oct","k":"c2VjcmV0"}"#),
            &[Alg::Es256],
            "a key of issuer `a` is private, and only its public half belongs here",
        ),
        (
            "two algorithms fit",
            vector!("rsapub.pem"),
            &[Alg::Rs256, Alg::Ps256],
            "a key of issuer `a` fits both RS256 and PS256: name one",
        ),
        (
            "none fits",
            vector!("rsapub.pem"),
            &[Alg::Es256, Alg::Ed25519],
            "a key of issuer `a` cannot be used: ES256 cannot use an RSA key",
        ),
        (
            "a JWK for another",
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
            &[Alg::Es256],
            "a key of issuer `a` cannot be used: the key is for none of the allowed algorithms",
        ),
        ("an empty set", r#"{"keys":[]}"#, &[Alg::Es256], "issuer `a` has no key"),
        (
            "a set without a usable key",
            r#"{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}"#,
            &[Alg::Es256],
            "a key of issuer `a` cannot be used: the JWK's member `x` has the wrong length",
        ),
        (
            "a MAC algorithm",
            vector!("ecpub.pem"),
            &[Alg::Es256, Alg::Hs256],
            "issuer `a` must not use HS256: whoever can verify it can also sign",
        ),
        ("no algorithm", vector!("ecpub.pem"), &[], "issuer `a` has no algorithm"),
        (
            "a weak key",
            vector!("rsa1024.pem"),
            &[Alg::Rs256],
            "a key of issuer `a` cannot be used: the RSA modulus has 1024 bits; 2048 to 8192 are accepted",
        ),
        (
            "half of a PEM",
            &vector!("ecpub.pem")[..60],
            &[Alg::Es256],
            "a key of issuer `a` cannot be used: malformed PEM: no base64 between a BEGIN and an END line",
        ),
        (
            "base64 of something else",
            "TWFueSBoYW5kcyBtYWtlIGxpZ2h0IHdvcmsu",
            &[Alg::Es256],
            "a key of issuer `a` cannot be used: found an unknown format, but a key as JWK, in PEM or DER, or of OpenSSH is needed",
        ),
        (
            "a sentence",
            "My key is in the drawer",
            &[Alg::Es256],
            "a key of issuer `a` cannot be used: found an unknown format, but a key as JWK, in PEM or DER, or of OpenSSH is needed",
        ),
    ] {
        let error = issuer("a").keys_from(source, algs.iter().copied()).map(drop).unwrap_err();
        let said = sentence(error);
        assert_eq!(said, expected, "{name}");
    }
}
