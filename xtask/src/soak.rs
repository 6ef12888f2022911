//! `cargo xtask soak`: long runs, each bounded, that report figures. They are real and too long for every change.

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Result;
use crate::command;
use crate::e2e::{self, judge, large, visit};
use crate::fuzz;
use crate::interop;
use crate::places::Places;
use crate::runner::{Runner, Step};
use crate::scratch::Scratch;

const PARTS: [&str; 3] = ["demo", "rotation", "fuzz"];
const FUZZ_SECONDS: u64 = 10 * 60;
const ROUNDS: usize = 10;
/// Near the 100 MiB that the demo's workers take.
const DOCUMENT_BYTES: u64 = 90_000_000;
const ROUND_LIMIT: Duration = Duration::from_secs(5 * 60);

/// Runs everything, or the named parts. Whether it all held.
pub(crate) fn run(only: &[&str]) -> Result<bool> {
    if let Some(unknown) = only.iter().find(|part| !PARTS.contains(part)) {
        return Err(format!("there is no part `{unknown}`; the parts are {}", PARTS.join(", ")));
    }
    let wanted = |part: &str| only.is_empty() || only.contains(&part);
    let places = Places::find()?;
    let mut runner = Runner::new(&places);
    if wanted("demo") {
        demo(&mut runner, &places);
    }
    if wanted("rotation") {
        let built = runner.step("build", |step| {
            let packages = interop::PACKAGES.map(|package| format!("--package={package}"));
            step.run(places.cargo().args(["build", "--locked"]).args(packages))
        });
        match built {
            Some(_) => interop::rotation::soak(&mut runner),
            None => runner.impossible("rotation", "the build failed"),
        }
    }
    if wanted("fuzz") {
        fuzz::run(&mut runner, FUZZ_SECONDS);
    }
    Ok(runner.finish())
}

fn demo(runner: &mut Runner, places: &Places) {
    let built = runner.step("build", |step| {
        step.run(places.cargo().args(["build", "--workspace", "--all-targets", "--locked"]))
    });
    if built.is_none() {
        runner.impossible("soak", "the build failed");
        return;
    }
    let Some(_held) = e2e::hold(runner) else { return };
    runner.step(&format!("{ROUNDS} demos, each on {} MB", DOCUMENT_BYTES / 1_000_000), large_documents);
    if let Some(mut kept) = runner.step("demo --keep: servers to be soaked", visit::keep) {
        runner.step("races and a flood", |step| {
            let mut command = visit::judge_by_node(step, "soak.mjs")?;
            judge::run_and_tell(step, &mut command)
        });
        runner.step("SIGINT stops both servers, cleanly", |_| kept.stop());
    } else {
        runner.impossible("races and a flood", "there are no servers");
    }
}

/// The whole demo on a large document, again and again: how long, and how much memory at its height.
fn large_documents(step: &mut Step<'_>) -> Result<()> {
    let scratch = Scratch::new("soak")?;
    let document = scratch.path().join("random.bin");
    large::random_file(&document, DOCUMENT_BYTES)?;
    let (mut seconds, mut peak_kib) = (Vec::new(), 0);
    for round in 1..=ROUNDS {
        step.show(&format!("round {round} of {ROUNDS}"));
        let out = scratch.path().join(format!("round-{round}"));
        let told = step.places().log(&format!("soak-round-{round}"))?;
        let log = File::create(&told).map_err(|error| format!("cannot write {}: {error}", told.display()))?;
        let log_too = log.try_clone().map_err(|error| error.to_string())?;
        let started = Instant::now();
        let mut demo = Command::new(step.places().sealwright())
            .args(["demo", "--document"])
            .arg(&document)
            .arg("--out")
            .arg(&out)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(log_too)
            .spawn()
            .map_err(|error| format!("cannot start the demo: {error}"))?;
        let status = loop {
            peak_kib = peak_kib.max(peak_of(&demo).unwrap_or_default());
            match command::wait(&mut demo, Duration::from_millis(200)) {
                Some(status) => break status,
                None if started.elapsed() < ROUND_LIMIT => {}
                None => {
                    command::stop(&mut demo, Duration::from_secs(5));
                    return Err(format!("round {round} took longer than {} s", ROUND_LIMIT.as_secs()));
                }
            }
        };
        if !status.success() {
            let told = fs::read_to_string(&told).unwrap_or_default();
            return Err(format!("round {round} ended with {status}\n{}", command::tail(&told, 20)));
        }
        seconds.push(started.elapsed().as_secs_f64());
        fs::remove_dir_all(&out).map_err(|error| format!("cannot remove {}: {error}", out.display()))?;
    }
    seconds.sort_by(f64::total_cmp);
    step.note(format!(
        "median {:.1} s, slowest {:.1} s, at most {} MiB",
        seconds[ROUNDS / 2],
        seconds[ROUNDS - 1],
        peak_kib / 1024
    ));
    Ok(())
}

/// The most memory that a process has held, where the kernel tells (Linux), in KiB.
fn peak_of(process: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}
