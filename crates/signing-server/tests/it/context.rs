//! The first request, without a token: what to ask for, and where the user signs in.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use axum::{Json, Router, extract::State, response::IntoResponse, routing::post};
use http::{HeaderMap, StatusCode};
use insta::assert_snapshot;
use sealwright_testkit::database::sqlite_storage;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{DOCUMENT, MFA, PUBLIC_URL, World, json_body, sha256_base64, show};

/// An endpoint for contexts that remembers what it was asked, and answers as it was told.
#[derive(Clone)]
struct Contexts {
    asked: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
    answer: Arc<Mutex<(StatusCode, Value)>>,
}

impl Contexts {
    async fn start() -> (Self, String) {
        let good = json!({
            "id": "ctx_1",
            "request_uri": "urn:ietf:params:oauth:request_uri:abc",
            "expires_in": 300,
            "authorize_url": "http://127.0.0.1:8080/oauth2/authorize?client_id=default_portal&request_uri=abc",
        });
        let contexts =
            Self { asked: Arc::default(), answer: Arc::new(Mutex::new((StatusCode::CREATED, good))) };
        let router =
            Router::new().route("/api/v1/authentication-contexts", post(answer)).with_state(contexts.clone());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let uri = format!("http://{}/api/v1/authentication-contexts", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (contexts, uri)
    }

    fn answer_with(&self, status: StatusCode, body: Value) {
        *self.answer.lock().unwrap() = (status, body);
    }

    fn asked(&self) -> Vec<(HeaderMap, Value)> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(
    State(contexts): State<Contexts>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> impl IntoResponse {
    contexts.asked.lock().unwrap().push((headers, body));
    let (status, body) = contexts.answer.lock().unwrap().clone();
    (status, [("location", "http://127.0.0.1:1/elsewhere")], Json(body))
}

async fn world(uri: &str) -> World {
    world_behind("[]", uri).await
}

async fn world_behind(proxies: &str, uri: &str) -> World {
    let storage = sqlite_storage();
    std::fs::write(storage.dir().join("backend.secret"), "s3cret&more").unwrap();
    World::start_with(storage, |text, _| {
        let contexts = format!(
            "  authenticationContexts: {{uri: {uri}, clientID: default_signing-server, clientSecret: {{file: backend.secret}}}}\n"
        );
        let text =
            text.replace("  maxBodyBytes", &format!("  trustedProxies: {proxies}\n  maxBodyBytes"));
        text.replace("  maxTokenAge: 600s\n", &format!("  maxTokenAge: 600s\n{contexts}"))
    })
    .await
}

fn question(authentication: &Value) -> Value {
    json!({
        "input": {"digest": {"alg": "SHA-256", "value": sha256_base64(DOCUMENT)}},
        "filename": "contract.md",
        "authentication": authentication,
    })
}

fn authentication() -> Value {
    json!({
        "client_id": "default_portal", "redirect_uri": "http://127.0.0.1:9999/callback", "state": "xyz",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256",
        "domain": "staff", "login_hint": "alice",
    })
}

#[tokio::test]
async fn without_a_token_the_answer_says_what_to_ask_for() {
    let world = World::start().await;
    let response = world.post("/v1/workers/contracts/sign").json(&json_body(DOCUMENT)).send().await.unwrap();
    assert_snapshot!(show(response).await, @r#"
    401
    www-authenticate: Bearer resource_metadata="http://127.0.0.1:8081/.well-known/oauth-protected-resource"
    content-type: application/problem+json
    cache-control: no-store
    {
      "acr_values": [
        "urn:sealwright:acr:mfa"
      ],
      "authorization_details": [
        {
          "credentialID": "contracts",
          "documentDigests": [
            {
              "hash": "xgmz0sS/QkzMd1d4ScCJAcEuAi17LrH81lzxUviujzM=",
              "hashType": "SDR",
              "label": "contract.md",
              "size": 39
            }
          ],
          "hashAlgorithmOID": "2.16.840.1.101.3.4.2.1",
          "locations": [
            "http://127.0.0.1:8081"
          ],
          "numSignatures": 1,
          "type": "https://cloudsignatureconsortium.org/2025/credential"
        }
      ],
      "code": "token_missing",
      "max_age": 300,
      "resource": "http://127.0.0.1:8081",
      "status": 401,
      "title": "An access token is needed",
      "type": "https://sealwright.dev/problems/token_missing"
    }
    "#);
    world.recorded().await.assert_nothing_signed();
}

#[tokio::test]
async fn what_is_asked_for_opens_the_door() {
    let world = World::start().await;
    let body = json_body(DOCUMENT);
    let challenge: Value =
        world.post("/v1/workers/contracts/sign").json(&body).send().await.unwrap().json().await.unwrap();
    let mut claims = world.claims("contracts", b"");
    claims["authorization_details"] = challenge["authorization_details"].clone();
    claims["aud"] = challenge["resource"].clone();
    claims["acr"] = challenge["acr_values"][0].clone();
    let response = world.sign(&world.issuer.token(claims)).send().await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn a_context_is_asked_for_in_the_clients_name() {
    let (contexts, uri) = Contexts::start().await;
    let world = world(&uri).await;
    let response =
        world.post("/v1/workers/contracts/sign").json(&question(&authentication())).send().await.unwrap();
    assert_eq!(response.status(), 401);
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["code"], "token_missing");
    assert_eq!(
        problem["context"],
        json!({
            "id": "ctx_1", "request_uri": "urn:ietf:params:oauth:request_uri:abc", "expires_in": 300,
            "authorize_url": "http://127.0.0.1:8080/oauth2/authorize?client_id=default_portal&request_uri=abc",
        })
    );
    let asked = contexts.asked();
    let [(headers, body)] = &asked[..] else { panic!("asked once") };
    // RFC 6749 §2.3.1: form-encoded before it is base64.
    let credentials = base64_simd::STANDARD.encode_to_string("default_signing-server:s3cret%26more");
    assert_eq!(headers["authorization"], format!("Basic {credentials}"));
    let mut expected = authentication();
    expected.as_object_mut().unwrap().extend(
        json!({
            "acr_values": [MFA], "max_age": 300, "resource": PUBLIC_URL,
            "authorization_details": problem["authorization_details"],
        })
        .as_object()
        .unwrap()
        .clone(),
    );
    assert_eq!(*body, expected);
}

#[tokio::test]
async fn a_refusal_by_the_authorization_server_is_passed_on_as_a_code() {
    let (contexts, uri) = Contexts::start().await;
    let world = world(&uri).await;
    let ask = async || {
        let request = world.post("/v1/workers/contracts/sign").json(&question(&authentication()));
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let refuse = |error: &str| json!({"error": error, "error_description": "internal words"});
    contexts.answer_with(StatusCode::BAD_REQUEST, refuse("invalid_request"));
    let (status, problem) = ask().await;
    assert_eq!((status, &problem["context_error"]), (401, &json!("invalid_request")));
    assert!(problem.get("context").is_none() && !problem.to_string().contains("internal words"));
    assert_eq!(problem["code"], "token_missing");
    contexts.answer_with(StatusCode::BAD_REQUEST, refuse("<script>"));
    assert_eq!(ask().await.1["context_error"], "invalid_request");
}

#[tokio::test]
async fn an_authorization_server_that_does_not_answer_is_said_to_be_unavailable() {
    let (contexts, uri) = Contexts::start().await;
    let world = world(&uri).await;
    let good = contexts.answer.lock().unwrap().1.clone();
    let with = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        changed
    };
    let cases = [
        (StatusCode::INTERNAL_SERVER_ERROR, json!({})),
        (StatusCode::UNAUTHORIZED, json!({"error": "invalid_client"})),
        // Redirects are not followed: they could lead anywhere.
        (StatusCode::TEMPORARY_REDIRECT, good.clone()),
        (StatusCode::OK, good.clone()),
        (StatusCode::CREATED, json!({})),
        (StatusCode::CREATED, json!("x".repeat(100_000))),
        (StatusCode::CREATED, with("authorize_url", "javascript:alert(1)".into())),
        (StatusCode::CREATED, with("request_uri", "a\nb".into())),
    ];
    for (status, body) in cases {
        contexts.answer_with(status, body.clone());
        let request = world.post("/v1/workers/contracts/sign").json(&question(&authentication()));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 503, "{status} {body}");
        assert_eq!(response.json::<Value>().await.unwrap()["code"], "authorization_server_unavailable");
    }
    let world = self::world("http://127.0.0.1:1/api/v1/authentication-contexts").await;
    let request = world.post("/v1/workers/contracts/sign").json(&question(&authentication()));
    assert_snapshot!(show(request.send().await.unwrap()).await, @r#"
    503
    retry-after: 5
    content-type: application/problem+json
    cache-control: no-store
    {
      "code": "authorization_server_unavailable",
      "status": 503,
      "title": "The authorization server does not answer",
      "type": "https://sealwright.dev/problems/authorization_server_unavailable"
    }
    "#);
}

#[tokio::test]
async fn contexts_are_rate_limited() {
    let (contexts, uri) = Contexts::start().await;
    let world = world(&uri).await;
    let ask = async || {
        world.post("/v1/workers/contracts/sign").json(&question(&authentication())).send().await.unwrap()
    };
    for _ in 0..20 {
        assert_eq!(ask().await.status(), 401);
    }
    assert_snapshot!(show(ask().await).await, @r#"
    429
    retry-after: 1
    content-type: application/problem+json
    cache-control: no-store
    {
      "code": "rate_limited",
      "status": 429,
      "title": "Too many requests in a short time",
      "type": "https://sealwright.dev/problems/rate_limited"
    }
    "#);
    assert_eq!(contexts.asked().len(), 20);
}

/// Everybody behind a proxy has its address; who they are, only the proxy can say.
#[tokio::test]
async fn behind_a_proxy_that_is_named_each_client_counts_alone() {
    let (_, uri) = Contexts::start().await;
    let ask = async |world: &World, origin: &str| {
        let request = world.post("/v1/workers/contracts/sign").header("x-forwarded-for", origin);
        request.json(&question(&authentication())).send().await.unwrap().status().as_u16()
    };
    for (proxies, another) in [("[127.0.0.0/8]", 401), ("[]", 429)] {
        let world = world_behind(proxies, &uri).await;
        for _ in 0..20 {
            assert_eq!(ask(&world, "198.51.100.6").await, 401);
        }
        assert_eq!(ask(&world, "198.51.100.6").await, 429);
        assert_eq!(ask(&world, "203.0.113.9").await, another, "{proxies}");
    }
}

#[tokio::test]
async fn a_context_needs_a_document_and_an_issuer_that_makes_contexts() {
    let world = World::start().await;
    let post = async |body: Value| {
        let response = world.post("/v1/workers/contracts/sign").json(&body).send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let (status, problem) = post(question(&authentication())).await;
    assert_eq!((status, &problem["context_error"]), (401, &json!("contexts_not_supported")));
    let (status, problem) = post(json!({"authentication": authentication()})).await;
    assert_eq!((status, &problem["code"]), (400, &json!("request_malformed")));
}

#[tokio::test]
async fn a_strangers_raw_body_is_not_read() {
    let world = World::start().await;
    let request =
        || world.post("/v1/workers/contracts/sign?filename=a.md").header("content-type", "text/markdown");
    let digest = format!("sha-256=:{}:", sha256_base64(DOCUMENT));
    let response = request().header("content-digest", digest).body(DOCUMENT).send().await.unwrap();
    let problem: Value = response.json().await.unwrap();
    assert_eq!(
        problem["authorization_details"][0]["documentDigests"],
        json!([{"hash": sha256_base64(DOCUMENT), "label": "a.md", "hashType": "SDR", "size": DOCUMENT.len()}])
    );
    let response = request().body(DOCUMENT).send().await.unwrap();
    assert_eq!(response.status(), 401);
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem.get("authorization_details"), None);
    assert!(problem["detail"].as_str().unwrap().contains("Content-Digest"));
}

#[tokio::test]
async fn a_strangers_json_is_read_for_64_kib_and_no_more() {
    let world = World::start().await;
    let post = async |document: &[u8]| {
        let request = world.post("/v1/workers/contracts/sign").json(&json_body(document));
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let (status, problem) = post(&[7; 40_000]).await;
    assert_eq!(status, 401);
    assert_eq!(
        problem["authorization_details"][0]["documentDigests"][0]["hash"],
        sha256_base64(&[7; 40_000])
    );
    let (status, problem) = post(&[7; 60_000]).await;
    assert_eq!((status, problem.get("authorization_details")), (401, None));
}

#[tokio::test]
async fn malformed_questions_are_refused() {
    let world = World::start().await;
    for body in [
        "{".to_owned(),
        json!({"input": {"digest": {"alg": "SHA-1", "value": "YQ=="}}}).to_string(),
        json!({"input": {"digest": {"alg": "SHA-256", "value": "YQ=="}}}).to_string(),
        json!({"input": {"digest": "YQ=="}}).to_string(),
        json!({"unknown": 1}).to_string(),
        json!({"filename": "a\nb"}).to_string(),
    ] {
        let request = world.post("/v1/workers/contracts/sign").header("content-type", "application/json");
        let response = request.body(body.clone()).send().await.unwrap();
        assert_eq!(response.status(), 400, "{body}");
        assert_eq!(response.json::<Value>().await.unwrap()["code"], "request_malformed", "{body}");
    }
    let empty = world.post("/v1/workers/contracts/sign").send().await.unwrap();
    assert_eq!(empty.status(), 401, "no body at all is a question, too");
}
