//! Fixed keys and tokens, and everything that is made from them before counting starts.

use aws_lc_rs::signature;
use counts::input::{Input, KID, line};
use sealwright_jose::{
    Alg, JwkSet,
    jws::{Scratch, Verifier},
    jwt::Validator,
};

use crate::layered::Layered;

/// A minute after the tokens were issued, in seconds since the epoch.
pub(crate) const NOW: i64 = 1795341223;
const SET_KEYS: usize = 100;

pub(crate) struct Inputs {
    pub(crate) hs256: Input,
    pub(crate) rs256: Input,
    pub(crate) ps256: Input,
    pub(crate) es256: Input,
    pub(crate) ed25519: Input,
    pub(crate) validator: Validator,
    pub(crate) scratch: Scratch,
    /// A JWK set of 100 keys, as text.
    pub(crate) set: String,
    /// A verifier with those keys.
    pub(crate) of_set: Verifier,
    /// A token of the key that stands last in the set.
    pub(crate) of_last_key: String,
    pub(crate) layered: Layered,
}

impl Inputs {
    pub(crate) fn read() -> Self {
        let (set, last) = set(&[line("RS256"), line("ES256"), line("EdDSA")]);
        let keys = JwkSet::parse(&set, &[Alg::Rs256, Alg::Es256, Alg::Ed25519]).expect("a JWK set");
        assert_eq!(keys.keys().len(), SET_KEYS);
        let of_set = Verifier::builder([Alg::Rs256, Alg::Es256, Alg::Ed25519]).keys(&keys).build();
        Self {
            hs256: Input::mac(line("HS256")),
            rs256: Input::signature(Alg::Rs256, &signature::RSA_PKCS1_2048_8192_SHA256, line("RS256")),
            ps256: Input::signature(Alg::Ps256, &signature::RSA_PSS_2048_8192_SHA256, line("PS256")),
            es256: Input::signature(Alg::Es256, &signature::ECDSA_P256_SHA256_FIXED, line("ES256")),
            ed25519: Input::signature(Alg::Ed25519, &signature::ED25519, line("EdDSA")),
            validator: validator(),
            scratch: Scratch::new(),
            set,
            of_set: of_set.expect("a policy that makes sense"),
            of_last_key: last,
            layered: Layered::new(),
        }
    }
}

fn validator() -> Validator {
    Validator::builder()
        .expect_typ("JWT")
        .expect_issuer("https://id.example.com")
        .expect_audience("https://api.example.com")
        .expect_expiry()
        .expect_not_before()
        .expect_max_age(3600)
        .build()
        .expect("each check is expected")
}

/// A set in which three keys stand under a hundred names, and a token of the last one.
fn set(keys: &[(&str, &str)]) -> (String, String) {
    let last = keys[(SET_KEYS - 1) % keys.len()];
    let named = |n: usize| {
        let (jwk, _) = keys[n % keys.len()];
        // The last one has the name that the token asks for.
        let kid = if n == SET_KEYS - 1 { KID.to_owned() } else { format!("key-{n:03}") };
        format!(r#"{{"kid":"{kid}",{}"#, jwk.strip_prefix('{').expect("an object"))
    };
    let keys: Vec<String> = (0..SET_KEYS).map(named).collect();
    (format!(r#"{{"keys":[{}]}}"#, keys.join(",")), last.1.to_owned())
}
