//! The candidate's side of the protocol, one line each way:
//!
//! | asked | answered |
//! |---|---|
//! | `list` | the names, with spaces between |
//! | `calibrate NAME` | how many times fill one batch |
//! | `run NAME TIMES` | nanoseconds for all of them |

use std::{
    io::{self, BufRead, Write},
    time::Duration,
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

fn named<'o>(operations: &'o mut [Operation], name: &str) -> &'o mut Operation {
    operations
        .iter_mut()
        .find(|operation| operation.name() == name)
        .expect("the driver asks for what was listed")
}
