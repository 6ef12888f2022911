//! The hash-chained, signed log. CONTRACT SKELETON (bodies follow).
#![allow(missing_docs, unused_variables, clippy::todo, clippy::missing_errors_doc, dead_code)]
use sealwright_keystore::KeyHandle;
use sealwright_service::{clock::Clock, database::Database, shutdown::Shutdown};

/// The tables of the log, for `Database::open`.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate::Migrator::DEFAULT;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError { #[error("…")] Todo }

/// What happened. `event` is a stable name such as `token.issued`, `document.signed`, `signature.refused`.
#[derive(Clone, Debug)]
pub struct Entry { pub event: &'static str, pub operation: Option<String>, pub subject: Option<String>, pub details: serde_json::Value }

/// Where in the chain an entry stands; goes into responses. Hashes are base64url of SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Receipt { pub sequence: i64, pub entry: String, pub previous: String }

/// Appends; cheap to clone. Entries that arrive together are committed together.
#[derive(Clone, Debug)]
pub struct AuditLog(());
#[derive(Clone, Debug)]
pub struct AuditOptions {
    /// A checkpoint after so many entries. Default 100.
    pub checkpoint_every: u32,
    /// …and at the latest so long after the first entry without one. Default 10 s.
    pub checkpoint_after: std::time::Duration,
    /// Refusals of strangers are summarised so often. Default 60 s.
    pub summarise_every: std::time::Duration,
    /// The newest checkpoint is also written here, outside the database, for `audit verify --checkpoint`.
    pub checkpoint_file: Option<std::path::PathBuf>,
}
impl Default for AuditOptions { fn default() -> Self { todo!() } }
impl AuditLog {
    /// Starts the writer task, which ends (with a last summary and checkpoint) when `shutdown` begins; await [`AuditLog::closed`].
    /// `origin` names the log (an issuer URL, a server's name); it stands in every checkpoint.
    pub async fn start(database: &Database, origin: &str, key: KeyHandle, options: AuditOptions, clock: Clock, shutdown: Shutdown) -> Result<Self, AuditError> { todo!() }
    /// Durable when it returns.
    pub async fn append(&self, entry: Entry) -> Result<Receipt, AuditError> { todo!() }
    /// Counts a refusal of somebody who was not authenticated; `kind` is a stable name. Never blocks.
    pub fn count_refusal(&self, kind: &'static str) { todo!() }
    /// Writes summaries and a checkpoint now.
    pub async fn checkpoint(&self) -> Result<(), AuditError> { todo!() }
    pub async fn closed(&self) { todo!() }
}
