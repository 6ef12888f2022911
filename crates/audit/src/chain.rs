//! How entries hang together: hashes, and what follows what.

use aws_lc_rs::digest::{SHA256, digest};
use sealwright_jose::base64url;

use crate::{Record, entry::Ready};

/// What the hash of an entry is led by.
pub(crate) const ENTRY: &str = "sealwright-audit-entry/1";
/// What the hash of an origin, with which a chain begins, is led by.
const ORIGIN: &str = "sealwright-audit-origin/1";

/// The last entry of a chain: the next one follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// 0 for a chain without entries.
    pub(crate) sequence: i64,
    /// The entry's hash; of the chain without entries, that of its origin.
    pub(crate) entry: String,
}

/// SHA-256 over `domain`, a newline and `text`, as base64url. A domain has no newline, so that no text of one
/// domain can be one of another.
pub(crate) fn hash(domain: &str, text: &str) -> String {
    base64url::encode(digest(&SHA256, format!("{domain}\n{text}").as_bytes()))
}

impl Head {
    /// The chain of `origin` before its first entry.
    pub(crate) fn genesis(origin: &str) -> Self {
        Self { sequence: 0, entry: hash(ORIGIN, origin) }
    }

    /// Gives the entries their places behind this one.
    pub(crate) fn link<'a>(&self, entries: impl IntoIterator<Item = &'a Ready>, time: i64) -> Vec<Record> {
        let mut records: Vec<Record> = Vec::new();
        for entry in entries {
            let previous = records.last().map_or(&self.entry, |last| &last.entry);
            records.push(entry.record(self.sequence + 1 + records.len() as i64, time, previous));
        }
        records
    }

    /// The head with `record` behind it, if it follows; else what is wrong, naming the first bad entry.
    pub(crate) fn follow(&self, record: &Record) -> Result<Self, (i64, String)> {
        let next = self.sequence + 1;
        if record.sequence > next {
            let what = match record.sequence - 1 {
                last if last == next => format!("entry {next} is missing"),
                last => format!("entries {next} to {last} are missing"),
            };
            return Err((next, what));
        }
        let sequence = record.sequence;
        if sequence < next {
            return Err((
                sequence,
                format!("entry {sequence} stands again, or out of order, after entry {}", self.sequence),
            ));
        }
        if record.hash().as_ref() != Some(&record.entry) {
            return Err((sequence, format!("entry {sequence}: its hash does not match its content")));
        }
        if record.previous != self.entry {
            let what = match self.sequence {
                0 => "entry 1: it does not begin the log of this origin".to_owned(),
                last => {
                    format!("entry {sequence}: it does not follow entry {last}; one of the two was replaced")
                }
            };
            return Err((sequence, what));
        }
        Ok(Self { sequence, entry: record.entry.clone() })
    }
}
