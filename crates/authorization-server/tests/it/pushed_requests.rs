//! Pushed authorization requests.

use axum::body::Body;
use http::{Request, StatusCode, header};
use serde_json::json;

use crate::browser::{Browser, code};
use crate::world::{Answer, CHALLENGE, REDIRECT, World, details, encode, with};

async fn push(world: &World, others: &[(&str, &str)]) -> Answer {
    let usual = [
        ("client_id", "default_portal"),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    world.post_form("/oauth2/par", &with(&usual, others)).await
}

async fn open(world: &World, client_id: &str, request_uri: &str) -> Answer {
    let query = encode(&[("client_id", client_id), ("request_uri", request_uri)]);
    world.get(&format!("/oauth2/authorize?{query}")).await
}

#[tokio::test]
async fn a_request_uri_opens_the_pages_once() {
    let world = World::new().await;
    let details = details().to_string();
    let pushed = push(&world, &[("state", "pushed"), ("authorization_details", &details)]).await;
    assert_eq!(pushed.status, StatusCode::CREATED);
    assert_eq!(pushed.header(header::CACHE_CONTROL), "no-store");
    let body = pushed.json();
    assert_eq!(body["expires_in"], 300);
    let uri = body["request_uri"].as_str().unwrap();
    assert!(uri.starts_with("urn:ietf:params:oauth:request_uri:"));

    let mut browser = Browser::new(&world);
    // What stands beside a request URI is passed over.
    let query =
        encode(&[("client_id", "default_portal"), ("request_uri", uri), ("state", "other"), ("scope", "?")]);
    let answer = browser.get(&format!("/oauth2/authorize?{query}")).await;
    let page = browser.follow(&answer).await;
    let again = open(&world, "default_portal", uri).await;
    assert_eq!((again.status, again.header(header::LOCATION)), (StatusCode::BAD_REQUEST, ""));
    assert!(again.body.contains("<code>invalid_request_uri</code>"), "{}", again.body);

    let answer = browser.password(&page, "bob").await;
    let approval = browser.follow(&answer).await;
    let answer = browser.submit(&approval, &[("decision", "approve")]).await;
    assert_eq!(crate::browser::returned(&answer)["state"], "pushed");
    assert_eq!(world.redeem(&code(&answer)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_request_uri_is_its_clients_alone_and_expires() {
    let world = World::new().await;
    let body = push(&world, &[]).await.json();
    let uri = body["request_uri"].as_str().unwrap();
    let foreign = open(&world, "default_other", uri).await;
    assert_eq!(foreign.status, StatusCode::BAD_REQUEST);
    assert!(foreign.body.contains("invalid_request_uri"));
    for wrong in ["https://portal.example.com/request.jwt", "urn:ietf:params:oauth:request_uri:x", "x"] {
        assert!(open(&world, "default_portal", wrong).await.body.contains("invalid_request_uri"), "{wrong}");
    }
    world.advance(300);
    assert_eq!(open(&world, "default_portal", uri).await.status, StatusCode::BAD_REQUEST, "expired");
    assert_eq!(world.rows("interaction").await, 0);
    assert_eq!(world.refusals().await, json!({"authorize.request": 5}));
}

#[tokio::test]
async fn strangers_together_can_ask_only_so_often_in_a_clients_name() {
    let world = World::new().await;
    let query = encode(&[
        ("client_id", "default_portal"),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    let authorize = async |i: usize| {
        let request = Request::get(format!("/oauth2/authorize?{query}")).body(Body::empty()).unwrap();
        world.send_from(&format!("10.0.{}.{}:1", i / 100, i % 100), request).await
    };
    for i in 0..3000 {
        assert_eq!(authorize(i).await.status, StatusCode::SEE_OTHER);
    }
    let refused = authorize(3000).await;
    assert_eq!((refused.status, refused.header(header::RETRY_AFTER)), (StatusCode::TOO_MANY_REQUESTS, "1"));
    let pushed = push(&world, &[]).await;
    assert_eq!((pushed.status, pushed.header(header::RETRY_AFTER)), (StatusCode::TOO_MANY_REQUESTS, "1"));
    assert_eq!(push(&world, &[("client_id", "default_other")]).await.status, StatusCode::CREATED);
    world.advance(1);
    assert_eq!(push(&world, &[]).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn faults_are_told_when_pushing() {
    let world = World::new().await;
    for (name, value, expected) in [
        ("redirect_uri", "https://evil.example/", "invalid_request"),
        ("redirect_uri", "", "invalid_request"),
        ("response_type", "token", "unsupported_response_type"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
        ("scope", "admin", "invalid_scope"),
        ("resource", "https://elsewhere.example.com", "invalid_target"),
        ("authorization_details", "[]", "invalid_authorization_details"),
        (
            "authorization_details",
            r#"[{"type":"https://example.com/unknown"}]"#,
            "invalid_authorization_details",
        ),
        ("domain", "nowhere", "invalid_request"),
        ("acr_values", "urn:unheard-of", "unmet_authentication_requirements"),
        ("request_uri", "urn:x", "invalid_request"),
        ("request", "eyJ", "request_not_supported"),
    ] {
        let answer = push(&world, &[(name, value)]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name}={value}");
        assert_eq!(answer.json()["error"], expected, "{name}={value}");
    }
    assert_eq!(world.rows("pushed_request").await, 0);
    assert_eq!(world.refusals().await, json!({"par.request": 13}));
    let unknown = push(&world, &[("client_id", "default_nobody")]).await;
    assert_eq!(unknown.status, StatusCode::UNAUTHORIZED);
}
