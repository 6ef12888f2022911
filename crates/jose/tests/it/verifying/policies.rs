//! What the RFCs leave to the recipient, and what they don't.

use sealwright_jose::{
    Alg, JwkSet, MacKey, SigningKey, VerifyErrorKind as Kind,
    jws::{BuildError, ParameterType, Policy, Require, Verifier, VerifierBuilder},
};

use super::{By, verify_json};
use crate::support::{ES256, PAYLOAD, es256_verifier, outcome, outcome_flattened, signed, signed_flattened};

const POLICIES: [Policy; 3] = [Policy::Strict, Policy::Rfc, Policy::Joserfc];

fn verifiers() -> [Verifier; 3] {
    POLICIES.map(|policy| es256_verifier().understands("exp").policy(policy).build().unwrap())
}

/// A header, and what each policy says to it: `None` is accepted.
type Row = (&'static str, [Option<Kind>; 3]);

const MALFORMED: Option<Kind> = Some(Kind::Malformed);
const CRITICAL: Option<Kind> = Some(Kind::Critical);
const UNKNOWN: Option<Kind> = Some(Kind::ParameterUnknown);
const OK: Option<Kind> = None;

#[test]
fn headers() {
    let table: &[Row] = &[
        (r#"{"alg":"ES256"}"#, [OK; 3]),
        (r#"{"alg":"ES256","exp":1}"#, [OK; 3]),
        (r#"{"alg":"ES256","crit":["exp"],"exp":1}"#, [OK; 3]),
        // Left to the recipient.
        (r#"{"alg":"none","alg":"ES256"}"#, [MALFORMED, OK, OK]),
        (r#"{"alg":7,"alg":"ES256"}"#, [MALFORMED, OK, OK]),
        (r#"{"\u0061lg":"none","alg":"ES256"}"#, [MALFORMED, OK, OK]),
        (r#"{"alg":"ES256","jwk":{"kty":"EC","kty":"oct"}}"#, [MALFORMED, OK, OK]),
        ("\u{feff}{\"alg\":\"ES256\"}", [MALFORMED, OK, OK]),
        (r#"{"alg":"ES256","crit":[]}"#, [CRITICAL, OK, OK]),
        (r#"{"alg":"ES256","crit":["exp","exp"],"exp":1}"#, [CRITICAL, OK, OK]),
        (r#"{"alg":"ES256","kid":"k","crit":["kid"]}"#, [CRITICAL, OK, OK]),
        (r#"{"alg":"ES256","crit":["alg","crit"]}"#, [CRITICAL, OK, OK]),
        // Nobody can insist on a key that the token brings along; joserfc lets them.
        (r#"{"alg":"ES256","jku":"https://example.org/","crit":["jku"]}"#, [CRITICAL, CRITICAL, OK]),
        // Joserfc refuses what is not in its registry.
        (r#"{"alg":"ES256","x":1}"#, [OK, OK, UNKNOWN]),
        (r#"{"alg":"ES256","iat":1}"#, [OK, OK, UNKNOWN]),
        (r#"{"alg":"ES256","zip":"DEF"}"#, [OK, OK, UNKNOWN]),
        (r#"{"alg":"ES256","jku":"ftp://example.org/"}"#, [OK, OK, MALFORMED]),
        (r#"{"alg":"ES256","x5u":"x"}"#, [OK, OK, MALFORMED]),
        (r#"{"alg":"ES256","x5u":"http://example.org/"}"#, [OK; 3]),
        // The last one counts, also where it is the bad one.
        (
            r#"{"alg":"ES256","alg":"none"}"#,
            [MALFORMED, Some(Kind::AlgNotAllowed), Some(Kind::AlgNotAllowed)],
        ),
        (r#"{"alg":"ES256","cty":"x","cty":7}"#, [MALFORMED; 3]),
        (r#"{"alg":"ES256","cty":7,"cty":"x"}"#, [MALFORMED, OK, OK]),
        // Made invalid by an RFC, so by every policy.
        (r#"{}"#, [MALFORMED; 3]),
        (r#"{"typ":"JWT"}"#, [MALFORMED; 3]),
        (r#"{"alg":null}"#, [MALFORMED; 3]),
        (r#"{"alg":"ES256","kid":7}"#, [MALFORMED; 3]),
        (r#"{"alg":"ES256","x5c":[]}"#, [MALFORMED; 3]),
        (r#"{"alg":"ES256"}x"#, [MALFORMED; 3]),
        (r#"{"alg":"ES256","x5t":NaN}"#, [MALFORMED; 3]),
        (r#"{"alg":"none"}"#, [Some(Kind::AlgNotAllowed); 3]),
        (r#"{"alg":"ES256","enc":"A128GCM"}"#, [Some(Kind::Encrypted); 3]),
        (r#"{"alg":"ES256","crit":["exp"]}"#, [CRITICAL; 3]),
        (r#"{"alg":"ES256","crit":"exp","exp":1}"#, [CRITICAL; 3]),
        (r#"{"alg":"ES256","crit":[7],"exp":1}"#, [CRITICAL; 3]),
        (r#"{"alg":"ES256","crit":null}"#, [CRITICAL; 3]),
        (r#"{"alg":"ES256","crit":["typ"]}"#, [CRITICAL; 3]),
        (r#"{"alg":"ES256","crit":["b64"]}"#, [CRITICAL; 3]),
        (r#"{"alg":"ES256","crit":["y"],"y":1}"#, [CRITICAL, CRITICAL, UNKNOWN]),
    ];
    for (header, kinds) in table {
        for ((verifier, policy), kind) in verifiers().iter().zip(POLICIES).zip(kinds) {
            let expected = kind.map_or(Ok(PAYLOAD.to_vec()), Err);
            assert_eq!(outcome(verifier, &signed(header, PAYLOAD)), expected, "{policy:?} {header}");
            let flattened = signed_flattened(header, "");
            assert_eq!(outcome_flattened(verifier, &flattened), expected, "{policy:?} {header}");
        }
    }
}

#[test]
fn unprotected_headers() {
    // Protected header, the member before it, and what each policy says.
    let table: &[(&str, &str, [Option<Kind>; 3])] = &[
        ("", r#""header":{"alg":"ES256"},"#, [MALFORMED, OK, OK]),
        (r#"{"kid":"k"}"#, r#""header":{"alg":"ES256"},"#, [MALFORMED, OK, OK]),
        ("", r#""header":{"alg":"ES256","kid":"k"},"#, [MALFORMED, OK, OK]),
        (r#"{"alg":"ES256"}"#, r#""header":{"kid":"k"},"#, [OK; 3]),
        (r#"{"alg":"ES256"}"#, r#""header":{"kid":"a","kid":"k"},"#, [MALFORMED, OK, OK]),
        (r#"{"alg":"ES256"}"#, r#""header":{"x":1},"#, [OK, OK, UNKNOWN]),
        (r#"{"alg":"ES256"}"#, r#""unknown":[],"#, [OK; 3]),
        // By every policy.
        ("", "", [MALFORMED; 3]),
        ("", r#""header":{},"#, [MALFORMED; 3]),
        ("{}", r#""header":{"alg":"ES256"},"#, [MALFORMED; 3]),
        (r#"{"alg":"ES256"}"#, r#""header":{"alg":"ES256"},"#, [MALFORMED; 3]),
        (r#"{"alg":"ES256","kid":"k"}"#, r#""header":{"kid":"k"},"#, [MALFORMED; 3]),
        (
            r#"{"kid":"k"}"#,
            r#""header":{"alg":"none"},"#,
            [MALFORMED, Some(Kind::AlgNotAllowed), Some(Kind::AlgNotAllowed)],
        ),
        (r#"{"alg":"ES256"}"#, r#""header":{"crit":["exp"],"exp":1},"#, [CRITICAL; 3]),
        (r#"{"alg":"ES256","crit":["exp"]}"#, r#""header":{"exp":1},"#, [CRITICAL; 3]),
        (r#"{"alg":"ES256"}"#, r#""header":[],"#, [MALFORMED; 3]),
        (r#"{"alg":"ES256"}"#, r#""signatures":[],"#, [MALFORMED; 3]),
        (r#"{"alg":"ES256"}"#, r#""ciphertext":"","#, [Some(Kind::Encrypted); 3]),
    ];
    let text = sealwright_jose::base64url::encode(PAYLOAD);
    for (header, more, kinds) in table {
        let member = By::Es256.members(header, text.as_bytes(), more);
        let json = format!(r#"{{"payload":"{text}",{member}}}"#);
        for ((verifier, policy), kind) in verifiers().iter().zip(POLICIES).zip(kinds) {
            let expected = kind.map_or(Ok((PAYLOAD.to_vec(), vec![0])), Err);
            assert_eq!(verify_json(verifier, &json, Require::All), expected, "{policy:?} {header} {more}");
        }
    }
    // An empty header is left out, not written as an empty string.
    let empty = By::Es256.members("", text.as_bytes(), r#""protected":"","header":{"alg":"ES256"},"#);
    for verifier in verifiers() {
        let json = format!(r#"{{"payload":"{text}",{empty}}}"#);
        assert_eq!(verify_json(&verifier, &json, Require::All), Err(Kind::Malformed));
    }
    // The last payload counts where that is allowed: it is the one that is verified and returned.
    let member = By::Es256.members(r#"{"alg":"ES256"}"#, text.as_bytes(), "");
    let json = format!(r#"{{"payload":"eA","payload":"{text}",{member}}}"#);
    for (verifier, accepted) in verifiers().iter().zip([false, true, true]) {
        let expected = if accepted { Ok((PAYLOAD.to_vec(), vec![0])) } else { Err(Kind::Malformed) };
        assert_eq!(verify_json(verifier, &json, Require::All), expected);
    }
}

#[test]
fn joserfc_looks_at_no_kid_where_there_is_one_key() {
    let token = signed(r#"{"alg":"ES256","kid":"another"}"#, PAYLOAD);
    let set = JwkSet::from_keys([ES256.verifying_key()]).unwrap();
    let from_set = || Verifier::builder([Alg::Es256]).keys(&set);
    let two =
        || es256_verifier().key(SigningKey::generate(Alg::Es256).unwrap().with_kid("b").verifying_key());
    let outcome =
        |builder: VerifierBuilder, policy| outcome(&builder.policy(policy).build().unwrap(), &token).err();
    for policy in [Policy::Strict, Policy::Rfc] {
        assert_eq!(outcome(es256_verifier(), policy), Some(Kind::KeyUnknown));
    }
    assert_eq!(outcome(es256_verifier(), Policy::Joserfc), None);
    assert_eq!(outcome(from_set(), Policy::Joserfc), Some(Kind::KeyUnknown));
    assert_eq!(outcome(two(), Policy::Joserfc), Some(Kind::KeyUnknown));
}

#[test]
fn joserfc_allows_its_recommended_algorithms_and_no_other() {
    let verifier = Verifier::joserfc().key(ES256.verifying_key()).build().unwrap();
    assert!(outcome(&verifier, &signed(r#"{"alg":"ES256"}"#, PAYLOAD)).is_ok());
    for alg in ["HS512", "RS384", "PS256", "ES384", "Ed25519", "EdDSA", "none"] {
        let token = signed(format!(r#"{{"alg":"{alg}"}}"#), PAYLOAD);
        assert_eq!(outcome(&verifier, &token), Err(Kind::AlgNotAllowed), "{alg}");
    }
}

#[test]
fn a_short_secret_is_for_joserfc_alone() {
    // The key of joserfc's guide.
    let key = MacKey::insecure_from_short_bytes(Alg::Hs256, b"secret").unwrap();
    for policy in [Policy::Strict, Policy::Rfc] {
        let refused = Verifier::builder([Alg::Hs256]).mac_key(key.clone()).policy(policy).build();
        assert_eq!(refused.unwrap_err(), BuildError::WeakKey, "{policy:?}");
    }
    let verifier = Verifier::joserfc().mac_key(key).build().unwrap();
    let token = "eyJhbGciOiJIUzI1NiJ9.aGVsbG8.UYmO_lPAY5V0Wf4KZsfhiYs1SxqXPhxvjuYqellDV5A";
    assert_eq!(outcome(&verifier, token).as_deref(), Ok(&b"hello"[..]));
    // RFC 7518 §3.2 wants more of everybody else; an empty secret is none.
    assert!(MacKey::insecure_from_short_bytes(Alg::Hs256, b"").is_err());
}

#[test]
fn declared_parameters_are_of_their_type() {
    use ParameterType as Type;
    let types = [
        (Type::Any, "nothing", &["1", "null", "[]", "{}"][..], &[][..]),
        (Type::String, "text", &[r#""""#, r#""5""#], &["5", "null", "[\"a\"]", "{}"]),
        (Type::Url, "url", &[r#""https://example.org""#, r#""http:\/\/x""#], &[r#""ftp://x""#, "1"]),
        (
            Type::Integer,
            "integer",
            &["0", "-7", "12345678901234567890123"],
            &["1.0", "1e3", "1E3", r#""1""#, "true"],
        ),
        (Type::Number, "number", &["0", "-7.5", "1e3"], &[r#""1""#, "null"]),
        (Type::Boolean, "boolean", &["true", "false"], &["0", r#""true""#, "null"]),
        (Type::Strings, "strings", &["[]", r#"["a","b"]"#], &[r#""a""#, r#"["a",1]"#, "{}"]),
        (Type::Object, "object", &["{}", r#"{"a":[1]}"#], &["[]", "1", "null"]),
    ];
    for (of, name, good, bad) in types {
        for policy in POLICIES {
            let verifier = es256_verifier().policy(policy).parameter(name, of).build().unwrap();
            let says = |header: String, more: &str| {
                let compact = outcome(&verifier, &signed(&header, PAYLOAD)).map(drop);
                let flattened = outcome_flattened(&verifier, &signed_flattened(&header, more)).map(drop);
                (compact, flattened)
            };
            assert_eq!(says(r#"{"alg":"ES256"}"#.into(), ""), (Ok(()), Ok(())), "{name} {policy:?}");
            for (values, expected) in [(good, Ok(())), (bad, Err(Kind::Malformed))] {
                for value in values {
                    let header = format!(r#"{{"alg":"ES256","{name}":{value}}}"#);
                    assert_eq!(says(header, ""), (expected, expected), "{name} {value} {policy:?}");
                    // In the unprotected header, too.
                    let beside = format!(r#""header":{{"{name}":{value}}},"#);
                    let (_, flattened) = says(r#"{"alg":"ES256"}"#.into(), &beside);
                    assert_eq!(flattened, expected, "{name} {value} {policy:?}");
                }
            }
        }
    }
}

#[test]
fn required_parameters_must_be_there_and_declared_ones_are_not_understood() {
    let nonce = r#""header":{"nonce":"n-1"},"#;
    let missing = Some(Kind::ParameterMissing);
    // Protected header, unprotected one, and what each policy says where `nonce` is a required string.
    let table: &[(&str, &str, [Option<Kind>; 3])] = &[
        (r#"{"alg":"ES256","nonce":"n-1"}"#, "", [OK; 3]),
        (r#"{"alg":"ES256"}"#, "", [missing; 3]),
        (r#"{"alg":"ES256"}"#, nonce, [missing, missing, OK]),
        (r#"{"alg":"ES256","nonce":5}"#, "", [MALFORMED; 3]),
        (r#"{"alg":"ES256","nonce":null}"#, "", [MALFORMED; 3]),
        (r#"{"alg":"ES256","nonce":5,"nonce":"n-1"}"#, "", [MALFORMED, OK, OK]),
        (r#"{"alg":"ES256","nonce":"n-1","nonce":5}"#, "", [MALFORMED; 3]),
        (r#"{"alg":"ES256","nonce":"n-1","crit":["nonce"]}"#, "", [CRITICAL; 3]),
        (r#"{"alg":"ES256","nonce":"n-1","other":1}"#, "", [OK, OK, UNKNOWN]),
    ];
    let builder = || es256_verifier().required_parameter("nonce", ParameterType::String);
    for (protected, beside, kinds) in table {
        for (policy, kind) in POLICIES.into_iter().zip(kinds) {
            let verifier = builder().policy(policy).build().unwrap();
            let expected = kind.map_or(Ok(PAYLOAD.to_vec()), Err);
            let token = signed_flattened(protected, beside);
            // The second time the header is remembered, if that is what it was found to be.
            for _ in 0..2 {
                assert_eq!(outcome_flattened(&verifier, &token), expected, "{policy:?} {token}");
            }
        }
    }
    let both = builder().understands("nonce").build().unwrap();
    let critical = signed(r#"{"alg":"ES256","nonce":"n-1","crit":["nonce"]}"#, PAYLOAD);
    assert_eq!(outcome(&both, &critical), Ok(PAYLOAD.to_vec()));
    let critical = signed(r#"{"alg":"ES256","nonce":5,"crit":["nonce"]}"#, PAYLOAD);
    assert_eq!(outcome(&both, &critical), Err(Kind::Malformed));

    // What was said last counts.
    let later = builder().parameter("nonce", ParameterType::Integer).build().unwrap();
    assert_eq!(outcome(&later, &signed(r#"{"alg":"ES256"}"#, PAYLOAD)), Ok(PAYLOAD.to_vec()));
    assert_eq!(outcome(&later, &signed(r#"{"alg":"ES256","nonce":5}"#, PAYLOAD)), Ok(PAYLOAD.to_vec()));
    for name in ["alg", "crit", "b64", "kid", "enc"] {
        let refused = es256_verifier().parameter(name, ParameterType::Any).build().unwrap_err();
        assert_eq!(refused, BuildError::NotAnExtension(name.to_owned()));
    }
}
