use std::collections::BTreeSet;

use sealwright_audit::{AuditLog, AuditOptions};
use sealwright_testkit::database::{fresh_postgres, on_both};

use crate::{MIGRATORS, entry, key, quiet, report, start, verdict, with_key};

/// Appends `count` entries at once and gives their numbers.
async fn append_at_once(log: &AuditLog, count: usize) -> Vec<i64> {
    let appends: Vec<_> = (0..count)
        .map(|nr| {
            let log = log.clone();
            tokio::spawn(async move { log.append(entry(nr)).await.unwrap().sequence })
        })
        .collect();
    let mut sequences = Vec::new();
    for append in appends {
        sequences.push(append.await.unwrap());
    }
    sequences
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_get_places_of_their_own() {
    on_both(MIGRATORS, async |db| {
        let key = key();
        let log = start(&db, &key, AuditOptions { checkpoint_every: 50, ..quiet() }).await.unwrap();
        let sequences: BTreeSet<i64> = append_at_once(&log, 2000).await.into_iter().collect();
        assert_eq!(sequences, (1..=2000).collect());
        log.checkpoint().await.unwrap();
        let report = report(&db, &with_key(&key)).await;
        assert_eq!((verdict(&report), report.entries, report.after_checkpoint), ("whole".into(), 2000, 0));
    })
    .await;
}

/// PostgreSQL marks each row with the transaction that wrote it, so that they can be counted.
#[tokio::test]
async fn entries_that_arrive_together_are_committed_together() {
    let db = fresh_postgres(MIGRATORS).await;
    let log = start(&db, &key(), quiet()).await.unwrap();
    append_at_once(&log, 1000).await;
    let transactions: i64 = sqlx::query_scalar("SELECT COUNT(DISTINCT xmin::text) FROM audit_entry")
        .fetch_one(db.reader())
        .await
        .unwrap();
    assert!(transactions <= 100, "{transactions} transactions for 1000 entries");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_processes_on_one_postgresql_write_one_chain() {
    let fresh = fresh_postgres(MIGRATORS).await;
    let key = key();
    let mut writers = Vec::new();
    for _ in 0..3 {
        let db = fresh.storage().open(MIGRATORS).await;
        let log = start(&db, &key, quiet()).await.unwrap();
        writers.push(tokio::spawn(async move {
            let mut sequences = Vec::new();
            for _ in 0..6 {
                for _ in 0..5 {
                    sequences.extend(append_at_once(&log, 5).await);
                }
                log.checkpoint().await.unwrap();
            }
            db.close().await;
            sequences
        }));
    }
    let mut sequences = BTreeSet::new();
    for writer in writers {
        sequences.extend(writer.await.unwrap());
    }
    assert_eq!(sequences, (1..=450).collect());
    let report = report(&fresh, &with_key(&key)).await;
    assert_eq!((verdict(&report), report.entries), ("whole".into(), 450));
    assert_eq!(report.checkpoints, 3 * 6, "{report}");
}
