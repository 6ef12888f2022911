//! What was found.

use std::fmt;

use sealwright_service::clock::Timestamp;
use serde::Serialize;

use crate::Record;

/// What a log is found to be. `Display` is a few lines for people, `Serialize` for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Whose log it is, as it says itself.
    pub origin: String,
    /// How many entries are in order; with a fault, those before it.
    pub entries: i64,
    /// When the first of them was recorded (RFC 3339).
    pub first_time: Option<String>,
    /// When the last of them was recorded (RFC 3339).
    pub last_time: Option<String>,
    /// The hash of the last of them.
    pub head: Option<String>,
    /// How many checkpoints in the log agree with them.
    pub checkpoints: u64,
    /// Whether it was checked who signed the checkpoints, which needs a key.
    pub checkpoints_checked: bool,
    /// The last entry that a checkpoint covers, from the log or from outside; 0 if none does.
    pub covered: i64,
    /// How many entries stand behind that one. That some of these were cut off would not show.
    pub after_checkpoint: i64,
    /// Whether the entry of the outside checkpoint is there, if one was given.
    pub outside_found: Option<bool>,
    /// Whether the entry of the receipt is there, if one was given.
    pub receipt_found: Option<bool>,
    /// The first thing that is wrong; `None` if the log is whole.
    pub fault: Option<Fault>,
}

/// The first thing that is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The number of the first entry that is bad or missing. Where entries were replaced with all their hashes, the
    /// first that could be one of them.
    pub sequence: i64,
    /// A sentence that names the entry and says what is wrong with it.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Report {
    pub(super) fn new(origin: &str, checkpoints_checked: bool) -> Self {
        Self {
            origin: origin.to_owned(),
            entries: 0,
            first_time: None,
            last_time: None,
            head: None,
            checkpoints: 0,
            checkpoints_checked,
            covered: 0,
            after_checkpoint: 0,
            outside_found: None,
            receipt_found: None,
            fault: None,
        }
    }

    /// Whether nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.fault.is_none()
    }

    pub(super) fn count(&mut self, record: &Record) {
        let time = Timestamp::from_millis(record.time).to_rfc3339();
        self.first_time.get_or_insert_with(|| time.clone());
        self.last_time = Some(time);
        self.head = Some(record.entry.clone());
        self.entries = record.sequence;
        self.after_checkpoint = self.entries - self.covered;
    }

    pub(super) fn cover(&mut self, sequence: i64) {
        self.covered = sequence;
        self.after_checkpoint = self.entries - sequence;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "log of {}", self.origin)?;
        match (&self.first_time, &self.last_time, &self.head) {
            (Some(first), Some(last), Some(head)) => {
                writeln!(f, "{}, {first} to {last}", counted(self.entries, "entry", "entries"))?;
                writeln!(f, "head: {head}")?;
            }
            _ => writeln!(f, "no entries")?,
        }
        let checkpoints = i64::try_from(self.checkpoints).unwrap_or(i64::MAX);
        let signed = match (self.checkpoints, self.checkpoints_checked) {
            (0, _) => "",
            (_, true) => ", signed by the given key",
            (_, false) => ", who signed was not checked: no key was given",
        };
        writeln!(f, "{}{signed}", counted(checkpoints, "checkpoint", "checkpoints"))?;
        if self.after_checkpoint > 0 && self.is_whole() {
            writeln!(
                f,
                "{} after the last checkpoint: a cut there shows only against a checkpoint or receipt kept elsewhere",
                counted(self.after_checkpoint, "entry", "entries")
            )?;
        }
        for (found, what) in [(self.outside_found, "outside checkpoint"), (self.receipt_found, "receipt")] {
            match found {
                Some(true) => writeln!(f, "{what}: its entry is there")?,
                Some(false) => writeln!(f, "{what}: its entry was not found")?,
                None => {}
            }
        }
        match &self.fault {
            None => write!(f, "whole"),
            Some(fault) => write!(f, "NOT whole: {fault}"),
        }
    }
}

fn counted(n: i64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}
