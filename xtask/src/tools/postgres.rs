//! A PostgreSQL of our own for the tests: a fresh cluster in a temporary folder, on loopback, gone at the end.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Result;
use crate::command::{self, capture};
use crate::places::Places;
use crate::runner::{Runner, Step};
use crate::scratch::Scratch;
use crate::tools::{debian, on_path};

/// The variable by which the tests find the server.
pub(crate) const VARIABLE: &str = "SEALWRIGHT_TEST_POSTGRES";
const SUPERUSER: &str = "sealwright";
const START_LIMIT: Duration = Duration::from_secs(60);

/// A running server; dropping it stops it and removes its files.
#[derive(Debug)]
pub(crate) struct Postgres {
    server: Child,
    /// What started the server, for a test that kills it and starts it again.
    command_line: Vec<String>,
    port: u16,
    _scratch: Scratch,
}

impl Postgres {
    /// Finds or installs PostgreSQL, makes a cluster and starts it.
    pub(crate) fn start(step: &mut Step<'_>) -> Result<Self> {
        let binaries = match binaries() {
            Some(found) => found,
            None => {
                debian::install(step, &["postgresql"])?;
                binaries().ok_or("PostgreSQL is still not there after its installation")?
            }
        };
        let scratch = Scratch::new("postgres")?;
        let owner = Owner::choose()?;
        let data = scratch.path().join("data");
        owner.takes(scratch.path())?;
        step.show("making a cluster");
        step.run(
            owner
                .command(&binaries.join("initdb"))
                .current_dir(scratch.path())
                .args(["--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"])
                .arg(format!("--username={SUPERUSER}"))
                .arg("--pgdata")
                .arg(&data),
        )?;

        let port = free_port()?;
        let log_path = step.places().log("postgres-server")?;
        let log = File::create(&log_path)
            .map_err(|error| format!("cannot write {}: {error}", log_path.display()))?;
        let log_too = log.try_clone().map_err(|error| error.to_string())?;
        let mut command = owner.command(&binaries.join("postgres"));
        command.current_dir(scratch.path()).arg("-D").arg(&data);
        // Loopback only, no socket, and no durability: the cluster does not outlive this run.
        for setting in [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={port}"),
            "unix_socket_directories=".to_owned(),
            "fsync=off".to_owned(),
            "synchronous_commit=off".to_owned(),
            "full_page_writes=off".to_owned(),
            "max_connections=300".to_owned(),
        ] {
            command.arg("-c").arg(setting);
        }
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let command_line = words.map(|word| word.to_string_lossy().into_owned()).collect();
        let server = command
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(log_too)
            .spawn()
            .map_err(|error| format!("cannot start PostgreSQL: {error}"))?;
        let mut postgres = Self { server, command_line, port, _scratch: scratch };
        postgres.wait_until_ready(&binaries, &log_path)?;
        Ok(postgres)
    }

    /// The URL that the tests are given. Its user may make databases.
    pub(crate) fn url(&self) -> String {
        format!("postgres://{SUPERUSER}@127.0.0.1:{}/postgres", self.port)
    }

    /// The server's process, and what starts it again on the same files.
    pub(crate) fn process(&self) -> (u32, &[String]) {
        (self.server.id(), &self.command_line)
    }

    fn wait_until_ready(&mut self, binaries: &Path, log: &Path) -> Result<()> {
        let started = Instant::now();
        let port = self.port.to_string();
        loop {
            let mut ready = Command::new(binaries.join("pg_isready"));
            let answer = capture(ready.args(["-q", "-h", "127.0.0.1", "-p", &port, "-U", SUPERUSER]))?;
            if answer.success {
                return Ok(());
            }
            if let Ok(Some(status)) = self.server.try_wait() {
                let text = std::fs::read_to_string(log).unwrap_or_default();
                return Err(format!("PostgreSQL ended with {status}\n{}", command::tail(&text, 20)));
            }
            if started.elapsed() > START_LIMIT {
                return Err(format!("PostgreSQL did not answer within {} s", START_LIMIT.as_secs()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGINT is PostgreSQL's "fast" shutdown: it ends sessions instead of waiting for them.
        let _ = command::signal(&self.server, "INT");
        if command::wait(&mut self.server, Duration::from_secs(10)).is_none() {
            command::stop(&mut self.server, Duration::from_secs(5));
        }
    }
}

/// `cargo xtask postgres`: for whoever runs single tests by hand.
pub(crate) fn run_until_interrupted() -> Result<bool> {
    let places = Places::find()?;
    let mut runner = Runner::new(&places);
    let Some(mut postgres) = runner.step("postgres", Postgres::start) else { return Ok(false) };
    println!("export {VARIABLE}={}", postgres.url());
    eprintln!("Ctrl-C stops it.");
    let status = postgres.server.wait().map_err(|error| error.to_string())?;
    Ok(status.success())
}

/// Who runs the server: PostgreSQL refuses to be run by root.
struct Owner {
    user: Option<&'static str>,
    pdeathsig: bool,
}

impl Owner {
    fn choose() -> Result<Self> {
        let setpriv = on_path("setpriv").is_some();
        if !debian::is_root() {
            return Ok(Self { user: None, pdeathsig: setpriv });
        }
        if !setpriv {
            return Err(
                "PostgreSQL does not run as root, and `setpriv` (package util-linux) is missing".into()
            );
        }
        let known =
            |user: &&str| Command::new("id").arg(user).output().is_ok_and(|output| output.status.success());
        let user = ["postgres", "nobody"].into_iter().find(known);
        Ok(Self {
            user: Some(user.ok_or("there is neither a user `postgres` nor `nobody`")?),
            pdeathsig: true,
        })
    }

    /// Gives a folder of ours to this user.
    fn takes(&self, folder: &Path) -> Result<()> {
        let Some(user) = self.user else { return Ok(()) };
        capture(Command::new("chown").arg(user).arg(folder))?.expect_success("chown").map(drop)
    }

    /// A program run by this user, which the kernel stops should we die without stopping it.
    fn command(&self, program: &Path) -> Command {
        if !self.pdeathsig {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "INT"]);
        if let Some(user) = self.user {
            command
                .arg(format!("--reuid={user}"))
                .arg(format!("--regid={}", group_of(user)))
                .arg("--clear-groups");
        }
        command.arg(program);
        command
    }
}

fn group_of(user: &str) -> String {
    let output = Command::new("id").args(["-g", user]).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

/// The folder of the newest PostgreSQL: Debian's places first, then `PATH`.
fn binaries() -> Option<PathBuf> {
    let whole = |folder: &PathBuf| {
        ["initdb", "postgres", "pg_isready"].iter().all(|name| folder.join(name).is_file())
    };
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin")))
        })
        .filter(|(_, folder)| whole(folder))
        .max();
    let path = std::env::var_os("PATH").unwrap_or_default();
    newest.map(|(_, folder)| folder).or_else(|| std::env::split_paths(&path).find(whole))
}

/// A port that was free a moment ago, below the range from which systems choose for others.
fn free_port() -> Result<u16> {
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let chosen = |_| 16_384 + (RandomState::new().hash_one(process::id()) % 16_384) as u16;
    (0..1_000).map(chosen).find(free).ok_or_else(|| "no port is free from 16384 to 32767".to_owned())
}
