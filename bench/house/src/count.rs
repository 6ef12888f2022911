//! Allocations, counted in a binary of its own: counting costs time, so the timed one does not do it.

use std::{alloc::System, time::Duration};

use stats_alloc::StatsAlloc;

use crate::Operation;

/// How often each operation is run before and while counting, where that does not take long.
const WARM_UP: u32 = 200;
const COUNTED: u32 = 20;
/// The slow ones are run less often, but twice at least.
const LONG: Duration = Duration::from_millis(300);

/// Prints a line for each operation: its name and how many allocations (with reallocations) it makes in Rust's
/// allocator, on average. What C libraries allocate for themselves is not seen.
pub fn count(operations: Vec<Operation>, allocator: &StatsAlloc<System>) {
    for mut operation in operations {
        // What is allocated once (buffers that grow, headers that are remembered) is not counted.
        run(&mut operation, WARM_UP);
        let before = allocator.stats();
        let times = run(&mut operation, COUNTED);
        let after = allocator.stats();
        let allocations = after.allocations - before.allocations + after.reallocations - before.reallocations;
        println!("{} {}", operation.name(), allocations as f64 / f64::from(times));
    }
}

/// Runs it so often or until it takes long, and says how often.
fn run(operation: &mut Operation, times: u32) -> u32 {
    let mut spent = Duration::ZERO;
    for n in 1..=times {
        spent += operation.time(1);
        if spent > LONG && n > 1 {
            return n;
        }
    }
    times
}
