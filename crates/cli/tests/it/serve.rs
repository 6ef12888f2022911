//! `sealwright serve` as an operator meets it: started, ready, told to stop, gone.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

const DEADLINE: Duration = Duration::from_secs(30);

/// A running `sealwright serve`; ended when it goes out of scope.
pub(crate) struct Serve {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
    log: Arc<Mutex<String>>,
    reads_log: Option<JoinHandle<()>>,
}

impl Serve {
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_in(Path::new("."), folder)
    }

    /// Started in the folder `working`, from which `files` counts.
    pub(crate) fn start_in(working: &Path, files: &Path) -> Self {
        Self::start_with(&[], working, files)
    }

    /// Started with these variables in its environment, too.
    pub(crate) fn start_with(variables: &[(&str, &str)], working: &Path, files: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sealwright"))
            // sqlx warns of statements that a busy machine is slow at.
            .args(["serve", "--log", "warn,sqlx=error", "-f"])
            .arg(files)
            .current_dir(working)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stdout = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        let stderr = BufReader::new(child.stderr.take().expect("stderr is a pipe"));
        let log = Arc::<Mutex<String>>::default();
        let written = Arc::clone(&log);
        let reads_log = thread::spawn(move || {
            for line in stderr.lines() {
                let line = line.expect("stderr is text");
                *written.lock().expect("nobody panicked") += &(line + "\n");
            }
        });
        Self { child, stdout, log, reads_log: Some(reads_log) }
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("stdout can be read");
        if line.is_empty() {
            panic!("it ended without having started: {}", self.stderr());
        }
        line.trim_end().to_owned()
    }

    /// The number of its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All that it wrote to stderr until its end.
    pub(crate) fn stderr(&mut self) -> String {
        self.reads_log.take().expect("it is asked for once").join().expect("stderr can be read");
        self.log.lock().expect("nobody panicked").clone()
    }

    /// Waits until it has written `what` to stderr.
    pub(crate) fn says(&self, what: &str) {
        let since = Instant::now();
        loop {
            let log = self.log.lock().expect("nobody panicked").clone();
            if log.contains(what) {
                return;
            }
            assert!(since.elapsed() < DEADLINE, "{what} is not in\n{log}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill(1) is there").success());
    }

    pub(crate) fn ends(&mut self) -> ExitStatus {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                return status;
            }
            assert!(since.elapsed() < DEADLINE, "it does not end");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A loopback address that was free a moment ago.
pub(crate) fn free_address() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, sealwright_testkit::free_port()).into()
}

pub(crate) fn get(address: SocketAddr, path: &str) -> String {
    exchange(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"))
}

/// What the server at `address` answers to `body` of the media type `kind`, with this `Authorization`.
pub(crate) fn post(address: SocketAddr, path: &str, authorization: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    exchange(
        address,
        &format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: {authorization}\r\n\
             Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
        ),
    )
}

/// What a client gets by its secret at the token endpoint, with these fields beside the grant.
pub(crate) fn ask_for_token(address: SocketAddr, client: &str, secret: &str, fields: &str) -> String {
    let credentials = base64_simd::STANDARD.encode_to_string(format!("{client}:{secret}"));
    let body = format!("grant_type=client_credentials{fields}");
    let kind = "application/x-www-form-urlencoded";
    post(address, "/oauth2/token", &format!("Basic {credentials}"), kind, &body)
}

fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers in text");
    answer
}

/// Resources for both servers, in a new folder.
fn resources(authorization: SocketAddr, signing: SocketAddr) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    crate::transcript::write_private(
        &folder.path().join("kek"),
        b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n",
    );
    let text = format!(
        r#"
apiVersion: sealwright.dev/v1alpha1
kind: AuthServer
metadata: {{name: id, labels: {{env: test}}}}
spec:
  issuerURI: http://{authorization}
  listen: {authorization}
  tokenSignature: {{algorithms: [ES256], keysDir: auth-keys}}
  storage: {{sqlite: {{path: auth.db}}}}
  secrets: {{kek: [{{id: k1, file: kek}}]}}
  acknowledge: [unsafeIssuerUri]
---
apiVersion: sealwright.dev/v1alpha1
kind: SigningServer
metadata: {{name: sign}}
spec:
  listen: {signing}
  publicURL: http://{signing}
  keysDir: sign-keys
  storage: {{sqlite: {{path: sign.db}}}}
  secrets: {{kek: [{{id: k1, file: kek}}]}}
  acknowledge: [unsafeHttp]
---
apiVersion: sealwright.dev/v1alpha1
kind: TrustedIssuer
metadata: {{name: id}}
spec:
  issuer: http://{authorization}
  jwksURI: http://{authorization}/oauth2/jwks
  algs: [ES256]
  audiences: ["http://{signing}"]
---
apiVersion: sealwright.dev/v1alpha1
kind: Authorizer
metadata: {{name: staff}}
spec: {{kind: jws, issuers: [id], match: all, rules: [{{claim: groups, op: contains, value: signers}}], context: {{sub: subject}}}}
---
apiVersion: sealwright.dev/v1alpha1
kind: CertificateAuthority
metadata: {{name: internal}}
spec: {{kind: internal, key: ca, alg: ES256, commonName: Test CA, validity: 600s, subject: [{{type: CN, from: subject, required: true}}]}}
---
apiVersion: sealwright.dev/v1alpha1
kind: CryptoToken
metadata: {{name: onetime}}
spec: {{kind: onetime, key: ES256, ca: internal}}
---
apiVersion: sealwright.dev/v1alpha1
kind: Worker
metadata: {{name: contracts}}
spec: {{kind: jades, token: onetime, authorizers: [staff], level: B-B, alg: ES256}}
"#
    );
    fs::write(folder.path().join("servers.yaml"), text).expect("the folder can be written");
    folder
}

#[test]
fn both_servers_run_until_they_are_told_to_stop() {
    let (authorization, signing) = (free_address(), free_address());
    let folder = resources(authorization, signing);
    let mut serve = Serve::start(folder.path());
    assert_eq!(serve.line(), format!("authorization server  http://{authorization}"));
    assert_eq!(serve.line(), format!("signing server        http://{signing}"));
    for address in [authorization, signing] {
        let ready = get(address, "/readyz");
        assert!(ready.starts_with("HTTP/1.1 200 OK\r\n"), "{ready}");
    }
    serve.signal("TERM");
    let status = serve.ends();
    assert_eq!((status.code(), serve.stderr()), (Some(0), String::new()));
}

#[test]
fn an_address_that_is_taken_ends_it_with_a_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let (authorization, signing) = (free_address(), taken.local_addr().expect("it is bound"));
    let folder = resources(authorization, signing);
    let mut serve = Serve::start(folder.path());
    let status = serve.ends();
    let stderr = serve.stderr();
    assert_eq!(status.code(), Some(1));
    assert!(stderr.starts_with("error: cannot start a signing server: "), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

/// What `sealwright key …` prints, for the resources of `folder`.
pub(crate) fn key(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_sealwright"))
        .arg("key")
        .args(arguments)
        .args(["--json", "-f"])
        .arg(folder)
        .output()
        .expect("the binary starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("JSON is text")
}

#[test]
fn keys_are_changed_beside_the_running_server() {
    let (authorization, signing) = (free_address(), free_address());
    let folder = resources(authorization, signing);
    let mut serve = Serve::start(folder.path());
    serve.line();
    serve.line();
    let list =
        || -> serde_json::Value { serde_json::from_str(&key(folder.path(), &["list"])).expect("JSON") };
    let until = |what: &str, done: &dyn Fn(&serde_json::Value) -> bool| {
        let since = Instant::now();
        loop {
            let list = list();
            if done(&list) {
                return list;
            }
            assert!(since.elapsed() < DEADLINE, "{what}: {list}");
            thread::sleep(Duration::from_millis(200));
        }
    };
    let states = |list: &serde_json::Value| -> Vec<String> {
        let keys = list["keys"].as_array().expect("keys").iter();
        keys.map(|key| key["state"].as_str().expect("a state").to_owned()).collect()
    };
    let listed = until("a key in reserve, and the server knows it", &|list| {
        states(list) == ["active", "staged"] && list["replicas"][0]["behind"] == false
    });
    let kid = |n: usize| listed["keys"][n]["kid"].as_str().expect("a kid");

    let refused = Command::new(env!("CARGO_BIN_EXE_sealwright"))
        .args(["key", "revoke", kid(0), "--reason", "drill", "-f"])
        .arg(folder.path())
        .stdin(Stdio::null())
        .output()
        .expect("the binary starts");
    assert_eq!(refused.status.code(), Some(2), "nobody was asked");
    assert_eq!(states(&list()), ["active", "staged"]);

    let revoked = key(folder.path(), &["revoke", kid(0), "--reason", "drill", "--yes"]);
    assert!(revoked.contains("key.revoked") && revoked.contains("key.activated"), "{revoked}");
    until("the reserve signs, and the server has made another", &|list| {
        states(list) == ["revoked", "active", "staged"] && list["replicas"][0]["behind"] == false
    });
    wait_for_kids(authorization, &[kid(1)]);
    serve.signal("TERM");
    assert_eq!(serve.ends().code(), Some(0));
}

/// Waits until the set of `address` has exactly the keys `kids`.
pub(crate) fn wait_for_kids(address: SocketAddr, kids: &[&str]) {
    let since = Instant::now();
    loop {
        let set = get(address, "/oauth2/jwks");
        let found: Vec<&str> =
            set.split("\"kid\":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        if found == kids {
            return;
        }
        assert!(since.elapsed() < DEADLINE, "the set has {found:?}, not {kids:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn declared_keys_follow_the_files_and_broken_ones_change_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let address = free_address();
    let write = |signature: &str| {
        let manifest = format!(
            "apiVersion: sso.apps.tanzu.vmware.com/v1alpha1\nkind: AuthServer\nmetadata:\n  name: sso\n  labels: {{a: b}}\n  \
             annotations: {{sso.apps.tanzu.vmware.com/allow-unsafe-issuer-uri: \"\"}}\nspec:\n  \
             issuerURI: http://{address}\n  tokenSignature: {{{signature}}}\n"
        );
        let key = |name| {
            format!(
                "---\napiVersion: secretgen.k14s.io/v1alpha1\nkind: RSAKey\nmetadata: {{name: {name}}}\nspec: {{}}\n"
            )
        };
        fs::write(folder.path().join("sso.yaml"), manifest + &key("first") + &key("second"))
            .expect("it is written");
    };
    write("signAndVerifyKeyRef: {name: first}");
    let mut serve = Serve::start(folder.path());
    serve.line();
    wait_for_kids(address, &["first"]);

    write("signAndVerifyKeyRef: {name: second}, extraVerifyKeyRefs: [{name: first}]");
    wait_for_kids(address, &["second", "first"]);

    // Neither a reference to nothing nor a broken file takes the keys away.
    write("signAndVerifyKeyRef: {name: nothing}");
    serve.says("(there is no Secret `nothing` in the namespace `default`)");
    write("signAndVerifyKeyRef: [}");
    serve.says("sso.yaml:9:");
    serve.says("(1 fault)");
    wait_for_kids(address, &["second", "first"]);

    write("signAndVerifyKeyRef: {name: second}");
    wait_for_kids(address, &["second"]);
    serve.signal("TERM");
    assert!(serve.ends().success());
}
