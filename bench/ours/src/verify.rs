//! Compact JWS, verified.

use std::hint::black_box;

use house::{Keys, Operation};
use sealwright_jose::{
    MacKey, VerifyingKey,
    jws::{Scratch, Verifier},
};

use crate::{primitive::Verifies, token::Token};

pub(crate) fn operations(name: &str, keys: &Keys) -> Vec<Operation> {
    let floor = {
        let (key, token) = (Verifies::new(name, keys), Token::new(&keys.token));
        Operation::new(format!("verify/{name}/primitive"), move || {
            key.verify(black_box(&token.message), black_box(&token.signature));
        })
    };
    let several = {
        // Signatures differ in how long they take, so the new headers have a floor of their own.
        let key = Verifies::new(name, keys);
        let tokens: Vec<_> = second_half(keys).iter().map(|token| Token::new(token)).collect();
        let mut next = 0;
        Operation::new(format!("verify/{name}/primitive-several"), move || {
            next = (next + 1) % tokens.len();
            key.verify(black_box(&tokens[next].message), black_box(&tokens[next].signature));
        })
    };
    let seen = {
        let (verifier, token, mut scratch) = (verifier(name, keys, true), keys.token.clone(), Scratch::new());
        Operation::new(format!("verify/{name}/jws"), move || {
            let verified = verifier.verify_compact(black_box(&token), &mut scratch).expect("it is good");
            black_box(verified.payload());
        })
    };
    let new = {
        // A key without `kid` takes any, so one verifier sees a new header each time.
        let (verifier, mut scratch) = (verifier(name, keys, false), Scratch::new());
        // Whatever a verifier remembers is full after the first half; the second half is what is measured.
        for token in &keys.with_other_headers[..keys.with_other_headers.len() / 2] {
            verifier.verify_compact(token, &mut scratch).expect("it is good");
        }
        let tokens = second_half(keys).to_vec();
        let mut next = 0;
        Operation::new(format!("verify/{name}/jws-new-header"), move || {
            next = (next + 1) % tokens.len();
            let verified =
                verifier.verify_compact(black_box(&tokens[next]), &mut scratch).expect("it is good");
            black_box(verified.payload());
        })
    };
    vec![floor, several, seen, new]
}

fn second_half(keys: &Keys) -> &[String] {
    &keys.with_other_headers[keys.with_other_headers.len() / 2..]
}

/// A verifier for the one key, which has its `kid` or none.
pub(crate) fn verifier(name: &str, keys: &Keys, with_kid: bool) -> Verifier {
    let alg = crate::alg(name).expect("the fixture has only algorithms that we have");
    let builder = Verifier::builder([alg]).typ("JWT");
    match keys.secret() {
        Some(secret) => {
            let key = MacKey::from_bytes(alg, &secret).expect("long enough");
            builder.mac_key(if with_kid { key.with_kid(crate::make::KID) } else { key })
        }
        None => {
            let pem = keys.public_pem.as_deref().expect("a public key");
            let key = VerifyingKey::from_pem(alg, pem).expect("a public key of that algorithm");
            builder.key(if with_kid { key.with_kid(crate::make::KID) } else { key })
        }
    }
    .build()
    .expect("a policy that makes sense")
}
