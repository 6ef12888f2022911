//! What was asked of whom, and what came of it.

use std::collections::BTreeMap;

use serde_json::Value;

/// One cell of the matrix.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell<'c> {
    pub(crate) peer: &'static str,
    pub(crate) direction: Direction,
    /// A form of a token, or a format of a key.
    pub(crate) what: &'c str,
    /// As it stands in a header.
    pub(crate) alg: &'c str,
}

/// Who made what the other has to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Direction {
    /// The peer verifies our signature.
    TheyVerify,
    /// We verify the peer's signature.
    WeVerify,
    /// The peer signs with our private key, in a format that we wrote.
    TheyReadPrivate,
    /// The peer verifies with our public key, in a format that we wrote.
    TheyReadPublic,
    /// We sign with the peer's private key.
    WeReadPrivate,
    /// We verify with the peer's public key.
    WeReadPublic,
}

impl Direction {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::TheyVerify => "verifies ours",
            Self::WeVerify => "signs for us",
            Self::TheyReadPrivate => "reads our private keys",
            Self::TheyReadPublic => "reads our public keys",
            Self::WeReadPrivate => "writes private keys",
            Self::WeReadPublic => "writes public keys",
        }
    }
}

impl std::fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {} {}", self.peer, self.direction.name(), self.alg, self.what)
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    passed: u64,
    /// The peer refused in the words that the table of what it cannot do foretells.
    cannot: u64,
    failed: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Report {
    counts: BTreeMap<(&'static str, Direction), Count>,
    failures: Vec<String>,
    versions: Vec<String>,
    /// Which rows of the table of what peers cannot do were met.
    rows_met: Vec<usize>,
}

impl Report {
    /// Good tokens were accepted, and the one with a turned bit refused.
    pub(crate) fn passed(&mut self, cell: &Cell<'_>) {
        self.count(cell).passed += 1;
    }

    pub(crate) fn cannot(&mut self, cell: &Cell<'_>, row: usize) {
        self.count(cell).cannot += 1;
        if !self.rows_met.contains(&row) {
            self.rows_met.push(row);
        }
    }

    pub(crate) fn failed(&mut self, cell: &Cell<'_>, why: &str) {
        self.count(cell).failed += 1;
        self.failures.push(format!("{cell}: {why}"));
    }

    /// Which libraries these are, as they say themselves.
    pub(crate) fn versions(&mut self, versions: &Value) {
        let said = versions.as_object().into_iter().flatten();
        self.versions.extend(said.map(|(name, version)| match version.as_str() {
            Some(version) => format!("{name} {version}"),
            None => name.clone(),
        }));
    }

    /// What is wrong with the walk itself, such as a peer that has gone.
    pub(crate) fn broken(&mut self, why: String) {
        self.failures.push(why);
    }

    pub(crate) fn has_met(&self, row: usize) -> bool {
        self.rows_met.contains(&row)
    }

    pub(crate) fn add(&mut self, other: Self) {
        for (key, count) in other.counts {
            let sum = self.counts.entry(key).or_default();
            sum.passed += count.passed;
            sum.cannot += count.cannot;
            sum.failed += count.failed;
        }
        self.failures.extend(other.failures);
        self.versions.extend(other.versions);
        self.rows_met.extend(other.rows_met);
        self.rows_met.sort_unstable();
        self.rows_met.dedup();
    }

    /// The table, the failures, and the line that programs read. Whether all of it held.
    pub(crate) fn print(&self) -> bool {
        println!("{}", self.versions.join(", "));
        println!(
            "{:<13} {:<24} {:>6} {:>6} {:>14} {:>6}",
            "peer", "", "cells", "passed", "cannot, listed", "failed"
        );
        let mut passed = 0;
        for ((peer, direction), count) in &self.counts {
            let Count { passed: good, cannot, failed } = count;
            let cells = good + cannot + failed;
            println!("{peer:<13} {:<24} {cells:>6} {good:>6} {cannot:>14} {failed:>6}", direction.name());
            passed += good;
        }
        for failure in &self.failures {
            println!("FAILED {failure}");
        }
        // A row of what a peer cannot do counts once, however many cells bear it out.
        passed += self.rows_met.len() as u64;
        println!("{passed} passed, {} failed", self.failures.len());
        self.failures.is_empty() && passed > 0
    }

    fn count(&mut self, cell: &Cell<'_>) -> &mut Count {
        self.counts.entry((cell.peer, cell.direction)).or_default()
    }
}
