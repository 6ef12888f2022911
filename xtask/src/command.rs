//! Runs one program: its output goes to a log, its last line to whoever watches, its end is bounded.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::Result;

/// Nothing that the workshop starts may take longer, except where a step says so.
pub(crate) const LIMIT: Duration = Duration::from_secs(20 * 60);

/// What came of a program that ended by itself.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) success: bool,
    pub(crate) status: String,
    /// Standard output and standard error, in the order in which lines came.
    pub(crate) text: String,
}

impl Output {
    /// The output, or a sentence with its end, if the program failed.
    pub(crate) fn expect_success(self, what: &str) -> Result<String> {
        if self.success {
            Ok(self.text)
        } else {
            Err(format!("{what}: {}\n{}", self.status, tail(&self.text, 80)))
        }
    }
}

/// Runs `command` to its end and gives its output whole.
pub(crate) fn capture(command: &mut Command) -> Result<Output> {
    watch(command, None, LIMIT, &mut |_| {})
}

/// Runs `command`, writes each line to `log`, shows it to `watcher`, and stops the program after `limit`.
pub(crate) fn watch(
    command: &mut Command,
    mut log: Option<File>,
    limit: Duration,
    watcher: &mut dyn FnMut(&str),
) -> Result<Output> {
    let name = shown(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start `{name}`: {error}"))?;
    let (sender, lines) = mpsc::channel();
    if let Some(stream) = child.stdout.take() {
        forward(stream, sender.clone());
    }
    if let Some(stream) = child.stderr.take() {
        forward(stream, sender.clone());
    }
    drop(sender);

    let started = Instant::now();
    let mut text = String::new();
    loop {
        match lines.recv_timeout(Duration::from_millis(500)) {
            Ok(line) => {
                if let Some(log) = &mut log {
                    // A full disk must not hide the outcome of the program itself.
                    let _ = writeln!(log, "{line}");
                }
                watcher(&line);
                text.push_str(&line);
                text.push('\n');
            }
            Err(RecvTimeoutError::Timeout) => watcher(""),
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if started.elapsed() > limit {
            stop(&mut child, Duration::from_secs(5));
            return Err(format!("`{name}` was stopped after {} s\n{}", limit.as_secs(), tail(&text, 80)));
        }
    }
    let status = child.wait().map_err(|error| format!("cannot wait for `{name}`: {error}"))?;
    Ok(Output { success: status.success(), status: status.to_string(), text })
}

/// Asks a program to end (SIGTERM), and ends it if it has not after `grace`.
pub(crate) fn stop(child: &mut Child, grace: Duration) {
    // An error means that it has ended already.
    let _ = signal(child, "TERM");
    if wait(child, grace).is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Sends a signal by the `kill` program, since the standard library only knows SIGKILL.
pub(crate) fn signal(child: &Child, name: &str) -> Result<()> {
    capture(Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()))?
        .expect_success("kill")
        .map(drop)
}

/// Waits for the end of a program, and no longer than `limit`.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> Option<std::process::ExitStatus> {
    let started = Instant::now();
    while started.elapsed() < limit {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}

/// A command as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// The last `count` lines.
pub(crate) fn tail(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

fn forward(stream: impl Read + Send + 'static, lines: mpsc::Sender<String>) {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            line.clear();
            if lines.send(text).is_err() {
                break;
            }
        }
    });
}
