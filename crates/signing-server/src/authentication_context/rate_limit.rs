//! How often a client at an address may ask for contexts: a bucket of tokens for each.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sealwright_service::clock::Timestamp;

/// So many at once.
const BURST: i64 = 20;
/// And then one in so many milliseconds.
const REFILL_MS: i64 = 1000;
/// Buckets kept; a full one is as good as none, so the full ones go first.
const MAX_BUCKETS: usize = 16 * 1024;
/// The part of a client's name that tells buckets apart: a stranger chooses it.
const MAX_NAME: usize = 128;

/// Buckets for (address, client), bounded in memory.
#[derive(Debug, Default)]
pub(super) struct RateLimit(Mutex<HashMap<(Option<IpAddr>, String), Bucket>>);

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// When the bucket is full again; in the past, it is.
    full_at_ms: i64,
}

impl RateLimit {
    /// Takes one, or says how long to wait.
    pub(super) fn take(&self, peer: Option<IpAddr>, client_id: &str, now: Timestamp) -> Result<(), Duration> {
        let now_ms = now.as_millis();
        let name: String = client_id.chars().take(MAX_NAME).collect();
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_BUCKETS {
            buckets.retain(|_, bucket| bucket.full_at_ms > now_ms);
        }
        let key = (peer, name);
        if buckets.len() >= MAX_BUCKETS && !buckets.contains_key(&key) {
            return Err(Duration::from_millis(REFILL_MS.unsigned_abs()));
        }
        let bucket = buckets.entry(key).or_insert(Bucket { full_at_ms: now_ms });
        let full_at_ms = bucket.full_at_ms.max(now_ms) + REFILL_MS;
        let over_ms = full_at_ms - now_ms - BURST * REFILL_MS;
        if over_ms > 0 {
            return Err(Duration::from_millis(over_ms.unsigned_abs()));
        }
        bucket.full_at_ms = full_at_ms;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    #[test]
    fn a_burst_and_then_one_a_second() {
        let limit = RateLimit::default();
        let peer = Some(IpAddr::from([127, 0, 0, 1]));
        for _ in 0..BURST {
            assert_eq!(limit.take(peer, "portal", NOW), Ok(()));
        }
        assert_eq!(limit.take(peer, "portal", NOW), Err(Duration::from_secs(1)));
        assert_eq!(limit.take(peer, "other", NOW), Ok(()), "another client");
        assert_eq!(limit.take(None, "portal", NOW), Ok(()), "another address");
        let later = NOW.plus(Duration::from_secs(1));
        assert_eq!(limit.take(peer, "portal", later), Ok(()));
        assert!(limit.take(peer, "portal", later).is_err());
    }

    #[test]
    fn memory_is_bounded() {
        let limit = RateLimit::default();
        for index in 0..MAX_BUCKETS {
            assert_eq!(limit.take(None, &index.to_string(), NOW), Ok(()));
        }
        assert!(limit.take(None, "one more", NOW).is_err());
        let later = NOW.plus(Duration::from_secs(2));
        assert_eq!(limit.take(None, "one more", later), Ok(()));
        assert_eq!(limit.0.lock().unwrap().len(), 1);
    }
}
