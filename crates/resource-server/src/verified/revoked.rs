//! Tokens that are refused although they are good: revoked by their issuer, or found inactive by introspection.

use super::known::{ByPrefix, Fingerprint};
use crate::AccessToken;
use sealwright_jose::{Hash, Hasher};
use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
};

/// One token that must not pass any more.
///
/// [`Authenticator::revoke`](crate::Authenticator::revoke) takes it: from a feed of revocations, or when an introspection
/// endpoint (RFC 7662) answered `"active": false`.
#[derive(Clone, Copy)]
pub struct Revocation {
    name: Name,
    expires_at: i64,
}

/// Digests, so that each takes the same room whatever a token says.
#[derive(Clone, Copy)]
enum Name {
    Claims(Fingerprint),
    Jti(Fingerprint),
}

impl Revocation {
    /// This token, under whatever signature: of an ECDSA signature anybody can make a second one that is just as good.
    ///
    /// It takes one that passed, because there is room for so many only: what a stranger made up cannot pass anyway,
    /// and must not take the place of what can.
    pub fn of_token(token: &AccessToken) -> Self {
        Self { name: Name::Claims(claims_fingerprint(token)), expires_at: token.expires_at() }
    }

    /// Every token that `issuer` gave this `jti`. `expires_at`: `exp` of the token, in seconds since the epoch.
    pub fn of_jti(issuer: &str, jti: &str, expires_at: i64) -> Self {
        Self { name: Name::Jti(jti_fingerprint(issuer, jti)), expires_at }
    }
}

impl fmt::Debug for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocation").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// All that a token says, byte for byte.
fn claims_fingerprint(token: &AccessToken) -> Fingerprint {
    Fingerprint::of(token.json())
}

/// A `jti` is unique only together with its issuer. The length keeps the two apart, and no claims start with a zero.
fn jti_fingerprint(issuer: &str, jti: &str) -> Fingerprint {
    let mut hasher = Hasher::new(Hash::Sha256);
    hasher.update(&[0]);
    hasher.update(&(issuer.len() as u64).to_be_bytes());
    hasher.update(issuer.as_bytes());
    hasher.update(jti.as_bytes());
    Fingerprint::from(&hasher.finish())
}

/// The tokens that were revoked and have not expired yet.
///
/// It can be given to several authenticators, one after the other too: what was revoked stays revoked when the
/// configuration is read again. Cheap to clone; the clones are one.
///
/// # Examples
///
/// ```
/// use sealwright_resource_server::Revocations;
///
/// let revocations = Revocations::with_capacity(10_000);
/// assert_eq!(revocations.len(), 0);
/// ```
#[derive(Clone, Debug)]
pub struct Revocations(Arc<Revoked>);

impl Revocations {
    /// Room for so many at once; each takes about 100 bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Arc::new(Revoked::new(capacity)))
    }

    /// How many are remembered now. Those whose tokens have expired are forgotten with the next revocation.
    pub fn len(&self) -> usize {
        self.0.set().expires_at.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn revoked(&self) -> &Arc<Revoked> {
        &self.0
    }
}

impl Default for Revocations {
    /// Room for 100,000.
    fn default() -> Self {
        Self::with_capacity(100_000)
    }
}

/// There is no room for one more revocation until others expire. The token was not revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{capacity} revoked tokens are remembered, and there is no room for one more")]
#[non_exhaustive]
pub struct RevocationsFull {
    /// How many are remembered.
    pub capacity: usize,
}

/// The set itself.
pub(crate) struct Revoked {
    capacity: usize,
    set: RwLock<Set>,
    /// Whether any was ever known by its `jti`; if not, no digest is made of one.
    by_jti: AtomicBool,
    /// Counts the tokens that were revoked, from 1.
    state: AtomicU64,
    /// The longest skew that any of the authenticators grants which share this.
    skew_s: AtomicI64,
}

#[derive(Default)]
struct Set {
    /// `exp` of each token.
    expires_at: HashMap<Fingerprint, i64, ByPrefix>,
    /// The first of them, or earlier.
    soonest: i64,
}

impl Revoked {
    fn new(capacity: usize) -> Self {
        Self {
            capacity,
            set: RwLock::default(),
            by_jti: AtomicBool::new(false),
            state: AtomicU64::new(1),
            skew_s: AtomicI64::new(0),
        }
    }

    /// Somebody who shares this grants so much skew: what is revoked is remembered for that much longer than its token
    /// lives.
    pub(crate) fn grant_skew(&self, skew_s: i64) {
        self.skew_s.fetch_max(skew_s, Ordering::Relaxed);
    }

    /// Changes with each token that is revoked; never 0.
    pub(super) fn state(&self) -> u64 {
        self.state.load(Ordering::Acquire)
    }

    /// Adds one, unless it is there already.
    pub(crate) fn add(&self, revocation: Revocation, now_s: i64) -> Result<(), RevocationsFull> {
        let (Name::Claims(key) | Name::Jti(key)) = revocation.name;
        let expired = self.latest_expired(now_s);
        if revocation.expires_at <= expired {
            return Ok(());
        }
        // Nothing panics while the set is written, so that a poisoned lock guards a sound one.
        let mut set = self.set.write().unwrap_or_else(PoisonError::into_inner);
        set.drop_expired(expired);
        if set.expires_at.len() >= self.capacity && !set.expires_at.contains_key(&key) {
            return Err(RevocationsFull { capacity: self.capacity });
        }
        set.soonest = set.soonest.min(revocation.expires_at);
        match set.expires_at.entry(key) {
            // Whoever looked since it was added has found it, and need not look again.
            Entry::Occupied(mut known) => *known.get_mut() = revocation.expires_at.max(*known.get()),
            Entry::Vacant(new) => {
                new.insert(revocation.expires_at);
                if matches!(revocation.name, Name::Jti(_)) {
                    self.by_jti.store(true, Ordering::Release);
                }
                // Only now: whoever sees the new state finds the revocation.
                self.state.fetch_add(1, Ordering::Release);
            }
        }
        Ok(())
    }

    /// Whether a verified token was revoked, as it is or by its `jti`.
    ///
    /// That it is there decides, and not the time: how long a token can pass is the business of who asks.
    pub(crate) fn contains(&self, token: &AccessToken) -> bool {
        if self.set().expires_at.is_empty() {
            return false;
        }
        // Nobody waits for a digest.
        let claims = claims_fingerprint(token);
        let by_jti = self.by_jti.load(Ordering::Acquire);
        let jti = token.jti().filter(|_| by_jti).map(|jti| jti_fingerprint(token.issuer(), jti));
        let set = self.set();
        set.expires_at.contains_key(&claims) || jti.is_some_and(|jti| set.expires_at.contains_key(&jti))
    }

    /// How many of them are of tokens that could still pass somewhere.
    #[cfg(any(test, feature = "metrics"))]
    pub(crate) fn living(&self, now_s: i64) -> usize {
        let expired = self.latest_expired(now_s);
        self.set().expires_at.values().filter(|expires_at| **expires_at > expired).count()
    }

    /// The last `exp` that passes nowhere any more.
    fn latest_expired(&self, now_s: i64) -> i64 {
        now_s.saturating_sub(self.skew_s.load(Ordering::Relaxed))
    }

    fn set(&self) -> RwLockReadGuard<'_, Set> {
        self.set.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Set {
    /// Walks the set only if something in it has expired, which is once a second at most.
    fn drop_expired(&mut self, latest: i64) {
        if self.soonest <= latest {
            self.expires_at.retain(|_, expires_at| *expires_at > latest);
            self.soonest = self.expires_at.values().copied().min().unwrap_or(i64::MAX);
        }
    }
}

impl fmt::Debug for Revoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let len = self.set().expires_at.len();
        f.debug_struct("Revoked").field("len", &len).field("capacity", &self.capacity).finish()
    }
}
