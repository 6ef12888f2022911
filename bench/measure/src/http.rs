//! One endpoint over HTTP, guarded in different ways, asked by wrk in turn.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde::Deserialize;

use crate::{Result, statistics::Summary};

/// Each way: its name, whether it is a path of our server or of the one for Node, and whether it gets a token of its own
/// for every request.
const WAYS: [(&str, Server, Tokens); 5] = [
    ("header", Server::Ours("header"), Tokens::One),
    ("layer", Server::Ours("layer"), Tokens::One),
    ("signature-different", Server::Ours("signature"), Tokens::Different),
    ("layer-different", Server::Ours("layer"), Tokens::Different),
    ("express", Server::Node, Tokens::One),
];

#[derive(Clone, Copy)]
enum Server {
    Ours(&'static str),
    Node,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tokens {
    One,
    Different,
}

/// More than either server verifies in a second on two processors.
const TOKENS_A_ROUND: usize = 40_000;
const CONNECTIONS: &str = "64";

/// What is needed beside the programs.
pub(crate) struct Tools {
    pub(crate) wrk: PathBuf,
    /// The script for wrk.
    pub(crate) load: PathBuf,
    /// The server for Node; none, and it is left out.
    pub(crate) node: Option<PathBuf>,
}

/// Nanoseconds a request takes on average, with [`CONNECTIONS`] at once, by way.
pub(crate) type Http = BTreeMap<&'static str, Summary>;

/// Asks in turn, `rounds` times, for a second each.
pub(crate) fn run(programs: &Path, fixture: &Path, tools: &Tools, rounds: usize) -> Result<Http> {
    let ours = Running::start(Command::new(programs.join("layer")).arg("http").arg(fixture))?;
    let node = match &tools.node {
        None => None,
        Some(script) => {
            let jwks = format!("http://127.0.0.1:{}/jwks", ours.port);
            Some(Running::start(
                Command::new("node").env("NODE_ENV", "production").arg(script).arg(fixture).arg(jwks),
            )?)
        }
    };
    let files = Files::make(programs, fixture, rounds + 1)?;
    let mut samples: BTreeMap<&'static str, Vec<f64>> = BTreeMap::new();
    let mut ways: Vec<_> = WAYS.to_vec();
    // The first round warms up; each starts with another way.
    for round in 0..=rounds {
        eprintln!("  HTTP, round {round} of {rounds}");
        ways.rotate_left(1);
        for (way, server, tokens) in &ways {
            let url = match (server, &node) {
                (Server::Ours(path), _) => format!("http://127.0.0.1:{}/{path}", ours.port),
                (Server::Node, Some(node)) => format!("http://127.0.0.1:{}/layer", node.port),
                (Server::Node, None) => continue,
            };
            let file = if *tokens == Tokens::One { files.one() } else { files.round(round) };
            let answered = ask(tools, &url, &file)?;
            if *tokens == Tokens::Different && answered.requests as usize > TOKENS_A_ROUND {
                return Err(format!("{way}: {} requests, so that tokens came twice", answered.requests));
            }
            if round > 0 {
                let ns = answered.us as f64 * 1000.0 / answered.requests as f64;
                samples.entry(way).or_default().push(ns);
            }
        }
    }
    Ok(samples.into_iter().map(|(way, ns)| (way, Summary::of(ns))).collect())
}

/// What the script for wrk prints.
#[derive(Deserialize)]
struct Answered {
    requests: u64,
    us: u64,
    failed: u64,
}

fn ask(tools: &Tools, url: &str, tokens: &Path) -> Result<Answered> {
    let output = Command::new(&tools.wrk)
        .args(["--threads", "1", "--connections", CONNECTIONS, "--duration", "1s", "--script"])
        .arg(&tools.load)
        .args([url, "--"])
        .arg(tokens)
        .output()
        .map_err(|error| format!("cannot start wrk: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().rfind(|line| line.starts_with('{'));
    let answered: Answered = line
        .and_then(|line| serde_json::from_str(line).ok())
        .ok_or_else(|| format!("wrk said {text}{}", String::from_utf8_lossy(&output.stderr)))?;
    match answered {
        Answered { requests: 0, .. } => Err(format!("{url}: nothing was answered")),
        Answered { failed: 1.., .. } => Err(format!("{url}: {} requests failed", answered.failed)),
        answered => Ok(answered),
    }
}

/// Files of tokens, one a line; they are removed in the end.
struct Files {
    folder: PathBuf,
}

impl Files {
    fn make(programs: &Path, fixture: &Path, rounds: usize) -> Result<Self> {
        let folder = fixture.with_file_name("tokens");
        fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        let files = Self { folder };
        let all = files.folder.join("all.txt");
        let made = Command::new(programs.join("layer"))
            .arg("tokens")
            .arg(fixture)
            .arg(&all)
            .arg((rounds * TOKENS_A_ROUND).to_string())
            .status();
        if !made.is_ok_and(|status| status.success()) {
            return Err("`layer tokens` failed".into());
        }
        let unwritten = |error| format!("cannot write a file of tokens: {error}");
        let text = fs::read_to_string(&all).map_err(unwritten)?;
        let lines: Vec<&str> = text.lines().collect();
        for (round, lines) in lines.chunks(TOKENS_A_ROUND).enumerate() {
            fs::write(files.round(round), lines.join("\n") + "\n").map_err(unwritten)?;
        }
        fs::write(files.one(), format!("{}\n", lines.first().ok_or("no token was made")?))
            .map_err(unwritten)?;
        Ok(files)
    }

    fn one(&self) -> PathBuf {
        self.folder.join("one.txt")
    }

    fn round(&self, round: usize) -> PathBuf {
        self.folder.join(format!("round-{round}.txt"))
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A server that prints its port; it ends when this is dropped.
struct Running {
    process: Child,
    port: u16,
}

impl Running {
    fn start(command: &mut Command) -> Result<Self> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {command:?}: {error}"))?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            // No more than a port is read; a server says nothing else.
            let _ = BufReader::new(output.take(16)).read_line(&mut line);
        }
        let running = Self { process, port: line.trim().parse().unwrap_or_default() };
        if running.port == 0 { Err(format!("{command:?} printed no port")) } else { Ok(running) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
