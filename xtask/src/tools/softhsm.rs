//! SoftHSM for the tests: a PKCS#11 module without hardware, with a folder of tokens that lives as long as the run.

use std::path::{Path, PathBuf};

use crate::Result;
use crate::places::Places;
use crate::runner::{Runner, Step};
use crate::scratch::Scratch;
use crate::tools::{debian, on_path};

/// The variable by which the tests find the module.
const VARIABLE: &str = "SEALWRIGHT_TEST_SOFTHSM";
/// The variable by which the module finds its folder.
const CONFIGURATION: &str = "SOFTHSM2_CONF";

/// A module with no tokens yet; dropping it removes those that were made.
#[derive(Debug)]
pub(crate) struct SoftHsm {
    module: PathBuf,
    configuration: PathBuf,
    _scratch: Scratch,
}

impl SoftHsm {
    /// Finds or installs SoftHSM and makes it a folder.
    pub(crate) fn prepare(step: &mut Step<'_>) -> Result<Self> {
        let find = || module().filter(|_| on_path("softhsm2-util").is_some());
        let module = match find() {
            Some(found) => found,
            None => {
                debian::install(step, &["softhsm2"])?;
                find().ok_or("SoftHSM is still not there after its installation")?
            }
        };
        let scratch = Scratch::new("softhsm")?;
        let tokens = scratch.path().join("tokens");
        std::fs::create_dir_all(&tokens)
            .map_err(|error| format!("cannot make {}: {error}", tokens.display()))?;
        let configuration = scratch.path().join("softhsm2.conf");
        let text = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n",
            tokens.display()
        );
        std::fs::write(&configuration, text)
            .map_err(|error| format!("cannot write {}: {error}", configuration.display()))?;
        Ok(Self { module, configuration, _scratch: scratch })
    }

    /// What the tests must be given.
    pub(crate) fn variables(&self) -> [(&'static str, &Path); 2] {
        [(VARIABLE, &self.module), (CONFIGURATION, &self.configuration)]
    }
}

/// `cargo xtask softhsm`: for whoever runs single tests by hand.
pub(crate) fn run_until_interrupted() -> Result<bool> {
    let places = Places::find()?;
    let mut runner = Runner::new(&places);
    let Some(softhsm) = runner.step("softhsm", SoftHsm::prepare) else { return Ok(false) };
    for (name, value) in softhsm.variables() {
        println!("export {name}={}", value.display());
    }
    eprintln!("Ctrl-C removes the tokens, or the next run does.");
    loop {
        std::thread::park();
    }
}

/// Where Debian and others put it.
fn module() -> Option<PathBuf> {
    const FOLDERS: [&str; 4] =
        ["/usr/lib/softhsm", "/usr/lib64/pkcs11", "/usr/local/lib/softhsm", "/opt/homebrew/lib/softhsm"];
    FOLDERS.iter().map(|folder| Path::new(folder).join("libsofthsm2.so")).find(|file| file.is_file())
}
