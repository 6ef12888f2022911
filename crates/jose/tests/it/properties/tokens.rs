//! Tokens: what is signed verifies, and nothing else does.

use proptest::prelude::*;
use sealwright_jose::jws::{Header, Require, Scratch, sign_general};
use serde_json::{Map, Value};

use super::{Secret, any_payload, any_secret, any_text, config};

/// One token in each serialization.
fn tokens(secret: &Secret, payload: &[u8]) -> [String; 3] {
    let signer = secret.signer();
    [
        signer.sign_compact(payload).unwrap(),
        signer.sign_flattened(payload).unwrap(),
        sign_general(&[&signer], payload).unwrap(),
    ]
}

/// The payload that a token is accepted with, whatever its serialization.
fn accepted(secret: &Secret, token: &str) -> Option<Vec<u8>> {
    let verifier = secret.verifier().build().unwrap();
    let mut scratch = Scratch::new();
    if token.starts_with('{') {
        let verified = verifier.verify_json(token, Require::All, &mut scratch).ok()?;
        Some(verified.payload().to_vec())
    } else {
        Some(verifier.verify_compact(token, &mut scratch).ok()?.payload().to_vec())
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // Of few digits: with more, serde_json's usual reader can be off by the last bit.
        any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((any_text(), inner), 0..4)
                .prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #![proptest_config(config(96))]

    #[test]
    fn what_is_signed_verifies(secret in any_secret(), payload in any_payload(), kid in any_text()) {
        for secret in [secret.clone(), secret.with_kid(&kid)] {
            for token in tokens(&secret, &payload) {
                prop_assert_eq!(accepted(&secret, &token), Some(payload.clone()), "{}", token);
            }
        }
    }

    #[test]
    fn a_token_with_one_bit_changed_is_refused(
        secret in any_secret(),
        payload in any_payload(),
        places in prop::collection::vec((any::<prop::sample::Index>(), 0..8_u8), 16),
    ) {
        for token in tokens(&secret, &payload) {
            for (place, bit) in &places {
                let mut bytes = token.clone().into_bytes();
                bytes[place.index(token.len())] ^= 1 << bit;
                let Ok(bent) = String::from_utf8(bytes) else { continue };
                prop_assert_eq!(accepted(&secret, &bent), None, "{}", bent);
            }
        }
    }

    #[test]
    fn a_token_of_another_key_is_refused(one in any_secret(), other in any_secret(), payload in any_payload()) {
        prop_assume!(one.alg() != other.alg());
        for token in tokens(&one, &payload) {
            prop_assert_eq!(accepted(&other, &token), None);
        }
    }

    #[test]
    fn parts_of_two_tokens_are_no_third(secret in any_secret(), one in any_payload(), other in any_payload()) {
        prop_assume!(one != other);
        let [one, ..] = tokens(&secret, &one);
        let [other, ..] = tokens(&secret, &other);
        let (input, _) = one.rsplit_once('.').unwrap();
        let (_, signature) = other.rsplit_once('.').unwrap();
        let spliced = format!("{input}.{signature}");
        prop_assert!(spliced == one || accepted(&secret, &spliced).is_none());
    }

    #[test]
    fn a_detached_payload_verifies_and_no_other_does(
        secret in any_secret(),
        payload in any_payload(),
        more in 1..4_usize,
        unencoded: bool,
    ) {
        let mut header = Header::new(secret.alg());
        let mut builder = secret.verifier();
        if unencoded {
            (header, builder) = (header.unencoded(), builder.unencoded());
        }
        let verifier = builder.build().unwrap();
        let signer = secret.signer().header(header);
        let (compact, json) =
            (signer.sign_detached(&payload).unwrap(), signer.sign_flattened_detached(&payload).unwrap());
        let longer = [&payload[..], &vec![0; more]].concat();
        let accepts = |payload: &[u8]| {
            let (mut one, mut other) = (Scratch::new(), Scratch::new());
            let first = verifier.verify_detached(&compact, payload, &mut one).is_ok();
            let second = verifier.verify_detached_json(&json, payload, Require::All, &mut other).is_ok();
            assert_eq!(first, second);
            first
        };
        prop_assert!(accepts(&payload));
        prop_assert!(!accepts(&longer));
        prop_assert!(payload.is_empty() || !accepts(&payload[..payload.len() - 1]));
        // Neither is it a token with an empty payload of its own.
        prop_assert!(payload.is_empty() || verifier.verify_compact(&compact, &mut Scratch::new()).is_err());
    }

    #[test]
    fn header_parameters_survive(
        secret in any_secret(),
        payload in any_payload(),
        parameters in prop::collection::btree_map(any_text(), any_json(), 0..5),
        typ in any_text(),
        cty in any_text(),
    ) {
        let mut header = Header::new(secret.alg()).typ(&typ).cty(&cty);
        for (name, value) in &parameters {
            // `x` in front, so that none is a registered one.
            header = header.param(&format!("x{name}"), value.clone());
        }
        let signer = secret.signer().header(header);
        let verifier = secret.verifier().build().unwrap();
        let token = signer.sign_compact(&payload).unwrap();
        let mut scratch = Scratch::new();
        let verified = verifier.verify_compact(&token, &mut scratch).unwrap();
        for (name, value) in &parameters {
            let read = verified.header(&format!("x{name}"));
            prop_assert_eq!(read.as_ref(), Some(value), "{}", verified.protected_header());
        }
        prop_assert_eq!(verified.typ(), Some(&*typ));
        prop_assert_eq!(verified.header("cty"), Some(Value::from(cty)));
        prop_assert_eq!(verified.header("alg"), Some(Value::from(secret.alg().name())));
    }

    #[test]
    fn a_text_of_anybody_is_refused(text in "\\PC*", secret in any_secret()) {
        prop_assert_eq!(accepted(&secret, &text), None);
        prop_assert_eq!(accepted(&secret, &format!("{{{text}")), None);
        prop_assert_eq!(accepted(&secret, &format!("{text}.{text}.{text}")), None);
    }
}
