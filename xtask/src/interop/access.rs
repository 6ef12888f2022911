//! What other people's programs and ours make of each other's tokens, over HTTP: the tutorial pair, judges of the same
//! requests, and a client that signs people in.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::e2e::judge;
use crate::runner::{Runner, Step};
use crate::tools::{debian, node, on_path};

/// Runs these steps with programs that have been built.
pub(super) fn run(runner: &mut Runner) {
    runner.step("interop: the tutorial pair with itself and with Node's", |step| {
        let programs = ["sealwright-token-service", "sealwright-protected-api"]
            .map(|program| step.places().built(program));
        let mut command = by_node(step, "pairs.mjs")?;
        judge::run_and_tell(step, command.args(programs))
    });
    runner.step("interop: mod_oauth2 and express-oauth2-jwt-bearer judge as we do", |step| {
        let apache = apache_with(step, "mod_oauth2.so", "libapache2-mod-oauth2")?;
        let api = step.places().built("sealwright-interop-api");
        let mut command = by_node(step, "judges.mjs")?;
        judge::run(step, command.arg(api).arg(apache))
    });
    runner.step("interop: openid-client signs in, and validates ID tokens", |step| {
        let mut command = by_node(step, "openid.mjs")?;
        command.arg(step.places().sealwright());
        judge::run_and_tell(step, &mut command)
    });
}

/// A script of ours, run where its packages are.
pub(super) fn by_node(step: &mut Step<'_>, script: &str) -> Result<Command> {
    let folder = node::judges(step)?;
    let node = on_path("node").ok_or("node is missing: install it with `apt-get install nodejs`")?;
    let mut command = Command::new(node);
    command.arg(folder.join(script));
    Ok(command)
}

/// Apache's program, when `module` of `package` is there too. The packages start nothing: that would be `apache2`'s part.
pub(super) fn apache_with(step: &mut Step<'_>, module: &str, package: &str) -> Result<PathBuf> {
    let program = PathBuf::from("/usr/sbin/apache2");
    if !program.is_file() || !Path::new("/usr/lib/apache2/modules").join(module).is_file() {
        debian::install(step, &["apache2-bin", package])?;
    }
    Ok(program)
}
