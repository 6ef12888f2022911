//! Who comes in while the store is full: a token that came before.
//!
//! Where every request brings another token, each would push one out that will not come back either, at the price of the memory
//! that both are in. So a token that comes for the first time is remembered by one number only.

use super::Fingerprint;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

/// How long the store is taken for full after a token made room for another. Then one is let in to try.
const FULL_S: i64 = 1;

/// So many places fit into a processor's own memory, 128 KiB.
const MOST_PLACES: usize = 16 * 1024;

pub(super) struct Door {
    /// Which token came last, of those that have this place.
    lately: Box<[AtomicU64]>,
    /// The second in which a token made room for another last.
    full_at_s: AtomicI64,
}

impl Door {
    pub(super) fn new(entries: usize) -> Self {
        let places = entries.clamp(1, MOST_PLACES).next_power_of_two();
        let lately = (0..places).map(|_| AtomicU64::new(0)).collect();
        Self { lately, full_at_s: AtomicI64::new(i64::MIN) }
    }

    /// Whether to remember this token: there is room, or it came lately.
    pub(super) fn admits(&self, fingerprint: &Fingerprint, now_s: i64) -> bool {
        if now_s.saturating_sub(self.full_at_s.load(Relaxed)) > FULL_S {
            return true;
        }
        let [place, token] = fingerprint.numbers();
        // There are as many places as a power of two.
        let place = place as usize & (self.lately.len() - 1);
        self.lately[place].swap(token, Relaxed) == token
    }

    /// A token made room for another.
    pub(super) fn was_full(&self, now_s: i64) {
        self.full_at_s.store(now_s, Relaxed);
    }
}
