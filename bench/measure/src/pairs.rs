//! What Sealwright takes beyond what it cannot do without: both in one process, slice by slice in turn.
//!
//! It is some 100 ns of up to 250 µs, less than two runs of the same operation differ by if one of them comes a moment
//! later.

use std::collections::BTreeMap;

use crate::{Result, candidate::Candidate, statistics::Summary};

/// How long one round of one pair takes.
const MILLISECONDS: u64 = 60;

/// Of each subject, an operation and what it is compared with.
const PAIRS: [(&str, &str, &str); 10] = [
    ("verify", "jws", "primitive"),
    // Signatures differ in how long they take, and these two go through the same ones.
    ("verify", "jws-new-header", "primitive-several"),
    ("verify", "jwt", "primitive"),
    ("verify", "jwt-owned", "primitive"),
    ("sign", "jws", "primitive"),
    ("hit", "layer", "floor"),
    ("hit", "layer-jwks", "floor"),
    ("hit", "layer-discovered", "floor"),
    ("miss", "layer", "floor"),
    // What it takes to remember a token.
    ("miss", "remembering", "layer-off"),
];

/// Nanoseconds by an operation and what it is compared with.
pub(crate) type Over = BTreeMap<(String, String), f64>;

/// Nanoseconds over the floor: the median of the rounds.
///
/// The candidate was not asked for anything else before, so that operations which go through the same tokens are at the
/// same one.
pub(crate) fn run(ours: &mut Candidate, rounds: usize) -> Result<Over> {
    let pairs: Vec<_> = ours.operations.iter().flat_map(|operation| pairs_of(operation)).collect();
    let mut found: BTreeMap<_, Vec<f64>> = BTreeMap::new();
    for _ in 0..rounds {
        for pair in &pairs {
            let (floor, took) = ours.pair(&pair.1, &pair.0, MILLISECONDS)?;
            found.entry(pair.clone()).or_default().push(took - floor);
        }
    }
    let median = |(pair, over): ((String, String), Vec<f64>)| {
        let over = Summary::of(over);
        eprintln!(
            "  {:28} over {:28} {:>+8.0} ns  ({:+.0} to {:+.0})",
            pair.0, pair.1, over.median, over.p10, over.p90
        );
        (pair, over.median)
    };
    Ok(found.into_iter().map(median).collect())
}

fn pairs_of(operation: &str) -> impl Iterator<Item = (String, String)> {
    let (subject, what) = operation.rsplit_once('/').unwrap_or_default();
    let group = subject.split('/').next().unwrap_or_default();
    let own = PAIRS.into_iter().filter(move |(of, name, _)| *of == group && *name == what);
    own.map(move |(_, _, floor)| (operation.to_owned(), format!("{subject}/{floor}")))
}
