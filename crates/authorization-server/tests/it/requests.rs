//! Authorization requests that are refused: to the person where the client cannot be believed, else to the client.

use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use serde_json::json;

use crate::browser::{ASKED, Browser, code, error};
use crate::world::{ISSUER, World, encode, form, with};

/// Refused on a page, without any redirect.
async fn on_a_page(others: &[(&str, &str)]) -> String {
    let world = World::new().await;
    let answer = Browser::new(&world).authorize(others).await;
    assert_eq!(answer.header(header::LOCATION), "");
    assert_eq!(answer.header(header::SET_COOKIE), "");
    assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
    assert_eq!(world.rows("interaction").await, 0);
    assert_eq!(world.refusals().await, json!({"authorize.request": 1}));
    let detail = crate::browser::between(&answer.body, "<p class=\"detail\"><code>", "</p>");
    format!("{} {}", answer.status.as_u16(), detail.replace("</code><br>", ": "))
}

/// Refused to the client.
async fn to_the_client(others: &[(&str, &str)]) -> String {
    let world = World::new().await;
    let answer = Browser::new(&world).authorize(others).await;
    assert_eq!(world.rows("interaction").await, 0);
    assert_eq!(world.refusals().await, json!({"authorize.request": 1}));
    error(&answer)
}

#[tokio::test]
async fn an_unknown_client_gets_a_page() {
    let expected = "400 invalid_request: client_id is missing or unknown";
    assert_eq!(on_a_page(&[("client_id", "default_nobody")]).await, expected);
    assert_eq!(on_a_page(&[("client_id", "")]).await, expected);
}

#[tokio::test]
async fn an_unregistered_redirect_uri_gets_a_page() {
    let expected = "400 invalid_request: redirect_uri is not registered for this client";
    for uri in [
        "https://evil.example/callback",
        "http://127.0.0.1:9999/callback/../other",
        "http://127.0.0.1:9999/callback?x=1",
        "http://localhost:9999/callback",
        "https://portal.example.com/callback/",
        "https://portal.example.com:8443/callback",
    ] {
        assert_eq!(on_a_page(&[("redirect_uri", uri)]).await, expected, "{uri}");
    }
    assert_eq!(on_a_page(&[("redirect_uri", "")]).await, "400 invalid_request: redirect_uri is missing");
}

#[tokio::test]
async fn a_backend_has_no_people() {
    let refused = on_a_page(&[("client_id", "default_signing-server")]).await;
    assert_eq!(
        refused,
        "400 unauthorized_client: this client is not registered for the authorization code grant"
    );
}

#[tokio::test]
async fn a_parameter_twice_gets_a_page() {
    let world = World::new().await;
    let answer = world.get("/oauth2/authorize?client_id=default_portal&client_id=default_other").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.body.contains("a parameter stands there twice"));
}

#[tokio::test]
async fn plain_pkce_is_refused_and_so_is_none() {
    for others in [
        [("code_challenge_method", "plain"), ("x", "")],
        [("code_challenge_method", ""), ("x", "")],
        [("code_challenge", ""), ("code_challenge_method", "")],
        [("code_challenge", "too-short"), ("x", "")],
    ] {
        assert_eq!(to_the_client(&others).await, "invalid_request state=st-1", "{others:?}");
    }
}

#[tokio::test]
async fn what_is_not_offered_is_refused() {
    for (name, value, expected) in [
        ("response_type", "token", "unsupported_response_type state=st-1"),
        ("response_type", "code id_token", "unsupported_response_type state=st-1"),
        ("response_type", "", "invalid_request state=st-1"),
        ("response_mode", "fragment", "invalid_request state=st-1"),
        ("request", "eyJ.eyJ.x", "request_not_supported state=st-1"),
        ("prompt", "none", "login_required state=st-1"),
        ("prompt", "login none", "login_required state=st-1"),
        ("prompt", "create", "invalid_request state=st-1"),
        ("id_token_hint", "eyJ.eyJ.x", "invalid_request state=st-1"),
        ("scope", "admin", "invalid_scope state=st-1"),
        ("scope", "openid  roles", "invalid_scope state=st-1"),
        ("resource", "https://elsewhere.example.com", "invalid_target state=st-1"),
        ("domain", "nowhere", "invalid_request state=st-1"),
        ("acr_values", "urn:unheard-of", "unmet_authentication_requirements state=st-1"),
        ("max_age", "-1", "invalid_request state=st-1"),
        ("max_age", "99999999999999999999", "invalid_request state=st-1"),
        ("login_hint", "a\u{7}b", "invalid_request state=st-1"),
        ("authorization_details", "{}", "invalid_authorization_details state=st-1"),
        ("authorization_details", r#"[{"type":"x"}]"#, "invalid_authorization_details state=st-1"),
        ("state", "\u{7}", "invalid_request state=-"),
        ("state", "", "no error"),
    ] {
        if expected == "no error" {
            let world = World::new().await;
            let answer = Browser::new(&world).authorize(&[(name, value)]).await;
            assert!(
                answer.header(header::LOCATION).starts_with("/login?interaction="),
                "a state is not needed"
            );
        } else {
            assert_eq!(to_the_client(&[(name, value)]).await, expected, "{name}={value}");
        }
    }
}

#[tokio::test]
async fn who_asks_for_consent_gets_it() {
    let world = World::new().await;
    for (prompt, step) in
        [("consent", "approve"), ("login consent", "approve"), ("login", "none"), ("select_account", "none")]
    {
        let mut browser = Browser::new(&world);
        let page = browser.begin(&[("scope", "roles"), ("prompt", prompt)]).await;
        let mut answer = browser.password(&page, "bob").await;
        if step == "approve" {
            let approval = browser.follow(&answer).await;
            assert_eq!(approval.action, "/approve", "{prompt}");
            answer = browser.submit(&approval, &[("decision", "approve")]).await;
        }
        let code = code(&answer);
        assert_eq!(world.redeem(&code).await.status, StatusCode::OK, "{prompt}");
    }
}

#[tokio::test]
async fn a_request_may_come_as_a_form() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let answer = browser.send(form("/oauth2/authorize", &ASKED)).await;
    let page = browser.follow(&answer).await;
    let answer = browser.password(&page, "bob").await;
    assert_eq!(world.redeem(&code(&answer)).await.status, StatusCode::OK);

    let refused = with(&ASKED, &[("prompt", "none")]);
    let answer = browser.send(form("/oauth2/authorize", &refused)).await;
    assert_eq!(error(&answer), "login_required state=st-1");
}

#[tokio::test]
async fn a_form_is_read_as_strictly_as_an_address() {
    let world = World::new().await;
    let post = async |path: &str, kind: &str, body: String| {
        let request = Request::post(path).header(header::CONTENT_TYPE, kind).body(Body::from(body)).unwrap();
        let answer = world.send(request).await;
        assert_eq!(answer.header(header::CONTENT_TYPE), "text/html; charset=utf-8", "a person reads it");
        (answer.status.as_u16(), answer.body)
    };
    let (path, kind) = ("/oauth2/authorize", "application/x-www-form-urlencoded");
    let good = encode(&ASKED);
    for (path, kind, body, status, says) in [
        (path, kind, format!("{good}&state=st-2"), 400, "a parameter stands there twice"),
        (path, kind, format!("{good}&nonce=%zz"), 400, "not form-urlencoded"),
        (path, kind, good.replace("default_portal", "nobody"), 400, "client_id is missing or unknown"),
        (path, "application/json", good.clone(), 415, "media type"),
        (path, kind, format!("{good}&x={}", "x".repeat(64 * 1024)), 413, "larger than 64 KiB"),
        ("/oauth2/authorize?scope=openid", kind, good.clone(), 400, "in the form alone"),
    ] {
        let (found, page) = post(path, kind, body).await;
        assert_eq!(found, status, "{page}");
        assert!(page.contains(says), "{says} is not in {page}");
    }
    assert_eq!(world.rows("interaction").await, 0);
    assert_eq!(world.refusals().await, json!({"authorize.request": 6}));
}

#[tokio::test]
async fn a_loopback_redirect_may_have_any_port() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let page = browser.begin(&[("redirect_uri", "http://127.0.0.1:51234/callback")]).await;
    let answer = browser.password(&page, "bob").await;
    let location = answer.header(header::LOCATION);
    assert!(location.starts_with("http://127.0.0.1:51234/callback?code="), "{location}");
}

#[tokio::test]
async fn errors_name_the_issuer_and_keep_the_query_of_the_redirect() {
    let world = World::new().await;
    let answer = Browser::new(&world).authorize(&[("response_type", "token")]).await;
    assert_eq!(
        answer.header(header::LOCATION),
        "http://127.0.0.1:9999/callback?error=unsupported_response_type&error_description=the+response+type+is+not+\
         supported%3B+use+code&state=st-1&iss=http%3A%2F%2F127.0.0.1%3A8080"
    );
    assert_eq!(answer.header(header::REFERRER_POLICY), "no-referrer");
    assert!(answer.header(header::LOCATION).ends_with(&ISSUER.replace(':', "%3A").replace('/', "%2F")));
}

#[tokio::test]
async fn a_look_at_the_headers_changes_nothing() {
    let world = World::new().await;
    let request = Request::builder()
        .method(Method::HEAD)
        .uri("/oauth2/authorize?client_id=default_portal")
        .body(Body::empty())
        .unwrap();
    assert_eq!(world.send(request).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn one_address_can_begin_only_so_often() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    for _ in 0..300 {
        assert_eq!(browser.authorize(&[]).await.status, StatusCode::SEE_OTHER);
        browser.cookies.clear();
    }
    let answer = browser.authorize(&[]).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.header(header::RETRY_AFTER), "60");
    let mut elsewhere = Browser::from(&world, "198.51.100.7:1");
    assert_eq!(elsewhere.authorize(&[]).await.status, StatusCode::SEE_OTHER);
    world.advance(60);
    assert_eq!(browser.authorize(&[]).await.status, StatusCode::SEE_OTHER);
}
