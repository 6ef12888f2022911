//! `cargo xtask test fuzz` and `cargo xtask soak fuzz`: libFuzzer on every parser of a stranger's bytes.
//!
//! The targets are a workspace of their own in `fuzz/`. They are built here, by the stable toolchain: the compiler's
//! coverage pass needs no nightly, and so neither does anybody who wants to repeat a finding.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
    mpsc,
};
use std::time::Duration;

use crate::Result;
use crate::command::{self, tail};
use crate::places::Places;
use crate::runner::{Runner, Step};
use crate::tally::Tally;
use crate::tools::{debian, on_path};

/// What libFuzzer steers by: counters at each edge, the table of where they are, and both sides of each comparison.
const COVERAGE: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// One input may take no longer, in seconds, and no more memory, in MiB. The targets themselves are stricter about time.
const INPUT_SECONDS: u32 = 10;
const MEMORY_MIB: u32 = 2048;

/// Builds all targets and runs each for `seconds`.
pub(crate) fn run(runner: &mut Runner, seconds: u64) {
    let Some(targets) = runner.step("fuzz: build", build) else {
        runner.impossible("fuzz", "the build failed");
        return;
    };
    runner.step(&format!("fuzz: {} targets, {seconds} s each", targets.len()), |step| {
        run_all(step, &targets, seconds)
    });
}

/// One program of the fuzz workspace.
struct Target {
    name: String,
    program: PathBuf,
}

fn build(step: &mut Step<'_>) -> Result<Vec<Target>> {
    if std::env::var_os("CXX").is_none() && on_path("c++").is_none() {
        // libFuzzer is C++.
        debian::install(step, &["g++"])?;
    }
    let host = host()?;
    let places = step.places().clone();
    let folder = places.root().join("fuzz");
    step.run(places.cargo().args(["fmt", "--check", "--manifest-path", "fuzz/Cargo.toml"]))?;
    step.run(
        places
            .cargo()
            .env("CARGO_TARGET_DIR", places.fuzz())
            .env("RUSTFLAGS", COVERAGE.join(" ") + " -Dwarnings")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            // With a target named, build scripts and macros are not instrumented.
            .args([
                "build",
                "--release",
                "--locked",
                "--target",
                &host,
                "--manifest-path",
                "fuzz/Cargo.toml",
            ]),
    )?;
    let built = places.fuzz().join(host).join("release");
    let mut targets: Vec<Target> = entries(&folder.join("src").join("bin"))?
        .iter()
        .filter_map(|file| file.file_stem()?.to_str())
        .map(|name| Target {
            name: name.to_owned(),
            program: built.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)),
        })
        .collect();
    targets.sort_by(|one, other| one.name.cmp(&other.name));
    step.note(format!("{} targets", targets.len()));
    Ok(targets)
}

/// What this machine is called by the compiler.
fn host() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let text = command::capture(Command::new(rustc).arg("-vV"))?.expect_success("rustc -vV")?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc does not say what its host is".into())
}

/// Runs the targets, as many at a time as there are cores.
fn run_all(step: &mut Step<'_>, targets: &[Target], seconds: u64) -> Result<()> {
    let places = step.places().clone();
    let at_a_time = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    let (sender, ended) = mpsc::channel();
    let (mut tally, mut inputs) = (Tally::default(), 0);
    std::thread::scope(|scope| {
        for _ in 0..at_a_time {
            let (next, failures, sender, places) = (&next, &failures, sender.clone(), &places);
            scope.spawn(move || {
                while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let ran = run_one(places, target, seconds).map_err(|reason| {
                        if let Ok(mut failures) = failures.lock() {
                            failures.push(reason);
                        }
                    });
                    // Whoever listens has gone only if it panicked, which ends the scope anyway.
                    let _ = sender.send(ran);
                }
            });
        }
        drop(sender);
        for (done, ran) in ended.iter().enumerate() {
            match ran {
                Ok(count) => {
                    inputs += count;
                    tally.passed += 1;
                }
                Err(()) => tally.failed += 1,
            }
            step.show(&format!("{} of {} targets", done + 1, targets.len()));
        }
    });
    step.counts(tally);
    step.note(format!("{inputs} inputs"));
    let failures = failures.into_inner().map_err(|_| "a thread panicked")?;
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

/// Runs one target and gives how many inputs it was shown. What it found is kept, and named in the error.
fn run_one(places: &Places, target: &Target, seconds: u64) -> Result<u64> {
    let name = &target.name;
    let scratch = make(places.fuzz().join("corpus").join(name))?;
    let findings = make(places.artefacts()?.join("fuzz").join(name))?;
    let before = entries(&findings)?;
    let mut command = Command::new(&target.program);
    command
        .current_dir(places.root())
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={INPUT_SECONDS}"))
        .arg(format!("-rss_limit_mb={MEMORY_MIB}"))
        .arg(format!("-max_len={}", most_bytes(name)))
        .arg(format!("-artifact_prefix={}{}", findings.display(), std::path::MAIN_SEPARATOR))
        .arg("-dict=fuzz/jose.dict")
        .arg("-print_final_stats=1")
        // What is new goes to the first folder; all are read.
        .arg(&scratch)
        .args(seeds(places, name));
    let log = places.log(&format!("fuzz-{name}"))?;
    let file = fs::File::create(&log).map_err(|error| format!("cannot write {}: {error}", log.display()))?;
    let output = command::watch(&mut command, Some(file), Duration::from_secs(seconds + 120), &mut |_| {})?;
    let inputs = number_after(&output.text, "stat::number_of_executed_units:").unwrap_or(0);
    if output.success && inputs > 0 {
        return Ok(inputs);
    }
    let found: Vec<String> = entries(&findings)?
        .into_iter()
        .filter(|file| !before.contains(file))
        .map(|file| format!("\n  again: {} {}", target.program.display(), file.display()))
        .collect();
    Err(format!(
        "{name}: {} after {inputs} inputs{}\n{}",
        output.status,
        found.concat(),
        tail(&output.text, 40)
    ))
}

/// The inputs to begin with: those kept in `fuzz/corpus`, and the examples that the tests read.
fn seeds(places: &Places, name: &str) -> Vec<PathBuf> {
    let kept = places.root().join("fuzz").join("corpus").join(name);
    let examples = places.root().join("crates").join("jose").join("tests").join("it").join("vectors");
    [kept, examples].into_iter().filter(|folder| folder.is_dir()).collect()
}

/// Longer inputs say nothing new: a header ends at 16 KiB, and two targets read a recipe and not a text.
fn most_bytes(target: &str) -> u32 {
    match target {
        "stretch" => 64,
        "tampered" => 128,
        _ => 16 * 1024,
    }
}

fn number_after(text: &str, word: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(word)?.trim().parse().ok())
}

fn make(folder: PathBuf) -> Result<PathBuf> {
    fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    Ok(folder)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    Ok(entries.flatten().map(|entry| entry.path()).collect())
}

#[cfg(test)]
mod tests {
    use super::number_after;

    #[test]
    fn the_number_of_inputs_is_read() {
        let text = "Done 42 runs in 1 second(s)\nstat::number_of_executed_units: 42\nstat::peak_rss_mb: 40\n";
        assert_eq!(number_after(text, "stat::number_of_executed_units:"), Some(42));
        assert_eq!(number_after("no statistics", "stat::number_of_executed_units:"), None);
    }
}
