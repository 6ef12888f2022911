//! How often contexts may be asked for: a bucket of tokens for each address, and one for each client there.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sealwright_service::{client_address::network, clock::Timestamp};

/// What a bucket gives.
struct Allowance {
    /// So many at once.
    burst: i64,
    /// And then one in so many milliseconds.
    refill_ms: i64,
}

/// Of one client at one address.
const CLIENT: Allowance = Allowance { burst: 20, refill_ms: 1000 };
/// Of one address under whatever names: a stranger chooses those.
const ADDRESS: Allowance = Allowance { burst: 60, refill_ms: 250 };
/// Buckets kept; a full one is as good as none, so the full ones go first.
const MAX_BUCKETS: usize = 16 * 1024;
/// The part of a client's name that tells buckets apart.
const MAX_NAME: usize = 128;

/// Buckets by address (of IPv6: by /64) and by client, bounded in memory.
#[derive(Debug, Default)]
pub(super) struct RateLimit(Mutex<HashMap<Key, Bucket>>);

/// The address, and the client or none for all of them.
type Key = (Option<IpAddr>, Option<String>);

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// When the bucket is full again; in the past, it is.
    full_at_ms: i64,
}

impl RateLimit {
    /// Takes one, or says how long to wait.
    pub(super) fn take(&self, peer: Option<IpAddr>, client_id: &str, now: Timestamp) -> Result<(), Duration> {
        let now_ms = now.as_millis();
        let peer = peer.map(network);
        let address = (peer, None);
        let client = (peer, Some(client_id.chars().take(MAX_NAME).collect()));
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() + 2 > MAX_BUCKETS {
            buckets.retain(|_, bucket| bucket.full_at_ms > now_ms);
        }
        let more = [&address, &client].into_iter().filter(|key| !buckets.contains_key(*key)).count();
        if buckets.len() + more > MAX_BUCKETS {
            return Err(Duration::from_millis(CLIENT.refill_ms.unsigned_abs()));
        }
        // Both or neither.
        let of_address = ADDRESS.one_less(buckets.get(&address), now_ms)?;
        let of_client = CLIENT.one_less(buckets.get(&client), now_ms)?;
        buckets.insert(address, of_address);
        buckets.insert(client, of_client);
        Ok(())
    }
}

impl Allowance {
    fn one_less(&self, bucket: Option<&Bucket>, now_ms: i64) -> Result<Bucket, Duration> {
        let full_at_ms = bucket.map_or(now_ms, |bucket| bucket.full_at_ms.max(now_ms)) + self.refill_ms;
        let over_ms = full_at_ms - now_ms - self.burst * self.refill_ms;
        if over_ms > 0 {
            Err(Duration::from_millis(over_ms.unsigned_abs()))
        } else {
            Ok(Bucket { full_at_ms })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn a_burst_and_then_one_a_second() {
        let limit = RateLimit::default();
        let peer = address("127.0.0.1");
        for _ in 0..CLIENT.burst {
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
    fn new_names_and_new_addresses_of_one_network_are_no_new_burst() {
        let limit = RateLimit::default();
        for index in 0..ADDRESS.burst {
            let peer = address(&format!("2001:db8::{index}"));
            assert_eq!(limit.take(peer, &format!("client-{index}"), NOW), Ok(()));
        }
        let wait = Err(Duration::from_millis(250));
        assert_eq!(limit.take(address("2001:db8::ffff"), "one more", NOW), wait);
        assert_eq!(limit.take(address("2001:db8:0:1::1"), "one more", NOW), Ok(()));
    }

    #[test]
    fn memory_is_bounded() {
        let limit = RateLimit::default();
        let peer = |index: usize| Some(IpAddr::from(u32::try_from(index).unwrap().to_be_bytes()));
        for index in 0..MAX_BUCKETS / 2 {
            assert_eq!(limit.take(peer(index), "portal", NOW), Ok(()));
        }
        assert!(limit.take(None, "portal", NOW).is_err());
        let later = NOW.plus(Duration::from_secs(2));
        assert_eq!(limit.take(None, "portal", later), Ok(()));
        assert_eq!(limit.0.lock().unwrap().len(), 2);
    }
}
