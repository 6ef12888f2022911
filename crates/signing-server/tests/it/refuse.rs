//! Refusals of those who are known: the exact answer, nothing signed, and an audit entry for each.

use insta::assert_snapshot;
use sealwright_jose::jws::Signer;
use serde_json::{Value, json};

use crate::support::{DOCUMENT, NOW_S, World, json_body, show};

pub(crate) fn changed(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

pub(crate) fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().unwrap().remove(name);
    claims
}

#[tokio::test]
async fn a_request_with_two_tokens_is_malformed() {
    let world = World::start().await;
    let token = world.token("contracts", DOCUMENT);
    let response = world.sign(&token).header("authorization", "Bearer x").send().await.unwrap();
    assert_snapshot!(show(response).await, @r#"
    400
    www-authenticate: Bearer error="invalid_request", error_description="The request is malformed"
    content-type: application/problem+json
    cache-control: no-store
    {
      "code": "request_malformed",
      "status": 400,
      "title": "The request is malformed",
      "type": "https://sealwright.dev/problems/request_malformed"
    }
    "#);
    world.recorded().await.assert_nothing_signed();
}

/// Sends a token with these claims and expects the refusal to be recorded.
async fn denied(world: &World, claims: Value) -> String {
    let answer = show(world.sign(&world.issuer.token(claims)).send().await.unwrap()).await;
    let recorded = world.recorded().await;
    recorded.assert_nothing_signed();
    assert!(recorded.ledger.is_empty(), "{:?}", recorded.ledger);
    let entry = recorded.details("signature.refused");
    assert!(answer.contains(&format!("\"code\": {}", entry["code"])), "{entry}\n{answer}");
    assert_eq!(entry["worker"], "contracts");
    assert_eq!(entry["authentication"]["issuer"], world.issuer.url());
    answer
}

#[tokio::test]
async fn a_document_other_than_the_authorised_one_is_refused() {
    let world = World::start().await;
    let answer = denied(&world, world.claims("contracts", b"another document")).await;
    assert_snapshot!(answer, @r#"
    403
    content-type: application/problem+json
    cache-control: no-store
    {
      "code": "hash_not_authorized",
      "status": 403,
      "title": "The token does not authorize this document",
      "type": "https://sealwright.dev/problems/hash_not_authorized"
    }
    "#);
}

#[tokio::test]
async fn a_wrong_claim_is_refused() {
    let world = World::start().await;
    let claims = changed(world.claims("contracts", DOCUMENT), "groups", json!(["staff"]));
    assert_snapshot!(denied(&world, claims).await, @r#"
    403
    content-type: application/problem+json
    cache-control: no-store
    {
      "code": "claim_mismatch",
      "status": 403,
      "title": "The token is not for somebody who may use this worker",
      "type": "https://sealwright.dev/problems/claim_mismatch"
    }
    "#);
}

#[tokio::test]
async fn a_missing_claim_is_refused() {
    let world = World::start().await;
    let claims = without(world.claims("contracts", DOCUMENT), "groups");
    assert_snapshot!(denied(&world, claims).await, @r#"
    403
    content-type: application/problem+json
    cache-control: no-store
    {
      "code": "claim_missing",
      "status": 403,
      "title": "The token lacks a claim that this worker needs",
      "type": "https://sealwright.dev/problems/claim_missing"
    }
    "#);
}

#[tokio::test]
async fn a_weak_login_gets_the_step_up_challenge() {
    let world = World::start().await;
    let claims = changed(world.claims("contracts", DOCUMENT), "acr", "urn:sealwright:acr:password".into());
    assert_snapshot!(denied(&world, claims).await, @r#"
    401
    www-authenticate: Bearer error="insufficient_user_authentication", error_description="A different authentication level is required", acr_values="urn:sealwright:acr:mfa", max_age="300"
    content-type: application/problem+json
    cache-control: no-store
    {
      "acr_values": [
        "urn:sealwright:acr:mfa"
      ],
      "code": "assurance_insufficient",
      "max_age": 300,
      "status": 401,
      "title": "A stronger or more recent login is needed",
      "type": "https://sealwright.dev/problems/assurance_insufficient"
    }
    "#);
}

#[tokio::test]
async fn tokens_that_are_not_bound_to_this_are_refused() {
    let world = World::start().await;
    let detail = |member: &str, value: Value| {
        let mut claims = world.claims("contracts", DOCUMENT);
        claims["authorization_details"][0][member] = value;
        claims
    };
    let good = || world.claims("contracts", DOCUMENT);
    let hash = good()["authorization_details"][0]["documentDigests"][0]["hash"].clone();
    let cases = [
        ("no details", without(good(), "authorization_details")),
        ("details that are empty", changed(good(), "authorization_details", json!([]))),
        ("another worker", detail("credentialID", "verify".into())),
        ("another operation", detail("type", "https://sealwright.dev/2026/validate".into())),
        ("another place", detail("locations", json!(["https://other.example.com"]))),
        ("no signature", detail("numSignatures", 0.into())),
        ("another hash algorithm", detail("hashAlgorithmOID", "1.3.14.3.2.26".into())),
        ("another kind of digest", detail("documentDigests", json!([{"hash": hash, "hashType": "DTBSR"}]))),
        ("a digest of no kind", detail("documentDigests", json!([{"hash": hash}]))),
        ("no digest", detail("documentDigests", json!([]))),
    ];
    for (name, claims) in cases {
        let response = world.sign(&world.issuer.token(claims)).send().await.unwrap();
        assert_eq!(response.status(), 403, "{name}");
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["code"], "hash_not_authorized", "{name}");
        assert_eq!(problem.get("detail"), None, "{name}");
    }
    world.recorded().await.assert_nothing_signed();
}

#[tokio::test]
async fn a_login_that_does_not_suffice_is_refused_in_each_respect() {
    let world = World::start().await;
    let good = || world.claims("contracts", DOCUMENT);
    for (name, claims) in [
        ("no acr", without(good(), "acr")),
        ("one factor", changed(good(), "amr", json!(["pwd"]))),
        ("too long ago", changed(good(), "auth_time", (NOW_S - 361).into())),
        ("no time", without(good(), "auth_time")),
    ] {
        let problem: Value =
            world.sign(&world.issuer.token(claims)).send().await.unwrap().json().await.unwrap();
        assert_eq!(problem["code"], "assurance_insufficient", "{name}");
    }
    world.recorded().await.assert_nothing_signed();
}

/// A token by RFC 9068 always has a `jti`; one of another type need not, and then cannot be used once.
#[tokio::test]
async fn a_token_without_jti_is_refused_where_it_must_count_once() {
    let world = World::edited(|text| text.replace("typ: [at+jwt]", "typ: [JWT]")).await;
    let claims = without(world.claims("contracts", DOCUMENT), "jti");
    let token =
        Signer::new(&world.issuer.key()).typ("JWT").sign_compact(claims.to_string().as_bytes()).unwrap();
    let response = world.sign(&token).send().await.unwrap();
    assert_eq!(response.status(), 403);
    let recorded = world.recorded().await;
    recorded.assert_nothing_signed();
    assert_eq!(recorded.details("signature.refused")["code"], "claim_missing");
}

#[tokio::test]
async fn a_token_for_signing_does_not_validate() {
    let world = World::start().await;
    let response = world
        .post("/v1/workers/verify/validate")
        .bearer_auth(world.token("contracts", DOCUMENT))
        .json(&json_body(DOCUMENT))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 403);
    assert_eq!(world.recorded().await.details("validation.refused")["code"], "hash_not_authorized");
}

#[tokio::test]
async fn workers_that_are_not_there_are_not_found() {
    let world = World::start().await;
    for path in [
        "/v1/workers/payroll/sign",
        "/v1/workers/%ff/sign",
        "/v1/workers/verify/sign",
        "/v1/workers/contracts/validate",
    ] {
        let response = world
            .post(path)
            .bearer_auth(world.token("contracts", DOCUMENT))
            .json(&json_body(DOCUMENT))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 404, "{path}");
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["code"], "worker_unknown", "{path}");
    }
    let not_found = world.http.get(format!("{}/v2", world.base)).send().await.unwrap();
    assert_eq!(not_found.json::<Value>().await.unwrap()["code"], "not_found");
    let not_allowed =
        world.http.get(format!("{}/v1/workers/contracts/sign", world.base)).send().await.unwrap();
    assert_eq!(not_allowed.status(), 405);
    assert_eq!(not_allowed.json::<Value>().await.unwrap()["code"], "method_not_allowed");
}

#[tokio::test]
async fn bodies_that_are_malformed_are_refused_and_the_token_stays_good() {
    let world = World::start().await;
    let claims = world.claims("contracts", DOCUMENT);
    let token = world.issuer.token(claims);
    let digest = json!({"alg": "SHA-256", "value": crate::support::sha256_base64(DOCUMENT)});
    for body in [
        "".to_owned(),
        "{".to_owned(),
        "[]".to_owned(),
        json!({}).to_string(),
        json!({"input": {}}).to_string(),
        json!({"input": {"content": "not base64!"}}).to_string(),
        json!({"input": {"content": 42}}).to_string(),
        json!({"input": {"digest": digest}}).to_string(),
        json!({"input": {"content": "YQ==", "digest": digest}}).to_string(),
        json!({"input": {"content": "YQ=="}, "options": {"level": "B-LTA"}}).to_string(),
        json!({"input": {"content": "YQ=="}, "media_type": "text"}).to_string(),
        json!({"input": {"content": "YQ=="}, "filename": "\u{202e}gpj.exe"}).to_string(),
        json!({"document": "YQ=="}).to_string(),
    ] {
        let response = world
            .post("/v1/workers/contracts/sign")
            .bearer_auth(&token)
            .header("content-type", "application/json")
            .body(body.clone())
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 400, "{body}");
        assert_eq!(response.json::<Value>().await.unwrap()["code"], "request_malformed", "{body}");
    }
    let lying = world
        .post("/v1/workers/contracts/sign")
        .bearer_auth(&token)
        .header("content-type", "text/markdown")
        .header("content-digest", format!("sha-256=:{}:", crate::support::sha256_base64(b"other")))
        .body(DOCUMENT)
        .send()
        .await
        .unwrap();
    assert_eq!(lying.json::<Value>().await.unwrap()["detail"], "the body does not match its Content-Digest");
    world.recorded().await.assert_nothing_signed();
    assert_eq!(world.sign(&token).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn without_the_issuers_keys_nobody_is_refused_for_good() {
    let world = World::start().await;
    world.issuer.be_down(true);
    let response = world.sign(&world.token("contracts", DOCUMENT)).send().await.unwrap();
    assert_snapshot!(show(response).await, @r#"
    503
    retry-after: 5
    content-type: application/problem+json
    cache-control: no-store
    {
      "code": "authorization_server_unavailable",
      "status": 503,
      "title": "The authorization server's keys are not available",
      "type": "https://sealwright.dev/problems/authorization_server_unavailable"
    }
    "#);
    world.recorded().await.assert_nothing_signed();
}
