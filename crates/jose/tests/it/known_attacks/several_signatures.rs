//! Several signatures over one payload, of which some are not what they seem: any taken for all, one
//! key counted twice, what an unverified header says (RFC 8725bis §2.13).

use sealwright_jose::{
    Alg, SigningKey, VerifyError, VerifyErrorKind as Kind, base64url,
    jws::{Require, Scratch, VerifiedSignature, Verifier},
};

use crate::{
    support::{ED25519, ES256, PAYLOAD, outcome_flattened},
    tally::refused,
};

const ES: &str = r#"{"alg":"ES256"}"#;
const ED: &str = r#"{"alg":"Ed25519"}"#;

fn verifier() -> Verifier {
    let builder = Verifier::builder([Alg::Es256, Alg::Ed25519]);
    builder.key(ES256.verifying_key()).key(ED25519.verifying_key()).build().unwrap()
}

/// One signature over `PAYLOAD`; `more` ends in a comma or is empty.
fn by(key: &SigningKey, header: &str, more: &str) -> String {
    let input = format!("{}.{}", base64url::encode(header), base64url::encode(PAYLOAD));
    let signature = base64url::encode(key.sign(input.as_bytes()).unwrap());
    format!(r#"{{{more}"protected":"{}","signature":"{signature}"}}"#, base64url::encode(header))
}

/// One that nobody made.
fn forged(header: &str) -> String {
    let zeros = base64url::encode([0; 64]);
    format!(r#"{{"protected":"{}","signature":"{zeros}"}}"#, base64url::encode(header))
}

fn general(signatures: &[&String]) -> String {
    let signatures: Vec<_> = signatures.iter().map(|one| one.as_str()).collect();
    format!(r#"{{"payload":"{}","signatures":[{}]}}"#, base64url::encode(PAYLOAD), signatures.join(","))
}

fn verify(json: &str, require: Require) -> Result<Vec<usize>, Kind> {
    let (verifier, mut scratch) = (verifier(), Scratch::new());
    let verified = verifier.verify_general(json, require, &mut scratch).map_err(|error| error.kind())?;
    assert_eq!(verified.payload(), PAYLOAD);
    Ok(verified.signatures().iter().map(VerifiedSignature::index).collect())
}

#[test]
pub(super) fn any_taken_for_all() {
    let (es, ed) = (by(&ES256, ES, ""), by(&ED25519, ED, ""));
    let none = forged(r#"{"alg":"none"}"#);
    let empty = format!(r#"{{"protected":"{}","signature":""}}"#, base64url::encode(r#"{"alg":"none"}"#));
    let stranger = by(&SigningKey::generate(Alg::Es256).unwrap(), ES, "");
    let unknown = by(&ES256, r#"{"alg":"ES256","kid":"x"}"#, "");
    let critical = by(&ES256, r#"{"alg":"ES256","crit":["x"],"x":1}"#, "");
    let two_names = by(&ES256, r#"{"alg":"ES256","x":1}"#, r#""header":{"x":1},"#);
    let (all, any, two) = (Require::All, Require::Any, Require::AtLeast(2));
    assert_eq!(verify(&general(&[&es, &ed]), all), Ok(vec![0, 1]));
    assert_eq!(verify(&general(&[&es, &ed]), two), Ok(vec![0, 1]));
    for (name, signatures, require, kind) in [
        ("none first", vec![&none, &es], all, Kind::AlgNotAllowed),
        ("none last", vec![&es, &none], all, Kind::AlgNotAllowed),
        ("none and empty", vec![&empty, &es], all, Kind::AlgNotAllowed),
        ("none alone", vec![&none], any, Kind::AlgNotAllowed),
        ("none and empty alone", vec![&empty], any, Kind::AlgNotAllowed),
        ("forged beside good", vec![&es, &stranger], all, Kind::Signature),
        ("forged alone", vec![&stranger], any, Kind::Signature),
        ("all forged", vec![&stranger, &stranger], any, Kind::Signature),
        ("forged in several ways", vec![&stranger, &none], any, Kind::Threshold),
        ("unknown kid", vec![&es, &unknown], all, Kind::KeyUnknown),
        ("critical", vec![&es, &critical], all, Kind::Critical),
        ("one name in both headers", vec![&es, &two_names], all, Kind::Malformed),
        ("one of two", vec![&es], two, Kind::Threshold),
        ("one of two and a forged one", vec![&es, &stranger], two, Kind::Threshold),
        ("one key twice", vec![&es, &es], two, Kind::Threshold),
        (
            "one key under two kids",
            vec![&es, &by(&ES256, r#"{"alg":"ES256","kid":"k"}"#, "")],
            two,
            Kind::Threshold,
        ),
        ("one key often", vec![&es; 16], Require::AtLeast(2), Kind::Threshold),
        ("three of two", vec![&es, &ed], Require::AtLeast(3), Kind::Threshold),
        ("zero", vec![&es, &ed], Require::AtLeast(0), Kind::Threshold),
        ("seventeen", vec![&es; 17], any, Kind::TooLarge),
    ] {
        refused(name, verify(&general(&signatures), require), kind);
    }
}

#[test]
pub(super) fn header_of_a_signature_that_is_not_valid() {
    let admin = forged(r#"{"alg":"ES256","typ":"admin"}"#);
    let good = by(&ES256, ES, "");
    let json = general(&[&admin, &good]);
    let (verifier, mut scratch) = (verifier(), Scratch::new());
    let verified = verifier.verify_general(&json, Require::Any, &mut scratch).unwrap();
    // Only what is verified is shown, under the place where it stood.
    let shown: Vec<_> = verified.signatures().iter().map(|one| (one.index(), one.typ())).collect();
    assert_eq!(shown, [(1, None)]);
    let mut scratch = Scratch::new();
    let report = verifier.examine_json(&json, &mut scratch).unwrap();
    let first = report.signatures()[0].as_ref().map(|_| "valid").map_err(VerifyError::kind);
    refused("in the report", first, Kind::Signature);
    refused("all of the report", report.require(Require::All).map_err(|error| error.kind()), Kind::Signature);
}

#[test]
pub(super) fn json_that_is_neither_form() {
    let payload = base64url::encode(PAYLOAD);
    let es = by(&ES256, ES, "");
    let members = &es[1..es.len() - 1];
    let signatures = |text: &str| format!(r#"{{"payload":"{payload}","signatures":{text}}}"#);
    let no_protected = r#"{"header":{"alg":"ES256"},"signature":"AA"}"#;
    for json in [
        signatures("[]"),
        signatures("null"),
        signatures("{}"),
        signatures(&es),
        signatures("\"x\""),
        signatures("[null]"),
        signatures("[7]"),
        signatures("[[]]"),
        signatures("[{}]"),
        signatures(&format!("[[{es}]]")),
        signatures(&format!("[{es},null]")),
        signatures(&format!("[{no_protected}]")),
        signatures(&format!("[{es},{no_protected}]")),
        signatures(r#"[{"protected":"","signature":"AA"}]"#),
        signatures(r#"[{"protected":"e30"}]"#),
        format!(r#"{{"payload":"{payload}",{members},"signatures":[{es}]}}"#),
        format!(r#"{{"payload":"{payload}","header":{{}},"signatures":[{es}]}}"#),
        format!(r#"{{"payload":"{payload}","protected":"e30","signatures":[{es}]}}"#),
        format!(r#"{{"payload":"{payload}","signature":"","signatures":[{es}]}}"#),
        format!(r#"{{"payload":"{payload}","signatures":[{es}],"signatures":[{es}]}}"#),
        format!(r#"{{"payload":"{payload}","payload":"{payload}","signatures":[{es}]}}"#),
        format!(r#"{{"signatures":[{es}]}}"#),
        format!(r#"{{"payload":null,"signatures":[{es}]}}"#),
        format!(r#"{{"payload":"{payload}=","signatures":[{es}]}}"#),
        format!(r#"{{"payload":"{payload}",{members}}}"#),
        format!(r#"[{}]"#, general(&[&es])),
        format!(r#"{}x"#, general(&[&es])),
        format!("\u{feff}{}", general(&[&es])),
    ] {
        for require in [Require::Any, Require::All] {
            refused(json.replace(members, "…"), verify(&json, require), Kind::Malformed);
        }
    }
    refused("general as flattened", outcome_flattened(&verifier(), &general(&[&es])), Kind::Malformed);
}
