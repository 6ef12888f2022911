//! What remembered tokens take, in processes of their own.

use std::{path::Path, process::Command};

use crate::Result;

/// The memory of one process after so many tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// How many different tokens were verified.
    pub(crate) verified: usize,
    /// By how many bytes the claims of each are longer than the fixture's.
    pub(crate) padding: usize,
    /// How many of them are remembered.
    pub(crate) remembered: u64,
    /// What the layer counts for them, in bytes.
    pub(crate) counted: u64,
    /// What Rust's allocator gave out and did not get back, at most, in bytes.
    pub(crate) allocated: u64,
    /// By how much the process has grown, at most, in bytes.
    pub(crate) resident: u64,
}

pub(crate) fn run(programs: &Path, fixture: &Path, verified: usize, padding: usize) -> Result<Memory> {
    let once = |name| once(programs, name, fixture, [verified, padding]);
    let [remembered, counted, allocated] = once("layer-allocations")?;
    let [_, _, resident] = once("layer")?;
    Ok(Memory { verified, padding, remembered, counted, allocated, resident })
}

fn once(programs: &Path, name: &str, fixture: &Path, [tokens, padding]: [usize; 2]) -> Result<[u64; 3]> {
    eprintln!("  {name}: memory of {tokens} tokens, claims longer by {padding} bytes");
    let output = Command::new(programs.join(name))
        .arg("memory")
        .arg(fixture)
        .args([tokens.to_string(), padding.to_string()])
        .output()
        .map_err(|error| format!("cannot start {name}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<u64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    numbers.try_into().map_err(|_| {
        format!("`{name} memory`: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr))
    })
}
