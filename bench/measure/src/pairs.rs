//! What Sealwright takes beyond the primitive: both in one process, slice by slice in turn.
//!
//! It is some 100 ns of up to 250 µs, less than two runs of the same operation differ by if one of them comes a moment
//! later.

use std::collections::BTreeMap;

use crate::{Result, candidate::Candidate, statistics::Summary};

/// How long one round of one pair takes.
const MILLISECONDS: u64 = 60;

/// Of each subject, an operation and what it is compared with.
const PAIRS: [(&str, &str, &str); 5] = [
    ("verify", "jws", "primitive"),
    // Signatures differ in how long they take, and these two go through the same ones.
    ("verify", "jws-new-header", "primitive-several"),
    ("verify", "jwt", "primitive"),
    ("verify", "jwt-owned", "primitive"),
    ("sign", "jws", "primitive"),
];

/// Nanoseconds over the floor, by operation: the median of the rounds.
///
/// The candidate was not asked for anything else before, so that operations which go through the same tokens are at the
/// same one.
pub(crate) fn run(ours: &mut Candidate, rounds: usize) -> Result<BTreeMap<String, f64>> {
    let mut found: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let operations = ours.operations.clone();
    let pairs: Vec<_> = operations
        .iter()
        .filter_map(|operation| {
            let (subject, what) = operation.rsplit_once('/')?;
            let group = subject.split('/').next()?;
            let (_, _, floor) = PAIRS.iter().find(|(of, name, _)| *of == group && *name == what)?;
            Some((operation, format!("{subject}/{floor}")))
        })
        .collect();
    for _ in 0..rounds {
        for (operation, floor) in &pairs {
            let (floor, took) = ours.pair(floor, operation, MILLISECONDS)?;
            found.entry((*operation).clone()).or_default().push(took - floor);
        }
    }
    let median = |(operation, over): (String, Vec<f64>)| {
        let over = Summary::of(over);
        eprintln!(
            "  over the floor: {operation:28} {:>+8.0} ns  ({:+.0} to {:+.0})",
            over.median, over.p10, over.p90
        );
        (operation, over.median)
    };
    Ok(found.into_iter().map(median).collect())
}
