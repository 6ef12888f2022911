//! The token endpoint: every wrong way to redeem a code.

use std::time::Duration;

use http::{StatusCode, header};
use serde_json::json;

use crate::browser::Browser;
use crate::world::{PORTAL_POST_SECRET, REDIRECT, VERIFIER, World, basic, claims, form, json_request};

const INVALID_GRANT: &str = "400 {\"error\":\"invalid_grant\",\"error_description\":\"the code is unknown, used or \
                             expired, or it does not belong to this client, redirect URI and verifier\"}";
const INVALID_CLIENT: &str =
    "401 {\"error\":\"invalid_client\",\"error_description\":\"client authentication failed\"}";

async fn with_code() -> (World, String) {
    let world = World::new().await;
    let code = Browser::new(&world).code_for_bob(&[]).await;
    (world, code)
}

/// Nothing was issued.
async fn nothing_issued(world: &World) {
    assert!(!world.events().await.contains(&"token.issued".to_owned()));
}

#[tokio::test]
async fn a_code_is_redeemed_once_and_its_replay_names_the_token() {
    let (world, code) = with_code().await;
    let first = world.redeem(&code).await;
    assert_eq!(first.status, StatusCode::OK);
    let jti = claims(first.json()["access_token"].as_str().unwrap())["jti"].clone();
    for _ in 0..2 {
        let again = world.redeem(&code).await;
        assert_eq!(again.short(), INVALID_GRANT);
        assert_eq!(again.header(header::CACHE_CONTROL), "no-store");
    }
    // The first replay is an entry; more of them are only counted.
    assert_eq!(
        world.events().await,
        ["authentication.succeeded", "code.issued", "token.issued", "code.replayed"]
    );
    let (_, replay) = world.audit().await.pop().unwrap();
    let expected = json!({"client_id": "default_portal", "presented_by": "default_portal", "jti": jti});
    assert_eq!(replay, expected);
    assert_eq!(world.refusals().await, json!({"token.grant": 1}));
}

#[tokio::test]
async fn two_redemptions_at_once_give_one_token() {
    let (world, code) = with_code().await;
    let (one, two) = tokio::join!(world.redeem(&code), world.redeem(&code));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [StatusCode::OK, StatusCode::BAD_REQUEST]);
    let issued = world.events().await.iter().filter(|event| *event == "token.issued").count();
    assert_eq!(issued, 1);
}

#[tokio::test]
async fn another_clients_code_is_no_grant_and_stays_whole() {
    let (world, code) = with_code().await;
    let answer = world.redeem_with(&[("code", &code), ("client_id", "default_other")]).await;
    assert_eq!(answer.short(), INVALID_GRANT);
    nothing_issued(&world).await;
    assert_eq!(world.refusals().await, json!({"token.grant": 1}));
    assert_eq!(world.redeem(&code).await.status, StatusCode::OK, "its own client is not harmed");
}

#[tokio::test]
async fn a_wrong_verifier_or_redirect_uri_uses_the_code_up() {
    let wrong = VERIFIER.replace('d', "e");
    for (name, value) in [
        ("code_verifier", wrong.as_str()),
        ("redirect_uri", "https://portal.example.com/callback"),
        ("redirect_uri", "http://127.0.0.1:9998/callback"),
    ] {
        let (world, code) = with_code().await;
        let answer = world.redeem_with(&[("code", &code), (name, value)]).await;
        assert_eq!(answer.short(), INVALID_GRANT, "{name}");
        assert_eq!(world.redeem(&code).await.short(), INVALID_GRANT, "{name}: it was seen by others");
        nothing_issued(&world).await;
        let audit = world.audit().await;
        let (_, refused) = audit.iter().find(|(event, _)| event == "code.refused").unwrap();
        assert_eq!(refused, &json!({"client_id": "default_portal", "reason": name}));
    }
}

#[tokio::test]
async fn an_expired_or_unknown_code_is_no_grant() {
    let (world, code) = with_code().await;
    world.advance(60);
    assert_eq!(world.redeem(&code).await.short(), INVALID_GRANT);
    assert_eq!(world.redeem(&"A".repeat(43)).await.short(), INVALID_GRANT);
    assert_eq!(world.redeem("short").await.short(), INVALID_GRANT);
    nothing_issued(&world).await;
    assert_eq!(world.refusals().await, json!({"token.grant": 3}));
}

#[tokio::test]
async fn an_unknown_code_and_an_old_replay_write_nothing() {
    let (world, code) = with_code().await;
    assert_eq!(world.redeem(&code).await.status, StatusCode::OK);
    assert_eq!(world.redeem(&code).await.short(), INVALID_GRANT, "the first replay is noted");
    // SQLite's one writer is taken, so who wants to write waits.
    let writing = world.server.database().begin_write().await.unwrap();
    for code in ["A".repeat(43), code] {
        let answer = tokio::time::timeout(Duration::from_secs(9), world.redeem(&code)).await;
        assert_eq!(answer.expect("nothing is written").short(), INVALID_GRANT);
    }
    drop(writing);
}

#[tokio::test]
async fn missing_and_malformed_parameters_are_named() {
    let (world, code) = with_code().await;
    let refused = async |others: &[(&str, &str)]| {
        let mut fields = vec![("code", code.as_str())];
        fields.retain(|(name, _)| !others.iter().any(|(n, _)| n == name));
        fields.extend(others);
        let answer = world.redeem_with(&fields).await;
        let body = answer.json();
        format!(
            "{} {}: {}",
            answer.status.as_u16(),
            body["error"].as_str().unwrap(),
            body["error_description"].as_str().unwrap()
        )
    };
    for (name, value, expected) in [
        ("grant_type", "", "400 invalid_request: grant_type is missing"),
        ("grant_type", "password", "400 unsupported_grant_type: the grant type is not supported"),
        (
            "grant_type",
            "client_credentials",
            "400 unauthorized_client: this client is not registered for the client credentials grant",
        ),
        ("code", "", "400 invalid_request: code is missing"),
        ("redirect_uri", "", "400 invalid_request: redirect_uri is missing"),
        ("code_verifier", "", "400 invalid_request: code_verifier is missing"),
        ("code_verifier", "short", "400 invalid_request: code_verifier is malformed"),
        ("scope", "openid", "400 invalid_request: what a code gives cannot be narrowed here"),
        ("client_id", "", "401 invalid_client: client authentication failed"),
        ("client_id", "default_nobody", "401 invalid_client: client authentication failed"),
    ] {
        assert_eq!(refused(&[(name, value)]).await, expected, "{name}={value}");
    }
    nothing_issued(&world).await;
    assert_eq!(world.redeem(&code).await.status, StatusCode::OK, "none of these used the code up");
}

#[tokio::test]
async fn another_resource_than_the_one_granted_is_no_target() {
    let (world, code) = with_code().await;
    let answer = world.redeem_with(&[("code", &code), ("resource", "https://other.example.com")]).await;
    assert_eq!(answer.json()["error"], "invalid_target");
    nothing_issued(&world).await;
    let (event, details) = world.audit().await.pop().unwrap();
    assert_eq!(event, "code.refused", "the code is used up, and that is told");
    assert_eq!(details, json!({"client_id": "default_portal", "reason": "resource"}));
}

#[tokio::test]
async fn a_client_with_a_secret_is_named_when_it_is_refused() {
    let world = World::new().await;
    let client = [("client_id", "default_posting"), ("client_secret", PORTAL_POST_SECRET)];
    let token = crate::world::with(&client, &[("grant_type", "password")]);
    let refused = world.post_form("/oauth2/token", &token).await;
    assert_eq!(refused.json()["error"], "unsupported_grant_type");
    let pushed = crate::world::with(&client, &[("redirect_uri", "https://evil.example/")]);
    let refused = world.post_form("/oauth2/par", &pushed).await;
    assert_eq!(refused.json()["error"], "invalid_request");

    let audit = world.audit().await;
    let entries: Vec<_> = audit.iter().filter(|(event, _)| event == "request.refused").collect();
    assert_eq!(entries.len(), 2);
    assert_eq!(
        entries[0].1,
        json!({"client_id": "default_posting", "error": "unsupported_grant_type",
               "reason": "the grant type is not supported"})
    );
    assert_eq!(
        entries[1].1,
        json!({"client_id": "default_posting", "error": "invalid_request",
               "reason": "redirect_uri is not registered for this client"})
    );
    // A public client is anybody.
    world.post_form("/oauth2/token", &[("client_id", "default_portal"), ("grant_type", "password")]).await;
    assert_eq!(world.refusals().await, json!({"token.request": 1}));
}

#[tokio::test]
async fn only_forms_are_read() {
    let world = World::new().await;
    let answer =
        world.send(json_request("/oauth2/token", &json!({"grant_type": "authorization_code"}))).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let twice = "grant_type=authorization_code&grant_type=authorization_code";
    let request = http::Request::post("/oauth2/token")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(twice.into())
        .unwrap();
    let answer = world.send(request).await;
    assert_eq!(
        answer.short(),
        r#"400 {"error":"invalid_request","error_description":"a parameter stands there twice"}"#
    );
}

#[tokio::test]
async fn a_client_authenticates_as_it_is_registered_and_in_no_other_way() {
    let world = World::new().await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", "A"),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let send = async |others: &[(&str, &str)], authorization: Option<String>| {
        let mut request = form("/oauth2/token", &crate::world::with(&fields, others));
        if let Some(value) = authorization {
            request.headers_mut().insert(header::AUTHORIZATION, value.parse().unwrap());
        }
        world.send(request).await
    };
    let posting = [("client_id", "default_posting"), ("client_secret", PORTAL_POST_SECRET)];
    assert_eq!(send(&posting, None).await.short(), INVALID_GRANT, "authenticated");

    let wrong = [("client_id", "default_posting"), ("client_secret", "wrong")];
    let unauthorized = send(&wrong, None).await;
    assert_eq!(unauthorized.short(), INVALID_CLIENT);
    assert_eq!(unauthorized.header(header::WWW_AUTHENTICATE), "Basic realm=\"sealwright\"");
    assert_eq!(send(&[("client_id", "default_posting")], None).await.short(), INVALID_CLIENT);
    let by_header = Some(basic("default_posting", PORTAL_POST_SECRET));
    assert_eq!(send(&[], by_header.clone()).await.short(), INVALID_CLIENT);
    // A public client is not believed with a secret, nor a confidential one without.
    let public = [("client_id", "default_portal"), ("client_secret", "x")];
    assert_eq!(send(&public, None).await.short(), INVALID_CLIENT);
    assert_eq!(send(&[], Some("Bearer x".into())).await.short(), INVALID_CLIENT);
    assert_eq!(send(&posting, by_header.clone()).await.json()["error"], "invalid_request");
    assert_eq!(send(&[("client_id", "default_portal")], by_header).await.json()["error"], "invalid_request");
    assert_eq!(world.refusals().await["client.authentication"], 4);
}
