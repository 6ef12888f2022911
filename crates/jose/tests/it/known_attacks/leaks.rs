//! Input or secrets that come out again in errors and logs (CVE-2025-65015).

use sealwright_jose::{
    Alg, JwkSet, Key, VerifyingKey, base64url,
    jws::{Scratch, Signer, Unverified, Verifier},
    jwt::Claims,
};

use crate::support::{ED25519, ES256, HS256, PAYLOAD, RS256, es256_verifier};

const MARK: &str = "Zm9vYmFyMARK";

/// Everything that an error says, by itself and through its sources.
fn said(error: &dyn std::error::Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(" {error} {error:?}"));
        source = error.source();
    }
    text
}

#[test]
fn input_in_an_error() {
    let verifier = es256_verifier().build().unwrap();
    let mut scratch = Scratch::new();
    let header = base64url::encode(format!(r#"{{"alg":"{MARK}","kid":"{MARK}","crit":["{MARK}"]}}"#));
    for token in [MARK.to_owned(), format!("{MARK}.{MARK}.{MARK}"), format!("{header}.{MARK}.{MARK}")] {
        assert!(!said(&verifier.verify_compact(&token, &mut scratch).unwrap_err()).contains(MARK));
        assert!(!said(&verifier.verify_flattened(&token, &mut scratch).unwrap_err()).contains(MARK));
    }
    for text in [
        MARK.to_owned(),
        format!(r#"{{"kty":"{MARK}"}}"#),
        format!(r#"{{"kty":"EC","crv":"{MARK}"}}"#),
        format!(r#"{{"kty":"oct","alg":"{MARK}","k":"{MARK}"}}"#),
        format!(r#"{{"kty":"oct","alg":"HS256","k":"{MARK}"}}"#),
        format!(r#"{{"kty":"oct","alg":"HS256","k":"{MARK}="}}"#),
        format!(r#"{{"{MARK}":1,"{MARK}":1}}"#),
        format!("-----BEGIN {MARK}-----\n{MARK}\n-----END {MARK}-----"),
        format!("-----BEGIN PRIVATE KEY-----\n{MARK}\n-----END PRIVATE KEY-----"),
    ] {
        assert!(!said(&Key::parse(&text, Some(Alg::Hs256)).unwrap_err()).contains(MARK), "{text}");
        assert!(!said(&JwkSet::parse(&text, Alg::ALL).unwrap_err()).contains(MARK), "{text}");
        assert!(!said(&VerifyingKey::from_pem(Alg::Es256, &text).unwrap_err()).contains(MARK), "{text}");
    }
    for payload in [MARK.to_owned(), format!(r#"{{"iss":["{MARK}"]}}"#), format!(r#"{{"exp":"{MARK}"}}"#)] {
        assert!(!said(&Claims::parse(payload.as_bytes()).unwrap_err()).contains(MARK));
    }
}

#[test]
fn the_caller_cannot_tell_refusals_apart() {
    let verifier = es256_verifier().build().unwrap();
    let mut scratch = Scratch::new();
    for token in ["", "a.b.c", "e30..", "eyJhbGciOiJub25lIn0..", "....", "eyJhbGciOiJFUzI1NiJ9..AA"] {
        let error = verifier.verify_compact(token, &mut scratch).unwrap_err();
        assert_eq!(error.to_string(), "the signature is not valid");
        assert!(std::error::Error::source(&error).is_none());
    }
}

#[test]
fn secret_in_debug() {
    for key in [&*ES256, &*ED25519, &*RS256] {
        let jwk: serde_json::Value = serde_json::from_str(&key.to_jwk().unwrap()).unwrap();
        let d = jwk["d"].as_str().unwrap();
        let raw = base64url::decode(d).unwrap();
        let shown = format!("{key:?} {:?} {:?}", Signer::new(key), Key::Signing(key.clone()));
        assert!(!shown.contains(d) && !shown.contains(&format!("{raw:?}")), "{shown}");
    }
    let jwk: serde_json::Value = serde_json::from_str(&HS256.to_jwk()).unwrap();
    let k = jwk["k"].as_str().unwrap();
    let raw = base64url::decode(k).unwrap();
    let verifier = Verifier::builder([Alg::Hs256]).mac_key(HS256.clone()).build().unwrap();
    let shown = format!("{:?} {:?} {verifier:?}", *HS256, Signer::mac(&HS256));
    assert!(!shown.contains(k) && !shown.contains(&format!("{raw:?}")), "{shown}");
}

#[test]
fn token_in_debug() {
    let payload = std::str::from_utf8(PAYLOAD).unwrap();
    let token = Signer::new(&ES256).sign_compact(PAYLOAD).unwrap();
    let verifier = es256_verifier().build().unwrap();
    let mut scratch = Scratch::new();
    let verified = format!("{:?}", verifier.verify_compact(&token, &mut scratch).unwrap());
    let shown = format!("{verified} {scratch:?} {:?}", Unverified::peek_compact(&token).unwrap());
    assert!(!shown.contains(payload) && !shown.contains(&format!("{PAYLOAD:?}")), "{shown}");
    assert!(!shown.contains(token.split('.').next_back().unwrap()));
}
