//! `sealwright demo --keep`: both servers go on, and others come to visit: npm's jose and a real browser.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use serde_json::Value;

use super::demo::Demo;
use super::{fresh_folder, judge};
use crate::Result;
use crate::command;
use crate::runner::{Runner, Step};
use crate::scratch::Scratch;
use crate::tools::{chromium, node, on_path};

/// The demo with its servers running; dropping it stops them.
pub(crate) struct Kept {
    process: Child,
    demo: Demo,
}

/// Runs every check that needs running servers.
pub(super) fn run(runner: &mut Runner) {
    let Some(mut kept) = runner.step("demo --keep: both servers go on", keep) else {
        return runner.impossible("visits: npm jose and Chromium", "there are no servers to visit");
    };
    runner.step("npm jose judges the token by the running server's keys", |step| {
        let mut command = judge_by_node(step, "token.mjs")?;
        judge::run(step, &mut command)
    });
    runner.step("Chromium: log in, approve, sign", |step| {
        let browser = chromium::find(step)?;
        let profile = Scratch::new("chromium")?;
        let screenshots = fresh_folder(step, "screenshots")?;
        fs::create_dir_all(&screenshots).map_err(|error| error.to_string())?;
        let mut command = judge_by_node(step, "login.mjs")?;
        judge::run(step, command.env("TMPDIR", profile.path()).arg(browser).arg(&screenshots))
    });
    runner.step("no credential is in a log or a database, even while they run", |_| {
        let user = &kept.demo.report()["user"];
        let secret = |name: &str| user[name].as_str().unwrap_or_default();
        kept.demo.keeps_secrets(&[
            ("the user's password", secret("password")),
            ("the user's authenticator secret", secret("totp_secret")),
        ])
    });
    runner.step("SIGINT stops both servers, cleanly", |_| kept.stop());
}

/// Runs the demo until its servers are all that is left of it.
pub(crate) fn keep(step: &mut Step<'_>) -> Result<Kept> {
    let out = fresh_folder(step, "demo-keep")?;
    let sealwright = step.places().sealwright();
    // Should we die, the kernel stops it in our place.
    let mut command = match on_path("setpriv") {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "TERM"]).arg(sealwright);
            command
        }
        None => Command::new(sealwright),
    };
    let log = step.places().log("demo-keep-stderr")?;
    let errors = File::create(&log).map_err(|error| format!("cannot write {}: {error}", log.display()))?;
    let mut process = command
        .current_dir(step.places().root())
        .args(["demo", "--json", "--keep", "--out"])
        .arg(&out)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(errors)
        .spawn()
        .map_err(|error| format!("cannot start the demo: {error}"))?;
    match first_line(&mut process).and_then(|line| report(&line)).and_then(|report| Demo::read(&out, report))
    {
        Ok(demo) => {
            let kept = out.join("demo.json");
            fs::write(&kept, demo.report().to_string()).map_err(|error| error.to_string())?;
            Ok(Kept { process, demo })
        }
        Err(reason) => {
            command::stop(&mut process, Duration::from_secs(5));
            let errors = fs::read_to_string(&log).unwrap_or_default();
            Err(format!("{reason}\n{}", command::tail(&errors, 40)))
        }
    }
}

/// The line that the demo prints when all is done and the servers go on.
fn first_line(process: &mut Child) -> Result<String> {
    let stdout = process.stdout.take().ok_or("the demo has no standard output")?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        // Reads on to the end, so that the demo never writes into a closed pipe.
        for line in BufReader::new(stdout).lines().map_while(std::result::Result::ok) {
            let _ = sender.send(line);
        }
    });
    receiver.recv_timeout(Duration::from_secs(60)).map_err(|error| match error {
        RecvTimeoutError::Timeout => "the demo printed no line within a minute".into(),
        RecvTimeoutError::Disconnected => "the demo ended without a word of what it did".into(),
    })
}

fn report(line: &str) -> Result<Value> {
    serde_json::from_str(line).map_err(|error| format!("the demo's line is no JSON object ({error}): {line}"))
}

/// A script of ours, run where its packages are, on the report of the demo that was kept.
pub(crate) fn judge_by_node(step: &mut Step<'_>, script: &str) -> Result<Command> {
    let folder = node::judges(step)?;
    let node = on_path("node").ok_or("node is missing: install it with `apt-get install nodejs`")?;
    let mut command = Command::new(node);
    command.current_dir(step.places().root()).arg(folder.join(script));
    command.arg(step.places().artefacts()?.join("demo-keep").join("demo.json"));
    Ok(command)
}

impl Kept {
    /// Ends both servers as Ctrl-C would.
    pub(crate) fn stop(&mut self) -> Result<()> {
        command::signal(&self.process, "INT")?;
        match command::wait(&mut self.process, Duration::from_secs(10)) {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("the demo ended with {status}")),
            None => Err("the demo was still running after ten seconds".into()),
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        command::stop(&mut self.process, Duration::from_secs(5));
    }
}
