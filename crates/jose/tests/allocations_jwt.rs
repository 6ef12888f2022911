//! Validating a JWT allocates nothing once the buffers are warm; keeping its claims takes one
//! allocation.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use allocation_counter::measure;
use sealwright_jose::{
    Alg, MacKey,
    jws::{Scratch, Signer, Verifier},
    jwt::Validator,
};

const NOW: i64 = 1_764_547_300;

/// Allocations of verifying a token, and of verifying it and keeping its claims.
fn allocations(payload: &str) -> (u64, u64) {
    let key = MacKey::generate(Alg::Hs256).unwrap().with_kid("2026-11");
    let token = Signer::mac(&key).typ("at+jwt").sign_compact(payload.as_bytes()).unwrap();
    let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build().unwrap();
    let validator = Validator::builder()
        .expect_typ("at+jwt")
        .expect_issuer("https://id.example")
        .expect_audience("https://api.example")
        .expect_expiry()
        .expect_not_before()
        .expect_max_age(3600)
        .build()
        .unwrap();
    let mut scratch = Scratch::new();
    let mut verify = |keep: bool| {
        let token = verifier.verify_jwt(&token, &validator, NOW, &mut scratch).unwrap();
        keep.then(|| token.into_claims().into_owned())
    };
    verify(false);
    let borrowed = measure(|| drop(verify(false))).count_total;
    let owned = measure(|| drop(verify(true))).count_total;
    (borrowed, owned)
}

#[test]
fn usual_claims_are_validated_without_allocating() {
    let usual = r#"{"iss":"https://id.example","sub":"248289761001","aud":["https://api.example","b"],
        "exp":1764550800,"nbf":1764547200.5,"iat":1764547200,"jti":"9f2c","client_id":"portal",
        "scope":"openid sign","realm_access":{"roles":["a","b"]}}"#;
    assert_eq!(allocations(usual), (0, 1));
    // Strings with escapes are decoded, each into one of its own.
    let escaped = usual.replace("https://id", r"https:\/\/id");
    assert_eq!(allocations(&escaped), (1, 2));
}
