//! `b64`, which changes what is signed, in each way in which it can be misread (RFC 7797 §3 to §7;
//! GHSA-wphv-vfrh-23q5). The verifiers of these tests understand it.

use sealwright_jose::{
    VerifyErrorKind as Kind, base64url,
    jws::{Limits, Policy, Require, Scratch, Verifier},
    jwt::{JwtErrorKind, Validator},
};

use crate::{
    support::{ES256, es256_verifier, outcome},
    tally::refused,
};

const RAW: &str = r#"{"alg":"ES256","b64":false,"crit":["b64"]}"#;
const ENCODED: &str = r#"{"alg":"ES256"}"#;

fn verifier() -> Verifier {
    es256_verifier().unencoded().build().unwrap()
}

fn sign(header: &str, payload: &str) -> String {
    let input = format!("{}.{payload}", base64url::encode(header));
    base64url::encode(ES256.sign(input.as_bytes()).unwrap())
}

fn compact(header: &str, payload: &str) -> String {
    format!("{}.{payload}.{}", base64url::encode(header), sign(header, payload))
}

fn member(header: &str, payload: &str, more: &str) -> String {
    format!(r#"{more}"protected":"{}","signature":"{}""#, base64url::encode(header), sign(header, payload))
}

fn json(verifier: &Verifier, text: &str) -> Result<(), Kind> {
    let mut scratch = Scratch::new();
    verifier.verify_json(text, Require::Any, &mut scratch).map(drop).map_err(|error| error.kind())
}

#[test]
pub(super) fn b64_that_breaks_its_rules() {
    let verifier = verifier();
    assert!(outcome(&verifier, &compact(RAW, "hello")).is_ok());
    for (header, kind) in [
        (r#"{"alg":"ES256","b64":false}"#, Kind::Critical),
        (r#"{"alg":"ES256","b64":true}"#, Kind::Critical),
        (r#"{"alg":"ES256","b64":false,"crit":[]}"#, Kind::Critical),
        (r#"{"alg":"ES256","b64":false,"crit":["B64"]}"#, Kind::Critical),
        (r#"{"alg":"ES256","b64":false,"crit":["b64","b64"]}"#, Kind::Critical),
        (r#"{"alg":"ES256","b64":false,"crit":"b64"}"#, Kind::Critical),
        (r#"{"alg":"ES256","b64":false,"crit":null}"#, Kind::Critical),
        (r#"{"alg":"ES256","b64":false,"crit":["b64","x"]}"#, Kind::Critical),
        (r#"{"alg":"ES256","crit":["b64"]}"#, Kind::Critical),
        (r#"{"alg":"ES256","B64":false,"crit":["b64"]}"#, Kind::Critical),
        (r#"{"alg":"ES256","x":{"b64":false},"crit":["b64"]}"#, Kind::Critical),
        (r#"{"alg":"ES256","b64":"false","crit":["b64"]}"#, Kind::Malformed),
        (r#"{"alg":"ES256","b64":0,"crit":["b64"]}"#, Kind::Malformed),
        (r#"{"alg":"ES256","b64":null,"crit":["b64"]}"#, Kind::Malformed),
        (r#"{"alg":"ES256","b64":"","crit":["b64"]}"#, Kind::Malformed),
        (r#"{"alg":"ES256","b64":[],"crit":["b64"]}"#, Kind::Malformed),
        (r#"{"alg":"ES256","b64":{},"crit":["b64"]}"#, Kind::Malformed),
        (r#"{"alg":"ES256","b64":true,"b64":false,"crit":["b64"]}"#, Kind::Malformed),
        (r#"{"alg":"ES256","b64":true,"b\u00364":false,"crit":["b64"]}"#, Kind::Malformed),
    ] {
        refused(header, outcome(&verifier, &compact(header, "hello")), kind);
    }
}

#[test]
pub(super) fn unencoded_payload_that_can_be_read_in_two_ways() {
    let verifier = verifier();
    // In compact form a dot ends the payload, and only printable ASCII goes through unharmed.
    for (payload, kind) in [
        ("a.b", Kind::Malformed),
        (".", Kind::Malformed),
        ("a.b.c", Kind::Encrypted),
        ("a\nb", Kind::Malformed),
        ("\0", Kind::Malformed),
        ("é", Kind::Malformed),
        ("\u{7f}", Kind::Malformed),
    ] {
        refused(payload.escape_debug(), outcome(&verifier, &compact(RAW, payload)), kind);
    }
    // What was signed is the one reading, what a careless reader makes of the header the other.
    let encoded = base64url::encode("hello");
    let swap = |from: &str, to: &str, payload: &str| {
        format!("{}.{payload}.{}", base64url::encode(to), sign(from, payload))
    };
    refused("header exchanged", outcome(&verifier, &swap(ENCODED, RAW, &encoded)), Kind::Signature);
    refused("header exchanged back", outcome(&verifier, &swap(RAW, ENCODED, &encoded)), Kind::Signature);
    let as_text = format!("{}.hello.{}", base64url::encode(RAW), sign(RAW, &encoded));
    refused("signed encoded", outcome(&verifier, &as_text), Kind::Signature);
    refused(
        "not understood",
        outcome(&es256_verifier().build().unwrap(), &compact(RAW, "hello")),
        Kind::Critical,
    );
}

#[test]
pub(super) fn b64_unprotected_or_mixed() {
    for policy in [Policy::Strict, Policy::Rfc, Policy::Joserfc] {
        let verifier = es256_verifier().unencoded().policy(policy).build().unwrap();
        for (header, more) in [
            (ENCODED, r#""header":{"b64":false},"#),
            (ENCODED, r#""header":{"b64":true},"#),
            (ENCODED, r#""header":{"b64":false,"crit":["b64"]},"#),
            (r#"{"alg":"ES256","crit":["b64"]}"#, r#""header":{"b64":false},"#),
            (RAW, r#""header":{"b64":false},"#),
        ] {
            let text = format!(r#"{{"payload":"aGk",{}}}"#, member(header, "aGk", more));
            refused(format_args!("{policy:?} {header} {more}"), json(&verifier, &text), Kind::Critical);
        }
        let (raw, encoded) = (member(RAW, "aGk", ""), member(ENCODED, "aGk", ""));
        for (name, one, other) in [("raw first", &raw, &encoded), ("raw last", &encoded, &raw)] {
            let text = format!(r#"{{"payload":"aGk","signatures":[{{{one}}},{{{other}}}]}}"#);
            refused(format_args!("{policy:?} {name}"), json(&verifier, &text), Kind::Critical);
        }
    }
}

#[test]
pub(super) fn payload_attached_and_detached() {
    let verifier = verifier();
    let detached = |token: &str, payload: &[u8]| {
        let mut scratch = Scratch::new();
        verifier.verify_detached(token, payload, &mut scratch).map(drop).map_err(|error| error.kind())
    };
    let both = compact(RAW, "hello");
    let without = both.replace(".hello.", "..");
    assert_eq!(detached(&without, b"hello"), Ok(()));
    refused("both", detached(&both, b"hello"), Kind::Malformed);
    refused("both, one empty", detached(&both, b""), Kind::Malformed);
    refused("another", detached(&without, b"hello "), Kind::Signature);
    refused("nothing", detached(&without, b""), Kind::Signature);
    refused("encoded", detached(&without, b"aGVsbG8"), Kind::Signature);
    refused("detached as attached", outcome(&verifier, &without), Kind::Signature);
    refused(
        "attached as stream",
        verifier.start_detached(&both).map_err(|error| error.kind()),
        Kind::Malformed,
    );
    let text = format!(r#"{{"payload":"hello",{}}}"#, member(RAW, "hello", ""));
    let mut scratch = Scratch::new();
    let got = verifier.verify_detached_json(&text, b"hello", Require::Any, &mut scratch);
    refused("both in JSON", got.map_err(|error| error.kind()), Kind::Malformed);
}

#[test]
pub(super) fn unencoded_payload_around_a_limit_or_in_a_jwt() {
    // The size is that of the payload, however it is written.
    let limits = Limits::default().payload_bytes(8);
    let verifier = es256_verifier().unencoded().limits(limits).build().unwrap();
    assert!(outcome(&verifier, &compact(RAW, "12345678")).is_ok());
    refused("raw", outcome(&verifier, &compact(RAW, "123456789")), Kind::TooLarge);
    let nine = base64url::encode("123456789");
    refused("encoded", outcome(&verifier, &compact(ENCODED, &nine)), Kind::TooLarge);

    let validator = Validator::builder()
        .waive_typ()
        .waive_issuer()
        .waive_audience()
        .waive_expiry()
        .waive_not_before()
        .waive_max_age()
        .build()
        .unwrap();
    let verifier = es256_verifier().unencoded().build().unwrap();
    let mut scratch = Scratch::new();
    let token = compact(RAW, "{}");
    let got = verifier.verify_jwt(&token, &validator, 0, &mut scratch).map_err(|error| error.kind());
    refused("JWT", got, JwtErrorKind::Unencoded);
}
