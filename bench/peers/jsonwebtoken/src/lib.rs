//! jsonwebtoken. Its keys are made once, and what is fastest in its API is used: it parses keys at each use, reads only
//! JWTs, and reads claims into a type.

use std::{fs, hint::black_box};

use house::{Fixture, Keys, Operation};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, EncodingKey, Header, Validation, decode, encode, jwk::JwkSet,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    exp: u64,
    nbf: u64,
    iat: u64,
    jti: String,
    scope: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Data {
    data: String,
}

/// Every operation that it has.
pub fn operations(fixture: &Fixture) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (name, keys) in &fixture.algs {
        // ES256K and ML-DSA it does not have.
        let Ok(alg) = name.parse::<Algorithm>() else { continue };
        operations.extend(verify(name, alg, keys, fixture));
        operations.push(sign(name, alg, keys, fixture));
    }
    operations.extend(attached(fixture));
    operations.push(import(fixture));
    operations
}

fn verify(name: &str, alg: Algorithm, keys: &Keys, fixture: &Fixture) -> [Operation; 2] {
    // There is no JWS without claims, so all checks that can be are switched off.
    let jws = {
        let (key, token, validation) = (decoding_key(alg, keys), keys.token.clone(), unchecked(alg));
        Operation::new(format!("verify/{name}/jws"), move || {
            black_box(decode::<Claims>(black_box(&token), &key, &validation).expect("it is good"));
        })
    };
    let jwt = {
        let (key, token) = (decoding_key(alg, keys), keys.token.clone());
        let mut validation = Validation::new(alg);
        validation.leeway = 0;
        validation.validate_nbf = true;
        validation.set_issuer(&[&fixture.issuer]);
        validation.set_audience(&[&fixture.audience]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud"]);
        Operation::new(format!("verify/{name}/jwt"), move || {
            black_box(decode::<Claims>(black_box(&token), &key, &validation).expect("it is good"));
        })
    };
    [jws, jwt]
}

fn unchecked(alg: Algorithm) -> Validation {
    let mut validation = Validation::new(alg);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation
}

fn sign(name: &str, alg: Algorithm, keys: &Keys, fixture: &Fixture) -> Operation {
    let key = encoding_key(alg, keys);
    let mut header = Header::new(alg);
    header.kid = Some("bench-2026".into());
    let claims: Claims = serde_json::from_str(&fixture.claims).expect("the claims are of this type");
    Operation::new(format!("sign/{name}/jws"), move || {
        black_box(encode(&header, black_box(&claims), &key).expect("it signs"));
    })
}

fn attached(fixture: &Fixture) -> Vec<Operation> {
    let Some(keys) = fixture.algs.get("HS256") else { return Vec::new() };
    let operation = |attached: &house::Attached| {
        let token = fs::read_to_string(&attached.path).expect("the token is where the fixture says");
        let (key, validation) = (decoding_key(Algorithm::HS256, keys), unchecked(Algorithm::HS256));
        Operation::new(format!("attached/{}/jws", attached.mib), move || {
            let decoded = decode::<Data>(black_box(&token), &key, &validation).expect("it is good");
            black_box(&decoded.claims.data);
        })
    };
    fixture.attached.iter().map(operation).collect()
}

/// Reads the set and makes a key of each member, as `decode` wants it. The numbers are not looked at until a token is.
fn import(fixture: &Fixture) -> Operation {
    let json = fixture.jwk_set.clone();
    Operation::new("import/100/set", move || {
        let set: JwkSet = serde_json::from_str(black_box(&json)).expect("a JWK set");
        let keys: Vec<_> = set.keys.iter().map(|jwk| DecodingKey::from_jwk(jwk).expect("a key")).collect();
        assert_eq!(keys.len(), 100);
        black_box(&keys);
    })
}

fn decoding_key(alg: Algorithm, keys: &Keys) -> DecodingKey {
    if let Some(secret) = keys.secret() {
        return DecodingKey::from_secret(&secret);
    }
    let pem = keys.public_pem.as_deref().expect("a public key").as_bytes();
    match alg.family() {
        AlgorithmFamily::Rsa => DecodingKey::from_rsa_pem(pem),
        AlgorithmFamily::Ec => DecodingKey::from_ec_pem(pem),
        _ => DecodingKey::from_ed_pem(pem),
    }
    .expect("a public key")
}

fn encoding_key(alg: Algorithm, keys: &Keys) -> EncodingKey {
    if let Some(secret) = keys.secret() {
        return EncodingKey::from_secret(&secret);
    }
    let pem = keys.private_pem.as_deref().expect("a private key").as_bytes();
    match alg.family() {
        AlgorithmFamily::Rsa => EncodingKey::from_rsa_pem(pem),
        AlgorithmFamily::Ec => EncodingKey::from_ec_pem(pem),
        _ => EncodingKey::from_ed_pem(pem),
    }
    .expect("a private key")
}
