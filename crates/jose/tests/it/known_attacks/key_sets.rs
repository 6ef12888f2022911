//! Key sets that are mixed up, private or too large (CVE-2025-22149, keycloak/keycloak#50358,
//! web-token/jwt-framework#723).

use sealwright_jose::{
    Alg, JwkSet, KeyError, SelectError, Selection, VerifyErrorKind as Kind,
    jws::{Signer, Verifier},
};
use serde_json::{Value, json};

use super::{jwk_of, keys};
use crate::{
    support::{ES256, HS256, PAYLOAD, generate, outcome},
    tally::{refused, refused_if},
};

/// A set of one good key and another one, of which only the good one must be left.
fn beside(other: &Value) -> JwkSet {
    let text = json!({"keys": [other, jwk_of(&ES256.verifying_key())]}).to_string();
    let set = JwkSet::parse(&text, Alg::ALL).unwrap();
    assert_eq!(set.keys(), [ES256.verifying_key()], "{other}");
    set
}

fn why(other: &Value) -> Result<(), KeyError> {
    match beside(other).skipped() {
        [(0, error)] => Err(error.clone()),
        skipped => panic!("{other}: {skipped:?}"),
    }
}

#[test]
pub(super) fn key_that_spoils_no_set() {
    let a_secret = |error: &KeyError| *error == KeyError::Secret;
    for key in keys() {
        // A private key in a public set is everybody's.
        let private: Value = serde_json::from_str(&key.to_jwk().unwrap()).unwrap();
        refused_if(format_args!("private {}", key.alg()), why(&private), a_secret);
        for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"] {
            let mut jwk = jwk_of(&key.verifying_key());
            jwk[member] = json!("AAAA");
            refused_if(member, why(&jwk), a_secret);
        }
    }
    let secret: Value = serde_json::from_str(&HS256.to_jwk()).unwrap();
    refused_if("symmetric", why(&secret), a_secret);
    let unknown_alg = |alg: &str| json!({"kty": "AKP", "alg": alg, "pub": "AAAA"});
    for (jwk, error) in [
        (json!({}), KeyError::MemberMissing("kty")),
        (json!({"kty": null}), KeyError::Member { member: "kty", problem: "is not a string" }),
        (json!({"kty": ["EC"]}), KeyError::Member { member: "kty", problem: "is not a string" }),
        (json!({"kty": "EC"}), KeyError::MemberMissing("crv")),
        (json!({"kty": "OKP"}), KeyError::MemberMissing("crv")),
        (json!({"kty": "AKP"}), KeyError::MemberMissing("alg")),
        (json!({"kty": "AKP", "pub": "AAAA"}), KeyError::MemberMissing("alg")),
        (unknown_alg("SLH-DSA-SHA2-128s"), KeyError::AlgUnsupported),
        (unknown_alg("ML-KEM-768"), KeyError::AlgUnsupported),
        (unknown_alg("ES256"), KeyError::AlgUnsupported),
        (unknown_alg("ML-DSA-44"), KeyError::Member { member: "pub", problem: "has the wrong length" }),
        (json!({"kty": "RSA", "e": "AQAB", "alg": "RS256"}), KeyError::MemberMissing("n")),
        (json!({"kty": "RSA", "n": "AQAB", "alg": "RS256"}), KeyError::MemberMissing("e")),
        (
            json!({"kty": "RSA", "n": "A=", "e": "AQAB", "alg": "RS256"}),
            KeyError::Member { member: "n", problem: "is not base64url" },
        ),
    ] {
        refused(&jwk, why(&jwk), error);
    }
    for kty in ["LMS", "HSS", "ec", "rsa", "PBKDF2", ""] {
        refused_if(format_args!("kty {kty}"), why(&json!({"kty": kty})), |error| {
            matches!(error, KeyError::Unsupported(_))
        });
    }
    for key in [json!("key"), json!(7), json!(null), json!([]), json!(true)] {
        refused_if(&key, why(&key), |error| matches!(error, KeyError::Format { .. }));
    }
}

#[test]
pub(super) fn text_that_is_no_set() {
    let jwk = ES256.verifying_key().to_jwk();
    let parse = |text: &str| JwkSet::parse(text, Alg::ALL);
    let keys = |problem| KeyError::Member { member: "keys", problem };
    let twice = KeyError::Malformed { format: "JWK set", problem: "a name stands twice in one object" };
    let syntax = KeyError::Malformed { format: "JWK set", problem: "not strict JSON" };
    let deep = KeyError::Malformed { format: "JWK set", problem: "nested too deeply" };
    let many = format!(r#"{{"keys":[{}]}}"#, vec!["{}"; 257].join(","));
    let crowd = format!(r#"{{"keys":[{}]}}"#, vec!["{}"; 100_000].join(","));
    let wide = format!(r#"{{"keys":[],"x":"{}"}}"#, "x".repeat(1024 * 1024));
    for (text, error) in [
        ("{}", KeyError::MemberMissing("keys")),
        (r#"{"KEYS":[]}"#, KeyError::MemberMissing("keys")),
        (r#"{"keys":null}"#, keys("is not an array")),
        (r#"{"keys":"x"}"#, keys("is not an array")),
        (r#"{"keys":{"0":{}}}"#, keys("is not an array")),
        (r#"{"keys":[],"keys":[]}"#, twice.clone()),
        (r#"{"keys":[],"k\u0065ys":[]}"#, twice.clone()),
        (r#"{"keys":[{"kid":"a","kid":"b"}]}"#, twice),
        (r#"{"keys":[],}"#, syntax.clone()),
        (r#"{"keys":[]}{"keys":[]}"#, syntax.clone()),
        (r#"{"keys":[]} x"#, syntax.clone()),
        (r#"{"keys":[NaN]}"#, syntax),
        (&format!(r#"{{"keys":{}{}}}"#, "[".repeat(20_000), "]".repeat(20_000)), deep),
        (&many, KeyError::TooManyKeys(256)),
        (&crowd, KeyError::TooManyKeys(256)),
        (&wide, KeyError::TooLarge(1024 * 1024)),
        (&jwk, KeyError::Format { seen: "a single JWK", wanted: "a JWK set" }),
    ] {
        refused(format_args!("{text:.60} {}", text.len()), parse(text), error);
    }
    for text in ["", "[]", "null", "\u{feff}{\"keys\":[]}", "<keys/>"] {
        refused_if(text, parse(text), |error| matches!(error, KeyError::Format { wanted: "a JWK set", .. }));
    }
    let one = JwkSet::parse_any(HS256.to_jwk().as_str(), Alg::ALL);
    refused_if("a secret as public set", one, |error| *error == KeyError::Secret);
}

#[test]
pub(super) fn one_kid_for_two_keys() {
    let (other, third) = (generate(Alg::Es256), generate(Alg::Es256).with_kid("third"));
    let public = [&*ES256, &other, &third].map(|key| jwk_of(&key.verifying_key()));
    let set = JwkSet::parse(&json!({"keys": public}).to_string(), &[Alg::Es256]).unwrap();
    let verifier = Verifier::builder([Alg::Es256]).keys(&set).build().unwrap();
    let token = |key| Signer::new(key).sign_compact(PAYLOAD).unwrap();
    refused("the first", outcome(&verifier, &token(&ES256)), Kind::KeyAmbiguous);
    refused("the second", outcome(&verifier, &token(&other)), Kind::KeyAmbiguous);
    assert!(outcome(&verifier, &token(&third)).is_ok(), "the others are not locked out");
    let several = set.select(&Selection::new().kid("k"));
    refused_if("selected", several, |error| matches!(error, SelectError::Several(keys) if keys.len() == 2));
    refused("unknown", set.select(&Selection::new().kid("x")), SelectError::None);
    let published = JwkSet::from_keys([ES256.verifying_key(), other.verifying_key()]);
    refused("published", published, KeyError::DuplicateKid);
    // A key that was withdrawn is gone with the set that had it.
    let later = JwkSet::from_keys([third.verifying_key()]).unwrap();
    let later = Verifier::builder([Alg::Es256]).keys(&later).build().unwrap();
    refused("withdrawn", outcome(&later, &token(&ES256)), Kind::KeyUnknown);
}
