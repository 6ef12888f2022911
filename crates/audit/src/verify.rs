//! Reads a log from end to end and says whether it is whole, or what is the first thing wrong with it.
//!
//! Nothing of the log is believed: hashes are computed again, and checkpoints are checked with keys that the caller
//! brings. Memory stays the same however long the log is.

mod export;
mod report;
mod source;

use sealwright_jose::VerifyingKey;

use self::source::Item;
use crate::{
    AuditError, Receipt, Record,
    chain::Head,
    checkpoint::{Checker, Checkpoint},
};

pub use export::{export, show};
pub use report::{Fault, Report};
pub use source::{Source, open};

/// What to hold the log against.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The public keys that may have signed checkpoints. Without one, checkpoints are compared with the chain, but
    /// whoever could change the log could have made them; the report says so.
    pub keys: Vec<VerifyingKey>,
    /// The text of a checkpoint that was kept outside of the log: what it covers must be there.
    pub checkpoint: Option<String>,
    /// A receipt that was given to a client: its entry must be there.
    pub receipt: Option<Receipt>,
}

/// Verifies a whole log.
///
/// Finds every edit, removal, insertion and reordering of entries that a checkpoint or the hash of a later entry
/// covers. A cut of the entries behind the last checkpoint, together with nothing else, can be seen only with an
/// outside [`checkpoint`](Options::checkpoint) or [`receipt`](Options::receipt): the report says how many entries
/// stand there.
///
/// # Errors
///
/// [`AuditError::Input`] if the source or the outside checkpoint cannot be read as what it should be,
/// [`AuditError::Key`] if the keys cannot verify checkpoints, [`AuditError::Storage`]. What is wrong with a log that
/// could be read is the [`fault`](Report::fault) of the report.
pub async fn verify(mut source: Source, options: &Options) -> Result<Report, AuditError> {
    let checker = if options.keys.is_empty() { None } else { Some(Checker::new(&options.keys)?) };
    let mut walk = Walk::new(source.origin(), checker, options)?;
    while let Some(item) = source.next().await? {
        let step = match item {
            Item::Entry(record) => walk.entry(&record),
            Item::Checkpoint { sequence, jws } => walk.checkpoint(sequence, &jws),
            Item::Unreadable { after, what } => {
                Err(Fault { sequence: after + 1, what: format!("entry {}: {what}", after + 1) })
            }
        };
        if let Err(fault) = step {
            walk.report.fault = Some(fault);
            break;
        }
    }
    if walk.report.is_whole() {
        let rows = source.count().await?;
        walk.report.fault = walk.end(rows).err();
    }
    Ok(walk.report)
}

/// Where the reading stands.
struct Walk<'a> {
    head: Head,
    checker: Option<Checker>,
    /// The checkpoint from outside, or what is wrong with it: then the log is read without it.
    outside: Option<Result<Checkpoint, Fault>>,
    receipt: Option<&'a Receipt>,
    /// A checkpoint of an entry that has not come yet.
    ahead: Option<i64>,
    report: Report,
}

impl<'a> Walk<'a> {
    fn new(origin: &str, checker: Option<Checker>, options: &'a Options) -> Result<Self, AuditError> {
        let mut report = Report::new(origin, checker.is_some());
        report.receipt_found = options.receipt.as_ref().map(|_| false);
        let outside = match &options.checkpoint {
            None => None,
            Some(text) => {
                let checkpoint = Checkpoint::parse_unverified(text)
                    .ok_or_else(|| AuditError::Input("the outside checkpoint is not a checkpoint".into()))?;
                report.outside_found = Some(false);
                let refused =
                    refuse_checkpoint(checker.as_ref(), origin, text, &checkpoint).map(|why| Fault {
                        sequence: checkpoint.sequence,
                        what: format!("the outside checkpoint of entry {} {why}", checkpoint.sequence),
                    });
                Some(refused.map_or(Ok(checkpoint), Err))
            }
        };
        let head = Head::genesis(origin);
        Ok(Self { head, checker, outside, receipt: options.receipt.as_ref(), ahead: None, report })
    }

    fn entry(&mut self, record: &Record) -> Result<(), Fault> {
        self.head = self.head.follow(record).map_err(|(sequence, what)| Fault { sequence, what })?;
        self.report.count(record);

        if let Some(Ok(outside)) = &self.outside
            && outside.sequence == record.sequence
        {
            if outside.entry != record.entry {
                return Err(replaced(self.report.covered, record.sequence, "the outside checkpoint"));
            }
            self.report.outside_found = Some(true);
            self.report.cover(record.sequence);
        }
        if let Some(receipt) = self.receipt
            && receipt.sequence == record.sequence
        {
            if receipt.entry != record.entry || receipt.previous != record.previous {
                return Err(replaced(self.report.covered, record.sequence, "the receipt"));
            }
            self.report.receipt_found = Some(true);
        }
        Ok(())
    }

    /// `sequence` is where the log keeps the checkpoint, which must be what it says.
    fn checkpoint(&mut self, sequence: Option<i64>, jws: &str) -> Result<(), Fault> {
        let fault = |at: i64, what: &str| Fault {
            sequence: at,
            what: format!("the checkpoint of entry {at} {what}"),
        };
        let at = sequence.unwrap_or(self.head.sequence);
        let Some(checkpoint) = Checkpoint::parse_unverified(jws) else {
            return Err(fault(at, "is not a checkpoint"));
        };
        if let Some(why) = refuse_checkpoint(self.checker.as_ref(), &self.report.origin, jws, &checkpoint) {
            return Err(fault(at, why));
        }
        if sequence.is_some_and(|sequence| sequence != checkpoint.sequence) {
            return Err(fault(at, &format!("is one of entry {}", checkpoint.sequence)));
        }
        self.report.checkpoints += 1;
        if checkpoint.sequence > self.head.sequence {
            // If more entries follow, the gap is reported there; if none do, at the end.
            self.ahead = Some(checkpoint.sequence);
            return Ok(());
        }
        if checkpoint.sequence < self.head.sequence {
            return Err(fault(checkpoint.sequence, "stands out of order"));
        }
        if checkpoint.entry != self.head.entry {
            return Err(replaced(self.report.covered, checkpoint.sequence, "the checkpoint"));
        }
        self.report.cover(checkpoint.sequence);
        Ok(())
    }

    fn end(&self, rows: Option<i64>) -> Result<(), Fault> {
        let last = self.head.sequence;
        let cut = |witness: &str, covered: i64| Fault {
            sequence: last + 1,
            what: format!(
                "entry {} is missing: the log ends at entry {last}, but {witness} entry {covered}",
                last + 1
            ),
        };
        if let Some(ahead) = self.ahead {
            return Err(cut("a checkpoint covers", ahead));
        }
        match &self.outside {
            Some(Ok(outside)) if outside.sequence > last => {
                return Err(cut("the outside checkpoint covers", outside.sequence));
            }
            Some(Err(fault)) => return Err(fault.clone()),
            _ => {}
        }
        if let Some(receipt) = self.receipt
            && receipt.sequence > last
        {
            return Err(cut("the receipt is of", receipt.sequence));
        }
        if self.report.receipt_found == Some(false) {
            let sequence = self.receipt.map_or(0, |receipt| receipt.sequence);
            return Err(Fault {
                sequence,
                what: format!("the receipt is of entry {sequence}, which no log has"),
            });
        }
        if rows.is_some_and(|rows| rows != last) {
            return Err(Fault {
                sequence: last,
                what: format!(
                    "the table has {} rows, but {last} entries stand in the chain",
                    rows.unwrap_or_default()
                ),
            });
        }
        Ok(())
    }
}

/// Why a checkpoint cannot be one of this log, if it cannot.
fn refuse_checkpoint(
    checker: Option<&Checker>,
    origin: &str,
    jws: &str,
    checkpoint: &Checkpoint,
) -> Option<&'static str> {
    if checker.is_some_and(|checker| checker.verify(jws).as_ref() != Some(checkpoint)) {
        return Some("is not signed by a given key");
    }
    (checkpoint.origin != origin).then_some("is of a log of another origin")
}

/// The chain hangs together, but it is not the one that was signed: entries were replaced with all their hashes.
fn replaced(covered: i64, sequence: i64, witness: &str) -> Fault {
    let first = covered + 1;
    let what = if first == sequence {
        format!("entry {sequence} was replaced: {witness} names another hash")
    } else {
        format!(
            "one of the entries {first} to {sequence} was replaced: {witness} names another hash for entry {sequence}"
        )
    };
    Fault { sequence: first, what }
}
