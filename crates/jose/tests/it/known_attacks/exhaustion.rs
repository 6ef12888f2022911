//! Input that costs more to refuse than to send (CVE-2025-27144, CVE-2025-30204, CVE-2025-53864).

use sealwright_jose::{
    Alg, KeyError, SigningKey, VerifyErrorKind as Kind, VerifyingKey,
    jws::{Limits, Unverified},
};

use crate::support::{PAYLOAD, es256_verifier, outcome, outcome_flattened, signed, signed_flattened};

#[test]
fn many_dots() {
    let verifier = es256_verifier().build().unwrap();
    let dots = ".".repeat(1_000_000);
    assert_eq!(outcome(&verifier, &dots), Err(Kind::Malformed));
    assert_eq!(Unverified::peek_compact(&dots).unwrap_err().kind(), Kind::Malformed);
}

#[test]
fn large_header_or_token() {
    let verifier = es256_verifier().build().unwrap();
    let header = |len: usize| format!(r#"{{"alg":"ES256","x":"{}"}}"#, "x".repeat(len));
    assert!(outcome(&verifier, &signed(header(16_000), PAYLOAD)).is_ok());
    for len in [16_384, 1_000_000] {
        let token = signed(header(len), PAYLOAD);
        assert_eq!(outcome(&verifier, &token), Err(Kind::TooLarge));
        assert_eq!(Unverified::peek_compact(&token).unwrap_err().kind(), Kind::TooLarge);
    }
    let unprotected = format!(r#""header":{{"x":"{}"}},"#, "x".repeat(20_000));
    let json = signed_flattened(r#"{"alg":"ES256"}"#, &unprotected);
    assert_eq!(outcome_flattened(&verifier, &json), Err(Kind::TooLarge));

    let token = signed(r#"{"alg":"ES256"}"#, &vec![0; 1024 * 1024]);
    assert_eq!(outcome(&verifier, &token), Err(Kind::TooLarge));
    let wider = es256_verifier().limits(Limits::default().token_bytes(2 * 1024 * 1024)).build().unwrap();
    assert!(outcome(&wider, &token).is_ok());
    let narrower = es256_verifier().limits(Limits::default().header_bytes(14)).build().unwrap();
    assert_eq!(outcome(&narrower, &signed(r#"{"alg":"ES256"}"#, PAYLOAD)), Err(Kind::TooLarge));
}

#[test]
fn deep_nesting() {
    let deep = |depth: usize| format!(r#"{{"alg":"ES256","x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    let verifier = es256_verifier().build().unwrap();
    assert!(outcome(&verifier, &signed(deep(15), PAYLOAD)).is_ok());
    for depth in [16, 1000, 6000] {
        assert_eq!(outcome(&verifier, &signed(deep(depth), PAYLOAD)), Err(Kind::TooLarge));
    }
    let more = format!(r#""x":{}"#, "[".repeat(500_000));
    assert_eq!(outcome_flattened(&verifier, &format!("{{{more}")), Err(Kind::TooLarge));
    // However high the limit is set, the stack is safe.
    let wide = es256_verifier().limits(Limits::default().nesting(usize::MAX)).build().unwrap();
    assert_eq!(outcome(&wide, &signed(deep(6000), PAYLOAD)), Err(Kind::TooLarge));
}

#[test]
fn many_members() {
    // Each name is compared with all before it by a careless reader: 10¹⁰ steps for these.
    let members: String = (0..100_000).map(|n| format!("\"{n}\":0,")).collect();
    let json = signed_flattened(r#"{"alg":"ES256"}"#, &members);
    let verifier = es256_verifier().limits(Limits::default().token_bytes(8 * 1024 * 1024)).build().unwrap();
    assert!(outcome_flattened(&verifier, &json).is_ok());
}

#[test]
fn large_key() {
    let large = format!(r#"{{"kty":"RSA","alg":"RS256","e":"AQAB","n":"{}"}}"#, "_".repeat(70_000));
    assert_eq!(VerifyingKey::from_jwk(&large).unwrap_err(), KeyError::TooLarge(64 * 1024));
    assert_eq!(
        VerifyingKey::from_spki_der(Alg::Rs256, &[0; 70_000]).unwrap_err(),
        KeyError::TooLarge(64 * 1024)
    );
    assert_eq!(
        SigningKey::from_pem(Alg::Rs256, &"-".repeat(70_000)).unwrap_err(),
        KeyError::TooLarge(64 * 1024)
    );
}
