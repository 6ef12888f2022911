//! The part about issuing tokens: our server as it is shipped beside npm oidc-provider, both under wrk.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{LIMIT, about, release, results_of};
use crate::Result;
use crate::places::Places;
use crate::runner::Step;
use crate::tools::{node, on_path};

/// The program that measures, and the server; both by one build folder, since they have most of their libraries in common.
pub(super) fn build(step: &mut Step<'_>) -> Result<()> {
    let places = step.places().clone();
    let mut server = places.cargo();
    server.env("CARGO_TARGET_DIR", places.bench());
    server.args(["build", "--release", "--locked", "--package", "sealwright"]);
    step.run_for(&mut server, LIMIT)?;
    step.run_for(&mut release(&places, "issuer"), LIMIT).map(drop)
}

/// What must be there beside wrk: a server and its load need a processor each.
pub(super) fn processors() -> Result<()> {
    match std::thread::available_parallelism() {
        Ok(found) if found.get() < 2 => Err("a server and its load need two processors".into()),
        _ => Ok(()),
    }
}

/// Measures, and returns the tables.
pub(super) fn measure(step: &mut Step<'_>, quick: bool) -> Result<String> {
    let places = step.places().clone();
    let packages = node::packages(step, "bench-node", &places.root().join("bench").join("node"))?;
    let (head, results) = (places.bench().join("head.md"), results_of(&places, super::ISSUER));
    // What a run before this one left must not be taken for this one's.
    let _ = fs::remove_file(&results);
    fs::write(&head, about(&places)?).map_err(|error| format!("cannot write {}: {error}", head.display()))?;
    let mut command = command(&places, &packages)?;
    command.arg("--head").arg(head).arg("--out").arg(&results);
    if quick {
        command.arg("--quick");
    }
    step.run_for(&mut command, LIMIT)?;
    fs::read_to_string(&results).map_err(|error| format!("cannot read {}: {error}", results.display()))
}

fn command(places: &Places, packages: &Path) -> Result<Command> {
    let programs = places.bench().join("release");
    let mut command = Command::new(programs.join("issuer"));
    command.arg("--sealwright").arg(programs.join("sealwright"));
    command.arg("--wrk").arg(on_path("wrk").ok_or("wrk is missing")?);
    command.arg("--script").arg(places.root().join("bench").join("wrk").join("token.lua"));
    command.arg("--node-server").arg(packages.join("issuer.mjs"));
    command.arg("--folder").arg(places.bench().join("issuer"));
    Ok(command)
}
