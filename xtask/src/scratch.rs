//! Temporary folders that go away at the end; what a killed run left behind goes away at the next.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::Result;

const PREFIX: &str = "sealwright-xtask-";

/// A temporary folder, held by a lock for as long as its run lives.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: PathBuf,
    _lock: File,
}

impl Scratch {
    /// Makes a new folder in the system's temporary folder, after sweeping out what dead runs left there.
    pub(crate) fn new(name: &str) -> Result<Self> {
        let base = std::env::temp_dir();
        sweep(&base);
        let path = base.join(format!("{PREFIX}{name}-{}", std::process::id()));
        let lock_path = lock_of(&path);
        let lock = File::create(&lock_path)
            .map_err(|error| format!("cannot write {}: {error}", lock_path.display()))?;
        lock.try_lock().map_err(|error| format!("{} is in use: {error}", path.display()))?;
        fs::create_dir_all(&path).map_err(|error| format!("cannot make {}: {error}", path.display()))?;
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A file that cannot be removed now is swept out by the next run.
        let _ = fs::remove_dir_all(&self.path);
        let _ = fs::remove_file(lock_of(&self.path));
    }
}

fn lock_of(path: &Path) -> PathBuf {
    path.with_extension("lock")
}

fn sweep(base: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let path = entry.path();
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if ours && path.extension().is_some_and(|extension| extension == "lock") {
            // Only a dead run lets go of its lock.
            let dead = File::open(&path).is_ok_and(|file| file.try_lock().is_ok());
            if dead {
                let _ = fs::remove_dir_all(path.with_extension(""));
                let _ = fs::remove_file(&path);
            }
        }
    }
}
