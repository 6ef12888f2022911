//! What is produced, and what is refused to be produced.

mod detached;
mod forms;
mod header;
mod joserfc;
mod two_phases;

use sealwright_jose::{
    Alg, MacKey, SignError, SigningKey, base64url,
    jws::{Scratch, Signer, Unverified, Verifier},
};
use serde_json::json;

use crate::support::{ES256, HS256, PAYLOAD, generate, outcome, outcome_flattened};

fn header_of(token: &str) -> String {
    Unverified::peek_compact(token).unwrap().protected_header().to_owned()
}

#[test]
fn every_algorithm_signs_and_verifies_in_both_forms() {
    for alg in Alg::ALL.iter().copied() {
        let (signer, builder) = if alg.is_mac() {
            let key = MacKey::generate(alg).unwrap().with_kid("k");
            (Signer::mac(&key), Verifier::builder_from(&[alg]).mac_key(key))
        } else {
            let key = generate(alg);
            (Signer::new(&key), Verifier::builder_from(&[alg]).key(key.verifying_key()))
        };
        let signer = signer.typ("at+jwt").param("iat", json!(7));
        let verifier = builder.typ("at+jwt").build().unwrap();
        for payload in [&b""[..], PAYLOAD, &[0xFF; 100_000]] {
            let token = signer.sign_compact(payload).unwrap();
            assert_eq!(outcome(&verifier, &token).unwrap(), payload);
            assert_eq!(header_of(&token), format!(r#"{{"alg":"{alg}","kid":"k","typ":"at+jwt","iat":7}}"#));
            let json = signer.sign_flattened(payload).unwrap();
            assert_eq!(outcome_flattened(&verifier, &json).unwrap(), payload);
            assert!(outcome(&verifier, &json).is_err() && outcome_flattened(&verifier, &token).is_err());
        }
    }
}

#[test]
fn what_was_verified_is_shown() {
    let token = Signer::new(&ES256).typ("JWT").param("x", json!({"y": [1]})).sign_compact(PAYLOAD).unwrap();
    let verifier = Verifier::builder([Alg::Es256]).key(ES256.verifying_key()).build().unwrap();
    let mut scratch = Scratch::new();
    let verified = verifier.verify_compact(&token, &mut scratch).unwrap();
    assert_eq!((verified.alg(), verified.kid(), verified.typ()), (Alg::Es256, Some("k"), Some("JWT")));
    assert_eq!(verified.header("x"), Some(json!({"y": [1]})));
    assert_eq!(verified.header("z"), None);
    assert_eq!(verified.key(), Some(&ES256.verifying_key()));
    assert_eq!(verified.protected_header(), r#"{"alg":"ES256","kid":"k","typ":"JWT","x":{"y":[1]}}"#);
}

#[test]
fn names_and_values_are_escaped() {
    let key = SigningKey::generate(Alg::Ed25519).unwrap().with_kid("\"},\\\n");
    let token = Signer::new(&key).param("a\"b", json!("c\"d")).sign_compact(b"").unwrap();
    assert_eq!(header_of(&token), r#"{"alg":"Ed25519","kid":"\"},\\\n","a\"b":"c\"d"}"#);
    let verifier = Verifier::builder([Alg::Ed25519]).key(key.verifying_key()).build().unwrap();
    assert_eq!(outcome(&verifier, &token).unwrap(), b"");
    assert_eq!(
        sealwright_jose::VerifyingKey::from_jwk(&key.verifying_key().to_jwk()).unwrap(),
        key.verifying_key()
    );
}

#[test]
fn ecdsa_numbers_have_full_width() {
    // One signature in 128 or so has a number with a leading zero byte.
    for n in 0..400_u32 {
        assert_eq!(ES256.sign(&n.to_be_bytes()).unwrap().len(), 64);
    }
}

#[test]
fn key_ops_are_kept() {
    let text = HS256.to_jwk();
    let jwk = |ops: &str| MacKey::from_jwk(&text.replace(r#""use":"sig""#, &format!(r#""key_ops":{ops}"#)));
    let verify_only = jwk(r#"["verify"]"#).unwrap();
    assert_eq!(Signer::mac(&verify_only).sign_compact(b""), Err(SignError::KeyUse));
    let sign_only = jwk(r#"["sign"]"#).unwrap();
    assert!(Signer::mac(&sign_only).sign_compact(b"").is_ok());
    assert!(Verifier::builder([Alg::Hs256]).mac_key(sign_only).build().is_err());
    assert!(base64url::decode(&"A".repeat(5)).is_err());
}
