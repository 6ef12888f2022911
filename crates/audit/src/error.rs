//! What can go wrong, by what the caller or the operator can do about it.

use std::{path::PathBuf, sync::Arc};

use sealwright_keystore::KeystoreError;

/// Why an entry was not recorded, a log not started, or a source not read.
///
/// That a log was tampered with is no error but a [`Fault`](crate::verify::Fault) of the report.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The entry cannot be recorded as it is; nothing was written. A mistake of the caller.
    #[error("`{member}` of an audit entry {what}")]
    Entry {
        /// The member of [`Entry`](crate::Entry).
        member: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The database failed. Whether the entry was written is not known; the caller must act as if it were not.
    #[error("the audit log's database failed")]
    Storage(#[source] Arc<sqlx::Error>),
    /// Other writers were faster each time.
    #[error("other writers of the audit log left no gap to write in")]
    Contended,
    /// The log has been closed.
    #[error("the audit log is closed")]
    Closed,
    /// The database belongs to another log.
    #[error("this database holds the audit log of `{found}`, not of `{wanted}`")]
    Origin {
        /// Whose log it holds.
        found: String,
        /// Whose was to be started.
        wanted: String,
    },
    /// The log lacks what was signed to be in it. The server must not start and cover that up.
    #[error("the audit log is not whole: {0}")]
    NotWhole(String),
    /// The checkpoint could not be signed.
    #[error("the checkpoint was not signed")]
    Sign(#[source] Arc<KeystoreError>),
    /// What the signer gave is not a signature, or the keys cannot verify one.
    #[error("the key does not fit a checkpoint: {0}")]
    Key(String),
    /// The file of the newest checkpoint could not be read or written, or holds something else.
    #[error("checkpoint file {}: {what}", path.display())]
    CheckpointFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The file of the public key could not be written.
    #[error("public key file {}: {what}", path.display())]
    PublicKeyFile {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        what: String,
    },
    /// What was given to verify cannot be read, or is not what it should be.
    #[error("{0}")]
    Input(String),
}

impl From<sqlx::Error> for AuditError {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(Arc::new(error))
    }
}

impl From<KeystoreError> for AuditError {
    fn from(error: KeystoreError) -> Self {
        Self::Sign(Arc::new(error))
    }
}
