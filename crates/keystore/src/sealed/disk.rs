//! Files that appear whole or not at all, and that only their owner can read.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind, Read, Write},
    path::Path,
};

use sealwright_service::random;

use crate::{KeystoreError, Origin};

/// An RSA key of 16384 bits needs less than a quarter of this.
const MAX_BYTES: u64 = 64 * 1024;

pub(super) fn make_dir(dir: &Path) -> Result<(), KeystoreError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|e| KeystoreError::io("make the folder", dir, e))
}

/// Writes a file that must not exist yet; `false` if it does.
///
/// A hard link is the portable rename that never replaces: of two processes only one gets the name.
pub(super) fn write_new(dir: &Path, path: &Path, bytes: &[u8]) -> Result<bool, KeystoreError> {
    let temporary = dir.join(random::id(".new-"));
    let written = write_synced(&temporary, bytes);
    let linked = written.and_then(|()| match fs::hard_link(&temporary, path) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(false),
        linked => linked.map(|()| true).map_err(|e| KeystoreError::io("link", path, e)),
    });
    // Whatever happened, the temporary name has done its work; that it may be left over is not a reason to fail.
    let _ = fs::remove_file(&temporary);
    if linked? {
        sync_dir(dir)?;
        return Ok(true);
    }
    Ok(false)
}

/// Replaces a file that exists by one of another content: at every moment there is one of the two. The caller holds
/// the [`lock`].
pub(super) fn replace(dir: &Path, path: &Path, bytes: &[u8]) -> Result<(), KeystoreError> {
    let temporary = dir.join(random::id(".new-"));
    let written = write_synced(&temporary, bytes);
    let renamed = written
        .and_then(|()| fs::rename(&temporary, path).map_err(|e| KeystoreError::io("replace", path, e)))
        .inspect_err(|_| drop(fs::remove_file(&temporary)));
    renamed.and_then(|()| sync_dir(dir))
}

/// Keeps other processes from removing and replacing files of the folder until it is dropped. What they add needs no
/// lock.
pub(super) fn lock(dir: &Path) -> Result<Option<File>, KeystoreError> {
    // Elsewhere a folder cannot be opened.
    if !cfg!(unix) {
        return Ok(None);
    }
    let lock = || -> io::Result<File> {
        let folder = File::open(dir)?;
        folder.lock()?;
        Ok(folder)
    };
    lock().map(Some).map_err(|e| KeystoreError::io("lock", dir, e))
}

/// The content of a file, if there is one.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, KeystoreError> {
    let file = match File::open(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(|e| KeystoreError::io("open", path, e))?,
    };
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|e| KeystoreError::io("read", path, e))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(KeystoreError::kept(&Origin::File(path.to_owned()), "too long for a sealed key"));
    }
    Ok(Some(bytes))
}

/// Removes a file; `false` if there is none.
pub(super) fn remove(dir: &Path, path: &Path) -> Result<bool, KeystoreError> {
    match fs::remove_file(path) {
        Ok(()) => sync_dir(dir).map(|()| true),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        Err(e) => Err(KeystoreError::io("remove", path, e)),
    }
}

/// The names of all files in a folder that are text.
pub(super) fn file_names(dir: &Path) -> Result<Vec<String>, KeystoreError> {
    let failed = |e| KeystoreError::io("list", dir, e);
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        names.extend(entry.map_err(failed)?.file_name().into_string());
    }
    Ok(names)
}

/// Warns when somebody else than the owner can reach a file or folder. The content is sealed, so that this is a
/// warning and not an end.
pub(super) fn warn_if_exposed(path: &Path) {
    if let Some(mode) = exposed_mode(path) {
        tracing::warn!(
            path = %path.display(),
            mode = format_args!("{mode:03o}"),
            "others can reach what only the server needs; run chmod go= on it"
        );
    }
}

#[cfg(unix)]
fn exposed_mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn exposed_mode(_: &Path) -> Option<u32> {
    None
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), KeystoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let write = || -> io::Result<()> {
        let mut file = options.open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|e| KeystoreError::io("write", path, e))
}

/// Makes a new or a removed name durable: on Unix it is the folder that holds it.
fn sync_dir(dir: &Path) -> Result<(), KeystoreError> {
    if cfg!(unix) {
        File::open(dir).and_then(|d| d.sync_all()).map_err(|e| KeystoreError::io("sync", dir, e))?;
    }
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::PermissionsExt,
        sync::{Arc, Mutex},
    };

    use super::warn_if_exposed;

    /// What is logged while `work` runs.
    fn logged(work: impl FnOnce()) -> String {
        #[derive(Clone, Default)]
        struct Buffer(Arc<Mutex<Vec<u8>>>);
        impl std::io::Write for Buffer {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.lock().unwrap().write(bytes)
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .without_time()
            .with_ansi(false)
            .with_target(false)
            .finish();
        tracing::subscriber::with_default(subscriber, work);
        let bytes = buffer.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_others_can_reach_is_warned_of() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.sealed.json");
        fs::write(&path, "{}").unwrap();
        for (mode, warned) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true), (0o777, true)] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let logged = logged(|| warn_if_exposed(&path));
            let expected = format!(
                " WARN others can reach what only the server needs; run chmod go= on it path={} mode={mode:03o}\n",
                path.display()
            );
            assert_eq!(logged, if warned { expected } else { String::new() });
        }
    }
}
