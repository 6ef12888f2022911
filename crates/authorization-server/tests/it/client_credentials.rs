//! Tokens for programs that act in their own name, and every wrong way to ask for one.

use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use sealwright_jose::base64url;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::world::{
    BACKEND_SECRET, ISSUER, PORTAL_POST_SECRET, RESOURCE, START, World, basic, claims, encode, with,
};

const ROBOT: &str = "works_robot";
const OTHER: &str = "https://other.example.com";
const USUAL: [(&str, &str); 1] = [("grant_type", "client_credentials")];
const FORM: &str = "application/x-www-form-urlencoded";

/// Sends `body` to the token endpoint as `authorization` says.
async fn ask(world: &World, body: &str, authorization: Option<String>) -> crate::world::Answer {
    let mut request = Request::post("/oauth2/token").header(header::CONTENT_TYPE, FORM);
    if let Some(value) = authorization {
        request = request.header(header::AUTHORIZATION, value);
    }
    world.send(request.body(body.to_owned().into()).unwrap()).await
}

/// What the robot gets for the usual request with `others`.
async fn robot(world: &World, others: &[(&str, &str)]) -> crate::world::Answer {
    ask(world, &encode(&with(&USUAL, others)), Some(basic(ROBOT, BACKEND_SECRET))).await
}

fn header_of(token: &str) -> Value {
    let header = base64url::decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice(&header).unwrap()
}

#[tokio::test]
async fn a_program_gets_a_token_about_itself() {
    let world = World::new().await;
    let answer = robot(&world, &[("scope", "orders:read")]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
    let body = answer.json();
    let token = body["access_token"].as_str().unwrap();
    // Neither a refresh token nor anything else.
    let expected =
        json!({"access_token": token, "token_type": "Bearer", "expires_in": 300, "scope": "orders:read"});
    assert_eq!(body, expected);
    let kid = &world.get("/oauth2/jwks").await.json()["keys"][0]["kid"];
    assert_eq!(header_of(token), json!({"alg": "ES256", "kid": kid, "typ": "at+jwt"}));
    let claims = claims(token);
    let jti = &claims["jti"];
    // RFC 9068 §2.2, and nothing about a person, though the registration names claims of users.
    let (iat, exp) = (START.as_secs(), START.as_secs() + 300);
    let expected = json!({
        "iss": ISSUER, "sub": ROBOT, "client_id": ROBOT, "aud": RESOURCE, "iat": iat, "exp": exp, "jti": jti,
        "scope": "orders:read",
    });
    assert_eq!(claims, expected);
    let (event, details) = world.audit().await.pop().unwrap();
    assert_eq!(event, "token.issued");
    let expected = json!({
        "jti": jti, "kid": kid, "client_id": ROBOT, "aud": RESOURCE, "exp": exp, "grant": "client_credentials",
    });
    assert_eq!(details, expected);
}

#[tokio::test]
async fn scope_and_resource_are_as_asked_for() {
    let world = World::new().await;
    for (others, scope, aud) in [
        (&[][..], json!(null), RESOURCE),
        (&[("scope", "")], json!(null), RESOURCE),
        (&[("scope", "orders:write orders:read orders:write")], json!("orders:write orders:read"), RESOURCE),
        (&[("resource", OTHER)], json!(null), OTHER),
        (&[("resource", OTHER), ("scope", "orders:read")], json!("orders:read"), OTHER),
        // RFC 6749 §3.2: what is not known is passed over.
        (&[("colour", "blue"), ("code", "x")], json!(null), RESOURCE),
    ] {
        let body = robot(&world, others).await.json();
        let claims = claims(body["access_token"].as_str().unwrap());
        assert_eq!((&body["scope"], &claims["scope"]), (&scope, &scope), "{others:?}");
        assert_eq!(claims["aud"], aud, "{others:?}");
    }
}

#[tokio::test]
async fn two_tokens_are_two() {
    let world = World::new().await;
    let jti = async || {
        let body = robot(&world, &[]).await.json();
        claims(body["access_token"].as_str().unwrap())["jti"].as_str().unwrap().to_owned()
    };
    assert_ne!(jti().await, jti().await);
}

#[tokio::test]
async fn no_person_is_called_like_a_client() {
    let world = World::new().await;
    let code = Browser::new(&world).code_for_bob(&[]).await;
    let token = world.redeem(&code).await.json()["access_token"].as_str().unwrap().to_owned();
    let subject = claims(&token)["sub"].as_str().unwrap().to_owned();
    assert!(subject.bytes().all(|b| b.is_ascii_hexdigit()), "{subject}");
    assert!(ROBOT.contains('_'), "a client's id has what no subject has");
}

/// A request body, its `Authorization` header, and the exact answer.
type Refused = (String, Option<String>, &'static str);

fn refusals() -> Vec<Refused> {
    const INVALID_CLIENT: &str =
        r#"401 {"error":"invalid_client","error_description":"client authentication failed"}"#;
    const INVALID_SCOPE: &str = r#"400 {"error":"invalid_scope","error_description":"a scope is malformed or not registered for this client"}"#;
    const INVALID_TARGET: &str = r#"400 {"error":"invalid_target","error_description":"the resource is not an audience of this client"}"#;
    const UNAUTHORIZED_CLIENT: &str = r#"400 {"error":"unauthorized_client","error_description":"this client is not registered for the client credentials grant"}"#;
    const TWICE: &str =
        r#"400 {"error":"invalid_request","error_description":"a parameter stands there twice"}"#;
    const TWO_WAYS: &str = r#"400 {"error":"invalid_request","error_description":"the client authenticates in two ways at once"}"#;
    const ANOTHER: &str = r#"400 {"error":"invalid_request","error_description":"client_id is not the client that authenticates"}"#;
    const MALFORMED: &str = r#"400 {"error":"invalid_request","error_description":"the parameters are not form-urlencoded UTF-8"}"#;
    const DETAILS: &str = r#"400 {"error":"invalid_authorization_details","error_description":"authorization_details are approved by a person; use the authorization code grant"}"#;

    let usual = "grant_type=client_credentials".to_owned();
    let body = |more: &str| format!("{usual}&{more}");
    let right = || Some(basic(ROBOT, BACKEND_SECRET));
    vec![
        // Who asks.
        (usual.clone(), None, INVALID_CLIENT),
        (usual.clone(), Some(basic("works_nobody", BACKEND_SECRET)), INVALID_CLIENT),
        (usual.clone(), Some(basic("default_robot", BACKEND_SECRET)), INVALID_CLIENT),
        (usual.clone(), Some(basic(ROBOT, "backend-secret-0123456789abcdeF")), INVALID_CLIENT),
        (usual.clone(), Some(basic(ROBOT, "")), INVALID_CLIENT),
        (usual.clone(), Some("Bearer x".into()), INVALID_CLIENT),
        (usual.clone(), Some("Basic".into()), INVALID_CLIENT),
        (body("client_id=works_robot"), None, INVALID_CLIENT),
        // Right, but not by the registered method.
        (body(&format!("client_id=works_robot&client_secret={BACKEND_SECRET}")), None, INVALID_CLIENT),
        (body(&format!("client_id=works_robot&client_secret={BACKEND_SECRET}")), right(), TWO_WAYS),
        (body(&format!("client_secret={BACKEND_SECRET}")), right(), TWO_WAYS),
        (body("client_id=default_portal"), right(), ANOTHER),
        // Who may not.
        (usual.clone(), Some(basic("default_signing-server", BACKEND_SECRET)), UNAUTHORIZED_CLIENT),
        (body("client_id=default_portal"), None, UNAUTHORIZED_CLIENT),
        (
            body(&format!("client_id=default_posting&client_secret={PORTAL_POST_SECRET}")),
            None,
            UNAUTHORIZED_CLIENT,
        ),
        // What is asked for.
        (body("scope=openid"), right(), INVALID_SCOPE),
        (body("scope=orders:read+openid"), right(), INVALID_SCOPE),
        (body("scope=orders:read++orders:write"), right(), INVALID_SCOPE),
        (body("scope=orders:rea"), right(), INVALID_SCOPE),
        (body("scope=Orders:read"), right(), INVALID_SCOPE),
        (body("resource=https%3A%2F%2Fforeign.example.com"), right(), INVALID_TARGET),
        (body("resource=https%3A%2F%2Fother.example.com%2F"), right(), INVALID_TARGET),
        (body("authorization_details=%5B%5D"), right(), DETAILS),
        // How it is written.
        (body("grant_type=client_credentials"), right(), TWICE),
        (body("scope=orders:read&scope=orders:write"), right(), TWICE),
        (body("resource=http%3A%2F%2F127.0.0.1%3A8081&resource=x"), right(), TWICE),
        (body("scope=%zz"), right(), MALFORMED),
        (body("scope=%FF"), right(), MALFORMED),
        (
            String::new(),
            right(),
            r#"400 {"error":"invalid_request","error_description":"grant_type is missing"}"#,
        ),
        (
            "grant_type=Client_Credentials".into(),
            right(),
            r#"400 {"error":"unsupported_grant_type","error_description":"the grant type is not supported"}"#,
        ),
    ]
}

#[tokio::test]
async fn each_wrong_request_has_its_answer_and_no_token() {
    let world = World::new().await;
    for (body, authorization, expected) in refusals() {
        let answer = ask(&world, &body, authorization.clone()).await;
        assert_eq!(answer.short(), expected, "{body} {authorization:?}");
        assert_eq!(answer.header(header::CACHE_CONTROL), "no-store", "{body}");
        let challenge =
            if answer.status == StatusCode::UNAUTHORIZED { "Basic realm=\"sealwright\"" } else { "" };
        assert_eq!(answer.header(header::WWW_AUTHENTICATE), challenge, "{body}");
    }
    assert!(!world.events().await.contains(&"token.issued".to_owned()));
}

#[tokio::test]
async fn a_secret_in_the_address_is_not_read() {
    let world = World::new().await;
    // RFC 6749 §2.3.1: never in the URI.
    let query =
        encode(&with(&USUAL, &[("client_id", "default_posting"), ("client_secret", PORTAL_POST_SECRET)]));
    for (path, body) in [
        (format!("/oauth2/token?{query}"), encode(&USUAL)),
        (format!("/oauth2/token?{query}"), String::new()),
    ] {
        let request = Request::post(&path).header(header::CONTENT_TYPE, FORM).body(body.into()).unwrap();
        assert_eq!(world.send(request).await.json()["error"], "invalid_client", "{path}");
    }
    let get = world.get(&format!("/oauth2/token?{query}")).await;
    assert_eq!(get.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn two_headers_are_no_authentication_and_other_bodies_are_not_read() {
    let world = World::new().await;
    let mut headers = HeaderMap::new();
    let value = HeaderValue::try_from(basic(ROBOT, BACKEND_SECRET)).unwrap();
    headers.append(header::AUTHORIZATION, value.clone());
    headers.append(header::AUTHORIZATION, value);
    let mut request = Request::post("/oauth2/token").body(encode(&USUAL).into()).unwrap();
    request.headers_mut().extend(headers);
    request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(FORM));
    assert_eq!(world.send(request).await.status, StatusCode::UNAUTHORIZED);

    for (media_type, body, status) in [
        ("application/json", r#"{"grant_type":"client_credentials"}"#.to_owned(), 415),
        ("multipart/form-data", encode(&USUAL), 415),
        ("", encode(&USUAL), 415),
        (FORM, format!("{}&x={}", encode(&USUAL), "x".repeat(64 * 1024)), 413),
    ] {
        let request = Request::post("/oauth2/token")
            .header(header::CONTENT_TYPE, media_type)
            .header(header::AUTHORIZATION, basic(ROBOT, BACKEND_SECRET))
            .body(body.into())
            .unwrap();
        let answer = world.send(request).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (status, &json!("invalid_request")));
    }
    assert!(!world.events().await.contains(&"token.issued".to_owned()));
}

#[tokio::test]
async fn refusals_of_a_program_that_is_known_are_entries() {
    let world = World::new().await;
    robot(&world, &[("scope", "openid")]).await;
    let (event, details) = world.audit().await.pop().unwrap();
    assert_eq!(event, "request.refused");
    let reason = "a scope is malformed or not registered for this client";
    assert_eq!(details, json!({"client_id": ROBOT, "error": "invalid_scope", "reason": reason}));
    ask(&world, &encode(&USUAL), Some(basic(ROBOT, "wrong"))).await;
    assert_eq!(world.refusals().await, json!({"client.authentication": 1}));
}

#[tokio::test]
async fn a_client_may_have_an_algorithm_of_its_own() {
    let storage = sealwright_testkit::database::sqlite_storage();
    let own = "authorizationGrantTypes: [client_credentials]";
    let yaml = crate::world::resources(&storage.yaml(), "")
        .replace("algorithms: [ES256]", "algorithms: [ES256, Ed25519]")
        .replace(own, &format!("{own}\n  accessTokenSigningAlg: Ed25519"));
    let world = World::of(&yaml, storage).await;
    let alg = |token: &Value| header_of(token["access_token"].as_str().unwrap())["alg"].clone();
    assert_eq!(alg(&robot(&world, &[]).await.json()), "Ed25519");
    let code = Browser::new(&world).code_for_bob(&[]).await;
    assert_eq!(alg(&world.redeem(&code).await.json()), "ES256");
}

#[tokio::test]
async fn where_no_key_is_declared_the_client_is_told_that_waiting_does_not_help() {
    let storage = sealwright_testkit::database::sqlite_storage();
    let key = include_str!("keys/p256.pub.pem").replace('\n', "\n    ");
    let yaml = crate::world::resources(&storage.yaml(), "").replace(
        "tokenSignature: {algorithms: [ES256], keysDir: keys}",
        "tokenSignature: {extraVerifyKeyRefs: [{name: old}], keysDir: keys}",
    );
    let secret = format!(
        "---\napiVersion: v1\nkind: Secret\nmetadata: {{name: old}}\nstringData:\n  pub.pem: |\n    {key}\n"
    );
    let world = World::of(&(yaml + &secret), storage).await;
    let answer = robot(&world, &[]).await;
    assert_eq!(
        answer.short(),
        r#"503 {"error":"temporarily_unavailable","error_description":"this server has no signing key, so it issues no tokens"}"#
    );
    assert!(!answer.headers.contains_key(header::RETRY_AFTER));
    assert_eq!(world.get("/oauth2/jwks").await.json()["keys"][0]["kid"], "old");
    let metadata = world.get("/.well-known/openid-configuration").await.json();
    assert!(metadata.get("id_token_signing_alg_values_supported").is_none(), "none, not an empty list");
    assert_eq!(metadata["subject_types_supported"], json!(["public"]));
    assert_eq!(world.get("/readyz").await.status, StatusCode::OK, "it serves the set");
    assert!(!world.events().await.contains(&"token.issued".to_owned()));
}

#[tokio::test]
async fn where_no_key_may_sign_the_client_is_told_to_come_again() {
    let world = World::new().await;
    // Nobody has told the database in all that time that tokens may still be alive.
    world.advance(24 * 3600);
    let answer = robot(&world, &[]).await;
    assert_eq!(
        answer.short(),
        r#"503 {"error":"temporarily_unavailable","error_description":"no token can be signed at the moment; try again shortly"}"#
    );
    assert_eq!(answer.header(header::RETRY_AFTER), "5");
    assert!(!world.events().await.contains(&"token.issued".to_owned()));
}
