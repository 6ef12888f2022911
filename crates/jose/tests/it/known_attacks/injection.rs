//! A key brought along in the header, and a `kid` that is more than a name (CVE-2018-0114,
//! CVE-2026-27962, CVE-2024-21643; RFC 8725bis §3.10).

use sealwright_jose::{
    Alg, SigningKey, VerifyErrorKind as Kind, base64url,
    jws::{Signer, Verifier},
};
use serde_json::{Value, json};

use crate::{
    support::{ES256, HS256, PAYLOAD, es256_verifier, generate, outcome, outcome_flattened},
    tally::refused,
};

/// Signed by the attacker's own key, which the token also carries.
fn forged(name: &str, value: Value) -> String {
    let attacker = SigningKey::generate(Alg::Es256).unwrap();
    let value = if value.is_null() {
        serde_json::from_str(&attacker.verifying_key().to_jwk()).unwrap()
    } else {
        value
    };
    // By hand: a `Signer` writes no private key, and no `jku` that is not http.
    let header = json!({"alg": "ES256", name: value}).to_string();
    let input = format!("{}.{}", base64url::encode(header), base64url::encode(PAYLOAD));
    let signature = attacker.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", base64url::encode(signature))
}

#[test]
pub(super) fn key_in_the_header() {
    let verifier = es256_verifier().build().unwrap();
    let no_keys = Verifier::builder([Alg::Es256]).keys(&sealwright_jose::JwkSet::default()).build().unwrap();
    let private: Value = serde_json::from_str(&generate(Alg::Es256).to_jwk().unwrap()).unwrap();
    let secret: Value = serde_json::from_str(&HS256.to_jwk()).unwrap();
    for (name, value) in [
        ("jwk", Value::Null),
        ("jwk", private),
        ("jwk", secret),
        ("jwk", json!({})),
        ("jku", json!("https://evil.example/jwks")),
        ("jku", json!("https://issuer.example@evil.example/")),
        ("jku", json!("https://issuer.example/redirect?to=https://evil.example")),
        ("jku", json!("http://169.254.169.254/latest/meta-data")),
        ("jku", json!("http://[::1]:8080/jwks")),
        ("jku", json!("file:///dev/stdin")),
        ("jku", json!("data:application/json,{}")),
        ("jku", json!("")),
        ("x5u", json!("http://localhost/cert.pem")),
        ("x5u", json!("http://0x7f000001/cert.pem")),
        ("x5u", json!("file:///etc/ssl/certs/ca.pem")),
        ("x5u", json!("gopher://evil.example")),
        ("x5c", json!(["MIIB"])),
        ("x5c", json!(["", ""])),
        ("x5t", json!("AAAAAAAAAAAAAAAAAAAAAAAAAAA")),
        ("x5t#S256", json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")),
    ] {
        let case = format!("{name} {:.60}", value.to_string());
        let token = forged(name, value);
        refused(&case, outcome(&verifier, &token), Kind::Signature);
        refused(&case, outcome(&no_keys, &token), Kind::KeyUnknown);
    }
}

#[test]
pub(super) fn certificate_in_the_header() {
    // A real certificate, self-signed, whose key has signed the token.
    let base64: String =
        include_str!("../vectors/openssl/eccert.pem").lines().filter(|line| !line.starts_with('-')).collect();
    let owner = SigningKey::from_pem(Alg::Es256, include_str!("../vectors/openssl/ec8.pem")).unwrap();
    let verifier = es256_verifier().build().unwrap();
    let rsa: String = include_str!("../vectors/openssl/rsacert.pem")
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    for (name, chain) in [
        ("alone", json!([base64])),
        ("twice", json!([base64, base64])),
        ("leaf outside the chain", json!([rsa, base64])),
        ("issuer that did not sign it", json!([base64, rsa])),
    ] {
        let header = base64url::encode(json!({"alg": "ES256", "x5c": chain}).to_string());
        let input = format!("{header}.{}", base64url::encode(PAYLOAD));
        let token = format!("{input}.{}", base64url::encode(owner.sign(input.as_bytes()).unwrap()));
        assert!(
            owner.verifying_key().verify(input.as_bytes(), &owner.sign(input.as_bytes()).unwrap()).is_ok()
        );
        refused(name, outcome(&verifier, &token), Kind::Signature);
    }
}

#[test]
pub(super) fn key_in_the_unprotected_header() {
    let verifier = es256_verifier().build().unwrap();
    let attacker = generate(Alg::Es256);
    let json = Signer::new(&attacker).sign_flattened(PAYLOAD).unwrap();
    let jwk = attacker.verifying_key().to_jwk();
    let json = json.replacen('{', &format!(r#"{{"header":{{"jwk":{jwk}}},"#), 1);
    refused("jwk", outcome_flattened(&verifier, &json), Kind::Signature);
}

#[test]
pub(super) fn kid_that_is_a_path_a_query_or_a_url() {
    let verifier = es256_verifier().build().unwrap();
    let megabyte = "k".repeat(1024 * 1024);
    for (kid, kind) in [
        ("../../../../dev/null", Kind::KeyUnknown),
        ("/proc/sys/kernel/randomize_va_space", Kind::KeyUnknown),
        ("x' UNION SELECT 'secret", Kind::KeyUnknown),
        ("*)(uid=*))(|(uid=*", Kind::KeyUnknown),
        ("https://evil.example/key", Kind::KeyUnknown),
        ("file:///dev/null", Kind::KeyUnknown),
        ("/dev/null\\u0000", Kind::KeyUnknown),
        ("..\\\\..\\\\windows\\\\win.ini", Kind::KeyUnknown),
        ("k' OR '1'='1", Kind::KeyUnknown),
        ("k; DROP TABLE keys", Kind::KeyUnknown),
        ("$(id)", Kind::KeyUnknown),
        ("${jndi:ldap://evil.example}", Kind::KeyUnknown),
        ("%2e%2e%2f", Kind::KeyUnknown),
        ("__proto__", Kind::KeyUnknown),
        ("0", Kind::KeyUnknown),
        ("\\u212a", Kind::KeyUnknown),
        ("k\\u0301", Kind::KeyUnknown),
        ("\\ufeffk", Kind::KeyUnknown),
        ("k\\u0000", Kind::KeyUnknown),
        ("k ", Kind::KeyUnknown),
        ("K", Kind::KeyUnknown),
        ("", Kind::KeyUnknown),
        (&megabyte, Kind::TooLarge),
    ] {
        let input = format!(
            "{}.{}",
            base64url::encode(format!(r#"{{"alg":"ES256","kid":"{kid}"}}"#)),
            base64url::encode(PAYLOAD)
        );
        let token = format!("{input}.{}", base64url::encode(ES256.sign(input.as_bytes()).unwrap()));
        refused(format_args!("{}", &kid[..kid.len().min(40)]), outcome(&verifier, &token), kind);
    }
}

#[test]
pub(super) fn token_that_does_not_say_which_of_several_keys() {
    let other = SigningKey::generate(Alg::Es256).unwrap().with_kid("other");
    let verifier = es256_verifier().key(other.verifying_key()).build().unwrap();
    let nameless = SigningKey::from_pem(Alg::Es256, &ES256.to_pem().unwrap()).unwrap();
    let token = Signer::new(&nameless).sign_compact(PAYLOAD).unwrap();
    refused("no kid, two keys", outcome(&verifier, &token), Kind::KeyAmbiguous);
    // Nor may a `kid` that leads to two nameless keys try both.
    let two = Verifier::builder([Alg::Es256])
        .key(nameless.verifying_key())
        .key(SigningKey::generate(Alg::Es256).unwrap().verifying_key())
        .build()
        .unwrap();
    refused(
        "kid of none, two nameless keys",
        outcome(&two, &Signer::new(&ES256).sign_compact(PAYLOAD).unwrap()),
        Kind::KeyAmbiguous,
    );
    // The `kid` of one key with the signature of the other.
    let lie = SigningKey::from_pem(Alg::Es256, &other.to_pem().unwrap()).unwrap().with_kid("k");
    refused(
        "kid of another key",
        outcome(&verifier, &Signer::new(&lie).sign_compact(PAYLOAD).unwrap()),
        Kind::Signature,
    );
}
