//! Databases that clean up after themselves.

use sealwright_service::database::Kind;
use sealwright_testkit::database;
use sqlx::{Connection, PgConnection};

async fn exists(name: &str) -> bool {
    let url = std::env::var(database::POSTGRES_VARIABLE).expect("checked by `postgres_storage`");
    let mut conn = PgConnection::connect(&url).await.expect("the test server runs");
    let row = sqlx::query("SELECT 1 FROM pg_database WHERE datname = $1")
        .bind(name)
        .fetch_optional(&mut conn)
        .await;
    row.expect("the catalogue can be read").is_some()
}

#[tokio::test]
async fn a_postgres_database_is_dropped_with_its_guard_even_while_it_is_in_use() {
    let fresh = database::fresh_postgres(&[]).await;
    assert_eq!(fresh.kind(), Kind::Postgres);
    let name: String =
        sqlx::query_scalar("SELECT current_database()::text").fetch_one(fresh.reader()).await.unwrap();
    assert!(exists(&name).await);
    drop(fresh);
    assert!(!exists(&name).await);
}

#[tokio::test]
async fn the_yaml_of_a_storage_names_the_same_place() {
    database::on_both_storages(async |storage| {
        let yaml = storage.yaml();
        assert!(yaml.contains(&storage.dir().display().to_string()), "{yaml}");
        let db = storage.open(&[]).await;
        db.ping().await.unwrap();
        db.close().await;
    })
    .await;
}
