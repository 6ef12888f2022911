//! Why a database cannot be used, said for the person who configured it.

use std::io;

use crate::secret::SecretError;

/// Why the database could not be opened or asked; the text names the place and what to do, never a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// `spec.storage` has none or both of its members.
    #[error("name exactly one of `sqlite` and `postgres` under `storage`")]
    NotOne,
    /// The SQLite file cannot be created or opened by this process.
    #[error(
        "the database file {path} cannot be opened ({source}); its folder must exist and be writable by the server"
    )]
    File {
        /// The file.
        path: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file's path cannot be written as text.
    #[error("the path of the database file {0} is not UTF-8; choose another name")]
    PathNotText(String),
    /// The connection URL cannot be read from where the spec says it is.
    #[error("the PostgreSQL URL cannot be read")]
    Url(#[source] SecretError),
    /// The connection URL is not one. Its text is not shown: it may hold a password.
    #[error("the PostgreSQL URL is not valid ({0}); write postgres://user:password@host:5432/database")]
    UrlInvalid(&'static str),
    /// The file is there, and it is no database, or is locked by another process.
    #[error("{path} cannot be used; check that it is a database that this server may write")]
    NotDatabase {
        /// The file.
        path: String,
        /// What the driver said.
        source: sqlx::Error,
    },
    /// There is no PostgreSQL at that place, or it does not let us in.
    #[error(
        "cannot connect to {place}; check that it runs there and that user, password and database are right"
    )]
    Connect {
        /// Host, port and name.
        place: String,
        /// What the driver said.
        source: sqlx::Error,
    },
    /// Two crates use one version number; a mistake of ours, seen at every start.
    #[error(
        "two migrations have the version {version}: `{first}` and `{second}`; versions must be unique over all crates"
    )]
    VersionTwice {
        /// The version.
        version: i64,
        /// The description of the one.
        first: String,
        /// The description of the other.
        second: String,
    },
    /// The tables were made by a newer server.
    #[error(
        "{place} has the migration {version}, which this program does not know; it was used by a newer version: start that one"
    )]
    Newer {
        /// The file, or host, port and name.
        place: String,
        /// The unknown migration.
        version: i64,
    },
    /// The tables were made by another program, or an unreleased version of this one.
    #[error(
        "the migration {version} of {place} differs from this program's; it belongs to another program or a development version: use a fresh database"
    )]
    Differs {
        /// The file, or host, port and name.
        place: String,
        /// The changed migration.
        version: i64,
    },
    /// A migration failed; nothing of it was kept.
    #[error(
        "the tables of {place} cannot be brought up to date; nothing was changed by the migration that failed"
    )]
    Migrate {
        /// The file, or host, port and name.
        place: String,
        /// What the driver said.
        source: sqlx::migrate::MigrateError,
    },
    /// It was open, and now it does not answer.
    #[error("{place} does not answer")]
    Unavailable {
        /// The file, or host, port and name.
        place: String,
        /// What the driver said.
        source: sqlx::Error,
    },
}
