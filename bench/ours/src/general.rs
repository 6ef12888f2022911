//! General JSON with three signatures, all of which must be good.

use std::hint::black_box;

use house::{Fixture, Operation};
use sealwright_jose::{
    Alg, VerifyingKey, base64url,
    jws::{Require, Scratch, Verifier},
};

use crate::primitive::Verifies;

const NAMES: [&str; 3] = ["RS256", "ES256", "EdDSA"];

pub(crate) fn operations(fixture: &Fixture) -> Vec<Operation> {
    vec![floor(fixture), ours(fixture)]
}

fn ours(fixture: &Fixture) -> Operation {
    let algs = [Alg::Rs256, Alg::Es256, Alg::Ed25519];
    let verifier = NAMES.iter().zip(algs).fold(Verifier::builder(algs), |builder, (name, alg)| {
        let pem = fixture.algs[*name].public_pem.as_deref().expect("a public key");
        builder.key(VerifyingKey::from_pem(alg, pem).expect("a public key").with_kid(crate::make::KID))
    });
    let verifier = verifier.typ("JWT").build().expect("a policy that makes sense");
    let (json, mut scratch) = (fixture.general.clone(), Scratch::new());
    Operation::new("general/3/jws", move || {
        let verified = verifier.verify_general(black_box(&json), Require::All, &mut scratch);
        let verified = verified.expect("all are good");
        assert_eq!(verified.signatures().len(), NAMES.len());
        black_box(verified.payload());
    })
}

fn floor(fixture: &Fixture) -> Operation {
    let json: serde_json::Value = serde_json::from_str(&fixture.general).expect("the fixture is JSON");
    let text = |value: &serde_json::Value| value.as_str().expect("a string").to_owned();
    let parts: Vec<_> = (0..NAMES.len())
        .map(|index| {
            let one = &json["signatures"][index];
            let message = format!("{}.{}", text(&one["protected"]), text(&json["payload"]));
            let signature = base64url::decode(&text(&one["signature"])).expect("base64url");
            (Verifies::new(NAMES[index], &fixture.algs[NAMES[index]]), message, signature)
        })
        .collect();
    Operation::new("general/3/primitive", move || {
        for (key, message, signature) in &parts {
            key.verify(black_box(message.as_bytes()), black_box(signature));
        }
    })
}
