//! Refusals that tell an attacker something: they look the same from outside, and a tag is compared
//! as a whole (RUSTSEC-2023-0071 and all comparisons that stop early).

use sealwright_jose::{
    Alg, VerifyErrorKind as Kind, base64url,
    jws::{Scratch, Signer, Verifier},
    jwt::{JwtErrorKind, Validator},
};

use crate::{
    support::{ES256, HS256, PAYLOAD, RS256, generate, signed},
    tally::refused,
};

fn verifier() -> Verifier {
    Verifier::builder([Alg::Es256, Alg::Rs256, Alg::Hs256])
        .key(ES256.verifying_key())
        .key(RS256.verifying_key())
        .mac_key(HS256.clone())
        .typ("JWT")
        .typ_optional(true)
        .build()
        .unwrap()
}

/// Tokens that are refused each for another reason.
fn tokens() -> Vec<(&'static str, String, Kind)> {
    let bent = |token: String| {
        let (input, _) = token.rsplit_once('.').unwrap();
        format!("{input}.{}", base64url::encode(generate(Alg::Es256).sign(b"x").unwrap()))
    };
    let unknown = generate(Alg::Es256).with_kid("unknown");
    let mac = Signer::mac(&HS256).sign_compact(PAYLOAD).unwrap();
    let rsa = Signer::new(&RS256).sign_compact(PAYLOAD).unwrap();
    vec![
        ("key unknown", Signer::new(&unknown).sign_compact(PAYLOAD).unwrap(), Kind::KeyUnknown),
        ("signature false", bent(signed(r#"{"alg":"ES256","kid":"k"}"#, PAYLOAD)), Kind::Signature),
        ("tag false", bent(mac), Kind::Signature),
        ("RSA signature false", bent(rsa), Kind::Signature),
        ("algorithm not allowed", signed(r#"{"alg":"ES384"}"#, PAYLOAD), Kind::AlgNotAllowed),
        ("type", signed(r#"{"alg":"ES256","typ":"x"}"#, PAYLOAD), Kind::TypMismatch),
        ("critical", signed(r#"{"alg":"ES256","crit":["x"]}"#, PAYLOAD), Kind::Critical),
        ("malformed", "a.b.c".to_owned(), Kind::Malformed),
        ("encrypted", "a.b.c.d.e".to_owned(), Kind::Encrypted),
        ("too large", "A".repeat(2 * 1024 * 1024), Kind::TooLarge),
    ]
}

#[test]
pub(super) fn refusals_that_look_the_same() {
    let verifier = verifier();
    let validator = Validator::builder()
        .waive_typ()
        .expect_issuer("https://id.example")
        .waive_audience()
        .expect_expiry()
        .waive_not_before()
        .waive_max_age()
        .build()
        .unwrap();
    for (name, token, kind) in tokens() {
        let mut scratch = Scratch::new();
        let error = verifier.verify_compact(&token, &mut scratch).unwrap_err();
        assert_eq!(error.to_string(), "the signature is not valid");
        refused(name, Err::<(), _>(error.kind()), kind);
        let error = verifier.verify_jwt(&token, &validator, 0, &mut scratch).unwrap_err();
        assert_eq!(error.to_string(), "the token is not valid");
        refused(name, Err::<(), _>(error.kind()), JwtErrorKind::Jws(kind));
    }
    for (payload, kind) in [
        (r#"{"iss":"https://evil.example","exp":1}"#, JwtErrorKind::IssuerMismatch),
        (r#"{"iss":"https://id.example","exp":0}"#, JwtErrorKind::Expired),
        (r#"{"exp":1}"#, JwtErrorKind::Missing("iss")),
    ] {
        let token = signed(r#"{"alg":"ES256","kid":"k"}"#, payload.as_bytes());
        let mut scratch = Scratch::new();
        let error = verifier.verify_jwt(&token, &validator, 0, &mut scratch).unwrap_err();
        assert_eq!(error.to_string(), "the token is not valid");
        refused(payload, Err::<(), _>(error.kind()), kind);
    }
}

#[test]
pub(super) fn tag_bent_in_any_byte() {
    let good = HS256.sign(PAYLOAD).unwrap();
    for at in 0..good.len() {
        let mut bent = good.clone();
        bent[at] ^= 0x80;
        let got = HS256.verify(PAYLOAD, &bent).map_err(|error| error.kind());
        // One case, at whichever byte.
        refused("bent", got, Kind::Signature);
    }
    for (name, tag) in [
        ("zeros", vec![0; 32]),
        ("prefix", good[..31].to_vec()),
        ("nothing", vec![]),
        ("with more", [&good[..], b"\0"].concat()),
    ] {
        refused(name, HS256.verify(PAYLOAD, &tag).map_err(|error| error.kind()), Kind::Signature);
    }
}
