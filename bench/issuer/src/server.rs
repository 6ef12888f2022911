//! The servers that are asked. Each listens on loopback and ends when it is dropped.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{
    Result,
    load::{Question, SERVERS, pinned},
};

const START_LIMIT: Duration = Duration::from_secs(30);

/// 256 bits, as `openssl rand -hex` makes them; compared by HMAC-SHA-256 in Sealwright, as they are in oidc-provider.
const SECRET: &str = "0123456789abcdef0123456789abcdef";
const KEK: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// Rotation as fast as a plan allows on a processor that is busy: an RSA key takes a second there, and a look at the keys waits
/// for it.
pub(crate) const ROTATING: &str =
    ", rotateEvery: 6s, publishLead: 5s, poll: 100ms, maxStale: 4s, jwksMaxAge: 1s, evictGrace: 0s";

pub(crate) struct Server {
    process: Child,
    port: u16,
    jwks: &'static str,
    token: &'static str,
    folder: Option<PathBuf>,
}

impl Server {
    /// `sealwright serve` on a new SQLite database, with its audit log; `plan` is added to `tokenSignature`.
    pub(crate) fn sealwright(program: &Path, folder: PathBuf, plan: &str) -> Result<Self> {
        let _ = fs::remove_dir_all(&folder);
        let unwritten = |error| format!("cannot write into {}: {error}", folder.display());
        fs::create_dir_all(&folder).map_err(unwritten)?;
        let port = free_port()?;
        for (name, text) in [("kek", KEK), ("secret", SECRET), ("auth.yaml", &resources(port, plan))] {
            fs::write(folder.join(name), text).map_err(unwritten)?;
        }
        let log = File::create(folder.join("log")).map_err(unwritten)?;
        let errors = log.try_clone().map_err(unwritten)?;
        let mut command = pinned(SERVERS, program);
        command
            .args(["serve", "--log", "warn", "-f"])
            .arg(folder.join("auth.yaml"))
            .stdout(log)
            .stderr(errors);
        let process = start(&mut command)?;
        let mut server = Self {
            process,
            port,
            jwks: "/oauth2/jwks",
            token: "/oauth2/token",
            folder: Some(folder.clone()),
        };
        server.wait(&folder)?;
        Ok(server)
    }

    /// npm oidc-provider, with keys of this algorithm.
    pub(crate) fn node(script: &Path, alg: &str) -> Result<Self> {
        let mut command = pinned(SERVERS, "node");
        command.env("NODE_ENV", "production").arg(script).arg(alg);
        let mut process = start(command.stdout(Stdio::piped()).stderr(Stdio::null()))?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            // No more than a port is read.
            let _ = BufReader::new(output.take(16)).read_line(&mut line);
        }
        let port = line.trim().parse().unwrap_or_default();
        let server = Self { process, port, jwks: "/jwks", token: "/token", folder: None };
        if port == 0 { Err(format!("{command:?} printed no port")) } else { Ok(server) }
    }

    pub(crate) fn jwks(&self) -> Question {
        Question { url: format!("http://127.0.0.1:{}{}", self.port, self.jwks), client: None }
    }

    pub(crate) fn tokens(&self, client: &str) -> Question {
        let url = format!("http://127.0.0.1:{}{}", self.port, self.token);
        Question { url, client: Some(format!("{client}:{SECRET}")) }
    }

    fn wait(&mut self, folder: &Path) -> Result<()> {
        let started = Instant::now();
        while !is_ready(self.port).unwrap_or_default() {
            let ended = self.process.try_wait().ok().flatten().is_some();
            if ended || started.elapsed() > START_LIMIT {
                let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
                return Err(format!("sealwright did not start:\n{log}"));
            }
            sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let Some(folder) = &self.folder {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// Whether it has its keys: it takes connections before, and has them wait.
fn is_ready(port: u16) -> io::Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(START_LIMIT))?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
    let mut status = [0; 12];
    stream.read_exact(&mut status)?;
    Ok(status == *b"HTTP/1.1 200")
}

fn start(command: &mut Command) -> Result<Child> {
    command.stdin(Stdio::null()).spawn().map_err(|error| format!("cannot start {command:?}: {error}"))
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(|error| error.to_string())?;
    Ok(listener.local_addr().map_err(|error| error.to_string())?.port())
}

fn resources(port: u16, plan: &str) -> String {
    let client = |alg: &str| {
        format!(
            "---
apiVersion: sealwright.dev/v1alpha1
kind: ClientRegistration
metadata: {{name: {}}}
spec:
  authServerSelector: {{matchLabels: {{env: bench}}}}
  authorizationGrantTypes: [client_credentials]
  clientSecret: {{file: secret}}
  audiences: [\"https://api.example.com\"]
  scopes: [{{name: \"orders:read\"}}]
  accessTokenSigningAlg: {alg}
",
            alg.to_lowercase()
        )
    };
    format!(
        "apiVersion: sealwright.dev/v1alpha1
kind: AuthServer
metadata: {{name: bench, labels: {{env: bench}}}}
spec:
  issuerURI: http://127.0.0.1:{port}
  listen: 127.0.0.1:{port}
  tokenSignature: {{algorithms: [RS256, ES256]{plan}}}
  token: {{accessToken: {{expiry: 60s}}}}
  storage: {{sqlite: {{path: auth.db}}}}
  secrets: {{kek: [{{id: k1, file: kek}}]}}
  acknowledge: [unsafeIssuerUri, unsafeKeyTimings]
{}{}",
        client("RS256"),
        client("ES256")
    )
}
