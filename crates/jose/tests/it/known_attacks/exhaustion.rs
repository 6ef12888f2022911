//! Input that costs more to refuse than to send (CVE-2025-27144, CVE-2025-30204, CVE-2025-53864).

use std::time::{Duration, Instant};

use sealwright_jose::{
    Alg, JwkSet, KeyError, SigningKey, VerifyErrorKind as Kind, VerifyingKey, base64url,
    jws::{Limits, Policy, Require, Scratch, Unverified},
};

use crate::{
    support::{PAYLOAD, es256_verifier, outcome, outcome_flattened, signed, signed_flattened},
    tally::{refused, refused_if},
};

#[test]
pub(super) fn many_dots() {
    let verifier = es256_verifier().build().unwrap();
    let dots = ".".repeat(1_000_000);
    refused("a million dots", outcome(&verifier, &dots), Kind::Malformed);
    refused(
        "a million dots, peeked at",
        Unverified::peek_compact(&dots).map_err(|error| error.kind()),
        Kind::Malformed,
    );
}

#[test]
pub(super) fn large_header_or_token() {
    let verifier = es256_verifier().build().unwrap();
    let header = |len: usize| format!(r#"{{"alg":"ES256","x":"{}"}}"#, "x".repeat(len));
    assert!(outcome(&verifier, &signed(header(16_000), PAYLOAD)).is_ok());
    for len in [16_384, 1_000_000] {
        let token = signed(header(len), PAYLOAD);
        refused(len, outcome(&verifier, &token), Kind::TooLarge);
        refused(
            format_args!("{len}, peeked at"),
            Unverified::peek_compact(&token).map_err(|error| error.kind()),
            Kind::TooLarge,
        );
    }
    let unprotected = format!(r#""header":{{"x":"{}"}},"#, "x".repeat(20_000));
    let json = signed_flattened(r#"{"alg":"ES256"}"#, &unprotected);
    refused("unprotected header of 20 kB", outcome_flattened(&verifier, &json), Kind::TooLarge);

    let token = signed(r#"{"alg":"ES256"}"#, &vec![0; 1024 * 1024]);
    refused("payload of 1 MiB", outcome(&verifier, &token), Kind::TooLarge);
    let wider = es256_verifier().limits(Limits::default().token_bytes(2 * 1024 * 1024)).build().unwrap();
    assert!(outcome(&wider, &token).is_ok());
    let narrower = es256_verifier().limits(Limits::default().header_bytes(14)).build().unwrap();
    refused(
        "header over its limit",
        outcome(&narrower, &signed(r#"{"alg":"ES256"}"#, PAYLOAD)),
        Kind::TooLarge,
    );
}

#[test]
pub(super) fn deep_nesting() {
    let deep = |depth: usize| format!(r#"{{"alg":"ES256","x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    let verifier = es256_verifier().build().unwrap();
    assert!(outcome(&verifier, &signed(deep(15), PAYLOAD)).is_ok());
    for depth in [16, 1000, 6000] {
        refused(depth, outcome(&verifier, &signed(deep(depth), PAYLOAD)), Kind::TooLarge);
    }
    let more = format!(r#""x":{}"#, "[".repeat(500_000));
    refused("half a million brackets", outcome_flattened(&verifier, &format!("{{{more}")), Kind::TooLarge);
    // However high the limit is set, the stack is safe.
    let wide = es256_verifier().limits(Limits::default().nesting(usize::MAX)).build().unwrap();
    refused("nesting without a limit", outcome(&wide, &signed(deep(6000), PAYLOAD)), Kind::TooLarge);
}

#[test]
pub(super) fn many_members() {
    // Each name is compared with all before it by a careless reader: 10¹⁰ steps for these.
    let members: String = (0..100_000).map(|n| format!("\"{n}\":0,")).collect();
    let json = signed_flattened(r#"{"alg":"ES256"}"#, &members);
    let verifier = es256_verifier().limits(Limits::default().token_bytes(8 * 1024 * 1024)).build().unwrap();
    assert!(outcome_flattened(&verifier, &json).is_ok());
}

#[test]
pub(super) fn large_key() {
    let large = format!(r#"{{"kty":"RSA","alg":"RS256","e":"AQAB","n":"{}"}}"#, "_".repeat(70_000));
    refused("JWK of 70 kB", VerifyingKey::from_jwk(&large), KeyError::TooLarge(64 * 1024));
    refused(
        "SPKI of 70 kB",
        VerifyingKey::from_spki_der(Alg::Rs256, &[0; 70_000]),
        KeyError::TooLarge(64 * 1024),
    );
    refused(
        "PEM of 70 kB",
        SigningKey::from_pem(Alg::Rs256, &"-".repeat(70_000)),
        KeyError::TooLarge(64 * 1024),
    );
}

/// For one refusal of some megabytes (limits are raised here), in a debug build on a busy machine.
const SOON: Duration = Duration::from_secs(10);

fn soon<T>(refuse: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let outcome = refuse();
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    outcome
}

#[test]
pub(super) fn input_that_costs_more_to_refuse_than_to_send() {
    let wide = Limits::default().token_bytes(64 * 1024 * 1024);
    let verifier = es256_verifier().limits(wide).build().unwrap();
    let member = |name: &str, n: usize, value: &str| {
        let values: Vec<_> = std::iter::repeat_n(value, n).collect();
        format!(r#""{name}":[{}]"#, values.join(","))
    };
    let signature = r#"{"protected":"e30","signature":""}"#;
    let general = |n| format!(r#"{{"payload":"",{}}}"#, member("signatures", n, signature));
    let outcome = |verifier, token: &str| soon(|| outcome(verifier, token));
    let json = |text: &str| {
        let mut scratch = Scratch::new();
        soon(|| {
            verifier.verify_json(text, Require::Any, &mut scratch).map(drop).map_err(|error| error.kind())
        })
    };
    for n in [17, 1000, 100_000] {
        refused(format_args!("{n} signatures"), json(&general(n)), Kind::TooLarge);
    }
    refused("sixteen", json(&general(16)), Kind::Malformed);
    for (name, text) in [
        ("brackets", "[".repeat(1_000_000)),
        ("braces", r#"{"a":"#.repeat(200_000)),
        ("brackets in a member", format!(r#"{{"x":{}"#, "[".repeat(1_000_000))),
    ] {
        let kind = if name == "brackets" { Kind::Malformed } else { Kind::TooLarge };
        refused(name, json(&text), kind);
    }
    let names: String = (0..1_000).map(|n| format!("\"{n}\":0,")).collect();
    let crit: Vec<_> = (0..1_000).map(|n| format!("\"{n}\"")).collect();
    let header = format!(r#"{{{names}"crit":[{}],"alg":"ES256"}}"#, crit.join(","));
    refused("a thousand critical names", outcome(&verifier, &signed(&header, PAYLOAD)), Kind::Critical);
    for (name, header) in [
        ("number of a megabyte", format!(r#"{{"alg":"ES256","x":{}}}"#, "9".repeat(1_000_000))),
        ("string of a megabyte", format!(r#"{{"alg":"{}"}}"#, "A".repeat(1_000_000))),
        ("kid of a megabyte", format!(r#"{{"alg":"ES256","kid":"{}"}}"#, "A".repeat(1_000_000))),
        ("white space of a megabyte", format!(r#"{{"alg":"ES256"{}}}"#, " ".repeat(1_000_000))),
        ("chain of a megabyte", format!(r#"{{"alg":"ES256",{}}}"#, member("x5c", 200_000, r#""AA""#))),
    ] {
        refused(name, outcome(&verifier, &signed(&header, PAYLOAD)), Kind::TooLarge);
    }
    let token = signed(r#"{"alg":"ES256"}"#, PAYLOAD);
    for (name, text) in [
        ("signature of a megabyte", format!("{token}{}", "A".repeat(1_000_000))),
        ("signature over its limit", format!("{token}{}", "A".repeat(12_000))),
    ] {
        refused(name, outcome(&verifier, &text), Kind::TooLarge);
    }
    for (name, text) in [
        ("a million dots and a token", format!("{}{token}", ".".repeat(1_000_000))),
        ("a token and a million dots", format!("{token}{}", ".".repeat(1_000_000))),
        ("a million times a.", "a.".repeat(1_000_000)),
        ("a megabyte without dots", "A".repeat(1_000_000)),
    ] {
        refused(name, outcome(&verifier, &text), Kind::Malformed);
    }
    // Joserfc's limits are narrower.
    let joserfc = es256_verifier().policy(Policy::Joserfc).build().unwrap();
    let long = format!(r#"{{"alg":"ES256","kid":"{}"}}"#, "k".repeat(400));
    refused("header over 512", outcome(&joserfc, &signed(&long, PAYLOAD)), Kind::TooLarge);
    let payload = vec![b'x'; 100_000];
    refused(
        "payload over 128,000",
        outcome(&joserfc, &signed(r#"{"alg":"ES256"}"#, &payload)),
        Kind::TooLarge,
    );

    let rsa = |n: usize, e: usize| {
        let number = |len: usize| base64url::encode(vec![0xFF; len]);
        let jwk = format!(r#"{{"kty":"RSA","alg":"RS256","n":"{}","e":"{}"}}"#, number(n), number(e));
        soon(|| VerifyingKey::from_jwk(&jwk))
    };
    for (n, e) in [(2048, 3), (8192, 3), (256, 256), (256, 16_384), (1025, 3)] {
        refused_if(format_args!("RSA of {n} and {e} bytes"), rsa(n, e), |error| {
            matches!(error, KeyError::Size { .. })
        });
    }
    refused("JWK of a megabyte", rsa(1_000_000, 3), KeyError::TooLarge(64 * 1024));
    let parse = |set: &str| soon(|| JwkSet::parse(set, Alg::ALL));
    let set = |n| format!("{{{}}}", member("keys", n, "{}"));
    refused("100,000 keys", parse(&set(100_000)), KeyError::TooManyKeys(256));
    refused("a million keys", parse(&set(1_000_000)), KeyError::TooLarge(1024 * 1024));
}
