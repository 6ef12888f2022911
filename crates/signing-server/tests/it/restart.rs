//! What outlives a restart.

use std::fs;

use sealwright_testkit::database::on_both_storages;

use crate::{
    certificate::openssl,
    support::{DOCUMENT, World, ok},
};

#[tokio::test]
async fn the_authority_and_the_used_tokens_outlive_a_restart() {
    on_both_storages(async |storage| {
        let mut world = World::start_with(storage, |text, _| text).await;
        let token = world.token("contracts", DOCUMENT);
        let before = ok(world.sign(&token).send().await.unwrap()).await;
        let file = world.storage.dir().join("keys/ca-internal-short.pem");
        let first = fs::read_to_string(&file).unwrap();
        world.restart().await;
        let second = fs::read_to_string(&file).unwrap();
        assert_eq!(first, second);
        assert_eq!(world.sign(&token).send().await.unwrap().status(), 409, "used before the restart");
        let after = ok(world.sign(&world.token("contracts", DOCUMENT)).send().await.unwrap()).await;
        assert_eq!(before["certificate"]["chain"][1], after["certificate"]["chain"][1]);
        openssl(&["x509", "-noout"], second.as_bytes());

        let recorded = world.recorded().await;
        let made = recorded.audit.iter().filter(|(event, ..)| event == "key.created").count();
        assert_eq!(made, 2, "the audit log's key and the authority's, once each");
    })
    .await;
}

#[tokio::test]
async fn no_private_key_of_a_signer_is_left_on_disk() {
    let world = World::start().await;
    ok(world.sign(&world.token("contracts", DOCUMENT)).send().await.unwrap()).await;
    let mut names: Vec<_> = fs::read_dir(world.storage.dir().join("keys"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".lock"))
        .collect();
    names.sort();
    assert_eq!(names, ["audit.pub.jwk", "audit.sealed.json", "ca-internal-short.pem", "ca.sealed.json"]);
}

#[tokio::test]
async fn the_audit_log_is_whole_after_work_and_restart() {
    let mut world = World::start().await;
    let answer = ok(world.sign(&world.token("contracts", DOCUMENT)).send().await.unwrap()).await;
    world.restart().await;
    world.stop().await;
    let key = fs::read_to_string(world.storage.dir().join("keys/audit.pub.jwk")).unwrap();
    let place = world.storage.dir().join("test.db");
    let source = sealwright_audit::verify::open(place.to_str().unwrap()).await.unwrap();
    let options = sealwright_audit::verify::Options {
        keys: vec![sealwright_jose::VerifyingKey::from_jwk(&key).unwrap()],
        checkpoint: Some(fs::read_to_string(world.storage.dir().join("checkpoint.jws")).unwrap()),
        receipt: Some(serde_json::from_value(answer["receipt"].clone()).unwrap()),
    };
    let report = sealwright_audit::verify::verify(source, &options).await.unwrap();
    assert!(report.is_whole(), "{report:?}");
    assert_eq!(report.receipt_found, Some(true));
    assert_eq!(report.after_checkpoint, 0);
}
