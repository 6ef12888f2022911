//! The sealed key files of a server, beside its database: the audit log's key, and those of its `RSAKey`s.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use sealwright_keystore::{KekRing, KeyHandle, KeyProvider, KeystoreError, SealedStore};
use serde::{Deserialize, Serialize};

use super::admin::KeyAdminError;
use super::keeping::Resealed;
use crate::config::Config;
use crate::config::first_start::rsa_keys;

/// The folder of the sealed keys, and what opens them.
#[derive(Clone, Debug)]
pub(super) struct KeyFiles {
    dir: PathBuf,
    pub(super) ring: KekRing,
}

/// The key of an `RSAKey`, as it is sealed.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MadeKey {
    pub(super) namespace: String,
    pub(super) kid: String,
    pub(super) private: String,
}

impl KeyFiles {
    pub(super) fn of(config: &Config) -> Self {
        Self { dir: config.keys_dir.clone(), ring: config.kek.clone() }
    }

    /// Seals every key anew that is under another key-encryption key than the first; what does not open is in `failed`.
    pub(super) async fn reseal(&self, failed: &mut Vec<KeystoreError>) -> Result<Resealed, KeyAdminError> {
        let mut counts = Resealed::default();
        let folders = self.namespaces()?.into_values().chain([self.dir.clone()]);
        for folder in folders.filter(|folder| folder.is_dir()) {
            let done = SealedStore::open(&folder, self.ring.clone())?.reseal_all().await?;
            counts.resealed += done.resealed;
            counts.unchanged += done.unchanged;
            failed.extend(done.failed);
        }
        Ok(counts)
    }

    /// The keys of all `RSAKey`s.
    pub(super) async fn made(&self) -> Result<Vec<MadeKey>, KeyAdminError> {
        let mut made = Vec::new();
        for (namespace, folder) in self.namespaces()? {
            let store = SealedStore::open(&folder, self.ring.clone())?;
            for kid in store.list().await? {
                let private = store.sealed_text(&kid).await?;
                made.push(MadeKey { namespace: namespace.clone(), kid, private });
            }
        }
        Ok(made)
    }

    /// Opens a key as it stands in a backup; its file is not touched.
    pub(super) async fn open(&self, made: &MadeKey) -> Result<KeyHandle, KeyAdminError> {
        // It becomes a part of a path.
        if !is_folder_name(&made.namespace) {
            return Err(KeyAdminError::Backup("a key of the backup is in no namespace".to_owned()));
        }
        Ok(KeyProvider::sealed(self.ring.clone()).open(&made.kid, &made.private).await?)
    }

    /// Writes the file of a key that was [opened](Self::open).
    pub(super) async fn restore(&self, made: &MadeKey) -> Result<(), KeyAdminError> {
        let folder = rsa_keys(&self.dir).join(&made.namespace);
        let store = SealedStore::open(&folder, self.ring.clone())?;
        match store.restore(&made.kid, &made.private).await {
            Ok(_) => Ok(()),
            Err(KeystoreError::Exists(kid)) => Err(KeyAdminError::Backup(format!(
                "{} has another key `{kid}`: restore before the server starts",
                folder.display()
            ))),
            Err(error) => Err(error.into()),
        }
    }

    /// The folders of `RSAKey`s that are there, by namespace.
    fn namespaces(&self) -> Result<BTreeMap<String, PathBuf>, KeyAdminError> {
        let folder = rsa_keys(&self.dir);
        let failed = |source| KeyAdminError::Folder { path: folder.clone(), source };
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            entries => entries.map_err(failed)?,
        };
        let mut found = BTreeMap::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let is_one = |name: &String| is_folder_name(name) && entry.path().is_dir();
            if let Some(name) = entry.file_name().into_string().ok().filter(is_one) {
                found.insert(name, entry.path());
            }
        }
        Ok(found)
    }

    /// Where the keys of `RSAKey`s are, for people.
    pub(super) fn made_folder(&self) -> PathBuf {
        rsa_keys(&self.dir)
    }
}

/// Whether a path of this name leads one folder down, and nowhere else.
fn is_folder_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name)
}

#[cfg(test)]
mod tests {
    use super::is_folder_name;

    #[test]
    fn a_namespace_of_a_backup_climbs_out_of_no_folder() {
        for (name, is_one) in [
            ("default", true),
            ("a.b", true),
            ("", false),
            (".", false),
            ("..", false),
            ("/a", false),
            ("a/b", false),
            ("a/", false),
        ] {
            assert_eq!(is_folder_name(name), is_one, "{name:?}");
        }
    }
}
