//! A database for each test, on SQLite and on PostgreSQL.
//!
//! PostgreSQL is the one that `SEALWRIGHT_TEST_POSTGRES` names, by the URL of a user who may create databases. Without the
//! variable the test fails: a half that is skipped is a half that is never right.
//!
//! # Examples
//!
//! ```no_run
//! # async fn example(migrator: &'static sqlx::migrate::Migrator) {
//! use sealwright_testkit::database;
//!
//! database::on_both(&[migrator], async |db| {
//!     sqlx::query("INSERT INTO thing (id) VALUES ($1)").bind("a").execute(db.writer()).await.unwrap();
//! })
//! .await;
//! # }
//! ```

use std::{fs, ops::Deref, path::Path};

use sealwright_service::{
    database::{Database, PostgresSpec, SqliteSpec, StorageSpec},
    random,
    secret::SecretRef,
};
use sqlx::{AssertSqlSafe, Connection as _, Executor, PgConnection, migrate::Migrator};

use crate::{TempDir, temp_dir};

/// The variable that names the PostgreSQL for tests.
pub const POSTGRES_VARIABLE: &str = "SEALWRIGHT_TEST_POSTGRES";

/// An empty place for a database; what is in it goes away when this is dropped.
#[derive(Debug)]
pub struct Storage {
    spec: StorageSpec,
    // Fields are dropped in order: first the database, then the folder with its URL.
    _postgres: Option<PostgresDatabase>,
    dir: TempDir,
}

impl Storage {
    /// The place as a spec with absolute paths.
    pub fn spec(&self) -> &StorageSpec {
        &self.spec
    }

    /// The place as the YAML of a spec, such as `{sqlite: {path: "/…/test.db"}}`, for tests that write resources.
    pub fn yaml(&self) -> String {
        let path = |name: &str| self.dir.path().join(name).display().to_string();
        if self.spec.sqlite.is_some() {
            format!("{{sqlite: {{path: {:?}}}}}", path(SQLITE_FILE))
        } else {
            format!("{{postgres: {{url: {{file: {:?}}}}}}}", path(URL_FILE))
        }
    }

    /// The folder that goes with it.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Opens it once more, as a second process or a restart would.
    ///
    /// # Panics
    ///
    /// If it cannot be opened or migrated.
    pub async fn open(&self, migrators: &[&'static Migrator]) -> Database {
        match Database::open(&self.spec, self.dir.path(), migrators).await {
            Ok(db) => db,
            Err(error) => panic!("the test's database cannot be opened: {}", chain(&error)),
        }
    }
}

/// An open database and the place that it is in. Lends itself as a [`Database`].
#[derive(Debug)]
pub struct Fresh {
    db: Database,
    storage: Storage,
}

impl Fresh {
    /// The place.
    pub fn storage(&self) -> &Storage {
        &self.storage
    }
}

impl Deref for Fresh {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.db
    }
}

const SQLITE_FILE: &str = "test.db";
const URL_FILE: &str = "postgres.url";

/// A place for an SQLite file that does not exist yet.
pub fn sqlite_storage() -> Storage {
    let dir = temp_dir();
    let sqlite = SqliteSpec { path: dir.path().join(SQLITE_FILE) };
    let spec = StorageSpec { sqlite: Some(sqlite), postgres: None };
    Storage { spec, _postgres: None, dir }
}

/// A PostgreSQL database of its own, without tables.
///
/// # Panics
///
/// With a sentence saying what to do, if no PostgreSQL is named or it does not let us create a database.
pub async fn postgres_storage() -> Storage {
    let dir = temp_dir();
    let postgres = PostgresDatabase::create().await;
    let file = dir.path().join(URL_FILE);
    write_private(&file, &postgres.url());
    let url = SecretRef { file: Some(file), env: None };
    let spec = StorageSpec { sqlite: None, postgres: Some(PostgresSpec { url, max_connections: Some(8) }) };
    Storage { spec, _postgres: Some(postgres), dir }
}

/// A migrated SQLite database.
///
/// # Panics
///
/// If it cannot be opened or migrated.
pub async fn fresh_sqlite(migrators: &[&'static Migrator]) -> Fresh {
    let storage = sqlite_storage();
    Fresh { db: storage.open(migrators).await, storage }
}

/// A migrated PostgreSQL database.
///
/// # Panics
///
/// As [`postgres_storage`] does, and if it cannot be migrated.
pub async fn fresh_postgres(migrators: &[&'static Migrator]) -> Fresh {
    let storage = postgres_storage().await;
    Fresh { db: storage.open(migrators).await, storage }
}

/// Runs `test` on a fresh SQLite database, then on a fresh PostgreSQL one.
///
/// # Panics
///
/// When the test does, and as [`fresh_postgres`] does.
pub async fn on_both(migrators: &[&'static Migrator], test: impl AsyncFn(Database)) {
    eprintln!("-- on SQLite");
    let fresh = fresh_sqlite(migrators).await;
    test(fresh.db.clone()).await;
    fresh.close().await;

    eprintln!("-- on PostgreSQL");
    let fresh = fresh_postgres(migrators).await;
    test(fresh.db.clone()).await;
    fresh.close().await;
}

/// Runs `test` with an empty SQLite place, then with an empty PostgreSQL one: for tests that start a whole server.
///
/// # Panics
///
/// When the test does, and as [`postgres_storage`] does.
pub async fn on_both_storages(test: impl AsyncFn(Storage)) {
    eprintln!("-- on SQLite");
    test(sqlite_storage()).await;
    eprintln!("-- on PostgreSQL");
    test(postgres_storage().await).await;
}

/// A database that is dropped with this, also when the test panicked.
#[derive(Debug)]
struct PostgresDatabase {
    admin_url: String,
    name: String,
}

impl PostgresDatabase {
    async fn create() -> Self {
        let Ok(admin_url) = std::env::var(POSTGRES_VARIABLE) else {
            panic!(
                "this test needs PostgreSQL: run `cargo xtask test`, which starts one, or set {POSTGRES_VARIABLE} to the URL \
                 of a user who may create databases, such as postgres://postgres@127.0.0.1:5432/postgres"
            );
        };
        let suffix: String = random::bytes::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
        let name = format!("sealwright_test_{suffix}");
        // `template0` has no sessions, so tests that start at the same time do not disturb each other.
        let statement = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'");
        if let Err(error) = administer(&admin_url, statement).await {
            panic!(
                "the PostgreSQL that {POSTGRES_VARIABLE} names does not create a database: {}",
                chain(&error)
            );
        }
        Self { admin_url, name }
    }

    /// The administrator's URL with this database in place of theirs.
    fn url(&self) -> String {
        let (base, query) = match self.admin_url.split_once('?') {
            Some((base, query)) => (base, format!("?{query}")),
            None => (self.admin_url.as_str(), String::new()),
        };
        let authority = base.find("://").map_or(0, |at| at + 3);
        let end = base[authority..].find('/').map_or(base.len(), |at| authority + at);
        format!("{}/{}{query}", &base[..end], self.name)
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let url = self.admin_url.clone();
        // The test's own runtime cannot be waited for here; a thread with a small one can.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map(|runtime| runtime.block_on(administer(&url, statement)))
        });
        if !matches!(dropped.join(), Ok(Ok(Ok(())))) {
            eprintln!("the database {} could not be dropped", self.name);
        }
    }
}

async fn administer(url: &str, statement: String) -> sqlx::Result<()> {
    let mut conn = PgConnection::connect(url).await?;
    conn.execute(AssertSqlSafe(statement)).await?;
    conn.close().await
}

/// The server warns of secrets that others may read; a test's log should not.
fn write_private(path: &Path, text: &str) {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written =
        options.open(path).and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
    written.expect("the test's folder is writable");
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
