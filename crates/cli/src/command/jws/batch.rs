//! `sealwright jws verify --batch`: one token a line in, one JSON result a line out, on all cores.

use std::{
    io::{self, BufRead, BufReader, IsTerminal, Read},
    num::NonZero,
    thread,
};

use indicatif::ProgressBar;
use sealwright_jose::jws::{Require, Scratch, Verifier};

use super::{Outcome, token::Token, verdict::Verdict, verify::verify};
use crate::{error::CliError, input::Source, output::Output, progress};

/// A longer line is no token, and passed over.
const MAX_LINE_BYTES: usize = 16 * 1024 * 1024;

/// What is read before it is verified: enough to keep all cores busy, little enough to hold.
const ROUND_LINES: usize = 8 * 1024;
const ROUND_BYTES: usize = 8 * 1024 * 1024;

pub(super) fn run(
    tokens: &Source,
    verifier: &Verifier,
    require: Require,
    output: &Output,
) -> Result<Outcome, CliError> {
    let unreadable = |source| CliError::Unreadable { what: tokens.to_string(), source };
    let (file, size) = tokens.open().map_err(unreadable)?;
    // On a terminal the results themselves show how far it has come.
    let bar = if io::stdout().is_terminal() { ProgressBar::hidden() } else { progress::bytes(size) };
    let mut lines = BufReader::with_capacity(256 * 1024, file);
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let (mut count, mut invalid) = (0_u64, 0_u64);
    loop {
        let round = Round::read(&mut lines).map_err(unreadable)?;
        if round.lines.is_empty() {
            break;
        }
        let results = round.verify(verifier, require, workers);
        for result in &results {
            output.json_lines(&result.json)?;
            invalid += result.invalid;
        }
        for (line, at) in round.lines.iter().zip(count + 1..) {
            if matches!(line, Line::TooLong) {
                let most = MAX_LINE_BYTES / 1024 / 1024;
                output.note(format_args!("line {at} is over the limit for a line, {most} MiB"));
            }
        }
        count += round.lines.len() as u64;
        bar.inc(round.bytes as u64);
    }
    bar.finish_and_clear();
    if invalid == 0 {
        return Ok(Outcome::Done);
    }
    output.note(format_args!("{invalid} of {count} tokens are not valid"));
    Ok(Outcome::Refused)
}

/// The lines of one round, without their ends.
#[derive(Default)]
struct Round {
    lines: Vec<Line>,
    /// As they were in the file.
    bytes: usize,
}

enum Line {
    Text(String),
    TooLong,
}

/// The results of one worker's lines, one JSON object a line.
#[derive(Default)]
struct Results {
    json: String,
    invalid: u64,
}

impl Round {
    fn read(reader: &mut impl BufRead) -> io::Result<Self> {
        let mut round = Self::default();
        while round.lines.len() < ROUND_LINES && round.bytes < ROUND_BYTES {
            let mut line = Vec::new();
            // One byte more, for the line's end.
            let mut bytes = reader.by_ref().take(MAX_LINE_BYTES as u64 + 1).read_until(b'\n', &mut line)?;
            if bytes == 0 {
                break;
            }
            if bytes > MAX_LINE_BYTES && !line.ends_with(b"\n") {
                bytes += skip_line(reader)?;
                round.lines.push(Line::TooLong);
                round.bytes += bytes;
                continue;
            }
            round.bytes += bytes;
            while line.pop_if(|byte| matches!(byte, b'\r' | b'\n')).is_some() {}
            // What is not text is no token; the line still gets its result.
            round.lines.push(Line::Text(String::from_utf8(line).unwrap_or_default()));
        }
        Ok(round)
    }

    /// Each worker takes a run of lines, so that the results stand in the order of the lines.
    fn verify(&self, verifier: &Verifier, require: Require, workers: usize) -> Vec<Results> {
        let share = self.lines.len().div_ceil(workers).max(1);
        thread::scope(|scope| {
            let workers: Vec<_> = self
                .lines
                .chunks(share)
                .map(|lines| scope.spawn(move || verify_lines(lines, verifier, require)))
                .collect();
            workers
                .into_iter()
                .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        })
    }
}

fn verify_lines(lines: &[Line], verifier: &Verifier, require: Require) -> Results {
    let mut results = Results::default();
    let mut scratch = Scratch::new();
    for line in lines {
        let verdict = match line {
            Line::Text(line) => {
                verify(&Token::of(line), verifier, require, &mut scratch).map_err(|(verdict, _)| verdict)
            }
            Line::TooLong => Err(Verdict::too_long()),
        };
        let verdict = verdict.unwrap_or_else(|refused| {
            results.invalid += 1;
            refused
        });
        results.json += &serde_json::to_string(&verdict).expect("strings and JSON, written to memory");
        results.json.push('\n');
    }
    results
}

fn skip_line(reader: &mut impl BufRead) -> io::Result<usize> {
    let mut skipped = 0;
    loop {
        let buffer = reader.fill_buf()?;
        let (used, done) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(end) => (end + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        reader.consume(used);
        skipped += used;
        if done {
            return Ok(skipped);
        }
    }
}
