//! Keys as an operator keeps them: sealed anew, backed up, moved, looked at; through the real binary.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use sealwright_testkit::needles::{self, Finder};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    sealed,
    serve::{Serve, free_address, wait_for_kids},
};

/// What a command came to: its code, and all that it printed.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ran {
    fn good(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.stdout, self.stderr);
        self.stdout
    }

    fn json(self) -> Value {
        serde_json::from_str(&self.good()).expect("JSON")
    }
}

/// `sealwright` with these arguments, in the folder `working`.
fn sealwright(working: &Path, arguments: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_sealwright"))
        .args(arguments)
        .current_dir(working)
        .stdin(Stdio::null())
        .output()
        .expect("the binary starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints text");
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A working folder whose folder `appsso` has the manifests.
struct Manifests {
    working: TempDir,
    address: SocketAddr,
}

const FILES: &str = "appsso/a.yaml";

impl Manifests {
    /// With these annotations and this `tokenSignature`; the keys `one` and `two` are made when they are first named.
    fn new(annotations: &str, signature: &str) -> Self {
        let working = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(working.path().join("appsso")).expect("the folder is new");
        let manifests = Self { working, address: free_address() };
        manifests.write(annotations, signature);
        manifests
    }

    fn write(&self, annotations: &str, signature: &str) {
        self.write_with(annotations, signature, "");
    }

    /// With more documents.
    fn write_with(&self, annotations: &str, signature: &str, documents: &str) {
        let address = self.address;
        self.write_all(&format!(
            r#"
apiVersion: sso.apps.tanzu.vmware.com/v1alpha1
kind: AuthServer
metadata:
  name: sso
  labels: {{env: test}}
  annotations:
    sso.apps.tanzu.vmware.com/allow-unsafe-issuer-uri: ""
    {annotations}
spec:
  issuerURI: http://{address}
  tokenSignature: {{{signature}}}
---
apiVersion: secretgen.k14s.io/v1alpha1
kind: RSAKey
metadata: {{name: one}}
spec: {{}}
---
apiVersion: secretgen.k14s.io/v1alpha1
kind: RSAKey
metadata: {{name: two}}
spec: {{}}
---
apiVersion: sso.apps.tanzu.vmware.com/v1alpha1
kind: ClientRegistration
metadata: {{name: job}}
spec:
  authServerSelector: {{matchLabels: {{env: test}}}}
  authorizationGrantTypes: [client_credentials]
{documents}"#
        ));
    }

    /// A server of our own kind, whose keys go by plan, with these key-encryption keys.
    fn write_planned(&self, kek: &str) {
        self.write_planned_at("kind: local", kek);
    }

    fn write_planned_at(&self, provider: &str, kek: &str) {
        let address = self.address;
        self.write_all(&format!(
            r#"
apiVersion: sealwright.dev/v1alpha1
kind: AuthServer
metadata: {{name: id, labels: {{env: test}}}}
spec:
  issuerURI: http://{address}
  listen: {address}
  tokenSignature: {{algorithms: [ES256], keysDir: keys, provider: {{{provider}}}}}
  storage: {{sqlite: {{path: auth.db}}}}
  secrets: {{kek: [{kek}]}}
  acknowledge: [unsafeIssuerUri]
"#
        ));
    }

    fn write_all(&self, text: &str) {
        fs::write(self.path(FILES), text).expect("the folder can be written");
    }

    /// Makes a file with a key-encryption key, 64 times `digit` in hexadecimal, in the folder of the manifests.
    fn write_kek(&self, name: &str, digit: &str) {
        let path = self.path(&format!("appsso/{name}"));
        crate::transcript::write_private(&path, digit.repeat(64).as_bytes());
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.working.path().join(name)
    }

    fn serve(&self) -> Serve {
        let mut serve = Serve::start_in(self.working.path(), Path::new(FILES));
        serve.line();
        serve
    }

    fn stop(mut serve: Serve) {
        serve.signal("TERM");
        assert!(serve.ends().success());
    }

    /// Each condition of `key list` that is false, with its reason, and each key with its state.
    fn listed(&self) -> (Vec<String>, Vec<String>) {
        let list = self.key(&["list", "--json"]).json();
        let text = |value: &Value, name: &str| value[name].as_str().expect("text").to_owned();
        let conditions = list["conditions"].as_array().expect("conditions").iter();
        let false_ones = conditions.filter(|condition| condition["status"] != "True");
        let false_ones = false_ones.map(|c| format!("{}: {}", text(c, "type"), text(c, "reason"))).collect();
        let keys = list["keys"].as_array().expect("keys").iter();
        (false_ones, keys.map(|key| format!("{} {}", text(key, "kid"), text(key, "state"))).collect())
    }

    fn key(&self, arguments: &[&str]) -> Ran {
        sealwright(self.working.path(), &[&["key"], arguments, &["-f", FILES]].concat())
    }
}

#[test]
fn manifests_in_a_folder_of_the_working_folder_work_more_than_once() {
    for (annotations, kek) in [
        ("", "appsso/sso-state/kek"),
        (
            "sealwright.dev/state-dir: ./state\n    sealwright.dev/kek-file: secrets/mine",
            "appsso/secrets/mine",
        ),
    ] {
        let manifests = Manifests::new(annotations, "signAndVerifyKeyRef: {name: one}");
        if !annotations.is_empty() {
            fs::create_dir(manifests.path("appsso/secrets")).expect("the folder is new");
            let text = b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n";
            crate::transcript::write_private(&manifests.path(kek), text);
        }
        let serve = manifests.serve();
        wait_for_kids(manifests.address, &["one"]);
        manifests.write(annotations, "signAndVerifyKeyRef: {name: two}, extraVerifyKeyRefs: [{name: one}]");
        wait_for_kids(manifests.address, &["two", "one"]);
        Manifests::stop(serve);
        let serve = manifests.serve();
        wait_for_kids(manifests.address, &["two", "one"]);
        Manifests::stop(serve);
        sealwright(manifests.working.path(), &["check", "-f", FILES]).good();
        assert_eq!(manifests.key(&["export"]).json()["keys"].as_array().map(Vec::len), Some(2));

        let state = if annotations.is_empty() { "appsso/sso-state" } else { "appsso/state" };
        let files = ["auth.db", "keys/rsa-keys/default/one.sealed.json", "clients/default_job.secret"];
        for path in files.map(|file| format!("{state}/{file}")).iter().map(String::as_str).chain([kek]) {
            assert!(manifests.path(path).exists(), "{path}");
        }
        assert!(!manifests.path("appsso/appsso").exists());
    }
}

#[test]
fn when_all_keys_are_sealed_anew_the_old_key_encryption_key_can_go() {
    let manifests = Manifests::new("", "");
    for (name, digit) in [("k1", "1"), ("k2", "2")] {
        manifests.write_kek(name, digit);
    }
    let declared = "signAndVerifyKeyRef: {name: one}, extraVerifyKeyRefs: [{name: two}]";
    let appsso = |files: &str| manifests.write(&format!("sealwright.dev/kek-file: \"{files}\""), declared);
    let planned = |files: &str| {
        let files = files.split(", ").map(|file| file.split_once('=').unwrap_or(("k1", file)));
        let entries: Vec<String> = files.map(|(id, file)| format!("{{id: {id}, file: {file}}}")).collect();
        manifests.write_planned(&entries.join(", "));
    };
    // The audit log's key, and two more.
    for (is_planned, folder) in [(false, "sso-state/keys"), (true, "keys")] {
        let write = |files: &str| if is_planned { planned(files) } else { appsso(files) };
        write("k1");
        let serve = manifests.serve();
        until(|| manifests.key(&["backup"]).good().matches("\"state\"").count() == 2);
        let set = manifests.key(&["export"]).good();
        write("k2=k2, k1=k1");
        let done = manifests.key(&["reseal", "--json"]).json();
        assert_eq!((&done["resealed"], &done["unchanged"]), (&3.into(), &0.into()), "beside the server");
        Manifests::stop(serve);
        assert!(!sealed_under(&manifests.path("appsso").join(folder), "k1"));

        write("k2=k2");
        let serve = manifests.serve();
        assert_eq!(manifests.key(&["export"]).good(), set);
        Manifests::stop(serve);
        let done = manifests.key(&["reseal", "--json"]).json();
        assert_eq!((&done["resealed"], &done["unchanged"]), (&0.into(), &3.into()));

        // Under the same name another one, with which nothing opens.
        write("k2=k1");
        let refused = manifests.key(&["reseal"]);
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""));
        assert_eq!(refused.stderr.matches("the seal does not open").count(), 3, "{}", refused.stderr);
    }
}

/// Waits until it is so.
fn until(is_so: impl Fn() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < Duration::from_secs(30), "it does not come to be so");
        thread::sleep(Duration::from_millis(100));
    }
}

/// Whether a sealed key in this folder or below names this key-encryption key.
fn sealed_under(folder: &Path, kek: &str) -> bool {
    let names = |path: &Path| fs::read_to_string(path).is_ok_and(|text| text.contains(&format!("\"{kek}\"")));
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut paths = entries.map(|entry| entry.expect("it can be listed").path());
    paths.any(|path| if path.is_dir() { sealed_under(&path, kek) } else { names(&path) })
}

#[test]
fn the_keys_of_rsa_keys_move_to_another_machine_with_their_backup() {
    let signature = "signAndVerifyKeyRef: {name: one}, extraVerifyKeyRefs: [{name: two}]";
    let annotations = "sealwright.dev/kek-file: kek";
    let here = Manifests::new(annotations, signature);
    here.write_kek("kek", "1");
    Manifests::stop(here.serve());
    let (backup, set) = (here.key(&["backup"]).good(), here.key(&["export"]).good());

    let there = Manifests { address: here.address, ..Manifests::new("", "") };
    there.write(annotations, signature);
    there.write_kek("kek", "1");
    let restore = |text: &str| {
        fs::write(there.path("keys.json"), text).expect("the folder can be written");
        there.key(&["restore", "keys.json"])
    };
    // As backups were once.
    let mut without: Value = serde_json::from_str(&backup).expect("JSON");
    assert_eq!(without["version"], 2, "what knows no keys of RSAKeys is told so");
    without["version"] = 1.into();
    without.as_object_mut().expect("an object").remove("rsa_keys").expect("it has them");
    let refused = restore(&without.to_string());
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let says = "`one`, which was made for an RSAKey, is not in this backup: copy appsso/sso-state/keys/rsa-keys from";
    assert!(refused.stderr.contains(says), "{}", refused.stderr);

    assert_eq!(restore(&backup).good(), "2 keys restored, 2 of which can sign\n");
    assert_eq!(there.key(&["export"]).good(), set);
    let again = restore(&backup);
    assert!(again.stderr.contains("the database has keys already"), "{}", again.stderr);
    let serve = there.serve();
    wait_for_kids(there.address, &["one", "two"]);
    assert_eq!(there.key(&["export"]).good(), set);
    Manifests::stop(serve);
}

/// All files in a folder and below.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Nothing of the private halves is in any file of the server's state, nor in a backup. The public halves are found there by the
/// same search, and in the files of the sealed keys.
#[test]
fn of_the_keys_of_rsa_keys_nothing_readable_is_on_disk_or_in_a_backup() {
    let manifests = Manifests::new(
        "sealwright.dev/kek-file: kek",
        "signAndVerifyKeyRef: {name: one}, extraVerifyKeyRefs: [{name: two}]",
    );
    manifests.write_kek("kek", "1");
    let serve = manifests.serve();
    wait_for_kids(manifests.address, &["one", "two"]);
    let state = manifests.path("appsso/sso-state");
    let sealed = state.join("keys/rsa-keys/default");
    let (mut private, mut public) = (Vec::new(), Vec::new());
    for name in ["one", "two"] {
        let text = fs::read_to_string(sealed.join(format!("{name}.sealed.json"))).expect("it was made");
        let jwk = sealed::open(&text, &[0x11; 32]).to_jwk().expect("it has a JWK");
        private.push((name, needles::private(&jwk)));
        public.push((name, needles::public(&jwk)));
    }
    let [private, public] =
        [&private, &public].map(|keys| Finder::new(keys.iter().map(|(name, needles)| (*name, &needles[..]))));
    let search = |place: &str, content: &[u8]| -> BTreeSet<&str> {
        let found = private.find(content);
        assert!(found.is_empty(), "{place}: {found:?}");
        public.find(content).into_iter().map(|(name, ..)| name).collect()
    };
    let both = BTreeSet::from(["one", "two"]);
    assert_eq!(search("the backup", manifests.key(&["backup"]).good().as_bytes()), both);
    let in_files = |manifests: &Manifests| {
        let mut seen = BTreeMap::new();
        for path in files(&manifests.path("appsso")) {
            let place =
                path.strip_prefix(manifests.path("appsso")).expect("it is below").display().to_string();
            seen.insert(place.clone(), search(&place, &fs::read(&path).expect("it is a file")));
        }
        seen
    };
    let seen = in_files(&manifests);
    assert_eq!(seen["sso-state/auth.db-wal"], both, "the log of the database");
    Manifests::stop(serve);
    let seen = in_files(&manifests);
    assert_eq!(seen["sso-state/auth.db"], both);
    for name in ["one", "two"] {
        assert_eq!(
            seen[&format!("sso-state/keys/rsa-keys/default/{name}.sealed.json")],
            BTreeSet::from([name])
        );
    }
}

#[test]
fn who_looks_before_the_first_start_makes_nothing() {
    let manifests = Manifests::new("", "signAndVerifyKeyRef: {name: one}");
    for arguments in
        [&["list"][..], &["export"], &["backup"], &["revoke", "one", "--reason", "drill", "--yes"]]
    {
        let refused = manifests.key(arguments);
        assert_eq!(refused.code, Some(1), "{arguments:?}");
        assert!(refused.stderr.contains("there are no keys yet"), "{arguments:?}: {}", refused.stderr);
    }
    assert_eq!(files(manifests.working.path()), [manifests.path(FILES)]);
    assert!(!manifests.path("appsso/sso-state").exists());
}

#[test]
fn faults_in_the_files_keep_nobody_from_revoking_and_backing_up() {
    let manifests = Manifests::new("", "");
    manifests.write_kek("kek", "1");
    manifests.write_planned("{id: k1, file: kek}");
    let good = fs::read_to_string(manifests.path(FILES)).expect("it is there");
    let serve = manifests.serve();
    until(|| manifests.listed().1.len() == 2);
    let keys = manifests.listed().1;
    let active = keys.iter().find_map(|key| key.strip_suffix(" active")).expect("one signs");

    manifests.write_all(&good.replace("keysDir: keys", "keysDir: keys, rotateEvery: 1s"));
    let refused = manifests.key(&["rotate", "--now", "--reason", "drill", "--yes"]);
    assert!(refused.stderr.contains("nothing was done: 1 fault in the resource files"), "{refused:?}");
    assert_eq!(manifests.key(&["backup"]).good().matches("\"state\"").count(), 2);
    let done = manifests.key(&["revoke", active, "--reason", "drill", "--yes", "--json"]).json();
    let events: Vec<_> = done["events"].as_array().expect("events").iter().map(|e| &e["event"]).collect();
    assert_eq!(events, ["key.revoked"], "what the plan wants is for the server that runs");
    until(|| {
        let keys = manifests.listed().1;
        keys.contains(&format!("{active} revoked")) && keys.iter().any(|key| key.ends_with(" active"))
    });
    Manifests::stop(serve);
}

#[test]
fn each_of_several_key_encryption_keys_is_watched() {
    let manifests =
        Manifests::new("sealwright.dev/kek-file: \"k2=k2, k1=k1\"", "signAndVerifyKeyRef: {name: one}");
    for (name, digit) in [("k1", "1"), ("k2", "2")] {
        manifests.write_kek(name, digit);
    }
    for name in ["k1", "k2"] {
        let serve = manifests.serve();
        let path = manifests.path(&format!("appsso/{name}"));
        let text = fs::read(&path).expect("it was written");
        fs::write(&path, "too short").expect("the folder can be written");
        serve.says("the changed resources were not taken over");
        fs::write(&path, text).expect("the folder can be written");
        Manifests::stop(serve);
    }
}

/// A `Secret` with the private key of a file.
fn secret(name: &str, file: &str) -> String {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../authorization-server/tests/it/keys");
    let pem = fs::read_to_string(keys.join(file)).expect("the key is there");
    let pem: String = pem.lines().map(|line| format!("    {line}\n")).collect();
    format!("---\napiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\nstringData:\n  key.pem: |\n{pem}")
}

#[test]
fn keys_of_rsa_keys_are_listed_as_they_are_whether_a_server_runs_or_not() {
    let manifests = Manifests::new("", "signAndVerifyKeyRef: {name: one}");
    let serve = manifests.serve();
    let good = (vec![], vec!["one active".to_owned()]);
    assert_eq!(manifests.listed(), good);
    Manifests::stop(serve);
    assert_eq!(manifests.listed(), good);

    // Another one is made by a server, and by nobody who looks.
    manifests.write("", "signAndVerifyKeyRef: {name: two}, extraVerifyKeyRefs: [{name: one}]");
    let conditions = ["SignAndVerifyKeyResolved: NotResolved", "Ready: NoSigningKey"];
    assert_eq!(manifests.listed(), (conditions.map(str::to_owned).to_vec(), good.1));
    assert!(!manifests.path("appsso/sso-state/keys/rsa-keys/default/two.sealed.json").exists());
}

#[test]
fn a_change_that_the_server_refuses_is_listed_as_refused() {
    let manifests = Manifests::new("", "");
    manifests.write_with("", "signAndVerifyKeyRef: {name: key}", &secret("key", "rsa.pem"));
    let serve = manifests.serve();
    wait_for_kids(manifests.address, &["key"]);
    let good = (vec![], vec!["key active".to_owned()]);
    assert_eq!(manifests.listed(), good);
    let set = manifests.key(&["export"]).good();

    // Another key under the old name, and one more.
    let signature = "signAndVerifyKeyRef: {name: key}, extraVerifyKeyRefs: [{name: one}]";
    manifests.write_with("", signature, &secret("key", "other.pem"));
    serve.says("the name `key` stood for another key before");
    let conditions =
        ["SignAndVerifyKeyResolved: Refused", "ReplicasCurrent: OtherResources", "Ready: Refused"];
    assert_eq!(manifests.listed(), (conditions.map(str::to_owned).to_vec(), good.1.clone()));
    assert_eq!(manifests.key(&["export"]).good(), set);

    // What is no key at all is a fault, with which one can look all the same.
    manifests.write_with("", "signAndVerifyKeyRef: {name: key}", &secret("key", "p256.pub.pem"));
    let conditions = [
        "SignAndVerifyKeyResolved: NotResolved",
        "ReplicasCurrent: OtherResources",
        "Ready: Refused",
        "ResourcesValid: Faults",
    ];
    assert_eq!(manifests.listed(), (conditions.map(str::to_owned).to_vec(), good.1));
    let refused = manifests.key(&["reseal"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("nothing was done: 1 fault in the resource files"), "{}", refused.stderr);
    Manifests::stop(serve);
}

#[test]
fn a_token_that_is_away_keeps_nobody_from_looking_and_revoking() {
    let manifests = Manifests::new("", "");
    manifests.write_kek("kek", "1");
    manifests.write_kek("pin", "1");
    let kek = "{id: k1, file: kek}";
    manifests.write_planned(kek);
    let serve = manifests.serve();
    until(|| manifests.listed().1.len() == 2);
    Manifests::stop(serve);
    manifests.write_planned_at("kind: pkcs11, module: ./nowhere.so, token: away, pin: {file: pin}", kek);
    let keys = manifests.listed().1;
    let active = keys.iter().find_map(|key| key.strip_suffix(" active")).expect("one signs");
    assert!(manifests.key(&["export"]).good().contains(active));
    let revoked = manifests.key(&["revoke", active, "--reason", "drill", "--yes"]);
    assert!(revoked.good().contains("key.revoked"));
    assert_eq!(manifests.key(&["reseal"]).good(), "0 sealed anew, 2 as they were\n");
}
