//! What a server needs and nobody has given it: made once, at the first start, and used ever after.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sealwright_jose::Alg;
use sealwright_keystore::{KeystoreError, SealedStore};
use sealwright_service::secret::Secret;

use super::Config;
use super::token_signature::{DeclaredKey, Role, ToMake, TokenSignature};

/// The folder of the keys of `RSAKey`s, in the folder of the sealed keys; in it a folder for each namespace.
const RSA_KEYS: &str = "rsa-keys";

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
    #[error("the key of an RSAKey cannot be made or opened")]
    Key(#[from] KeystoreError),
}

impl Config {
    /// Writes the secrets that were made for this server, and makes or opens the keys of its `RSAKey`s. Nothing that is
    /// there is changed.
    ///
    /// # Errors
    ///
    /// [`FirstStartError`]
    pub(crate) async fn make_missing(&mut self) -> Result<(), FirstStartError> {
        if let Some(folder) = &self.first_start.state_dir {
            make_folder(folder)?;
        }
        for file in std::mem::take(&mut self.first_start.files) {
            write(&file)?;
            tracing::info!(path = %file.path.display(), "made {}", file.what);
        }
        let TokenSignature::Declared(declared) = &mut self.token_signature else { return Ok(()) };
        for ToMake { namespace, name, role, evict_at } in std::mem::take(&mut declared.to_make) {
            let folder = self.keys_dir.join(RSA_KEYS).join(namespace);
            let store = SealedStore::open(&folder, self.kek.clone())?;
            let key = store.load_or_generate(&name, Alg::Rs256).await?;
            let public = key.verifying_key().clone().with_kid(&name);
            let private = (role == Role::Signing).then_some(key);
            declared.put(role, DeclaredKey { kid: name, alg: Alg::Rs256, private, public, evict_at });
        }
        Ok(())
    }
}

fn make_folder(folder: &Path) -> Result<(), FirstStartError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| FirstStartError::Io { path: folder.to_owned(), source })
}

/// Never replaces a file: what is there may be in use.
fn write(file: &NewFile) -> Result<(), FirstStartError> {
    if let Some(folder) = file.path.parent() {
        make_folder(folder)?;
    }
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => FirstStartError::Raced(file.path.clone()),
        _ => FirstStartError::Io { path: file.path.clone(), source },
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut made = options.open(&file.path).map_err(failed)?;
    let written = writeln!(made, "{}", file.content.expose()).and_then(|()| made.sync_all());
    written.map_err(|source| {
        // Half a secret would be read as a whole one at the next start.
        let _ = fs::remove_file(&file.path);
        FirstStartError::Io { path: file.path.clone(), source }
    })
}
