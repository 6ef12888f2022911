//! Tools that are not ours: found, or installed into a private folder, or asked for by the command that installs them.

pub(crate) mod chromium;
pub(crate) mod debian;
pub(crate) mod deny;
pub(crate) mod node;
pub(crate) mod postgres;
pub(crate) mod python;
pub(crate) mod softhsm;

use std::path::PathBuf;

/// Finds a program on `PATH`.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
