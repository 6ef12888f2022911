//! What to do about a document from afar now: a state machine without I/O, whose time is an argument.
//!
//! A document (a key set, or the metadata that says where it is) is fresh for as long as its source says, within
//! the operator's bounds, and goes through these ages:
//!
//! | age | what a request does | and without a request |
//! |---|---|---|
//! | below 4/5 of its freshness | uses it | nothing |
//! | below its freshness | uses it; one of them starts a fetch in the background | a fetch starts by itself |
//! | below `max_stale` | waits for a fetch; uses it all the same while fetches fail | fetches go on, with pauses |
//! | above | waits for a fetch; refused while fetches fail | fetches go on, with pauses |
//!
//! So nobody waits as long as the source answers, and an outage is noticed by nobody until `max_stale`. While
//! fetches fail, the pauses between them grow from one second to the cooldown.

use std::time::Duration;

/// Since the start of the process or any other moment; it never goes back, and if it does, time stands still.
pub(crate) type Moment = Duration;

/// The first pause after an attempt that failed, and the least between two that no request asked for.
const LEAST_PAUSE: Duration = Duration::from_secs(1);

/// How long a document may be used, and how often it may be fetched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// How long it is fresh if its source says nothing.
    pub(crate) refresh: Duration,
    /// How long it is at least fresh, whatever its source says.
    pub(crate) min_refresh: Duration,
    /// How long it is at most fresh, whatever its source says.
    pub(crate) max_refresh: Duration,
    /// How long it is used while it cannot be fetched again.
    pub(crate) max_stale: Duration,
    /// The least between two lookups of unknown keys, and the longest pause between attempts that fail.
    pub(crate) cooldown: Duration,
    /// How long an attempt may take that has not been lost.
    pub(crate) attempt: Duration,
}

/// What a request has to do. `Refresh` and `WaitForNew` come to one caller at a time, who must then fetch and
/// report how it went by [`Cache::fetched`] or [`Cache::failed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Use the document at hand.
    Use,
    /// Start a fetch, and use the document at hand meanwhile.
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

    /// Whether the document at hand is to be used right away.
    pub(crate) fn may_use(self) -> bool {
        matches!(self, Self::Use | Self::Refresh)
    }
}

/// What the refresher has to do, whom no request wakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tick {
    /// Start a fetch, and report how it went.
    Fetch,
    /// Nothing before this moment.
    At(Moment),
    /// Nothing before a fetch has ended: one is under way, or nobody has asked for the first one yet.
    Wait,
}

/// Which attempt a report is about, so that the report of one that was given up as lost changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct AttemptId(u64);

#[derive(Debug)]
pub(crate) struct Cache {
    bounds: Bounds,
    /// When the document at hand came, or was last found to be unchanged.
    fetched_at: Option<Moment>,
    /// How long after that it is fresh.
    fresh_for: Duration,
    /// Counts the documents that came.
    generation: u64,
    /// The attempt under way, and when it began.
    in_flight: Option<Moment>,
    attempt: AttemptId,
    /// Failed attempts since the last one that succeeded.
    failures: u32,
    /// No attempt before this.
    retry_at: Moment,
    /// When the last attempt ended.
    ended_at: Moment,
    /// The last refresh that an unknown key caused.
    unknown_at: Option<Moment>,
    /// The source has said that there is another document.
    news: bool,
}

impl Cache {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            fresh_for: bounds.refresh,
            bounds,
            fetched_at: None,
            generation: 0,
            in_flight: None,
            attempt: AttemptId::default(),
            failures: 0,
            retry_at: Moment::ZERO,
            ended_at: Moment::ZERO,
            unknown_at: None,
            news: false,
        }
    }

    /// From which moment on a request has to ask; `None` if there is nothing that it could use without asking.
    pub(crate) fn ask_at(&self) -> Option<Moment> {
        self.fetched_at.map(|fetched_at| fetched_at.saturating_add(self.ahead()))
    }

    pub(crate) fn age(&self, now: Moment) -> Option<Duration> {
        self.fetched_at.map(|fetched_at| now.saturating_sub(fetched_at))
    }

    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// The attempt that was begun last.
    pub(crate) fn attempt(&self) -> AttemptId {
        self.attempt
    }

    /// Whether the document at hand is good enough, if no better can be had.
    pub(crate) fn may_use(&self, now: Moment) -> bool {
        self.rest(now).is_some()
    }

    /// How much older the document at hand may become until it is too old; `None` if it is.
    pub(crate) fn rest(&self, now: Moment) -> Option<Duration> {
        // What is not yet due for a refresh is not stale, whatever the configuration says.
        let limit = self.bounds.max_stale.max(self.fresh_for);
        limit.checked_sub(self.age(now)?).filter(|rest| !rest.is_zero())
    }

    /// A request wants the document.
    pub(crate) fn request(&mut self, now: Moment) -> Step {
        match self.age(now) {
            Some(age) if age < self.ahead() => Step::Use,
            Some(age) if age < self.fresh_for || (self.may_use(now) && self.failures > 0) => {
                if self.try_begin(now) { Step::Refresh } else { Step::Use }
            }
            Some(_) | None if self.is_under_way(now) => Step::Wait,
            Some(_) | None => {
                if self.try_begin(now) {
                    Step::WaitForNew
                } else {
                    Step::GiveUp
                }
            }
        }
    }

    /// A request did not find its key in the document of that generation.
    pub(crate) fn unknown_key(&mut self, now: Moment, generation: u64) -> Step {
        if self.generation > generation {
            return Step::Use;
        }
        if self.is_under_way(now) {
            return Step::Wait;
        }
        let cooling = self.unknown_at.is_some_and(|at| now.saturating_sub(at) < self.bounds.cooldown);
        if cooling || !self.try_begin(now) {
            return Step::GiveUp;
        }
        self.unknown_at = Some(now);
        Step::WaitForNew
    }

    /// The refresher wants to know whether it is time.
    pub(crate) fn tick(&mut self, now: Moment) -> Tick {
        match self.due(now) {
            None => Tick::Wait,
            Some(at) if now < at => Tick::At(at),
            Some(at) => {
                if self.try_begin(now) {
                    Tick::Fetch
                } else {
                    Tick::At(at.max(self.retry_at))
                }
            }
        }
    }

    /// The source says that it has another document: the refresher fetches it as soon as it may.
    pub(crate) fn news(&mut self) {
        self.news = true;
    }

    /// When the next fetch begins that no request asks for; `None` while one is under way, and before the first.
    pub(crate) fn due(&self, now: Moment) -> Option<Moment> {
        if self.is_under_way(now) {
            return None;
        }
        let ahead = match self.ask_at() {
            Some(_) if self.news => Moment::ZERO,
            Some(ahead) => ahead,
            None if self.failures > 0 => Moment::ZERO,
            None => return None,
        };
        // Without the pause, bounds of nothing would make it fetch without end.
        Some(ahead.max(self.retry_at).max(self.ended_at.saturating_add(LEAST_PAUSE)))
    }

    /// That attempt brought a document, another one than before if `changed`, of which its source says that it is
    /// fresh for `said`. Returns its generation; `None` if the attempt was given up as lost.
    pub(crate) fn fetched(
        &mut self,
        now: Moment,
        attempt: AttemptId,
        said: Option<Duration>,
        changed: bool,
    ) -> Option<u64> {
        self.end(now, attempt)?;
        self.failures = 0;
        self.retry_at = Moment::ZERO;
        self.fetched_at = Some(now);
        self.fresh_for = match said {
            Some(said) => said.max(self.bounds.min_refresh).min(self.bounds.max_refresh),
            None => self.bounds.refresh.min(self.bounds.max_refresh),
        };
        self.generation += u64::from(changed);
        Some(self.generation)
    }

    /// That attempt brought none. Returns how many have failed in a row; `None` if it was given up as lost.
    pub(crate) fn failed(&mut self, now: Moment, attempt: AttemptId) -> Option<u32> {
        self.end(now, attempt)?;
        let pause = LEAST_PAUSE.saturating_mul(1 << self.failures.min(16));
        self.retry_at = now.saturating_add(pause.min(self.bounds.cooldown));
        self.failures = self.failures.saturating_add(1);
        Some(self.failures)
    }

    fn ahead(&self) -> Duration {
        self.fresh_for / 5 * 4
    }

    /// An attempt that takes twice as long as it may is lost: its runtime stands still. Nobody waits for it.
    fn is_under_way(&self, now: Moment) -> bool {
        self.in_flight.is_some_and(|began| now.saturating_sub(began) < self.bounds.attempt.saturating_mul(2))
    }

    fn try_begin(&mut self, now: Moment) -> bool {
        let may = !self.is_under_way(now) && now >= self.retry_at;
        if may {
            self.in_flight = Some(now);
            // What is fetched from now on is what the news is about.
            self.news = false;
            self.attempt = AttemptId(self.attempt.0 + 1);
        }
        may
    }

    fn end(&mut self, now: Moment, attempt: AttemptId) -> Option<()> {
        (self.attempt == attempt).then(|| self.in_flight.take()).flatten()?;
        self.ended_at = now;
        Some(())
    }
}

#[cfg(test)]
mod tests;
