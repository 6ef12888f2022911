//! jwt-simple, on BoringSSL where it uses that (RSA and ECDSA). It has JWTs only.

use std::{collections::HashSet, hint::black_box};

use house::{Fixture, Keys, Operation};
use jwt_simple::prelude::*;

/// The claims that are not registered.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Custom {
    scope: String,
}

/// Every operation that it has.
pub fn operations(fixture: &Fixture) -> Vec<Operation> {
    fixture.algs.iter().flat_map(|(name, keys)| both(name, keys, fixture)).collect()
}

/// The operations on a pair of keys that its type has.
macro_rules! asymmetric {
    ($name:expr, $keys:expr, $fixture:expr, $public:ty, $pair:ty) => {{
        let public =
            <$public>::from_pem($keys.public_pem.as_deref().expect("a public key")).expect("a public key");
        let pair =
            <$pair>::from_pem($keys.private_pem.as_deref().expect("a private key")).expect("a private key");
        let pair = pair.with_key_id("bench-2026");
        let (token, options, claims) = ($keys.token.clone(), options($fixture), claims($fixture));
        vec![
            Operation::new(format!("verify/{}/jwt", $name), move || {
                let claims = public.verify_token::<Custom>(black_box(&token), Some(options.clone()));
                black_box(claims.expect("it is good"));
            }),
            Operation::new(format!("sign/{}/jws", $name), move || {
                black_box(pair.sign(black_box(claims.clone())).expect("it signs"));
            }),
        ]
    }};
}

fn both(name: &str, keys: &Keys, fixture: &Fixture) -> Vec<Operation> {
    match name {
        "HS256" => mac(keys, fixture),
        "RS256" => asymmetric!(name, keys, fixture, RS256PublicKey, RS256KeyPair),
        "PS256" => asymmetric!(name, keys, fixture, PS256PublicKey, PS256KeyPair),
        "ES256" => asymmetric!(name, keys, fixture, ES256PublicKey, ES256KeyPair),
        "ES384" => asymmetric!(name, keys, fixture, ES384PublicKey, ES384KeyPair),
        "ES256K" => asymmetric!(name, keys, fixture, ES256kPublicKey, ES256kKeyPair),
        "EdDSA" => asymmetric!(name, keys, fixture, Ed25519PublicKey, Ed25519KeyPair),
        _ => Vec::new(),
    }
}

fn mac(keys: &Keys, fixture: &Fixture) -> Vec<Operation> {
    let key = HS256Key::from_bytes(&keys.secret().expect("a secret"));
    let signing = key.clone().with_key_id("bench-2026");
    let (token, options, claims) = (keys.token.clone(), options(fixture), claims(fixture));
    vec![
        Operation::new("verify/HS256/jwt", move || {
            let claims = key.verify_token::<Custom>(black_box(&token), Some(options.clone()));
            black_box(claims.expect("it is good"));
        }),
        Operation::new("sign/HS256/jws", move || {
            black_box(signing.authenticate(black_box(claims.clone())).expect("it signs"));
        }),
    ]
}

/// They are taken by value, so a copy for each token is part of its price.
fn options(fixture: &Fixture) -> VerificationOptions {
    VerificationOptions {
        time_tolerance: None,
        allowed_issuers: Some(HashSet::from([fixture.issuer.clone()])),
        allowed_audiences: Some(HashSet::from([fixture.audience.clone()])),
        ..VerificationOptions::default()
    }
}

fn claims(fixture: &Fixture) -> JWTClaims<Custom> {
    Claims::with_custom_claims(Custom { scope: "read write".into() }, Duration::from_hours(24))
        .with_issuer(&fixture.issuer)
        .with_audience(&fixture.audience)
        .with_subject("248289761001")
        .with_jwt_id("0f8fad5b-d9cb-469f-a165-70867728950e")
}
