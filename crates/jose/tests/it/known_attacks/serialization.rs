//! One serialization taken for another, and JSON that says two things (RFC 8725bis §2.13, §3.14;
//! CVE-2023-51774).

use sealwright_jose::{
    Alg, VerifyErrorKind as Kind, base64url,
    jws::{Unverified, Verifier},
};

use crate::{
    support::{
        ED25519, ES256, PAYLOAD, es256_verifier, outcome, outcome_flattened, refuse_headers, signed,
        signed_flattened,
    },
    tally::refused,
};

const HEADER: &str = r#"{"alg":"ES256"}"#;

#[test]
pub(super) fn encrypted_token_taken_for_a_signed_one() {
    let verifier = es256_verifier().build().unwrap();
    let header = base64url::encode(r#"{"alg":"dir","enc":"A256GCM"}"#);
    let five = format!("{header}..AAAA.AAAA.AAAA");
    refused("five parts", outcome(&verifier, &five), Kind::Encrypted);
    refused(
        "five parts, peeked at",
        Unverified::peek_compact(&five).map_err(|error| error.kind()),
        Kind::Encrypted,
    );
    // `enc` says JWE, wherever it stands.
    refuse_headers(
        &verifier,
        &[
            (r#"{"alg":"ES256","enc":"A256GCM"}"#, Kind::Encrypted),
            (r#"{"alg":"ES256","enc":null}"#, Kind::Encrypted),
            (r#"{"alg":"ES256","\u0065nc":"A256GCM"}"#, Kind::Encrypted),
        ],
    );
    for more in [
        r#""ciphertext":"AA","#,
        r#""recipients":[],"#,
        r#""encrypted_key":"AA","#,
        r#""header":{"enc":"A256GCM"},"#,
    ] {
        refused(
            format_args!("{more}"),
            outcome_flattened(&verifier, &signed_flattened(HEADER, more)),
            Kind::Encrypted,
        );
    }
}

#[test]
pub(super) fn token_with_the_wrong_number_of_parts() {
    let verifier = es256_verifier().build().unwrap();
    let token = signed(HEADER, PAYLOAD);
    let unsigned = token.rsplit_once('.').unwrap().0;
    for (token, kind) in [
        ("", Kind::Malformed),
        (".", Kind::Malformed),
        ("..", Kind::Malformed),
        ("...", Kind::Malformed),
        ("....", Kind::Encrypted),
        (".....", Kind::Malformed),
        (unsigned, Kind::Malformed),
        (&format!("{unsigned}."), Kind::Signature),
        (&format!("{token}."), Kind::Malformed),
        (&format!(".{token}"), Kind::Malformed),
        (&format!("{token}.AA"), Kind::Malformed),
        (&format!("{token}.AA.AA"), Kind::Encrypted),
    ] {
        refused(format_args!("{token}"), outcome(&verifier, token), kind);
    }
}

#[test]
pub(super) fn json_given_to_the_compact_reader_and_the_reverse() {
    let verifier = es256_verifier().build().unwrap();
    let json = signed_flattened(HEADER, "");
    let token = signed(HEADER, PAYLOAD);
    refused("JSON as compact", outcome(&verifier, &json), Kind::Malformed);
    refused("compact as JSON", outcome_flattened(&verifier, &token), Kind::Malformed);
    // A compact token with JSON around it, so that a lax reader finds its dots.
    refused(
        "compact in JSON as compact",
        outcome(&verifier, &format!(r#"{{"x":"{token}"}}"#)),
        Kind::Malformed,
    );
    refused("JSON, then compact", outcome_flattened(&verifier, &format!("{json}{token}")), Kind::Malformed);
}

#[test]
pub(super) fn json_that_says_two_things() {
    let verifier = es256_verifier().build().unwrap();
    let good = signed_flattened(HEADER, "");
    assert!(outcome_flattened(&verifier, &good).is_ok());
    let other = base64url::encode(br#"{"sub":"mallory"}"#);
    let table = [
        format!(r#""payload":"{other}","#),
        format!(r#""p\u0061yload":"{other}","#),
        r#""signature":"","#.to_owned(),
        r#""protected":"e30","#.to_owned(),
        r#""signatures":[],"#.to_owned(),
        r#""signatures":[{"protected":"e30","signature":"AA"}],"#.to_owned(),
        r#""sign\u0061tures":null,"#.to_owned(),
        r#""header":{"x":1,"x":2},"#.to_owned(),
        r#""header":null,"#.to_owned(),
        r#""header":[],"#.to_owned(),
        r#""header":"e30","#.to_owned(),
        r#""header":{"kid":7},"#.to_owned(),
        r#""more":{"x":1,"x":2},"#.to_owned(),
    ];
    for more in table {
        let json = signed_flattened(HEADER, &more);
        refused(format_args!("{more}"), outcome_flattened(&verifier, &json), Kind::Malformed);
    }
}

#[test]
pub(super) fn one_name_in_both_headers() {
    let verifier = es256_verifier().build().unwrap();
    for (header, more) in [
        (r#"{"alg":"ES256","kid":"k"}"#, r#""header":{"kid":"k"},"#),
        (r#"{"alg":"ES256","kid":"k"}"#, r#""header":{"k\u0069d":"other"},"#),
        (r#"{"alg":"ES256","typ":"JWT"}"#, r#""header":{"typ":"JWT"},"#),
        (r#"{"alg":"ES256","x":1}"#, r#""header":{"x":1},"#),
    ] {
        let json = signed_flattened(header, more);
        refused(format_args!("{header} {more}"), outcome_flattened(&verifier, &json), Kind::Malformed);
    }
}

#[test]
pub(super) fn members_missing_or_of_another_type() {
    let verifier = es256_verifier().build().unwrap();
    let token = signed(HEADER, PAYLOAD);
    let parts: Vec<_> = token.split('.').collect();
    let json = |protected: &str, payload: &str, signature: &str| {
        format!("{{{protected}{payload}{signature}\"x\":0}}")
    };
    let (protected, payload, signature) = (
        format!(r#""protected":"{}","#, parts[0]),
        format!(r#""payload":"{}","#, parts[1]),
        format!(r#""signature":"{}","#, parts[2]),
    );
    assert!(outcome_flattened(&verifier, &json(&protected, &payload, &signature)).is_ok());
    for bent in [
        json("", &payload, &signature),
        json(&protected, "", &signature),
        json(&protected, &payload, ""),
        json(r#""protected":"","#, &payload, &signature),
        json(r#""protected":null,"#, &payload, &signature),
        json(r#""protected":{"alg":"ES256"},"#, &payload, &signature),
        json(&protected, r#""payload":{"sub":"alice"},"#, &signature),
        json(&protected, r#""payload":null,"#, &signature),
        json(&protected, &payload, r#""signature":null,"#),
        json(&protected, &payload, r#""signature":[],"#),
        "{}".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        format!("[{}]", json(&protected, &payload, &signature)),
    ] {
        refused(format_args!("{bent}"), outcome_flattened(&verifier, &bent), Kind::Malformed);
    }
    // An empty object as protected header: `alg` is not protected, so there is none.
    refused("{}", outcome_flattened(&verifier, &signed_flattened("{}", "")), Kind::Malformed);
}

#[test]
pub(super) fn unprotected_parameters_are_not_reported() {
    let verifier = es256_verifier().typ("JWT").build().unwrap();
    // `typ` is looked for where it is signed.
    let json = signed_flattened(HEADER, r#""header":{"typ":"JWT"},"#);
    refused("typ unprotected", outcome_flattened(&verifier, &json), Kind::TypMismatch);
    // A `kid` there is a hint: it leads to a key or to none, and never to another than it names.
    let verifier = Verifier::builder([Alg::Es256, Alg::Ed25519])
        .key(ES256.verifying_key())
        .key(ED25519.verifying_key().with_kid("e"))
        .build()
        .unwrap();
    for (kid, kind) in [("e", Kind::KeyUnknown), ("x", Kind::KeyUnknown)] {
        let json = signed_flattened(HEADER, &format!(r#""header":{{"kid":"{kid}"}},"#));
        refused(format_args!("{kid}"), outcome_flattened(&verifier, &json), kind);
    }
}
