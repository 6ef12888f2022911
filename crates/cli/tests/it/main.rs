//! Runs the real binary: transcripts under `tests/cmd`, and servers that are started, looked into and stopped.

mod audit_log;
mod keys;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(unix)]
mod mounted;
mod replicas;
mod sealed;
mod serve;
mod signing_keys;
mod streams;
mod transcript;

use std::{fs, path::Path};

/// Every file of `tests/cmd` is one transcript; what it shows has to happen.
///
/// `TRANSCRIPTS=write cargo test -p sealwright` writes down what happens instead.
#[test]
fn transcripts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd");
    let mut commands = 0;
    let mut failures = Vec::new();
    let mut files: Vec<_> = fs::read_dir(&folder)
        .expect("tests/cmd is a folder")
        .map(|entry| entry.expect("tests/cmd can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    for file in files {
        let report = transcript::run(&file, &folder.join("files"));
        commands += report.commands;
        failures.extend(report.failures);
    }
    println!("{commands} commands ran");
    assert!(commands >= 40, "only {commands} commands ran: were transcripts lost?");
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
