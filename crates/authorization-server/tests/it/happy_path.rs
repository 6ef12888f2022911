//! The whole way, on both databases.

use http::{StatusCode, header};
use sealwright_jose::jws::{Scratch, Verifier};
use sealwright_jose::{Alg, JwkSet};
use sealwright_testkit::database::on_both_storages;
use serde_json::json;

use crate::browser::{Browser, Form, returned};
use crate::world::{BACKEND_SECRET, CHALLENGE};
use crate::world::{
    ISSUER, PASSWORD, REDIRECT, RESOURCE, START, World, basic, claims, details, json_request, totp,
};

#[tokio::test]
async fn from_a_backends_request_to_a_token_that_verifies() {
    on_both_storages(async |storage| {
        let world = World::on(storage, "").await;

        // The signing server asks for a context in the portal's name.
        let body = json!({
            "client_id": "default_portal", "redirect_uri": REDIRECT, "state": "st-1",
            "code_challenge": CHALLENGE, "code_challenge_method": "S256", "scope": "roles", "domain": "staff",
            "login_hint": "alice", "acr_values": ["urn:x:mfa"], "max_age": 300, "resource": RESOURCE,
            "authorization_details": details(),
        });
        let mut request = json_request("/api/v1/authentication-contexts", &body);
        let credentials = basic("default_signing-server", BACKEND_SECRET);
        request.headers_mut().insert(header::AUTHORIZATION, credentials.parse().unwrap());
        let context = world.send(request).await;
        assert_eq!(context.status, StatusCode::CREATED, "{}", context.body);
        let context = context.json();
        assert_eq!(context["expires_in"], 300);
        let url = context["authorize_url"].as_str().unwrap();
        assert!(url.starts_with(
            "http://127.0.0.1:8080/oauth2/authorize?client_id=default_portal&request_uri=urn%3A"
        ));

        // The person opens it, and goes through three pages.
        let mut browser = Browser::new(&world);
        let first = browser.get(url).await;
        assert_eq!(first.header(header::CACHE_CONTROL), "no-store");
        let cookie = first.header(header::SET_COOKIE).to_owned();
        assert!(cookie.ends_with("; Path=/; Max-Age=900; HttpOnly; SameSite=Lax"), "{cookie}");
        let login = browser.follow(&first).await;
        assert_eq!((login.step.as_str(), login.action.as_str()), ("login", "/login"));
        let answer = browser.submit(&login, &[("username", "alice"), ("password", PASSWORD)]).await;
        let second = browser.follow(&answer).await;
        assert_eq!((second.step.as_str(), second.action.as_str()), ("totp", "/login/code"));
        let answer = browser.submit(&second, &[("code", &totp(0))]).await;
        let approval = browser.follow(&answer).await;
        assert_eq!((approval.step.as_str(), approval.action.as_str()), ("approve", "/approve"));
        let answer = browser.submit(&approval, &[("decision", "approve")]).await;
        let returned = returned(&answer);
        assert_eq!((returned["state"].as_str(), returned["iss"].as_str()), ("st-1", ISSUER));
        assert!(browser.cookies.is_empty(), "the cookie goes with the run");

        // The portal redeems the code.
        let answer = world.redeem(&returned["code"]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
        let body = answer.json();
        assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(300)));
        assert_eq!((&body["scope"], &body["authorization_details"]), (&json!("roles"), &details()));

        // Anybody can verify the token by the published keys.
        let token = body["access_token"].as_str().unwrap();
        let keys = JwkSet::parse(&world.get("/oauth2/jwks").await.body, &[Alg::Es256]).unwrap();
        let verifier = Verifier::builder([Alg::Es256]).keys(&keys).typ("at+jwt").build().unwrap();
        let mut scratch = Scratch::new();
        let verified = verifier.verify_compact(token, &mut scratch).unwrap();
        assert!(verified.kid().unwrap().starts_with("es256-"));

        let mut claims = claims(token);
        let taken = |name: &str, claims: &mut serde_json::Value| {
            claims.as_object_mut().unwrap().remove(name).unwrap()
        };
        let (sub, jti) = (taken("sub", &mut claims), taken("jti", &mut claims));
        assert_eq!(sub.as_str().unwrap().len(), 32);
        assert!(jti.as_str().unwrap().starts_with("tok_"));
        assert_eq!(
            claims,
            json!({
                "iss": ISSUER, "aud": RESOURCE, "client_id": "default_portal",
                "iat": START.as_secs(), "exp": START.as_secs() + 300, "auth_time": START.as_secs(),
                "acr": "urn:x:mfa", "amr": ["pwd", "otp", "mfa"], "scope": "roles", "roles": ["signers"],
                "given_name": "Alice", "email": "alice@example.com", "groups": ["signers"],
                "authorization_details": details(),
            })
        );

        // The backend can see how it ended, and the audit log has every step.
        let mut request = http::Request::get(format!(
            "/api/v1/authentication-contexts/{}",
            context["id"].as_str().unwrap()
        ));
        request = request.header(header::AUTHORIZATION, &credentials);
        let standing = world.send(request.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(
            standing.json(),
            json!({"id": context["id"], "state": "authenticated", "expires_in": 900})
        );
        assert_eq!(
            world.events().await,
            ["context.created", "authentication.succeeded", "code.issued", "token.issued"]
        );
        let (_, issued) = world.audit().await.pop().unwrap();
        assert_eq!((&issued["jti"], &issued["exp"]), (&jti, &json!(START.as_secs() + 300)));
        let digest = base64_simd::STANDARD.encode_to_string([0xabu8; 32]);
        assert_eq!(issued["documents"], json!([digest]));
        assert_eq!(world.refusals().await, json!({}));
    })
    .await;
}

#[tokio::test]
async fn a_plain_request_of_somebody_without_a_second_factor_needs_one_page() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let code = browser.code_for_bob(&[]).await;
    let answer = world.redeem(&code).await;
    let body = answer.json();
    assert_eq!(body.as_object().unwrap().len(), 3, "no scope and no details: {body}");
    let claims = claims(body["access_token"].as_str().unwrap());
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("urn:x:password"), &json!(["pwd"])));
    assert!(
        claims.get("roles").is_none() && claims.get("scope").is_none() && claims.get("given_name").is_none()
    );
}

#[tokio::test]
async fn a_client_that_requires_consent_gets_it_also_without_documents() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let page = browser.begin(&[("client_id", "default_other"), ("scope", "roles"), ("state", "")]).await;
    let answer = browser.password(&page, "bob").await;
    let address = answer.header(header::LOCATION).to_owned();
    let page = browser.get(&address).await;
    assert!(page.body.contains("What you may do"), "{}", page.body);
    let approval = Form::read(&page);
    let answer = browser.submit(&approval, &[("decision", "approve")]).await;
    let returned = returned(&answer);
    assert!(!returned.contains_key("state"), "there was none");
    let answer = world.redeem_with(&[("code", &returned["code"]), ("client_id", "default_other")]).await;
    assert_eq!(answer.json()["expires_in"], 2, "the client's own lifetime");
}

#[tokio::test]
async fn a_subject_is_the_same_for_every_client() {
    let world = World::new().await;
    let code = Browser::new(&world).code_for_bob(&[]).await;
    let first = claims(world.redeem(&code).await.json()["access_token"].as_str().unwrap());
    let code = Browser::new(&world).code_for_bob(&[("resource", "https://other.example.com")]).await;
    let second = claims(world.redeem(&code).await.json()["access_token"].as_str().unwrap());
    assert_eq!(first["sub"], second["sub"]);
    assert_ne!(first["jti"], second["jti"]);
    assert_eq!(second["aud"], "https://other.example.com");
}

#[tokio::test]
async fn a_second_start_finds_keys_users_and_log_as_they_were() {
    let world = World::new().await;
    let keys = world.get("/oauth2/jwks").await.body;
    let code = Browser::new(&world).code_for_bob(&[]).await;
    let first = claims(world.redeem(&code).await.json()["access_token"].as_str().unwrap());
    let world = world.restart().await;
    assert_eq!(world.get("/oauth2/jwks").await.body, keys);
    let code = Browser::new(&world).code_for_bob(&[]).await;
    let second = claims(world.redeem(&code).await.json()["access_token"].as_str().unwrap());
    assert_eq!(first["sub"], second["sub"]);

    let audit = world.audit().await;
    let count = |event: &str| audit.iter().filter(|(e, _)| e == event).count();
    // One for the log, one that signs, and one in reserve, which the second start found missing.
    assert_eq!((count("key.created"), count("server.started"), count("token.issued")), (3, 2, 2));
    // Anybody with the published key can check the log.
    let source = sealwright_audit::verify::Source::from_database(world.server.database()).await.unwrap();
    let key = std::fs::read_to_string(world.dir().join("keys/audit.pub.jwk")).unwrap();
    let keys = vec![sealwright_jose::VerifyingKey::from_jwk(&key).unwrap()];
    let options = sealwright_audit::verify::Options { keys, ..Default::default() };
    let report = sealwright_audit::verify::verify(source, &options).await.unwrap();
    assert!(report.is_whole(), "{report:?}");
}
