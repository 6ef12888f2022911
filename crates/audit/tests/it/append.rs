use sealwright_audit::{AuditError, Entry, Receipt, verify};
use sealwright_testkit::database::{on_both, on_both_storages};
use serde_json::json;

use crate::{MIGRATORS, ORIGIN, clock, entry, fill, key, place, quiet, report, start, verdict, with_key};

#[tokio::test]
async fn receipts_form_a_chain_from_1_without_gaps() {
    on_both(MIGRATORS, async |db| {
        let key = key();
        let log = start(&db, &key, quiet()).await.unwrap();
        let receipts = fill(&log, 1, 5).await;
        assert_eq!(receipts.iter().map(|r| r.sequence).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        for pair in receipts.windows(2) {
            assert_eq!(pair[1].previous, pair[0].entry);
        }
        log.checkpoint().await.unwrap();

        let report = report(&db, &with_key(&key)).await;
        assert_eq!(
            report.to_string(),
            format!(
                "log of https://id.example\n\
                 5 entries, 2026-11-22T00:00:00.000Z to 2026-11-22T00:00:00.000Z\n\
                 head: {}\n\
                 1 checkpoint, signed by the given key\n\
                 whole",
                receipts[4].entry
            )
        );
    })
    .await;
}

#[tokio::test]
async fn a_log_goes_on_after_a_restart() {
    on_both(MIGRATORS, async |db| {
        let key = key();
        for nr in 1..=3 {
            let log = start(&db, &key, quiet()).await.unwrap();
            assert_eq!(log.append(entry(nr)).await.unwrap().sequence, nr as i64);
        }
        assert_eq!(verdict(&report(&db, &with_key(&key)).await), "whole");
    })
    .await;
}

#[tokio::test]
async fn an_empty_log_is_whole() {
    on_both(MIGRATORS, async |db| {
        let key = key();
        let log = start(&db, &key, quiet()).await.unwrap();
        log.checkpoint().await.unwrap();
        let report = report(&db, &with_key(&key)).await;
        assert_eq!(report.to_string(), "log of https://id.example\nno entries\n0 checkpoints\nwhole");
    })
    .await;
}

#[tokio::test]
async fn a_database_of_another_log_is_refused() {
    on_both(MIGRATORS, async |db| {
        let log = start(&db, &key(), quiet()).await.unwrap();
        drop(log);
        let other = sealwright_audit::AuditLog::start(
            &db,
            "https://other.example",
            key(),
            quiet(),
            clock(),
            sealwright_service::shutdown::Shutdown::new(),
        );
        assert_eq!(
            other.await.unwrap_err().to_string(),
            format!("this database holds the audit log of `{ORIGIN}`, not of `https://other.example`")
        );
    })
    .await;
}

#[tokio::test]
async fn what_no_database_could_keep_is_refused_and_spoils_nothing_else() {
    type Change = fn(&mut Entry);
    on_both(MIGRATORS, async |db| {
        let key = key();
        let log = start(&db, &key, quiet()).await.unwrap();
        let with = |change: Change| {
            let mut entry = entry(2);
            change(&mut entry);
            entry
        };
        let cases: [(Change, &str); 6] = [
            (|e| e.details = json!([1]), "`details` of an audit entry is not a JSON object"),
            (
                |e| e.details = json!({"x": "y".repeat(65536)}),
                "`details` of an audit entry is longer than 64 KiB",
            ),
            (|e| e.subject = Some("a\0b".into()), "`subject` of an audit entry contains a NUL character"),
            (|e| e.operation = Some("\0".into()), "`operation` of an audit entry contains a NUL character"),
            (|e| e.subject = Some("s".repeat(1025)), "`subject` of an audit entry is longer than 1024 bytes"),
            (
                |e| e.operation = Some("o".repeat(1025)),
                "`operation` of an audit entry is longer than 1024 bytes",
            ),
        ];
        for (change, why) in cases {
            let (good, bad) = tokio::join!(log.append(entry(1)), log.append(with(change)));
            good.unwrap();
            assert_eq!(bad.unwrap_err().to_string(), why);
        }
        // NUL in a JSON string is escaped there, and so can be kept.
        log.append(with(|e| e.details = json!({"label": "\0"}))).await.unwrap();
        let report = report(&db, &with_key(&key)).await;
        assert_eq!((verdict(&report), report.entries), ("whole".into(), 7));
    })
    .await;
}

#[tokio::test]
async fn no_secret_reaches_the_table() {
    const TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl";
    on_both(MIGRATORS, async |db| {
        let log = start(&db, &key(), quiet()).await.unwrap();
        let details = json!({
            "password": "hunter2", "nested": [{"client_secret": "hunter2"}], "code_verifier": "hunter2",
            "note": TOKEN, "header": format!("Bearer {TOKEN}"), "worker": "contracts",
        });
        let subject = Some("alice".to_owned());
        log.append(Entry { event: "token.issued", operation: None, subject, details }).await.unwrap();
        let stored: String =
            sqlx::query_scalar("SELECT details FROM audit_entry").fetch_one(db.reader()).await.unwrap();
        assert_eq!(
            stored,
            r#"{"code_verifier":"[redacted]","header":"[redacted]","nested":[{"client_secret":"[redacted]"}],"note":"[redacted]","password":"[redacted]","worker":"contracts"}"#
        );
    })
    .await;
}

#[tokio::test]
async fn a_receipt_is_found_in_the_log_and_nothing_else_is() {
    on_both(MIGRATORS, async |db| {
        let key = key();
        let log = start(&db, &key, quiet()).await.unwrap();
        let receipts = fill(&log, 1, 3).await;
        let look_for = async |receipt: &Receipt| {
            let report =
                report(&db, &verify::Options { receipt: Some(receipt.clone()), ..with_key(&key) }).await;
            (report.receipt_found, verdict(&report))
        };
        assert_eq!(look_for(&receipts[1]).await, (Some(true), "whole".into()));

        let changed = Receipt { entry: receipts[0].entry.clone(), ..receipts[1].clone() };
        let replaced =
            "1 | one of the entries 1 to 2 was replaced: the receipt names another hash for entry 2";
        assert_eq!(look_for(&changed).await, (Some(false), replaced.into()));
        let later = Receipt { sequence: 9, ..receipts[1].clone() };
        let cut = "4 | entry 4 is missing: the log ends at entry 3, but the receipt is of entry 9";
        assert_eq!(look_for(&later).await, (Some(false), cut.into()));
        let never = Receipt { sequence: 0, ..receipts[1].clone() };
        assert_eq!(
            look_for(&never).await,
            (Some(false), "0 | the receipt is of entry 0, which no log has".into())
        );
    })
    .await;
}

#[test]
fn a_receipt_is_read_alone_or_out_of_a_response() {
    let receipt = Receipt { sequence: 2, entry: "e".into(), previous: "p".into() };
    let json = serde_json::to_string(&receipt).unwrap();
    assert_eq!(Receipt::parse(&json).unwrap(), receipt);
    assert_eq!(Receipt::parse(&format!(r#"{{"operation_id":"op_1","receipt":{json}}}"#)).unwrap(), receipt);
    assert!(matches!(Receipt::parse("{}"), Err(AuditError::Input(_))));
    assert!(matches!(Receipt::parse("sequence=1"), Err(AuditError::Input(_))));
}

/// The path and the URL that `audit verify` is given, while the server holds the database open.
#[tokio::test]
async fn a_log_can_be_verified_by_path_and_url_while_it_grows() {
    on_both_storages(async |storage| {
        let db = storage.open(MIGRATORS).await;
        let key = key();
        let log = start(&db, &key, sealwright_audit::AuditOptions { checkpoint_every: 3, ..quiet() })
            .await
            .unwrap();
        log.append(entry(0)).await.unwrap();
        let writing = tokio::spawn({
            let log = log.clone();
            async move { fill(&log, 1, 300).await.len() }
        });
        let mut runs = 0;
        while !writing.is_finished() || runs == 0 {
            let source = verify::open(&place(&storage)).await.unwrap();
            assert_eq!(verdict(&verify::verify(source, &with_key(&key)).await.unwrap()), "whole");
            runs += 1;
        }
        assert_eq!(writing.await.unwrap(), 300);
        let shown = verify::show(verify::open(&place(&storage)).await.unwrap(), "op_7").await.unwrap();
        assert_eq!(shown.iter().map(|record| record.sequence).collect::<Vec<_>>(), [8]);
        db.close().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_no_log_is_refused() {
    let dir = sealwright_testkit::temp_dir();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let said = async |name: &str| verify::open(&path(name)).await.unwrap_err().to_string();
    assert!(said("absent").await.contains("No such file"));
    let neither = r#"neither a SQLite database nor an export, whose first line begins with {"log":"sealwright-audit/1""#;
    std::fs::write(path("empty"), "").unwrap();
    assert_eq!(said("empty").await, neither);
    std::fs::write(path("text"), "{\"log\":\"other/1\",\"origin\":\"x\"}\n").unwrap();
    assert_eq!(said("text").await, neither);

    let fresh = sealwright_testkit::database::fresh_sqlite(&[]).await;
    assert_eq!(
        verify::open(&place(fresh.storage())).await.unwrap_err().to_string(),
        "this database holds no audit log"
    );
}
