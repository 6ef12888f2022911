//! Payloads of a gibibyte, each in a process of its own, since its peak memory is part of the result.

use std::{collections::BTreeMap, path::Path, process::Command};

use crate::{Result, statistics::Summary};

/// The ways, as `ours large` names them: each of ours after its floor.
pub(crate) const WAYS: [&str; 6] =
    ["hash", "verify-unencoded", "sign-unencoded", "hash-base64", "verify-base64", "sign-base64"];

/// Time and peak memory of one way.
#[derive(Clone, Debug)]
pub(crate) struct Large {
    pub(crate) time: Summary,
    pub(crate) peak_kib: u64,
}

/// Runs all ways in turn, `rounds` times.
pub(crate) fn run(programs: &Path, mib: usize, rounds: usize) -> Result<BTreeMap<&'static str, Large>> {
    let mut samples: BTreeMap<&str, (Vec<f64>, u64)> = BTreeMap::new();
    for round in 1..=rounds {
        eprintln!("  {mib} MiB in pieces, round {round} of {rounds}");
        for way in WAYS {
            let (ns, peak) = once(programs, way, mib)?;
            let entry = samples.entry(way).or_default();
            entry.0.push(ns);
            entry.1 = entry.1.max(peak);
        }
    }
    let large = |(way, (ns, peak_kib))| (way, Large { time: Summary::of(ns), peak_kib });
    Ok(samples.into_iter().map(large).collect())
}

fn once(programs: &Path, way: &str, mib: usize) -> Result<(f64, u64)> {
    let output = Command::new(programs.join("ours"))
        .args(["large", way, &mib.to_string()])
        .output()
        .map_err(|error| format!("cannot start ours: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers =
        text.trim().split_once(' ').and_then(|(ns, peak)| Some((ns.parse().ok()?, peak.parse().ok()?)));
    numbers.ok_or_else(|| {
        format!("`ours large {way} {mib}`: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr))
    })
}
