//! A candidate's process, asked for batches.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use crate::Result;

/// The programs, in the order of the tables' columns.
pub(crate) const NAMES: [&str; 5] =
    ["ours", "jsonwebtoken-aws-lc", "jsonwebtoken-rust-crypto", "josekit", "jwt-simple"];

/// The resource server's layer, which is measured against itself only and has no column.
pub(crate) const LAYER: &str = "layer";

/// What remembers verified tokens in Node; beside the layer only.
pub(crate) const FAST_JWT: &str = "fast-jwt";

/// A running candidate; it ends when it is dropped.
pub(crate) struct Candidate {
    pub(crate) name: &'static str,
    pub(crate) operations: Vec<String>,
    process: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Candidate {
    pub(crate) fn start(name: &'static str, programs: &Path, fixture: &Path) -> Result<Self> {
        Self::of(name, Command::new(programs.join(name)).arg(fixture))
    }

    /// The script that plays [`FAST_JWT`].
    pub(crate) fn start_node(script: &Path, fixture: &Path) -> Result<Self> {
        Self::of(FAST_JWT, Command::new("node").arg(script).arg(fixture))
    }

    fn of(name: &'static str, command: &mut Command) -> Result<Self> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {name}: {error}"))?;
        let questions = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().ok_or("a pipe is missing")?);
        let mut candidate = Self { name, operations: Vec::new(), process, questions, answers };
        let list = candidate.ask("list")?;
        candidate.operations = list.split_whitespace().map(str::to_owned).collect();
        Ok(candidate)
    }

    /// How many times of an operation fill one batch.
    pub(crate) fn calibrate(&mut self, operation: &str) -> Result<u64> {
        let answer = self.ask(&format!("calibrate {operation}"))?;
        answer.parse().map_err(|_| format!("{} answered `{answer}`", self.name))
    }

    /// Nanoseconds of one time, as the mean of a batch.
    pub(crate) fn run(&mut self, operation: &str, times: u64) -> Result<f64> {
        let answer = self.ask(&format!("run {operation} {times}"))?;
        let ns: f64 = answer.parse().map_err(|_| format!("{} answered `{answer}`", self.name))?;
        Ok(ns / times as f64)
    }

    /// Nanoseconds of one time of two operations, of slices in turn.
    pub(crate) fn pair(&mut self, one: &str, other: &str, milliseconds: u64) -> Result<(f64, f64)> {
        let answer = self.ask(&format!("pair {one} {other} {milliseconds}"))?;
        let numbers =
            answer.split_once(' ').and_then(|(one, other)| Some((one.parse().ok()?, other.parse().ok()?)));
        numbers.ok_or_else(|| format!("{} answered `{answer}`", self.name))
    }

    fn ask(&mut self, question: &str) -> Result<String> {
        let name = self.name;
        let gone = |error| format!("{name} does not answer `{question}`: {error}");
        let mut answer = String::new();
        if let Some(questions) = &mut self.questions {
            writeln!(questions, "{question}").and_then(|()| questions.flush()).map_err(gone)?;
        }
        if self.answers.read_line(&mut answer).map_err(gone)? == 0 {
            return Err(format!("{name} ended at `{question}`; what it said stands above"));
        }
        Ok(answer.trim().to_owned())
    }
}

impl Drop for Candidate {
    fn drop(&mut self) {
        // It ends when nobody asks any more.
        drop(self.questions.take());
        let _ = self.process.wait();
    }
}

/// Allocations of each operation, from the binary that counts them.
pub(crate) fn allocations(name: &str, programs: &Path, fixture: &Path) -> Result<BTreeMap<String, f64>> {
    let output = Command::new(programs.join(format!("{name}-allocations")))
        .arg(fixture)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot start {name}-allocations: {error}"))?;
    if !output.status.success() {
        return Err(format!("{name}-allocations: {}", output.status));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let line = |line: &str| {
        let (operation, count) = line.split_once(' ')?;
        Some((operation.to_owned(), count.parse().ok()?))
    };
    text.lines()
        .map(line)
        .collect::<Option<_>>()
        .ok_or_else(|| format!("{name}-allocations answered otherwise"))
}
