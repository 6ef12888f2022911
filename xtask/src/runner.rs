//! Counts what held and what did not, shows a live line for what takes long, and says it all again at the end.

use std::fs::File;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Result;
use crate::command::{self, tail};
use crate::places::Places;
use crate::tally::Tally;

/// How much of a failed command's log is shown; the rest is in the file.
const SHOWN_LINES: usize = 150;

/// One run of the workshop.
pub(crate) struct Runner {
    places: Places,
    live: bool,
    started: Instant,
    tally: Tally,
    failures: Vec<String>,
}

/// What a step sees of the run: its log and its line on the terminal.
pub(crate) struct Step<'r> {
    places: &'r Places,
    name: &'r str,
    live: bool,
    started: Instant,
    logs: usize,
    /// Where the newest command's output goes.
    log: PathBuf,
    tally: Option<Tally>,
    note: Option<String>,
}

impl Runner {
    pub(crate) fn new(places: &Places) -> Self {
        Self {
            places: places.clone(),
            live: std::io::stderr().is_terminal(),
            started: Instant::now(),
            tally: Tally::default(),
            failures: Vec::new(),
        }
    }

    /// Runs one step and counts it: once, or as the many checks that it says it made.
    pub(crate) fn step<T>(&mut self, name: &str, work: impl FnOnce(&mut Step<'_>) -> Result<T>) -> Option<T> {
        if !self.live {
            eprintln!("▸ {name}");
        }
        let started = Instant::now();
        let mut step = Step {
            places: &self.places,
            name,
            live: self.live,
            started,
            logs: 0,
            log: PathBuf::new(),
            tally: None,
            note: None,
        };
        step.show("");
        let outcome = work(&mut step);
        let (tally, note) = (step.tally.take(), step.note.take());
        self.clear();

        let seconds = started.elapsed().as_secs_f64();
        let counted = counted(tally, outcome.is_ok());
        let failed = counted.failed > 0;
        self.tally.add(counted);
        let note = note.map(|note| format!(" ({note})")).unwrap_or_default();
        let mark = if failed { "FAILED" } else { "ok" };
        eprintln!("{mark:>6}  {name}{note}  {seconds:.1} s");
        match outcome {
            Ok(value) => {
                if failed {
                    self.failures.push(name.to_owned());
                }
                Some(value)
            }
            Err(reason) => {
                eprintln!("{}\n", indented(&reason));
                self.failures.push(format!("{name}: {}", reason.lines().next().unwrap_or_default()));
                None
            }
        }
    }

    /// Counts a check that cannot be made because something before it failed: never in silence.
    pub(crate) fn impossible(&mut self, name: &str, because: &str) {
        self.step(name, |_| Err::<(), _>(format!("not run, because {because}")));
    }

    /// Says what failed, and the one line that programs read. Whether all of it held.
    pub(crate) fn finish(self) -> bool {
        if !self.failures.is_empty() {
            eprintln!("\nfailed:");
            for failure in &self.failures {
                eprintln!("  - {failure}");
            }
        }
        eprintln!("took {:.0} s", self.started.elapsed().as_secs_f64());
        println!("{} passed, {} failed", self.tally.passed, self.tally.failed);
        self.tally.failed == 0 && self.tally.passed > 0
    }

    fn clear(&self) {
        if self.live {
            eprint!("\r\x1b[2K");
        }
    }
}

impl Step<'_> {
    /// Runs a command under this step; what it printed is shown if it fails.
    pub(crate) fn run(&mut self, command: &mut Command) -> Result<String> {
        self.run_for(command, command::LIMIT)
    }

    /// As [`Step::run`], within `limit`.
    pub(crate) fn run_for(&mut self, command: &mut Command, limit: Duration) -> Result<String> {
        let output = self.watch(command, limit)?;
        if output.success {
            return Ok(output.text);
        }
        Err(self.failure(command, &output))
    }

    /// Runs a command and gives its output, whatever its exit status was.
    pub(crate) fn watch(&mut self, command: &mut Command, limit: Duration) -> Result<command::Output> {
        let log = self.next_log()?;
        let this = &*self;
        let mut last = Instant::now();
        let mut line = String::new();
        command::watch(command, Some(log), limit, &mut |new| {
            if !new.trim().is_empty() {
                line = new.trim().to_owned();
            }
            if last.elapsed() > Duration::from_millis(100) {
                last = Instant::now();
                this.show(&line);
            }
        })
    }

    /// What to say of a command that failed.
    pub(crate) fn failure(&self, command: &Command, output: &command::Output) -> String {
        format!(
            "`{}` failed ({})\n{}",
            command::shown(command),
            output.status,
            tail(&output.text, SHOWN_LINES)
        )
    }

    /// Counts this step as the many checks that it made.
    pub(crate) fn counts(&mut self, tally: Tally) {
        self.tally.get_or_insert_default().add(tally);
    }

    /// A few words for the line of this step: a version, a figure.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.note = Some(note.into());
    }

    pub(crate) fn places(&self) -> &Places {
        self.places
    }

    /// Shows on the live line what this step is doing.
    pub(crate) fn show(&self, doing: &str) {
        if self.live {
            let doing: String = doing.chars().filter(|c| !c.is_control()).take(90).collect();
            eprint!(
                "\r\x1b[2K{:>5.0}s  {}  \x1b[2m{doing}\x1b[0m",
                self.started.elapsed().as_secs_f64(),
                self.name
            );
            let _ = std::io::stderr().flush();
        }
    }

    fn next_log(&mut self) -> Result<File> {
        self.logs += 1;
        let slug: String = self
            .name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .collect();
        let path = self.places.log(&format!("{slug}-{}", self.logs))?;
        let file =
            File::create(&path).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        self.log = path;
        Ok(file)
    }
}

/// How a step counts: as the checks that it made, or as one; never as nothing failed when it did.
fn counted(made: Option<Tally>, ok: bool) -> Tally {
    let mut tally = made.unwrap_or(Tally { passed: u64::from(ok), ..Tally::default() });
    if !ok && tally.failed == 0 {
        tally.failed = 1;
    }
    tally
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("        {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::counted;
    use crate::tally::Tally;

    fn numbers(made: Option<(u64, u64)>, ok: bool) -> (u64, u64) {
        let made = made.map(|(passed, failed)| Tally { passed, failed, skipped: 0 });
        let tally = counted(made, ok);
        (tally.passed, tally.failed)
    }

    #[test]
    fn a_step_counts_once_or_as_the_checks_that_it_made() {
        assert_eq!(numbers(None, true), (1, 0));
        assert_eq!(numbers(Some((12, 0)), true), (12, 0));
    }

    #[test]
    fn a_failure_is_never_lost() {
        assert_eq!(numbers(None, false), (0, 1));
        assert_eq!(numbers(Some((12, 0)), false), (12, 1));
        assert_eq!(numbers(Some((12, 3)), false), (12, 3));
        assert_eq!(numbers(Some((12, 3)), true), (12, 3));
    }
}
