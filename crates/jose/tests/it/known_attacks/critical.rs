//! `crit` ignored or read laxly, and `b64`, which changes what is signed (RFC 7515 §4.1.11, RFC
//! 7797; CVE-2025-59420, CVE-2026-32597, GHSA-wphv-vfrh-23q5).

use sealwright_jose::{VerifyErrorKind as Kind, jws::BuildError};

use crate::{
    support::{es256_verifier, outcome_flattened, refuse_headers, signed_flattened},
    tally::refused,
};

#[test]
pub(super) fn crit_that_breaks_its_rules() {
    refuse_headers(
        &es256_verifier().understands("exp").understands("two").build().unwrap(),
        &[
            (r#"{"alg":"ES256","crit":["unknown"],"unknown":1}"#, Kind::Critical),
            (r#"{"alg":"ES256","crit":["exp","unknown"],"exp":1,"unknown":1}"#, Kind::Critical),
            (r#"{"alg":"ES256","crit":["EXP"],"EXP":1}"#, Kind::Critical),
            (r#"{"alg":"ES256","crit":[""],"":1}"#, Kind::Critical),
            (r#"{"alg":"ES256","crit":[]}"#, Kind::Critical),
            (r#"{"alg":"ES256","crit":["exp","exp"],"exp":1}"#, Kind::Critical),
            (r#"{"alg":"ES256","crit":["exp","\u0065xp"],"exp":1}"#, Kind::Critical),
            (r#"{"alg":"ES256","crit":["exp"]}"#, Kind::Critical),
            (r#"{"alg":"ES256","crit":["exp"],"x":{"exp":1}}"#, Kind::Critical),
            (r#"{"alg":"ES256","crit":["alg"]}"#, Kind::Critical),
            (r#"{"alg":"ES256","kid":"k","crit":["kid"]}"#, Kind::Critical),
            (r#"{"alg":"ES256","crit":["crit"]}"#, Kind::Critical),
            (r#"{"alg":"ES256","crit":"exp","exp":1}"#, Kind::Critical),
            (r#"{"alg":"ES256","crit":{"exp":1},"exp":1}"#, Kind::Critical),
            (r#"{"alg":"ES256","crit":null}"#, Kind::Critical),
            (r#"{"alg":"ES256","crit":true}"#, Kind::Critical),
            (r#"{"alg":"ES256","crit":[null],"exp":1}"#, Kind::Critical),
            (r#"{"alg":"ES256","crit":[1],"exp":1}"#, Kind::Critical),
            (r#"{"alg":"ES256","crit":[["exp"]],"exp":1}"#, Kind::Critical),
            (r#"{"alg":"ES256","crit":["exp",1],"exp":1}"#, Kind::Critical),
        ],
    );
    // Without anything understood, every `crit` is refused.
    refuse_headers(
        &es256_verifier().build().unwrap(),
        &[
            (r#"{"alg":"ES256","crit":["exp"],"exp":1}"#, Kind::Critical),
            (r#"{"alg":"ES256","cr\u0069t":["exp"],"exp":1}"#, Kind::Critical),
        ],
    );
}

#[test]
pub(super) fn crit_outside_the_protected_header() {
    let verifier = es256_verifier().understands("exp").build().unwrap();
    for (header, more) in [
        (r#"{"alg":"ES256"}"#, r#""header":{"crit":["exp"],"exp":1},"#),
        (r#"{"alg":"ES256","exp":1}"#, r#""header":{"crit":["exp"]},"#),
        (r#"{"alg":"ES256"}"#, r#""header":{"crit":[]},"#),
        (r#"{"alg":"ES256","crit":["exp"]}"#, r#""header":{"exp":1},"#),
        (r#"{"alg":"ES256"}"#, r#""header":{"b64":false},"#),
    ] {
        let json = signed_flattened(header, more);
        refused(format_args!("{header} {more}"), outcome_flattened(&verifier, &json), Kind::Critical);
    }
}

#[test]
pub(super) fn b64_that_changes_what_is_signed() {
    refuse_headers(
        &es256_verifier().build().unwrap(),
        &[
            (r#"{"alg":"ES256","b64":false}"#, Kind::Critical),
            (r#"{"alg":"ES256","b64":true}"#, Kind::Critical),
            (r#"{"alg":"ES256","b64":"false"}"#, Kind::Critical),
            (r#"{"alg":"ES256","b64":false,"crit":["b64"]}"#, Kind::Critical),
            (r#"{"alg":"ES256","b64":true,"crit":["b64"]}"#, Kind::Critical),
            (r#"{"alg":"ES256","crit":["b64"]}"#, Kind::Critical),
        ],
    );
}

#[test]
pub(super) fn a_standard_parameter_cannot_be_understood() {
    for name in ["b64", "alg", "kid", "crit", "typ", "enc", "x5c"] {
        let built = es256_verifier().understands(name).build();
        refused(name, built, BuildError::NotAnExtension(name.to_owned()));
    }
}
