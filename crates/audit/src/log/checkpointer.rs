//! The task that signs checkpoints. A key may be slow; appending does not wait for it.

use std::time::Duration;

use sealwright_keystore::KeyHandle;
use sealwright_service::{clock::Clock, database::Database, shutdown::Shutdown};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep_until},
};

use crate::{
    AuditError,
    chain::Head,
    checkpoint::{Checkpoint, CheckpointFile},
    store,
};

/// So long after a failure the next attempt is made.
const RETRY: Duration = Duration::from_secs(1);
/// Where entries come thick and fast, those of so long a time get one checkpoint: each is a commit of its own, for which
/// appending has to wait.
const GATHER: Duration = Duration::from_millis(100);

/// Somebody wants a checkpoint now.
pub(super) type Request = oneshot::Sender<Result<(), AuditError>>;

pub(super) struct Checkpointer {
    pub(super) database: Database,
    pub(super) origin: String,
    pub(super) key: KeyHandle,
    pub(super) clock: Clock,
    /// A checkpoint after so many entries…
    pub(super) every: i64,
    /// …or so long after the first entry without one.
    pub(super) after: Duration,
    pub(super) file: Option<CheckpointFile>,
    /// The last entry that a checkpoint covers.
    pub(super) covered: i64,
    /// Dropped when all is done.
    pub(super) finished: watch::Sender<()>,
}

impl Checkpointer {
    /// Runs until the writer is gone, then writes a last checkpoint.
    pub(super) async fn run(
        mut self,
        mut heads: watch::Receiver<Head>,
        mut requests: mpsc::Receiver<Request>,
        shutdown: Shutdown,
    ) {
        let mut uncovered_since = Instant::now();
        let mut not_before = uncovered_since;
        let mut shutting_down = false;
        loop {
            let uncovered = heads.borrow_and_update().sequence - self.covered;
            let full = uncovered >= self.every;
            let wait = if full { GATHER.min(self.after) } else { self.after };
            let due = (uncovered_since + wait).max(not_before);
            tokio::select! {
                changed = heads.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    if uncovered == 0 {
                        uncovered_since = Instant::now();
                    }
                    continue;
                }
                Some(request) = requests.recv() => {
                    let head = heads.borrow_and_update().clone();
                    // Who asked may have stopped waiting.
                    let _ = request.send(self.cover(&head).await);
                }
                () = shutdown.begun(), if !shutting_down => {
                    shutting_down = true;
                    self.cover_or_warn(&heads).await;
                }
                () = sleep_until(due), if uncovered > 0 => {
                    if !self.cover_or_warn(&heads).await {
                        not_before = Instant::now() + RETRY;
                    }
                }
            }
            uncovered_since = Instant::now();
        }
        self.cover_or_warn(&heads).await;
        drop(self.finished);
    }

    async fn cover_or_warn(&mut self, heads: &watch::Receiver<Head>) -> bool {
        let head = heads.borrow().clone();
        let covered = self.cover(&head).await;
        if let Err(error) = &covered {
            tracing::error!(
                error = error as &dyn std::error::Error,
                entry = head.sequence,
                "no checkpoint could be written; a cut of the audit log would not show"
            );
        }
        covered.is_ok()
    }

    /// Signs that the chain goes up to `head`, unless that is signed already. The file comes last: what it says must
    /// be in the database.
    async fn cover(&mut self, head: &Head) -> Result<(), AuditError> {
        if head.sequence == self.covered {
            return Ok(());
        }
        let checkpoint = Checkpoint::new(&self.origin, head, self.clock.now().as_millis());
        let jws = checkpoint.sign(&self.key).await?;
        let mut conn = self.database.writer().acquire().await?;
        store::insert_checkpoint(&mut conn, head.sequence, &jws).await?;
        drop(conn);
        if let Some(file) = &self.file {
            file.write(jws).await?;
        }
        self.covered = head.sequence;
        Ok(())
    }
}
