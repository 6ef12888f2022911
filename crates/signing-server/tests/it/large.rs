//! Large documents, and those that are too large.

use insta::assert_snapshot;
use sealwright_jose::jws::{Limits, Policy, Unverified};
use serde_json::Value;

use crate::support::{World, decode, in_two_pieces, json_body, ok, show};

const MIB: usize = 1 << 20;

/// Bytes that no encoder can take for text.
fn document(len: usize) -> Vec<u8> {
    (0..len).map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

fn payload(signed: &str) -> Vec<u8> {
    let limits = Limits::default().token_bytes(signed.len());
    Unverified::peek_flattened_with(signed, Policy::Strict, &limits).unwrap().dangerous_payload().to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_mebibytes_are_signed_and_validated() {
    let world = World::start().await;
    let document = document(50 * MIB);
    let response = world
        .post("/v1/workers/contracts/sign")
        .bearer_auth(world.token("contracts", &document))
        .header("content-type", "application/octet-stream")
        .header("accept", "application/jose+json")
        .body(document.clone())
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let signed = response.text().await.unwrap();
    assert!(payload(&signed) == document);

    let response = world
        .post("/v1/workers/verify/validate")
        .bearer_auth(world.token("verify", signed.as_bytes()))
        .header("content-type", "application/jose+json")
        .body(signed)
        .send()
        .await
        .unwrap();
    assert_eq!(ok(response).await["indication"], "TOTAL-PASSED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn base64_in_json_is_as_good() {
    let world = World::start().await;
    let document = document(10 * MIB + 1);
    let request = world
        .post("/v1/workers/contracts/sign")
        .bearer_auth(world.token("contracts", &document))
        .json(&json_body(&document));
    let answer = ok(request.send().await.unwrap()).await;
    let signed = String::from_utf8(decode(&answer["output"]["content"])).unwrap();
    assert!(payload(&signed) == document);
}

#[tokio::test]
async fn a_document_over_the_limit_is_refused_and_nothing_is_used_up() {
    let world = World::edited(|text| text.replace("maxInputBytes: 104857600", "maxInputBytes: 1000")).await;
    let fits = document(1000);
    let over = document(1001);
    let token = world.token("contracts", &fits);
    let raw = |body: reqwest::Body| {
        world
            .post("/v1/workers/contracts/sign")
            .bearer_auth(&token)
            .header("content-type", "application/octet-stream")
            .body(body)
            .send()
    };
    assert_snapshot!(show(raw(over.clone().into()).await.unwrap()).await, @r#"
    413
    content-type: application/problem+json
    cache-control: no-store
    {
      "code": "document_too_large",
      "detail": "the limit is 1000 bytes",
      "status": 413,
      "title": "The document is too large for this worker",
      "type": "https://sealwright.dev/problems/document_too_large"
    }
    "#);
    // Without Content-Length, too.
    let chunked = in_two_pieces(&over[..500], &over[500..], || ());
    assert_eq!(raw(chunked).await.unwrap().status(), 413);
    let json = async |document: &[u8]| {
        let request = world.post("/v1/workers/contracts/sign").bearer_auth(&token).json(&json_body(document));
        request.send().await.unwrap()
    };
    assert_eq!(json(&over).await.json::<Value>().await.unwrap()["code"], "document_too_large");
    assert_eq!(json(&document(200_000)).await.status(), 413);

    let recorded = world.recorded().await;
    recorded.assert_nothing_signed();
    assert!(recorded.ledger.is_empty());
    assert_eq!(recorded.events(), vec!["signature.refused"; 4]);
    assert_eq!(json(&fits).await.status(), 200);
}
