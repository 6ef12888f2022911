//! What other people's programs and ours make of each other's access tokens, over HTTP: the tutorial pair.

use std::process::Command;

use crate::Result;
use crate::e2e::judge;
use crate::runner::{Runner, Step};
use crate::tools::{node, on_path};

/// Runs the step with programs that have been built.
pub(super) fn run(runner: &mut Runner) {
    runner.step("interop: the tutorial pair with itself and with Node's", |step| {
        let programs = ["sealwright-token-service", "sealwright-protected-api"]
            .map(|program| step.places().built(program));
        let mut command = by_node(step, "pairs.mjs")?;
        judge::run_and_tell(step, command.args(programs))
    });
}

/// A script of ours, run where its packages are.
fn by_node(step: &mut Step<'_>, script: &str) -> Result<Command> {
    let folder = node::judges(step)?;
    let node = on_path("node").ok_or("node is missing: install it with `apt-get install nodejs`")?;
    let mut command = Command::new(node);
    command.arg(folder.join(script));
    Ok(command)
}
