//! Counts allocations.

use std::alloc::System;

use house::Fixture;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    house::count(ours::operations(&Fixture::from_arguments()), ALLOCATOR);
}
