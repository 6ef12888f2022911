//! Refusals of strangers are counted, so that nobody can fill the log.

use std::{
    collections::BTreeMap,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::Entry;

/// One counter a kind. Kinds are `'static`, so that there are only as many as the program has.
#[derive(Debug, Default)]
pub(crate) struct Refusals(RwLock<BTreeMap<&'static str, AtomicU64>>);

/// What was counted since the last summary.
pub(crate) type Counts = BTreeMap<&'static str, u64>;

impl Refusals {
    pub(crate) fn count(&self, kind: &'static str) {
        self.add(kind, 1);
    }

    /// Takes the counts; they begin again at zero. Empty if nobody was refused.
    pub(crate) fn take(&self) -> Counts {
        let counters = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let counts = counters.iter().map(|(kind, count)| (*kind, count.swap(0, Ordering::Relaxed)));
        counts.filter(|(_, count)| *count > 0).collect()
    }

    /// Adds counts that could not be written, for the next summary.
    pub(crate) fn put_back(&self, counts: &Counts) {
        for (kind, count) in counts {
            self.add(kind, *count);
        }
    }

    fn add(&self, kind: &'static str, count: u64) {
        // Only the first refusal of a kind takes the lock that excludes others.
        if let Some(counter) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(kind) {
            counter.fetch_add(count, Ordering::Relaxed);
            return;
        }
        let mut counters = self.0.write().unwrap_or_else(PoisonError::into_inner);
        counters.entry(kind).or_default().fetch_add(count, Ordering::Relaxed);
    }
}

/// The entry for what was counted.
pub(crate) fn summary(counts: &Counts) -> Entry {
    let details = counts.iter().map(|(kind, count)| ((*kind).to_owned(), (*count).into())).collect();
    Entry {
        event: "refusals.summarised",
        operation: None,
        subject: None,
        details: serde_json::Value::Object(details),
    }
}

#[cfg(test)]
mod tests {
    use super::{Refusals, summary};

    #[test]
    fn counts_are_taken_once_and_can_be_put_back() {
        let refusals = Refusals::default();
        refusals.count("token_missing");
        refusals.count("token_missing");
        refusals.count("token_invalid");
        let counts = refusals.take();
        assert_eq!(summary(&counts).details.to_string(), r#"{"token_invalid":1,"token_missing":2}"#);
        assert!(refusals.take().is_empty());
        refusals.put_back(&counts);
        refusals.count("token_invalid");
        assert_eq!(summary(&refusals.take()).details.to_string(), r#"{"token_invalid":2,"token_missing":2}"#);
    }
}
