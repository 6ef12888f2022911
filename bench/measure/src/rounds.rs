//! All candidates of one subject in turn, round after round.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use crate::{Result, candidate::Candidate, statistics::Summary};

/// How long and how often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// How many rounds, where they fit into the time.
    pub(crate) rounds: usize,
    /// How long all rounds of one subject may take together.
    pub(crate) budget: Duration,
}

/// No fewer rounds than this, however slow the operations are: less would not show what disturbed.
const FEWEST: usize = 7;

/// By candidate and operation.
pub(crate) type Times = BTreeMap<(String, String), Summary>;

/// Measures every operation of all candidates.
pub(crate) fn run(candidates: &mut [Candidate], plan: Plan) -> Result<Times> {
    let mut times = Times::new();
    for subject in subjects(candidates) {
        let found = run_subject(candidates, &subject, plan)?;
        for ((candidate, operation), summary) in &found {
            eprintln!(
                "  {candidate:26} {operation:32} {:>14.0} ns  median {:>14.0}",
                summary.p10, summary.median
            );
        }
        times.extend(found);
    }
    Ok(times)
}

/// The first two parts of the names, in the order in which they first appear.
fn subjects(candidates: &[Candidate]) -> Vec<String> {
    let mut subjects: Vec<String> = Vec::new();
    for operation in candidates.iter().flat_map(|candidate| &candidate.operations) {
        let subject = subject_of(operation);
        if !subjects.iter().any(|known| known == subject) {
            subjects.push(subject.to_owned());
        }
    }
    subjects
}

fn subject_of(operation: &str) -> &str {
    operation.rsplit_once('/').map_or(operation, |(subject, _)| subject)
}

struct Contestant {
    candidate: usize,
    operation: String,
    times: u64,
    samples: Vec<f64>,
}

fn run_subject(candidates: &mut [Candidate], subject: &str, plan: Plan) -> Result<Times> {
    let mut contestants = Vec::new();
    for (index, candidate) in candidates.iter_mut().enumerate() {
        let own: Vec<_> = candidate
            .operations
            .iter()
            .filter(|operation| subject_of(operation) == subject)
            .cloned()
            .collect();
        for operation in own {
            let times = candidate.calibrate(&operation)?;
            contestants.push(Contestant { candidate: index, operation, times, samples: Vec::new() });
        }
    }
    let started = Instant::now();
    for round in 0..plan.rounds {
        if round >= FEWEST && started.elapsed() > plan.budget {
            break;
        }
        // Each round starts with another one, so that nobody is always the first after a pause.
        contestants.rotate_left(1);
        for contestant in &mut contestants {
            let ns = candidates[contestant.candidate].run(&contestant.operation, contestant.times)?;
            contestant.samples.push(ns);
        }
    }
    let summary = |contestant: Contestant| {
        let name = candidates[contestant.candidate].name.to_owned();
        ((name, contestant.operation), Summary::of(contestant.samples))
    };
    Ok(contestants.into_iter().map(summary).collect())
}
