//! Compact JWS, signed with a key that was parsed once.

use std::hint::black_box;

use house::{Fixture, Keys, Operation};
use sealwright_jose::{MacKey, SigningKey, jws::Signer};

use crate::primitive::Signs;

pub(crate) fn operations(name: &str, keys: &Keys, fixture: &Fixture) -> Vec<Operation> {
    let message = keys.token.rsplit_once('.').expect("a compact JWS").0.to_owned();
    let mut floor = Signs::new(name, keys);
    let (signer, claims) = (signer(name, keys), fixture.claims.clone());
    let (signer_into, claims_into, mut text) = (signer.clone(), claims.clone(), String::new());
    vec![
        Operation::new(format!("sign/{name}/primitive"), move || floor.sign(black_box(message.as_bytes()))),
        Operation::new(format!("sign/{name}/jws"), move || {
            black_box(signer.sign_compact(black_box(claims.as_bytes())).expect("it signs"));
        }),
        Operation::new(format!("sign/{name}/jws-into"), move || {
            text.clear();
            signer_into.sign_compact_into(black_box(claims_into.as_bytes()), &mut text).expect("it signs");
            black_box(&text);
        }),
    ]
}

pub(crate) fn signer(name: &str, keys: &Keys) -> Signer {
    let alg = crate::alg(name).expect("the fixture has only algorithms that we have");
    let signer = match keys.secret() {
        Some(secret) => {
            let key = MacKey::from_bytes(alg, &secret).expect("long enough");
            Signer::mac(&key.with_kid(crate::make::KID))
        }
        None => {
            let pem = keys.private_pem.as_deref().expect("a private key");
            let key = SigningKey::from_pem(alg, pem).expect("a private key of that algorithm");
            Signer::new(&key.with_kid(crate::make::KID))
        }
    };
    signer.typ("JWT")
}
