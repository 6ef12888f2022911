use std::{path::PathBuf, time::Duration};

use sealwright_audit::{AuditError, AuditLog, AuditOptions, Checkpoint, verify};
use sealwright_jose::jws::Unverified;
use sealwright_keystore::KeyHandle;
use sealwright_service::{clock::Clock, database::Database, shutdown::Shutdown};
use sealwright_testkit::database::on_both;

use crate::{MIGRATORS, ORIGIN, entry, fill, key, quiet, report, start, verdict, with_key};

/// The entries that checkpoints in the database cover up to.
async fn covered(db: &Database) -> Vec<i64> {
    sqlx::query_scalar("SELECT sequence FROM audit_checkpoint ORDER BY sequence")
        .fetch_all(db.reader())
        .await
        .unwrap()
}

async fn wait_for_checkpoint(db: &Database, sequence: i64) {
    for _ in 0..500 {
        if covered(db).await.last() == Some(&sequence) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no checkpoint of entry {sequence} after 5 s, but of {:?}", covered(db).await);
}

async fn start_with(
    db: &Database,
    key: &KeyHandle,
    options: AuditOptions,
    shutdown: &Shutdown,
) -> Result<AuditLog, AuditError> {
    AuditLog::start(db, ORIGIN, key.clone(), options, Clock::system(), shutdown.clone()).await
}

#[tokio::test]
async fn so_many_entries_make_a_checkpoint() {
    on_both(MIGRATORS, async |db| {
        let log = start(&db, &key(), AuditOptions { checkpoint_every: 3, ..quiet() }).await.unwrap();
        fill(&log, 1, 2).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(covered(&db).await.is_empty());
        fill(&log, 3, 3).await;
        wait_for_checkpoint(&db, 3).await;
        fill(&log, 4, 6).await;
        wait_for_checkpoint(&db, 6).await;
    })
    .await;
}

#[tokio::test]
async fn so_much_time_makes_a_checkpoint() {
    on_both(MIGRATORS, async |db| {
        let options = AuditOptions { checkpoint_after: Duration::from_millis(40), ..quiet() };
        let log = start(&db, &key(), options).await.unwrap();
        fill(&log, 1, 1).await;
        wait_for_checkpoint(&db, 1).await;
    })
    .await;
}

#[tokio::test]
async fn a_shutdown_ends_with_a_checkpoint_of_the_last_entry() {
    on_both(MIGRATORS, async |db| {
        let (key, shutdown) = (key(), Shutdown::new());
        let log = start_with(&db, &key, quiet(), &shutdown).await.unwrap();
        fill(&log, 1, 2).await;
        log.count_refusal("token_missing");
        shutdown.begin();
        wait_for_checkpoint(&db, 2).await;
        // A request that is still being answered leaves its entry.
        fill(&log, 3, 3).await;
        log.closed().await;
        let report = report(&db, &with_key(&key)).await;
        assert_eq!((verdict(&report), report.entries, report.after_checkpoint), ("whole".into(), 4, 0));
        assert!(matches!(log.append(entry(5)).await, Err(AuditError::Closed)));
        assert!(matches!(log.checkpoint().await, Err(AuditError::Closed)));
        log.closed().await;
    })
    .await;
}

#[tokio::test]
async fn a_log_that_was_dropped_ends_with_a_checkpoint_too() {
    on_both(MIGRATORS, async |db| {
        let log = start(&db, &key(), quiet()).await.unwrap();
        fill(&log, 1, 2).await;
        drop(log);
        wait_for_checkpoint(&db, 2).await;
    })
    .await;
}

#[tokio::test]
async fn a_checkpoint_says_what_it_should() {
    on_both(MIGRATORS, async |db| {
        let key = key();
        let log = start(&db, &key, quiet()).await.unwrap();
        let receipts = fill(&log, 1, 2).await;
        log.checkpoint().await.unwrap();
        log.checkpoint().await.unwrap();
        let jws: Vec<String> =
            sqlx::query_scalar("SELECT jws FROM audit_checkpoint").fetch_all(db.reader()).await.unwrap();
        assert_eq!(jws.len(), 1);
        let jws = Unverified::peek_compact(&jws[0]).unwrap();
        assert_eq!(jws.protected_header(), r#"{"alg":"ES256","kid":"audit-1","typ":"audit-checkpoint+jwt"}"#);
        let said: Checkpoint = serde_json::from_slice(jws.dangerous_payload()).unwrap();
        let time = crate::clock().now().as_millis();
        assert_eq!(
            said,
            Checkpoint { origin: ORIGIN.into(), sequence: 2, entry: receipts[1].entry.clone(), time }
        );
    })
    .await;
}

/// A log of 4 entries whose newest checkpoint is also in a file.
async fn with_file(db: &Database) -> (tempfile::TempDir, PathBuf, KeyHandle, AuditOptions) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("checkpoint.jws");
    let options = AuditOptions { checkpoint_file: Some(path.clone()), ..quiet() };
    let (key, shutdown) = (key(), Shutdown::new());
    let log = start_with(db, &key, options.clone(), &shutdown).await.unwrap();
    fill(&log, 1, 2).await;
    log.checkpoint().await.unwrap();
    fill(&log, 3, 4).await;
    shutdown.begin();
    log.closed().await;
    (dir, path, key, options)
}

#[tokio::test]
async fn the_file_holds_the_newest_checkpoint_and_nothing_is_left_beside_it() {
    on_both(MIGRATORS, async |db| {
        let (dir, path, key, options) = with_file(&db).await;
        let checkpoint = std::fs::read_to_string(&path).unwrap();
        assert_eq!(checkpoint.lines().count(), 1);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        let report = report(&db, &verify::Options { checkpoint: Some(checkpoint), ..with_key(&key) }).await;
        assert_eq!((verdict(&report), report.outside_found), ("whole".into(), Some(true)));
        start(&db, &key, options).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_server_does_not_start_on_a_log_that_was_cut() {
    on_both(MIGRATORS, async |db| {
        let (_dir, path, key, options) = with_file(&db).await;
        let execute = async |sql: &'static str| sqlx::query(sql).execute(db.writer()).await.unwrap();
        execute("DELETE FROM audit_entry WHERE sequence = 4").await;
        assert_eq!(
            start(&db, &key, options.clone()).await.unwrap_err().to_string(),
            "the audit log is not whole: it ends at entry 3, but a checkpoint covers entry 4"
        );
        execute("DELETE FROM audit_checkpoint WHERE sequence = 4").await;
        assert_eq!(
            start(&db, &key, options.clone()).await.unwrap_err().to_string(),
            format!(
                "the audit log is not whole: it ends at entry 3, and has not the entry 4 that {} says it had; \
                 find out why, then move that file away",
                path.display()
            )
        );
        std::fs::remove_file(&path).unwrap();
        start(&db, &key, options).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_checkpoint_file_that_is_something_else_is_not_overwritten() {
    on_both(MIGRATORS, async |db| {
        let (_dir, path, key, options) = with_file(&db).await;
        let refused = format!(
            "checkpoint file {}: it is not a checkpoint of this log by its present key, and would be overwritten; move it away",
            path.display()
        );
        let other_key = crate::key();
        assert_eq!(start(&db, &other_key, options.clone()).await.unwrap_err().to_string(), refused);
        std::fs::write(&path, "my notes\n").unwrap();
        assert_eq!(start(&db, &key, options).await.unwrap_err().to_string(), refused);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "my notes\n");
    })
    .await;
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_reported_and_the_log_goes_on() {
    on_both(MIGRATORS, async |db| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("absent/checkpoint.jws");
        let key = key();
        let options = AuditOptions { checkpoint_file: Some(path), ..quiet() };
        let log = start(&db, &key, options).await.unwrap();
        fill(&log, 1, 1).await;
        assert!(matches!(log.checkpoint().await, Err(AuditError::CheckpointFile { .. })));
        fill(&log, 2, 2).await;
        std::fs::create_dir(dir.path().join("absent")).unwrap();
        log.checkpoint().await.unwrap();
        assert_eq!(verdict(&report(&db, &with_key(&key)).await), "whole");
    })
    .await;
}
