//! The demo, run for real and judged by what other people made: joserfc, jwcrypto, openssl, panva's jose, Chromium.

mod audit;
mod certificate;
mod console;
mod demo;
mod document;
pub(crate) mod judge;
pub(crate) mod large;
pub(crate) mod visit;

use std::fs::{self, File};

use crate::Result;
use crate::runner::{Runner, Step};

use self::demo::Demo;

/// Runs every check on a program that has been built.
pub(crate) fn run(runner: &mut Runner) {
    let Some(_held) = hold(runner) else { return };
    let demo = runner.step("demo: eleven steps and five refusals, within ten seconds", |step| {
        let out = fresh_folder(step, "demo")?;
        demo::tell(step, &out)
    });
    match demo {
        Some(demo) => judged(runner, &demo),
        None => runner.impossible("demo: its judges", "the demo failed"),
    }
    runner.step("demo: 50 MB, told in plain text", large::run);
    visit::run(runner);
    console::run(runner);
}

/// Two runs at once in one tree would write into each other's folders.
pub(crate) fn hold(runner: &mut Runner) -> Option<File> {
    runner.step("no other run is using the artefacts", |step| {
        step.show("waiting for the other run");
        step.places().hold_artefacts()
    })
}

/// What the demo left behind, looked at by others.
fn judged(runner: &mut Runner, demo: &Demo) {
    runner.step("joserfc and jwcrypto judge the signed document", |step| document::by_others(step, demo));
    runner.step("sealwright verifies the signed document", |step| document::by_ourselves(step, demo));
    runner.step("openssl verifies the certificate", |step| certificate::chain(step, demo));
    runner.step("openssl reads a subject equal to the claims", |step| certificate::subject(step, demo));
    runner.step("openssl reads minutes of validity", |step| certificate::validity(step, demo));
    runner.step("both audit logs are whole", |step| audit::whole(step, demo));
    runner.step("an audit log that was changed by SQL is found out", |step| audit::changed(step, demo));
    runner.step("no credential and no document is in a log or a database", |_| demo.keeps_secrets(&[]));
}

/// An empty folder under the artefacts, which stay for whoever wants to look.
fn fresh_folder(step: &Step<'_>, name: &str) -> Result<std::path::PathBuf> {
    let folder = step.places().artefacts()?.join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| format!("cannot empty {}: {error}", folder.display()))?;
    }
    Ok(folder)
}
