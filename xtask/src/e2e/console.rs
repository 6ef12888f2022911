//! The console of signing keys, on a server of its own, in a real browser.

use std::fs;
use std::process::Command;

use super::{fresh_folder, judge};
use crate::Result;
use crate::runner::{Runner, Step};
use crate::scratch::Scratch;
use crate::tools::{chromium, node, on_path};

/// An administrator signs in, rotates and revokes; others are refused.
pub(super) fn run(runner: &mut Runner) {
    runner.step("Chromium: sign in to the console, rotate and revoke keys", in_browser);
}

fn in_browser(step: &mut Step<'_>) -> Result<()> {
    let browser = chromium::find(step)?;
    let profile = Scratch::new("chromium")?;
    let screenshots = fresh_folder(step, "screenshots-console")?;
    fs::create_dir_all(&screenshots).map_err(|error| error.to_string())?;
    let folder = node::judges(step)?;
    let node = on_path("node").ok_or("node is missing: install it with `apt-get install nodejs`")?;
    let mut command = Command::new(node);
    command.env("TMPDIR", profile.path()).arg(folder.join("console.mjs"));
    command.arg(step.places().sealwright()).arg(browser).arg(&screenshots);
    judge::run(step, &mut command)
}
