use super::{witness::Quoted, *};
use insta::assert_snapshot;
use sealwright_jose::{VerifyErrorKind, base64url};

/// Nobody verifies it here.
fn token() -> String {
    format!("{}.e30.AA", base64url::encode(r#"{"alg":"ES256","typ":"at+jwt","kid":"k1"}"#))
}

#[test]
fn the_names_are_those_of_the_serialized_form() {
    for check in Check::ALL {
        assert_eq!(serde_json::to_value(check).unwrap(), check.name());
    }
}

#[test]
fn an_explanation_is_a_table_and_an_object() {
    let mut seen = Recorder::default();
    seen.saw(Check::Request, Outcome::Passed, || "scheme Bearer");
    seen.verified(&token(), None);
    seen.waived(Check::Age, "no limit is configured");
    let refused = seen.check(Check::Expiry, false, "error", || format!("expired {} s ago", 61));
    assert_eq!(refused, Err("error"));
    let explanation = Explanation::new(seen, Some("token_expired"));
    assert_snapshot!(explanation, @r"
    request     passed       scheme Bearer
    form        passed
    algorithm   passed       `ES256`
    critical    passed
    type        passed       `at+jwt`
    key         passed       `k1`
    signature   passed
    age         waived       no limit is configured
    expiry      FAILED       expired 61 s ago
    issuer      not reached
    keys        not reached
    claims      not reached
    not_before  not reached
    audience    not reached
    revocation  not reached
    sender      not reached
    replay      not reached
    scope       not reached
    rules       not reached
    assurance   not reached
    refused: token_expired
    ");
    let json = serde_json::to_value(&explanation).unwrap();
    assert_eq!((&json["accepted"], &json["code"]), (&false.into(), &"token_expired".into()));
    assert_eq!(
        json["checks"][8],
        serde_json::json!({"check": "expiry", "outcome": "failed", "why": "expired 61 s ago"})
    );
    assert_eq!(json["checks"][1], serde_json::json!({"check": "form", "outcome": "passed"}));
    assert_eq!(explanation.failure().map(|failed| failed.check), Some(Check::Expiry));
}

#[test]
fn a_verifier_fails_one_check_and_reaches_none_after_it() {
    for (kind, check, passed) in [
        (VerifyErrorKind::Malformed, Check::Form, 0),
        (VerifyErrorKind::TooLarge, Check::Form, 0),
        (VerifyErrorKind::AlgNotAllowed, Check::Algorithm, 1),
        (VerifyErrorKind::Critical, Check::Critical, 2),
        (VerifyErrorKind::TypMismatch, Check::Type, 3),
        (VerifyErrorKind::KeyUnknown, Check::Key, 4),
        (VerifyErrorKind::KeyAmbiguous, Check::Key, 4),
        (VerifyErrorKind::Signature, Check::Signature, 5),
    ] {
        let mut seen = Recorder::default();
        seen.verified("", Some(kind));
        let explanation = Explanation::new(seen, Some("x"));
        assert_eq!(explanation.failure().map(|failed| failed.check), Some(check), "{kind:?}");
        let count = |outcome| explanation.checks().iter().filter(|seen| seen.outcome == outcome).count();
        assert_eq!((count(Outcome::Passed), count(Outcome::Failed)), (passed, 1), "{kind:?}");
    }
}

#[test]
fn a_check_in_parts_stands_once_and_fails_if_a_part_does() {
    let mut seen = Recorder::default();
    seen.passed(Check::Claims);
    seen.saw(Check::Claims, Outcome::Failed, || "no `sub`");
    seen.passed(Check::Claims);
    let explanation = Explanation::new(seen, Some("x"));
    assert_eq!(explanation.checks().len(), Check::ALL.len());
    assert_eq!(explanation.failure().map(|failed| &*failed.why), Some("no `sub`"));
}

#[test]
fn what_a_check_before_decides_puts_the_later_ones_aside() {
    let mut seen = Recorder::default();
    seen.passed(Check::Request);
    seen.verified("", Some(VerifyErrorKind::Signature));
    seen.reconsider();
    seen.saw(Check::Issuer, Outcome::Failed, || "nobody");
    let explanation = Explanation::new(seen, Some("issuer_unknown"));
    let made: Vec<_> = explanation.checks().iter().take(3).map(|seen| (seen.check, seen.outcome)).collect();
    let expected = [
        (Check::Request, Outcome::Passed),
        (Check::Issuer, Outcome::Failed),
        (Check::Form, Outcome::NotReached),
    ];
    assert_eq!(made, expected);
}

#[test]
fn text_of_a_token_cannot_write_to_the_terminal() {
    assert_snapshot!(Quoted("a\u{1b}[2J\nb"), @r"`a\u{1b}[2J\nb`");
    assert_eq!(Quoted(&"é".repeat(101)).to_string(), format!("`{}…`", "é".repeat(100)));
}
