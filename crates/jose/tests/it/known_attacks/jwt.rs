//! A token of one kind used as another (RFC 8725bis §3.11). Claims of the wrong type are in
//! `claims.rs`.

use sealwright_jose::VerifyErrorKind as Kind;

use crate::{
    support::{PAYLOAD, es256_verifier, outcome, refuse_headers, signed},
    tally::refused,
};

#[test]
pub(super) fn token_of_another_type() {
    refuse_headers(
        &es256_verifier().typ("at+jwt").build().unwrap(),
        &[
            (r#"{"alg":"ES256"}"#, Kind::TypMismatch),
            (r#"{"alg":"ES256","typ":""}"#, Kind::TypMismatch),
            (r#"{"alg":"ES256","typ":"JWT"}"#, Kind::TypMismatch),
            (r#"{"alg":"ES256","typ":"dpop+jwt"}"#, Kind::TypMismatch),
            (r#"{"alg":"ES256","typ":"logout+jwt"}"#, Kind::TypMismatch),
            (r#"{"alg":"ES256","typ":"at+jwt "}"#, Kind::TypMismatch),
            (r#"{"alg":"ES256","typ":"at+jwt;x=1"}"#, Kind::TypMismatch),
            (r#"{"alg":"ES256","typ":"text/at+jwt"}"#, Kind::TypMismatch),
            (r#"{"alg":"ES256","typ":"application/application/at+jwt"}"#, Kind::TypMismatch),
            (r#"{"alg":"ES256","typ":"application/"}"#, Kind::TypMismatch),
            // The Kelvin sign becomes a k when lowered; media types are ASCII.
            (r#"{"alg":"ES256","typ":"at\u212ajwt"}"#, Kind::TypMismatch),
        ],
    );
}

#[test]
pub(super) fn optional_type_is_still_checked() {
    let verifier = es256_verifier().typ("at+jwt").typ_optional(true).build().unwrap();
    assert!(outcome(&verifier, &signed(r#"{"alg":"ES256"}"#, PAYLOAD)).is_ok());
    refused(
        "JWT where at+jwt is optional",
        outcome(&verifier, &signed(r#"{"alg":"ES256","typ":"JWT"}"#, PAYLOAD)),
        Kind::TypMismatch,
    );
}
