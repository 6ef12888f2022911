//! Python with the judges' libraries, in a virtual environment of its own.

use std::path::PathBuf;
use std::process::Command;

use crate::Result;
use crate::runner::Step;
use crate::tools::on_path;

/// Makes the environment `name` hold exactly what `requirements` (a file of ours, with hashes) asks for; gives its folder of
/// programs.
pub(crate) fn environment(step: &mut Step<'_>, name: &str, requirements: &str) -> Result<PathBuf> {
    let wanted_path = step.places().interop().join(requirements);
    let wanted = std::fs::read_to_string(&wanted_path)
        .map_err(|error| format!("cannot read {}: {error}", wanted_path.display()))?;
    let folder = step.places().tool(name);
    let installed = folder.join("installed.txt");
    let programs = folder.join("bin");
    if std::fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        return Ok(programs);
    }
    let python = on_path("python3")
        .ok_or("python3 is missing: install it with `apt-get install python3 python3-venv`")?;
    step.show("making a virtual environment");
    step.run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&folder)).map_err(|reason| {
        format!("{reason}\nif the module venv is missing, install it with `apt-get install python3-venv`")
    })?;
    step.show("installing from the package index");
    step.run(
        Command::new(programs.join("python"))
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"])
            .args(["--require-hashes", "--only-binary", ":all:", "--requirement"])
            .arg(&wanted_path),
    )?;
    std::fs::write(&installed, wanted)
        .map_err(|error| format!("cannot write {}: {error}", installed.display()))?;
    Ok(programs)
}
