//! Keys that rotate under load, with other people's verifiers looking on.

use serde_json::Value;

use super::access::{apache_with, by_node};
use crate::Result;
use crate::e2e::judge;
use crate::runner::{Runner, Step};
use crate::tools::postgres::Postgres;
use crate::tools::{debian, on_path, python};

/// One rotation and what comes before and after it.
const SHORT_S: u64 = 62;
const LONG_S: u64 = 5 * 60;

/// A minute of it, with programs that have been built.
pub(super) fn run(runner: &mut Runner) {
    runner.step("interop: keys rotate under load", |step| watch(step, SHORT_S, false));
}

/// Five minutes of it, in which a replica and PostgreSQL are killed.
pub(crate) fn soak(runner: &mut Runner) {
    runner.step("keys rotate under load, and processes are killed", |step| watch(step, LONG_S, true));
}

fn watch(step: &mut Step<'_>, seconds: u64, disturbed: bool) -> Result<()> {
    let programs = python::environment(step, "python", "python/requirements.txt")?;
    let apache = apache_with(step, "mod_auth_openidc.so", "libapache2-mod-auth-openidc")?;
    if on_path("wrk").is_none() {
        debian::install(step, &["wrk"])?;
    }
    let wrk = on_path("wrk").ok_or("wrk was installed, and is not on the path")?;
    // One of its own: it may be killed.
    let postgres = Postgres::start(step)?;
    let mut command = by_node(step, "rotation.mjs")?;
    command.arg(step.places().sealwright()).arg(step.places().built("sealwright-interop-api"));
    command.arg(programs.join("python")).arg(apache).arg(wrk).arg(postgres.url());
    command.arg(seconds.to_string());
    if disturbed {
        let (pid, command_line) = postgres.process();
        command.arg(pid.to_string()).arg(Value::from(command_line.to_vec()).to_string());
    }
    judge::run_and_tell(step, &mut command)
}
