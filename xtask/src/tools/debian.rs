//! Installs a Debian package, where we may; else says how.

use std::process::Command;

use crate::Result;
use crate::runner::Step;
use crate::tools::on_path;

/// Whether this process may do what only root may.
pub(crate) fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Installs `packages` as root; for anyone else the error is the command to run.
pub(crate) fn install(step: &mut Step<'_>, packages: &[&str]) -> Result<()> {
    let by_hand = format!("apt-get install --no-install-recommends {}", packages.join(" "));
    if on_path("apt-get").is_none() || !is_root() {
        return Err(format!("{} is missing: install it with `{by_hand}`", packages.join(" and ")));
    }
    step.show(&format!("installing {}", packages.join(" ")));
    step.run(Command::new("apt-get").arg("update"))?;
    step.run(
        Command::new("apt-get")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(["install", "-y", "--no-install-recommends"])
            .args(packages),
    )
    .map(drop)
    .map_err(|reason| format!("`{by_hand}` failed: {reason}"))
}
