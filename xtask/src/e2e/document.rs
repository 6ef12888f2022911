//! The signed document: accepted by others, and by our own command line with nothing but the certificate.

use std::fs;
use std::process::Command;

use super::demo::Demo;
use super::judge;
use crate::Result;
use crate::runner::Step;
use crate::tools::python;

/// joserfc and jwcrypto.
pub(super) fn by_others(step: &mut Step<'_>, demo: &Demo) -> Result<()> {
    let programs = python::environment(step, "python", "python/requirements.txt")?;
    let mut command = Command::new(programs.join("python"));
    // No byte code beside our sources.
    command.arg("-B").arg(step.places().interop().join("python/signed_document.py"));
    for file in ["signed", "document", "certificate", "ca"] {
        command.arg(demo.file(file)?);
    }
    judge::run(step, &mut command)
}

/// `sealwright jws verify`, as the demo tells its reader to.
pub(super) fn by_ourselves(step: &mut Step<'_>, demo: &Demo) -> Result<()> {
    let read =
        |name: &str| demo.file(name).and_then(|path| fs::read_to_string(path).map_err(|e| e.to_string()));
    let signed = read("signed")?;
    let verify = |signed: &str| {
        Command::new(step.places().sealwright())
            .args(["jws", "verify", "--alg", "ES256", "--key"])
            .arg(demo.file("certificate")?)
            .arg(signed)
            .output()
            .map_err(|error| format!("cannot start sealwright: {error}"))
    };
    let output = verify(&signed)?;
    if !output.status.success() {
        return Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim()));
    }
    if output.stdout != read("document")?.as_bytes() {
        return Err("the payload that was printed is not the document".into());
    }
    let forged = signed.replacen("\"payload\":\"", "\"payload\":\"AAAA", 1);
    let output = verify(&forged)?;
    match output.status.code() {
        Some(1) if output.stdout.is_empty() => Ok(()),
        status => Err(format!("a forged document ended with {status:?} instead of 1")),
    }
}
