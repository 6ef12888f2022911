//! No input may take long for its size.

use std::{
    fs,
    time::{Duration, Instant},
};

/// Far above what any input within the limits needs, and far below what a quadratic algorithm takes
/// for some 100 kB.
const BUDGET: Duration = Duration::from_millis(500);

/// Runs `work` and panics if it takes too long, each time, not counting what other programs take.
pub fn bounded(bytes: usize, work: impl Fn()) {
    let started = Instant::now();
    work();
    if started.elapsed() <= BUDGET {
        return;
    }
    let mut fastest = Duration::MAX;
    for _ in 0..3 {
        let started = busy();
        work();
        fastest = fastest.min(busy().saturating_sub(started));
    }
    assert!(fastest <= BUDGET, "{} ms for {bytes} bytes", fastest.as_millis());
}

/// How long this thread has been running on a core, where the kernel tells (Linux); else what the
/// clock says.
fn busy() -> Duration {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| START.elapsed(), Duration::from_nanos)
}
