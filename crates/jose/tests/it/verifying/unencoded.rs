//! RFC 7797: payloads that are signed as they are.

use sealwright_jose::{
    Alg, VerifyErrorKind as Kind,
    jws::{Policy, Require, Scratch, Verifier, VerifierBuilder},
};

use super::{By, verify_json};
use crate::support::{ES256, HS256, outcome};

const B64: &str = r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#;

fn builder() -> VerifierBuilder {
    Verifier::builder([Alg::Hs256, Alg::Es256]).mac_key(HS256.clone()).key(ES256.verifying_key())
}

fn verifier() -> Verifier {
    builder().unencoded().build().unwrap()
}

#[test]
fn a_payload_between_dots_is_printable_and_has_no_dot() {
    let verifier = verifier();
    for payload in ["", "hello", "$02", "a b~!\"\\", "eyJhIjoxfQ", "{\"a\":1}"] {
        let token = By::Hs256.compact(B64, payload);
        let mut scratch = Scratch::new();
        let verified = verifier.verify_compact(&token, &mut scratch).unwrap();
        assert_eq!(verified.payload(), payload.as_bytes());
        assert!(verified.is_unencoded());
    }
    for (payload, kind) in [
        ("$.02", Kind::Malformed),
        ("a..b", Kind::Encrypted),
        (".", Kind::Malformed),
        ("a\nb", Kind::Malformed),
        ("\u{7f}", Kind::Malformed),
        ("é", Kind::Malformed),
        ("\0", Kind::Malformed),
    ] {
        assert_eq!(outcome(&verifier, &By::Hs256.compact(B64, payload)), Err(kind), "{payload:?}");
    }
    // Without the opt-in it is refused whole.
    let plain = builder().build().unwrap();
    assert_eq!(outcome(&plain, &By::Hs256.compact(B64, "hello")), Err(Kind::Critical));
}

#[test]
fn what_b64_says_is_what_was_signed() {
    let (verifier, lax) = (verifier(), builder().policy(Policy::Rfc).build().unwrap());
    // The header, the payload in the signing input, and what comes out under each policy.
    let table = [
        (r#"{"alg":"HS256","b64":true,"crit":["b64"]}"#, "aGVsbG8", Ok("hello"), Ok("hello")),
        (r#"{"alg":"HS256","b64":true}"#, "aGVsbG8", Err(Kind::Critical), Ok("hello")),
        (r#"{"alg":"HS256","b64":true,"crit":["b64"]}"#, "h i", Err(Kind::Malformed), Err(Kind::Malformed)),
        (r#"{"alg":"HS256","b64":false}"#, "hello", Err(Kind::Critical), Err(Kind::Critical)),
        (r#"{"alg":"HS256","b64":false,"crit":[]}"#, "hello", Err(Kind::Critical), Err(Kind::Critical)),
        (
            r#"{"alg":"HS256","b64":"false","crit":["b64"]}"#,
            "hello",
            Err(Kind::Malformed),
            Err(Kind::Malformed),
        ),
        (r#"{"alg":"HS256","b64":0,"crit":["b64"]}"#, "hello", Err(Kind::Malformed), Err(Kind::Malformed)),
        (r#"{"alg":"HS256","b64":null,"crit":["b64"]}"#, "hello", Err(Kind::Malformed), Err(Kind::Malformed)),
        (
            r#"{"alg":"HS256","b64":[false],"crit":["b64"]}"#,
            "hello",
            Err(Kind::Malformed),
            Err(Kind::Malformed),
        ),
        (r#"{"alg":"HS256","crit":["b64"]}"#, "aGVsbG8", Err(Kind::Critical), Err(Kind::Critical)),
        (r#"{"alg":"HS256","b64":false,"crit":["b64","b64"]}"#, "hello", Err(Kind::Critical), Ok("hello")),
        (
            r#"{"alg":"HS256","b64":false,"crit":["b64","x"]}"#,
            "hello",
            Err(Kind::Critical),
            Err(Kind::Critical),
        ),
        (
            r#"{"alg":"HS256","B64":false,"crit":["B64"]}"#,
            "aGVsbG8",
            Err(Kind::Critical),
            Err(Kind::Critical),
        ),
    ];
    for (header, payload, strict, rfc) in table {
        let token = By::Hs256.compact(header, payload);
        let bytes = |result: Result<&str, Kind>| result.map(|text| text.as_bytes().to_vec());
        assert_eq!(outcome(&verifier, &token), bytes(strict), "strict {header}");
        assert_eq!(outcome(&lax, &token), bytes(rfc), "rfc {header}");
    }
}

#[test]
fn a_json_payload_is_the_text_of_the_string() {
    let verifier = verifier();
    for (text, payload) in
        [("hello", "hello"), ("$.02", "$.02"), (r"\u0024.\n\u00e9", "$.\né"), ("\u{1F600}", "😀"), ("", "")]
    {
        let member = By::Hs256.members(B64, payload.as_bytes(), "");
        let flattened = format!(r#"{{"payload":"{text}",{member}}}"#);
        let general = format!(r#"{{"payload":"{text}","signatures":[{{{member}}},{{{member}}}]}}"#);
        for (json, places) in [(flattened, vec![0]), (general, vec![0, 1])] {
            assert_eq!(
                verify_json(&verifier, &json, Require::All),
                Ok((payload.as_bytes().to_vec(), places)),
                "{json}"
            );
        }
    }
    // Not the bytes of the JSON text, and not its base64url.
    let member = By::Hs256.members(B64, br"a\n", "");
    let json = format!(r#"{{"payload":"a\n",{member}}}"#);
    assert_eq!(verify_json(&verifier, &json, Require::All), Err(Kind::Signature));
}

#[test]
fn b64_outside_the_protected_header_is_refused_by_every_policy() {
    for policy in [Policy::Strict, Policy::Rfc, Policy::Joserfc] {
        let verifier = builder().unencoded().policy(policy).build().unwrap();
        for (header, more) in [
            (r#"{"alg":"HS256"}"#, r#""header":{"b64":false},"#),
            (r#"{"alg":"HS256"}"#, r#""header":{"b64":true},"#),
            (r#"{"alg":"HS256"}"#, r#""header":{"b64":false,"crit":["b64"]},"#),
            (r#"{"alg":"HS256","crit":["b64"]}"#, r#""header":{"b64":false},"#),
            (B64, r#""header":{"b64":false},"#),
        ] {
            let member = By::Hs256.members(header, b"hello", more);
            let json = format!(r#"{{"payload":"hello",{member}}}"#);
            assert_eq!(
                verify_json(&verifier, &json, Require::All),
                Err(Kind::Critical),
                "{policy:?} {header} {more}"
            );
        }
    }
}

#[test]
fn signatures_that_disagree_about_the_encoding_spoil_the_whole() {
    let plain = By::Es256.members(r#"{"alg":"ES256"}"#, b"aGVsbG8", "");
    let raw = By::Hs256.members(B64, b"aGVsbG8", "");
    // A header that nobody could verify counts, too.
    let unknown = By::Forger.members(r#"{"alg":"XS256","b64":false,"crit":["b64"]}"#, b"aGVsbG8", "");
    for policy in [Policy::Strict, Policy::Rfc, Policy::Joserfc] {
        let verifier = builder().unencoded().policy(policy).build().unwrap();
        for pair in [[&plain, &raw], [&raw, &plain], [&plain, &unknown]] {
            let json = format!(r#"{{"payload":"aGVsbG8","signatures":[{{{}}},{{{}}}]}}"#, pair[0], pair[1]);
            for require in [Require::All, Require::Any, Require::AtLeast(1)] {
                assert_eq!(verify_json(&verifier, &json, require), Err(Kind::Critical), "{policy:?}");
            }
        }
    }
}
