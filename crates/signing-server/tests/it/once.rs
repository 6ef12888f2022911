//! One token, one signature.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use insta::assert_snapshot;
use sealwright_testkit::database::on_both_storages;
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{DOCUMENT, NOW_S, World, in_two_pieces, json_body, ok, show, unfinished};

#[tokio::test]
async fn a_token_is_good_for_one_signature() {
    let world = World::start().await;
    let token = world.token("contracts", DOCUMENT);
    ok(world.sign(&token).send().await.unwrap()).await;
    assert_snapshot!(show(world.sign(&token).send().await.unwrap()).await, @r#"
    409
    content-type: application/problem+json
    cache-control: no-store
    {
      "code": "token_replayed",
      "status": 409,
      "title": "The token was used before",
      "type": "https://sealwright.dev/problems/token_replayed"
    }
    "#);
    let recorded = world.recorded().await;
    assert_eq!(recorded.events(), ["certificate.issued", "signature.created", "signature.refused"]);
    assert_eq!(recorded.details("signature.refused")["code"], "token_replayed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_concurrent_requests_with_one_token_one_is_signed() {
    on_both_storages(async |storage| {
        let world = World::start_with(storage, |text, _| text).await;
        let token = world.token("contracts", DOCUMENT);
        let mut requests = JoinSet::new();
        let barrier = Arc::new(tokio::sync::Barrier::new(50));
        for _ in 0..50 {
            let (request, barrier) = (world.sign(&token), Arc::clone(&barrier));
            requests.spawn(async move {
                barrier.wait().await;
                request.send().await.unwrap().status().as_u16()
            });
        }
        let mut outcomes = BTreeMap::new();
        for status in requests.join_all().await {
            *outcomes.entry(status).or_insert(0) += 1;
        }
        assert_eq!(outcomes, BTreeMap::from([(200, 1), (409, 49)]));
        let recorded = world.recorded().await;
        let count = |event: &str| recorded.events().iter().filter(|name| **name == event).count();
        assert_eq!(
            (count("signature.created"), count("signature.refused")),
            (1, 1),
            "one replay stands for all"
        );
        assert_eq!(count("certificate.issued"), 1, "no key was certified for those who lost");
    })
    .await;
}

#[tokio::test]
async fn a_token_is_used_up_across_workers_and_formats() {
    let world = World::start().await;
    let mut claims = world.claims("contracts", DOCUMENT);
    let validate = world.claims("verify", DOCUMENT)["authorization_details"][0].clone();
    claims["authorization_details"].as_array_mut().unwrap().push(validate);
    let token = world.issuer.token(claims);
    ok(world.sign(&token).send().await.unwrap()).await;
    let second = world.post("/v1/workers/verify/validate").bearer_auth(&token).json(&json_body(DOCUMENT));
    assert_eq!(second.send().await.unwrap().status(), 409);
}

#[tokio::test]
async fn a_used_token_is_still_refused_within_the_skew_after_its_end() {
    let world = World::start().await;
    let mut claims = world.claims("contracts", DOCUMENT);
    claims["exp"] = json!(NOW_S + 5);
    let token = world.issuer.token(claims);
    ok(world.sign(&token).send().await.unwrap()).await;
    world.clock.advance(Duration::from_secs(64));
    assert_eq!(world.sign(&token).send().await.unwrap().status(), 409);
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(world.sign(&token).send().await.unwrap().status(), 401);
}

/// Whoever has a token cannot fill the log with it: one replay is an entry, the others are counted.
#[tokio::test]
async fn replays_are_recorded_once_and_then_counted() {
    let mut world = World::start().await;
    let token = world.token("contracts", DOCUMENT);
    ok(world.sign(&token).send().await.unwrap()).await;
    for _ in 0..5 {
        assert_eq!(world.sign(&token).send().await.unwrap().status(), 409);
    }
    let other = world.token("contracts", b"another");
    for _ in 0..12 {
        assert_eq!(world.sign(&other).send().await.unwrap().status(), 403);
    }
    world.stop().await;
    let recorded = world.recorded().await;
    let refused = |code: &str| {
        let entries = recorded.audit.iter().filter(|(event, ..)| event == "signature.refused");
        entries.filter(|(_, _, details)| details["code"] == code).count()
    };
    assert_eq!((refused("token_replayed"), refused("hash_not_authorized")), (1, 10));
    let counted = recorded.strangers().to_string();
    assert!(
        counted.contains("\"token_replayed\":4") && counted.contains("\"hash_not_authorized\":2"),
        "{counted}"
    );
}

/// Nothing of a document is read for a token that cannot sign it any more.
#[tokio::test]
async fn a_used_token_is_refused_before_the_body() {
    let world = World::start().await;
    let token = world.token("contracts", DOCUMENT);
    ok(world.sign(&token).send().await.unwrap()).await;
    let answer = unfinished(&world, &token).await.answer().await;
    assert!(answer.starts_with("HTTP/1.1 409 Conflict\r\n"), "{answer}");
    assert!(answer.contains("token_replayed"), "{answer}");
}

#[tokio::test]
async fn a_token_has_one_upload_at_a_time() {
    let world = World::start().await;
    let token = world.token("contracts", DOCUMENT);
    let mut first = unfinished(&world, &token).await;
    first.is_waited_for().await;
    let answer = unfinished(&world, &token).await.answer().await;
    assert!(answer.starts_with("HTTP/1.1 409 Conflict\r\n"), "{answer}");
    drop(first);
    // Nothing was signed, so the token is still good once the server has noticed.
    for _ in 0..100 {
        let status = world.sign(&token).send().await.unwrap().status();
        if status == 200 {
            return;
        }
        assert_eq!(status, 409);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the token of an upload that was cut off stays taken");
}

#[tokio::test]
async fn a_token_that_expires_while_the_body_is_sent_is_refused() {
    let world = World::start().await;
    let clock = world.clock.clone();
    let (first, second) = DOCUMENT.split_at(10);
    let pieces = in_two_pieces(first, second, move || clock.advance(Duration::from_secs(3600)));
    let response = world
        .post("/v1/workers/contracts/sign")
        .bearer_auth(world.token("contracts", DOCUMENT))
        .header("content-type", "text/markdown")
        .body(pieces)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 401);
    let recorded = world.recorded().await;
    recorded.assert_nothing_signed();
    assert_eq!(recorded.details("signature.refused")["code"], "token_expired");
}

/// The authority has expired, so there is no certificate: an honest 500, a record, and the token is given back.
#[tokio::test]
async fn a_failure_before_the_signature_gives_the_token_back() {
    let world = World::start().await;
    world.clock.advance(Duration::from_secs(3650 * 24 * 3600));
    let now_s = world.clock.now().as_secs();
    let mut claims = world.claims("contracts", DOCUMENT);
    claims["iat"] = json!(now_s);
    claims["exp"] = json!(now_s + 300);
    claims["auth_time"] = json!(now_s);
    let token = world.issuer.token(claims);
    assert_snapshot!(show(world.sign(&token).send().await.unwrap()).await, @r#"
    500
    content-type: application/problem+json
    cache-control: no-store
    {
      "code": "internal_error",
      "status": 500,
      "title": "The server made a mistake",
      "type": "https://sealwright.dev/problems/internal_error"
    }
    "#);
    assert_eq!(world.sign(&token).send().await.unwrap().status(), 500, "not 409: it was given back");
    let recorded = world.recorded().await;
    recorded.assert_nothing_signed();
    let states: Vec<&str> = recorded.ledger.iter().map(|(state, _)| state.as_str()).collect();
    assert_eq!(states, ["released"]);
    assert_eq!(recorded.events(), ["signature.refused", "signature.refused"]);
}

/// Whoever goes away after sending has used the token: the operation runs to its end, and is recorded.
#[tokio::test]
async fn a_client_that_goes_away_leaves_no_reservation_behind() {
    let world = World::start().await;
    let request = world.sign(&world.token("contracts", DOCUMENT)).send();
    let _ = tokio::time::timeout(Duration::from_millis(5), request).await;
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let recorded = world.recorded().await;
        if recorded.ledger.iter().all(|(state, _)| state != "reserved") {
            let signed = recorded.events().contains(&"signature.created");
            let consumed = recorded.ledger.iter().any(|(state, _)| state == "consumed");
            if signed == consumed {
                return;
            }
        }
    }
    panic!("the reservation stays: {:?}", world.recorded().await);
}
