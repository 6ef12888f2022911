//! The paths, each a function of its own name.

use std::hint::black_box;

use counts::{input::Input, paths};
use sealwright_jose::{
    Alg, JwkSet,
    jws::{Scratch, Verifier},
    jwt::Validator,
};

use crate::inputs::{self, Inputs};

paths! {
    Inputs:
    hs256_primitive => |inputs| inputs.hs256.primitive();
    hs256_seen => |inputs| verify(&inputs.hs256.seen, &inputs.hs256.token, &mut inputs.scratch);
    hs256_new => |inputs| verify(&inputs.hs256.new, &inputs.hs256.token, &mut inputs.scratch);
    rs256_primitive => |inputs| inputs.rs256.primitive();
    rs256_seen => |inputs| verify(&inputs.rs256.seen, &inputs.rs256.token, &mut inputs.scratch);
    rs256_new => |inputs| verify(&inputs.rs256.new, &inputs.rs256.token, &mut inputs.scratch);
    es256_primitive => |inputs| inputs.es256.primitive();
    es256_seen => |inputs| verify(&inputs.es256.seen, &inputs.es256.token, &mut inputs.scratch);
    es256_new => |inputs| verify(&inputs.es256.new, &inputs.es256.token, &mut inputs.scratch);
    ed25519_primitive => |inputs| inputs.ed25519.primitive();
    ed25519_seen => |inputs| verify(&inputs.ed25519.seen, &inputs.ed25519.token, &mut inputs.scratch);
    ed25519_new => |inputs| verify(&inputs.ed25519.new, &inputs.ed25519.token, &mut inputs.scratch);
    ps256_primitive => |inputs| inputs.ps256.primitive();
    ps256_seen => |inputs| verify(&inputs.ps256.seen, &inputs.ps256.token, &mut inputs.scratch);
    hs256_jwt => |inputs| jwt(&inputs.hs256, &inputs.validator, &mut inputs.scratch);
    es256_jwt => |inputs| jwt(&inputs.es256, &inputs.validator, &mut inputs.scratch);
    rs256_of_100 => |inputs| verify(&inputs.of_set, &inputs.of_last_key, &mut inputs.scratch);
    hit_primitive => |inputs| inputs.layered.hit_floor();
    hit_layer => |inputs| inputs.layered.hit();
    miss_primitive => |inputs| inputs.layered.miss_floor();
    miss_layer => |inputs| inputs.layered.miss();
    import_of_100 => |inputs| {
        let set = JwkSet::parse(black_box(&inputs.set), &[Alg::Rs256, Alg::Es256, Alg::Ed25519]);
        black_box(set.expect("a JWK set"));
    };
}

fn verify(verifier: &Verifier, token: &str, scratch: &mut Scratch) {
    let verified = verifier.verify_compact(black_box(token), scratch).expect("it is good");
    black_box(verified.payload());
}

/// Every claim is checked, at a time at which the tokens were good.
fn jwt(input: &Input, validator: &Validator, scratch: &mut Scratch) {
    let token = input.seen.verify_jwt(black_box(&input.token), validator, inputs::NOW, scratch);
    black_box(token.expect("it is good").claims().sub());
}
