//! What can go wrong, by what the caller or the operator can do about it.

use std::path::{Path, PathBuf};

use sealwright_jose::{Alg, KeyError, SignError};

/// Why a key could not be made, kept, found or used. No variant holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeystoreError {
    /// The ring of key-encryption keys is not as it must be; the sentence says what would be right.
    #[error("{0}")]
    Ring(String),
    /// The name cannot be the name of a key, because it would not be a safe file name everywhere.
    #[error("`{0}` cannot name a key: use 1 to 128 of A-Z a-z 0-9 . _ - and no dot in front")]
    Name(String),
    /// There is a key of this name already; nothing was written.
    #[error("there is a key `{0}` already")]
    Exists(String),
    /// There is no key of this name.
    #[error("there is no key `{0}`")]
    NotFound(String),
    /// The key is there, but for another algorithm than the one asked for.
    #[error("key `{kid}` is for {}, not for {}", found.name(), wanted.name())]
    Algorithm {
        /// The key's name.
        kid: String,
        /// What it is for.
        found: Alg,
        /// What the caller wanted.
        wanted: Alg,
    },
    /// The file was sealed under a key-encryption key that the ring does not hold.
    #[error("{}: sealed under the key-encryption key `{kek}`, which is not in the ring; add it behind the first", path.display())]
    KekUnknown {
        /// The sealed file.
        path: PathBuf,
        /// The id that the file names.
        kek: String,
    },
    /// The seal does not open: the ring has another key under this id, or the file was changed.
    #[error("{}: the seal does not open: either `{kek}` is not the key-encryption key that sealed it, or the file was changed", path.display())]
    Seal {
        /// The sealed file.
        path: PathBuf,
        /// The id that the file names.
        kek: String,
    },
    /// The file is not a sealed key, or not the one that its name says.
    #[error("{}: {what}", path.display())]
    File {
        /// The sealed file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The operating system refused.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried, as a verb.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The key could not be made or read.
    #[error("key `{kid}` is not usable")]
    Key {
        /// The key's name.
        kid: String,
        /// Why.
        source: KeyError,
    },
    /// The key did not sign.
    #[error("key `{kid}` did not sign")]
    Sign {
        /// The key's name.
        kid: String,
        /// Why.
        source: SignError,
    },
    /// A signer elsewhere, or the worker thread here, did not answer; trying again may help.
    #[error("the signer does not answer: {0}")]
    Unavailable(String),
}

impl KeystoreError {
    pub(crate) fn io(doing: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io { doing, path: path.to_owned(), source }
    }

    pub(crate) fn file(path: &Path, what: impl Into<String>) -> Self {
        Self::File { path: path.to_owned(), what: what.into() }
    }

    pub(crate) fn key(kid: &str, source: KeyError) -> Self {
        Self::Key { kid: kid.to_owned(), source }
    }
}
