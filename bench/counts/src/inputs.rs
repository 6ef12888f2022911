//! Fixed keys and tokens, and everything that is made from them before counting starts.

use aws_lc_rs::{
    hmac,
    signature::{self, ParsedPublicKey, VerificationAlgorithm},
};
use sealwright_jose::{
    Alg, JwkSet, MacKey, VerifyingKey, base64url,
    jws::{BuildError, Scratch, Signer, Verifier},
    jwt::Validator,
};

use crate::layered::Layered;

/// Lines of name, JWK and compact token. The private keys of the signatures were thrown away; the secret of HS256 is
/// no secret.
const TOKENS: &str = include_str!("../tokens.txt");

/// A minute after the tokens were issued, in seconds since the epoch.
pub(crate) const NOW: i64 = 1795341223;
pub(crate) const KID: &str = "bench-2026";
const SET_KEYS: usize = 100;

pub(crate) struct Inputs {
    pub(crate) hs256: Input,
    pub(crate) rs256: Input,
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

/// One algorithm.
pub(crate) struct Input {
    pub(crate) token: String,
    pub(crate) message: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    pub(crate) floor: Floor,
    /// Remembers the header of `token`.
    pub(crate) seen: Verifier,
    /// Has no room left to remember any header.
    pub(crate) new: Verifier,
}

pub(crate) enum Floor {
    Mac(Box<hmac::Key>),
    Signature(ParsedPublicKey),
}

impl Inputs {
    pub(crate) fn read() -> Self {
        let line = |name: &str| {
            let line =
                TOKENS.lines().find(|line| line.split(' ').next() == Some(name)).expect("it is listed");
            let mut words = line.split(' ').skip(1);
            (words.next().expect("a JWK"), words.next().expect("a token"))
        };
        let (set, last) = set(&[line("RS256"), line("ES256"), line("EdDSA")]);
        let keys = JwkSet::parse(&set, &[Alg::Rs256, Alg::Es256, Alg::Ed25519]).expect("a JWK set");
        assert_eq!(keys.keys().len(), SET_KEYS);
        let of_set = Verifier::builder([Alg::Rs256, Alg::Es256, Alg::Ed25519]).keys(&keys).build();
        Self {
            hs256: Input::mac(line("HS256")),
            rs256: Input::signature(Alg::Rs256, &signature::RSA_PKCS1_2048_8192_SHA256, line("RS256")),
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

impl Input {
    fn mac((jwk, token): (&str, &str)) -> Self {
        let key = MacKey::from_jwk_as(Alg::Hs256, jwk).expect("a key");
        let secret = jwk.split_once(r#""k":""#).and_then(|(_, rest)| rest.split_once('"')).expect("`k`").0;
        let secret = base64url::decode(secret).expect("base64url");
        let nameless = MacKey::from_bytes(Alg::Hs256, &secret).expect("long enough");
        let new = Verifier::builder([Alg::Hs256]).mac_key(nameless.clone()).build();
        let seen = Verifier::builder([Alg::Hs256]).mac_key(key.with_kid(KID)).typ("JWT").build();
        let floor = Floor::Mac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, &secret)));
        Self::with(token, floor, seen, new, &nameless)
    }

    fn signature(alg: Alg, floor: &'static dyn VerificationAlgorithm, (jwk, token): (&str, &str)) -> Self {
        let key = VerifyingKey::from_jwk_as(alg, jwk).expect("a key");
        let floor = ParsedPublicKey::new(floor, key.to_spki_der()).expect("a key");
        let filler = MacKey::from_bytes(Alg::Hs256, &[7; 32]).expect("long enough");
        let new = Verifier::builder_from(&[alg, Alg::Hs256]).key(key.clone()).mac_key(filler.clone()).build();
        let seen = Verifier::builder_from(&[alg]).key(key.with_kid(KID)).typ("JWT").build();
        Self::with(token, Floor::Signature(floor), seen, new, &filler)
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

/// Has `verifier` verify more headers than it can remember.
fn fill_memory(verifier: &Verifier, key: &MacKey) {
    let mut scratch = Scratch::new();
    for n in 0..256 {
        let named = key.clone().with_kid(format!("filler-{n}"));
        let token = Signer::mac(&named).sign_compact(b"{}").expect("it signs");
        verifier.verify_compact(&token, &mut scratch).expect("it is good");
    }
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
