//! One token that was verified, and for how long that may be believed.

use super::Revoked;
use crate::AccessToken;
use sealwright_jose::{Digest, Hash};
use std::{
    fmt,
    hash::{BuildHasherDefault, Hash as StdHash, Hasher},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// The SHA-256 digest of a whole token: header, claims and signature, byte for byte.
///
/// A token whose signature was changed has another one, and a token is not kept in clear to be compared with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(crate) fn of(token: &str) -> Self {
        Self::from(&Digest::of(Hash::Sha256, token.as_bytes()))
    }

    pub(super) fn from(digest: &Digest) -> Self {
        let mut bytes = [0; 32];
        for (byte, from) in bytes.iter_mut().zip(digest.as_bytes()) {
            *byte = *from;
        }
        Self(bytes)
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

/// What is known of a token that was verified.
pub(crate) struct Known {
    token: AccessToken,
    /// The state of [`Revoked`] in which it was not among the revoked.
    cleared: AtomicU64,
}

impl Known {
    pub(crate) fn new(token: AccessToken) -> Self {
        Self { token, cleared: AtomicU64::new(0) }
    }

    pub(crate) fn token(&self) -> &AccessToken {
        &self.token
    }

    /// Whether what its claims say of time still holds.
    pub(super) fn holds_at(&self, now_s: i64) -> bool {
        self.token.window().holds_at(now_s)
    }

    /// Whether it was revoked. Looks only if anything was revoked since the last time.
    pub(crate) fn is_revoked(&self, revoked: &Revoked) -> bool {
        let state = revoked.state();
        if self.cleared.load(Relaxed) == state {
            return false;
        }
        let is_revoked = revoked.contains(&self.token);
        if !is_revoked {
            self.cleared.store(state, Relaxed);
        }
        is_revoked
    }

    /// What it takes in memory, with its places in the store.
    pub(super) fn bytes(&self) -> u64 {
        /// Two places in the store (it grows by doubling), the two `Arc`s, and what the allocator rounds up.
        const OVERHEAD: usize = 2 * 72 + 2 * 16 + 3 * 16;
        (OVERHEAD + size_of::<Self>() + self.token.memory_bytes()) as u64
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known").field("token", &self.token).finish_non_exhaustive()
    }
}
