//! Where things are: the workspace, its target folder, and what the workshop keeps there.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;

/// The folders of one run.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    root: PathBuf,
    target: PathBuf,
}

impl Places {
    /// The workspace that this program was built from.
    pub(crate) fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .ok_or("the workshop is not inside a workspace")?
            .to_path_buf();
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(dir) => root.join(dir),
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The program as the tests built it. There is one build, of the dev profile, for everything.
    pub(crate) fn sealwright(&self) -> PathBuf {
        self.built("sealwright")
    }

    /// A program of the workspace, as that build left it.
    pub(crate) fn built(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    /// The log of one command, kept until the next run.
    pub(crate) fn log(&self, name: &str) -> Result<PathBuf> {
        Ok(folder(self.target.join("xtask").join("logs"))?.join(format!("{name}.log")))
    }

    /// A private folder for a tool that we install; it stays between runs.
    pub(crate) fn tool(&self, name: &str) -> PathBuf {
        self.target.join("tools").join(name)
    }

    /// The build of the fuzz targets, which is instrumented, and the inputs that they have found.
    pub(crate) fn fuzz(&self) -> PathBuf {
        self.target.join("fuzz")
    }

    /// The build of the measuring house, and what it measures with.
    pub(crate) fn bench(&self) -> PathBuf {
        self.target.join("bench")
    }

    /// What a person may want to look at after a run: screenshots, signed documents.
    pub(crate) fn artefacts(&self) -> Result<PathBuf> {
        folder(self.target.join("artefacts"))
    }

    /// Waits until no other run uses the artefacts; they are ours for as long as the file is held.
    pub(crate) fn hold_artefacts(&self) -> Result<File> {
        let path = folder(self.target.join("xtask"))?.join("artefacts.lock");
        let lock =
            File::create(&path).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        lock.lock().map_err(|error| format!("cannot lock {}: {error}", path.display()))?;
        Ok(lock)
    }

    /// The judges' scripts.
    pub(crate) fn interop(&self) -> PathBuf {
        self.root.join("interop")
    }

    /// A cargo command in the workspace, with the cargo that runs us.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root);
        command
    }
}

fn folder(path: PathBuf) -> Result<PathBuf> {
    std::fs::create_dir_all(&path).map_err(|error| format!("cannot make {}: {error}", path.display()))?;
    Ok(path)
}
