//! The paths, each a function of its own name.

use std::hint::black_box;

use sealwright_jose::{
    Alg, JwkSet,
    jws::{Scratch, Verifier},
    jwt::Validator,
};

use crate::inputs::{self, Floor, Input, Inputs};

pub(crate) type Path = fn(&mut Inputs);

macro_rules! paths {
    ($($name:ident => $run:expr;)*) => {
        /// All of them, by the name of their function.
        pub(crate) const PATHS: &[(&str, Path)] = &[$((stringify!($name), $name)),*];
        $(
            #[inline(never)]
            fn $name(inputs: &mut Inputs) {
                let run: Path = $run;
                run(inputs);
            }
        )*
    };
}

paths! {
    hs256_primitive => |inputs| primitive(&inputs.hs256);
    hs256_seen => |inputs| verify(&inputs.hs256.seen, &inputs.hs256.token, &mut inputs.scratch);
    hs256_new => |inputs| verify(&inputs.hs256.new, &inputs.hs256.token, &mut inputs.scratch);
    rs256_primitive => |inputs| primitive(&inputs.rs256);
    rs256_seen => |inputs| verify(&inputs.rs256.seen, &inputs.rs256.token, &mut inputs.scratch);
    rs256_new => |inputs| verify(&inputs.rs256.new, &inputs.rs256.token, &mut inputs.scratch);
    es256_primitive => |inputs| primitive(&inputs.es256);
    es256_seen => |inputs| verify(&inputs.es256.seen, &inputs.es256.token, &mut inputs.scratch);
    es256_new => |inputs| verify(&inputs.es256.new, &inputs.es256.token, &mut inputs.scratch);
    ed25519_primitive => |inputs| primitive(&inputs.ed25519);
    ed25519_seen => |inputs| verify(&inputs.ed25519.seen, &inputs.ed25519.token, &mut inputs.scratch);
    ed25519_new => |inputs| verify(&inputs.ed25519.new, &inputs.ed25519.token, &mut inputs.scratch);
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

fn primitive(input: &Input) {
    let (message, signature) = (black_box(&input.message), black_box(&input.signature));
    match &input.floor {
        Floor::Mac(key) => aws_lc_rs::hmac::verify(key, message, signature),
        Floor::Signature(key) => key.verify_sig(message, signature),
    }
    .expect("the signature is good");
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
