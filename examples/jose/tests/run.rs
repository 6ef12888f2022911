//! Runs each example, so that what newcomers read works.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// The name of an example, its program, and a line that it prints.
macro_rules! examples {
    ($($name:literal => $line:literal),* $(,)?) => {
        [$(($name, env!(concat!("CARGO_BIN_EXE_", $name)), $line)),*]
    };
}

#[test]
fn every_example_runs_and_says_what_it_should() {
    // The base64url texts are how `{"alg":"ES256",` and so on begin.
    let examples = examples! {
        "sign_token" => "eyJhbGciOiJFUzI1NiIsImtpZCI6IjIwMjYtMTEiLCJ0eXAiOiJhdCtqd3QifQ.",
        "verify_token" => "refused: the token is not valid (expired)",
        "publish_keys" => "urn:ietf:params:oauth:jwk-thumbprint:sha-256:",
        "sign_large_file" => "valid: 16777216 bytes",
        "several_signatures" => "valid: alice\nrefused: no key fits",
        "remote_key" => "eyJhbGciOiJFUzI1NiIsImtpZCI6ImhzbS0xIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhbGljZSJ9.",
        "import_keys" => "a private key for ES256\nPKCS#8, P-256, for [Es256]",
        "migrate_tokens" => "read as Ed25519\n{\"alg\":\"Ed25519\"}",
    };

    let written: BTreeSet<String> = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/bin")
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let listed = examples.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(written, listed, "an example is not run");

    for (name, program, line) in examples {
        let output = Command::new(program).output().unwrap();
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && stderr.is_empty(), "{name}: {stderr}");
        assert!(stdout.contains(line), "{name} printed:\n{stdout}");
    }
}
