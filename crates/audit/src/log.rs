//! The log of a running server.

mod checkpointer;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sealwright_jose::VerifyingKey;
use sealwright_keystore::KeyHandle;
use sealwright_service::{clock::Clock, database::Database, shutdown::Shutdown};
use tokio::sync::{mpsc, oneshot, watch};

use self::{
    checkpointer::{Checkpointer, Request},
    writer::{Command, Writer},
};
use crate::{
    AuditError, Entry, Receipt,
    chain::Head,
    checkpoint::{Checker, CheckpointFile},
    entry::Ready,
    refusals::Refusals,
    store,
};

/// So many appends may wait; more wait in line for a place.
const QUEUE: usize = 1024;

/// When checkpoints and summaries are written.
#[derive(Clone, Debug)]
pub struct AuditOptions {
    /// A checkpoint after so many entries, but no more than ten a second. Default 100.
    pub checkpoint_every: u32,
    /// …and at the latest so long after the first entry without one. Default 10 s.
    pub checkpoint_after: Duration,
    /// Refusals of strangers are summarised so often. Default 60 s.
    pub summarise_every: Duration,
    /// The newest checkpoint is also written here, outside the database, for `audit verify --checkpoint`.
    pub checkpoint_file: Option<PathBuf>,
    /// The public key that checkpoints are signed with is written here at the start, as a JWK, for `audit verify --key`.
    pub public_key_file: Option<PathBuf>,
}

impl Default for AuditOptions {
    fn default() -> Self {
        Self {
            checkpoint_every: 100,
            checkpoint_after: Duration::from_secs(10),
            summarise_every: Duration::from_secs(60),
            checkpoint_file: None,
            public_key_file: None,
        }
    }
}

/// Appends; cheap to clone. Entries that arrive together are committed together.
///
/// Several processes may append to one PostgreSQL database.
///
/// # Examples
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use sealwright_audit::{AuditLog, AuditOptions, Entry, verify};
/// # use sealwright_jose::{Alg, SigningKey};
/// # use sealwright_service::{clock::Clock, database::{Database, SqliteSpec, StorageSpec}, shutdown::Shutdown};
/// # let dir = tempfile::tempdir()?;
/// # let storage = StorageSpec { sqlite: Some(SqliteSpec { path: "auth.db".into() }), postgres: None };
/// # let database = Database::open(&storage, dir.path(), &[&sealwright_audit::MIGRATOR]).await?;
/// # let key = sealwright_keystore::in_memory("audit", SigningKey::generate(Alg::Es256)?);
/// # let (clock, shutdown) = (Clock::system(), Shutdown::new());
/// let log =
///     AuditLog::start(&database, "https://id.example", key, AuditOptions::default(), clock, shutdown).await?;
/// let receipt = log
///     .append(Entry {
///         event: "token.issued",
///         operation: Some("op_1".into()),
///         subject: Some("alice".into()),
///         details: serde_json::json!({"client": "default_portal"}),
///     })
///     .await?;
/// assert_eq!(receipt.sequence, 1);
///
/// log.checkpoint().await?;
/// let options = verify::Options { keys: vec![log.verifying_key().clone()], ..Default::default() };
/// let report = verify::verify(verify::Source::from_database(&database).await?, &options).await?;
/// assert!(report.is_whole());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct AuditLog(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    commands: mpsc::Sender<Command>,
    checkpoints: mpsc::Sender<Request>,
    refusals: Arc<Refusals>,
    key: KeyHandle,
    shutdown: Shutdown,
    /// Closes when all is written.
    done: watch::Receiver<()>,
}

impl AuditLog {
    /// Starts the tasks that write entries and checkpoints. `origin` names the log (an issuer URL, a server's name);
    /// it stands in every checkpoint.
    ///
    /// When `shutdown` begins a checkpoint is written, and appending goes on, since requests that are being answered
    /// leave entries too. The log ends, with a last summary and checkpoint, when [`AuditLog::closed`] is called after
    /// that or when the last clone is dropped.
    ///
    /// # Errors
    ///
    /// [`AuditError::Origin`] if the database holds the log of another origin; [`AuditError::NotWhole`] if the log
    /// lacks an entry that a checkpoint in the database or in the checkpoint file covers: going on would cover up
    /// that it was cut; [`AuditError::CheckpointFile`] if that file holds something else, which would be lost;
    /// [`AuditError::PublicKeyFile`];
    /// [`AuditError::Storage`].
    pub async fn start(
        database: &Database,
        origin: &str,
        key: KeyHandle,
        options: AuditOptions,
        clock: Clock,
        shutdown: Shutdown,
    ) -> Result<Self, AuditError> {
        if let Some(path) = &options.public_key_file {
            publish(&key, path).await?;
        }
        let file = options.checkpoint_file.clone().map(CheckpointFile::new);
        let (head, covered) = open(database, origin, &key, file.as_ref(), &clock).await?;

        let (commands, command_queue) = mpsc::channel(QUEUE);
        let (checkpoints, requests) = mpsc::channel(1);
        let (heads, head_changes) = watch::channel(head.clone());
        let (finished, done) = watch::channel(());
        let refusals = Arc::new(Refusals::default());
        let writer = Writer {
            database: database.clone(),
            origin: origin.to_owned(),
            clock: clock.clone(),
            refusals: refusals.clone(),
            summarise_every: options.summarise_every,
            tail: Some(head),
            heads,
        };
        let checkpointer = Checkpointer {
            database: database.clone(),
            origin: origin.to_owned(),
            key: key.clone(),
            clock,
            every: i64::from(options.checkpoint_every.max(1)),
            after: options.checkpoint_after,
            file,
            covered,
            finished,
        };
        tokio::spawn(writer.run(command_queue));
        tokio::spawn(checkpointer.run(head_changes, requests, shutdown.clone()));
        Ok(Self(Arc::new(Shared { commands, checkpoints, refusals, key, shutdown, done })))
    }

    /// Appends an entry; durable when this returns.
    ///
    /// If the caller stops waiting, the entry is written nevertheless.
    ///
    /// # Errors
    ///
    /// [`AuditError::Entry`] if it cannot be recorded as it is, [`AuditError::Storage`] or
    /// [`AuditError::Contended`] if it was not, [`AuditError::Closed`]. An operation whose entry was not recorded must
    /// not be answered.
    pub async fn append(&self, entry: Entry) -> Result<Receipt, AuditError> {
        let entry = Ready::new(entry)?;
        let (answer, receipt) = oneshot::channel();
        self.0.commands.send(Command::Append { entry, answer }).await.map_err(|_| AuditError::Closed)?;
        receipt.await.unwrap_or(Err(AuditError::Closed))
    }

    /// Counts a refusal of somebody who was not authenticated; `kind` is a stable name. Never blocks.
    ///
    /// The counts become one `refusals.summarised` entry from time to time.
    pub fn count_refusal(&self, kind: &'static str) {
        self.0.refusals.count(kind);
    }

    /// Writes what was counted, and a checkpoint, now.
    ///
    /// # Errors
    ///
    /// [`AuditError::Sign`], [`AuditError::Key`], [`AuditError::CheckpointFile`], [`AuditError::Storage`],
    /// [`AuditError::Closed`].
    pub async fn checkpoint(&self) -> Result<(), AuditError> {
        let (answer, summarised) = oneshot::channel();
        self.0.commands.send(Command::Summarise { answer }).await.map_err(|_| AuditError::Closed)?;
        summarised.await.unwrap_or(Err(AuditError::Closed))?;
        let (answer, written) = oneshot::channel();
        self.0.checkpoints.send(answer).await.map_err(|_| AuditError::Closed)?;
        written.await.unwrap_or(Err(AuditError::Closed))
    }

    /// The key that verifies the checkpoints of this log: for `audit verify --key`.
    pub fn verifying_key(&self) -> &VerifyingKey {
        self.0.key.verifying_key()
    }

    /// Waits for the shutdown to begin, then ends the log and waits until its last entry, summary and checkpoint are
    /// written. To be called when the last request has been answered: what is appended later is refused.
    pub async fn closed(&self) {
        self.0.shutdown.begun().await;
        // If the writer is gone there is nobody to tell.
        let _ = self.0.commands.send(Command::Finish).await;
        let mut done = self.0.done.clone();
        while done.changed().await.is_ok() {}
    }
}

async fn publish(key: &KeyHandle, path: &Path) -> Result<(), AuditError> {
    let jwk = key.verifying_key().clone().with_kid(key.kid()).to_jwk();
    let written = tokio::fs::write(path, jwk + "\n").await;
    written.map_err(|error| AuditError::PublicKeyFile { path: path.to_owned(), what: error.to_string() })
}

/// Finds the end of the log, and how far checkpoints cover it; refuses a log that lacks what was signed to be in it.
async fn open(
    database: &Database,
    origin: &str,
    key: &KeyHandle,
    file: Option<&CheckpointFile>,
    clock: &Clock,
) -> Result<(Head, i64), AuditError> {
    let mut conn = database.writer().acquire().await?;
    let found = store::claim_origin(&mut conn, origin, clock.now().as_millis()).await?;
    if found != origin {
        return Err(AuditError::Origin { found, wanted: origin.to_owned() });
    }
    // First what must be in the log, then the log: another process may be appending.
    let outside = match file {
        Some(file) => file.read().await?.map(|text| (file, text)),
        None => None,
    };
    let covered = store::last_checkpoint(&mut conn).await?.unwrap_or(0);
    let head = store::tail(&mut conn).await?.unwrap_or_else(|| Head::genesis(origin));
    if covered > head.sequence {
        return Err(AuditError::NotWhole(format!(
            "it ends at entry {}, but a checkpoint covers entry {covered}",
            head.sequence
        )));
    }
    if let Some((file, text)) = outside {
        let checker = Checker::new(std::slice::from_ref(key.verifying_key()))?;
        let checkpoint = checker.verify(&text).filter(|checkpoint| checkpoint.origin == origin).ok_or_else(|| {
            file.fault(
                "it is not a checkpoint of this log by its present key, and would be overwritten; move it away".into(),
            )
        })?;
        if store::entry_hash(&mut conn, checkpoint.sequence).await? != Some(checkpoint.entry) {
            return Err(AuditError::NotWhole(format!(
                "it ends at entry {}, and has not the entry {} that {} says it had; find out why, then move that file away",
                head.sequence,
                checkpoint.sequence,
                file.path().display(),
            )));
        }
    }
    Ok((head, covered))
}
