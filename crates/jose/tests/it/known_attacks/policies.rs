//! What each policy makes of `crit` and of JSON: no policy accepts what an RFC makes invalid
//! (CVE-2025-59420, CVE-2026-32597, mpdavis/python-jose#413, auth0/node-jsonwebtoken#1032).

use sealwright_jose::{VerifyErrorKind as Kind, jws::Policy};

use crate::{
    support::{PAYLOAD, es256_verifier, outcome, signed},
    tally::{accepted, refused},
};

/// A header, and what each policy says to it; `None` is no refusal.
type Row = (&'static str, [Option<Kind>; 3]);

const OK: Option<Kind> = None;
const CRITICAL: Option<Kind> = Some(Kind::Critical);
const MALFORMED: Option<Kind> = Some(Kind::Malformed);
const ENCRYPTED: Option<Kind> = Some(Kind::Encrypted);
const UNKNOWN: Option<Kind> = Some(Kind::ParameterUnknown);
const NOT_ALLOWED: Option<Kind> = Some(Kind::AlgNotAllowed);

fn walk(table: &[Row]) {
    for (n, policy) in [Policy::Strict, Policy::Rfc, Policy::Joserfc].into_iter().enumerate() {
        let verifier = es256_verifier().understands("exp").policy(policy).build().unwrap();
        for (header, outcomes) in table {
            let got = outcome(&verifier, &signed(header, PAYLOAD));
            let case = format!("{policy:?} {header}");
            match outcomes[n] {
                Some(kind) => drop(refused(case, got, kind)),
                None => drop(accepted(case, got)),
            }
        }
    }
}

#[test]
pub(super) fn crit_under_every_policy() {
    walk(&[
        (r#"{"alg":"ES256","crit":["exp"],"exp":1}"#, [OK, OK, OK]),
        (r#"{"alg":"ES256","crit":["x"],"x":1}"#, [CRITICAL, CRITICAL, UNKNOWN]),
        (r#"{"alg":"ES256","crit":["exp","x"],"exp":1,"x":1}"#, [CRITICAL, CRITICAL, UNKNOWN]),
        (r#"{"alg":"ES256","crit":["x"]}"#, [CRITICAL; 3]),
        (r#"{"alg":"ES256","crit":["exp"]}"#, [CRITICAL; 3]),
        (r#"{"alg":"ES256","crit":["exp","x"],"exp":1}"#, [CRITICAL; 3]),
        (r#"{"alg":"ES256","crit":["EXP"],"exp":1}"#, [CRITICAL; 3]),
        (r#"{"alg":"ES256","crit":["exp "],"exp":1}"#, [CRITICAL; 3]),
        (r#"{"alg":"ES256","crit":[""],"exp":1}"#, [CRITICAL; 3]),
        (r#"{"alg":"ES256","crit":null}"#, [CRITICAL; 3]),
        (r#"{"alg":"ES256","crit":false}"#, [CRITICAL; 3]),
        (r#"{"alg":"ES256","crit":0}"#, [CRITICAL; 3]),
        (r#"{"alg":"ES256","crit":""}"#, [CRITICAL; 3]),
        (r#"{"alg":"ES256","crit":"exp","exp":1}"#, [CRITICAL; 3]),
        (r#"{"alg":"ES256","crit":{"0":"exp"},"exp":1}"#, [CRITICAL; 3]),
        (r#"{"alg":"ES256","crit":[null],"exp":1}"#, [CRITICAL; 3]),
        (r#"{"alg":"ES256","crit":[["exp"]],"exp":1}"#, [CRITICAL; 3]),
        (r#"{"alg":"ES256","crit":["exp",{}],"exp":1}"#, [CRITICAL; 3]),
        (r#"{"alg":"ES256","crit":["b64"]}"#, [CRITICAL; 3]),
        (r#"{"alg":"ES256","crit":["enc"],"enc":"x"}"#, [ENCRYPTED; 3]),
        (r#"{"alg":"ES256","crit":["zip"],"zip":"DEF"}"#, [CRITICAL, CRITICAL, UNKNOWN]),
        // Where RFC 7515 speaks to producers only.
        (r#"{"alg":"ES256","crit":[]}"#, [CRITICAL, OK, OK]),
        (r#"{"alg":"ES256","crit":["exp","exp"],"exp":1}"#, [CRITICAL, OK, OK]),
        (r#"{"alg":"ES256","crit":["alg"]}"#, [CRITICAL, OK, OK]),
        (r#"{"alg":"ES256","crit":["kid"],"kid":"k"}"#, [CRITICAL, OK, OK]),
        (r#"{"alg":"ES256","crit":["crit"]}"#, [CRITICAL, OK, OK]),
        (r#"{"alg":"ES256","crit":["typ"],"typ":"JWT"}"#, [CRITICAL, OK, OK]),
        (r#"{"alg":"ES256","crit":["jku"],"jku":"https://evil.example"}"#, [CRITICAL, CRITICAL, OK]),
        (r#"{"alg":"ES256","crit":["jwk"],"jwk":{}}"#, [CRITICAL, CRITICAL, OK]),
    ]);
}

#[test]
pub(super) fn json_under_every_policy() {
    walk(&[
        (r#"{"alg":"none","alg":"ES256"}"#, [MALFORMED, OK, OK]),
        (r#"{"alg":"ES256","alg":"none"}"#, [MALFORMED, NOT_ALLOWED, NOT_ALLOWED]),
        (r#"{"alg":"ES256","\u0061lg":"none"}"#, [MALFORMED, NOT_ALLOWED, NOT_ALLOWED]),
        ("\u{feff}{\"alg\":\"ES256\"}", [MALFORMED, OK, OK]),
        (r#"{"alg":"ES256","__proto__":{"alg":"none"}}"#, [OK, OK, UNKNOWN]),
        (r#"{"alg":"ES256","constructor":{"prototype":{}}}"#, [OK, OK, UNKNOWN]),
        (r#"{"alg":"ES256","Alg":"none"}"#, [OK, OK, UNKNOWN]),
        (r#"{"alg":"ES256","x":NaN}"#, [MALFORMED; 3]),
        (r#"{"alg":"ES256","x":-Infinity}"#, [MALFORMED; 3]),
        (r#"{"alg":"ES256","x":1e400}"#, [MALFORMED; 3]),
        (r#"{"alg":"ES256"} // x"#, [MALFORMED; 3]),
        (r#"{"alg":"ES256",/**/"x":1}"#, [MALFORMED; 3]),
        (r#"{"alg":"ES256",}"#, [MALFORMED; 3]),
        (r#"{"alg":"ES256"}{}"#, [MALFORMED; 3]),
        (r#"{"alg":"ES256"}]"#, [MALFORMED; 3]),
        (r#"{"alg":"ES256""#, [MALFORMED; 3]),
        (r#"{"alg":"ES256","x":"\ud800"}"#, [MALFORMED; 3]),
        (r#"{"alg":"ES256","x":"\u00e"}"#, [MALFORMED; 3]),
        (r#"{"alg":"ES256","x":"\x41"}"#, [MALFORMED; 3]),
        ("{\"alg\":\"ES256\",\"x\":\"\n\"}", [MALFORMED; 3]),
        ("{\"alg\":\"ES256\"}\0\0", [MALFORMED; 3]),
        ("{\"alg\":\"ES256\",\"x\":1\u{b}}", [MALFORMED; 3]),
        (r#"{"alg":"ES256","kid":null}"#, [MALFORMED; 3]),
        (r#"{"alg":"ES256","kid":["k"]}"#, [MALFORMED; 3]),
        (r#"{"alg":"ES256","kid":7}"#, [MALFORMED; 3]),
        (r#"{"alg":["none","ES256"]}"#, [MALFORMED; 3]),
        (r#"{"alg":{"name":"ES256"}}"#, [MALFORMED; 3]),
        (r#"["alg","ES256"]"#, [MALFORMED; 3]),
        (r#"{"alg":"none"}"#, [NOT_ALLOWED; 3]),
        (r#"{"alg":""}"#, [NOT_ALLOWED; 3]),
        (r#"{}"#, [MALFORMED; 3]),
    ]);
}
