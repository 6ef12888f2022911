//! `cargo xtask soak`: long runs, each bounded, that report figures.
use crate::Result;
pub(crate) fn run() -> Result<bool> {
    Ok(false)
}
