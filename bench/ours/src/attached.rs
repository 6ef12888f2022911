//! Large payloads inside the token.

use std::{fs, hint::black_box};

use house::{Fixture, Operation};
use sealwright_jose::{
    Alg, MacKey,
    jws::{Limits, Scratch, Verifier},
};

use crate::{primitive::Verifies, token::Token};

pub(crate) fn operations(fixture: &Fixture) -> Vec<Operation> {
    let Some(keys) = fixture.algs.get("HS256") else { return Vec::new() };
    let secret = keys.secret().expect("HS256 has a secret");
    let mut operations = Vec::new();
    for attached in &fixture.attached {
        let text = fs::read_to_string(&attached.path).expect("the token is where the fixture says");
        let (floor, token) = (Verifies::new("HS256", keys), Token::new(&text));
        operations.push(Operation::new(format!("attached/{}/primitive", attached.mib), move || {
            floor.verify(black_box(&token.message), black_box(&token.signature));
        }));
        let key = MacKey::from_bytes(Alg::Hs256, &secret).expect("long enough").with_kid(crate::make::KID);
        let verifier = Verifier::builder([Alg::Hs256])
            .mac_key(key)
            .limits(Limits::default().token_bytes(text.len()).payload_bytes(text.len()))
            .build()
            .expect("a policy that makes sense");
        let mut scratch = Scratch::new();
        operations.push(Operation::new(format!("attached/{}/jws", attached.mib), move || {
            let verified = verifier.verify_compact(black_box(&text), &mut scratch).expect("it is good");
            black_box(verified.payload());
        }));
    }
    operations
}
