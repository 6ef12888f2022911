//! Several signatures: how many must be valid, and what is shown of them.

use sealwright_jose::{
    Alg, SigningKey, VerifyErrorKind as Kind,
    jws::{Limit, Require, Scratch, Verifier},
};

use super::{By, general, verify_json};
use crate::support::{ED25519, ES256, HS256, PAYLOAD, RS256, outcome_flattened, signed_flattened};

const ES: (By, &str) = (By::Es256, r#"{"alg":"ES256"}"#);
const RS: (By, &str) = (By::Rs256, r#"{"alg":"RS256"}"#);
const ED: (By, &str) = (By::Ed25519, r#"{"alg":"Ed25519"}"#);
const MAC: (By, &str) = (By::Hs256, r#"{"alg":"HS256"}"#);
const FORGED: (By, &str) = (By::Forger, r#"{"alg":"ES256"}"#);
const UNKNOWN: (By, &str) = (By::Forger, r#"{"alg":"XS256"}"#);
const NONE: (By, &str) = (By::Forger, r#"{"alg":"none"}"#);

fn verifier() -> Verifier {
    Verifier::builder([Alg::Es256, Alg::Rs256, Alg::Ed25519, Alg::Hs256])
        .key(ES256.verifying_key())
        .key(RS256.verifying_key())
        .key(ED25519.verifying_key())
        .mac_key(HS256.clone())
        .build()
        .unwrap()
}

/// Who signed, what is required, and the places of the signatures that are reported.
type Row = (&'static [(By, &'static str)], Require, Result<&'static [usize], Kind>);

#[test]
fn as_many_are_valid_as_required() {
    use Require::{All, Any, AtLeast};
    let verifier = verifier();
    let table: &[Row] = &[
        (&[ES], All, Ok(&[0])),
        (&[ES, RS, ED, MAC], All, Ok(&[0, 1, 2, 3])),
        (&[ES, FORGED], All, Err(Kind::Signature)),
        (&[FORGED, ES], All, Err(Kind::Signature)),
        (&[ES, UNKNOWN], All, Err(Kind::AlgNotAllowed)),
        (&[NONE, ES], All, Err(Kind::AlgNotAllowed)),
        (&[ES, FORGED], Any, Ok(&[0])),
        (&[FORGED, ES], Any, Ok(&[1])),
        (&[NONE, UNKNOWN, ES, RS], Any, Ok(&[2])),
        (&[FORGED], Any, Err(Kind::Signature)),
        (&[FORGED, FORGED], Any, Err(Kind::Signature)),
        (&[UNKNOWN, NONE], Any, Err(Kind::AlgNotAllowed)),
        (&[UNKNOWN, FORGED], Any, Err(Kind::Threshold)),
        (&[ES, RS], AtLeast(2), Ok(&[0, 1])),
        (&[ES, FORGED, RS], AtLeast(2), Ok(&[0, 2])),
        (&[ES, RS, ED, MAC], AtLeast(3), Ok(&[0, 1, 2])),
        (&[ES, RS], AtLeast(3), Err(Kind::Threshold)),
        // One key twice is one key.
        (&[ES, ES], AtLeast(2), Err(Kind::Threshold)),
        (&[ES, ES, MAC], AtLeast(2), Ok(&[0, 1, 2])),
        (&[FORGED, FORGED], AtLeast(2), Err(Kind::Signature)),
        (&[ES], AtLeast(0), Err(Kind::Threshold)),
        (&[ES], AtLeast(usize::MAX), Err(Kind::Threshold)),
    ];
    for (signatures, require, expected) in table {
        let json = general(PAYLOAD, signatures);
        let expected = expected.map(|places| (PAYLOAD.to_vec(), places.to_vec()));
        assert_eq!(verify_json(&verifier, &json, *require), expected, "{signatures:?} {require:?}");
        // Whoever looks at all of them first comes to the same end.
        let mut scratch = Scratch::new();
        let report = verifier.examine_json(&json, &mut scratch).unwrap();
        assert_eq!(report.signatures().len(), signatures.len());
        let decided = report.require(*require).map(|verified| verified.payload().to_vec());
        let expected = expected.map(|(payload, _)| payload);
        assert_eq!(decided.map_err(|error| error.kind()), expected, "{signatures:?} {require:?}");
    }
}

#[test]
fn one_key_under_two_algorithms_is_one_key() {
    let pss = SigningKey::from_pem(Alg::Ps256, &RS256.to_pem().unwrap()).unwrap().with_kid("pss");
    let verifier = Verifier::builder([Alg::Rs256, Alg::Ps256])
        .key(RS256.verifying_key())
        .key(pss.verifying_key())
        .build()
        .unwrap();
    let text = sealwright_jose::base64url::encode(PAYLOAD);
    let protected = sealwright_jose::base64url::encode(r#"{"alg":"PS256"}"#);
    let signature = pss.sign(format!("{protected}.{text}").as_bytes()).unwrap();
    let json = general(PAYLOAD, &[RS]).replace(
        "]}",
        &format!(
            r#",{{"protected":"{protected}","signature":"{}"}}]}}"#,
            sealwright_jose::base64url::encode(signature)
        ),
    );
    assert_eq!(verify_json(&verifier, &json, Require::All), Ok((PAYLOAD.to_vec(), vec![0, 1])));
    assert_eq!(verify_json(&verifier, &json, Require::AtLeast(2)), Err(Kind::Threshold));
}

#[test]
fn only_verified_headers_are_shown() {
    let forged = (By::Forger, r#"{"alg":"ES256","role":"admin"}"#);
    let good = (By::Es256, r#"{"alg":"ES256","kid":"k","role":"user"}"#);
    let verifier = verifier();
    let json = general(PAYLOAD, &[forged, good]);
    let mut scratch = Scratch::new();
    let verified = verifier.verify_general(&json, Require::Any, &mut scratch).unwrap();
    assert_eq!(verified.signatures().len(), 1);
    let signature = &verified.signatures()[0];
    assert_eq!((signature.index(), signature.kid(), signature.alg()), (1, Some("k"), Alg::Es256));
    assert_eq!(signature.header("role"), Some("user".into()));
    assert!(signature.key().is_some_and(|key| *key == ES256.verifying_key()));

    let mut scratch = Scratch::new();
    let report = verifier.examine_json(&json, &mut scratch).unwrap();
    assert_eq!(report.signatures()[0].as_ref().unwrap_err().kind(), Kind::Signature);
    assert!(!format!("{report:?}").contains("admin"));
}

#[test]
fn what_is_no_general_jws_is_refused() {
    let verifier = verifier();
    let good = general(PAYLOAD, &[ES]);
    assert!(verify_json(&verifier, &good, Require::All).is_ok());
    let member = By::Es256.members(r#"{"alg":"ES256"}"#, b"eyJzdWIiOiJhbGljZSJ9", "");
    let payload = r#""payload":"eyJzdWIiOiJhbGljZSJ9""#;
    let table = [
        format!(r#"{{{payload},"signatures":[]}}"#),
        format!(r#"{{{payload},"signatures":null}}"#),
        format!(r#"{{{payload},"signatures":{{{member}}}}}"#),
        format!(r#"{{{payload},"signatures":"x"}}"#),
        format!(r#"{{{payload},"signatures":[null]}}"#),
        format!(r#"{{{payload},"signatures":[[{{{member}}}]]}}"#),
        format!(r#"{{{payload},"signatures":[{{{member}}},7]}}"#),
        format!(r#"{{{payload},"signatures":[{{{member}}},{{}}]}}"#),
        format!(r#"{{{payload},"signatures":[{{{member},"header":null}}]}}"#),
        format!(r#"{{{payload},"signatures":[{{{member},"header":"e30"}}]}}"#),
        format!(r#"{{{payload},"signatures":[{{"protected":"e30"}}]}}"#),
        format!(r#"{{{payload},"signatures":[{{{member}}}],"signature":"AA"}}"#),
        format!(r#"{{{payload},"signatures":[{{{member}}}],"protected":"e30"}}"#),
        format!(r#"{{{payload},"signatures":[{{{member}}}],"header":{{}}}}"#),
        format!(r#"{{{payload},"signatures":[{{{member}}}],"signatures":[{{{member}}}]}}"#),
        format!(r#"{{{payload},{payload},"signatures":[{{{member}}}]}}"#),
        format!(r#"{{{payload},"signatures":[{{{member},{member}}}]}}"#),
        format!(r#"{{"signatures":[{{{member}}}]}}"#),
        format!(r#"{{"payload":null,"signatures":[{{{member}}}]}}"#),
        format!(r#"{{"payload":{{}},"signatures":[{{{member}}}]}}"#),
    ];
    for json in table {
        for require in [Require::All, Require::Any, Require::AtLeast(1)] {
            assert_eq!(verify_json(&verifier, &json, require), Err(Kind::Malformed), "{json}");
        }
        assert!(verifier.examine_json(&json, &mut Scratch::new()).is_err());
    }
    // Each form goes to its own reader.
    let flattened = signed_flattened(ES.1, "");
    assert!(verify_json(&verifier, &flattened, Require::All).is_ok());
    assert!(verifier.verify_general(&flattened, Require::All, &mut Scratch::new()).is_err());
    assert_eq!(outcome_flattened(&verifier, &good), Err(Kind::Malformed));
}

#[test]
fn too_many_signatures_are_refused_before_one_is_verified() {
    let verifier = verifier();
    assert!(verify_json(&verifier, &general(PAYLOAD, &[MAC; 16]), Require::All).is_ok());
    let mut scratch = Scratch::new();
    let json = general(PAYLOAD, &[MAC; 17]);
    let error = verifier.verify_json(&json, Require::Any, &mut scratch).unwrap_err();
    assert_eq!((error.kind(), error.limit()), (Kind::TooLarge, Some(Limit::Signatures)));
}

#[test]
fn several_keys_are_tried_only_if_the_caller_says_so() {
    let keys: Vec<_> = (0..3).map(|_| SigningKey::generate(Alg::Ed25519).unwrap()).collect();
    let token = |key: &SigningKey| sealwright_jose::jws::Signer::new(key).sign_compact(PAYLOAD).unwrap();
    let build = |max| {
        let builder = Verifier::builder([Alg::Ed25519]).try_all(max);
        keys.iter().fold(builder, |builder, key| builder.key(key.verifying_key())).build().unwrap()
    };
    for (max, accepted) in [(0, false), (1, false), (2, false), (3, true), (9, true)] {
        let verifier = build(max);
        for key in &keys {
            let expected = if accepted { Ok(PAYLOAD.to_vec()) } else { Err(Kind::KeyAmbiguous) };
            assert_eq!(crate::support::outcome(&verifier, &token(key)), expected, "{max}");
        }
    }
    let stranger = SigningKey::generate(Alg::Ed25519).unwrap();
    assert_eq!(crate::support::outcome(&build(3), &token(&stranger)), Err(Kind::Signature));
    let mut scratch = Scratch::new();
    let (verifier, token) = (build(3), token(&keys[2]));
    let verified = verifier.verify_compact(&token, &mut scratch).unwrap();
    assert_eq!(verified.key(), Some(&keys[2].verifying_key()));
}
