//! Checkpoints: signed statements of how far the chain went, in the database and in a file outside of it.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

use sealwright_jose::{
    Alg, VerifyingKey,
    jws::{self, Header, Scratch, Signed, Unverified, Verifier},
};
use sealwright_keystore::KeyHandle;
use sealwright_service::random;
use serde::{Deserialize, Serialize};

use crate::{AuditError, chain::Head};

/// The `typ` of a checkpoint, so that nothing else that the key may sign can pass for one (RFC 8725 §3.11).
const TYP: &str = "audit-checkpoint+jwt";
/// More than any checkpoint has.
const MAX_BYTES: u64 = 16 * 1024;

/// "The log of `origin` had `entry` as its entry number `sequence` at `time`": what a checkpoint's JWS says.
///
/// Since each entry contains the hash of the one before, that covers all entries up to this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Whose log it is.
    pub origin: String,
    /// The number of the entry.
    pub sequence: i64,
    /// The hash of the entry.
    pub entry: String,
    /// When it was signed, in milliseconds since the epoch, UTC.
    pub time: i64,
}

impl Checkpoint {
    pub(crate) fn new(origin: &str, head: &Head, time: i64) -> Self {
        Self { origin: origin.to_owned(), sequence: head.sequence, entry: head.entry.clone(), time }
    }

    /// The compact JWS, signed by `key`.
    pub(crate) async fn sign(&self, key: &KeyHandle) -> Result<String, AuditError> {
        let unfit = |e: &dyn std::error::Error| AuditError::Key(e.to_string());
        let payload = serde_json::to_vec(self).map_err(|e| unfit(&e))?;
        let header = Header::new(key.alg()).kid(key.kid()).typ(TYP);
        let prepared = jws::prepare(header, &payload).map_err(|e| unfit(&e))?;
        let signature = key.sign_prepared(&prepared).await?;
        prepared.signed(signature).and_then(Signed::compact).map_err(|e| unfit(&e))
    }

    /// What a checkpoint says, without asking who says it.
    pub(crate) fn parse_unverified(text: &str) -> Option<Self> {
        let jws = Unverified::peek_compact(text.trim_end()).ok()?;
        serde_json::from_slice(jws.dangerous_payload()).ok()
    }
}

/// Checks who signed a checkpoint.
#[derive(Debug)]
pub(crate) struct Checker(Verifier);

impl Checker {
    pub(crate) fn new(keys: &[VerifyingKey]) -> Result<Self, AuditError> {
        let mut algs: Vec<Alg> = Vec::new();
        for key in keys {
            if !algs.contains(&key.alg()) {
                algs.push(key.alg());
            }
        }
        let mut builder = Verifier::builder_from(&algs).typ(TYP);
        for key in keys {
            builder = builder.key(key.clone());
        }
        builder.build().map(Self).map_err(|e| AuditError::Key(e.to_string()))
    }

    /// The checkpoint, if one of the keys signed it.
    pub(crate) fn verify(&self, text: &str) -> Option<Checkpoint> {
        let mut scratch = Scratch::new();
        let verified = self.0.verify_compact(text.trim_end(), &mut scratch).ok()?;
        serde_json::from_slice(verified.payload()).ok()
    }
}

/// The newest checkpoint in a file outside of the database, where a cut of the log does not reach.
#[derive(Clone, Debug)]
pub(crate) struct CheckpointFile(PathBuf);

impl CheckpointFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The text of the file, if there is one.
    pub(crate) async fn read(&self) -> Result<Option<String>, AuditError> {
        self.blocking(|path| {
            let file = match File::open(path) {
                Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
                opened => opened?,
            };
            let mut text = String::new();
            file.take(MAX_BYTES).read_to_string(&mut text)?;
            Ok(Some(text))
        })
        .await
    }

    /// Replaces the file: there is always the whole old or the whole new one.
    pub(crate) async fn write(&self, jws: String) -> Result<(), AuditError> {
        self.blocking(move |path| {
            let dir = match path.parent() {
                Some(dir) if !dir.as_os_str().is_empty() => dir,
                _ => Path::new("."),
            };
            let temporary = dir.join(random::id(".checkpoint-"));
            let write = || -> io::Result<()> {
                let mut file = File::create_new(&temporary)?;
                file.write_all(format!("{jws}\n").as_bytes())?;
                file.sync_all()?;
                fs::rename(&temporary, path)?;
                if cfg!(unix) {
                    File::open(dir)?.sync_all()?;
                }
                Ok(())
            };
            write().inspect_err(|_| {
                // The name is ours alone; whether it is there depends on how far the writing got.
                let _ = fs::remove_file(&temporary);
            })
        })
        .await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, AuditError> {
        let path = self.0.clone();
        tokio::task::spawn_blocking(move || work(&path))
            .await
            .unwrap_or_else(|e| Err(io::Error::other(e)))
            .map_err(|e| self.fault(e.to_string()))
    }

    pub(crate) fn fault(&self, what: String) -> AuditError {
        AuditError::CheckpointFile { path: self.0.clone(), what }
    }
}
