//! The verify paths of the other serializations: JSON, and payloads outside the token.

use std::hint::black_box;

use aws_lc_rs::signature;
use counts::{
    input::{Input, KID, line},
    paths,
};
use sealwright_jose::{
    Alg, MacKey, VerifyingKey, base64url,
    jws::{Require, Scratch, Verifier},
};

struct Inputs {
    hs256: Input,
    rs256: Input,
    es256: Input,
    /// The token of HS256 in JSON.
    flattened: String,
    /// The same without its payload, which all tokens have.
    detached: String,
    payload: Vec<u8>,
    /// The three tokens as one.
    general: String,
    /// Has the keys of all three, and remembers the header of each.
    of_three: Verifier,
    scratch: Scratch,
}

paths! {
    Inputs:
    hs256_primitive => |inputs| inputs.hs256.primitive();
    hs256_flattened => |inputs| {
        let token = black_box(&inputs.flattened);
        let verified = inputs.hs256.seen.verify_flattened(token, &mut inputs.scratch).expect("it is good");
        black_box(verified.payload());
    };
    hs256_detached => |inputs| {
        let (token, payload) = black_box((&inputs.detached, &inputs.payload));
        let verified = inputs.hs256.seen.verify_detached(token, payload, &mut inputs.scratch);
        black_box(verified.expect("it is good").payload());
    };
    three_primitive => |inputs| {
        [&inputs.hs256, &inputs.rs256, &inputs.es256].into_iter().for_each(Input::primitive);
    };
    three_general => |inputs| {
        let token = black_box(&inputs.general);
        let verified = inputs.of_three.verify_general(token, Require::All, &mut inputs.scratch);
        black_box(verified.expect("each is good").payload());
    };
}

fn main() {
    counts::run(PATHS, Inputs::read());
}

impl Inputs {
    fn read() -> Self {
        let lines = ["HS256", "RS256", "ES256"].map(line);
        let [(secret, by_mac), (rsa, _), (ec, _)] = lines;
        let [header, payload, signature] = parts(by_mac);
        let of_three = Verifier::builder([Alg::Hs256, Alg::Rs256, Alg::Es256])
            .mac_key(MacKey::from_jwk_as(Alg::Hs256, secret).expect("a key").with_kid(KID))
            .key(VerifyingKey::from_jwk_as(Alg::Rs256, rsa).expect("a key").with_kid(KID))
            .key(VerifyingKey::from_jwk_as(Alg::Es256, ec).expect("a key").with_kid(KID))
            .typ("JWT")
            .build();
        let signatures = lines.map(|(_, token)| format!("{{{}}}", members(token))).join(",");
        Self {
            hs256: Input::mac(lines[0]),
            rs256: Input::signature(Alg::Rs256, &signature::RSA_PKCS1_2048_8192_SHA256, lines[1]),
            es256: Input::signature(Alg::Es256, &signature::ECDSA_P256_SHA256_FIXED, lines[2]),
            flattened: format!(r#"{{"payload":"{payload}",{}}}"#, members(by_mac)),
            detached: format!("{header}..{signature}"),
            payload: base64url::decode(payload).expect("base64url"),
            general: format!(r#"{{"payload":"{payload}","signatures":[{signatures}]}}"#),
            of_three: of_three.expect("a policy that makes sense"),
            scratch: Scratch::new(),
        }
    }
}

/// Header, payload and signature of a compact token.
fn parts(token: &str) -> [&str; 3] {
    let parts: Vec<&str> = token.split('.').collect();
    parts.try_into().expect("a compact token")
}

/// What stands in JSON for its signature.
fn members(token: &str) -> String {
    let [header, _, signature] = parts(token);
    format!(r#""protected":"{header}","signature":"{signature}""#)
}
