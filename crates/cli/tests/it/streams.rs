//! Where the output goes: to a reader who leaves early, to a terminal; and lines of input that are too long.

use std::{
    fs,
    io::{self, BufRead, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
};

use sealwright_jose::{Alg, SigningKey, jws::Signer};
use tempfile::TempDir;

use crate::transcript::write_private;

const SEALWRIGHT: &str = env!("CARGO_BIN_EXE_sealwright");

/// A folder with a key in `key.jwk`, which signs.
fn site() -> (TempDir, SigningKey) {
    let folder = sealwright_testkit::temp_dir();
    let key = SigningKey::generate(Alg::Ed25519).expect("a key can be generated");
    write_private(&folder.path().join("key.jwk"), key.verifying_key().to_jwk().as_bytes());
    (folder, key)
}

fn sealwright(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(SEALWRIGHT);
    command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null());
    command
}

fn batch(folder: &Path) -> Command {
    sealwright(folder, &["jws", "verify", "--key", "key.jwk", "--alg", "Ed25519", "--batch", "tokens"])
}

fn lines(bytes: &[u8]) -> Vec<&str> {
    std::str::from_utf8(bytes).expect("it is text").lines().collect()
}

#[test]
fn a_reader_who_leaves_early_ends_it_quietly() {
    let (folder, key) = site();
    let token = Signer::new(&key).sign_compact(b"hello").expect("it signs");
    // More than any pipe holds.
    fs::write(folder.path().join("tokens"), format!("{token}\n").repeat(5000))
        .expect("the folder is writable");
    let mut child = batch(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut first = String::new();
    let mut stdout = BufReader::new(child.stdout.take().expect("it is a pipe"));
    stdout.read_line(&mut first).expect("a line comes");
    assert!(first.starts_with(r#"{"valid":true"#), "{first}");
    drop(stdout);
    let output = child.wait_with_output().expect("the binary ends");
    assert_eq!((output.status.code(), lines(&output.stderr)), (Some(1), vec![]));
}

#[test]
fn a_reader_who_left_before_is_not_complained_to() {
    let (folder, _) = site();
    for arguments in [
        &["jwk", "inspect", "key.jwk"][..],
        &["jwk", "inspect", "key.jwk", "--json"],
        &["jwk", "thumbprint", "key.jwk"],
        &["jwk", "generate", "--alg", "ES256"],
    ] {
        let (reader, writer) = io::pipe().expect("the system has pipes");
        drop(reader);
        let output = sealwright(folder.path(), arguments).stdout(writer).output().expect("the binary runs");
        assert_eq!((output.status.code(), lines(&output.stderr)), (Some(1), vec![]), "{arguments:?}");
    }
}

#[test]
fn a_line_that_is_too_long_is_named_and_the_others_are_judged() {
    const MAX: usize = 16 * 1024 * 1024;
    let (folder, key) = site();
    let token = Signer::new(&key).sign_compact(b"hello").expect("it signs");
    let longest = "A".repeat(MAX);
    fs::write(
        folder.path().join("tokens"),
        format!("{token}\n{longest}A\r\n{token}\r\n{longest}\nA{longest}"),
    )
    .expect("the folder is writable");
    let output = batch(folder.path()).output().expect("the binary runs");
    let kinds: Vec<_> = lines(&output.stdout)
        .into_iter()
        .map(|line| ["\"valid\":true", "too_large", "malformed"].iter().position(|kind| line.contains(kind)))
        .collect();
    // The longest that is looked at is no token, but not for its length.
    assert_eq!(kinds, [Some(0), Some(1), Some(0), Some(2), Some(1)]);
    let expected = [
        "line 2 is over the limit for a line, 16 MiB",
        "line 5 is over the limit for a line, 16 MiB",
        "3 of 5 tokens are not valid",
    ];
    assert_eq!((output.status.code(), lines(&output.stderr)), (Some(1), expected.to_vec()));
}

/// What a terminal gets of a command, by `script` of util-linux, which makes one.
#[cfg(target_os = "linux")]
fn on_a_terminal(folder: &Path, arguments: &str) -> Output {
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &format!("{SEALWRIGHT} {arguments}"), "terminal"]);
    let output = command.current_dir(folder).env("NO_COLOR", "1").stdin(Stdio::null()).output();
    output.expect("`script` runs: it is part of util-linux")
}

/// Escape, the one byte that does the same among eight bits, a bell, what turns the direction of writing, and what
/// nobody sees.
#[cfg(target_os = "linux")]
#[test]
fn what_a_stranger_wrote_commands_no_terminal() {
    const COMMANDS: [char; 5] = ['\u{1b}', '\u{9b}', '\u{7}', '\u{202e}', '\u{200b}'];
    let (folder, key) = site();
    let write = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).expect("the folder is writable");
    };
    // JSON itself allows no control characters below a space.
    let claims = "{\"iss\":\"joe\",\"x\":\"a\u{9b}2J\u{202e}\u{200b}b\"}";
    let signer = Signer::new(&key).param("note", "\u{9b}31m\u{202e}".into());
    write("claims", &signer.clone().sign_compact(claims.as_bytes()).expect("it signs"));
    write("text", &signer.sign_compact("a\u{1b}[2J\u{7}\u{9b}b".as_bytes()).expect("it signs"));
    write("tokens", &fs::read_to_string(folder.path().join("claims")).expect("it was written"));

    let jwt = "jwt verify --key key.jwk --alg Ed25519 --issuer joe --waive aud,exp";
    let jws = "jws verify --key key.jwk --alg Ed25519";
    for (arguments, shown) in [
        (format!("{jwt} \"$(cat claims)\""), r"a\u{9b}2J\u{202e}\u{200b}b"),
        (format!("{jwt} --json \"$(cat claims)\""), r"a\u009b2J\u202e\u200bb"),
        (format!("{jws} \"$(cat text)\""), r"a\u{1b}[2J\u{7}\u{9b}b"),
        (format!("{jws} --json \"$(cat text)\""), r"\u009b31m\u202e"),
        (format!("{jws} --batch tokens"), r"\u009b31m\u202e"),
        ("jws inspect \"$(cat text)\"".to_owned(), r"a\u{1b}[2J\u{7}\u{9b}b"),
        ("jws inspect --json \"$(cat text)\"".to_owned(), r"\u009b31m\u202e"),
    ] {
        let output = on_a_terminal(folder.path(), &arguments);
        let text = String::from_utf8(output.stdout).expect("it is text");
        assert!(output.status.success() && text.contains(shown), "{arguments}: {text:?}");
        assert!(!text.contains(COMMANDS), "{arguments}: {text:?}");
    }
}

/// A program that reads it gets every byte.
#[test]
fn what_is_no_terminal_gets_the_payload_as_it_is() {
    let (folder, key) = site();
    let payload = "a\u{1b}[2J\u{7}\u{9b}b";
    let token = Signer::new(&key).sign_compact(payload.as_bytes()).expect("it signs");
    let verify = ["jws", "verify", "--key", "key.jwk", "--alg", "Ed25519", &token];
    let output = sealwright(folder.path(), &verify).output().expect("the binary runs");
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(0), payload.as_bytes()));
}

/// The largest memory that `command` had, in bytes, with what it wrote.
#[cfg(target_os = "linux")]
fn peak_memory(mut command: Command) -> (usize, Output) {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let status = format!("/proc/{}/status", child.id());
    let watched = std::thread::spawn(move || {
        let mut peak = 0;
        // Until it has ended: then there is no such line.
        while let Some(line) = fs::read_to_string(&status)
            .unwrap_or_default()
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:").map(str::to_owned))
        {
            let kib = line.trim().trim_end_matches(" kB").trim().parse::<usize>().expect("a number of KiB");
            peak = peak.max(kib * 1024);
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        peak
    });
    let output = child.wait_with_output().expect("the binary ends");
    (watched.join().expect("it reads files only"), output)
}

/// More than is ever read as a whole, without taking a disk.
#[cfg(target_os = "linux")]
#[test]
fn a_payload_longer_than_memory_goes_through_in_pieces() {
    const PAYLOAD: u64 = 257 * 1024 * 1024;
    /// Of which the program itself, as it is built for tests, takes about a third.
    const MEMORY: usize = 64 * 1024 * 1024;
    let folder = sealwright_testkit::temp_dir();
    let secret = sealwright_jose::MacKey::generate(Alg::Hs256).expect("a key can be generated");
    write_private(&folder.path().join("secret.jwk"), secret.to_jwk().as_bytes());
    let payload = fs::File::create(folder.path().join("payload")).expect("the folder is writable");
    payload.set_len(PAYLOAD).expect("a sparse file");

    let sign = ["jws", "sign", "--key", "secret.jwk", "--detached", "--unencoded", "--payload", "payload"];
    let (peak, signed) = peak_memory(sealwright(folder.path(), &sign));
    assert_eq!((signed.status.code(), lines(&signed.stderr)), (Some(0), vec![]));
    assert!((1..MEMORY).contains(&peak), "signing took {peak} bytes");
    let token = lines(&signed.stdout)[0];

    let verify = ["jws", "verify", "--key", "secret.jwk", "--payload", "payload", token];
    let (peak, verified) = peak_memory(sealwright(folder.path(), &verify));
    assert_eq!((verified.status.code(), lines(&verified.stderr)), (Some(0), vec!["valid"]));
    assert!((1..MEMORY).contains(&peak), "verifying took {peak} bytes");

    // How far it has come is for a person only: above, not a byte of it went into the pipe.
    let seen = on_a_terminal(folder.path(), &verify.join(" "));
    let text = String::from_utf8_lossy(&seen.stdout);
    assert!(seen.status.success() && text.contains(" of 257.00 MiB"), "{text:?}");

    // One byte more at the end is another payload.
    payload.set_len(PAYLOAD + 1).expect("a sparse file");
    let other = sealwright(folder.path(), &verify).output().expect("the binary runs");
    let refused = vec!["error: not valid: signature does not match"];
    assert_eq!((other.status.code(), lines(&other.stderr)), (Some(1), refused));
}
