//! The last moment that passes and the first that does not; and what must pass although it looks odd.

use crate::support::*;
use sealwright_resource_server::{IssuerConfig, TokenError};
use serde_json::json;
use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

async fn outcome(terms: IssuerConfig, changes: serde_json::Value) -> Result<(), TokenError> {
    decide(terms, &token(json!({}), changes)).await.map(drop)
}

#[tokio::test]
async fn time_is_exact_to_the_second() {
    for (name, changes, expected) in [
        ("exp with skew: the last second", json!({"exp": NOW - 59}), Ok(())),
        ("exp with skew: over", json!({"exp": NOW - 60}), Err(TokenError::Expired)),
        ("nbf with skew: too early", json!({"nbf": NOW + 61}), Err(TokenError::NotYetValid)),
        ("nbf with skew: the first second", json!({"nbf": NOW + 60}), Ok(())),
        ("iat with skew: too early", json!({"iat": NOW + 61}), Err(TokenError::NotYetValid)),
        ("iat with skew: the first second", json!({"iat": NOW + 60}), Ok(())),
        ("age with skew: the last second", json!({"iat": NOW - 660}), Ok(())),
        ("age with skew: over", json!({"iat": NOW - 661}), Err(TokenError::TooOld)),
        ("exp at the end of time", json!({"exp": 253_402_300_799_i64}), Ok(())),
        ("exp without end", json!({"exp": i64::MAX}), Err(TokenError::ClaimsMalformed)),
        ("a fraction is cut off", json!({"exp": NOW as f64 - 59.0 + 0.5}), Ok(())),
        (
            "a fraction is cut off, not rounded",
            json!({"exp": NOW as f64 - 60.0 + 0.9}),
            Err(TokenError::Expired),
        ),
    ] {
        assert_eq!(outcome(terms(), changes).await, expected, "{name}");
    }
    let strict = || terms().clock_skew(Duration::ZERO);
    for (name, changes, expected) in [
        ("exp: the last second", json!({"exp": NOW + 1}), Ok(())),
        ("exp: on it", json!({"exp": NOW}), Err(TokenError::Expired)),
        ("nbf: too early", json!({"nbf": NOW + 1}), Err(TokenError::NotYetValid)),
        ("nbf: on it", json!({"nbf": NOW}), Ok(())),
        ("iat: too early", json!({"iat": NOW + 1}), Err(TokenError::NotYetValid)),
        ("iat: on it", json!({"iat": NOW}), Ok(())),
        ("age: the last second", json!({"iat": NOW - 600}), Ok(())),
        ("age: over", json!({"iat": NOW - 601}), Err(TokenError::TooOld)),
    ] {
        assert_eq!(outcome(strict(), changes).await, expected, "{name}");
    }
}

#[tokio::test]
async fn a_token_that_expires_while_its_request_waits_is_refused() {
    let source = Source::start(Answer::Ok(jwk_set(&[&K1]))).await;
    for (later_s, status) in [(0, "200"), (349, "200"), (350, "401")] {
        for door in 0..4 {
            // The first look at the clock is before the keys are fetched.
            let looks = AtomicI64::new(0);
            let clock = move || NOW + if looks.fetch_add(1, Ordering::SeqCst) == 0 { 0 } else { later_s };
            let authenticator = builder(source.terms()).clock(clock).build().unwrap();
            let (name, router) = doors(&authenticator).into_iter().nth(door).unwrap();
            let shown = ask(router, "/hello", bearer(&good())).await;
            assert!(shown.starts_with(status), "{later_s} s at the {name}: {shown}");
        }
    }
}

#[tokio::test]
async fn a_jti_is_to_be_remembered_until_the_skew_is_over() {
    let token = decide(terms(), &good()).await.unwrap();
    assert_eq!((token.expires_at(), token.remember_until()), (NOW + 290, NOW + 350));
}

#[tokio::test]
async fn an_issuer_with_escaped_slashes_is_the_same_issuer() {
    let payload = claims().to_string().replace('/', r"\/");
    assert!(payload.contains(r#""iss":"https:\/\/id.example.com""#));
    let token = decide(terms(), &forge(&header().to_string(), &payload, &K1)).await.unwrap();
    assert_eq!(token.issuer(), ISSUER);
}

#[tokio::test]
async fn a_type_may_be_written_in_several_ways() {
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
        decide(terms(), &token(json!({ "typ": typ }), json!({}))).await.unwrap();
        // However it is written, it promises what RFC 9068 requires.
        let incomplete = token(json!({ "typ": typ }), json!({"client_id": null}));
        assert_eq!(decide(terms(), &incomplete).await.map(drop), Err(TokenError::ClaimsMalformed), "{typ}");
    }
}

#[tokio::test]
async fn a_token_without_type_passes_only_where_it_may() {
    let bare = json!({"client_id": null, "jti": null});
    let untyped = token(json!({"typ": null}), bare.clone());
    assert_eq!(decide(terms(), &untyped).await.map(drop), Err(TokenError::TypMismatch));

    let optional = || terms().typ_optional(true);
    let passed = decide(optional(), &untyped).await.unwrap();
    assert_eq!((passed.subject(), passed.client_id(), passed.jti()), ("alice", None, None));
    let foreign = token(json!({"typ": "dpop+jwt"}), json!({}));
    assert_eq!(decide(optional(), &foreign).await.map(drop), Err(TokenError::TypMismatch));

    let jwt = || terms().typ(["JWT", "at+jwt"]);
    decide(jwt(), &token(json!({"typ": "JWT"}), bare)).await.unwrap();
    decide(jwt(), &good()).await.unwrap();
}

#[tokio::test]
async fn one_of_our_audiences_is_enough() {
    let ours = || terms().audience("urn:api");
    for aud in [json!("urn:api"), json!(AUDIENCE), json!(["x", AUDIENCE]), json!(["urn:api", AUDIENCE])] {
        outcome(ours(), json!({ "aud": aud })).await.unwrap();
    }
}

#[tokio::test]
async fn without_a_limit_a_token_may_be_old_and_without_type_undated() {
    let patient = || terms().max_token_age(None).typ_optional(true);
    outcome(patient(), json!({"iat": 1})).await.unwrap();
    decide(patient(), &token(json!({"typ": null}), json!({"iat": null}))).await.unwrap();
}

#[tokio::test]
async fn a_single_key_needs_no_kid() {
    let single = || IssuerConfig::new(ISSUER, AUDIENCE).fixed_keys([K1.verifying_key()]);
    decide(single(), &token(json!({"kid": null}), json!({}))).await.unwrap();
}

#[tokio::test]
async fn a_token_says_what_it_says() {
    let details = json!([{"type": "https://example.com/sign", "credentialID": "contracts"}]);
    let said = json!({
        "acr": "mfa", "amr": ["pwd", "otp"], "auth_time": NOW as f64 - 30.5, "scope": "read  write",
        "authorization_details": details, "email": "alice@example.com",
    });
    let full = decide(terms(), &token(json!({}), said)).await.unwrap();
    assert_eq!(full.client_id(), Some("portal"));
    assert_eq!(full.jti(), Some("t-1"));
    assert_eq!(full.acr(), Some("mfa"));
    assert_eq!(full.amr(), ["pwd", "otp"]);
    assert_eq!(full.auth_time(), Some(NOW - 31));
    assert_eq!(full.scopes(), ["read", "write"]);
    assert_eq!(full.authorization_details(), details.as_array().unwrap().as_slice());
    assert_eq!(full.claims().get("email"), Some(&json!("alice@example.com")));

    let shown = format!("{full:?}");
    assert!(shown.contains("t-1") && !shown.contains("alice"), "{shown}");

    let plain = decide(terms(), &token(json!({}), json!({"scope": ["read", "write"]}))).await.unwrap();
    assert_eq!((plain.acr(), plain.amr(), plain.auth_time()), (None, vec![], None));
    assert_eq!(plain.scopes(), ["read", "write"]);
    assert!(plain.authorization_details().is_empty());
}
