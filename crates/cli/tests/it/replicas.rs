//! Servers of one issuer, as processes on one SQLite file; and an API that listens to them by our resource-server kit.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use sealwright_jose::{
    Alg, JwkSet, VerifyError,
    jws::{Scratch, Verifier},
};
use sealwright_resource_server::{Authenticator, IssuerConfig, JwksOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    serve::{Serve, ask_for_token, free_address, get, key, post},
    transcript::write_private,
};

const DEADLINE: Duration = Duration::from_secs(30);
const SECRET: &str = "a secret between two processes of one test";
const API: &str = "https://api.example.com";
/// The variable that has the key-encryption key, and the key.
const KEK: (&str, &str) = ("SEALWRIGHT_TEST_KEK", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");

/// Servers of one issuer, with resources of their own that differ in the address alone.
struct Site {
    folder: TempDir,
    addresses: Vec<SocketAddr>,
}

impl Site {
    fn new(replicas: usize, kek: &str) -> Self {
        let folder = sealwright_testkit::temp_dir();
        let addresses: Vec<_> = (0..replicas).map(|_| free_address()).collect();
        write_private(&folder.path().join("kek"), KEK.1.as_bytes());
        write_private(&folder.path().join("robot"), SECRET.as_bytes());
        let issuer = addresses[0];
        for (n, address) in addresses.iter().enumerate() {
            let text = format!(
                r#"
apiVersion: sealwright.dev/v1alpha1
kind: AuthServer
metadata: {{name: id, labels: {{env: test}}}}
spec:
  issuerURI: http://{issuer}
  listen: {address}
  tokenSignature: {{algorithms: [ES256], keysDir: keys, poll: 500ms, jwksMaxAge: 1h}}
  storage: {{sqlite: {{path: auth.db}}}}
  secrets: {{kek: [{{id: k1, {kek}}}]}}
  acknowledge: [unsafeIssuerUri]
---
apiVersion: sealwright.dev/v1alpha1
kind: ClientRegistration
metadata: {{name: robot}}
spec:
  authServerSelector: {{matchLabels: {{env: test}}}}
  authorizationGrantTypes: [client_credentials]
  clientSecret: {{file: robot}}
  audiences: ["{API}", "http://{issuer}/admin"]
  scopes: [{{name: admin}}]
"#
            );
            write_private(&folder.path().join(format!("{n}.yaml")), text.as_bytes());
        }
        Self { folder, addresses }
    }

    /// All of them, started at once.
    fn start(&self) -> Vec<Serve> {
        let started = (0..self.addresses.len()).map(|n| Serve::start(&self.file(n)));
        let mut running: Vec<_> = started.collect();
        running.iter_mut().for_each(|serve| drop(serve.line()));
        running
    }

    fn file(&self, n: usize) -> std::path::PathBuf {
        self.folder.path().join(format!("{n}.yaml"))
    }

    fn key(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&key(&self.file(0), arguments)).expect("JSON")
    }

    /// The key of a state, and all that is said of it.
    fn in_state(&self, state: &str) -> Option<(String, Value)> {
        let list = self.key(&["list"]);
        let keys = list["keys"].as_array().expect("keys");
        let key = keys.iter().find(|key| key["state"] == state)?;
        Some((key["kid"].as_str().expect("a kid").to_owned(), key.clone()))
    }

    /// The name of the key that signs, when there is one in reserve too.
    fn signer(&self) -> String {
        eventually("a key in reserve", || self.in_state("staged"));
        self.in_state("active").expect("one signs").0
    }

    fn token(&self, n: usize) -> String {
        access_token(&ask_for_token(self.addresses[n], "default_robot", SECRET, &format!("&resource={API}")))
    }

    fn set(&self, n: usize) -> JwkSet {
        let answer = get(self.addresses[n], "/oauth2/jwks");
        let (_, body) = answer.split_once("\r\n\r\n").expect("an answer");
        JwkSet::parse(body, &[Alg::Es256]).expect("a set")
    }

    /// Has each of them sign, and each verify what each has signed. Gives the names of the keys that signed.
    fn signed_by(&self, replicas: &[usize]) -> BTreeSet<String> {
        let tokens: Vec<_> = replicas.iter().map(|n| self.token(*n)).collect();
        for n in replicas {
            for token in &tokens {
                let verified = verify(&self.set(*n), token);
                assert!(verified.is_ok(), "replica {n} does not know the key of {token}: {verified:?}");
            }
        }
        tokens.iter().map(|token| kid(token)).collect()
    }
}

fn access_token(answer: &str) -> String {
    let (_, rest) = answer.split_once("\"access_token\":\"").expect(answer);
    rest.split('"').next().expect("a token").to_owned()
}

fn verify(set: &JwkSet, token: &str) -> Result<(), VerifyError> {
    let verifier = Verifier::builder_from(&[Alg::Es256]).keys(set).build();
    verifier.expect("a verifier").verify_compact(token, &mut Scratch::new()).map(|_| ())
}

fn kid(token: &str) -> String {
    let header = sealwright_jose::base64url::decode(token.split('.').next().expect("a header"));
    let header: Value = serde_json::from_slice(&header.expect("base64url")).expect("JSON");
    header["kid"].as_str().expect("a kid").to_owned()
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

#[test]
fn processes_on_one_file_sign_by_one_key_and_follow_each_other() {
    let site = Site::new(3, "file: kek");
    let all = [0, 1, 2];
    let mut running = site.start();
    let first = site.signer();
    assert_eq!(site.signed_by(&all), BTreeSet::from([first.clone()]), "whoever came first has made the key");
    let names = eventually("all know the key, and say so", || {
        let served_by = site.in_state("active")?.1["served_by"].clone();
        (served_by.as_array()?.len() == 3).then_some(served_by)
    });

    site.key(&["rotate", "--now", "--reason", "drill", "--yes"]);
    // While it moves from one key to the next, too, each verifies what each signs.
    let second = eventually("all sign by the next key", || {
        let mut kids = site.signed_by(&all).into_iter();
        let kid = kids.next().filter(|kid| *kid != first)?;
        kids.next().is_none().then_some(kid)
    });
    assert_eq!(site.signer(), second);

    let gone = site.token(0);
    site.key(&["revoke", &second, "--reason", "drill", "--yes"]);
    for n in all {
        eventually("it is in no set", || verify(&site.set(n), &gone).is_err().then_some(()));
    }
    let third = site.signer();
    assert_eq!(site.signed_by(&all), BTreeSet::from([third.clone()]));
    assert!(third != first && third != second);

    // One is killed, and counts for some time as one that has not heard yet.
    eventually("all have followed", || {
        (site.in_state("active")?.1["served_by"].as_array()?.len() == 3).then_some(())
    });
    let killed = running.pop().expect("there are three");
    let name = replica_name(&names, killed.pid());
    drop(killed);
    site.key(&["rotate", "--now", "--reason", "drill", "--yes"]);
    let announced = eventually("those that run serve it", || {
        let key = site.in_state("published")?.1;
        (key["served_by"].as_array()?.len() == 2).then_some(key)
    });
    assert_eq!(announced["missing_at"], json!([name]));
    let list = site.key(&["list"]);
    let behind = |replica: &&Value| replica["behind"] == true;
    let behind: Vec<_> = list["replicas"].as_array().expect("replicas").iter().filter(behind).collect();
    assert_eq!(behind.len(), 1, "{list}");
    assert_eq!((&behind[0]["name"], &behind[0]["live"]), (&json!(name), &json!(true)));
    let text = key_text(&site.file(0));
    assert!(text.contains(&format!("  missing at {name}\n")), "{text}");
    assert!(text.contains(&format!("replica {name}  serves an older set, seen ")), "{text}");
    assert_eq!(text.matches("serves the newest set, seen ").count(), 2, "{text}");
    assert_eq!(site.signed_by(&[0, 1]), BTreeSet::from([third]), "the next key waits for it");
}

/// The one of these names that ends with the number of this process.
fn replica_name(names: &Value, pid: u32) -> String {
    let names = names.as_array().expect("names").iter().map(|name| name.as_str().expect("a name"));
    let of_pid = |name: &&str| name.rsplit(|c: char| !c.is_ascii_digit()).next() == Some(&pid.to_string());
    let mut of_pid = names.filter(of_pid);
    of_pid.next().expect("it is listed").to_owned()
}

/// `key list` as people read it.
fn key_text(files: &Path) -> String {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sealwright"));
    let output = command.args(["key", "list", "-f"]).arg(files).output().expect("the binary starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it prints text")
}

/// The set may be kept for an hour, and a revocation reaches who listens within seconds: one that the server was asked for
/// itself, and one that came about beside it.
#[test]
fn an_api_that_listens_hears_of_a_revocation_at_once() {
    let site = Site::new(1, "file: kek");
    let _running = site.start();
    let first = site.signer();
    let issuer = format!("http://{}", site.addresses[0]);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let options = JwksOptions { allow_http_loopback: true, ..JwksOptions::default() };
        let issuer = IssuerConfig::new(&issuer, API).discovery([Alg::Es256]);
        let api = Authenticator::builder().issuer(issuer).jwks(options).build().expect("an authenticator");
        let now_s = || jiff::Timestamp::now().as_second();
        let refused = async |token: &str| {
            let since = Instant::now();
            while api.authenticate_token(token, now_s()).await.is_ok() {
                assert!(since.elapsed() < Duration::from_secs(10), "it would be fetched again in 15 minutes");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };

        let token = site.token(0);
        assert_eq!(kid(&token), first);
        api.authenticate_token(&token, now_s()).await.expect("the key is good");
        let fields = format!("&scope=admin&resource=http://{}/admin", site.addresses[0]);
        let operator = access_token(&ask_for_token(site.addresses[0], "default_robot", SECRET, &fields));
        let path = format!("/admin/api/v1/keys/{first}/revoke");
        let reason = json!({"reason": "drill"}).to_string();
        let done = post(site.addresses[0], &path, &format!("Bearer {operator}"), "application/json", &reason);
        assert!(done.starts_with("HTTP/1.1 200 "), "{done}");
        refused(&token).await;

        let second = site.signer();
        let token = site.token(0);
        assert_eq!(kid(&token), second);
        api.authenticate_token(&token, now_s()).await.expect("the next key is good");
        site.key(&["revoke", &second, "--reason", "drill", "--yes"]);
        refused(&token).await;
    });
}

/// Its keys are sealed under the key of the variable, and under no other.
#[test]
fn a_key_encryption_key_comes_from_the_environment() {
    let site = Site::new(1, &format!("env: {}", KEK.0));
    let other = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8";
    let start = |value: &str| Serve::start_with(&[(KEK.0, value)], Path::new("."), &site.file(0));
    let mut serve = start(KEK.1);
    serve.line();
    let signer = kid(&site.token(0));
    drop(serve);

    let mut refused = start(other);
    assert_eq!(refused.ends().code(), Some(1));
    let stderr = refused.stderr();
    assert!(stderr.contains("the seal does not open"), "{stderr}");
    assert!(!stderr.contains(other), "{stderr}");

    let mut serve = start(KEK.1);
    serve.line();
    assert_eq!(kid(&site.token(0)), signer, "the same key opens it again");
    drop(serve);
    // It is the key that it says, and not one by the name of the variable.
    std::fs::write(site.folder.path().join("0.yaml"), {
        let text = std::fs::read_to_string(site.file(0)).expect("it was written");
        text.replace(&format!("env: {}", KEK.0), "file: kek")
    })
    .expect("the folder can be written");
    let mut serve = Serve::start(&site.file(0));
    serve.line();
    assert_eq!(kid(&site.token(0)), signer);
}
