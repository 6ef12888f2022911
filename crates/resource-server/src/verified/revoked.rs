//! Tokens that are refused although they are good: revoked by their issuer, or found inactive by introspection.

use super::known::{ByPrefix, Fingerprint};
use crate::AccessToken;
use sealwright_jose::{Hash, Hasher, jws::Unverified, jwt::Claims};
use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
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
    Token(Fingerprint),
    Jti(Fingerprint),
}

impl Revocation {
    /// The token with this text, under whatever signature: of an ECDSA signature anybody can make a second one that is
    /// just as good.
    ///
    /// `None` if it is no token that could pass anywhere, because it cannot be read or never expires. Whether its
    /// signature is valid is not looked at.
    pub fn of_token(token: &str) -> Option<Self> {
        let unverified = Unverified::peek_compact(token).ok()?;
        let expires_at = Claims::parse(unverified.dangerous_payload()).ok()?.exp()?;
        Some(Self { name: Name::Token(signed_fingerprint(token)), expires_at })
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

/// What is signed of a token: its header and its payload.
fn signed_fingerprint(token: &str) -> Fingerprint {
    Fingerprint::of(token.rsplit_once('.').map_or(token, |(signed, _)| signed))
}

/// A `jti` is unique only together with its issuer. The length keeps the two apart, and no token starts with a zero.
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

    /// How many are remembered now.
    pub fn len(&self) -> usize {
        self.0.set().until_s.len()
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
    /// Counts revocations, from 1.
    state: AtomicU64,
}

#[derive(Default)]
struct Set {
    /// When each token will have expired.
    until_s: HashMap<Fingerprint, i64, ByPrefix>,
    /// Nothing expires before this.
    soonest_s: i64,
}

impl Revoked {
    fn new(capacity: usize) -> Self {
        Self { capacity, set: RwLock::default(), by_jti: AtomicBool::new(false), state: AtomicU64::new(1) }
    }

    /// Changes with each revocation; never 0.
    pub(super) fn state(&self) -> u64 {
        self.state.load(Ordering::Acquire)
    }

    /// Adds one, to be remembered for `skew_s` longer than its token lives.
    pub(crate) fn add(&self, revocation: Revocation, skew_s: i64, now_s: i64) -> Result<(), RevocationsFull> {
        let until_s = revocation.expires_at.saturating_add(skew_s);
        let (Name::Token(key) | Name::Jti(key)) = revocation.name;
        // Nothing panics while the set is written, so that a poisoned lock guards a sound one.
        let mut set = self.set.write().unwrap_or_else(PoisonError::into_inner);
        if set.until_s.len() >= self.capacity && !set.until_s.contains_key(&key) {
            set.drop_expired(now_s);
            if set.until_s.len() >= self.capacity {
                return Err(RevocationsFull { capacity: self.capacity });
            }
        }
        let entry = set.until_s.entry(key).or_insert(until_s);
        *entry = until_s.max(*entry);
        set.soonest_s = set.soonest_s.min(until_s);
        if matches!(revocation.name, Name::Jti(_)) {
            self.by_jti.store(true, Ordering::Release);
        }
        // Only now: whoever sees the new state finds the revocation.
        self.state.fetch_add(1, Ordering::Release);
        Ok(())
    }

    /// Whether a verified token was revoked, by its `text` or its `jti`.
    pub(crate) fn contains(&self, text: &str, token: &AccessToken, now_s: i64) -> bool {
        let set = self.set();
        if set.until_s.is_empty() {
            return false;
        }
        let is_revoked = |key: &Fingerprint| set.until_s.get(key).is_some_and(|until_s| *until_s > now_s);
        is_revoked(&signed_fingerprint(text))
            || (self.by_jti.load(Ordering::Acquire)
                && token.jti().is_some_and(|jti| is_revoked(&jti_fingerprint(token.issuer(), jti))))
    }

    fn set(&self) -> RwLockReadGuard<'_, Set> {
        self.set.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Set {
    /// Walks the set only if something in it has expired: a feed that goes on while the set is full costs little.
    fn drop_expired(&mut self, now_s: i64) {
        if self.soonest_s <= now_s {
            self.until_s.retain(|_, until_s| *until_s > now_s);
            self.soonest_s = self.until_s.values().copied().min().unwrap_or(i64::MAX);
        }
    }
}

impl fmt::Debug for Revoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let len = self.set().until_s.len();
        f.debug_struct("Revoked").field("len", &len).field("capacity", &self.capacity).finish()
    }
}
