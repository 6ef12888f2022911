//! One token that was verified, and for how long that may be believed.

use super::Revoked;
use crate::AccessToken;
use sealwright_jose::{Digest, Hash};
use std::{
    fmt,
    hash::{BuildHasherDefault, Hash as StdHash, Hasher},
    sync::atomic::Ordering::Relaxed,
};

/// The SHA-256 digest of a whole token: header, claims and signature, byte for byte.
///
/// A token whose signature was changed has another one, and a token is not kept in clear to be compared with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(crate) fn of(token: impl AsRef<[u8]>) -> Self {
        Self::from(&Digest::of(Hash::Sha256, token.as_ref()))
    }

    pub(super) fn from(digest: &Digest) -> Self {
        Self(*digest.as_bytes().first_chunk().expect("SHA-256 has 32 bytes"))
    }

    /// Two numbers of it that its hash has nothing of.
    pub(super) fn numbers(&self) -> [u64; 2] {
        let [_, .., third, last] = *self.0.as_chunks().0 else { return [0; 2] };
        [third, last].map(u64::from_le_bytes)
    }
}

impl fmt::Debug for Fingerprint {
    /// Not even a digest of a token is for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint")
    }
}

impl StdHash for Fingerprint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0);
    }
}

/// A digest is as good as random already, so its first bytes serve as the hash.
pub(super) type ByPrefix = BuildHasherDefault<Prefix>;

#[derive(Default)]
pub(super) struct Prefix(u64);

impl Hasher for Prefix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }
}

/// A token that was verified, as the store keeps it: it and what is remembered of it are one allocation.
#[derive(Clone)]
pub(crate) struct Known(AccessToken);

impl Known {
    pub(crate) fn new(token: AccessToken) -> Self {
        Self(token)
    }

    pub(crate) fn token(&self) -> &AccessToken {
        &self.0
    }

    pub(crate) fn into_token(self) -> AccessToken {
        self.0
    }

    /// Whether what its claims say of time still holds.
    pub(super) fn holds_at(&self, now_s: i64) -> bool {
        self.0.window().holds_at(now_s)
    }

    /// Whether it was revoked. Looks only if anything was revoked since the last time.
    pub(crate) fn is_revoked(&self, revoked: &Revoked) -> bool {
        self.is_revoked_by(revoked, |token| revoked.contains(token))
    }

    /// As [`is_revoked`](Self::is_revoked), where `contains` looks.
    pub(super) fn is_revoked_by(
        &self,
        revoked: &Revoked,
        contains: impl FnOnce(&AccessToken) -> bool,
    ) -> bool {
        // Before looking, so that what is revoked meanwhile is looked for the next time.
        let state = revoked.state();
        let cleared = self.0.cleared();
        if cleared.load(Relaxed) == state {
            return false;
        }
        let is_revoked = contains(&self.0);
        if !is_revoked {
            cleared.store(state, Relaxed);
        }
        is_revoked
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.is(&other.0)
    }

    /// What it takes in memory, with its places in the store.
    pub(super) fn bytes(&self) -> u64 {
        /// Two places in the store (it grows by doubling) and in its index, and what the allocator adds to the token and
        /// to its text.
        const OVERHEAD: usize = 2 * 56 + 12 + 2 * 16;
        (OVERHEAD + self.0.memory_bytes()) as u64
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Known").field(&self.0).finish()
    }
}
