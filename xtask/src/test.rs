//! `cargo xtask test`: the groups, in the order in which they find faults soonest.
//!
//! All groups share one build of the dev profile: what clippy checks, rustdoc reads; what the tests build, the demo runs.

use crate::Result;
use crate::places::Places;
use crate::runner::{Runner, Step};
use crate::tally::{Tally, failed_tests};
use crate::tools::postgres::{self, Postgres};
use crate::tools::softhsm::SoftHsm;
use crate::tools::{deny, on_path};
use crate::{counts, e2e, fuzz, interop, tidy};

const GROUPS: [&str; 13] = [
    "format", "lint", "docs", "build", "tests", "doctests", "features", "tidy", "deny", "demo", "interop",
    "fuzz", "counts",
];

/// Long enough to find again what was ever found, and the shallow part of what is new.
const FUZZ_SECONDS: u64 = 30;

/// Runs all groups, or the named ones. Whether everything held.
pub(crate) fn run(only: &[&str]) -> Result<bool> {
    if let Some(unknown) = only.iter().find(|group| !GROUPS.contains(group)) {
        return Err(format!("there is no group `{unknown}`; the groups are {}", GROUPS.join(", ")));
    }
    let wanted = |group: &str| only.is_empty() || only.contains(&group);
    let places = Places::find()?;
    let mut runner = Runner::new(&places);

    if wanted("format") {
        runner.step("format", |step| step.run(places.cargo().args(["fmt", "--all", "--check"])));
    }
    if wanted("tidy") {
        tidy::steps(&mut runner, &places);
    }
    if wanted("deny") {
        runner.step("deny", licences_and_sources);
    }
    if wanted("lint") {
        runner.step("lint", |step| {
            step.run(places.cargo().args([
                "clippy",
                "--workspace",
                "--all-targets",
                "--locked",
                "--",
                "-D",
                "warnings",
            ]))
        });
    }
    if wanted("docs") {
        runner.step("docs", |step| {
            step.run(places.cargo().env("RUSTDOCFLAGS", "-D warnings").args([
                "doc",
                "--workspace",
                "--lib",
                "--no-deps",
                "--locked",
            ]))
        });
    }
    let built = if wanted("build") || wanted("tests") || wanted("demo") || wanted("interop") {
        runner.step("build", |step| {
            // The demo alone needs the program alone, and so do the peers.
            let mut command = places.cargo();
            command.args(["build", "--locked"]);
            match only {
                ["demo"] => command.args(["--package", "sealwright"]),
                ["interop"] => command.args(interop::PACKAGES.map(|package| format!("--package={package}"))),
                _ => command.args(["--workspace", "--all-targets"]),
            };
            step.run(&mut command)
        })
    } else {
        None
    };
    if wanted("tests") {
        match built {
            Some(_) => tests(&mut runner),
            None => runner.impossible("tests", "the build failed"),
        }
    }
    if wanted("doctests") {
        runner.step("doctests", |step| {
            let mut command = places.cargo();
            command.args(["test", "--workspace", "--doc", "--locked", "--no-fail-fast"]);
            run_and_count(step, &mut command, Tally::of_cargo_test)
        });
    }
    if wanted("features") {
        features(&mut runner);
    }
    if wanted("demo") {
        match built {
            Some(_) => e2e::run(&mut runner),
            None => runner.impossible("demo", "the build failed"),
        }
    }
    if wanted("interop") {
        match built {
            Some(_) => interop::run(&mut runner),
            None => runner.impossible("interop", "the build failed"),
        }
    }
    if wanted("fuzz") {
        fuzz::run(&mut runner, FUZZ_SECONDS);
    }
    if wanted("counts") {
        counts::steps(&mut runner, false);
    }
    Ok(runner.finish())
}

/// Unit and integration tests, on SQLite and on a PostgreSQL that runs for as long as they do, with tokens of SoftHSM.
fn tests(runner: &mut Runner) {
    let Some(postgres) = runner.step("postgres", Postgres::start) else {
        runner.impossible("tests", "there is no PostgreSQL");
        return;
    };
    let Some(softhsm) = runner.step("softhsm", SoftHsm::prepare) else {
        runner.impossible("tests", "there is no SoftHSM");
        return;
    };
    runner.step("tests", |step| {
        let mut command = step.places().cargo();
        command
            .env(postgres::VARIABLE, postgres.url())
            .envs(softhsm.variables())
            // A snapshot that differs is a failure, never a file to be reviewed later.
            .env("INSTA_UPDATE", "no");
        if on_path("cargo-nextest").is_some() {
            command.args(["nextest", "run", "--workspace", "--all-targets", "--locked", "--no-fail-fast"]);
            command.args(["--color", "never", "--status-level", "fail", "--final-status-level", "slow"]);
            run_and_count(step, &mut command, Tally::of_nextest)
        } else {
            step.note("cargo test; cargo-nextest would be faster");
            command.args(["test", "--workspace", "--all-targets", "--locked", "--no-fail-fast"]);
            run_and_count(step, &mut command, Tally::of_cargo_test)
        }
    });
}

/// The library with all that is off by default, and the layer without all that is on: everything else builds them otherwise.
fn features(runner: &mut Runner) {
    const JOSE: [&str; 4] = ["--package", "sealwright-jose", "--all-features", "--locked"];
    runner.step("lint with all features", |step| {
        let mut command = step.places().cargo();
        step.run(command.arg("clippy").args(JOSE).args(["--all-targets", "--", "-D", "warnings"]))
    });
    runner.step("tests with all features", |step| {
        let mut command = step.places().cargo();
        command.arg("test").args(JOSE).args(["--lib", "--test", "it", "--no-fail-fast"]);
        run_and_count(step, &mut command, Tally::of_cargo_test)
    });
    runner.step("docs with all features", |step| {
        let mut command = step.places().cargo();
        step.run(
            command.env("RUSTDOCFLAGS", "-D warnings").arg("doc").args(JOSE).args(["--lib", "--no-deps"]),
        )
    });
    // They are one program, of which only the library under it is another than in the step before.
    runner.step("examples in the docs with all features", |step| {
        let mut command = step.places().cargo();
        command.arg("test").args(JOSE).args(["--doc", "--no-fail-fast"]);
        run_and_count(step, &mut command, Tally::of_cargo_test)
    });
    const LAYER: [&str; 4] = ["--package", "sealwright-resource-server", "--no-default-features", "--locked"];
    for feature in [None, Some("axum"), Some("fetch"), Some("metrics")] {
        runner.step(&format!("lint the layer with {} alone", feature.unwrap_or("no feature")), |step| {
            let mut command = step.places().cargo();
            command.arg("clippy").args(LAYER).args(feature.map(|feature| format!("--features={feature}")));
            step.run(command.args(["--lib", "--", "-D", "warnings"]))
        });
    }
}

/// Runs a test runner and counts its tests. One that is left out counts as failed: we have none that may be ignored.
fn run_and_count(
    step: &mut Step<'_>,
    command: &mut std::process::Command,
    count: impl Fn(&str) -> Tally,
) -> Result<()> {
    let output = step.watch(command, crate::command::LIMIT)?;
    let tally = count(&output.text);
    step.counts(tally);
    step.note(format!("{} passed, {} failed", tally.passed, tally.failed));
    if tally.skipped > 0 {
        return Err(format!(
            "{} tests are ignored; a test that cannot run must fail and say why",
            tally.skipped
        ));
    }
    if !output.success {
        let names = failed_tests(&output.text).join(", ");
        let names = if names.is_empty() { String::new() } else { format!("{names}\n") };
        return Err(names + &step.failure(command, &output));
    }
    if tally.passed == 0 {
        return Err(format!("`{}` ran no test", crate::command::shown(command)));
    }
    Ok(())
}

/// Licences, bans and sources by `deny.toml`. Advisories are left out on purpose: they change without us and need a
/// network, so they belong to a timer, not to every change.
fn licences_and_sources(step: &mut Step<'_>) -> Result<()> {
    let cargo_deny = deny::find(step)?;
    let mut command = std::process::Command::new(cargo_deny);
    command.current_dir(step.places().root());
    command.args(["--locked", "--color", "never", "check", "--hide-inclusion-graph"]);
    step.run(command.args(["bans", "licenses", "sources"])).map(drop)
}
