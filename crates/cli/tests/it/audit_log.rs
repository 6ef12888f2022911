//! A small audit log, and what somebody could do to it.

use std::{fs, path::Path, time::Duration};

use sealwright_audit::{AuditLog, AuditOptions, Entry, MIGRATOR, verify};
use sealwright_jose::{Alg, SigningKey};
use sealwright_keystore::in_memory;
use sealwright_service::{
    clock::{Clock, Timestamp},
    database::{Database, SqliteSpec, StorageSpec},
    shutdown::Shutdown,
};

/// Writes `sign.db` with three entries and a checkpoint, what was kept outside of it (`checkpoint.jws`,
/// `receipt.json`, `audit.jwk`), and exports that were tampered with.
pub(crate) fn write(folder: &Path) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(write_log(folder));
    let log = runtime.block_on(export(folder));
    let lines: Vec<&str> = log.lines().collect();
    let file = |name: &str, lines: &[&str]| {
        fs::write(folder.join(name), lines.join("\n") + "\n").expect("the sandbox can be written");
    };
    let &[header, one, two, three, checkpoint] = lines.as_slice() else {
        panic!("a header, three entries and a checkpoint: {log}");
    };
    file("edited.jsonl", &[header, one, &two.replace("alice", "mallory"), three, checkpoint]);
    file("removed.jsonl", &[header, one, three, checkpoint]);
    file("reordered.jsonl", &[header, two, one, three, checkpoint]);
    file("cut.jsonl", &[header, one, two]);
}

async fn write_log(folder: &Path) {
    let storage = StorageSpec { sqlite: Some(SqliteSpec { path: "sign.db".into() }), postgres: None };
    let database = Database::open(&storage, folder, &[&MIGRATOR]).await.expect("a new database");
    let key = SigningKey::generate(Alg::Ed25519).expect("a key");
    let public = key.verifying_key().with_kid("audit").to_jwk();
    fs::write(folder.join("audit.jwk"), public).expect("the sandbox can be written");

    let clock = Clock::fixed(Timestamp::from_secs(1_764_547_200));
    let options = AuditOptions {
        checkpoint_after: Duration::from_secs(3600),
        checkpoint_file: Some(folder.join("checkpoint.jws")),
        ..AuditOptions::default()
    };
    let shutdown = Shutdown::new();
    let log = AuditLog::start(
        &database,
        "https://sign.example",
        in_memory("audit", key),
        options,
        clock.clone(),
        shutdown.clone(),
    )
    .await
    .expect("a new log");
    for (event, subject) in
        [("server.started", None), ("signature.created", Some("alice")), ("server.ended", None)]
    {
        clock.advance(Duration::from_secs(60));
        let receipt = log
            .append(Entry {
                event,
                operation: subject.map(|_| "op_1".to_owned()),
                subject: subject.map(str::to_owned),
                details: serde_json::json!({"worker": "contracts"}),
            })
            .await
            .expect("the log is open");
        if event == "signature.created" {
            let receipt = serde_json::to_string(&receipt).expect("a receipt is JSON");
            fs::write(folder.join("receipt.json"), receipt).expect("the sandbox can be written");
        }
    }
    shutdown.begin();
    log.closed().await;
    database.close().await;
}

async fn export(folder: &Path) -> String {
    let place = folder.join("sign.db");
    let source = verify::open(place.to_str().expect("a path in UTF-8")).await.expect("the log is there");
    let mut text = Vec::new();
    verify::export(source, &mut text).await.expect("a whole log");
    String::from_utf8(text).expect("an export is text")
}
