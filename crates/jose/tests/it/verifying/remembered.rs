//! Headers that were verified before, and many tokens at once: the outcome is always the same as
//! the first time.

use std::thread;

use sealwright_jose::{
    Alg, SigningKey, VerifyErrorKind as Kind,
    jws::{Scratch, Signer, Verifier},
};

use super::By;
use crate::support::{ED25519, ES256, PAYLOAD, es256_verifier, outcome, outcome_flattened, signed};

#[test]
fn a_header_seen_before_is_decided_as_before() {
    let verifier = es256_verifier().key(generate_other().verifying_key()).typ("JWT").typ_optional(true);
    let verifier = verifier.unencoded().build().unwrap();
    let good = r#"{"alg":"ES256","kid":"k","typ":"JWT","x":"\u0061"}"#;
    let token = signed(good, PAYLOAD);
    let (unsigned, _) = token.rsplit_once('.').unwrap();
    let (header, rest) = token.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    for round in 0..3 {
        let mut scratch = Scratch::new();
        let verified = verifier.verify_compact(&token, &mut scratch).unwrap();
        assert_eq!(verified.protected_header(), good, "{round}");
        assert_eq!((verified.kid(), verified.typ()), (Some("k"), Some("JWT")), "{round}");
        assert_eq!(verified.header("x"), Some("a".into()), "{round}");
        assert_eq!((verified.payload(), verified.is_unencoded()), (PAYLOAD, false), "{round}");
        assert_eq!(verified.key(), Some(&ES256.verifying_key()), "{round}");
        for (bent, kind) in [
            (format!("{unsigned}."), Kind::Signature),
            (format!("{unsigned}.AAAA"), Kind::Signature),
            (format!("{unsigned}.=AAA"), Kind::Malformed),
            (format!("{header}.{payload}=.{signature}"), Kind::Malformed),
            (format!("{header}.eA.{signature}"), Kind::Signature),
            (format!("{header}..{signature}"), Kind::Signature),
            (format!("{header}.{signature}"), Kind::Malformed),
            (format!("{header}."), Kind::Malformed),
            (header.to_owned(), Kind::Malformed),
            (format!("{header}{payload}.{payload}.{signature}"), Kind::Malformed),
            (format!("{token}.AA"), Kind::Malformed),
            (format!("{token}.AA.AA"), Kind::Encrypted),
        ] {
            assert_eq!(outcome(&verifier, &bent), Err(kind), "{round} {bent}");
        }
        // The same header in the other serialization.
        let json = format!(r#"{{"payload":"{payload}","protected":"{header}","signature":"{signature}"}}"#);
        assert_eq!(outcome_flattened(&verifier, &json).as_deref(), Ok(PAYLOAD), "{round}");
        let clash = json.replacen('{', r#"{"header":{"kid":"k"},"#, 1);
        assert_eq!(outcome_flattened(&verifier, &clash), Err(Kind::Malformed), "{round}");
        // One that differs in a byte is another header.
        let other = good.replace("\"k\"", "\"o\"");
        assert_eq!(outcome(&verifier, &signed(other, PAYLOAD)), Err(Kind::Signature), "{round}");
        let raw = By::Es256.compact(r#"{"alg":"ES256","kid":"k","b64":false,"crit":["b64"]}"#, "hi");
        assert_eq!(outcome(&verifier, &raw).as_deref(), Ok(&b"hi"[..]), "{round}");
        let dotted = By::Es256.compact(r#"{"alg":"ES256","kid":"k","b64":false,"crit":["b64"]}"#, "h.i");
        assert_eq!(outcome(&verifier, &dotted), Err(Kind::Malformed), "{round}");
    }
}

fn generate_other() -> SigningKey {
    SigningKey::generate(Alg::Es256).unwrap().with_kid("o")
}

#[test]
fn a_header_that_nobody_signed_is_not_remembered() {
    let verifier = es256_verifier().build().unwrap();
    let attacker = SigningKey::generate(Alg::Es256).unwrap().with_kid("k");
    for n in 0..100 {
        let forged = Signer::new(&attacker).param("n", n.into()).sign_compact(PAYLOAD).unwrap();
        assert_eq!(outcome(&verifier, &forged), Err(Kind::Signature));
    }
    assert!(format!("{verifier:?}").contains("headers: 0"));
    for n in 0..100 {
        let good = Signer::new(&ES256).param("n", n.into()).sign_compact(PAYLOAD).unwrap();
        assert_eq!(outcome(&verifier, &good).as_deref(), Ok(PAYLOAD));
        assert_eq!(outcome(&verifier, &good).as_deref(), Ok(PAYLOAD));
    }
    assert!(format!("{verifier:?}").contains("headers: 8"));
    // A long one is verified and not kept.
    let verifier = es256_verifier().build().unwrap();
    let long = signed(format!(r#"{{"alg":"ES256","x":"{}"}}"#, "x".repeat(2000)), PAYLOAD);
    assert!(outcome(&verifier, &long).is_ok());
    assert!(format!("{verifier:?}").contains("headers: 0"));
}

#[test]
fn threads_that_share_a_verifier_agree() {
    let verifier = Verifier::builder([Alg::Ed25519]).key(ED25519.verifying_key()).build().unwrap();
    let tokens: Vec<_> =
        (0..12).map(|n| Signer::new(&ED25519).param("n", n.into()).sign_compact(PAYLOAD).unwrap()).collect();
    thread::scope(|scope| {
        for offset in 0..4 {
            let (verifier, tokens) = (verifier.clone(), &tokens);
            scope.spawn(move || {
                for token in tokens.iter().cycle().skip(offset).take(24) {
                    assert_eq!(outcome(&verifier, token).as_deref(), Ok(PAYLOAD));
                    let mut bent = token.clone();
                    bent.replace_range(
                        bent.len() - 3..bent.len() - 2,
                        if bent.ends_with("AAA") { "B" } else { "A" },
                    );
                    assert!(bent == *token || outcome(&verifier, &bent).is_err());
                }
            });
        }
    });
    assert!(format!("{verifier:?}").contains("headers: 8"));
}

#[test]
fn a_batch_comes_back_in_its_order() {
    let verifier = es256_verifier().build().unwrap();
    let long = "x".repeat(2 << 20);
    let good: Vec<_> = (0..20_u8)
        .map(|n| signed(format!(r#"{{"alg":"ES256","n":{}}}"#, n % 10), &vec![n; 3 * usize::from(n)]))
        .collect();
    let mut tokens: Vec<&str> = good.iter().map(String::as_str).collect();
    for (at, bad) in [(0, ""), (5, "not a token"), (7, long.as_str()), (20, "..")] {
        tokens.insert(at, bad);
    }
    let mut scratch = Scratch::new();
    let outcomes: Vec<_> = verifier
        .verify_batch(&tokens, &mut scratch)
        .into_iter()
        .map(|outcome| outcome.map(|verified| verified.payload().to_vec()).map_err(|error| error.kind()))
        .collect();
    assert_eq!(outcomes.len(), tokens.len());
    for (token, batched) in tokens.iter().zip(outcomes) {
        let single = if token.len() > 1 << 20 { Err(Kind::TooLarge) } else { outcome(&verifier, token) };
        assert_eq!(batched, single);
    }
    assert!(verifier.verify_batch(&[], &mut scratch).is_empty());
}
