//! Operators: their programs by token, people in the console. Nobody else.

use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use sealwright_testkit::database::sqlite_storage;
use serde_json::{Value, json};

use crate::browser::{Browser, between};
use crate::world::{BACKEND_SECRET, ISSUER, PASSWORD, RESOURCE, World, basic, encode, form, resources};

const ADMIN: &str = "http://127.0.0.1:8080/admin";

async fn world() -> World {
    let storage = sqlite_storage();
    let more = format!(
        r#"---
apiVersion: sealwright.dev/v1alpha1
kind: User
metadata: {{name: root}}
spec: {{username: root, password: {{file: password-hash}}, roles: [admin]}}
---
apiVersion: sealwright.dev/v1alpha1
kind: ClientRegistration
metadata: {{name: operator, namespace: works}}
spec:
  authServerSelector: {{matchLabels: {{env: test}}}}
  authorizationGrantTypes: [client_credentials]
  clientSecret: {{file: backend.secret}}
  audiences: ["{ADMIN}", "{RESOURCE}"]
  scopes: [{{name: admin}}, {{name: other}}]
"#
    );
    World::of(&(resources(&storage.yaml(), "") + &more), storage).await
}

/// A token of the operators' program.
async fn token(world: &World, resource: &str, scope: &str) -> String {
    let fields = [("grant_type", "client_credentials"), ("resource", resource), ("scope", scope)];
    let mut request = form("/oauth2/token", &fields);
    let credentials = basic("works_operator", BACKEND_SECRET).parse().unwrap();
    request.headers_mut().insert(header::AUTHORIZATION, credentials);
    let answer = world.send(request).await;
    answer.json()["access_token"].as_str().unwrap_or_else(|| panic!("{}", answer.body)).to_owned()
}

fn call(method: Method, path: &str, authorization: &str, body: &Value) -> Request<Body> {
    let request =
        Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
    let request =
        if authorization.is_empty() { request } else { request.header(header::AUTHORIZATION, authorization) };
    request.body(Body::from(body.to_string())).unwrap()
}

#[tokio::test]
async fn strangers_and_tokens_for_others_change_nothing() {
    let world = world().await;
    let right = token(&world, ADMIN, "admin").await;
    let elsewhere = token(&world, RESOURCE, "admin").await;
    let unscoped = token(&world, ADMIN, "other").await;
    let mut forged = right.clone();
    forged.truncate(right.len() - 8);
    let kid = world.get("/oauth2/jwks").await.json()["keys"][0]["kid"].as_str().unwrap().to_owned();
    let routes = [
        (Method::GET, "/admin/api/v1/keys".to_owned(), json!({})),
        (Method::POST, "/admin/api/v1/keys/rotate".to_owned(), json!({"now": true})),
        (Method::POST, format!("/admin/api/v1/keys/{kid}/revoke"), json!({"reason": "x"})),
    ];
    for (method, path, body) in &routes {
        for (authorization, status, code) in [
            (String::new(), 401, "token_invalid"),
            ("Bearer".to_owned(), 401, "token_invalid"),
            ("Bearer x".to_owned(), 401, "token_invalid"),
            (format!("Basic {right}"), 401, "token_invalid"),
            (format!("Bearer {forged}"), 401, "token_invalid"),
            (format!("Bearer {elsewhere}"), 401, "token_invalid"),
            (format!("Bearer {unscoped}"), 403, "not_permitted"),
        ] {
            let answer = world.send(call(method.clone(), path, &authorization, body)).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.json()["code"]),
                (status, &json!(code)),
                "{path} {authorization}"
            );
            assert_eq!(answer.header(header::CONTENT_TYPE), "application/problem+json");
            assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
            assert!(answer.header(header::WWW_AUTHENTICATE).starts_with("Bearer error="), "{authorization}");
        }
        // A token in the address or in a cookie is none.
        let query = format!("{path}?access_token={right}");
        assert_eq!(world.send(call(method.clone(), &query, "", body)).await.status, StatusCode::UNAUTHORIZED);
        let mut request = call(method.clone(), path, "", body);
        request.headers_mut().insert(header::COOKIE, format!("sealwright-admin={right}").parse().unwrap());
        assert_eq!(world.send(request).await.status, StatusCode::UNAUTHORIZED);
    }
    world.advance(3600);
    let late = world.send(call(Method::GET, &routes[0].1, &format!("Bearer {right}"), &json!({}))).await;
    assert_eq!(late.status, StatusCode::UNAUTHORIZED, "it has expired");
    let events = world.events().await;
    assert!(!events.iter().any(|event| event == "admin.keys.asked"), "{events:?}");
    assert_eq!(
        events.iter().filter(|event| *event == "admin.refused").count(),
        3,
        "those of our own program"
    );
    assert_eq!(world.refusals().await["admin.token"], 25);
}

#[tokio::test]
async fn a_program_sees_the_keys_and_revokes_one() {
    let world = world().await;
    let bearer = format!("Bearer {}", token(&world, ADMIN, "admin").await);
    assert_eq!(world.get("/metrics").await.status, StatusCode::UNAUTHORIZED);
    world.advance(60);
    let metrics = world.send(call(Method::GET, "/metrics", &bearer, &json!({}))).await.body;
    assert!(metrics.contains("sealwright_signing_key_age_seconds{alg=\"ES256\"} 60\n"), "{metrics}");
    assert!(metrics.contains("sealwright_signing_key_replicas_behind 0\n"), "{metrics}");
    assert!(metrics.contains("sealwright_signing_key_refusals_total{reason=\"no_key\"} 0\n"), "{metrics}");
    let signed: Vec<&str> = metrics.lines().filter(|line| line.contains("signing_seconds_count")).collect();
    let [signed] = signed[..] else { panic!("one key has signed: {metrics}") };
    assert!(signed.ends_with("alg=\"ES256\"} 1"), "the administrator's own token: {signed}");
    let failures = signed.replace("signing_seconds_count", "failures_total").replace("} 1", "} 0");
    assert!(metrics.contains(&failures), "{metrics}");
    let list = world.send(call(Method::GET, "/admin/api/v1/keys", &bearer, &json!({}))).await.json();
    assert_eq!(list["server"], "main");
    assert_eq!(list["keys"][0]["state"], "active");
    let kid = list["keys"][0]["kid"].as_str().unwrap();
    let revoke = format!("/admin/api/v1/keys/{kid}/revoke");
    for (path, body, expected) in [
        ("/admin/api/v1/keys/rotate", json!({"soon": true}), "400 request_invalid"),
        ("/admin/api/v1/keys/rotate", json!({"alg": "none"}), "400 request_invalid"),
        ("/admin/api/v1/keys/rotate", json!({"alg": "RS256"}), "409 keys_unchanged"),
        ("/admin/api/v1/keys/rotate", json!({"reason": "two\nlines"}), "400 reason_invalid"),
        (&revoke, json!({}), "400 request_invalid"),
        (&revoke, json!({"reason": " "}), "400 reason_invalid"),
        ("/admin/api/v1/keys/other/revoke", json!({"reason": "x"}), "404 key_unknown"),
    ] {
        let answer = world.send(call(Method::POST, path, &bearer, &body)).await;
        let code =
            format!("{} {}", answer.status.as_u16(), answer.json()["code"].as_str().unwrap_or_default());
        assert_eq!(code, expected, "{path} {body}");
    }
    let done = world.send(call(Method::POST, &revoke, &bearer, &json!({"reason": "drill"}))).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    assert_eq!(done.json()["events"][0]["event"], "key.revoked");
    let list = world.send(call(Method::GET, "/admin/api/v1/keys", &bearer, &json!({}))).await.json();
    assert_eq!(list["keys"][0]["state"], "revoked");
    let asked = world.audit().await.into_iter().rfind(|(event, _)| event == "admin.keys.asked").unwrap().1;
    assert_eq!(asked, json!({"action": "revoke", "kid": kid, "reason": "drill"}));
}

async fn signed_in<'w>(world: &'w World, username: &str) -> (Browser<'w>, crate::world::Answer) {
    let mut browser = Browser::new(world);
    let answer = browser.get("/admin/keys").await;
    assert_eq!((answer.status, answer.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/admin/sign-in"));
    let answer = browser.get("/admin/sign-in").await;
    let answer = browser.get(answer.header(header::LOCATION)).await;
    let page = browser.follow(&answer).await;
    let answer = browser.submit(&page, &[("username", username), ("password", PASSWORD)]).await;
    let back = answer.header(header::LOCATION).to_owned();
    assert!(back.starts_with(&format!("{ISSUER}/admin/callback?")), "{back}");
    let answer = browser.get(&back).await;
    (browser, answer)
}

#[tokio::test]
async fn a_person_with_the_role_signs_in_and_revokes_a_key() {
    let world = world().await;
    let (mut browser, answer) = signed_in(&world, "root").await;
    assert_eq!(answer.header(header::LOCATION), "/admin/keys");
    let cookie = answer.headers.get_all(header::SET_COOKIE).iter().next().unwrap().to_str().unwrap();
    assert!(
        cookie.starts_with("sealwright-admin=ey")
            && cookie.ends_with("; Path=/admin; Max-Age=300; HttpOnly; SameSite=Strict"),
        "{cookie}"
    );
    let page = browser.get("/admin/keys").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.header(header::CONTENT_SECURITY_POLICY).starts_with("default-src 'none'; style-src 'self'"));
    assert!(page.body.contains("<svg") && !page.body.contains("<script"));
    let kid = between(&page.body, "kid=", "\"").to_owned();

    let confirm = browser.get(&format!("/admin/keys/confirm?action=revoke&kid={kid}")).await;
    assert!(confirm.body.contains("never signs again"), "{}", confirm.body);
    let csrf = between(&confirm.body, "name=\"csrf\" value=\"", "\"").to_owned();
    let fields = |csrf: &str, reason: &str| {
        form("/admin/keys", &[("csrf", csrf), ("action", "revoke"), ("kid", &kid), ("reason", reason)])
    };
    // Neither without the token of the form, nor from another site, nor without a reason.
    assert_eq!(browser.send(fields("", "x")).await.status, StatusCode::FORBIDDEN);
    for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        let mut foreign = fields(&csrf, "x");
        foreign.headers_mut().insert(name, value.parse().unwrap());
        assert_eq!(browser.send(foreign).await.status, StatusCode::FORBIDDEN, "{name}");
    }
    assert_eq!(browser.send(fields(&csrf, " ")).await.status, StatusCode::BAD_REQUEST);
    assert!(!world.events().await.iter().any(|event| event == "admin.keys.asked"));
    // Nor in another browser.
    assert_eq!(Browser::new(&world).send(fields(&csrf, "x")).await.status, StatusCode::SEE_OTHER);

    let done = browser.send(fields(&csrf, "drill")).await;
    assert_eq!((done.status, done.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/admin/keys"));
    let page = browser.get("/admin/keys").await;
    assert!(page.body.contains("was revoked") && page.body.contains("drill"), "{}", page.body);
    let since = "Since <time datetime=\"2026-11-22T00:00:00.000Z\">2026-11-22 00:00:00 UTC (now)</time>";
    assert_eq!(page.body.matches(since).count(), page.body.matches("<svg").count(), "{}", page.body);
    world.advance(301);
    assert_eq!(
        browser.get("/admin/keys").await.header(header::LOCATION),
        "/admin/sign-in",
        "the session is over"
    );
}

#[tokio::test]
async fn a_person_without_the_role_sees_nothing() {
    let world = world().await;
    let (mut browser, answer) = signed_in(&world, "bob").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(
        !answer
            .headers
            .iter()
            .any(|(_, value)| value.to_str().unwrap_or_default().starts_with("sealwright-admin="))
    );
    assert_eq!(browser.get("/admin/keys").await.status, StatusCode::SEE_OTHER);
}

/// A server of AppSSO's manifests with one user for each role.
async fn appsso(annotation: &str) -> World {
    let users = r#"{username: shopkeeper, password: "HASH", roles: [admin]},
                {username: root, password: "HASH", roles: [user, sealwright-operators]}"#;
    World::of_appsso(annotation, "", users, "").await
}

#[tokio::test]
async fn no_role_of_appssos_users_administers_the_server_unless_its_manifest_says_which() {
    let world = appsso("").await;
    let mut browser = Browser::new(&world);
    let answer = browser.get("/admin/keys").await;
    assert_eq!((answer.status, answer.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/admin/sign-in"));
    let answer = browser.get("/admin/sign-in").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(answer.body.contains("There is no console here"), "{}", answer.body);
    let request = [("response_type", "code"), ("client_id", "sealwright-console")];
    assert_eq!(
        browser.get(&format!("/oauth2/authorize?{}", encode(&request))).await.status,
        StatusCode::BAD_REQUEST
    );

    let world = appsso("sealwright.dev/admin-role: sealwright-operators").await;
    let (_, answer) = signed_in(&world, "shopkeeper").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "the application's role");
    let (mut browser, answer) = signed_in(&world, "root").await;
    assert_eq!(answer.header(header::LOCATION), "/admin/keys");
    assert_eq!(browser.get("/admin/keys").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_code_is_taken_only_by_the_browser_that_began() {
    let world = world().await;
    let mut browser = Browser::new(&world);
    browser.get("/admin/sign-in").await;
    for query in ["", "?code=x", "?code=x&state=y"] {
        let answer = browser.get(&format!("/admin/callback{query}")).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{query}");
        assert_eq!(
            Browser::new(&world).get(&format!("/admin/callback{query}")).await.status,
            StatusCode::FORBIDDEN
        );
    }
}
