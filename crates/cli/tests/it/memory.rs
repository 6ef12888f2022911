//! The whole memory of a running server, searched for private keys: those that ended are not in it, and those that it
//! holds are found, which shows that the search finds.

mod search;

use std::{
    collections::BTreeMap,
    env, fs,
    net::SocketAddr,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use sealwright_jose::{Alg, SigningKey, base64url};
use sealwright_testkit::needles::Needle;
use serde_json::{Value, json};
use tempfile::TempDir;

use self::search::{needles, search};
use crate::{
    sealed,
    serve::{Serve, ask_for_token, free_address, key},
    transcript::write_private,
};

const DEADLINE: Duration = Duration::from_secs(90);
const KEK: [u8; 32] = [7; 32];
const SECRET: &str = "a secret between two processes of one test";
const PIN: &str = "4711-user";

/// A server with one client, in a folder of its own.
struct Site {
    folder: TempDir,
    address: SocketAddr,
}

impl Site {
    /// `signature` is what stands in `tokenSignature` beside the folder of keys.
    fn new(signature: &str) -> Self {
        let (folder, address) = (sealwright_testkit::temp_dir(), free_address());
        write_private(&folder.path().join("kek"), base64url::encode(KEK).as_bytes());
        write_private(&folder.path().join("robot"), SECRET.as_bytes());
        let text = format!(
            r#"
apiVersion: sealwright.dev/v1alpha1
kind: AuthServer
metadata: {{name: id, labels: {{env: test}}}}
spec:
  issuerURI: http://{address}
  listen: {address}
  tokenSignature: {{keysDir: keys, poll: 1s, {signature}}}
  token: {{accessToken: {{expiry: 5s}}}}
  storage: {{sqlite: {{path: auth.db}}}}
  secrets: {{kek: [{{id: k1, file: kek}}]}}
  acknowledge: [unsafeIssuerUri]
---
apiVersion: sealwright.dev/v1alpha1
kind: ClientRegistration
metadata: {{name: robot}}
spec:
  authServerSelector: {{matchLabels: {{env: test}}}}
  authorizationGrantTypes: [client_credentials]
  clientSecret: {{file: robot}}
  audiences: ["https://api.example.com"]
"#
        );
        fs::write(folder.path().join("server.yaml"), text).expect("the folder can be written");
        Self { folder, address }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn start(&self) -> Serve {
        let mut serve = Serve::start(self.path());
        serve.line();
        serve
    }

    /// Has a token signed; gives the `kid` of the key that did it, if there is one that may.
    fn signer(&self) -> Option<String> {
        let answer = ask_for_token(self.address, "default_robot", SECRET, "");
        if answer.starts_with("HTTP/1.1 503 ") {
            return None;
        }
        let token = answer.split_once("\"access_token\":\"").expect(&answer).1;
        let header = base64url::decode(token.split('.').next().expect("a header")).expect("base64url");
        let header: Value = serde_json::from_slice(&header).expect("JSON");
        Some(header["kid"].as_str().expect("a kid").to_owned())
    }

    /// Has the next key take over, once it is there.
    fn rotate(&self) {
        eventually("a key in reserve", || {
            self.states().values().any(|state| state == "staged").then_some(())
        });
        key(self.path(), &["rotate", "--now", "--reason", "drill", "--yes"]);
    }

    /// Has tokens signed until a key other than `old` does it and the server has let go of `old`, and some more by that key.
    fn next_signer(&self, old: &str) -> String {
        let signer = eventually("another key signs", || self.signer().filter(|kid| kid != old));
        eventually("the database has forgotten the old key", || {
            (!self.private_texts().contains_key(old)).then_some(())
        });
        eventually("the server goes by that", || {
            (self.list()["replicas"][0]["behind"] == false).then_some(())
        });
        for _ in 0..30 {
            assert_eq!(self.signer().as_ref(), Some(&signer));
            thread::sleep(Duration::from_millis(50));
        }
        signer
    }

    /// The private keys that are kept now, as the database has them, by `kid`.
    fn private_texts(&self) -> BTreeMap<String, String> {
        let backup: Value = serde_json::from_str(&key_command(self.path(), &["backup"])).expect("JSON");
        let rows = backup["keys"].as_array().expect("keys").iter();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        rows.filter_map(|row| Some((text(&row["kid"])?, text(&row["private"])?))).collect()
    }

    /// What the private keys that are kept now look like, by `kid`.
    fn kept(&self) -> BTreeMap<String, Vec<Needle>> {
        let texts = self.private_texts().into_iter();
        texts.map(|(kid, text)| (kid, needles(&sealed::open(&text, &KEK)))).collect()
    }

    fn list(&self) -> Value {
        serde_json::from_str(&key(self.path(), &["list"])).expect("JSON")
    }

    fn states(&self) -> BTreeMap<String, String> {
        let list = self.list();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let keys = list["keys"].as_array().expect("keys").iter();
        keys.map(|key| (text(&key["kid"]), text(&key["state"]))).collect()
    }
}

/// What `look` finds when it finds something; it is asked again until then.
fn eventually<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(since.elapsed() < DEADLINE, "never: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// `sealwright key …` without `--json`.
fn key_command(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_sealwright"))
        .arg("key")
        .args(arguments)
        .arg("-f")
        .arg(folder)
        .output()
        .expect("the binary starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it prints text")
}

/// What is found while nothing moves.
fn search_stopped(serve: &Serve, needles: &BTreeMap<String, Vec<Needle>>) -> BTreeMap<String, Vec<String>> {
    serve.signal("STOP");
    let found = search(serve.pid(), needles);
    serve.signal("CONT");
    found
}

/// Keys rotate: each signs, ends, and leaves nothing behind; nor does one that is revoked. They take over when they are told
/// to, as they would by plan, so that the one that signs goes on for as long as the search for it takes.
fn nothing_is_left_of_ended_keys(alg: &str) {
    let site = Site::new(&format!("algorithms: [{alg}]"));
    let serve = site.start();
    let mut known = site.kept();
    let first = site.signer().expect("a key");
    assert!(known.contains_key(&first), "the key that signs is in the backup");
    site.rotate();
    let second = site.next_signer(&first);
    known.extend(site.kept());
    site.rotate();
    let third = site.next_signer(&second);
    known.extend(site.kept());

    let found = search_stopped(&serve, &known);
    let states = site.states();
    for ended in [&first, &second] {
        assert_eq!(states[ended], "verifying", "{ended}");
        assert!(!found.contains_key(ended), "{alg}: {ended} has ended: {:?}", found[ended]);
    }
    assert!(found.contains_key(&third), "{alg}: {third} signs, and must be found");

    key(site.path(), &["revoke", &third, "--reason", "drill", "--yes"]);
    let fourth = site.next_signer(&third);
    known.extend(site.kept());
    let found = search_stopped(&serve, &known);
    assert_eq!(site.states()[&third], "revoked");
    for ended in [&first, &second, &third] {
        assert!(!found.contains_key(ended), "{alg}: {ended} has ended: {:?}", found[ended]);
    }
    assert!(found.contains_key(&fourth), "{alg}: {fourth} signs, and must be found");
}

#[test]
fn of_keys_that_ended_nothing_is_left() {
    // Side by side, since each waits for the clock most of the time.
    thread::scope(|scope| {
        for alg in ["ES256", "RS256", "Ed25519", "ML-DSA-44"] {
            scope.spawn(move || nothing_is_left_of_ended_keys(alg));
        }
    });
}

/// A key in a token signs and ends, and is in memory neither before nor after that. SoftHSM is software in the server's
/// process and has the key there for the moment of a signature, so that the search is of the moments between them. The key
/// was put into the token by SoftHSM's own program, since nobody can know one that the token makes.
#[test]
fn of_a_key_in_a_token_nothing_is_in_memory_between_signatures() {
    let module = env::var("SEALWRIGHT_TEST_SOFTHSM").ok().filter(|_| env::var_os("SOFTHSM2_CONF").is_some());
    let module = module.expect(
        "SEALWRIGHT_TEST_SOFTHSM and SOFTHSM2_CONF are not set: `cargo xtask test` sets them, and for single tests \
         `cargo xtask softhsm` prints what to set",
    );
    for alg in [Alg::Es256, Alg::Rs256] {
        let label = format!("memory-{}-{}", alg.name(), std::process::id());
        softhsm(&["--init-token", "--free", "--label", &label, "--so-pin", "4711-officer", "--pin", PIN]);
        let provider = format!("{{kind: pkcs11, module: {module}, token: {label}, pin: {{file: pin}}}}");
        let site = Site::new(&format!("algorithms: [{}], provider: {provider}", alg.name()));
        write_private(&site.path().join("pin"), PIN.as_bytes());

        let known = SigningKey::generate(alg).expect("a key").with_kid("known");
        let mut needles = BTreeMap::from([("known".to_owned(), needles(&known))]);
        let pem = site.path().join("known.pem");
        write_private(&pem, known.to_pem().expect("it has a PEM text").as_bytes());
        let (pem, object) = (pem.to_str().expect("a text"), format!("known {}", alg.name()));
        let named = ["--id", "6b6e6f776e", "--label", &object];
        softhsm(&[&["--import", pem, "--token", &label, "--pin", PIN][..], &named].concat());
        restore_active(&site, &known, &label);

        let serve = site.start();
        // The audit log's key is sealed on disk and used from memory.
        let audit = audit_key(&site);
        needles.insert("audit".to_owned(), audit);
        for _ in 0..30 {
            assert_eq!(site.signer().as_deref(), Some("known"));
        }
        let found = search_stopped(&serve, &needles);
        assert!(!found.contains_key("known"), "{alg}: {:?}", found["known"]);
        assert!(found.contains_key("audit"), "{alg}: the audit log's key must be found");

        site.rotate();
        site.next_signer("known");
        let found = search_stopped(&serve, &needles);
        assert_eq!(site.states()["known"], "verifying");
        assert!(!found.contains_key("known"), "{alg}: {:?}", found["known"]);
        assert!(found.contains_key("audit"), "{alg}: the audit log's key must be found");
        drop(serve);
        softhsm(&["--delete-token", "--token", &label]);
    }
}

/// The database's first key is `known`, which signs and is in the token.
fn restore_active(site: &Site, known: &SigningKey, label: &str) {
    let public = known.verifying_key().to_jwk();
    let reference = json!({
        "version": 1, "kid": "known", "alg": known.alg().name(), "token": label,
        "public_jwk": serde_json::from_str::<Value>(&public).expect("JSON"),
    });
    let now = jiff::Timestamp::now().as_millisecond();
    let backup = json!({
        "version": 1, "issuer": format!("http://{}", site.address), "taken_at": "2026-11-22T00:00:00Z",
        "keys": [{
            "kid": "known", "state": "active", "public_jwk": public, "private": reference.to_string(),
            "created_at": now - 60_000, "published_at": now - 60_000, "activate_at": now - 30_000, "declared": false,
        }],
    });
    let file = site.path().join("backup");
    fs::write(&file, backup.to_string()).expect("the folder can be written");
    key_command(site.path(), &["restore", file.to_str().expect("a text")]);
}

fn audit_key(site: &Site) -> Vec<Needle> {
    let files = fs::read_dir(site.path().join("keys")).expect("the folder of keys");
    let texts = files.map(|entry| fs::read_to_string(entry.expect("an entry").path()).expect("a text"));
    let sealed = texts.into_iter().find(|text| text.contains("\"sealed\"")).expect("a sealed key");
    needles(&sealed::open(&sealed, &KEK))
}

fn softhsm(arguments: &[&str]) {
    let mut said = String::new();
    // It reads the folder of all tokens, in which other tests make and remove some, and gives up when one goes away then.
    for _ in 0..10 {
        let done = Command::new("softhsm2-util").args(arguments).output().expect("softhsm2-util is there");
        if done.status.success() {
            return;
        }
        said = String::from_utf8_lossy(&done.stderr).into_owned();
        thread::sleep(Duration::from_millis(100));
    }
    panic!("{said}");
}
