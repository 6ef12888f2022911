//! The one task that appends.

use std::{sync::Arc, time::Duration};

use sealwright_service::{
    clock::Clock,
    database::{Database, is_unique_violation},
    random,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::yield_now,
    time::{Instant, MissedTickBehavior, interval_at, sleep},
};

use crate::{
    AuditError, Receipt, Record,
    chain::Head,
    entry::Ready,
    refusals::{Refusals, summary},
    store,
};

/// So many entries go into one statement: 9 parameters each, of the 32766 that SQLite allows.
const BATCH: usize = 256;
/// So often other processes may be faster before the caller is told.
const ATTEMPTS: u32 = 64;
const MAX_PAUSE_MS: u64 = 32;

type Answer<T> = oneshot::Sender<Result<T, AuditError>>;

#[derive(Debug)]
pub(super) enum Command {
    Append { entry: Ready, answer: Answer<Receipt> },
    Summarise { answer: Answer<()> },
    Finish,
}

pub(super) struct Writer {
    pub(super) database: Database,
    pub(super) origin: String,
    pub(super) clock: Clock,
    pub(super) refusals: Arc<Refusals>,
    pub(super) summarise_every: Duration,
    /// The end of the chain as far as this process knows; `None` after somebody else appended or a failure.
    pub(super) tail: Option<Head>,
    /// Tells the checkpointer how far the chain goes, and by being dropped that it goes no further.
    pub(super) heads: watch::Sender<Head>,
}

impl Writer {
    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Command>) {
        let every = self.summarise_every.max(Duration::from_millis(1));
        let mut ticks = interval_at(Instant::now() + every, every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut commands = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                // While one commit is under way the entries of the next come together here.
                received = queue.recv_many(&mut commands, BATCH) => {
                    if received == 0 {
                        break;
                    }
                    // The first entry wakes this task before other requests that are ready have run. They first, and
                    // their entries share this commit in place of waiting for the next.
                    yield_now().await;
                    while commands.len() < BATCH && let Ok(command) = queue.try_recv() {
                        commands.push(command);
                    }
                    if self.carry_out(&mut commands).await {
                        queue.close();
                    }
                }
                _ = ticks.tick() => self.summarise_or_warn().await,
            }
        }
        self.summarise_or_warn().await;
    }

    /// Carries the commands out, in order; `true` if one of them was to finish.
    async fn carry_out(&mut self, commands: &mut Vec<Command>) -> bool {
        let mut finish = false;
        let (mut entries, mut answers, mut summaries) = (Vec::new(), Vec::new(), Vec::new());
        for command in commands.drain(..) {
            match command {
                Command::Append { entry, answer } => {
                    entries.push(entry);
                    answers.push(answer);
                }
                Command::Summarise { answer } => summaries.push(answer),
                Command::Finish => finish = true,
            }
        }
        // Who no longer waits for an answer has left its entry behind all the same.
        match self.append(&entries).await {
            Ok(records) => {
                for (record, answer) in records.iter().zip(answers) {
                    let _ = answer.send(Ok(record.receipt()));
                }
            }
            Err(error) => {
                for answer in answers {
                    let _ = answer.send(Err(error.clone()));
                }
            }
        }
        if !summaries.is_empty() {
            let summarised = self.summarise().await;
            for answer in summaries {
                let _ = answer.send(summarised.clone());
            }
        }
        finish
    }

    /// Commits the entries behind the end of the chain, wherever other processes have moved it.
    async fn append(&mut self, entries: &[Ready]) -> Result<Vec<Record>, AuditError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        for attempt in 0..ATTEMPTS {
            let mut conn = self.database.writer().acquire().await?;
            // Taken, so that after a failure of any kind the end is read again.
            let tail = match self.tail.take() {
                Some(tail) => tail,
                None => store::tail(&mut conn).await?.unwrap_or_else(|| Head::genesis(&self.origin)),
            };
            let records = tail.link(entries, self.clock.now().as_millis());
            match store::append(&mut conn, &records).await {
                Ok(()) => {
                    let last = records.last().expect("as many records as entries, of which there are some");
                    let head = Head { sequence: last.sequence, entry: last.entry.clone() };
                    self.heads.send_replace(head.clone());
                    self.tail = Some(head);
                    return Ok(records);
                }
                Err(error) if is_unique_violation(&error) => {}
                Err(error) => return Err(error.into()),
            }
            drop(conn);
            pause(attempt).await;
        }
        Err(AuditError::Contended)
    }

    async fn summarise(&mut self) -> Result<(), AuditError> {
        let counts = self.refusals.take();
        if counts.is_empty() {
            return Ok(());
        }
        let entry = Ready::new(summary(&counts))?;
        let appended = self.append(&[entry]).await;
        appended.map(drop).inspect_err(|_| self.refusals.put_back(&counts))
    }

    async fn summarise_or_warn(&mut self) {
        if let Err(error) = self.summarise().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "refusals were not summarised; trying again later"
            );
        }
    }
}

/// Waits a random time, longer after more attempts, so that writers that met once do not go on meeting.
async fn pause(attempt: u32) {
    let max = (1 << attempt.min(10)).min(MAX_PAUSE_MS) * 1000;
    let random = u64::from(u32::from_be_bytes(random::bytes()));
    sleep(Duration::from_micros(random % max)).await;
}
