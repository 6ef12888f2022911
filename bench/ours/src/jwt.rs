//! JWT: signature and every claim checked.

use std::hint::black_box;

use house::{Fixture, Keys, Operation};
use sealwright_jose::{jws::Scratch, jwt::Validator};

use crate::verify::verifier;

pub(crate) fn operations(name: &str, keys: &Keys, fixture: &Fixture) -> Vec<Operation> {
    let now = i64::try_from(fixture.issued_at).expect("a time of this age") + 60;
    let validator = Validator::builder()
        .expect_typ("JWT")
        .expect_issuer(&fixture.issuer)
        .expect_audience(&fixture.audience)
        .expect_expiry()
        .expect_not_before()
        .expect_max_age(3600)
        .build()
        .expect("each check is expected");
    let borrowed = {
        let (verifier, token, mut scratch) = (verifier(name, keys, true), keys.token.clone(), Scratch::new());
        let validator = validator.clone();
        Operation::new(format!("verify/{name}/jwt"), move || {
            let token = verifier.verify_jwt(black_box(&token), &validator, now, &mut scratch);
            black_box(token.expect("it is good").claims().sub());
        })
    };
    let owned = {
        let (verifier, token, mut scratch) = (verifier(name, keys, true), keys.token.clone(), Scratch::new());
        Operation::new(format!("verify/{name}/jwt-owned"), move || {
            let token = verifier.verify_jwt(black_box(&token), &validator, now, &mut scratch);
            black_box(token.expect("it is good").into_claims().into_owned());
        })
    };
    vec![borrowed, owned]
}
