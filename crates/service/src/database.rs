//! SQLite or PostgreSQL behind one pool type, so that the servers write each statement once.
//!
//! # Writing SQL for both
//!
//! Statements and migrations run unchanged on both databases when they keep to what both speak: `TEXT` and `BIGINT`
//! columns (times are milliseconds, flags 0 or 1, JSON and binary are text), numbered parameters `$1`, `ON CONFLICT`,
//! `RETURNING`, and conditional `UPDATE`s. `BLOB`/`BYTEA`, `BOOLEAN`, `TIMESTAMP`, `AUTOINCREMENT` and `SERIAL` differ.
//!
//! # Migrations
//!
//! Each crate that stores something has a folder of migrations, and a server opens its database with all of them. They
//! share one table of versions, so a version must be unique over all crates. sqlx reads the version from the digits before
//! the **first** underscore: name a file `2026112201_audit.sql` (date and a two-digit number that no other crate uses on
//! that day), not `20261122_01_audit.sql`. A version that stands twice is an error at the start.

mod error;
mod listen;
mod migrate;
mod postgres;
mod sqlite;

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use sqlx::{Any, AnyPool, migrate::Migrator};

use crate::secret::{Secret, SecretRef};

pub use error::DatabaseError;
pub use listen::Listener;

/// What a storage function takes: a connection from a pool or of a transaction, of either database.
pub type Connection = sqlx::AnyConnection;

/// `spec.storage`: where a server keeps its state; exactly one of `sqlite` and `postgres`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct StorageSpec {
    /// One file, for one server process.
    pub sqlite: Option<SqliteSpec>,
    /// A PostgreSQL database, which several replicas may share.
    pub postgres: Option<PostgresSpec>,
}

/// `spec.storage.sqlite`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SqliteSpec {
    /// The database file, relative to the resource's folder; created with mode 0600 if it is not there.
    pub path: PathBuf,
}

/// `spec.storage.postgres`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PostgresSpec {
    /// Where the connection URL is (`postgres://user:password@host:5432/database`); it holds a password.
    pub url: SecretRef,
    /// The largest number of connections of this process. Default: 10.
    #[schemars(range(min = 1, max = 1000))]
    pub max_connections: Option<u32>,
}

/// Which of the two it is, for the few places that must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One file of this machine.
    Sqlite,
    /// A server that replicas may share.
    Postgres,
}

/// An open, migrated database; cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    kind: Kind,
    /// The path, or `host:port/database`: what errors may say.
    place: String,
    reader: AnyPool,
    writer: AnyPool,
    /// Where to connect once more, for what does not go through a pool. Only PostgreSQL.
    listen_url: Option<Secret>,
}

impl Database {
    /// Opens the database that `spec` names, creates it if needed (SQLite), and brings its tables up to date.
    ///
    /// Several replicas may do this at the same time: one migrates, the others wait. All `migrators` share one table
    /// of versions; see [the module](self) for how files are named.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`], whose text names the file or host and says what to do; never a password.
    pub async fn open(
        spec: &StorageSpec,
        base_dir: &Path,
        migrators: &[&'static Migrator],
    ) -> Result<Self, DatabaseError> {
        sqlx::any::install_default_drivers();
        let migrator = migrate::merge(migrators)?;
        match (&spec.sqlite, &spec.postgres) {
            (Some(sqlite), None) => sqlite::open(&base_dir.join(&sqlite.path), &migrator).await,
            (None, Some(postgres)) => {
                let url = postgres.url.read(base_dir).map_err(DatabaseError::Url)?;
                postgres::open(&url, postgres.max_connections, &migrator).await
            }
            _ => Err(DatabaseError::NotOne),
        }
    }

    /// Which database it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The pool for reading. On SQLite it has several connections, and they refuse to write.
    pub fn reader(&self) -> &AnyPool {
        &self.reader
    }

    /// The pool for writing. On SQLite it is one connection, so that writers queue here and not at the file's lock.
    pub fn writer(&self) -> &AnyPool {
        &self.writer
    }

    /// Begins a transaction that will write.
    ///
    /// On SQLite it takes the write lock at once (`BEGIN IMMEDIATE`): a transaction that begins with reading and writes
    /// later would otherwise fail when another process wrote in between. On PostgreSQL it is a plain `BEGIN`.
    ///
    /// # Errors
    ///
    /// When no connection comes free in time, or the database does not answer.
    pub async fn begin_write(&self) -> sqlx::Result<sqlx::Transaction<'static, Any>> {
        match self.kind {
            Kind::Sqlite => self.writer.begin_with("BEGIN IMMEDIATE").await,
            Kind::Postgres => self.writer.begin().await,
        }
    }

    /// Asks the database to answer, for `/readyz`.
    ///
    /// # Errors
    ///
    /// [`DatabaseError::Unavailable`].
    pub async fn ping(&self) -> Result<(), DatabaseError> {
        let ping = sqlx::query("SELECT 1").execute(&self.reader).await;
        ping.map(drop).map_err(|source| DatabaseError::Unavailable { place: self.place.clone(), source })
    }

    /// Waits for the statements under way and closes all connections.
    pub async fn close(&self) {
        self.reader.close().await;
        // The last connection of SQLite to close folds the write-ahead log into the file.
        self.writer.close().await;
    }
}

/// Whether a statement failed because a row with this key is there already: for "insert once" rules.
pub fn is_unique_violation(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}
