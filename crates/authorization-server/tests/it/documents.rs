//! What is the same for everybody: keys, metadata, the style sheet, health.

use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn the_keys_are_cacheable_for_everybody() {
    let world = World::new().await;
    for path in ["/oauth2/jwks", "/.well-known/jwks.json"] {
        let answer = world.get(path).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header(header::CONTENT_TYPE), "application/jwk-set+json");
        assert_eq!(answer.header(header::CACHE_CONTROL), "public, max-age=300, stale-while-revalidate=30");
        assert_eq!(answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
        let keys = answer.json()["keys"].as_array().unwrap().clone();
        assert_eq!(keys.len(), 1, "the key of the audit log is nobody else's business");
        let mut names: Vec<&str> = keys[0].as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x", "y"]);

        let etag = answer.header(header::ETAG).to_owned();
        let request = Request::get(path).header(header::IF_NONE_MATCH, &etag).body(Body::empty()).unwrap();
        let known = world.send(request).await;
        assert_eq!((known.status, known.body.as_str()), (StatusCode::NOT_MODIFIED, ""));
        assert_eq!(known.header(header::ETAG), etag);

        let request = Request::builder().method(Method::HEAD).uri(path).body(Body::empty()).unwrap();
        let head = world.send(request).await;
        assert_eq!((head.status, head.body.as_str()), (StatusCode::OK, ""));
        assert_eq!(head.header(header::ETAG), etag);
    }
}

#[tokio::test]
async fn the_keys_may_be_kept_for_as_long_as_the_plan_says() {
    let storage = sealwright_testkit::database::sqlite_storage();
    let plan = "algorithms: [ES256], jwksMaxAge: 20m";
    let yaml = crate::world::resources(&storage.yaml(), "").replace("algorithms: [ES256]", plan);
    let world = World::of(&yaml, storage).await;
    for path in ["/oauth2/jwks", "/.well-known/jwks.json"] {
        let allowed = world.get(path).await.header(header::CACHE_CONTROL).to_owned();
        assert_eq!(allowed, "public, max-age=1200, stale-while-revalidate=120", "{path}");
    }
}

#[tokio::test]
async fn each_algorithm_has_a_key_and_the_first_signs() {
    let storage = sealwright_testkit::database::sqlite_storage();
    let yaml = crate::world::resources(&storage.yaml(), "").replace("[ES256]", "[Ed25519, RS256]");
    let world = World::of(&yaml, storage).await;
    let keys = world.get("/oauth2/jwks").await.json();
    let algorithms: Vec<&str> =
        keys["keys"].as_array().unwrap().iter().map(|k| k["alg"].as_str().unwrap()).collect();
    assert_eq!(algorithms.len(), 2);
    let code = crate::browser::Browser::new(&world).code_for_bob(&[]).await;
    let token = world.redeem(&code).await.json()["access_token"].as_str().unwrap().to_owned();
    let header = sealwright_jose::base64url::decode(token.split('.').next().unwrap()).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header, json!({"alg": algorithms[0], "kid": keys["keys"][0]["kid"], "typ": "at+jwt"}));
}

#[tokio::test]
async fn the_metadata_says_what_is_there_and_nothing_else() {
    let world = World::new().await;
    let answer = world.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(answer.header(header::CONTENT_TYPE), "application/json");
    assert_eq!(
        answer.json(),
        json!({
            "issuer": "http://127.0.0.1:8080",
            "authorization_endpoint": "http://127.0.0.1:8080/oauth2/authorize",
            "token_endpoint": "http://127.0.0.1:8080/oauth2/token",
            "pushed_authorization_request_endpoint": "http://127.0.0.1:8080/oauth2/par",
            "authentication_contexts_endpoint": "http://127.0.0.1:8080/api/v1/authentication-contexts",
            "jwks_uri": "http://127.0.0.1:8080/oauth2/jwks",
            "jwks_events_uri": "http://127.0.0.1:8080/oauth2/jwks/events",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
            "authorization_details_types_supported": [
                "https://cloudsignatureconsortium.org/2025/credential", "https://sealwright.dev/2026/validate"
            ],
            "request_parameter_supported": false,
            "request_uri_parameter_supported": false,
            "subject_types_supported": ["public"],
            "ui_locales_supported": ["en"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "claims_supported": [
                "acr", "amr", "at_hash", "aud", "auth_time", "email", "exp", "given_name", "groups", "iat", "iss", "nonce",
                "sub",
            ],
            "scopes_supported": ["openid", "orders:read", "orders:write", "roles"],
            "acr_values_supported": ["urn:x:password", "urn:x:mfa"],
        })
    );
    let same = world.get("/.well-known/openid-configuration").await;
    assert_eq!(same.body, answer.body);
    // Every address in it answers with something else than 404.
    for (name, value) in answer.json().as_object().unwrap() {
        let Some(path) = value.as_str().and_then(|v| v.strip_prefix("http://127.0.0.1:8080")) else {
            continue;
        };
        // News of the keys has no end.
        if !path.is_empty() && name != "jwks_events_uri" {
            assert_ne!(world.get(path).await.status, StatusCode::NOT_FOUND, "{name}");
        }
    }
}

#[tokio::test]
async fn the_style_sheet_may_be_kept_for_good_and_pages_name_it() {
    let world = World::new().await;
    let page = world.get("/login").await;
    let path = crate::browser::between(&page.body, "<link rel=\"stylesheet\" href=\"", "\"");
    let style = world.get(&path).await;
    assert_eq!(style.status, StatusCode::OK);
    assert_eq!(style.header(header::CONTENT_TYPE), "text/css; charset=utf-8");
    assert_eq!(style.header(header::CACHE_CONTROL), "public, max-age=31536000, immutable");
    assert_eq!(world.get("/assets/sealwright-0000000000000000.css").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn health_is_told() {
    let world = World::new().await;
    assert_eq!(world.get("/healthz").await.short(), r#"200 {"status":"ok"}"#);
    assert_eq!(
        world.get("/readyz").await.short(),
        r#"200 {"checks":{"database":"ok","signing-keys":"ok"},"status":"ready"}"#
    );
    world.server.database().close().await;
    assert_eq!(world.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn who_has_not_looked_at_the_keys_for_too_long_is_not_ready_whether_the_database_answers_or_not() {
    let storage = sealwright_testkit::database::sqlite_storage();
    let own = "tokenSignature: {algorithms: [ES256], ";
    let yaml = crate::world::resources(&storage.yaml(), "")
        .replace(own, &format!("{own}maxStale: 1s, poll: 100ms, "));
    // Nothing looks at them after the start, as in a process whose loop hangs.
    let world = World::of(&yaml, storage).await;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    assert_eq!(
        world.get("/readyz").await.short(),
        r#"503 {"checks":{"database":"ok","signing-keys":"failed"},"status":"unready"}"#
    );
}

#[tokio::test]
async fn what_is_not_there_is_not_there() {
    let world = World::new().await;
    let answer = world.get("/admin").await;
    assert_eq!(answer.short(), r#"404 {"error":"not_found","error_description":"there is nothing here"}"#);
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    for path in ["/oauth2/token", "/oauth2/par", "/api/v1/authentication-contexts"] {
        let answer = world.get(path).await;
        assert_eq!(answer.header(header::ALLOW), "POST", "{path}");
        assert_eq!(
            answer.short(),
            r#"405 {"error":"invalid_request","error_description":"this endpoint does not have this method"}"#,
            "{path}"
        );
    }
}

#[tokio::test]
async fn one_address_cannot_take_all_places_at_the_news_of_keys() {
    let world = World::with("  trustedProxies: [10.0.0.0/8]").await;
    let listen = async |peer: &str, forwarded: &str| {
        let request = Request::get("/oauth2/jwks/events").header("x-forwarded-for", forwarded);
        world.begin_from(peer, request.body(Body::empty()).unwrap()).await
    };
    let mut open = Vec::new();
    for i in 0..8 {
        // What a stranger says of itself counts for nothing.
        let answer = listen("192.0.2.1:4711", &format!("198.51.100.{i}")).await;
        assert_eq!(answer.status(), StatusCode::OK);
        open.push(answer);
    }
    let refused = listen("192.0.2.1:4712", "198.51.100.9").await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key(header::RETRY_AFTER));
    let proxied = listen("10.0.0.1:1", "192.0.2.1").await;
    assert_eq!(proxied.status(), StatusCode::SERVICE_UNAVAILABLE, "also through our proxy");
    assert_eq!(listen("10.0.0.1:1", "192.0.2.2").await.status(), StatusCode::OK);
    open.pop();
    assert_eq!(listen("192.0.2.1:4712", "").await.status(), StatusCode::OK, "who leaves makes room");
}
