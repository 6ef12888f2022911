//! The candidate's side of the protocol, one line each way:
//!
//! | asked | answered |
//! |---|---|
//! | `list` | the names, with spaces between |
//! | `calibrate NAME` | how many times fill one batch |
//! | `run NAME TIMES` | nanoseconds for all of them |
//! | `pair NAME OTHER MILLISECONDS` | nanoseconds of one time of each, of slices in turn |

use std::{
    io::{self, BufRead, Write},
    time::{Duration, Instant},
};

use crate::Operation;

/// How a batch is sized: it is long against the clock's own cost and short against a time slice of the scheduler.
#[derive(Clone, Copy, Debug)]
pub struct Calibration {
    /// How long one batch should take.
    pub batch: Duration,
    /// For how long the operation is run before, so that caches, predictors and remembered headers are as in steady use.
    pub warm_up: Duration,
}

impl Default for Calibration {
    fn default() -> Self {
        Self { batch: Duration::from_micros(500), warm_up: Duration::from_millis(20) }
    }
}

/// Answers the driver until it hangs up.
pub fn serve(mut operations: Vec<Operation>) {
    let mut answer = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line.expect("the driver writes UTF-8");
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["list"] => {
                let names: Vec<_> = operations.iter().map(Operation::name).collect();
                writeln!(answer, "{}", names.join(" "))
            }
            ["calibrate", name] => {
                writeln!(answer, "{}", calibrate(named(&mut operations, name), Calibration::default()))
            }
            ["run", name, times] => {
                let times = times.parse().expect("the driver asks for a number of times");
                let operation = named(&mut operations, name);
                // The process was asleep while others ran: the first call would pay for its caches.
                operation.time(1);
                writeln!(answer, "{}", operation.time(times).as_nanos())
            }
            ["pair", one, other, milliseconds] => {
                let milliseconds =
                    milliseconds.parse().expect("the driver asks for a number of milliseconds");
                let [one, other] = pair(&mut operations, [one, other], Duration::from_millis(milliseconds));
                writeln!(answer, "{one} {other}")
            }
            _ => panic!("the driver asked for `{line}`"),
        }
        .and_then(|()| answer.flush())
        .expect("the driver listens");
    }
}

/// How many times of an operation fill one batch, at least one.
fn calibrate(operation: &mut Operation, wanted: Calibration) -> u64 {
    let mut times = 1;
    let mut spent = Duration::ZERO;
    loop {
        let took = operation.time(times).max(Duration::from_nanos(1));
        spent += took;
        if spent >= wanted.warm_up {
            let share = wanted.batch.as_nanos() * u128::from(times) / took.as_nanos();
            return u64::try_from(share).unwrap_or(u64::MAX).max(1);
        }
        if took * 4 < wanted.warm_up {
            times *= 2;
        }
    }
}

/// Two operations slice by slice in turn, which of them first in turn, too. Of what one time took in the slices, the lower
/// quartile of each.
///
/// Both are done equally often, so that two that go through the same tokens stay with the same one.
fn pair(operations: &mut [Operation], names: [&str; 2], budget: Duration) -> [f64; 2] {
    /// As long as the batches of the other tables, by which the targets were set, too.
    const SLICE: Duration = Duration::from_micros(500);
    let at = names.map(|name| {
        let at = operations.iter().position(|operation| operation.name() == name);
        at.expect("the driver asks for what was listed")
    });
    let mut both = operations.get_disjoint_mut(at).expect("they are two");
    // As in a run: the first calls would pay for the process's caches.
    let [once, _] = both.each_mut().map(|operation| {
        operation.time(1);
        operation.time(1)
    });
    let times = (SLICE.as_nanos() / once.as_nanos().max(1)).max(1) as u64;
    let mut slices = [Vec::new(), Vec::new()];
    let started = Instant::now();
    while started.elapsed() < budget || slices[0].len() < 4 {
        for which in if slices[0].len() % 2 == 0 { [0, 1] } else { [1, 0] } {
            // What the other one left in the processor's memory is not this one's.
            both[which].time(1);
            slices[which].push(both[which].time(times));
        }
    }
    slices.map(|mut slices| {
        let quarter = slices.len() / 4;
        slices.select_nth_unstable(quarter).1.as_nanos() as f64 / times as f64
    })
}

fn named<'o>(operations: &'o mut [Operation], name: &str) -> &'o mut Operation {
    operations
        .iter_mut()
        .find(|operation| operation.name() == name)
        .expect("the driver asks for what was listed")
}
