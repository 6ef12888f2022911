//! ID tokens: who gets one, what it says, and who signs it.

use http::{StatusCode, header};
use sealwright_jose::jws::{Scratch, Verifier};
use sealwright_jose::{Alg, Digest, Hash, JwkSet, base64url};
use sealwright_service::clock::Timestamp;
use sealwright_testkit::database::{on_both_storages, sqlite_storage};
use serde_json::{Value, json};

use crate::browser::{Browser, code, error};
use crate::world::{
    BACKEND_SECRET, CHALLENGE, ISSUER, REDIRECT, START, World, basic, claims, encode, json_request,
    resources, totp,
};

const NONCE: &str = "n-0S6_WzA2Mj";
const ASKED: [(&str, &str); 2] = [("scope", "openid"), ("nonce", NONCE)];

/// What a token's header says, once one of the published keys has verified it.
async fn verified(world: &World, token: &str, typ: &str) -> Option<(Alg, String)> {
    let algs = [Alg::Rs256, Alg::Es256, Alg::Es384, Alg::Ed25519, Alg::MlDsa44];
    let keys = JwkSet::parse(&world.get("/oauth2/jwks").await.body, &algs).unwrap();
    let verifier = Verifier::builder(algs).keys(&keys).typ(typ).build().unwrap();
    let mut scratch = Scratch::new();
    let verified = verifier.verify_compact(token, &mut scratch).ok()?;
    Some((verified.alg(), verified.kid().unwrap().to_owned()))
}

/// A server with these algorithms, on which something else is changed, too.
async fn server(algorithms: &str, change: impl Fn(String) -> String) -> World {
    let storage = sqlite_storage();
    let yaml = resources(&storage.yaml(), "").replace("[ES256]", algorithms);
    World::of(&change(yaml), storage).await
}

/// What the token endpoint gives for Bob's login at the portal.
async fn bob(world: &World, asked: &[(&str, &str)]) -> Value {
    let code = Browser::new(world).code_for_bob(asked).await;
    let answer = world.redeem(&code).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.json()
}

fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name].as_str().unwrap_or_else(|| panic!("no {name} in {answer}"))
}

#[tokio::test]
async fn who_logged_in_is_told_by_a_token_that_verifies() {
    on_both_storages(async |storage| {
        let world = World::on(storage, "  token: {idToken: {expiry: 1h}}").await;
        let mut browser = Browser::new(&world);
        let page = browser.begin(&[("scope", "openid roles"), ("nonce", NONCE)]).await;
        let answer = browser.password(&page, "alice").await;
        let second = browser.follow(&answer).await;
        world.advance(1);
        let answer = browser.submit(&second, &[("code", &totp(0))]).await;
        world.advance(2);
        let answer = world.redeem(&code(&answer)).await;
        assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
        let answer = answer.json();
        let (access, id) = (text(&answer, "access_token"), text(&answer, "id_token"));

        let (alg, kid) = verified(&world, id, "JWT").await.unwrap();
        assert_eq!(alg, Alg::Es256);
        assert_eq!(verified(&world, id, "at+jwt").await, None, "no API takes it for an access token");
        assert_eq!(verified(&world, access, "JWT").await, None, "nor a client the other");

        let digest = Digest::of(Hash::Sha256, access.as_bytes());
        let (now, sub) = (START.as_secs() + 3, claims(access)["sub"].clone());
        assert_eq!(
            claims(id),
            json!({
                "iss": ISSUER, "sub": sub, "aud": "default_portal", "iat": now, "exp": now + 3600,
                "auth_time": START.as_secs() + 1, "nonce": NONCE,
                "acr": "urn:x:mfa", "amr": ["pwd", "otp", "mfa"],
                "at_hash": base64url::encode(&digest.as_bytes()[..16]),
                "given_name": "Alice", "email": "alice@example.com", "groups": ["signers"],
            })
        );
        let (event, issued) = world.audit().await.pop().unwrap();
        assert_eq!(event, "token.issued", "one entry for both");
        assert_eq!(issued["openid"], json!({"kid": kid, "exp": now + 3600}));
        assert_eq!((&issued["kid"], &issued["exp"]), (&json!(kid), &json!(now + 300)));
    })
    .await;
}

#[tokio::test]
async fn who_does_not_ask_for_it_gets_none() {
    let world = World::new().await;
    let too_long = "n".repeat(513);
    for asked in [
        &[][..],
        &[("scope", "roles")],
        // What is not meant for this server it passes over (RFC 6749 §3.1).
        &[("scope", "roles"), ("nonce", NONCE)],
        &[("scope", "roles"), ("nonce", &too_long)],
    ] {
        let answer = bob(&world, asked).await;
        assert!(answer.get("id_token").is_none(), "{asked:?}");
        assert!(claims(text(&answer, "access_token")).get("nonce").is_none(), "{asked:?}");
    }
    let (_, issued) = world.audit().await.pop().unwrap();
    assert!(issued.get("openid").is_none(), "{issued}");
}

#[tokio::test]
async fn a_program_gets_none() {
    let openid = |yaml: String| yaml.replace("{name: orders:read}", "{name: openid}");
    let world = server("[ES256]", openid).await;
    let mut request =
        crate::world::form("/oauth2/token", &[("grant_type", "client_credentials"), ("scope", "openid")]);
    let authorization = basic("works_robot", BACKEND_SECRET);
    request.headers_mut().insert(header::AUTHORIZATION, authorization.parse().unwrap());
    let answer = world.send(request).await.json();
    assert_eq!(answer["scope"], "openid");
    assert!(answer.get("id_token").is_none(), "nobody has logged in: {answer}");
}

#[tokio::test]
async fn a_nonce_comes_back_as_it_was_sent_or_is_refused() {
    let world = World::new().await;
    let longest = "~ ".repeat(256);
    for nonce in ["n", "a \"quoted\" \\ one", &longest] {
        let answer = bob(&world, &[("scope", "openid"), ("nonce", nonce)]).await;
        assert_eq!(claims(text(&answer, "id_token"))["nonce"], nonce);
    }
    let answer = bob(&world, &[("scope", "openid")]).await;
    assert!(claims(text(&answer, "id_token")).get("nonce").is_none(), "there was none");

    let too_long = "n".repeat(513);
    for nonce in [too_long.as_str(), "tab\t", "\u{7f}", "nönce", "\u{202e}"] {
        let asked = [("scope", "openid"), ("nonce", nonce)];
        let answer = Browser::new(&world).authorize(&asked).await;
        assert_eq!(error(&answer), "invalid_request state=st-1", "{nonce:?}");
        let pushed = push(&world, &asked).await;
        assert_eq!(pushed["error_description"], "nonce is malformed", "{nonce:?}");
    }
}

async fn push(world: &World, others: &[(&str, &str)]) -> Value {
    let mut fields = vec![
        ("client_id", "default_portal"),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    fields.extend(others);
    world.post_form("/oauth2/par", &fields).await.json()
}

#[tokio::test]
async fn a_nonce_may_be_pushed_and_come_with_a_context() {
    let world = World::new().await;
    let pushed = push(&world, &ASKED).await;
    let query = encode(&[("client_id", "default_portal"), ("request_uri", text(&pushed, "request_uri"))]);

    let body = json!({
        "client_id": "default_portal", "redirect_uri": REDIRECT, "scope": "openid", "nonce": NONCE,
        "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    });
    let mut request = json_request("/api/v1/authentication-contexts", &body);
    let backend = basic("default_signing-server", BACKEND_SECRET);
    request.headers_mut().insert(header::AUTHORIZATION, backend.parse().unwrap());
    let context = world.send(request).await.json();

    for address in [format!("/oauth2/authorize?{query}"), text(&context, "authorize_url").to_owned()] {
        let mut browser = Browser::new(&world);
        let answer = browser.get(&address).await;
        let page = browser.follow(&answer).await;
        let answer = browser.password(&page, "bob").await;
        let answer = world.redeem(&code(&answer)).await.json();
        assert_eq!(claims(text(&answer, "id_token"))["nonce"], NONCE, "{address}");
    }
}

#[tokio::test]
async fn clients_choose_by_what_algorithm() {
    let line = "displayName: Contract portal";
    // Of the server, of the registration: what signs.
    for (algorithms, registered, id_token, access_token) in [
        ("[RS256, ES256]", "", Alg::Rs256, Alg::Rs256),
        ("[RS256, ES256]", "idTokenSignedResponseAlg: ES256", Alg::Es256, Alg::Rs256),
        // What clients expect that name none.
        ("[ES256, RS256]", "", Alg::Rs256, Alg::Es256),
        ("[ES256, RS256]", "accessTokenSigningAlg: RS256", Alg::Rs256, Alg::Rs256),
        ("[ES256, RS256]", "idTokenSignedResponseAlg: RS256", Alg::Rs256, Alg::Es256),
        // Where the server does not have it.
        ("[ES384, ES256]", "", Alg::Es384, Alg::Es384),
        ("[ES384, ES256]", "accessTokenSigningAlg: ES256", Alg::Es384, Alg::Es256),
        ("[ES256, Ed25519]", "idTokenSignedResponseAlg: Ed25519", Alg::Ed25519, Alg::Es256),
        ("[ES256, ML-DSA-44]", "idTokenSignedResponseAlg: ML-DSA-44", Alg::MlDsa44, Alg::Es256),
    ] {
        let world = server(algorithms, |yaml| yaml.replace(line, &format!("{line}\n  {registered}"))).await;
        let answer = bob(&world, &ASKED).await;
        let of = async |name: &str, typ: &str| verified(&world, text(&answer, name), typ).await.unwrap().0;
        let case = format!("{algorithms} {registered}");
        assert_eq!(of("id_token", "JWT").await, id_token, "{case}");
        assert_eq!(of("access_token", "at+jwt").await, access_token, "{case}");
    }
}

#[tokio::test]
async fn two_clients_of_one_server_have_two_algorithms() {
    let change = |yaml: String| {
        let other = "requireUserConsent: true\n  scopes: [";
        assert!(yaml.contains(other));
        yaml.replace(other, "idTokenSignedResponseAlg: ES256\n  scopes: [{name: openid}, ")
    };
    let world = server("[RS256, ES256]", change).await;
    let of_portal = bob(&world, &ASKED).await;
    let code = Browser::new(&world).code_for_bob(&[("client_id", "default_other"), ASKED[0]]).await;
    let of_other = world.redeem_with(&[("code", &code), ("client_id", "default_other")]).await.json();
    let id_token = async |answer: &Value| verified(&world, text(answer, "id_token"), "JWT").await.unwrap();
    let ((rs256, first), (es256, second)) = (id_token(&of_portal).await, id_token(&of_other).await);
    assert_eq!((rs256, es256), (Alg::Rs256, Alg::Es256));
    assert_ne!(first, second);
    assert_eq!(claims(text(&of_other, "id_token"))["aud"], "default_other");

    let metadata = world.get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata["id_token_signing_alg_values_supported"], json!(["ES256", "RS256"]));
}

#[tokio::test]
async fn an_algorithm_that_is_announced_signs_for_nobody_yet() {
    const HOUR: i64 = 3600;
    let at = |seconds: i64| Timestamp::from_secs(START.as_secs() + seconds);
    let mut world = server("[ES256], requireReplicaAck: false", |yaml| yaml).await;
    world.change("[ES256]", "[ES256, RS256]");
    let world = world.restart_at(at(HOUR)).await;
    let metadata = world.get("/.well-known/openid-configuration").await.json();
    assert_eq!(
        metadata["id_token_signing_alg_values_supported"],
        json!(["ES256", "RS256"]),
        "announced here, too"
    );
    let id_token = async |world: &World| {
        let answer = bob(world, &ASKED).await;
        verified(world, text(&answer, "id_token"), "JWT").await.unwrap().0
    };
    assert_eq!(id_token(&world).await, Alg::Es256, "clients are not kept waiting for a day");
    let world = world.restart_at(at(24 * HOUR)).await;
    let world = world.restart_at(at(26 * HOUR)).await;
    assert_eq!(id_token(&world).await, Alg::Rs256);
}

#[tokio::test]
async fn a_code_stays_whole_while_no_key_of_the_named_algorithm_signs() {
    const HOUR: i64 = 3600;
    let at = |seconds: i64| Timestamp::from_secs(START.as_secs() + seconds);
    let line = "displayName: Contract portal";
    for (registered, typ) in [("idTokenSignedResponseAlg", "JWT"), ("accessTokenSigningAlg", "at+jwt")] {
        let mut world = server("[ES256], requireReplicaAck: false", |yaml| yaml).await;
        world.change("[ES256]", "[ES256, RS256]");
        world.change(line, &format!("{line}\n  {registered}: RS256"));
        let mut world = world.restart_at(at(HOUR)).await;
        for seconds in [24 * HOUR, 25 * HOUR - 20] {
            world = world.restart_at(at(seconds)).await;
        }
        let code = Browser::new(&world).code_for_bob(&ASKED).await;
        for _ in 0..2 {
            let answer = world.redeem(&code).await;
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{registered}: {}", answer.body);
            assert_eq!(answer.header(header::RETRY_AFTER), "5", "{registered}");
        }
        let events: Vec<String> = world.audit().await.into_iter().map(|(event, _)| event).collect();
        assert!(!events.iter().any(|event| event == "code.replayed"), "{registered}: {events:?}");

        let world = world.restart_at(at(25 * HOUR + 20)).await;
        let answer = world.redeem(&code).await;
        assert_eq!(answer.status, StatusCode::OK, "{registered}: {}", answer.body);
        let name = if typ == "JWT" { "id_token" } else { "access_token" };
        let signed = verified(&world, text(&answer.json(), name), typ).await.unwrap().0;
        assert_eq!(signed, Alg::Rs256, "{registered}");
        // It is as used up as any other.
        assert_eq!(world.redeem(&code).await.json()["error"], "invalid_grant");
        assert_eq!(world.audit().await.pop().unwrap().0, "code.replayed");
    }
}

#[tokio::test]
async fn a_replay_is_noted_also_while_no_key_signs() {
    let world = World::new().await;
    let code = Browser::new(&world).code_for_bob(&ASKED).await;
    assert_eq!(world.redeem(&code).await.status, StatusCode::OK);
    // Nobody has told the database in all that time that tokens may still be alive.
    world.advance(24 * 3600);
    assert_eq!(world.redeem(&code).await.json()["error"], "invalid_grant");
    assert_eq!(world.audit().await.pop().unwrap().0, "code.replayed");
}

#[tokio::test]
async fn a_code_of_a_client_that_may_not_ask_any_more_brings_none() {
    let mut world = World::new().await;
    let code = Browser::new(&world).code_for_bob(&ASKED).await;
    world.change("{name: openid}, ", "");
    let world = world.restart().await;
    let answer = world.redeem(&code).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert!(answer.json().get("id_token").is_none(), "{}", answer.body);
    let (_, issued) = world.audit().await.pop().unwrap();
    assert!(issued.get("openid").is_none(), "{issued}");
}

#[tokio::test]
async fn a_server_of_which_nobody_may_ask_says_nothing_of_id_tokens() {
    let world = server("[ES256]", |yaml| yaml.replace("{name: openid}, ", "")).await;
    let metadata = world.get("/.well-known/openid-configuration").await.json();
    for name in ["claims_supported", "id_token_signing_alg_values_supported", "subject_types_supported"] {
        assert!(metadata.get(name).is_none(), "{name}");
    }
    assert_eq!(metadata["scopes_supported"], json!(["orders:read", "orders:write", "roles"]));
}

/// A server of AppSSO's manifests, with Bob and the portal.
async fn appsso(lifetimes: &str) -> World {
    let portal = format!(
        r#"
---
apiVersion: sso.apps.tanzu.vmware.com/v1alpha1
kind: ClientRegistration
metadata: {{name: portal}}
spec:
  authServerSelector: {{matchLabels: {{env: test}}}}
  redirectURIs: ["{REDIRECT}"]
  authorizationGrantTypes: [authorization_code]
  clientAuthenticationMethod: none
  scopes: [{{name: openid}}]
"#
    );
    let lifetimes = format!("token: {lifetimes}");
    World::of_appsso("", &lifetimes, r#"{username: bob, password: "HASH"}"#, &portal).await
}

#[tokio::test]
async fn at_an_appsso_server_the_type_alone_parts_the_tokens() {
    // Of access tokens, of ID tokens; AppSSO's default is 12 hours.
    for (lifetimes, access_s, id_s) in [
        ("{accessToken: {expiry: 10m}, idToken: {expiry: 1h}}", 600, 3600),
        ("{accessToken: {expiry: 10m}}", 600, 12 * 3600),
        ("{idToken: {expiry: 48h}}", 12 * 3600, 24 * 3600),
    ] {
        let world = appsso(lifetimes).await;
        let answer = bob(&world, &ASKED).await;
        let (access, id) = (text(&answer, "access_token"), text(&answer, "id_token"));
        let header = |token: &str| -> Value {
            serde_json::from_slice(&base64url::decode(token.split('.').next().unwrap()).unwrap()).unwrap()
        };
        let of = |typ: &str| json!({"alg": "RS256", "kid": "signing", "typ": typ});
        assert_eq!((header(access), header(id)), (of("at+jwt"), of("JWT")));
        for (token, typ, other) in [(access, "at+jwt", "JWT"), (id, "JWT", "at+jwt")] {
            assert!(verified(&world, token, typ).await.is_some(), "{typ}");
            assert!(verified(&world, token, other).await.is_none(), "{typ} is not {other}");
        }
        let (access, id) = (claims(access), claims(id));
        for name in ["iss", "sub", "aud"] {
            assert_eq!(access[name], id[name], "{name} says nothing of which is which");
        }
        assert_eq!(id["aud"], "default_portal");
        let lives = |claims: &Value| claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert_eq!((lives(&access), lives(&id)), (access_s, id_s), "{lifetimes}");
    }
}

#[tokio::test]
async fn the_key_stays_in_the_set_for_as_long_as_the_token_lives() {
    const HOUR: i64 = 3600;
    on_both_storages(async |storage| {
        let at = |seconds: i64| Timestamp::from_secs(START.as_secs() + seconds);
        let lifetimes = "  token: {accessToken: {expiry: 1m}, idToken: {expiry: 12h}}";
        // Each start is another replica, which the next one would wait for.
        let yaml =
            resources(&storage.yaml(), lifetimes).replace("[ES256]", "[ES256], requireReplicaAck: false");
        let world = World::of(&yaml, storage).await;
        let rotation = 30 * 24 * HOUR;
        // The next key is announced a day ahead; then a last token is signed by the first one.
        let world = world.restart_at(at(rotation - 24 * HOUR)).await;
        let world = world.restart_at(at(rotation - 60)).await;
        let answer = bob(&world, &ASKED).await;
        let id_token = text(&answer, "id_token");
        let (_, kid) = verified(&world, id_token, "JWT").await.unwrap();
        let expires_at = claims(id_token)["exp"].as_i64().unwrap();
        assert_eq!(expires_at, at(rotation - 60 + 12 * HOUR).as_secs());

        let world = world.restart_at(at(rotation + HOUR)).await;
        let next = bob(&world, &ASKED).await;
        let (_, next) = verified(&world, text(&next, "id_token"), "JWT").await.unwrap();
        assert_ne!(next, kid, "another key signs by now");
        // Far later than any access token of the first key has lived.
        let world = world.restart_at(Timestamp::from_secs(expires_at - 1)).await;
        assert_eq!(verified(&world, id_token, "JWT").await.map(|(_, kid)| kid), Some(kid));
        let world = world.restart_at(Timestamp::from_secs(expires_at + HOUR)).await;
        assert_eq!(verified(&world, id_token, "JWT").await, None, "the key has left the set");
    })
    .await;
}
