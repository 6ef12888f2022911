//! Validation of what was signed here, of what was changed, and of what others made.

use std::time::Duration;

use sealwright_jose::{Alg, SigningKey, base64url, jws::Signer};
use serde_json::{Value, json};

use crate::{
    certificate::openssl,
    support::{DOCUMENT, NOW_S, World, decode, json_body, ok, sha256_base64},
};

/// Signs the document and gives the signed document's text.
async fn signed(world: &World) -> String {
    let answer = ok(world.sign(&world.token("contracts", DOCUMENT)).send().await.unwrap()).await;
    String::from_utf8(decode(&answer["output"]["content"])).unwrap()
}

/// Has a document validated; the token is made for it, at whatever time it is.
async fn validate(world: &World, document: &str) -> Value {
    let now_s = world.clock.now().as_secs();
    let mut claims = world.claims("verify", document.as_bytes());
    claims["iat"] = json!(now_s);
    claims["exp"] = json!(now_s + 300);
    claims["auth_time"] = json!(now_s);
    let token = world.issuer.token(claims);
    let request =
        world.post("/v1/workers/verify/validate").bearer_auth(token).json(&json_body(document.as_bytes()));
    ok(request.send().await.unwrap()).await
}

/// `indication/sub_indication` and the checks that did not pass.
fn verdict(report: &Value) -> (String, Vec<String>) {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let checks = report["signatures"][0]["checks"].as_array().unwrap();
    let failed = checks.iter().filter(|check| check["status"] == "failed").map(|check| text(&check["id"]));
    (format!("{}/{}", text(&report["indication"]), text(&report["sub_indication"])), failed.collect())
}

fn expect(report: &Value, verdict_text: &str, failed: &[&str]) {
    let (found, checks) = verdict(report);
    assert_eq!(
        (found.as_str(), checks),
        (verdict_text, failed.iter().map(ToString::to_string).collect()),
        "{report:#}"
    );
}

/// The signed document with its protected header changed by `edit`.
fn with_header(document: &str, edit: impl FnOnce(&mut Value)) -> String {
    let mut jws: Value = serde_json::from_str(document).unwrap();
    let protected = base64url::decode(jws["protected"].as_str().unwrap()).unwrap();
    let mut header: Value = serde_json::from_slice(&protected).unwrap();
    edit(&mut header);
    jws["protected"] = base64url::encode(header.to_string()).into();
    jws.to_string()
}

#[tokio::test]
async fn what_was_signed_here_passes() {
    let world = World::start().await;
    let document = signed(&world).await;
    let report = validate(&world, &document).await;
    assert_eq!(report["indication"], "TOTAL-PASSED", "{report:#}");
    assert_eq!(report.get("sub_indication"), None);
    let signature = &report["signatures"][0];
    assert_eq!(signature["format"], "jades");
    assert_eq!(signature["level"], "B-B");
    assert_eq!(signature["alg"], "ES256");
    assert_eq!(signature["signer"], "C=CH,SERIALNUMBER=alice,CN=Alice Meier");
    assert_eq!(signature["signing_time"], "2026-12-01T12:00:00.000Z");
    let ids = [
        "format",
        "signing_certificate",
        "certificate_chain",
        "chain_constraints",
        "certificate_validity",
        "revocation",
        "signature",
        "constraints",
    ];
    let status = |id| if id == "revocation" { "skipped" } else { "passed" };
    let passed: Vec<Value> = ids.iter().map(|id| json!({"id": id, "status": status(*id)})).collect();
    assert_eq!(signature["checks"], json!(passed));
    let snapshot = report["trust_snapshot"].as_str().unwrap();
    assert!(snapshot.starts_with("sha256:") && snapshot.len() == 71, "{snapshot}");
    assert!(report["receipt"]["sequence"].is_u64());

    let recorded = world.recorded().await;
    let entry = recorded.details("document.validated");
    assert_eq!(entry["indication"], "TOTAL-PASSED");
    assert_eq!(entry["digest"]["value"], sha256_base64(document.as_bytes()));
    assert_eq!(recorded.ledger.iter().filter(|(state, _)| state == "consumed").count(), 2);
}

#[tokio::test]
async fn a_raw_body_and_a_compact_jws_pass_too() {
    let world = World::start().await;
    let jws: Value = serde_json::from_str(&signed(&world).await).unwrap();
    let part = |name: &str| jws[name].as_str().unwrap().to_owned();
    let compact = format!("{}.{}.{}", part("protected"), part("payload"), part("signature"));
    let response = world
        .post("/v1/workers/verify/validate")
        .bearer_auth(world.token("verify", compact.as_bytes()))
        .header("content-type", "application/jose")
        .body(compact)
        .send()
        .await
        .unwrap();
    assert_eq!(ok(response).await["indication"], "TOTAL-PASSED");
}

/// The honest answer about a certificate that was made to live for ten minutes.
#[tokio::test]
async fn without_a_timestamp_nothing_can_be_said_after_the_certificate_expired() {
    let world = World::start().await;
    let document = signed(&world).await;
    world.clock.advance(Duration::from_secs(600));
    expect(&validate(&world, &document).await, "TOTAL-PASSED/-", &[]);
    world.clock.advance(Duration::from_secs(1));
    let report = validate(&world, &document).await;
    expect(&report, "INDETERMINATE/OUT_OF_BOUNDS_NO_POE", &["certificate_validity"]);
}

#[tokio::test]
async fn what_was_changed_fails() {
    let world = World::start().await;
    let document = signed(&world).await;
    let jws: Value = serde_json::from_str(&document).unwrap();

    let mut payload = jws.clone();
    payload["payload"] = base64url::encode("Alice gives Bob a bicycle.").into();
    expect(&validate(&world, &payload.to_string()).await, "TOTAL-FAILED/SIG_CRYPTO_FAILURE", &["signature"]);

    let mut bytes = base64url::decode(jws["signature"].as_str().unwrap()).unwrap();
    bytes[20] ^= 1;
    let mut signature = jws.clone();
    signature["signature"] = base64url::encode(bytes).into();
    expect(
        &validate(&world, &signature.to_string()).await,
        "TOTAL-FAILED/SIG_CRYPTO_FAILURE",
        &["signature"],
    );

    let earlier = with_header(&document, |header| header["iat"] = json!(NOW_S - 1));
    expect(&validate(&world, &earlier).await, "TOTAL-FAILED/SIG_CRYPTO_FAILURE", &["signature"]);

    let other_reference =
        with_header(&document, |header| header["x5t#S256"] = base64url::encode([0; 32]).into());
    expect(
        &validate(&world, &other_reference).await,
        "INDETERMINATE/NO_SIGNING_CERTIFICATE_FOUND",
        &["signing_certificate"],
    );
    let no_certificate = with_header(&document, |header| {
        header.as_object_mut().unwrap().remove("x5c");
    });
    expect(
        &validate(&world, &no_certificate).await,
        "INDETERMINATE/NO_SIGNING_CERTIFICATE_FOUND",
        &["signing_certificate"],
    );
    let critical = with_header(&document, |header| {
        header["crit"] = json!(["sigD"]);
        header["sigD"] = json!({});
    });
    expect(&validate(&world, &critical).await, "TOTAL-FAILED/FORMAT_FAILURE", &["signature"]);
    let other_alg = with_header(&document, |header| header["alg"] = "RS256".into());
    expect(&validate(&world, &other_alg).await, "INDETERMINATE/CRYPTO_CONSTRAINTS_FAILURE", &["signature"]);
    let no_alg = with_header(&document, |header| header["alg"] = "none".into());
    expect(&validate(&world, &no_alg).await, "INDETERMINATE/CRYPTO_CONSTRAINTS_FAILURE", &["signature"]);
}

#[tokio::test]
async fn what_is_no_signature_fails_by_its_format() {
    let world = World::start().await;
    for document in
        ["", "# Contract", "{}", r#"{"payload":"","protected":"","signature":""}"#, "a.b.c", "{\"payload\":"]
    {
        let report = validate(&world, document).await;
        expect(&report, "TOTAL-FAILED/FORMAT_FAILURE", &["format"]);
    }
}

/// A certificate of somebody else's making, with the same names: the key in `x5c` is no key.
#[tokio::test]
async fn a_certificate_in_the_document_is_not_believed_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let key = SigningKey::generate(Alg::Es256).unwrap();
    std::fs::write(path("key.der"), &*key.to_pkcs8_der().unwrap()).unwrap();
    let make = |subject: &str, usage: &str| {
        openssl(
            &[
                "req",
                "-x509",
                "-new",
                "-key",
                &path("key.der"),
                "-keyform",
                "DER",
                "-subj",
                subject,
                "-days",
                "3650",
                "-addext",
                usage,
                "-addext",
                "basicConstraints=critical,CA:FALSE",
            ],
            b"",
        )
    };
    let der = |pem: &str| {
        base64_simd::STANDARD
            .decode_to_vec(pem.lines().filter(|line| !line.starts_with('-')).collect::<String>())
            .unwrap()
    };
    let jades = |certificate: &[u8]| {
        let fingerprint = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate);
        Signer::new(&key)
            .typ("jose+json")
            .param("iat", NOW_S.into())
            .param("x5t#S256", base64url::encode(fingerprint).into())
            .param("x5c", json!([base64_simd::STANDARD.encode_to_string(certificate)]))
            .sign_flattened(DOCUMENT)
            .unwrap()
    };
    let forged = make("/CN=Alice Meier", "keyUsage=critical,digitalSignature");
    let world = World::start().await;
    let report = validate(&world, &jades(&der(&forged))).await;
    expect(&report, "INDETERMINATE/NO_CERTIFICATE_CHAIN_FOUND", &["certificate_chain"]);

    // The same certificate as a configured anchor is believed (from its own date on, which openssl makes today),
    // and one whose key is not for signing is not, anchor or not.
    let sealing = make("/CN=Sealing", "keyUsage=critical,keyEncipherment");
    std::fs::write(path("anchors.pem"), format!("{forged}{sealing}")).unwrap();
    let anchors = path("anchors.pem");
    let world = World::edited(|text| {
        text.replace(
            "trust: [{certificateAuthority: internal-short}]",
            &format!("trust: [{{file: {anchors}}}]"),
        )
    })
    .await;
    let report = validate(&world, &jades(&der(&forged))).await;
    assert_eq!(report["signatures"][0]["checks"][2], json!({"id": "certificate_chain", "status": "passed"}));
    let report = validate(&world, &jades(&der(&sealing))).await;
    assert!(verdict(&report).1.contains(&"chain_constraints".to_owned()), "{report:#}");
}

/// A signer may not issue: its certificate is no authority.
#[tokio::test]
async fn a_plain_jws_with_a_certificate_is_no_baseline_signature() {
    let world = World::start().await;
    let document = signed(&world).await;
    let without_time = with_header(&document, |header| {
        header.as_object_mut().unwrap().remove("iat");
    });
    let report = validate(&world, &without_time).await;
    assert_eq!(report["signatures"][0]["format"], "jws");
    let (_, failed) = verdict(&report);
    assert!(failed.contains(&"constraints".to_owned()), "{report:#}");
}
