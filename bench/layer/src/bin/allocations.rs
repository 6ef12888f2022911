//! Counts allocations; `layer-allocations memory FIXTURE TOKENS PADDING` counts the bytes that stay allocated.

use std::{alloc::System, path::Path};

use house::Fixture;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["memory", path, tokens, padding] => {
            let live = || {
                let stats = ALLOCATOR.stats();
                stats.bytes_allocated - stats.bytes_deallocated
            };
            let number = |text: &str| text.parse().expect("a number");
            layer::memory_by(&Fixture::read(Path::new(path)), number(tokens), number(padding), &live);
        }
        _ => house::count(layer::operations(&Fixture::from_arguments()), ALLOCATOR),
    }
}
