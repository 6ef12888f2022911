//! From when to when a drawing of the keys goes.

use std::time::Duration;

use sealwright_service::clock::Timestamp;

use super::list::{KeyFacts, KeyList};

/// What is worth a look where no plan says how long a key signs.
const A_MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

/// The stretch of time that a drawing shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its left end.
    pub from: Timestamp,
    /// Its right end, which is later.
    pub until: Timestamp,
}

impl Window {
    /// Around now: what was since the last rotation but one, and what comes until the next one has passed.
    pub fn around(list: &KeyList, keys: &[&KeyFacts]) -> Self {
        let phases = || keys.iter().flat_map(|key| &key.phases);
        let every = list.rhythm();
        // What is planned for long after is the same again.
        let (earliest, latest) = (list.now.minus(every), list.now.plus(every + every / 8));
        let from = phases().map(|phase| phase.from).min().unwrap_or(list.now).max(earliest);
        let until = phases().filter_map(|phase| phase.until).max().unwrap_or(list.now).min(latest);
        let a_minute_on = list.now.max(from).plus(Duration::from_secs(60));
        Self { from, until: until.max(a_minute_on) }
    }

    /// How far from the left end `at` is, where the whole is `units` wide; never outside.
    pub fn place(&self, at: Timestamp, units: u64) -> u64 {
        let (past, whole) = (at.since(self.from).as_millis(), self.until.since(self.from).as_millis().max(1));
        u64::try_from(past * u128::from(units) / whole).unwrap_or(units).min(units)
    }
}

impl KeyList {
    fn rhythm(&self) -> Duration {
        self.plan.rotate_every_s.map_or(A_MONTH, Duration::from_secs)
    }

    /// The keys without those that left the set longer ago than the time between two rotations.
    pub fn lately(&self) -> Vec<&KeyFacts> {
        let is_gone = |key: &KeyFacts| matches!(key.state, "evicted" | "revoked");
        let shown = |key: &&KeyFacts| !is_gone(key) || self.now.since(key.since) < self.rhythm();
        self.keys.iter().filter(shown).collect()
    }
}
