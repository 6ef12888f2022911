//! What a server needs and nobody has given it: made once, at the first start, and used ever after.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sealwright_jose::Alg;
use sealwright_keystore::{KekRing, KeyHandle, KeystoreError, SealedStore};
use sealwright_service::random;
use sealwright_service::secret::{Secret, SecretError, SecretRef};

use super::Config;
use super::token_signature::{Declared, ToMake, TokenSignature};

/// The folder of the keys of `RSAKey`s, in the folder of the sealed keys; in it is a folder for each namespace.
pub(crate) fn rsa_keys(keys_dir: &Path) -> PathBuf {
    keys_dir.join("rsa-keys")
}

/// What is made at the first start.
#[derive(Clone, Debug, Default)]
pub(crate) struct FirstStart {
    /// The folder of all that belongs to the server, for its owner alone.
    pub(crate) state_dir: Option<PathBuf>,
    pub(crate) files: Vec<NewFile>,
}

/// A secret that was made and is to be kept.
#[derive(Clone, Debug)]
pub(crate) struct NewFile {
    pub(crate) path: PathBuf,
    pub(crate) content: Secret,
    /// What it is, for the log.
    pub(crate) what: String,
    /// The name of the key-encryption key that this is: if another process was faster, its key is taken.
    pub(crate) kek: Option<&'static str>,
}

/// Why something could not be made.
#[derive(Debug, thiserror::Error)]
pub enum FirstStartError {
    /// A folder or file cannot be written.
    #[error("cannot make {}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Another process was faster, and has made other secrets.
    #[error("another process has just made {}; start again to use what it made", .0.display())]
    Raced(PathBuf),
    /// A key cannot be made or opened.
    #[error("a key that is made at the first start cannot be made or opened")]
    Key(#[from] KeystoreError),
    /// What another process has just made cannot be read.
    #[error("what another process has just made cannot be read")]
    Made(#[from] SecretError),
}

impl Config {
    /// Makes the folder of all that belongs to the server, if it has one.
    ///
    /// # Errors
    ///
    /// [`FirstStartError::Io`]
    pub(crate) fn make_state_dir(&self) -> Result<(), FirstStartError> {
        self.first_start.state_dir.as_deref().map_or(Ok(()), make_folder)
    }

    /// Writes the secrets that were made for this server, and makes or opens the keys of its `RSAKey`s. Nothing that is
    /// there is changed.
    ///
    /// # Errors
    ///
    /// [`FirstStartError`]
    pub(crate) async fn make_missing(&mut self) -> Result<(), FirstStartError> {
        self.make_state_dir()?;
        for file in std::mem::take(&mut self.first_start.files) {
            match (write(&file), file.kek) {
                (Err(FirstStartError::Raced(path)), Some(id)) => {
                    let made = SecretRef { file: Some(path), env: None };
                    let content = made.read(Path::new(""))?;
                    self.kek = KekRing::of_text(id, &content)?;
                }
                (written, _) => {
                    written?;
                    tracing::info!(path = %file.path.display(), "made {}", file.what);
                }
            }
        }
        let TokenSignature::Declared(declared) = &mut self.token_signature else { return Ok(()) };
        for to_make in std::mem::take(&mut declared.to_make) {
            let folder = rsa_keys(&self.keys_dir).join(&to_make.namespace);
            let store = SealedStore::open(&folder, self.kek.clone())?;
            let key = store.load_or_generate(&to_make.name, Alg::Rs256).await?;
            declared.put_made(to_make, key);
        }
        Ok(())
    }

    /// The declared keys with those of `RSAKey`s that are made already. Nothing is made: why the others are not there is said
    /// by the conditions.
    pub(crate) async fn with_made(&self, declared: &Declared) -> Declared {
        let mut declared = declared.clone();
        for to_make in std::mem::take(&mut declared.to_make) {
            match self.made(&to_make).await {
                Ok(key) => declared.put_made(to_make, key),
                Err(KeystoreError::NotFound(name)) => {
                    let why = format!(
                        "the key of the RSAKey `{name}` is not made yet: a server makes it when it takes it over"
                    );
                    declared.lacks(to_make.role, why);
                    declared.to_make.push(to_make);
                }
                Err(error) => {
                    declared.lacks(to_make.role, error.to_string());
                    declared.is_broken = true;
                }
            }
        }
        declared
    }

    async fn made(&self, ToMake { namespace, name, .. }: &ToMake) -> Result<KeyHandle, KeystoreError> {
        let folder = rsa_keys(&self.keys_dir).join(namespace);
        // Opening it would make it.
        if !folder.is_dir() {
            return Err(KeystoreError::NotFound(name.clone()));
        }
        let key = SealedStore::open(&folder, self.kek.clone())?.load(name).await?;
        let (kid, found, wanted) = (name.clone(), key.alg(), Alg::Rs256);
        if found == wanted { Ok(key) } else { Err(KeystoreError::Algorithm { kid, found, wanted }) }
    }
}

fn make_folder(folder: &Path) -> Result<(), FirstStartError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| FirstStartError::Io { path: folder.to_owned(), source })
}

/// Never replaces a file: what is there may be in use. A hard link is the rename that does not, so that of two processes one
/// gets the name, and nobody ever sees half a secret. Where the file system has no hard links, one gets the name all the same,
/// and another may read too early, which it then says.
fn write(file: &NewFile) -> Result<(), FirstStartError> {
    let folder = file.path.parent().unwrap_or(Path::new("."));
    make_folder(folder)?;
    let temporary = folder.join(random::id(".new-"));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let write = || -> io::Result<()> {
        let mut made = options.open(&temporary)?;
        writeln!(made, "{}", file.content.expose())?;
        made.sync_all()?;
        match fs::hard_link(&temporary, &file.path) {
            // So say file systems without hard links: FAT, some network shares.
            Err(error) if has_no_links(&error) => write_in_place(&options, file),
            linked => linked,
        }
    };
    let written = write();
    // Whatever happened, the temporary name has done its work.
    let _ = fs::remove_file(&temporary);
    written.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => FirstStartError::Raced(file.path.clone()),
        _ => FirstStartError::Io { path: file.path.clone(), source },
    })?;
    if cfg!(unix) {
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|source| FirstStartError::Io { path: folder.to_owned(), source })?;
    }
    Ok(())
}

fn has_no_links(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied)
}

/// Writes a new file under its own name; what was begun and not finished is removed again.
fn write_in_place(options: &OpenOptions, file: &NewFile) -> io::Result<()> {
    let mut made = options.open(&file.path)?;
    let written = writeln!(made, "{}", file.content.expose()).and_then(|()| made.sync_all());
    written.inspect_err(|_| _ = fs::remove_file(&file.path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &Path, content: &str) -> NewFile {
        NewFile { path: path.to_owned(), content: Secret::new(content), what: String::new(), kek: None }
    }

    #[test]
    fn without_hard_links_a_file_is_written_and_none_replaced_all_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kek");
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        write_in_place(&options, &file(&path, "first")).unwrap();
        let error = write_in_place(&options, &file(&path, "second")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "first\n");
    }

    #[test]
    fn of_many_that_write_one_does_and_nobody_sees_half() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state/kek");
        let contents: Vec<String> = (0..8).map(|i| format!("{i}").repeat(40)).collect();
        let raced = std::thread::scope(|scope| {
            let write = |content: &String| {
                let (path, content) = (path.clone(), content.clone());
                scope.spawn(move || {
                    let wrote = write(&file(&path, &content));
                    let seen = fs::read_to_string(&path).unwrap();
                    assert_eq!(seen.len(), 41, "{seen:?}");
                    matches!(wrote, Err(FirstStartError::Raced(_))) || {
                        assert_eq!(seen.trim_end(), content);
                        false
                    }
                })
            };
            let writers: Vec<_> = contents.iter().map(write).collect();
            writers.into_iter().map(|writer| writer.join().unwrap()).collect::<Vec<_>>()
        });
        assert_eq!(raced.iter().filter(|raced| !**raced).count(), 1, "one wrote it");
        assert_eq!(fs::read_dir(dir.path().join("state")).unwrap().count(), 1, "nothing else is left");
    }
}
