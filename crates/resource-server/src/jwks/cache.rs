//! What to do about a key set now: a state machine without I/O, whose time is an argument.
//!
//! A set goes through these ages:
//!
//! | age | what a request does |
//! |---|---|
//! | below 4/5 of `refresh` | uses it |
//! | below `refresh` | uses it; one of them starts a fetch in the background |
//! | below `max_stale` | waits for a fetch; uses it all the same while fetches fail |
//! | above | waits for a fetch; refused while fetches fail |
//!
//! So a busy server never waits, an idle one waits once, and an outage is noticed by nobody until `max_stale`.
//! While fetches fail, the pauses between them grow from one second to the cooldown.

use super::JwksOptions;
use std::time::Duration;

/// Since the start of the process or any other moment; it never goes back, and if it does, time stands still.
type Moment = Duration;

/// The first pause after an attempt that failed.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// What a request has to do. `Refresh` and `WaitForNew` come to one caller at a time, who must then fetch and
/// report how it went by [`Cache::fetched`] or [`Cache::failed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Use the set at hand.
    Use,
    /// Start a fetch, and use the set at hand meanwhile.
    Refresh,
    /// Start a fetch, and wait until it ends.
    WaitForNew,
    /// Wait until the fetch that is under way ends.
    Wait,
    /// There is nothing to use or to wait for.
    GiveUp,
}

impl Step {
    pub(crate) fn must_fetch(self) -> bool {
        matches!(self, Self::Refresh | Self::WaitForNew)
    }

    pub(crate) fn must_wait(self) -> bool {
        matches!(self, Self::Wait | Self::WaitForNew)
    }

    /// Whether the set at hand is to be used right away.
    pub(crate) fn may_use(self) -> bool {
        matches!(self, Self::Use | Self::Refresh)
    }
}

#[derive(Debug)]
pub(crate) struct Cache {
    refresh: Duration,
    max_stale: Duration,
    cooldown: Duration,
    /// When the set at hand came.
    fetched_at: Option<Moment>,
    /// Counts the sets that came.
    generation: u64,
    in_flight: bool,
    /// Failed attempts since the last one that succeeded.
    failures: u32,
    /// No attempt before this.
    retry_at: Moment,
    /// The last refresh that an unknown key caused.
    unknown_at: Option<Moment>,
}

impl Cache {
    pub(crate) fn new(options: &JwksOptions) -> Self {
        Self {
            refresh: options.refresh,
            // A set that is not yet due for a refresh is not stale, whatever the configuration says.
            max_stale: options.max_stale.max(options.refresh),
            cooldown: options.cooldown,
            fetched_at: None,
            generation: 0,
            in_flight: false,
            failures: 0,
            retry_at: Moment::ZERO,
            unknown_at: None,
        }
    }

    /// From which age on a request has to ask.
    pub(crate) fn ahead(&self) -> Duration {
        self.refresh / 5 * 4
    }

    pub(crate) fn age(&self, now: Moment) -> Option<Duration> {
        self.fetched_at.map(|fetched_at| now.saturating_sub(fetched_at))
    }

    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether the set at hand is good enough, if no better can be had.
    pub(crate) fn may_use(&self, now: Moment) -> bool {
        self.age(now).is_some_and(|age| age < self.max_stale)
    }

    /// A request wants a key.
    pub(crate) fn request(&mut self, now: Moment) -> Step {
        match self.age(now) {
            Some(age) if age < self.ahead() => Step::Use,
            Some(age) if age < self.refresh || (age < self.max_stale && self.failures > 0) => {
                if self.try_begin(now) { Step::Refresh } else { Step::Use }
            }
            Some(_) | None if self.in_flight => Step::Wait,
            Some(_) | None => {
                if self.try_begin(now) {
                    Step::WaitForNew
                } else {
                    Step::GiveUp
                }
            }
        }
    }

    /// A request did not find its key in the set of that generation.
    pub(crate) fn unknown_key(&mut self, now: Moment, generation: u64) -> Step {
        if self.generation > generation {
            return Step::Use;
        }
        if self.in_flight {
            return Step::Wait;
        }
        let cooling = self.unknown_at.is_some_and(|at| now.saturating_sub(at) < self.cooldown);
        if cooling || !self.try_begin(now) {
            return Step::GiveUp;
        }
        self.unknown_at = Some(now);
        Step::WaitForNew
    }

    /// The fetch that was under way brought a set; returns its generation.
    pub(crate) fn fetched(&mut self, now: Moment) -> u64 {
        self.in_flight = false;
        self.failures = 0;
        self.retry_at = Moment::ZERO;
        self.fetched_at = Some(now);
        self.generation += 1;
        self.generation
    }

    /// The fetch that was under way brought none.
    pub(crate) fn failed(&mut self, now: Moment) {
        self.in_flight = false;
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16));
        self.retry_at = now.saturating_add(pause.min(self.cooldown));
        self.failures = self.failures.saturating_add(1);
    }

    fn try_begin(&mut self, now: Moment) -> bool {
        let may = !self.in_flight && now >= self.retry_at;
        self.in_flight |= may;
        may
    }
}

#[cfg(test)]
mod tests;
