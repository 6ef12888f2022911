//! Which proofs were seen of late (RFC 9449 §11.1).

use super::DpopError;
use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Requests that come at the same time seldom meet in one of so many shards.
const SHARDS: usize = 64;
/// How many time buckets a window has, more or less: a proof is remembered an eighth longer than it must be.
const BUCKETS: i64 = 8;

/// Remembers each proof for as long as it would pass, and lets it pass once.
///
/// A proof is kept as 64 bits of a keyed hash: the same proof is always found again, and of proofs that were never
/// sent one in 10¹³ is taken for another even when a million are remembered. They are kept in buckets by the time
/// until which they pass, so that those that nobody needs any more go all at once.
///
/// A full window refuses new proofs and forgets none. If it forgot the oldest, anybody with a token of his own
/// could flood it until a proof that he had stolen was forgotten, and then use that once more.
pub(super) struct ReplayWindow {
    shards: Box<[Mutex<Shard>]>,
    entries_per_shard: usize,
    bucket_s: i64,
    hasher: RandomState,
}

#[derive(Default)]
struct Shard {
    buckets: Vec<Bucket>,
    /// The latest bucket that was forgotten. If the clock is turned back, what would belong to it may have been
    /// seen, and does not pass.
    forgotten: Option<i64>,
}

struct Bucket {
    index: i64,
    seen: HashSet<u64>,
}

impl ReplayWindow {
    /// A window for at most `entries` proofs (rounded up), each of which passes for at most `lifetime`.
    pub(super) fn new(entries: usize, lifetime: Duration) -> Self {
        let lifetime_s = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            entries_per_shard: entries.div_ceil(SHARDS),
            bucket_s: (lifetime_s / BUCKETS).max(1),
            hasher: RandomState::new(),
        }
    }

    /// Passes a proof that was not seen before and would be valid until `until_s`, the last such second.
    pub(super) fn pass(&self, jkt: &[u8; 32], jti: &str, until_s: i64, now_s: i64) -> Result<(), DpopError> {
        let (proof, mut shard) = self.find(jkt, jti);
        let (index, now) = (self.bucket(until_s), self.bucket(now_s));
        shard.forget_before(now);
        shard.may_pass(proof, index, now, self.entries_per_shard)?;
        shard.add(index, proof);
        Ok(())
    }

    /// What [`pass`](Self::pass) would say, which leaves everything as it is.
    pub(super) fn look(&self, jkt: &[u8; 32], jti: &str, until_s: i64, now_s: i64) -> Result<(), DpopError> {
        let (proof, shard) = self.find(jkt, jti);
        shard.may_pass(proof, self.bucket(until_s), self.bucket(now_s), self.entries_per_shard)
    }

    fn find(&self, jkt: &[u8; 32], jti: &str) -> (u64, MutexGuard<'_, Shard>) {
        let proof = self.hasher.hash_one((jkt, jti));
        // The lower bits choose the shard, and a `HashSet` hashes again.
        let shard = &self.shards[proof as usize % SHARDS];
        // No step of a change panics halfway, so that a poisoned lock guards a sound state.
        (proof, shard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn bucket(&self, at_s: i64) -> i64 {
        at_s.div_euclid(self.bucket_s)
    }

    /// How many proofs are remembered.
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }
}

impl Shard {
    fn len(&self) -> usize {
        self.buckets.iter().map(|bucket| bucket.seen.len()).sum()
    }

    /// Whether a proof was not seen and there is room for it, when the buckets before `now` are gone or about to go.
    fn may_pass(&self, proof: u64, index: i64, now: i64, entries: usize) -> Result<(), DpopError> {
        let was_forgotten = self.forgotten.max(self.expired(now)).is_some_and(|forgotten| index <= forgotten);
        let living = || self.buckets.iter().filter(|bucket| bucket.index >= now);
        if was_forgotten || living().any(|bucket| bucket.seen.contains(&proof)) {
            return Err(DpopError::Replayed);
        }
        if living().map(|bucket| bucket.seen.len()).sum::<usize>() >= entries {
            return Err(DpopError::WindowFull);
        }
        Ok(())
    }

    /// The latest bucket of those before `index`.
    fn expired(&self, index: i64) -> Option<i64> {
        self.buckets.iter().map(|bucket| bucket.index).filter(|old| *old < index).max()
    }

    /// Drops the buckets whose proofs have all expired: those before `index`.
    fn forget_before(&mut self, index: i64) {
        let expired = self.expired(index);
        if expired.is_some() {
            self.buckets.retain(|bucket| bucket.index >= index);
            self.forgotten = self.forgotten.max(expired);
        }
    }

    fn add(&mut self, index: i64, proof: u64) {
        match self.buckets.iter_mut().find(|bucket| bucket.index == index) {
            Some(bucket) => {
                bucket.seen.insert(proof);
            }
            None => self.buckets.push(Bucket { index, seen: HashSet::from([proof]) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const NOW: i64 = 1_800_000_000;
    const KEY: [u8; 32] = [7; 32];

    fn window(entries: usize) -> ReplayWindow {
        ReplayWindow::new(entries, Duration::from_secs(64))
    }

    #[test]
    fn a_proof_passes_once_for_as_long_as_it_is_valid() {
        let window = window(1000);
        assert_eq!(window.pass(&KEY, "a", NOW + 60, NOW), Ok(()));
        for later in [0, 1, 30, 59, 60] {
            let again = window.pass(&KEY, "a", NOW + 60, NOW + later);
            assert_eq!(again, Err(DpopError::Replayed), "{later} s");
        }
        // The same `jti` in a proof that was made later is still the same `jti`.
        assert_eq!(window.pass(&KEY, "a", NOW + 90, NOW + 30), Err(DpopError::Replayed));
        assert_eq!(window.pass(&KEY, "b", NOW + 60, NOW), Ok(()));
        assert_eq!(window.pass(&[8; 32], "a", NOW + 60, NOW), Ok(()), "another key has names of its own");
    }

    #[test]
    fn what_has_expired_is_forgotten() {
        let window = window(100_000);
        for n in 0..500 {
            assert_eq!(window.pass(&KEY, &n.to_string(), NOW + 60, NOW), Ok(()));
        }
        assert_eq!(window.len(), 500);
        // A shard forgets when it is asked, and so many proofs leave none of them out.
        for n in 500..5500 {
            assert_eq!(window.pass(&KEY, &n.to_string(), NOW + 160, NOW + 100), Ok(()), "{n}");
        }
        assert_eq!(window.len(), 5000);
    }

    #[test]
    fn a_full_window_forgets_nothing_and_passes_nothing() {
        let window = window(640);
        let mut passed = Vec::new();
        for n in 0..10_000 {
            let jti = n.to_string();
            match window.pass(&KEY, &jti, NOW + 60, NOW) {
                Ok(()) => passed.push(jti),
                Err(error) => assert_eq!(error, DpopError::WindowFull),
            }
        }
        assert_eq!((passed.len(), window.len()), (640, 640));
        for jti in passed {
            assert_eq!(window.pass(&KEY, &jti, NOW + 60, NOW), Err(DpopError::Replayed), "{jti}");
        }
    }

    #[test]
    fn a_clock_that_jumps_brings_no_proof_back() {
        let window = window(100_000);
        assert_eq!(window.pass(&KEY, "a", NOW + 60, NOW), Ok(()));
        // An hour too late: whatever touches the shard of that proof lets it be forgotten.
        for n in 0..5000 {
            let _ = window.pass(&KEY, &n.to_string(), NOW + 3660, NOW + 3600);
        }
        // And back: what would pass until the same time may have been seen, and what is newer was not.
        assert_eq!(window.pass(&KEY, "a", NOW + 60, NOW + 1), Err(DpopError::Replayed));
        assert_eq!(window.pass(&KEY, "fresh", NOW + 80, NOW + 20), Ok(()));
        // No time overflows.
        for at in [i64::MIN, i64::MAX] {
            let _ = window.pass(&KEY, "b", at, at);
        }
    }

    #[test]
    fn a_look_says_what_would_be_decided_and_changes_nothing() {
        let window = window(64 * 3);
        let mut decided = [0; 3];
        // Time goes on, and sometimes back, while names come again and shards fill.
        for step in 0..20_000_i64 {
            let now = NOW + step / 40 - if step % 997 < 10 { 100 } else { 0 };
            let jti = (step * 7919 % 700).to_string();
            let until = now + step % 64;
            let before = window.len();
            let looks = [window.look(&KEY, &jti, until, now), window.look(&KEY, &jti, until, now)];
            assert_eq!(window.len(), before);
            let passed = window.pass(&KEY, &jti, until, now);
            assert_eq!(looks, [passed, passed], "step {step}");
            decided[match passed {
                Ok(()) => 0,
                Err(DpopError::Replayed) => 1,
                Err(_) => 2,
            }] += 1;
        }
        assert!(decided.iter().all(|count| *count > 100), "{decided:?}");
    }

    #[test]
    fn of_many_at_once_one_passes() {
        let (window, passed) = (window(100_000), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    for n in 0..1000 {
                        if window.pass(&KEY, &n.to_string(), NOW + 60, NOW).is_ok() {
                            passed.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!(passed.into_inner(), 1000);
    }
}
