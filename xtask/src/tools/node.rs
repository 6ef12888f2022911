//! Node with other people's packages, in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::runner::Step;
use crate::tools::on_path;

/// The judges' folder.
pub(crate) fn judges(step: &mut Step<'_>) -> Result<PathBuf> {
    let source = step.places().interop().join("node");
    packages(step, "node", &source)
}

/// A private folder `name` with the scripts of `source` beside the packages that they import.
pub(crate) fn packages(step: &mut Step<'_>, name: &str, source: &Path) -> Result<PathBuf> {
    let (Some(_), Some(npm)) = (on_path("node"), on_path("npm")) else {
        return Err(
            "node (20 or later) and npm are missing: install them with `apt-get install nodejs npm`".into()
        );
    };
    let folder = step.places().tool(name);
    let lock_path = source.join("package-lock.json");
    let lock = fs::read_to_string(&lock_path)
        .map_err(|error| format!("cannot read {}: {error}", lock_path.display()))?;
    fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    // Imports are looked up beside the script that asks, so the scripts are copied to the packages.
    for entry in
        fs::read_dir(source).map_err(|error| format!("cannot read {}: {error}", source.display()))?.flatten()
    {
        let to = folder.join(entry.file_name());
        fs::copy(entry.path(), &to).map_err(|error| format!("cannot write {}: {error}", to.display()))?;
    }
    let installed = folder.join("installed.json");
    if !fs::read_to_string(&installed).is_ok_and(|text| text == lock) {
        step.show("installing from the npm registry");
        // No package may run a script of its own at installation, such as a download of a browser.
        step.run(Command::new(npm).current_dir(&folder).args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
        ]))?;
        fs::write(&installed, lock)
            .map_err(|error| format!("cannot write {}: {error}", installed.display()))?;
    }
    Ok(folder)
}
