//! A real browser.

use std::path::PathBuf;

use crate::Result;
use crate::runner::Step;
use crate::tools::{debian, on_path};

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/// Finds Chromium, or installs Debian's.
pub(crate) fn find(step: &mut Step<'_>) -> Result<PathBuf> {
    let find = || NAMES.iter().find_map(|name| on_path(name));
    if let Some(found) = find() {
        return Ok(found);
    }
    debian::install(step, &["chromium"])?;
    find().ok_or_else(|| "Chromium is still not there after its installation".into())
}
