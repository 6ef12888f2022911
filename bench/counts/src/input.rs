//! Fixed keys and tokens of one algorithm each.

use std::hint::black_box;

use aws_lc_rs::{
    hmac,
    signature::{ParsedPublicKey, VerificationAlgorithm},
};
use sealwright_jose::{
    Alg, MacKey, VerifyingKey, base64url,
    jws::{BuildError, Scratch, Signer, Verifier},
};

/// Lines of name, JWK and compact token. The private keys of the signatures were thrown away; the secret of HS256 is
/// no secret.
const TOKENS: &str = include_str!("../tokens.txt");

pub const KID: &str = "bench-2026";

/// The JWK and the token of this name.
pub fn line(name: &str) -> (&'static str, &'static str) {
    let line = TOKENS.lines().find(|line| line.split(' ').next() == Some(name)).expect("it is listed");
    let mut words = line.split(' ').skip(1);
    (words.next().expect("a JWK"), words.next().expect("a token"))
}

/// One algorithm.
pub struct Input {
    pub token: String,
    message: Vec<u8>,
    signature: Vec<u8>,
    floor: Floor,
    /// Remembers the header of `token`.
    pub seen: Verifier,
    /// Has no room left to remember any header.
    pub new: Verifier,
}

enum Floor {
    Mac(Box<hmac::Key>),
    Signature(ParsedPublicKey),
}

impl Input {
    pub fn mac((jwk, token): (&str, &str)) -> Self {
        let key = MacKey::from_jwk_as(Alg::Hs256, jwk).expect("a key");
        let secret = jwk.split_once(r#""k":""#).and_then(|(_, rest)| rest.split_once('"')).expect("`k`").0;
        let secret = base64url::decode(secret).expect("base64url");
        let nameless = MacKey::from_bytes(Alg::Hs256, &secret).expect("long enough");
        let new = Verifier::builder([Alg::Hs256]).mac_key(nameless.clone()).build();
        let seen = Verifier::builder([Alg::Hs256]).mac_key(key.with_kid(KID)).typ("JWT").build();
        let floor = Floor::Mac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, &secret)));
        Self::with(token, floor, seen, new, &nameless)
    }

    pub fn signature(
        alg: Alg,
        floor: &'static dyn VerificationAlgorithm,
        (jwk, token): (&str, &str),
    ) -> Self {
        let key = VerifyingKey::from_jwk_as(alg, jwk).expect("a key");
        let floor = ParsedPublicKey::new(floor, key.to_spki_der()).expect("a key");
        let filler = MacKey::from_bytes(Alg::Hs256, &[7; 32]).expect("long enough");
        let new = Verifier::builder_from(&[alg, Alg::Hs256]).key(key.clone()).mac_key(filler.clone()).build();
        let seen = Verifier::builder_from(&[alg]).key(key.with_kid(KID)).typ("JWT").build();
        Self::with(token, Floor::Signature(floor), seen, new, &filler)
    }

    /// The cryptography alone.
    pub fn primitive(&self) {
        let (message, signature) = (black_box(&self.message), black_box(&self.signature));
        match &self.floor {
            Floor::Mac(key) => hmac::verify(key, message, signature),
            Floor::Signature(key) => key.verify_sig(message, signature),
        }
        .expect("the signature is good");
    }

    fn with(
        token: &str,
        floor: Floor,
        seen: Result<Verifier, BuildError>,
        new: Result<Verifier, BuildError>,
        filler: &MacKey,
    ) -> Self {
        let (message, signature) = token.rsplit_once('.').expect("a compact token");
        let input = Self {
            token: token.to_owned(),
            message: message.as_bytes().to_vec(),
            signature: base64url::decode(signature).expect("base64url"),
            floor,
            seen: seen.expect("a policy that makes sense"),
            new: new.expect("a policy that makes sense"),
        };
        fill_memory(&input.new, filler);
        input
    }
}

/// Has `verifier` verify more headers than it can remember.
fn fill_memory(verifier: &Verifier, key: &MacKey) {
    let mut scratch = Scratch::new();
    for n in 0..256 {
        let named = key.clone().with_kid(format!("filler-{n}"));
        let token = Signer::mac(&named).sign_compact(b"{}").expect("it signs");
        verifier.verify_compact(&token, &mut scratch).expect("it is good");
    }
}
