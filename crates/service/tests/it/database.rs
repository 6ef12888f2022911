//! The same store on both databases, and the ways in which opening one fails.

use std::{fs, path::Path};

use sealwright_service::{
    database::{Database, DatabaseError, Kind, PostgresSpec, SqliteSpec, StorageSpec, is_unique_violation},
    secret::SecretRef,
};
use sealwright_testkit::{database as testkit, temp_dir};
use sqlx::{Row, migrate::Migrator};

static THINGS: Migrator = sqlx::migrate!("tests/migrations");
static OWNERS: Migrator = sqlx::migrate!("tests/more_migrations");

async fn add(db: &Database, id: &str) -> sqlx::Result<()> {
    let sql = "INSERT INTO thing (id, note) VALUES ($1, $2)";
    sqlx::query(sql).bind(id).bind(None::<String>).execute(db.writer()).await.map(drop)
}

/// One of many wins, because the rule is in the statement.
async fn consume(db: &Database, id: &str, now: i64) -> bool {
    let sql = "UPDATE thing SET used_at = $2 WHERE id = $1 AND used_at IS NULL RETURNING id";
    sqlx::query(sql).bind(id).bind(now).fetch_optional(db.writer()).await.unwrap().is_some()
}

#[tokio::test]
async fn several_migrators_share_one_run() {
    testkit::on_both(&[&OWNERS, &THINGS], async |db| {
        add(&db, "a").await.unwrap();
        let sql = "INSERT INTO owner (id, thing) VALUES ($1, $2)";
        sqlx::query(sql).bind("o").bind("a").execute(db.writer()).await.unwrap();
        let error = sqlx::query(sql).bind("p").bind("missing").execute(db.writer()).await.unwrap_err();
        let error = error.as_database_error().expect("a constraint");
        assert!(error.is_foreign_key_violation(), "{error}");
        db.ping().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_second_row_with_the_key_is_a_unique_violation() {
    testkit::on_both(&[&THINGS], async |db| {
        add(&db, "a").await.unwrap();
        let error = add(&db, "a").await.unwrap_err();
        assert!(is_unique_violation(&error), "{error}");
        let error = sqlx::query("SELECT nothing FROM thing").execute(db.reader()).await.unwrap_err();
        assert!(!is_unique_violation(&error), "{error}");
    })
    .await;
}

#[tokio::test]
async fn of_many_consumers_one_wins() {
    testkit::on_both(&[&THINGS], async |db| {
        add(&db, "code").await.unwrap();
        let mut all = tokio::task::JoinSet::new();
        for now in 0..50 {
            let db = db.clone();
            all.spawn(async move { consume(&db, "code", now).await });
        }
        let winners = all.join_all().await.into_iter().filter(|won| *won).count();
        assert_eq!(winners, 1);
    })
    .await;
}

#[tokio::test]
async fn writing_transactions_do_not_lose_updates() {
    testkit::on_both(&[&THINGS], async |db| {
        sqlx::query("INSERT INTO thing (id, used_at) VALUES ('n', 0)").execute(db.writer()).await.unwrap();
        let lock = if db.kind() == Kind::Postgres { " FOR UPDATE" } else { "" };
        let read = format!("SELECT used_at FROM thing WHERE id = 'n'{lock}");
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let (db, read) = (db.clone(), read.clone());
            all.spawn(async move {
                let mut transaction = db.begin_write().await.unwrap();
                let row = sqlx::query(sqlx::AssertSqlSafe(read)).fetch_one(&mut *transaction).await.unwrap();
                let next = row.get::<i64, _>(0) + 1;
                let update = sqlx::query("UPDATE thing SET used_at = $1 WHERE id = 'n'").bind(next);
                update.execute(&mut *transaction).await.unwrap();
                transaction.commit().await.unwrap();
            });
        }
        all.join_all().await;
        let row = sqlx::query("SELECT used_at FROM thing").fetch_one(db.reader()).await.unwrap();
        assert_eq!(row.get::<i64, _>(0), 20);
    })
    .await;
}

#[tokio::test]
async fn a_dropped_transaction_leaves_nothing() {
    testkit::on_both(&[&THINGS], async |db| {
        let mut transaction = db.begin_write().await.unwrap();
        sqlx::query("INSERT INTO thing (id) VALUES ('x')").execute(&mut *transaction).await.unwrap();
        drop(transaction);
        add(&db, "x").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn replicas_may_start_at_the_same_time() {
    testkit::on_both_storages(async |storage| {
        let migrators: [&'static Migrator; 2] = [&THINGS, &OWNERS];
        let open = || Database::open(storage.spec(), storage.dir(), &migrators);
        let (a, b, c, d) = tokio::join!(open(), open(), open(), open());
        for db in [a, b, c, d] {
            let db = db.unwrap();
            assert_eq!(sqlx::query("SELECT * FROM thing").fetch_all(db.reader()).await.unwrap().len(), 0);
            db.close().await;
        }
    })
    .await;
}

#[tokio::test]
async fn rows_survive_a_restart_and_an_older_program_refuses() {
    testkit::on_both_storages(async |storage| {
        let db = storage.open(&[&THINGS, &OWNERS]).await;
        add(&db, "kept").await.unwrap();
        db.close().await;

        let error = Database::open(storage.spec(), storage.dir(), &[&THINGS]).await.unwrap_err();
        assert!(matches!(error, DatabaseError::Newer { version: 2026010201, .. }), "{error}");

        let db = storage.open(&[&THINGS, &OWNERS]).await;
        let row = sqlx::query("SELECT id, used_at, note FROM thing").fetch_one(db.reader()).await.unwrap();
        assert_eq!(row.get::<String, _>("id"), "kept");
        assert_eq!(row.get::<Option<i64>, _>("used_at"), None);
        assert_eq!(row.get::<Option<String>, _>("note"), None);
        db.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_version_that_stands_twice_is_refused() {
    let storage = testkit::sqlite_storage();
    let error = Database::open(storage.spec(), storage.dir(), &[&THINGS, &THINGS]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "two migrations have the version 2026010101: `thing` and `thing`; versions must be unique over all crates"
    );
}

#[tokio::test]
async fn sqlite_is_durable_private_and_read_only_for_readers() {
    let fresh = testkit::fresh_sqlite(&[&THINGS]).await;
    assert_eq!(fresh.kind(), Kind::Sqlite);
    for pool in [fresh.reader(), fresh.writer()] {
        let pragma = async |sql: &'static str| {
            let row = sqlx::query(sql).fetch_one(pool).await.unwrap();
            row.try_get::<i64, _>(0)
                .map(|number| number.to_string())
                .or_else(|_| row.try_get::<String, _>(0))
                .unwrap()
        };
        assert_eq!(pragma("PRAGMA journal_mode").await, "wal");
        assert_eq!(pragma("PRAGMA synchronous").await, "2");
        assert_eq!(pragma("PRAGMA foreign_keys").await, "1");
        assert_eq!(pragma("PRAGMA busy_timeout").await, "5000");
    }
    let error = sqlx::query("DELETE FROM thing").execute(fresh.reader()).await.unwrap_err();
    assert!(error.to_string().contains("readonly"), "{error}");

    #[cfg(unix)]
    for entry in fs::read_dir(fresh.storage().dir()).unwrap() {
        use std::os::unix::fs::PermissionsExt;
        let entry = entry.unwrap();
        assert_eq!(
            entry.metadata().unwrap().permissions().mode() & 0o777,
            0o600,
            "{}",
            entry.path().display()
        );
    }
}

#[tokio::test]
async fn a_path_is_taken_literally() {
    let dir = temp_dir();
    for name in ["a b.db", "100%41.db", "what?mode=memory.db", "hash#1.db", "ümlaut.db"] {
        let spec = sqlite(name);
        Database::open(&spec, dir.path(), &[&THINGS]).await.unwrap().close().await;
        assert!(dir.path().join(name).metadata().unwrap().len() > 0, "{name}");
    }
    let stray: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(stray.len(), 5, "{stray:?}");
}

fn sqlite(path: &str) -> StorageSpec {
    StorageSpec { sqlite: Some(SqliteSpec { path: path.into() }), postgres: None }
}

async fn refusal(spec: &StorageSpec, dir: &Path) -> String {
    let error = Database::open(spec, dir, &[&THINGS]).await.unwrap_err();
    error.to_string().replace(&dir.display().to_string(), "DIR")
}

#[tokio::test]
async fn what_cannot_be_opened_says_what_to_do() {
    let dir = temp_dir();
    assert_eq!(
        refusal(&sqlite("missing/x.db"), dir.path()).await,
        "the database file DIR/missing/x.db cannot be opened (No such file or directory (os error 2)); its folder must exist and \
         be writable by the server"
    );
    fs::write(
        dir.path().join("text.db"),
        "this is a letter, and a long one, so that it cannot be taken for an empty file\n".repeat(9),
    )
    .unwrap();
    assert_eq!(
        refusal(&sqlite("text.db"), dir.path()).await,
        "DIR/text.db cannot be used; check that it is a database that this server may write"
    );
    assert_eq!(
        refusal(&StorageSpec::default(), dir.path()).await,
        "name exactly one of `sqlite` and `postgres` under `storage`"
    );
}

#[tokio::test]
async fn a_postgres_url_never_shows_its_password() {
    let dir = temp_dir();
    for (url, expected) in [
        (
            "postgres://u:hunter2@127.0.0.1:1/db?application_name=hunter2",
            "cannot connect to postgres://127.0.0.1:1/db; check that it runs there and that user, password and database are right",
        ),
        (
            "postgres:///db?host=/nonexistent&password=hunter2",
            "cannot connect to postgres:///nonexistent:5432/db; check that it runs there and that user, password and database are right",
        ),
        (
            "mysql://u:hunter2@127.0.0.1/db",
            "the PostgreSQL URL is not valid (its scheme is not `postgres`); write postgres://user:password@host:5432/database",
        ),
        (
            "hunter2",
            "the PostgreSQL URL is not valid (it is not a URL); write postgres://user:password@host:5432/database",
        ),
        (
            "postgres:///db?password=hunter2",
            "the PostgreSQL URL is not valid (it names no host); write postgres://user:password@host:5432/database",
        ),
    ] {
        fs::write(dir.path().join("url"), url).unwrap();
        let url = SecretRef { file: Some("url".into()), env: None };
        let spec = StorageSpec { sqlite: None, postgres: Some(PostgresSpec { url, max_connections: None }) };
        let error = Database::open(&spec, dir.path(), &[&THINGS]).await.unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}
