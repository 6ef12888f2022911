//! Each limit at its boundary, and input that would cost the square of its size.

use std::time::{Duration, Instant};

use sealwright_jose::{
    VerifyError, VerifyErrorKind as Kind, base64url,
    jws::{Limit, Limits, Policy, Require, Scratch, Unverified, UnverifiedJson, Verifier},
};

use super::By;
use crate::support::{PAYLOAD, es256_verifier, signed, signed_flattened};

fn limit(verifier: &Verifier, token: &str) -> Option<Limit> {
    let mut scratch = Scratch::new();
    let refused = if token.starts_with('{') {
        verifier.verify_json(token, Require::All, &mut scratch).map(drop)
    } else {
        verifier.verify_compact(token, &mut scratch).map(drop)
    };
    let error = refused.err()?;
    assert_eq!(error.kind(), Kind::TooLarge, "{:?}", &token[..token.len().min(80)]);
    error.limit()
}

#[test]
fn each_limit_is_named_and_holds_at_its_boundary() {
    let header = r#"{"alg":"ES256"}"#;
    let (compact, json) = (signed(header, PAYLOAD), signed_flattened(header, ""));
    let unprotected = signed_flattened(header, r#""header":{"x":{"y":1}},"#);
    let verifier = |limits: Limits| es256_verifier().limits(limits).build().unwrap();
    let all = Limits::default();
    for token in [&compact, &json] {
        let table = [
            (all.header_bytes(header.len()), all.header_bytes(header.len() - 1), Limit::Header),
            (all.payload_bytes(PAYLOAD.len()), all.payload_bytes(PAYLOAD.len() - 1), Limit::Payload),
            (all.signature_bytes(64), all.signature_bytes(63), Limit::Signature),
            (all.token_bytes(token.len()), all.token_bytes(token.len() - 1), Limit::Token),
        ];
        for (enough, too_little, which) in table {
            assert_eq!(limit(&verifier(enough), token), None, "{which}");
            // The same whether the header is known or not.
            assert_eq!(limit(&verifier(too_little), token), Some(which), "{which}");
        }
    }
    assert_eq!(limit(&verifier(all.nesting(3)), &unprotected), None);
    assert_eq!(limit(&verifier(all.nesting(2)), &unprotected), Some(Limit::Nesting));
    // The unprotected header has the limit of the protected one.
    let beside = format!(r#"{{"x":"{}"}}"#, "x".repeat(40));
    let token = signed_flattened(header, &format!(r#""header":{beside},"#));
    assert_eq!(limit(&verifier(all.header_bytes(beside.len())), &token), None);
    assert_eq!(limit(&verifier(all.header_bytes(beside.len() - 1)), &token), Some(Limit::Header));
    for (bytes, refused) in [(beside.len(), None), (beside.len() - 1, Some(Limit::Header))] {
        let peeked = UnverifiedJson::peek_with(&token, Policy::Strict, &all.header_bytes(bytes));
        assert_eq!(peeked.err().and_then(|error| error.limit()), refused);
    }
    let long = signed_flattened(header, &format!(r#""header":{{"x":"{}"}},"#, "x".repeat(16 * 1024)));
    assert_eq!(limit(&verifier(all), &long), Some(Limit::Header));
}

#[test]
fn looking_inside_has_the_same_limits() {
    let header = r#"{"alg":"ES256"}"#;
    let (compact, json) = (signed(header, PAYLOAD), signed_flattened(header, ""));
    let all = Limits::default();
    for (token, in_json) in [(&compact, false), (&json, true)] {
        let peeked = |limits: &Limits| {
            let one = match in_json {
                true => Unverified::peek_flattened_with(token, Policy::Strict, limits).map(drop),
                false => Unverified::peek_compact_with(token, Policy::Strict, limits).map(drop),
            };
            if in_json {
                assert_eq!(UnverifiedJson::peek_with(token, Policy::Strict, limits).map(drop), one);
            }
            one.err().and_then(|error| error.limit())
        };
        let table = [
            (all.header_bytes(header.len()), all.header_bytes(header.len() - 1), Limit::Header),
            (all.payload_bytes(PAYLOAD.len()), all.payload_bytes(PAYLOAD.len() - 1), Limit::Payload),
            (all.signature_bytes(64), all.signature_bytes(63), Limit::Signature),
            (all.token_bytes(token.len()), all.token_bytes(token.len() - 1), Limit::Token),
        ];
        for (enough, too_little, which) in table {
            assert_eq!(peeked(&enough), None, "{which}");
            assert_eq!(peeked(&too_little), Some(which), "{which}");
            assert_eq!(too_little.get(which) + 1, enough.get(which), "{which}");
        }
    }
    // The size comes before anything else.
    let long = "A".repeat(1024 * 1024 + 1);
    let limit = |error: VerifyError| error.limit();
    assert_eq!(Unverified::peek_compact(&long).err().and_then(limit), Some(Limit::Token));
    assert_eq!(Unverified::peek_flattened(&long).err().and_then(limit), Some(Limit::Token));
    assert_eq!(UnverifiedJson::peek(&long).err().and_then(limit), Some(Limit::Token));
}

#[test]
fn the_payload_is_limited_unencoded_too() {
    let header = r#"{"alg":"ES256","b64":false,"crit":["b64"]}"#;
    let verifier =
        |bytes| es256_verifier().unencoded().limits(Limits::default().payload_bytes(bytes)).build().unwrap();
    let compact = By::Es256.compact(header, "hello");
    let json = format!(r#"{{"payload":"hello",{}}}"#, By::Es256.members(header, b"hello", ""));
    for token in [compact, json] {
        assert_eq!(limit(&verifier(5), &token), None);
        assert_eq!(limit(&verifier(4), &token), Some(Limit::Payload));
    }
}

#[test]
fn joserfc_counts_the_encoded_text() {
    let verifier = es256_verifier().policy(Policy::Joserfc).build().unwrap();
    let header = |len: usize| {
        let header = format!(r#"{{"alg":"ES256","typ":"{}"}}"#, "x".repeat(len - 24));
        assert_eq!(header.len(), len);
        header
    };
    // It has no limit for the unprotected header, which has that of the default.
    let beside =
        signed_flattened(r#"{"alg":"ES256"}"#, &format!(r#""header":{{"kid":"{}"}},"#, "x".repeat(1000)));
    assert_eq!(limit(&verifier, &beside), None);
    // 384 bytes are 512 characters.
    assert_eq!(limit(&verifier, &signed(header(384), PAYLOAD)), None);
    assert_eq!(limit(&verifier, &signed(header(385), PAYLOAD)), Some(Limit::Header));
    assert_eq!(limit(&verifier, &signed(r#"{"alg":"ES256"}"#, &[0; 96_000])), None);
    assert_eq!(limit(&verifier, &signed(r#"{"alg":"ES256"}"#, &[0; 96_001])), Some(Limit::Payload));
    let input = signed(r#"{"alg":"ES256"}"#, PAYLOAD);
    let input = input.rsplit_once('.').unwrap().0;
    let long = format!("{input}.{}", base64url::encode([0; 769]));
    assert_eq!(limit(&verifier, &long), Some(Limit::Signature));
}

/// Anything that takes the square of a million steps takes hours; this takes milliseconds.
fn quickly<T>(work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let result = work();
    assert!(begun.elapsed() < Duration::from_secs(20), "took {:?}", begun.elapsed());
    result
}

#[test]
fn nothing_costs_the_square_of_its_size() {
    let wide = |policy| {
        es256_verifier()
            .policy(policy)
            .limits(Limits::default().token_bytes(64 << 20).header_bytes(8 << 20))
            .build()
            .unwrap()
    };
    let members: String = (0..100_000).map(|n| format!("\"{n}\":0,")).collect();
    let header = format!(r#"{{{members}"alg":"ES256"}}"#);
    let es = By::Es256.members(r#"{"alg":"ES256"}"#, b"eA", "");
    let many = vec![format!("{{{es}}}"); 100_000].join(",");
    let critical = vec!["\"kid\""; 100_000].join(",");
    for policy in [Policy::Strict, Policy::Rfc] {
        let verifier = wide(policy);
        let verify = |token: &str| {
            quickly(|| {
                let mut scratch = Scratch::new();
                if token.starts_with('{') {
                    verifier.verify_json(token, Require::Any, &mut scratch).map(drop)
                } else {
                    verifier.verify_compact(token, &mut scratch).map(drop)
                }
                .map_err(|error| error.kind())
            })
        };
        assert_eq!(verify(&".".repeat(1_000_000)), Err(Kind::Malformed));
        assert_eq!(verify(&signed(&header, PAYLOAD)), Ok(()));
        // Both headers have a hundred thousand names, and none is in both.
        let unprotected = format!(r#""header":{{{}"z":0}},"#, members.replace("\":0", "x\":0"));
        assert_eq!(verify(&signed_flattened(&header, &unprotected)), Ok(()));
        assert_eq!(verify(&format!(r#"{{"payload":"eA","signatures":[{many}]}}"#)), Err(Kind::TooLarge));
        let crit = format!(r#"{{"alg":"ES256","kid":"k","crit":[{critical}]}}"#);
        assert_eq!(verify(&signed(crit, PAYLOAD)), Err(Kind::Critical));
        assert_eq!(verify(&format!("{{{members}\"z\":0}}")), Err(Kind::Malformed));
    }
}
