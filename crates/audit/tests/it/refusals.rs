use std::time::Duration;

use sealwright_audit::AuditOptions;
use sealwright_service::database::Database;
use sealwright_testkit::database::on_both;

use crate::{MIGRATORS, fill, key, quiet, start};

async fn summaries(db: &Database) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT details FROM audit_entry WHERE event = 'refusals.summarised' ORDER BY sequence",
    )
    .fetch_all(db.reader())
    .await
    .unwrap()
}

#[tokio::test]
async fn refusals_of_strangers_become_one_entry_of_counts() {
    on_both(MIGRATORS, async |db| {
        let log = start(&db, &key(), quiet()).await.unwrap();
        for _ in 0..10_000 {
            log.count_refusal("token_missing");
        }
        log.count_refusal("token_invalid");
        fill(&log, 1, 1).await;
        assert!(summaries(&db).await.is_empty());
        log.checkpoint().await.unwrap();
        log.checkpoint().await.unwrap();
        assert_eq!(summaries(&db).await, [r#"{"token_invalid":1,"token_missing":10000}"#]);
    })
    .await;
}

#[tokio::test]
async fn they_are_summarised_from_time_to_time_if_there_were_any() {
    on_both(MIGRATORS, async |db| {
        let options = AuditOptions { summarise_every: Duration::from_millis(20), ..quiet() };
        let log = start(&db, &key(), options).await.unwrap();
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert!(summaries(&db).await.is_empty());
        log.count_refusal("client_unknown");
        for _ in 0..500 {
            if !summaries(&db).await.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(summaries(&db).await, [r#"{"client_unknown":1}"#]);
    })
    .await;
}
