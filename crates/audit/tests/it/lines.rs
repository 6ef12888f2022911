//! Exports: what a line is, and what a changed one says.

use std::io::Cursor;

use sealwright_audit::verify::{self, Source};
use sealwright_keystore::KeyHandle;
use sealwright_service::database::Database;
use sealwright_testkit::database::{fresh_sqlite, on_both};
use serde_json::Value;

use crate::{MIGRATORS, fill, key, quiet, report, start, verdict, with_key};

async fn exported(db: &Database) -> String {
    let mut out = Vec::new();
    verify::export(Source::from_database(db).await.unwrap(), &mut out).await.unwrap();
    String::from_utf8(out).unwrap()
}

/// An export of 6 entries with a checkpoint of entry 4: header, 1 2 3 4, checkpoint, 5 6.
async fn export_of_6(db: &Database) -> (KeyHandle, String) {
    let key = key();
    let log = start(db, &key, quiet()).await.unwrap();
    fill(&log, 1, 4).await;
    log.checkpoint().await.unwrap();
    fill(&log, 5, 6).await;
    (key, exported(db).await)
}

async fn verdict_of(text: String, key: &KeyHandle) -> String {
    let source = Source::from_lines(Cursor::new(text)).unwrap();
    verdict(&verify::verify(source, &with_key(key)).await.unwrap())
}

#[tokio::test]
async fn an_export_says_what_the_database_says() {
    on_both(MIGRATORS, async |db| {
        let (key, text) = export_of_6(&db).await;
        let lines =
            verify::verify(Source::from_lines(Cursor::new(text)).unwrap(), &with_key(&key)).await.unwrap();
        assert_eq!(verdict(&lines), "whole");
        // The log that made the export is gone, and left a last checkpoint.
        let database = loop {
            let report = report(&db, &with_key(&key)).await;
            if report.checkpoints == 2 {
                break report;
            }
        };
        assert_eq!((lines.entries, lines.head, lines.checkpoints), (6, database.head, 1));
        assert_eq!((lines.first_time, lines.last_time), (database.first_time, database.last_time));
    })
    .await;
}

#[tokio::test]
async fn an_entry_is_one_line_with_its_members_in_order() {
    let db = fresh_sqlite(MIGRATORS).await;
    let (_, text) = export_of_6(&db).await;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], r#"{"log":"sealwright-audit/1","origin":"https://id.example"}"#);
    let entry: Value = serde_json::from_str(lines[2]).unwrap();
    assert_eq!(
        lines[2],
        format!(
            r#"{{"sequence":2,"time":1795305600000,"event":"document.signed","operation":"op_2","subject":"alice","details":{{"label":"contract „ä“\n.md","nr":2}},"salt":{},"previous":{},"entry":{}}}"#,
            entry["salt"], entry["previous"], entry["entry"]
        )
    );
    assert!(lines[1].contains(r#""subject":null"#));
    assert!(lines[5].starts_with(r#"{"checkpoint":"ey"#));
}

#[tokio::test]
async fn every_change_of_the_lines_is_found() {
    let db = fresh_sqlite(MIGRATORS).await;
    let (key, text) = export_of_6(&db).await;
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let after = async |edit: fn(&mut Vec<String>)| {
        let mut lines = lines.clone();
        edit(&mut lines);
        verdict_of(lines.join("\n") + "\n", &key).await
    };
    assert_eq!(after(|_| {}).await, "whole");
    assert_eq!(
        after(|l| l[3] = l[3].replace("op_3", "op_4")).await,
        "3 | entry 3: its hash does not match its content"
    );
    assert_eq!(
        after(|l| l[3] = l[3].replace(r#""details":{"#, r#""details":{ "#)).await,
        "3 | entry 3: its hash does not match its content"
    );
    assert_eq!(after(|l| drop(l.remove(3))).await, "3 | entry 3 is missing");
    assert_eq!(after(|l| l.swap(2, 3)).await, "2 | entry 2 is missing");
    assert_eq!(
        after(|l| l.insert(3, l[2].clone())).await,
        "2 | entry 2 stands again, or out of order, after entry 2"
    );
    assert_eq!(after(|l| l.truncate(4)).await, "whole");
    assert_eq!(after(|l| drop(l.remove(4))).await, "4 | entry 4 is missing");
    assert_eq!(
        after(|l| {
            l.truncate(6);
            l.remove(4);
        })
        .await,
        "4 | entry 4 is missing: the log ends at entry 3, but a checkpoint covers entry 4"
    );
    assert_eq!(after(|l| l.swap(5, 6)).await, "4 | the checkpoint of entry 4 stands out of order");
    assert_eq!(
        after(|l| l[5] = l[5].replace(r#""}"#, r#"A"}"#)).await,
        "4 | the checkpoint of entry 4 is not signed by a given key"
    );
    assert_eq!(
        after(|l| l[5] = r#"{"checkpoint":"x"}"#.into()).await,
        "4 | the checkpoint of entry 4 is not a checkpoint"
    );
    assert_eq!(
        after(|l| l[0] = l[0].replace("id.", "evil.")).await,
        "1 | entry 1: it does not begin the log of this origin"
    );
    assert!(after(|l| l[3] = "garbage".into()).await.starts_with("3 | entry 3: its line is not an entry: "));
    assert!(
        after(|l| l[3] = l[3].replace("{\"sequence\":3,", "{\"sequence\":3,\"sequence\":3,"))
            .await
            .contains("duplicate field")
    );
    assert!(
        after(|l| l[3] = l[3].replace("{\"sequence\":3,", "{\"sequence\":3,\"more\":3,"))
            .await
            .contains("unknown field")
    );
    assert_eq!(after(|l| l[3] = "x".repeat(1 << 20)).await, "3 | entry 3: its line is longer than any entry");
}

#[tokio::test]
async fn the_entries_of_an_operation_are_found_in_lines_too() {
    let db = fresh_sqlite(MIGRATORS).await;
    let (_, text) = export_of_6(&db).await;
    let shown = async |operation| {
        let records =
            verify::show(Source::from_lines(Cursor::new(text.clone())).unwrap(), operation).await.unwrap();
        records.iter().map(|record| record.sequence).collect::<Vec<_>>()
    };
    assert_eq!(shown("op_5").await, [5]);
    assert!(shown("op_55").await.is_empty());
}
