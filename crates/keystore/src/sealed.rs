//! Sealed key files: one file a key in one folder.

mod disk;
pub(crate) mod key;

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use sealwright_jose::{Alg, SigningKey};

use self::key::SealedKey;
use crate::{KekRing, KeyHandle, KeystoreError, Origin, blocking::run_blocking, in_memory, name};

const SUFFIX: &str = ".sealed.json";

/// Sealed key files in one folder: `KID.sealed.json`, AES-256-GCM under the ring.
///
/// The folder has mode 0700 and the files 0600. A file appears whole or not at all, and never replaces
/// another: it is written and synced under a temporary name and then linked to its own, which fails if that
/// exists. So several processes may share the folder.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use sealwright_jose::Alg;
/// use sealwright_keystore::{KekRing, KekSpec, SealedStore};
///
/// let kek = KekSpec { id: "k1".into(), file: Some("kek".into()), ..KekSpec::default() };
/// let ring = KekRing::read(&[kek], "/etc/sealwright".as_ref())?;
/// let store = SealedStore::open("/var/lib/sealwright/keys".as_ref(), ring)?;
/// let key = store.load_or_generate("audit", Alg::Es256).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SealedStore(Arc<Store>);

/// Keeps others that ask for it, in this process and in others, waiting until it is dropped; see [`SealedStore::lock`].
#[derive(Debug)]
#[must_use]
pub struct StoreLock {
    _folder: Option<File>,
}

#[derive(Debug)]
struct Store {
    dir: PathBuf,
    ring: KekRing,
}

impl SealedStore {
    /// Opens the folder, and makes it if it is not there. Warns when others can look into it.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::Io`] if it cannot be made or is not a folder.
    pub fn open(dir: &Path, ring: KekRing) -> Result<Self, KeystoreError> {
        disk::make_dir(dir)?;
        disk::warn_if_exposed(dir);
        Ok(Self(Arc::new(Store { dir: dir.to_owned(), ring })))
    }

    /// Makes a key, seals it, and returns its handle.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::Exists`] if there is a key of this name, [`KeystoreError::Name`],
    /// [`KeystoreError::Key`] if `alg` has no private keys, [`KeystoreError::Io`].
    pub async fn generate(&self, kid: &str, alg: Alg) -> Result<KeyHandle, KeystoreError> {
        self.blocking(kid, move |store, kid| store.generate(kid, alg)).await
    }

    /// Seals a key that was made elsewhere, and returns its handle.
    ///
    /// # Errors
    ///
    /// As [`SealedStore::generate`].
    pub async fn import(&self, kid: &str, key: SigningKey) -> Result<KeyHandle, KeystoreError> {
        self.blocking(kid, move |store, kid| store.save(kid, key)).await
    }

    /// Opens a sealed key. The private half must belong to the public one that the file shows.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::NotFound`], [`KeystoreError::KekUnknown`], [`KeystoreError::Seal`] if the
    /// key-encryption key is another or the file was changed, [`KeystoreError::Kept`] if it is no sealed key
    /// or not the one that its name says, [`KeystoreError::Name`], [`KeystoreError::Io`].
    pub async fn load(&self, kid: &str) -> Result<KeyHandle, KeystoreError> {
        self.blocking(kid, Store::load).await
    }

    /// Opens the key, or makes it at the first start. Of two processes that start at once, one makes the key
    /// and the other loads it.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::Algorithm`] if the key is there for another algorithm; else as [`SealedStore::load`]
    /// and [`SealedStore::generate`].
    pub async fn load_or_generate(&self, kid: &str, alg: Alg) -> Result<KeyHandle, KeystoreError> {
        self.blocking(kid, move |store, kid| {
            let key = match store.load(kid) {
                Err(KeystoreError::NotFound(_)) => match store.generate(kid, alg) {
                    Err(KeystoreError::Exists(_)) => store.load(kid)?,
                    made => return made,
                },
                loaded => loaded?,
            };
            if key.alg() != alg {
                return Err(KeystoreError::Algorithm { kid: kid.to_owned(), found: key.alg(), wanted: alg });
            }
            Ok(key)
        })
        .await
    }

    /// The names of the keys, sorted. No file is opened.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::Io`].
    pub async fn list(&self) -> Result<Vec<String>, KeystoreError> {
        let store = self.0.clone();
        run_blocking(move || {
            let mut kids = Vec::new();
            for file in disk::file_names(&store.dir)? {
                kids.extend(file.strip_suffix(SUFFIX).filter(|kid| name::is_safe(kid)).map(str::to_owned));
            }
            kids.sort_unstable();
            Ok(kids)
        })
        .await
    }

    /// Waits until nobody else holds the lock of the folder, and takes it: for who lists the keys and makes one by what it found,
    /// such as the first of a kind. It does not keep others from adding keys that do not ask for it;
    /// [`destroy`](Self::destroy) and [`reseal_all`](Self::reseal_all) take it themselves, and wait for who holds it.
    ///
    /// Where folders cannot be locked (on systems other than Unix) it is there at once, and keeps nobody away.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::Io`].
    pub async fn lock(&self) -> Result<StoreLock, KeystoreError> {
        let store = self.0.clone();
        run_blocking(move || Ok(StoreLock { _folder: disk::lock(&store.dir)? })).await
    }

    /// Removes a key's file for good. Handles that are still held go on working until they are dropped.
    ///
    /// What a disk keeps of removed files is beyond reach; it is sealed, so that whoever destroys the
    /// key-encryption key too destroys that as well.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::NotFound`], [`KeystoreError::Name`], [`KeystoreError::Io`].
    pub async fn destroy(&self, kid: &str) -> Result<(), KeystoreError> {
        self.blocking(kid, |store, kid| {
            let _lock = disk::lock(&store.dir)?;
            if disk::remove(&store.dir, &store.path(kid))? {
                Ok(())
            } else {
                Err(KeystoreError::NotFound(kid.to_owned()))
            }
        })
        .await
    }

    /// The text of a key's file, to be kept elsewhere as well: whoever has it and the key-encryption key can sign. It is not
    /// opened.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::NotFound`], [`KeystoreError::Kept`] if it is not text, [`KeystoreError::Name`],
    /// [`KeystoreError::Io`].
    pub async fn sealed_text(&self, kid: &str) -> Result<String, KeystoreError> {
        self.blocking(kid, |store, kid| {
            let path = store.path(kid);
            let text = disk::read(&path)?.ok_or_else(|| KeystoreError::NotFound(kid.to_owned()))?;
            String::from_utf8(text).map_err(|_| KeystoreError::kept(&Origin::File(path), "it is not text"))
        })
        .await
    }

    /// Writes the file of a key from its text, which is opened first, and returns its handle. A file that holds this very key
    /// already is left alone.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::Exists`] if the file of this name holds another key; else as [`SealedStore::load`].
    pub async fn restore(&self, kid: &str, text: &str) -> Result<KeyHandle, KeystoreError> {
        let text = text.to_owned();
        self.blocking(kid, move |store, kid| {
            let origin = Origin::Text(kid.to_owned());
            let key = SealedKey::parse(&origin, text.as_bytes())?.open(&origin, kid, &store.ring)?;
            let restored = in_memory(kid, key);
            if !disk::write_new(&store.dir, &store.path(kid), text.as_bytes())? {
                let there = store.load(kid)?;
                if there.verifying_key().thumbprint() != restored.verifying_key().thumbprint() {
                    return Err(KeystoreError::Exists(kid.to_owned()));
                }
            }
            Ok(restored)
        })
        .await
    }

    /// Seals every key under the first key-encryption key that is under another one yet, so that the others can leave
    /// the ring. Each is opened, also where nothing is to be done. A file is replaced as a whole; one that cannot be stays
    /// as it is, and does not hold up the others.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::Io`] if the folder cannot be read. What is wrong with single keys is in [`Resealed::failed`].
    pub async fn reseal_all(&self) -> Result<Resealed, KeystoreError> {
        let kids = self.list().await?;
        let store = self.0.clone();
        run_blocking(move || {
            let mut done = Resealed::default();
            for kid in kids {
                match store.reseal(&kid) {
                    Ok(true) => done.resealed += 1,
                    Ok(false) => done.unchanged += 1,
                    // Destroyed meanwhile.
                    Err(KeystoreError::NotFound(_)) => {}
                    Err(error) => done.failed.push(error),
                }
            }
            Ok(done)
        })
        .await
    }

    /// Checks the name, then works with the folder on a thread that may wait for a disk.
    async fn blocking<T: Send + 'static>(
        &self,
        kid: &str,
        work: impl FnOnce(&Store, &str) -> Result<T, KeystoreError> + Send + 'static,
    ) -> Result<T, KeystoreError> {
        name::check(kid)?;
        let (store, kid) = (self.0.clone(), kid.to_owned());
        run_blocking(move || work(&store, &kid)).await
    }
}

/// What [`SealedStore::reseal_all`] did.
#[derive(Debug, Default)]
pub struct Resealed {
    /// So many keys are under the first key-encryption key now and were not before.
    pub resealed: usize,
    /// So many were already.
    pub unchanged: usize,
    /// Why others are not.
    pub failed: Vec<KeystoreError>,
}

impl Store {
    fn path(&self, kid: &str) -> PathBuf {
        self.dir.join(format!("{kid}{SUFFIX}"))
    }

    fn generate(&self, kid: &str, alg: Alg) -> Result<KeyHandle, KeystoreError> {
        let key = SigningKey::generate(alg).map_err(|e| KeystoreError::key(kid, e))?;
        self.save(kid, key)
    }

    fn save(&self, kid: &str, key: SigningKey) -> Result<KeyHandle, KeystoreError> {
        let key = key.with_kid(kid);
        let text = SealedKey::seal(kid, &key, &self.ring)?.to_text();
        if !disk::write_new(&self.dir, &self.path(kid), text.as_bytes())? {
            return Err(KeystoreError::Exists(kid.to_owned()));
        }
        Ok(in_memory(kid, key))
    }

    fn reseal(&self, kid: &str) -> Result<bool, KeystoreError> {
        let _lock = disk::lock(&self.dir)?;
        let path = self.path(kid);
        let text = disk::read(&path)?.ok_or_else(|| KeystoreError::NotFound(kid.to_owned()))?;
        let origin = Origin::File(path.clone());
        let Some(resealed) = SealedKey::parse(&origin, &text)?.resealed(&origin, kid, &self.ring)? else {
            return Ok(false);
        };
        disk::replace(&self.dir, &path, resealed.to_text().as_bytes())?;
        Ok(true)
    }

    fn load(&self, kid: &str) -> Result<KeyHandle, KeystoreError> {
        let path = self.path(kid);
        let text = disk::read(&path)?.ok_or_else(|| KeystoreError::NotFound(kid.to_owned()))?;
        disk::warn_if_exposed(&path);
        let origin = Origin::File(path);
        let key = SealedKey::parse(&origin, &text)?.open(&origin, kid, &self.ring)?;
        Ok(in_memory(kid, key))
    }
}
