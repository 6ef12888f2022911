//! Asking a server with wrk, on a processor of its own.

use std::{ffi::OsStr, path::Path, process::Command};

use serde::Deserialize;

use crate::Result;

/// The processor of all servers, of which one at a time has something to do.
pub(crate) const SERVERS: &str = "0";
/// The processor of wrk.
const CLIENT: &str = "1";

/// What wrk found.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Answered {
    requests: u64,
    us: u64,
    failed: u64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) p999_us: f64,
    pub(crate) max_us: f64,
}

impl Answered {
    pub(crate) fn per_second(self) -> f64 {
        self.requests as f64 * 1e6 / self.us as f64
    }
}

/// wrk and its script.
pub(crate) struct Wrk<'a> {
    pub(crate) program: &'a Path,
    pub(crate) script: &'a Path,
}

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) url: String,
    /// `ID:SECRET` of a client that wants tokens; none, and it is a GET.
    pub(crate) client: Option<String>,
}

impl Wrk<'_> {
    /// Asks over so many connections that stay open, for so long.
    pub(crate) fn ask(&self, question: &Question, connections: u32, seconds: u32) -> Result<Answered> {
        let mut command = pinned(CLIENT, self.program);
        command.args(["--threads", "1", "--connections", &connections.to_string()]);
        command.args(["--duration", &format!("{seconds}s"), "--timeout", "10s", "--script"]);
        command.arg(self.script).arg(&question.url).arg("--");
        if let Some(client) = &question.client {
            command.arg(base64_simd::STANDARD.encode_to_string(client));
        }
        let output = command.output().map_err(|error| format!("cannot start {command:?}: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().rfind(|line| line.starts_with('{'));
        let answered: Answered = line
            .and_then(|line| serde_json::from_str(line).ok())
            .ok_or_else(|| format!("wrk said {text}{}", String::from_utf8_lossy(&output.stderr)))?;
        match answered {
            Answered { requests: 0, .. } => Err(format!("{}: nothing was answered", question.url)),
            Answered { failed: 1.., .. } => {
                Err(format!("{}: {} of {} requests failed", question.url, answered.failed, answered.requests))
            }
            answered => Ok(answered),
        }
    }
}

/// A program that runs on one processor.
pub(crate) fn pinned(processor: &str, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", processor]).arg(program);
    command
}
