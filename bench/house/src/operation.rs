//! One thing that a candidate can do.

use std::time::{Duration, Instant};

/// An operation under the name by which the driver asks for it: `group/subject/what`, such as `verify/HS256/jws`.
/// All operations of one group and subject are run in turn.
pub struct Operation {
    name: String,
    batch: Box<dyn FnMut(u64)>,
}

impl Operation {
    /// An operation that `once` does. It must panic if the outcome is not the right one, so that nobody is fast by
    /// failing.
    pub fn new(name: impl Into<String>, mut once: impl FnMut() + 'static) -> Self {
        Self {
            name: name.into(),
            batch: Box::new(move |times| {
                for _ in 0..times {
                    once();
                }
            }),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How long it takes to do it this many times.
    pub fn time(&mut self, times: u64) -> Duration {
        let started = Instant::now();
        (self.batch)(times);
        started.elapsed()
    }
}
