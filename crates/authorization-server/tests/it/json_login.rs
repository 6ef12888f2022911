//! Login over JSON: off, on, with a second factor, throttled.

use http::{StatusCode, header};
use serde_json::{Value, json};

use crate::browser::{Browser, code};
use crate::world::{Answer, PASSWORD, RESOURCE, World, claims, totp};

const ON: &str = "  features: {jsonLogin: {client: default_portal}}";

async fn login(world: &World, username: &str, password: &str) -> Answer {
    world.post_json("/api/v1/auth", &json!({"userName": username, "password": password})).await
}

async fn mfa(world: &World, continuation: &Value, code: &str) -> Answer {
    world.post_json("/api/v1/auth/mfa", &json!({"continuation": continuation, "code": code})).await
}

#[tokio::test]
async fn it_is_not_there_unless_enabled() {
    let world = World::new().await;
    let nothing = r#"404 {"error":"not_found","error_description":"there is nothing here"}"#;
    assert_eq!(login(&world, "bob", PASSWORD).await.short(), nothing);
    assert_eq!(mfa(&world, &json!("x"), "000000").await.short(), nothing);
    assert_eq!(world.events().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_password_gives_a_token() {
    let world = World::with(ON).await;
    let answer = login(&world, "bob", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
    let body = answer.json();
    assert_eq!(body.as_object().unwrap().len(), 1);
    let claims = claims(body["jwt"].as_str().unwrap());
    assert_eq!(
        (&claims["aud"], &claims["amr"], &claims["acr"]),
        (&json!(RESOURCE), &json!(["pwd"]), &json!("urn:x:password"))
    );

    let form = [("userName", "bob"), ("password", PASSWORD)];
    assert_eq!(world.post_form("/api/v1/auth", &form).await.status, StatusCode::OK);
    assert_eq!(world.events().await, ["authentication.succeeded", "token.issued"].repeat(2));
}

#[tokio::test]
async fn wrong_credentials_are_one_answer() {
    let world = World::with(ON).await;
    let expected =
        r#"401 {"error":"invalid_credentials","error_description":"the user name or the password is wrong"}"#;
    for (username, password) in [("bob", "wrong"), ("nobody", PASSWORD), ("alice", "wrong"), ("bob", "")] {
        assert_eq!(login(&world, username, password).await.short(), expected, "{username}");
    }
    assert_eq!(world.refusals().await, json!({"login.password": 4}));
}

#[tokio::test]
async fn malformed_bodies_are_refused_without_repeating_them() {
    let world = World::with(ON).await;
    for body in [json!({"userName": "bob"}), json!({"userName": "bob", "password": 1_234_567}), json!([])] {
        let answer = world.post_json("/api/v1/auth", &body).await;
        assert_eq!(
            answer.short(),
            r#"400 {"error":"invalid_request","error_description":"the body is not the JSON object that this endpoint takes"}"#
        );
    }
}

#[tokio::test]
async fn who_has_a_second_factor_must_show_it() {
    let world = World::with(ON).await;
    let answer = login(&world, "alice", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let body = answer.json();
    assert_eq!((&body["error"], &body["expires_in"]), (&json!("mfa_required"), &json!(300)));
    assert_eq!(body.as_object().unwrap().len(), 3);
    let continuation = &body["continuation"];

    let wrong = mfa(&world, continuation, "000000").await;
    let expected =
        r#"401 {"error":"invalid_code","error_description":"the code is wrong or was used before"}"#;
    assert_eq!(wrong.short(), expected);
    let right = mfa(&world, continuation, &totp(0)).await;
    assert_eq!(right.status, StatusCode::OK, "{}", right.body);
    let claims = claims(right.json()["jwt"].as_str().unwrap());
    assert_eq!((&claims["amr"], &claims["acr"]), (&json!(["pwd", "otp", "mfa"]), &json!("urn:x:mfa")));

    let gone = r#"401 {"error":"invalid_continuation","error_description":"the continuation is unknown, used or expired; log in again"}"#;
    assert_eq!(mfa(&world, continuation, &totp(1)).await.short(), gone, "used");
    assert_eq!(mfa(&world, &json!("x"), &totp(1)).await.short(), gone, "unknown");
    assert_eq!(world.events().await, ["authentication.failed", "authentication.succeeded", "token.issued"]);
    assert_eq!(world.refusals().await, json!({"login.continuation": 2}));
}

#[tokio::test]
async fn a_continuation_expires() {
    let world = World::with(ON).await;
    let body = login(&world, "alice", PASSWORD).await.json();
    world.advance(300);
    assert_eq!(mfa(&world, &body["continuation"], &totp(10)).await.json()["error"], "invalid_continuation");
}

#[tokio::test]
async fn a_code_used_on_the_pages_is_used_here_too() {
    let world = World::with(ON).await;
    let mut browser = Browser::new(&world);
    let page = browser.begin(&[]).await;
    let answer = browser.password(&page, "alice").await;
    let second = browser.follow(&answer).await;
    code(&browser.submit(&second, &[("code", &totp(0))]).await);

    let body = login(&world, "alice", PASSWORD).await.json();
    assert_eq!(mfa(&world, &body["continuation"], &totp(0)).await.json()["error"], "invalid_code");
}

#[tokio::test]
async fn codes_cannot_be_guessed() {
    let world = World::with(ON).await;
    let body = login(&world, "alice", PASSWORD).await.json();
    for _ in 0..5 {
        assert_eq!(mfa(&world, &body["continuation"], "000000").await.json()["error"], "invalid_code");
    }
    assert_eq!(mfa(&world, &body["continuation"], &totp(0)).await.json()["error"], "invalid_continuation");
    let body = login(&world, "alice", PASSWORD).await.json();
    let answer = mfa(&world, &body["continuation"], &totp(0)).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.json()["error"], "too_many_attempts");
    assert_eq!(answer.header(header::RETRY_AFTER), "1");
}

#[tokio::test]
async fn an_array_is_no_body() {
    let world = World::with("  features: {jsonLogin: {client: default_portal}}").await;
    let answer = world.post_json("/api/v1/auth", &json!(["bob", PASSWORD])).await;
    assert_eq!(
        answer.short(),
        "400 {\"error\":\"invalid_request\",\"error_description\":\"the body is not the JSON object that this \
         endpoint takes\"}"
    );
}
