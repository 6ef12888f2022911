//! josekit, on OpenSSL.

use std::{
    fs,
    hint::black_box,
    time::{Duration, UNIX_EPOCH},
};

use house::{Fixture, Keys, Operation};
use josekit::{
    jwk::{Jwk, JwkSet},
    jws::{self, ES256, ES256K, ES384, EdDSA, HS256, JwsHeader, JwsSigner, JwsVerifier, PS256, RS256},
    jwt::{self, JwtPayloadValidator},
};

/// Every operation that it has.
pub fn operations(fixture: &Fixture) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (name, keys) in &fixture.algs {
        // ML-DSA it does not have.
        let Some(signer) = signer(name, keys) else { continue };
        operations.extend(verify(name, keys, fixture));
        operations.push(sign(name, signer, fixture));
    }
    operations.push(general(fixture));
    operations.extend(attached(fixture));
    operations.push(import(fixture));
    operations
}

fn verify(name: &str, keys: &Keys, fixture: &Fixture) -> [Operation; 2] {
    let jws = {
        let (verifier, token) = (verifier(name, keys), keys.token.clone());
        Operation::new(format!("verify/{name}/jws"), move || {
            black_box(jws::deserialize_compact(black_box(&token), &*verifier).expect("it is good"));
        })
    };
    let jwt = {
        let (verifier, token) = (verifier(name, keys), keys.token.clone());
        let mut validator = JwtPayloadValidator::new();
        validator.set_issuer(&fixture.issuer);
        validator.set_audience(&fixture.audience);
        validator.set_base_time(UNIX_EPOCH + Duration::from_secs(fixture.issued_at + 60));
        Operation::new(format!("verify/{name}/jwt"), move || {
            let (payload, _) = jwt::decode_with_verifier(black_box(&token), &*verifier).expect("it is good");
            validator.validate(&payload).expect("the claims are good");
            black_box(&payload);
        })
    };
    [jws, jwt]
}

fn sign(name: &str, signer: Box<dyn JwsSigner>, fixture: &Fixture) -> Operation {
    let mut header = JwsHeader::new();
    header.set_token_type("JWT");
    header.set_key_id("bench-2026");
    let payload = fixture.claims.clone();
    Operation::new(format!("sign/{name}/jws"), move || {
        let token = jws::serialize_compact(black_box(payload.as_bytes()), &header, &*signer);
        black_box(token.expect("it signs"));
    })
}

/// One call verifies one signature, the first whose verifier is given; so all three take three calls.
fn general(fixture: &Fixture) -> Operation {
    let json = fixture.general.clone();
    let verifiers: Vec<_> =
        ["RS256", "ES256", "EdDSA"].iter().map(|name| verifier(name, &fixture.algs[*name])).collect();
    Operation::new("general/3/jws", move || {
        for verifier in &verifiers {
            black_box(jws::deserialize_json(black_box(&json), &**verifier).expect("it is good"));
        }
    })
}

fn attached(fixture: &Fixture) -> Vec<Operation> {
    let Some(keys) = fixture.algs.get("HS256") else { return Vec::new() };
    let operation = |attached: &house::Attached| {
        let token = fs::read_to_string(&attached.path).expect("the token is where the fixture says");
        let verifier = verifier("HS256", keys);
        Operation::new(format!("attached/{}/jws", attached.mib), move || {
            black_box(jws::deserialize_compact(black_box(&token), &*verifier).expect("it is good"));
        })
    };
    fixture.attached.iter().map(operation).collect()
}

fn import(fixture: &Fixture) -> Operation {
    let json = fixture.jwk_set.clone();
    Operation::new("import/100/set", move || {
        let set = JwkSet::from_bytes(black_box(&json)).expect("a JWK set");
        let keys: Vec<Box<dyn JwsVerifier>> = set
            .keys()
            .into_iter()
            .map(|jwk| -> Box<dyn JwsVerifier> {
                match jwk.key_type() {
                    "RSA" => Box::new(RS256.verifier_from_jwk(jwk).expect("a key")),
                    "EC" => Box::new(ES256.verifier_from_jwk(jwk).expect("a key")),
                    _ => Box::new(EdDSA.verifier_from_jwk(jwk).expect("a key")),
                }
            })
            .collect();
        assert_eq!(keys.len(), 100);
        black_box(&keys);
    })
}

fn verifier(name: &str, keys: &Keys) -> Box<dyn JwsVerifier> {
    let pem = keys.public_pem.as_deref().unwrap_or_default();
    match name {
        "HS256" => {
            Box::new(HS256.verifier_from_bytes(keys.secret().expect("a secret")).expect("long enough"))
        }
        "RS256" => Box::new(RS256.verifier_from_pem(pem).expect("a key")),
        // As PEM it takes only keys that are marked for PSS alone.
        "PS256" => Box::new(PS256.verifier_from_jwk(&jwk(&keys.jwk)).expect("a key")),
        "ES256" => Box::new(ES256.verifier_from_pem(pem).expect("a key")),
        "ES384" => Box::new(ES384.verifier_from_pem(pem).expect("a key")),
        "ES256K" => Box::new(ES256K.verifier_from_pem(pem).expect("a key")),
        "EdDSA" => Box::new(EdDSA.verifier_from_pem(pem).expect("a key")),
        _ => panic!("josekit has no {name}"),
    }
}

fn signer(name: &str, keys: &Keys) -> Option<Box<dyn JwsSigner>> {
    let pem = keys.private_pem.as_deref().unwrap_or_default();
    Some(match name {
        "HS256" => Box::new(HS256.signer_from_bytes(keys.secret().expect("a secret")).expect("long enough")),
        "RS256" => Box::new(RS256.signer_from_pem(pem).expect("a key")),
        "PS256" => Box::new(PS256.signer_from_jwk(&jwk(keys.private_jwk.as_deref()?)).expect("a key")),
        "ES256" => Box::new(ES256.signer_from_pem(pem).expect("a key")),
        "ES384" => Box::new(ES384.signer_from_pem(pem).expect("a key")),
        "ES256K" => Box::new(ES256K.signer_from_pem(pem).expect("a key")),
        "EdDSA" => Box::new(EdDSA.signer_from_pem(pem).expect("a key")),
        _ => return None,
    })
}

fn jwk(text: &str) -> Jwk {
    Jwk::from_bytes(text).expect("a JWK")
}
