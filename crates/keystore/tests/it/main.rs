//! Keys on a real disk, through the public functions only.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod handle;
#[cfg(target_os = "linux")]
mod memory;
mod pkcs11;
mod provider;
mod ring;
mod sealed;
mod softhsm;

use std::{env, fs, path::Path, process::Command};

use sealwright_keystore::{KekRing, KekSpec, KeystoreError, SealedStore};

/// The error with its causes, as a log shows it, with the folder of the test cut out.
fn said(dir: &Path, error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text.replace(&dir.display().to_string(), "DIR")
}

fn from_file(id: &str) -> KekSpec {
    KekSpec { id: id.into(), file: Some(id.into()), ..KekSpec::default() }
}

/// A ring whose keys are in files of their ids, made if they are not there.
fn ring(dir: &Path, ids: &[&str]) -> Result<KekRing, KeystoreError> {
    for id in ids {
        let path = dir.join(id);
        if !path.exists() {
            fs::write(path, KekRing::generate_text().as_bytes()).unwrap();
        }
    }
    let specs: Vec<KekSpec> = ids.iter().map(|id| from_file(id)).collect();
    KekRing::read(&specs, dir)
}

fn store(dir: &Path, ids: &[&str]) -> SealedStore {
    SealedStore::open(&dir.join("keys"), ring(dir, ids).unwrap()).unwrap()
}

/// Runs a test of this binary again in a process of its own, with one variable more; what it printed after `mark`.
///
/// A shell lets writes beyond a limit fail instead of ending the process.
fn in_a_child(test: &str, variable: &str, value: &str, mark: &str) -> String {
    let (_, test) = test.split_once("::").unwrap();
    let output = Command::new("sh")
        .args(["-c", r#"trap "" XFSZ; exec "$0" --exact "$1" --nocapture"#])
        .arg(env::current_exe().unwrap())
        .arg(test)
        .env(variable, value)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let said = text.lines().find_map(|line| line.split_once(mark)).map(|(_, said)| said.to_owned());
    said.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)))
}
