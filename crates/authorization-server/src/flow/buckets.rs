//! Token buckets in memory, one for each of a few names.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sealwright_service::clock::Timestamp;

/// Buckets that each hold what a minute refills.
///
/// The names must be our own, such as those of registered clients: a stranger who could choose them could also fill the
/// memory. The count is for this process only; what must hold over all replicas is counted in the database.
#[derive(Debug)]
pub(crate) struct Buckets {
    every: Duration,
    room: u32,
    full_at: Mutex<HashMap<String, Timestamp>>,
}

impl Buckets {
    pub(crate) fn per_minute(most: u32) -> Self {
        Self { every: Duration::from_secs(60) / most, room: most, full_at: Mutex::default() }
    }

    /// Takes one from the bucket `name`, or says how long to wait.
    pub(crate) fn take(&self, name: &str, now: Timestamp) -> Result<(), Duration> {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let full = full_at.get(name).copied().unwrap_or(now).max(now).plus(self.every);
        let over = full.since(now).saturating_sub(self.every * self.room);
        if over > Duration::ZERO {
            return Err(over);
        }
        full_at.insert(name.to_owned(), full);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_refills_over_a_minute() {
        let buckets = Buckets::per_minute(60);
        let start = Timestamp::from_secs(1_795_305_600);
        let after = |seconds| start.plus(Duration::from_secs(seconds));
        for _ in 0..60 {
            assert_eq!(buckets.take("portal", start), Ok(()));
        }
        assert_eq!(buckets.take("portal", start), Err(Duration::from_secs(1)));
        assert_eq!(buckets.take("other", start), Ok(()), "each has its own");
        assert_eq!(buckets.take("portal", after(2)), Ok(()));
        assert_eq!(buckets.take("portal", after(2)), Ok(()));
        assert_eq!(buckets.take("portal", after(2)), Err(Duration::from_secs(1)));
        for _ in 0..60 {
            assert_eq!(buckets.take("portal", after(3600)), Ok(()));
        }
        assert_eq!(buckets.take("portal", after(3600)), Err(Duration::from_secs(1)), "never more than full");
    }
}
