//! Allocations, counted in a binary of its own: counting costs time, so the timed one does not do it.

use std::alloc::System;

use stats_alloc::StatsAlloc;

use crate::Operation;

/// How often each operation is run while counting.
const TIMES: u64 = 20;

/// Prints a line for each operation: its name and how many allocations (with reallocations) it makes in Rust's
/// allocator, on average. What C libraries allocate for themselves is not seen.
pub fn count(operations: Vec<Operation>, allocator: &StatsAlloc<System>) {
    for mut operation in operations {
        // What is allocated once (buffers that grow, headers that are remembered) is not counted.
        operation.time(200);
        let before = allocator.stats();
        operation.time(TIMES);
        let after = allocator.stats();
        let allocations = after.allocations - before.allocations + after.reallocations - before.reallocations;
        println!("{} {}", operation.name(), allocations as f64 / TIMES as f64);
    }
}
