//! Statements, named for what they do to the domain.
//!
//! Each function is one statement or one transaction, and runs as it is on SQLite and on PostgreSQL. Rules that must
//! hold under concurrency are in the statement's condition; the comments say which.

pub(crate) mod account;
pub(crate) mod code;
pub(crate) mod continuation;
pub(crate) mod interaction;
pub(crate) mod pushed_request;
pub(crate) mod rate;
mod request_row;
pub(crate) mod signing_key;
pub(crate) mod sweep;
pub(crate) mod throttle;

/// The tables of this server, for `Database::open`.
pub(crate) static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

#[cfg(test)]
mod tests;
