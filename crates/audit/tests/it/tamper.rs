//! What somebody who can write to the database does, and what verification says.

use aws_lc_rs::digest::{SHA256, digest};
use sealwright_audit::{AuditLog, verify::Options};
use sealwright_jose::base64url;
use sealwright_keystore::KeyHandle;
use sealwright_service::database::{Database, Kind};
use sealwright_testkit::database::on_both;
use sqlx::{AssertSqlSafe, Row};

use crate::{MIGRATORS, fill, key, quiet, report, start, verdict, with_key};

/// A log of 12 entries with checkpoints of entries 5 and 10, held open so that no other is written.
async fn log_of_12(db: &Database) -> (KeyHandle, AuditLog) {
    let key = key();
    let log = start(db, &key, quiet()).await.unwrap();
    for (from, to) in [(1, 5), (6, 10)] {
        fill(&log, from, to).await;
        log.checkpoint().await.unwrap();
    }
    fill(&log, 11, 12).await;
    for table in ["audit_log", "audit_entry", "audit_checkpoint"] {
        run(db, &format!("CREATE TABLE good_{table} AS SELECT * FROM {table}")).await;
    }
    (key, log)
}

async fn run(db: &Database, statements: &str) {
    for statement in statements.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
        sqlx::query(AssertSqlSafe(statement.to_owned()))
            .persistent(false)
            .execute(db.writer())
            .await
            .unwrap();
    }
}

async fn restore(db: &Database) {
    for table in ["audit_log", "audit_entry", "audit_checkpoint"] {
        run(db, &format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM good_{table}")).await;
    }
}

/// Computes the hashes of entry `from` and all behind it again, as the documentation describes them.
async fn rehash(db: &Database, from: i64) {
    let rows = sqlx::query(
        "SELECT sequence, time, event, operation, subject, details, salt, previous FROM audit_entry
          WHERE sequence >= $1 ORDER BY sequence",
    )
    .bind(from)
    .fetch_all(db.writer())
    .await
    .unwrap();
    let mut previous: Option<String> = None;
    for row in rows {
        let json = |column| serde_json::to_string(&row.get::<Option<String>, _>(column)).unwrap();
        let before = previous.unwrap_or_else(|| row.get("previous"));
        let text = format!(
            r#"{{"sequence":{},"time":{},"event":{},"operation":{},"subject":{},"details":{},"salt":{},"previous":"{before}"}}"#,
            row.get::<i64, _>("sequence"),
            row.get::<i64, _>("time"),
            json("event"),
            json("operation"),
            json("subject"),
            row.get::<String, _>("details"),
            json("salt"),
        );
        let hash = base64url::encode(digest(&SHA256, format!("sealwright-audit-entry/1\n{text}").as_bytes()));
        sqlx::query("UPDATE audit_entry SET previous = $1, entry = $2 WHERE sequence = $3")
            .bind(before)
            .bind(hash.as_str())
            .bind(row.get::<i64, _>("sequence"))
            .execute(db.writer())
            .await
            .unwrap();
        previous = Some(hash);
    }
}

/// Statements that both databases take, and the fault.
const CASES: &[(&str, &str)] = &[
    // Edits, one a column.
    (
        "UPDATE audit_entry SET details = '{\"nr\":8}' WHERE sequence = 7",
        "7 | entry 7: its hash does not match its content",
    ),
    (
        "UPDATE audit_entry SET details = ' ' || details WHERE sequence = 7",
        "7 | entry 7: its hash does not match its content",
    ),
    (
        "UPDATE audit_entry SET details = '\"x\"' WHERE sequence = 7",
        "7 | entry 7: its hash does not match its content",
    ),
    (
        "UPDATE audit_entry SET details = '{}, \"more\": {}' WHERE sequence = 7",
        "7 | entry 7: its hash does not match its content",
    ),
    (
        "UPDATE audit_entry SET time = time + 1 WHERE sequence = 1",
        "1 | entry 1: its hash does not match its content",
    ),
    (
        "UPDATE audit_entry SET event = 'token.issued' WHERE sequence = 12",
        "12 | entry 12: its hash does not match its content",
    ),
    (
        "UPDATE audit_entry SET subject = 'bob' WHERE sequence = 8",
        "8 | entry 8: its hash does not match its content",
    ),
    (
        "UPDATE audit_entry SET subject = NULL WHERE sequence = 8",
        "8 | entry 8: its hash does not match its content",
    ),
    (
        "UPDATE audit_entry SET subject = '' WHERE sequence = 7",
        "7 | entry 7: its hash does not match its content",
    ),
    (
        "UPDATE audit_entry SET operation = 'op_1' WHERE sequence = 3",
        "3 | entry 3: its hash does not match its content",
    ),
    (
        "UPDATE audit_entry SET salt = 'AAAAAAAAAAAAAAAAAAAAAA' WHERE sequence = 3",
        "3 | entry 3: its hash does not match its content",
    ),
    (
        "UPDATE audit_entry SET previous = entry WHERE sequence = 3",
        "3 | entry 3: its hash does not match its content",
    ),
    (
        "UPDATE audit_entry SET entry = previous WHERE sequence = 3",
        "3 | entry 3: its hash does not match its content",
    ),
    // Removals.
    ("DELETE FROM audit_entry WHERE sequence = 1", "1 | entry 1 is missing"),
    ("DELETE FROM audit_entry WHERE sequence = 5", "5 | entry 5 is missing"),
    ("DELETE FROM audit_entry WHERE sequence IN (6, 7, 8)", "6 | entries 6 to 8 are missing"),
    (
        "DELETE FROM audit_entry WHERE sequence = 8; UPDATE audit_entry SET sequence = sequence - 1 WHERE sequence = 9; UPDATE audit_entry SET sequence = sequence - 1 WHERE sequence = 10; UPDATE audit_entry SET sequence = sequence - 1 WHERE sequence = 11; UPDATE audit_entry SET sequence = sequence - 1 WHERE sequence = 12",
        "8 | entry 8: its hash does not match its content",
    ),
    (
        "DELETE FROM audit_entry",
        "1 | entry 1 is missing: the log ends at entry 0, but a checkpoint covers entry 10",
    ),
    // Reordering.
    (
        "UPDATE audit_entry SET sequence = 99 WHERE sequence = 3; UPDATE audit_entry SET sequence = 3 WHERE sequence = 4; UPDATE audit_entry SET sequence = 4 WHERE sequence = 99",
        "3 | entry 3: its hash does not match its content",
    ),
    // Insertion.
    (
        "INSERT INTO audit_entry SELECT 13, time, event, operation, subject, details, salt, previous, entry FROM audit_entry WHERE sequence = 12",
        "13 | entry 13: its hash does not match its content",
    ),
    (
        "INSERT INTO audit_entry SELECT 0, time, event, operation, subject, details, salt, previous, entry FROM audit_entry WHERE sequence = 12",
        "0 | entry 0 stands again, or out of order, after entry 0",
    ),
    // A cut tail.
    (
        "DELETE FROM audit_entry WHERE sequence >= 8",
        "8 | entry 8 is missing: the log ends at entry 7, but a checkpoint covers entry 10",
    ),
    ("DELETE FROM audit_entry WHERE sequence = 10", "10 | entry 10 is missing"),
    // Checkpoints.
    (
        "UPDATE audit_checkpoint SET jws = 'x' WHERE sequence = 5",
        "5 | the checkpoint of entry 5 is not a checkpoint",
    ),
    (
        "UPDATE audit_checkpoint SET jws = jws || 'A' WHERE sequence = 10",
        "10 | the checkpoint of entry 10 is not signed by a given key",
    ),
    (
        "UPDATE audit_checkpoint SET sequence = 11 WHERE sequence = 10",
        "11 | the checkpoint of entry 11 is one of entry 10",
    ),
    (
        "UPDATE audit_checkpoint SET sequence = 4 WHERE sequence = 5",
        "4 | the checkpoint of entry 4 is one of entry 5",
    ),
    // The origin.
    (
        "UPDATE audit_log SET origin = 'https://evil.example'",
        "1 | entry 1: it does not begin the log of this origin",
    ),
];

#[tokio::test]
async fn every_change_is_found_and_the_first_bad_entry_named() {
    on_both(MIGRATORS, async |db| {
        let (key, _log) = log_of_12(&db).await;
        for (statements, fault) in CASES {
            run(&db, statements).await;
            assert_eq!(verdict(&report(&db, &with_key(&key)).await), *fault, "{statements}");
            restore(&db).await;
        }
        let report = report(&db, &with_key(&key)).await;
        assert_eq!((verdict(&report), report.checkpoints, report.after_checkpoint), ("whole".into(), 2, 2));
    })
    .await;
}

/// SQLite keeps any type in any column.
#[tokio::test]
async fn a_row_that_holds_no_entry_is_a_fault() {
    on_both(MIGRATORS, async |db| {
        if db.kind() != Kind::Sqlite {
            return;
        }
        let (key, _log) = log_of_12(&db).await;
        for (statement, fault) in [
            (
                "UPDATE audit_entry SET details = x'00' WHERE sequence = 7",
                "7 | entry 7: its row does not hold an entry",
            ),
            (
                "UPDATE audit_entry SET time = 'noon' WHERE sequence = 7",
                "7 | entry 7: its row does not hold an entry",
            ),
            (
                "UPDATE audit_entry SET sequence = 'x' WHERE sequence = 12",
                "12 | entry 12: its row does not hold an entry",
            ),
            (
                "UPDATE audit_checkpoint SET jws = x'00' WHERE sequence = 5",
                "5 | the checkpoint of entry 5 is not a checkpoint",
            ),
            (
                "UPDATE audit_checkpoint SET sequence = 'x' WHERE sequence = 5",
                "9223372036854775807 | the checkpoint of entry",
            ),
        ] {
            run(&db, statement).await;
            let verdict = verdict(&report(&db, &with_key(&key)).await);
            assert!(verdict.starts_with(fault), "{statement}: {verdict}");
            restore(&db).await;
        }
    })
    .await;
}

#[tokio::test]
async fn entries_replaced_with_all_their_hashes_are_found_by_the_checkpoint() {
    on_both(MIGRATORS, async |db| {
        let (key, _log) = log_of_12(&db).await;
        run(&db, "UPDATE audit_entry SET subject = 'mallory' WHERE sequence = 8").await;
        rehash(&db, 8).await;
        assert_eq!(
            verdict(&report(&db, &with_key(&key)).await),
            "6 | one of the entries 6 to 10 was replaced: the checkpoint names another hash for entry 10"
        );
        restore(&db).await;

        // With only its own hash, the next one shows it.
        run(&db, "UPDATE audit_entry SET subject = 'mallory' WHERE sequence = 8; CREATE TABLE kept AS SELECT * FROM audit_entry WHERE sequence > 8").await;
        rehash(&db, 8).await;
        run(&db, "DELETE FROM audit_entry WHERE sequence > 8; INSERT INTO audit_entry SELECT * FROM kept").await;
        assert_eq!(
            verdict(&report(&db, &with_key(&key)).await),
            "9 | entry 9: it does not follow entry 8; one of the two was replaced"
        );
        restore(&db).await;

        // Behind the last checkpoint nothing in the log can show it: the report says how much stands there.
        run(&db, "UPDATE audit_entry SET subject = 'mallory' WHERE sequence = 12").await;
        rehash(&db, 12).await;
        let report = report(&db, &with_key(&key)).await;
        assert_eq!((verdict(&report), report.after_checkpoint), ("whole".into(), 2));
    })
    .await;
}

#[tokio::test]
async fn a_tail_cut_with_its_checkpoints_shows_only_against_what_was_kept_outside() {
    on_both(MIGRATORS, async |db| {
        let (key, log) = log_of_12(&db).await;
        let kept: String = sqlx::query_scalar("SELECT jws FROM audit_checkpoint WHERE sequence = 10")
            .fetch_one(db.reader())
            .await
            .unwrap();
        run(&db, "DELETE FROM audit_entry WHERE sequence > 7; DELETE FROM audit_checkpoint WHERE sequence = 10").await;

        let inside = report(&db, &with_key(&key)).await;
        assert_eq!((verdict(&inside), inside.covered, inside.after_checkpoint), ("whole".into(), 5, 2));
        assert_eq!(
            inside.to_string().lines().nth(4).unwrap(),
            "2 entries after the last checkpoint: a cut there shows only against a checkpoint or receipt kept elsewhere"
        );

        let outside = Options { checkpoint: Some(kept.clone() + "\n"), ..with_key(&key) };
        let cut = report(&db, &outside).await;
        assert_eq!(
            (verdict(&cut), cut.outside_found),
            ("8 | entry 8 is missing: the log ends at entry 7, but the outside checkpoint covers entry 10".into(), Some(false))
        );
        drop(log);
        restore(&db).await;

        let whole = report(&db, &outside).await;
        assert_eq!((verdict(&whole), whole.outside_found), ("whole".into(), Some(true)));

        // All rewritten, and the checkpoints in the log thrown away.
        run(&db, "UPDATE audit_entry SET subject = 'mallory' WHERE sequence = 8; DELETE FROM audit_checkpoint").await;
        rehash(&db, 8).await;
        assert_eq!(verdict(&report(&db, &with_key(&key)).await), "whole");
        assert_eq!(
            verdict(&report(&db, &outside).await),
            "1 | one of the entries 1 to 10 was replaced: the outside checkpoint names another hash for entry 10"
        );
    })
    .await;
}

#[tokio::test]
async fn a_checkpoint_by_another_key_does_not_count() {
    on_both(MIGRATORS, async |db| {
        let (_, _log) = log_of_12(&db).await;
        let stranger = key();
        let verdict_of_stranger = verdict(&report(&db, &with_key(&stranger)).await);
        assert_eq!(verdict_of_stranger, "5 | the checkpoint of entry 5 is not signed by a given key");

        let unchecked = report(&db, &Options::default()).await;
        assert_eq!((verdict(&unchecked), unchecked.checkpoints_checked), ("whole".into(), false));
        assert_eq!(
            unchecked.to_string().lines().nth(3).unwrap(),
            "2 checkpoints, who signed was not checked: no key was given"
        );
    })
    .await;
}

#[tokio::test]
async fn an_outside_checkpoint_of_another_log_or_key_is_refused() {
    on_both(MIGRATORS, async |db| {
        let (key, _log) = log_of_12(&db).await;
        let with = |checkpoint: &str| Options { checkpoint: Some(checkpoint.to_owned()), ..with_key(&key) };
        let jws: String = sqlx::query_scalar("SELECT jws FROM audit_checkpoint WHERE sequence = 10")
            .fetch_one(db.reader())
            .await
            .unwrap();
        let mut parts = jws.split('.');
        let (header, _, signature) = (parts.next().unwrap(), parts.next(), parts.next().unwrap());
        let forged = base64url::encode(format!(
            r#"{{"origin":"{}","sequence":10,"entry":"x","time":0}}"#,
            crate::ORIGIN
        ));
        assert_eq!(
            verdict(&report(&db, &with(&format!("{header}.{forged}.{signature}"))).await),
            "10 | the outside checkpoint of entry 10 is not signed by a given key"
        );

        let source = sealwright_audit::verify::Source::from_database(&db).await.unwrap();
        let error = sealwright_audit::verify::verify(source, &with("no JWS")).await.unwrap_err();
        assert_eq!(error.to_string(), "the outside checkpoint is not a checkpoint");
    })
    .await;
}
