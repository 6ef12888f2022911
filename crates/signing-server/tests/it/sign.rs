//! Signing, as it should go.

use sealwright_jose::{
    Alg, VerifyingKey, base64url,
    jws::{Scratch, Unverified, Verifier},
};
use sealwright_testkit::database::on_both_storages;
use serde_json::{Value, json};

use crate::support::{DOCUMENT, MFA, NOW_S, PUBLIC_URL, World, decode, header, json_body, ok, sha256_base64};

/// The key of a certificate, as openssl reads it.
fn certificate_key(der: &[u8]) -> VerifyingKey {
    let pem = crate::certificate::openssl(&["x509", "-inform", "DER", "-pubkey", "-noout"], der);
    VerifyingKey::from_pem(Alg::Es256, &pem).unwrap()
}

#[tokio::test]
async fn a_document_is_signed_and_the_answer_says_how() {
    on_both_storages(async |storage| {
        let world = World::start_with(storage, |text, _| text).await;
        let response = world.sign(&world.token("contracts", DOCUMENT)).send().await.unwrap();
        let operation_id = header(response.headers(), "x-operation-id").to_owned();
        let answer = ok(response).await;

        assert_eq!(answer["operation_id"], operation_id);
        assert!(operation_id.starts_with("op_"));
        assert_eq!(answer["worker"], "contracts");
        assert_eq!(answer["output"]["media_type"], "application/jose+json");
        assert_eq!(
            answer["signature"],
            json!({
                "format": "jades", "level": "B-B", "alg": "ES256",
                "signing_time": "2026-12-01T12:00:00.000Z",
                "digest": {"alg": "SHA-256", "value": sha256_base64(DOCUMENT)},
            })
        );
        assert_eq!(
            answer["authorization"],
            json!({
                "issuer": world.issuer.url(), "subject": "alice", "rule": "staff-mfa", "acr": MFA, "binding": "sdr",
            })
        );
        let certificate = &answer["certificate"];
        assert_eq!(certificate["one_time"], true);
        assert_eq!(certificate["not_after"], "2026-12-01T12:10:00.000Z");
        assert_eq!(certificate["subject"], "C=CH,SERIALNUMBER=alice,CN=Alice Meier");
        assert_eq!(certificate["chain"].as_array().unwrap().len(), 2);

        check_jades(&decode(&answer["output"]["content"]), certificate);
        check_records(&world, &answer).await;
    })
    .await;
}

/// Verified with the key that openssl finds in the certificate, and the header of clause 5.1.
fn check_jades(signed: &[u8], certificate: &Value) {
    let signed = std::str::from_utf8(signed).unwrap();
    let leaf = decode(&certificate["chain"][0]);
    let verifier = Verifier::builder([Alg::Es256]).key(certificate_key(&leaf)).build().unwrap();
    let mut scratch = Scratch::new();
    let verified = verifier.verify_flattened(signed, &mut scratch).unwrap();
    assert_eq!(verified.payload(), DOCUMENT);

    let protected: Value =
        serde_json::from_str(Unverified::peek_flattened(signed).unwrap().protected_header()).unwrap();
    let fingerprint = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &leaf);
    assert_eq!(
        protected,
        json!({
            "alg": "ES256", "typ": "jose+json", "cty": "text/markdown", "iat": NOW_S,
            "x5t#S256": base64url::encode(fingerprint),
            "x5c": certificate["chain"],
        })
    );
    let members: Value = serde_json::from_str(signed).unwrap();
    let mut names: Vec<_> = members.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["payload", "protected", "signature"]);
}

async fn check_records(world: &World, answer: &Value) {
    let recorded = world.recorded().await;
    assert_eq!(recorded.events(), ["certificate.issued", "signature.created"]);
    let operation = answer["operation_id"].as_str().unwrap();
    assert_eq!(recorded.ledger, [("consumed".to_owned(), operation.to_owned())]);
    let entry = recorded.details("signature.created");
    assert_eq!(entry["worker"], "contracts");
    assert_eq!(entry["digest"]["value"], sha256_base64(DOCUMENT));
    assert_eq!(entry["serial"], answer["certificate"]["serial"]);
    assert_eq!(entry["rule"], "staff-mfa");
    assert_eq!(entry["authentication"]["issuer"], world.issuer.url());
    assert_eq!(entry["authentication"]["acr"], MFA);
    assert_eq!(entry["authentication"]["auth_time"], NOW_S - 10);
    assert_eq!(entry["authentication"]["client_id"], "default_portal");
    assert!(entry["authentication"]["jti"].as_str().unwrap().starts_with("jti_"));
    assert_eq!(recorded.details("certificate.issued")["serial"], answer["certificate"]["serial"]);
}

#[tokio::test]
async fn a_raw_body_is_signed_and_comes_back_as_itself_on_request() {
    let world = World::start().await;
    let request = || {
        world
            .post("/v1/workers/contracts/sign?filename=contract.md")
            .bearer_auth(world.token("contracts", DOCUMENT))
            .header("content-type", "text/markdown")
            .body(DOCUMENT)
    };
    let response = request().header("accept", "application/jose+json").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(header(response.headers(), "content-type"), "application/jose+json");
    let receipt = header(response.headers(), "x-receipt").to_owned();
    assert!(
        receipt.starts_with("sequence=") && receipt.contains("; entry=") && receipt.contains("; previous=")
    );
    let raw = response.text().await.unwrap();
    assert_eq!(Unverified::peek_flattened(&raw).unwrap().dangerous_payload(), DOCUMENT);
    assert_eq!(Unverified::peek_flattened(&raw).unwrap().header("cty"), Some("text/markdown".into()));

    let json = ok(request().send().await.unwrap()).await;
    let same = String::from_utf8(decode(&json["output"]["content"])).unwrap();
    assert_eq!(Unverified::peek_flattened(&same).unwrap().dangerous_payload(), DOCUMENT);
}

#[tokio::test]
async fn application_is_left_out_of_the_content_type() {
    let world = World::start().await;
    for (sent, expected) in [("application/pdf", json!("pdf")), ("image/png", json!("image/png"))] {
        let response = world
            .post("/v1/workers/contracts/sign")
            .bearer_auth(world.token("contracts", DOCUMENT))
            .header("content-type", sent)
            .header("accept", "application/jose+json")
            .body(DOCUMENT)
            .send()
            .await
            .unwrap();
        let signed = response.text().await.unwrap();
        assert_eq!(Unverified::peek_flattened(&signed).unwrap().header("cty"), Some(expected));
    }
}

#[tokio::test]
async fn an_empty_document_is_a_document() {
    let world = World::start().await;
    let answer = world
        .post("/v1/workers/contracts/sign")
        .bearer_auth(world.token("contracts", b""))
        .json(&json_body(b""))
        .send()
        .await
        .unwrap();
    let answer = ok(answer).await;
    let signed = String::from_utf8(decode(&answer["output"]["content"])).unwrap();
    assert_eq!(Unverified::peek_flattened(&signed).unwrap().dangerous_payload(), b"");
}

#[tokio::test]
async fn every_algorithm_signs_with_every_authority() {
    for (key, authority) in [("ES256", "Ed25519"), ("Ed25519", "RS256"), ("RS256", "ES256")] {
        let world = World::edited(|text| {
            text.replace("key: ES256, ca", &format!("key: {key}, ca"))
                .replace("alg: ES256, packaging", &format!("alg: {key}, packaging"))
                .replace("alg: ES256\n  commonName", &format!("alg: {authority}\n  commonName"))
        })
        .await;
        let answer = ok(world.sign(&world.token("contracts", DOCUMENT)).send().await.unwrap()).await;
        assert_eq!(answer["signature"]["alg"], key);
        crate::certificate::verify_chain(&answer["certificate"]["chain"]);
    }
}

#[tokio::test]
async fn a_token_without_location_is_for_any_place() {
    let world = World::start().await;
    let mut claims = world.claims("contracts", DOCUMENT);
    claims["authorization_details"][0].as_object_mut().unwrap().remove("locations");
    ok(world.sign(&world.issuer.token(claims)).send().await.unwrap()).await;
}

#[tokio::test]
async fn without_binding_a_token_signs_any_document_and_the_answer_says_so() {
    let world = World::edited(|text| text.replace("mode: required", "mode: off")).await;
    let mut claims = world.claims("contracts", DOCUMENT);
    claims.as_object_mut().unwrap().remove("authorization_details");
    let answer = ok(world.sign(&world.issuer.token(claims)).send().await.unwrap()).await;
    assert_eq!(answer["authorization"]["binding"], "none");
}

#[tokio::test]
async fn optional_binding_holds_where_the_token_names_documents() {
    let world = World::edited(|text| text.replace("mode: required", "mode: optional")).await;
    let mut claims = world.claims("contracts", DOCUMENT);
    claims.as_object_mut().unwrap().remove("authorization_details");
    ok(world.sign(&world.issuer.token(claims)).send().await.unwrap()).await;
    let refused = world.sign(&world.token("contracts", b"another")).send().await.unwrap();
    assert_eq!(refused.status(), 403);
}

#[tokio::test]
async fn a_second_authorizer_lets_pass_what_the_first_refuses() {
    let world = World::edited(|text| {
        let second = text
            .split("---")
            .find(|document| document.contains("name: staff-mfa"))
            .unwrap()
            .replace("name: staff-mfa", "name: lawyers")
            .replace("value: signers", "value: lawyers");
        format!(
            "{}---{second}",
            text.replace("authorizers: [staff-mfa], level", "authorizers: [staff-mfa, lawyers], level")
        )
    })
    .await;
    let mut claims = world.claims("contracts", DOCUMENT);
    claims["groups"] = json!(["lawyers"]);
    let answer = ok(world.sign(&world.issuer.token(claims)).send().await.unwrap()).await;
    assert_eq!(answer["authorization"]["rule"], "lawyers");
}

#[tokio::test]
async fn the_worker_and_the_server_describe_themselves() {
    let world = World::start().await;
    let get =
        async |path: &str| ok(world.http.get(format!("{}{path}", world.base)).send().await.unwrap()).await;

    let mut worker = get("/v1/workers/contracts").await;
    let chain = worker["certificate_chain"].take();
    assert!(chain.as_str().unwrap().starts_with("-----BEGIN CERTIFICATE-----\n"));
    assert_eq!(
        worker,
        json!({
            "name": "contracts", "kind": "jades", "operations": ["sign"], "max_input_bytes": 104_857_600,
            "signature": {"format": "jades", "level": "B-B", "alg": "ES256", "packaging": "attached", "serialization": "flattened"},
            "authorization": [{
                "issuers": [world.issuer.url()], "acr_values": [MFA], "max_age": 300,
                "authorization_details_type": "https://cloudsignatureconsortium.org/2025/credential",
                "binding": "required",
            }],
            "certificate_chain": null,
        })
    );
    let metadata = get("/.well-known/oauth-protected-resource").await;
    assert_eq!(metadata["resource"], PUBLIC_URL);
    assert_eq!(metadata["authorization_servers"], json!([world.issuer.url()]));
    assert_eq!(get("/healthz").await["status"], "ok");
    assert_eq!(get("/readyz").await["status"], "ready");
}

/// The audit log bounds its names; a subject that it does not take is recorded by its digest.
#[tokio::test]
async fn a_subject_of_any_length_is_recorded() {
    let world = World::edited(|text| {
        text.replace("{type: serialNumber, from: subject, required: true}", "{type: OU, value: Staff}")
    })
    .await;
    for subject in ["x".repeat(2000), "a\0b".to_owned()] {
        let mut claims = world.claims("contracts", DOCUMENT);
        claims["sub"] = json!(subject);
        ok(world.sign(&world.issuer.token(claims)).send().await.unwrap()).await;
    }
    let recorded = world.recorded().await;
    let subjects = recorded.audit.iter().filter(|(event, ..)| event == "signature.created");
    for (_, subject, _) in subjects {
        assert!(subject.as_deref().unwrap().starts_with("sha256:"), "{subject:?}");
    }
}
