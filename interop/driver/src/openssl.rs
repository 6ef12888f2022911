//! openssl and our own program: every kind of key that openssl makes, in every format that it writes, and back.
//!
//! A key was read whole if its public half, in our PEM, is byte for byte the one that openssl writes.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    Result,
    cannot::{Outcome, Refusal, Table},
    random::Random,
    report::{Cell, Direction, Report},
};

/// What openssl calls a key of an algorithm.
const KINDS: [(&str, &[&str]); 7] = [
    ("RS256", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
    ("PS384", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"]),
    ("ES256", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
    ("ES384", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]),
    ("ES512", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"]),
    ("ES256K", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"]),
    ("Ed25519", &["-algorithm", "ED25519"]),
];

/// What openssl writes of a private key, and how it is asked to.
const PRIVATE: [(&str, &[&str]); 6] = [
    ("pkcs8-pem", &["pkey"]),
    ("pkcs8-der", &["pkey", "-outform", "DER"]),
    ("traditional-pem", &["pkey", "-traditional"]),
    ("traditional-der", &["pkey", "-traditional", "-outform", "DER"]),
    ("encrypted-pem", &["pkcs8", "-topk8", "-v2", "aes-256-cbc"]),
    (
        "encrypted-der",
        &["pkcs8", "-topk8", "-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA512", "-outform", "DER"],
    ),
];

const PUBLIC: [(&str, &[&str]); 2] =
    [("spki-pem", &["pkey", "-pubout"]), ("spki-der", &["pkey", "-pubout", "-outform", "DER"])];

pub(crate) struct Programs<'p> {
    pub(crate) openssl: &'p Path,
    pub(crate) sealwright: &'p Path,
    /// A folder of this run alone.
    pub(crate) folder: &'p Path,
}

impl Programs<'_> {
    /// Such as `3.0.19`.
    pub(crate) fn version(&self) -> Result<String> {
        let said = run(self.openssl, &["version"], &[])?;
        let said = String::from_utf8_lossy(&said).into_owned();
        said.split(' ').nth(1).map(str::to_owned).ok_or_else(|| format!("openssl is of no version: {said}"))
    }
}

const NAME: &str = "openssl";

/// Walks all cells.
pub(crate) fn walk(
    programs: &Programs<'_>,
    table: &Table,
    random: &mut Random,
    report: &mut Report,
) -> Result<()> {
    for (alg, kind) in KINDS {
        let genpkey = [&["genpkey"], kind].concat();
        let private = run(programs.openssl, &genpkey, &[]).map_err(|words| format!("openssl: {words}"))?;
        let expected = run(programs.openssl, &["pkey", "-pubout"], &private)
            .map_err(|words| format!("openssl: {words}"))?;
        let key = Made { programs, private: &private, expected: &expected };
        let cell = |direction, what| Cell { peer: NAME, direction, what, alg };
        for (format, how) in PRIVATE {
            if alg == "Ed25519" && format.starts_with("traditional") {
                continue;
            }
            let password = format.starts_with("encrypted").then(|| random.hex(12));
            let outcome = key.we_read(how, password.as_deref())?;
            table.judge(report, &cell(Direction::WeReadPrivate, format), outcome);
        }
        for (format, how) in PUBLIC {
            let outcome = key.we_read(how, None)?;
            table.judge(report, &cell(Direction::WeReadPublic, format), outcome);
        }
        for (format, to, more) in [("pkcs8-pem", "pem", &[][..]), ("pkcs8-der", "der", &["-inform", "DER"])] {
            let outcome = key.they_read(to, false, more);
            table.judge(report, &cell(Direction::TheyReadPrivate, format), outcome);
        }
        for (format, to, more) in
            [("spki-pem", "pem", &["-pubin"][..]), ("spki-der", "der", &["-pubin", "-inform", "DER"])]
        {
            let outcome = key.they_read(to, true, more);
            table.judge(report, &cell(Direction::TheyReadPublic, format), outcome);
        }
    }
    Ok(())
}

/// A key of openssl's making, and its public half as openssl writes it.
struct Made<'m> {
    programs: &'m Programs<'m>,
    private: &'m [u8],
    expected: &'m [u8],
}

impl Made<'_> {
    /// Through JWK to the public half in PEM.
    fn we_read(&self, how: &[&str], password: Option<&str>) -> Result<Outcome> {
        let pass = password.map(|password| format!("pass:{password}"));
        let more = pass.as_deref().map_or(vec![], |pass| vec!["-passout", pass]);
        let file = match run(self.programs.openssl, &[how, &more].concat(), self.private) {
            Ok(file) => file,
            Err(words) => return Ok(Err(Refusal::Theirs(words))),
        };
        let mut convert = vec!["jwk", "convert", "-", "--to", "jwk"];
        let path = self.programs.folder.join("password");
        let shown = path.to_string_lossy();
        if let Some(password) = password {
            std::fs::write(&path, password).map_err(|error| format!("cannot write {shown}: {error}"))?;
            convert.extend(["--password-file", &shown]);
        }
        let read = run(self.programs.sealwright, &convert, &file).and_then(|jwk| {
            run(self.programs.sealwright, &["jwk", "convert", "-", "--to", "pem", "--public"], &jwk)
        });
        Ok(match read {
            Ok(public) if public == self.expected => Ok(()),
            Ok(_) => Err(Refusal::Accepted("we read another key".into())),
            Err(words) => Err(Refusal::Ours(words)),
        })
    }

    /// openssl reads what we wrote, checks its numbers, and says its public half.
    fn they_read(&self, to: &str, public: bool, more: &[&str]) -> Outcome {
        let mut convert = vec!["jwk", "convert", "-", "--to", to];
        convert.extend(public.then_some("--public"));
        let file = run(self.programs.sealwright, &convert, self.private).map_err(Refusal::Ours)?;
        let check = if public { "-pubcheck" } else { "-check" };
        let pubout = [&["pkey", "-pubout", check], more].concat();
        let read = run(self.programs.openssl, &pubout, &file).map_err(Refusal::Theirs)?;
        // A check says `Key is valid` before the key.
        if read.ends_with(self.expected) {
            Ok(())
        } else {
            Err(Refusal::Accepted("another key was read".into()))
        }
    }
}

/// A program's output, or its words if it fails.
fn run(program: &Path, arguments: &[&str], input: &[u8]) -> std::result::Result<Vec<u8>, String> {
    let shown = program.display();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start {shown}: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that refuses its arguments does not read its input.
        let _ = stdin.write_all(input);
    }
    let output = child.wait_with_output().map_err(|error| format!("{shown}: {error}"))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(format!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}

/// A folder that goes away with the run.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("sealwright-interop-{}", std::process::id()));
        std::fs::create_dir(&path).map_err(|error| format!("cannot make {}: {error}", path.display()))?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
