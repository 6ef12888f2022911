//! Importing a JWK set: afterwards every key is ready to verify.

use std::hint::black_box;

use house::{Fixture, Operation};
use sealwright_jose::{Alg, JwkSet};

pub(crate) fn operations(fixture: &Fixture) -> Vec<Operation> {
    let set = fixture.jwk_set.clone();
    vec![Operation::new("import/100/set", move || {
        let set = JwkSet::parse(black_box(&set), &[Alg::Rs256, Alg::Es256, Alg::Ed25519]).expect("a JWK set");
        assert_eq!(set.keys().len(), 100);
        black_box(&set);
    })]
}
