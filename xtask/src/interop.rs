//! What we and other people's libraries read of each other: joserfc, jwcrypto, PyJWT, cryptography, panva's jose, openssl.

mod access;
pub(crate) mod rotation;

use std::process::Command;
use std::time::Duration;

use crate::Result;
use crate::command::tail;
use crate::runner::{Runner, Step};
use crate::tally::Tally;
use crate::tools::{node, on_path, python};

/// The whole matrix takes seconds; a peer that hangs is not waited for.
const LIMIT: Duration = Duration::from_secs(4 * 60);

/// What has to be built for it.
pub(crate) const PACKAGES: [&str; 4] =
    ["sealwright", "sealwright-interop", "sealwright-token-service", "sealwright-protected-api"];

/// Walks the matrix with programs that have been built, the driver once more with Ed448; each of its cells counts.
pub(crate) fn run(runner: &mut Runner) {
    runner.step("interop: tokens and keys of other libraries, both ways", walk);
    access::run(runner);
    rotation::run(runner);
}

fn walk(step: &mut Step<'_>) -> Result<()> {
    // Ed448 is off by default, and so in what the workspace's build leaves there.
    let mut build = step.places().cargo();
    build.args([
        "build",
        "--locked",
        "--package=sealwright-interop",
        "--bin=sealwright-interop",
        "--features=ed448",
    ]);
    step.run(&mut build)?;
    let programs = python::environment(step, "python", "python/requirements.txt")?;
    let judges = node::judges(step)?;
    let node = on_path("node").ok_or("node is missing")?;
    let openssl =
        on_path("openssl").ok_or("openssl is missing: install it with `apt-get install openssl`")?;
    let mut command = Command::new(step.places().built("sealwright-interop"));
    command.arg(programs.join("python")).arg(step.places().interop().join("python").join("peers"));
    command.arg(node).arg(judges.join("peer.mjs"));
    command.arg(openssl).arg(step.places().sealwright());
    // Nothing is left behind among our sources.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    let output = step.watch(&mut command, LIMIT)?;
    let tally = Tally::of_our_own(&output.text);
    step.counts(tally);
    let (failures, table): (Vec<&str>, Vec<&str>) =
        output.text.lines().partition(|line| line.starts_with("FAILED "));
    step.note(format!("\n        {}\n       ", table.join("\n        ")));
    if !failures.is_empty() {
        return Err(tail(&failures.join("\n"), 100));
    }
    if !output.success || tally.passed == 0 {
        return Err(step.failure(&command, &output));
    }
    Ok(())
}
