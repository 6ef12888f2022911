//! Tokens that were verified before, so that the same token costs a digest and a look-up the next time.
//!
//! Only what passed comes in, so that a stranger cannot fill the cache; a flood of good tokens is held off by the
//! bounds. What is kept is that a token was verified and what it said. Nothing that depends on the request is: proofs
//! of possession, rules and assurance are checked every time.
//!
//! The store itself is `quick_cache`: sharded, no background thread, readers share a lock that is held for one look-up,
//! and its S3-FIFO keeps the tokens in use when a flood of others passes through. (moka would do as well, but it brings
//! a clock of its own, queues each hit for later housekeeping, and needs about twice the room.)

mod door;
mod known;
mod revoked;

pub(crate) use known::{Fingerprint, Known};
pub(crate) use revoked::Revoked;
pub use revoked::{Revocation, Revocations, RevocationsFull};

use door::Door;
use known::ByPrefix;
use quick_cache::{Lifecycle, OptionsBuilder, Weighter, sync::Cache};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// How many verified tokens are remembered, and in how much memory.
///
/// # Examples
///
/// ```
/// use sealwright_resource_server::VerifiedTokens;
///
/// let few = VerifiedTokens::entries(1_000).bytes(1024 * 1024);
/// let none = VerifiedTokens::off();
/// assert_eq!(VerifiedTokens::default(), VerifiedTokens::entries(100_000));
/// # assert_ne!(few, none);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedTokens {
    entries: usize,
    bytes: usize,
}

impl VerifiedTokens {
    /// At most so many tokens, in at most 64 MiB. Zero is the same as [`off`](Self::off).
    pub const fn entries(entries: usize) -> Self {
        Self { entries, bytes: 64 * 1024 * 1024 }
    }

    /// At most so many bytes, of claims and of what it takes to find them.
    #[must_use]
    pub const fn bytes(self, bytes: usize) -> Self {
        Self { bytes, ..self }
    }

    /// None: each token is verified anew each time.
    pub const fn off() -> Self {
        Self { entries: 0, bytes: 0 }
    }

    /// The store, unless none is wanted.
    pub(crate) fn open(self) -> Option<VerifiedCache> {
        if self.entries == 0 || self.bytes == 0 { None } else { Some(VerifiedCache::new(self)) }
    }
}

impl Default for VerifiedTokens {
    /// 100,000 tokens.
    fn default() -> Self {
        Self::entries(100_000)
    }
}

/// What the cache has done so far, and what is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedTokensStatus {
    /// Tokens that were found and still held.
    pub hits: u64,
    /// Tokens that had to be verified.
    pub misses: u64,
    /// Tokens that made room for others.
    pub evictions: u64,
    /// Tokens that are in it now.
    pub entries: usize,
    /// What they take, as it is counted against [`VerifiedTokens::bytes`].
    pub bytes: u64,
}

/// The store of one authenticator. Another authenticator has other terms and another store: a change of policy starts
/// empty.
pub(crate) struct VerifiedCache {
    tokens: Cache<Fingerprint, Known, Weight, ByPrefix, Evictions>,
    door: Door,
    evictions: Arc<AtomicU64>,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl VerifiedCache {
    fn new(limits: VerifiedTokens) -> Self {
        let evictions = Arc::<AtomicU64>::default();
        let each = Weight { least: (limits.bytes / limits.entries).max(1) as u64 };
        let lifecycle = Evictions(Arc::clone(&evictions));
        // A token that was evicted and comes back soon is kept longer the next time; few need to be known for that.
        let options = OptionsBuilder::new()
            .estimated_items_capacity(limits.entries)
            .weight_capacity(limits.bytes as u64)
            .shards(SHARDS)
            .ghost_allocation(0.1)
            .build();
        let tokens = match options {
            Ok(options) => Cache::with_options(options, each, ByPrefix::new(), lifecycle),
            // Cannot be: both capacities were given.
            Err(_) => Cache::with(limits.entries, limits.bytes as u64, each, ByPrefix::new(), lifecycle),
        };
        let door = Door::new(limits.entries);
        Self { tokens, door, evictions, hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    /// A token that was verified before, if it still would be at `now_s`: its time is not over, its issuer has the same
    /// keys, and it was not revoked. Else it is dropped. Whoever then verifies a token says so by [`missed`](Self::missed).
    pub(crate) fn find(&self, fingerprint: &Fingerprint, revoked: &Revoked, now_s: i64) -> Option<Known> {
        let found = self.tokens.get(fingerprint).filter(|known| {
            let holds =
                known.holds_at(now_s) && known.token().has_current_keys() && !known.is_revoked(revoked);
            if !holds {
                // Unless another request has verified it anew meanwhile.
                self.tokens.remove_if(fingerprint, |stored| stored.is(known));
            }
            holds
        });
        if found.is_some() {
            self.hits.fetch_add(1, Relaxed);
        }
        found
    }

    /// A token was looked for in vain, and was verified or refused. What could be no token at all is none that was missed.
    pub(crate) fn missed(&self) {
        self.misses.fetch_add(1, Relaxed);
    }

    /// Remembers a token that has just been verified; while there is no room, only if it comes for the second time.
    pub(crate) fn insert(&self, fingerprint: Fingerprint, known: Known, now_s: i64) {
        if !self.door.admits(&fingerprint, now_s) {
            return;
        }
        let before = self.evictions.load(Relaxed);
        self.tokens.insert(fingerprint, known);
        if self.evictions.load(Relaxed) != before {
            self.door.was_full(now_s);
        }
    }

    pub(crate) fn status(&self) -> VerifiedTokensStatus {
        VerifiedTokensStatus {
            hits: self.hits.load(Relaxed),
            misses: self.misses.load(Relaxed),
            evictions: self.evictions.load(Relaxed),
            entries: self.tokens.len(),
            bytes: self.tokens.weight(),
        }
    }
}

impl fmt::Debug for VerifiedCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VerifiedCache").field(&self.status()).finish()
    }
}

/// So many that two requests seldom want the same lock, and so few that each holds its even share of the tokens.
const SHARDS: usize = 32;

/// A token weighs what it takes in memory, and at least its share of the entries, so that one limit holds both bounds.
#[derive(Clone)]
struct Weight {
    least: u64,
}

impl Weighter<Fingerprint, Known> for Weight {
    fn weight(&self, _: &Fingerprint, known: &Known) -> u64 {
        self.least.max(known.bytes())
    }
}

#[derive(Clone)]
struct Evictions(Arc<AtomicU64>);

impl Lifecycle<Fingerprint, Known> for Evictions {
    /// What was evicted, seldom more than one, is freed when the lock is open again.
    type RequestState = Option<Known>;

    fn on_evict(&self, evicted: &mut Option<Known>, _: Fingerprint, known: Known) {
        self.0.fetch_add(1, Relaxed);
        evicted.get_or_insert(known);
    }
}

#[cfg(test)]
mod tests;
