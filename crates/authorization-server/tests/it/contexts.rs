//! Authentication contexts: which backend may ask for whom.

use axum::body::Body;
use http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::world::{
    Answer, BACKEND_SECRET, CHALLENGE, PORTAL_POST_SECRET, REDIRECT, RESOURCE, World, basic, details,
    json_request,
};

fn body(others: Value) -> Value {
    let mut body = json!({
        "client_id": "default_portal", "redirect_uri": REDIRECT, "state": "s",
        "code_challenge": CHALLENGE, "code_challenge_method": "S256", "resource": RESOURCE,
        "authorization_details": details(),
    });
    for (name, value) in others.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

async fn create_as(world: &World, authorization: &str, body: &Value) -> Answer {
    let mut request = json_request("/api/v1/authentication-contexts", body);
    request.headers_mut().insert(header::AUTHORIZATION, authorization.parse().unwrap());
    world.send(request).await
}

async fn create(world: &World, others: Value) -> Answer {
    create_as(world, &basic("default_signing-server", BACKEND_SECRET), &body(others)).await
}

async fn standing_as(world: &World, authorization: &str, id: &str) -> Answer {
    let request = Request::get(format!("/api/v1/authentication-contexts/{id}"))
        .header(header::AUTHORIZATION, authorization)
        .body(Body::empty())
        .unwrap();
    world.send(request).await
}

async fn standing(world: &World, id: &str) -> Value {
    standing_as(world, &basic("default_signing-server", BACKEND_SECRET), id).await.json()
}

#[tokio::test]
async fn a_context_is_made_and_its_end_can_be_seen() {
    let world = World::new().await;
    let made = create(&world, json!({"acr_values": "urn:x:password"})).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let made = made.json();
    let mut names: Vec<&str> = made.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["authorize_url", "expires_in", "id", "request_uri"]);
    let id = made["id"].as_str().unwrap();
    assert_eq!(standing(&world, id).await, json!({"id": id, "state": "pending", "expires_in": 300}));

    let mut browser = Browser::new(&world);
    let answer = browser.get(made["authorize_url"].as_str().unwrap()).await;
    let page = browser.follow(&answer).await;
    assert_eq!(standing(&world, id).await, json!({"id": id, "state": "pending", "expires_in": 900}));
    let answer = browser.password(&page, "bob").await;
    let approval = browser.follow(&answer).await;
    browser.submit(&approval, &[("decision", "deny")]).await;
    assert_eq!(standing(&world, id).await["state"], "denied");

    let other = create(&world, json!({})).await.json();
    world.advance(300);
    let expired = standing(&world, other["id"].as_str().unwrap()).await;
    assert_eq!((&expired["state"], &expired["expires_in"]), (&json!("expired"), &json!(0)));
}

#[tokio::test]
async fn a_backend_that_is_not_named_gets_none() {
    let world = World::new().await;
    // `other` does not list the backend, `nobody` does not exist: one answer.
    let expected = "400 {\"error\":\"unauthorized_client\",\"error_description\":\"client_id does not name a client \
                    that accepts contexts from this backend\"}";
    for client in ["default_other", "default_nobody"] {
        assert_eq!(create(&world, json!({"client_id": client})).await.short(), expected);
    }
    assert_eq!(world.rows("pushed_request").await, 0);
    assert_eq!(world.events().await, ["context.refused"; 2]);
    let (_, details) = world.audit().await.pop().unwrap();
    assert_eq!(
        details,
        json!({"client_id": "default_signing-server", "error": "unauthorized_client",
               "reason": "client_id does not name a client that accepts contexts from this backend"})
    );
}

#[tokio::test]
async fn a_backend_must_show_its_secret_in_the_header() {
    let world = World::new().await;
    for authorization in [
        basic("default_signing-server", "wrong"),
        basic("default_signing-server", ""),
        basic("default_nobody", BACKEND_SECRET),
        basic("default_portal", ""),
        basic("default_posting", PORTAL_POST_SECRET),
        format!("Bearer {BACKEND_SECRET}"),
    ] {
        let answer = create_as(&world, &authorization, &body(json!({}))).await;
        assert_eq!(
            answer.short(),
            r#"401 {"error":"invalid_client","error_description":"client authentication failed"}"#
        );
        assert_eq!(standing_as(&world, &authorization, "ctx_x").await.status, StatusCode::UNAUTHORIZED);
    }
    let answer = world.post_json("/api/v1/authentication-contexts", &body(json!({}))).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(world.rows("pushed_request").await, 0);
    assert_eq!(world.refusals().await, json!({"client.authentication": 13}));
}

#[tokio::test]
async fn faults_are_named() {
    let world = World::new().await;
    for (others, expected) in [
        (json!({"domain": "nowhere"}), "invalid_request: domain is not known here"),
        (
            json!({"redirect_uri": "https://evil.example/"}),
            "invalid_request: redirect_uri is not registered for this client",
        ),
        (json!({"redirect_uri": null}), "invalid_request: redirect_uri is missing"),
        (json!({"code_challenge_method": "plain"}), "invalid_request: code_challenge_method is not S256"),
        (json!({"code_challenge": null}), "invalid_request: code_challenge is missing"),
        (
            json!({"resource": "https://elsewhere.example.com"}),
            "invalid_target: the resource is not an audience of this client",
        ),
        (
            json!({"authorization_details": {}}),
            "invalid_authorization_details: authorization_details are not an array",
        ),
        (
            json!({"acr_values": ["urn:unheard-of"]}),
            "unmet_authentication_requirements: the level of assurance that was asked for cannot be reached",
        ),
        (json!({"unknown": 1}), "invalid_request: the body is not the JSON object that this endpoint takes"),
        (json!({"max_age": -1}), "invalid_request: the body is not the JSON object that this endpoint takes"),
    ] {
        let answer = create(&world, others.clone()).await;
        let body = answer.json();
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{others}");
        let text =
            format!("{}: {}", body["error"].as_str().unwrap(), body["error_description"].as_str().unwrap());
        assert_eq!(text, expected, "{others}");
    }
    assert_eq!(world.rows("pushed_request").await, 0);
    assert_eq!(world.events().await, ["context.refused"; 10]);
}

#[tokio::test]
async fn a_doubled_member_is_refused() {
    let world = World::new().await;
    let text = body(json!({})).to_string();
    for (once, twice) in
        [("\"label\":", "\"label\":\"other.md\",\"label\":"), ("\"state\":", "\"state\":\"x\",\"state\":")]
    {
        assert!(text.contains(once));
        let request = Request::post("/api/v1/authentication-contexts")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, basic("default_signing-server", BACKEND_SECRET))
            .body(Body::from(text.replace(once, twice)))
            .unwrap();
        assert_eq!(world.send(request).await.json()["error"], "invalid_request", "{twice}");
    }
    assert_eq!(world.rows("pushed_request").await, 0);
}

#[tokio::test]
async fn refusals_of_a_backend_do_not_fill_the_log() {
    let world = World::new().await;
    for _ in 0..100 {
        create(&world, json!({"client_id": "default_nobody"})).await;
    }
    assert_eq!(world.events().await, ["context.refused"; 60]);
    assert_eq!(world.refusals().await, json!({"context.request": 40}));
}

#[tokio::test]
async fn a_context_is_its_backends_alone() {
    let storage = sealwright_testkit::database::sqlite_storage();
    let second = "---
apiVersion: sealwright.dev/v1alpha1
kind: ClientRegistration
metadata: {name: second-backend}
spec:
  authServerSelector: {matchLabels: {env: test}}
  clientSecret: {file: backend.secret}
";
    let yaml = format!("{}{second}", crate::world::resources(&storage.yaml(), ""));
    let world = World::of(&yaml, storage).await;
    let made = create(&world, json!({})).await.json();
    let id = made["id"].as_str().unwrap();
    let other = standing_as(&world, &basic("default_second-backend", BACKEND_SECRET), id).await;
    assert_eq!(other.short(), r#"404 {"error":"not_found","error_description":"there is nothing here"}"#);
    assert_eq!(
        standing_as(&world, &basic("default_signing-server", BACKEND_SECRET), "ctx_no").await.status,
        404
    );
    assert_eq!(standing(&world, id).await["state"], "pending");
}

#[tokio::test]
async fn a_backend_can_ask_only_so_often() {
    let world = World::new().await;
    let answer = create(&world, json!({})).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    sqlx::query("UPDATE rate_window SET uses = 600").execute(world.server.database().writer()).await.unwrap();
    let answer = create(&world, json!({})).await;
    assert_eq!(
        answer.short(),
        r#"429 {"error":"temporarily_unavailable","error_description":"too many requests; try again later"}"#
    );
    assert_eq!(answer.header(header::RETRY_AFTER), "60");
}
