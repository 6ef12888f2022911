//! The general serialization: any mixture of good and bad signatures is judged by what was required.

use std::collections::BTreeSet;

use proptest::prelude::*;
use sealwright_jose::{
    Alg,
    jws::{Require, Scratch, Signer, Verifier, sign_general},
};
use serde_json::Value;

use super::{SECRETS, Secret, any_payload, config};

/// Five keys with a `kid` each: quick ones, for many signatures are made.
fn keys() -> Vec<Secret> {
    let quick = |secret: &&Secret| {
        matches!(secret.alg(), Alg::Hs256 | Alg::Hs512 | Alg::Es256 | Alg::Es384 | Alg::Ed25519)
    };
    SECRETS.iter().filter(quick).enumerate().map(|(at, secret)| secret.with_kid(&at.to_string())).collect()
}

/// A signature by the key of that number, and whether it is left as it was made.
fn any_signatures() -> impl Strategy<Value = Vec<(usize, bool)>> {
    prop::collection::vec((0..5_usize, prop::bool::weighted(0.6)), 1..7)
}

/// The token, with some signatures spoilt.
fn token(signatures: &[(usize, bool)], payload: &[u8]) -> String {
    let keys = keys();
    let signers: Vec<Signer> = signatures.iter().map(|(key, _)| keys[*key].signer()).collect();
    let signers: Vec<&Signer> = signers.iter().collect();
    let mut json: Value = serde_json::from_str(&sign_general(&signers, payload).unwrap()).unwrap();
    for (at, (_, good)) in signatures.iter().enumerate() {
        if !good {
            let signature = &mut json["signatures"][at]["signature"];
            let text = signature.as_str().unwrap();
            let other = if text.starts_with('A') { 'B' } else { 'A' };
            *signature = format!("{other}{}", &text[1..]).into();
        }
    }
    json.to_string()
}

fn verifier() -> Verifier {
    let keys = keys();
    let algs: Vec<Alg> = keys.iter().map(Secret::alg).collect();
    let builder = keys.iter().fold(Verifier::builder_from(&algs), |builder, key| key.add_to(builder));
    builder.build().unwrap()
}

proptest! {
    #![proptest_config(config(96))]

    #[test]
    fn what_was_required_decides(signatures in any_signatures(), wanted in 0..6_usize, payload in any_payload()) {
        let (token, verifier) = (token(&signatures, &payload), verifier());
        let good: Vec<usize> = signatures.iter().filter(|(_, good)| *good).map(|(key, _)| *key).collect();
        let distinct = good.iter().collect::<BTreeSet<_>>().len();
        for (require, met) in [
            (Require::All, good.len() == signatures.len()),
            (Require::Any, !good.is_empty()),
            (Require::AtLeast(wanted), wanted > 0 && distinct >= wanted),
        ] {
            let mut scratch = Scratch::new();
            let verified = verifier.verify_general(&token, require, &mut scratch);
            prop_assert_eq!(verified.is_ok(), met, "{:?} {}", require, token);
            if let Ok(verified) = verified {
                prop_assert_eq!(verified.payload(), &payload[..]);
                for signature in verified.signatures() {
                    let (key, good) = signatures[signature.index()];
                    prop_assert!(good, "a bad signature is shown as good");
                    prop_assert_eq!(signature.kid(), Some(&*key.to_string()));
                }
            }
            let mut scratch = Scratch::new();
            let report = verifier.examine_json(&token, &mut scratch).unwrap();
            let outcomes: Vec<bool> = report.signatures().iter().map(Result::is_ok).collect();
            prop_assert_eq!(outcomes, signatures.iter().map(|(_, good)| *good).collect::<Vec<_>>());
            prop_assert_eq!(report.require(require).is_ok(), met, "the report says otherwise");
        }
    }

    #[test]
    fn the_order_of_signatures_decides_nothing(signatures in any_signatures(), seed: u64) {
        let mut json: Value = serde_json::from_str(&token(&signatures, b"payload")).unwrap();
        let verifier = verifier();
        let judge = |json: &Value| {
            [Require::All, Require::Any, Require::AtLeast(2)].map(|require| {
                verifier.verify_general(&json.to_string(), require, &mut Scratch::new()).is_ok()
            })
        };
        let before = judge(&json);
        let array = json["signatures"].as_array_mut().unwrap();
        let turn = seed as usize % array.len();
        array.rotate_left(turn);
        array.reverse();
        prop_assert_eq!(judge(&json), before);
    }
}
