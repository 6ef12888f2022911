//! Nonces that need no memory (RFC 9449 §9).

use sealwright_jose::{Alg, KeyError, MacKey, base64url};
use std::{fmt, time::Duration};

/// Nonces for proofs, so that none can be made in advance: a new one each time step, the same for everybody.
///
/// A nonce is the HMAC of its step, so nothing is stored. The one of the step before is good, too: a client that
/// has just been told one has at least a step to use it.
///
/// # Examples
///
/// ```
/// use sealwright_resource_server::sender::dpop::{DpopOptions, Nonces};
/// use std::time::Duration;
///
/// let nonces = Nonces::every(Duration::from_secs(60))?;
/// let options = DpopOptions { nonces: Some(nonces), ..DpopOptions::default() };
/// # Ok::<(), sealwright_jose::KeyError>(())
/// ```
#[derive(Clone)]
pub struct Nonces {
    key: MacKey,
    step_s: i64,
}

/// What a nonce of ours is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NonceAge {
    Current,
    Previous,
}

impl Nonces {
    /// Nonces that change once a `step` (a whole number of seconds, at least one), under a random key of this
    /// process.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if this machine gives no random numbers.
    ///
    /// # Examples
    ///
    /// ```
    /// use sealwright_resource_server::sender::dpop::Nonces;
    /// use std::time::Duration;
    ///
    /// let nonces = Nonces::every(Duration::from_secs(60))?;
    /// let nonce = nonces.current(1_800_000_000);
    /// assert_eq!(nonces.current(1_800_000_059), nonce);
    /// assert_ne!(nonces.current(1_800_000_060), nonce);
    /// // Under the key of another process there are others.
    /// assert_ne!(Nonces::every(Duration::from_secs(60))?.current(1_800_000_000), nonce);
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn every(step: Duration) -> Result<Self, KeyError> {
        Ok(Self::new(MacKey::generate(Alg::Hs256)?, step))
    }

    /// The same under a key of the caller's, for several processes that answer for one API. It is derived from a
    /// secret of at least 32 bytes that serves nothing else.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if `secret` is too short.
    pub fn with_secret(step: Duration, secret: &[u8]) -> Result<Self, KeyError> {
        Ok(Self::new(MacKey::from_bytes(Alg::Hs256, secret)?, step))
    }

    fn new(key: MacKey, step: Duration) -> Self {
        Self { key, step_s: i64::try_from(step.as_secs()).unwrap_or(i64::MAX).max(1) }
    }

    /// The nonce of the step that `now_s` (seconds since the epoch) is in.
    pub fn current(&self, now_s: i64) -> String {
        // HMAC with a key of full length does not fail; without a nonce, no proof would pass.
        let tag = self.key.sign(&message(self.step(now_s))).unwrap_or_default();
        base64url::encode(tag)
    }

    pub(super) fn age(&self, nonce: &str, now_s: i64) -> Option<NonceAge> {
        let tag: [u8; 32] = base64url::decode_exact(nonce).ok()?;
        let is_of = |step: i64| self.key.verify(&message(step), &tag).is_ok();
        let step = self.step(now_s);
        if is_of(step) {
            Some(NonceAge::Current)
        } else {
            is_of(step.saturating_sub(1)).then_some(NonceAge::Previous)
        }
    }

    fn step(&self, now_s: i64) -> i64 {
        now_s.div_euclid(self.step_s)
    }
}

/// Named for its purpose, in case that the key has another one, too.
fn message(step: i64) -> Vec<u8> {
    [b"DPoP-Nonce ".as_slice(), &step.to_be_bytes()].concat()
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nonces").field("step_s", &self.step_s).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use NonceAge::{Current, Previous};

    const NOW: i64 = 1_800_000_000; // the first second of a step of 60

    fn nonces(secret: u8) -> Nonces {
        Nonces::with_secret(Duration::from_secs(60), &[secret; 32]).unwrap()
    }

    #[test]
    fn a_nonce_lives_for_its_step_and_the_next() {
        let nonce = nonces(1).current(NOW);
        for (at, expected) in [
            (0, Some(Current)),
            (59, Some(Current)),
            (60, Some(Previous)),
            (119, Some(Previous)),
            (120, None),
            (-1, None),
        ] {
            assert_eq!(nonces(1).age(&nonce, NOW + at), expected, "{at} s");
        }
    }

    #[test]
    fn only_ours_are_good() {
        let nonce = nonces(1).current(NOW);
        assert_eq!(nonces(2).age(&nonce, NOW), None, "of another process");
        let mut flipped = nonce.clone().into_bytes();
        flipped[0] ^= 1;
        for bad in ["", "A", &nonce[1..], &format!("{nonce}A"), &String::from_utf8(flipped).unwrap()] {
            assert_eq!(nonces(1).age(bad, NOW), None, "{bad}");
        }
    }

    #[test]
    fn the_ends_of_time_are_steps_like_others() {
        for at in [i64::MIN, -1, 0, i64::MAX] {
            assert_eq!(nonces(1).age(&nonces(1).current(at), at), Some(Current), "{at}");
        }
    }

    #[test]
    fn a_random_key_is_random_and_stays_hidden() {
        let (one, other) = (Nonces::every(Duration::ZERO).unwrap(), Nonces::every(Duration::ZERO).unwrap());
        assert_ne!(one.current(NOW), other.current(NOW));
        assert_eq!(format!("{one:?}"), "Nonces { step_s: 1, .. }");
    }
}
