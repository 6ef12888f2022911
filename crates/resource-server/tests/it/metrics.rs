//! What is counted, as Prometheus reads it.

use crate::support::*;
use prometheus_client::{encoding::text::encode, registry::Registry};
use sealwright_jose::Alg;
use sealwright_resource_server::{
    Authenticator, IssuerConfig, JwksOptions, Requirements, Revocation, Token, TokenError, VerifiedTokens,
};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

fn scrape(authenticator: &Authenticator) -> String {
    let mut registry = Registry::with_prefix("api");
    authenticator.register_metrics(&mut registry);
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    text
}

/// The lines that are no description and not zero.
fn counted(text: &str) -> String {
    let line = |line: &&str| !line.starts_with('#') && !line.ends_with(" 0");
    let mut lines: Vec<_> = text.lines().filter(line).collect();
    lines.sort_unstable();
    lines.join("\n")
}

#[tokio::test]
async fn decisions_are_counted_once_through_every_door() {
    let authenticator = builder(terms()).clock(|| NOW).build().unwrap();
    let (token, forged) = (good(), forge(&header().to_string(), &claims().to_string(), &STRANGER));
    for (_, router) in doors(&authenticator) {
        ask(router.clone(), "/hello", bearer(&token)).await;
        ask(router.clone(), "/hello", bearer(&forged)).await;
        // What is no token at all is none that was missed.
        ask(router.clone(), "/hello", bearer(&format!("{token} {token}"))).await;
        ask(router, "/hello", http::HeaderMap::new()).await;
    }
    let doors = doors(&authenticator).len();
    let text = scrape(&authenticator);
    for (line, times) in [
        ("api_requests_accepted_total", doors),
        ("api_requests_refused_total{code=\"signature_invalid\"}", doors),
        ("api_requests_refused_total{code=\"request_malformed\"}", doors),
        ("api_requests_refused_total{code=\"token_missing\"}", doors),
        ("api_verified_tokens_hits_total", doors - 1),
        ("api_verified_tokens_misses_total", doors + 1),
        ("api_verified_tokens", 1),
    ] {
        assert!(text.contains(&format!("\n{line} {times}\n")), "{line} {times}\n{text}");
    }
}

#[tokio::test]
async fn every_reason_is_there_before_it_happens() {
    let text = scrape(&trusting(terms()));
    let requirements = ["scope_insufficient", "access_denied", "assurance_insufficient"];
    for code in TokenError::ALL.iter().map(TokenError::code).chain(requirements) {
        let line = format!("api_requests_refused_total{{code=\"{code}\"}} 0\n");
        assert!(text.contains(&line), "{line}{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn what_is_refused_further_in_is_counted_there() {
    #[derive(serde::Deserialize)]
    struct Claims {
        #[serde(rename = "tenant")]
        _tenant: u32,
    }
    let authenticator = trusting(terms());
    let api = axum::Router::new()
        .route("/hello", axum::routing::get(async |_: Token<Claims>| "hello"))
        .with_state(authenticator.clone());
    assert!(ask(api, "/hello", bearer(&good())).await.starts_with("401"));
    let passed = authenticator.authenticate_token(&good(), NOW).await.unwrap();
    authenticator.check(&passed, &Requirements::none().scopes(["write"])).unwrap_err();
    authenticator.check(&passed, &Requirements::none()).unwrap();
    let _ = authenticator.refuse(TokenError::Revoked);
    let text = scrape(&authenticator);
    for line in [
        "api_requests_accepted_total 2",
        "api_requests_refused_total{code=\"claims_malformed\"} 1",
        "api_requests_refused_total{code=\"scope_insufficient\"} 1",
        "api_requests_refused_total{code=\"token_revoked\"} 1",
    ] {
        assert!(text.contains(&format!("\n{line}\n")), "{line}\n{text}");
    }
}

#[tokio::test]
async fn the_exposition_is_as_documented() {
    let source = Source::start(Answer::Ok(jwk_set(&[&K1, &K2]))).await;
    let authenticator = builder(source.terms())
        .verified_tokens(VerifiedTokens::entries(10).bytes(100_000))
        .clock(|| NOW)
        .build()
        .unwrap();
    let token = token(json!({}), json!({"scope": "read"}));
    let parts = || {
        let request = http::Request::get("/").header("authorization", format!("Bearer {token}"));
        request.body(()).unwrap().into_parts().0
    };
    let passed = authenticator.authorize(&parts()).await.unwrap();
    let write = Requirements::none().scopes(["write"]);
    authenticator.authorize_for(&parts(), &write).await.unwrap_err();
    authenticator.revoke(Revocation::of_token(&passed)).unwrap();
    authenticator.authorize(&parts()).await.unwrap_err();
    let text = scrape(&authenticator);
    let age = text.lines().find(|line| line.starts_with("api_key_set_age_seconds{")).unwrap();
    let stable = counted(&text).replace(age, "api_key_set_age_seconds{issuer=\"https://id.example.com\"} …");
    insta::assert_snapshot!(stable, @r#"
    api_key_set_age_seconds{issuer="https://id.example.com"} …
    api_key_set_fetches_total{issuer="https://id.example.com",outcome="changed"} 1
    api_key_set_usable_keys{issuer="https://id.example.com"} 2
    api_requests_accepted_total 1
    api_requests_refused_total{code="scope_insufficient"} 1
    api_requests_refused_total{code="token_revoked"} 1
    api_revoked_tokens 1
    api_verified_tokens_hits_total 1
    api_verified_tokens_misses_total 2
    "#);
    // An explanation is no request.
    authenticator.explain_token(&token, NOW).await;
    assert_eq!(counted(&scrape(&authenticator)).lines().count(), stable.lines().count());
    for (name, kind) in
        [("requests_accepted", "counter"), ("verified_tokens", "gauge"), ("key_set_age_seconds", "gauge")]
    {
        assert!(text.contains(&format!("# TYPE api_{name} {kind}\n")), "{text}");
    }
}

/// Where the metadata is missing no key set is fetched, so that none fails: what is down must show nevertheless.
#[tokio::test]
async fn metadata_that_is_down_is_counted_and_so_is_its_return() {
    let source =
        Source::start(Answer::Raw("HTTP/1.1 503 \r\nConnection: close\r\nContent-Length: 0\r\n\r\n".into()))
            .await;
    let issuer = source.uri();
    let terms = IssuerConfig::new(&issuer, AUDIENCE).discovery([Alg::Es256]);
    // Each request that finds nothing may ask again at once.
    let options = JwksOptions { cooldown: Duration::ZERO, background: false, ..loopback() };
    let authenticator = Authenticator::builder().issuer(terms).jwks(options).clock(|| NOW).build().unwrap();
    let token = token(json!({}), json!({"iss": issuer}));
    for (_, router) in doors(&authenticator) {
        assert!(ask(router, "/hello", bearer(&token)).await.starts_with("503\n"));
    }
    let failed = source.requests();
    let text = scrape(&authenticator);
    for line in [
        format!("api_key_set_failures{{issuer=\"{issuer}\"}} 0"),
        format!("api_key_set_fetches_total{{issuer=\"{issuer}\",outcome=\"failed\"}} 0"),
        format!("api_issuer_metadata_failures{{issuer=\"{issuer}\"}} {failed}"),
        format!("api_issuer_metadata_fetches_total{{issuer=\"{issuer}\",outcome=\"failed\"}} {failed}"),
        format!("api_issuer_metadata_fetches_total{{issuer=\"{issuer}\",outcome=\"changed\"}} 0"),
    ] {
        assert!(failed > 0 && text.contains(&format!("\n{line}\n")), "{line}\n{text}");
    }
    assert!(!text.contains("\napi_issuer_metadata_age_seconds{"), "there is none\n{text}");

    // One document that is both, so that the issuer and its keys are where they say.
    let mut both: serde_json::Value = serde_json::from_str(&jwk_set(&[&K1])).unwrap();
    both["issuer"] = json!(issuer);
    both["jwks_uri"] = json!(issuer);
    source.answer(Answer::Ok(both.to_string()));
    authenticator.authenticate_token(&token, NOW).await.unwrap();
    let text = scrape(&authenticator);
    for line in [
        format!("api_issuer_metadata_failures{{issuer=\"{issuer}\"}} 0"),
        format!("api_issuer_metadata_fetches_total{{issuer=\"{issuer}\",outcome=\"changed\"}} 1"),
        format!("api_key_set_fetches_total{{issuer=\"{issuer}\",outcome=\"changed\"}} 1"),
        format!("api_key_set_usable_keys{{issuer=\"{issuer}\"}} 1"),
    ] {
        assert!(text.contains(&format!("\n{line}\n")), "{line}\n{text}");
    }
    assert!(text.contains("\napi_issuer_metadata_age_seconds{"), "{text}");
    // Of an issuer that is not discovered there is nothing to say.
    assert!(!scrape(&trusting(crate::support::terms())).contains("api_issuer_metadata_failures{"));
}

#[tokio::test]
async fn an_authenticator_that_is_replaced_is_gone_and_the_new_one_stands_there_once() {
    let mut registry = Registry::with_prefix("api");
    let kept = Arc::new(());
    let clock = Arc::clone(&kept);
    let old = builder(terms())
        .clock(move || {
            let _held = &clock;
            NOW
        })
        .build()
        .unwrap();
    old.register_metrics(&mut registry);
    old.authenticate_token(&good(), NOW).await.unwrap();
    drop(old);
    assert_eq!(Arc::strong_count(&kept), 1, "the registry keeps nothing of it");
    let new = trusting(terms());
    new.register_metrics(&mut registry);
    new.authenticate_token("a.b.c", NOW).await.unwrap_err();
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    assert_eq!(text.matches("# TYPE api_requests_accepted counter\n").count(), 1, "{text}");
    assert_eq!(text.matches("# TYPE api_verified_tokens gauge\n").count(), 1, "{text}");
    assert!(text.contains("\napi_requests_accepted_total 0\n"), "{text}");
    assert!(text.contains("api_requests_refused_total{code=\"token_malformed\"} 1\n"), "{text}");
}

#[tokio::test]
async fn revocations_of_tokens_that_have_expired_are_not_counted() {
    let now = Arc::new(AtomicI64::new(NOW));
    let clock = Arc::clone(&now);
    let authenticator = builder(terms()).clock(move || clock.load(Ordering::SeqCst)).build().unwrap();
    authenticator.revoke(Revocation::of_jti(ISSUER, "t-1", NOW + 10)).unwrap();
    for (after_s, count) in [(0, 1), (69, 1), (70, 0)] {
        now.store(NOW + after_s, Ordering::SeqCst);
        assert!(scrape(&authenticator).contains(&format!("\napi_revoked_tokens {count}\n")), "{after_s}");
    }
}
