//! What can go wrong, by what the caller or the operator can do about it.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use sealwright_jose::{Alg, KeyError, SignError};

use crate::TokenError;

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
    /// The key was sealed under a key-encryption key that the ring does not hold.
    #[error(
        "{origin}: sealed under the key-encryption key `{kek}`, which is not in the ring; add it behind the first"
    )]
    KekUnknown {
        /// The sealed key.
        origin: Origin,
        /// The id that it names.
        kek: String,
    },
    /// The seal does not open: the ring has another key under this id, or what was sealed was changed.
    #[error(
        "{origin}: the seal does not open: either `{kek}` is not the key-encryption key that sealed it, or it was changed since"
    )]
    Seal {
        /// The sealed key.
        origin: Origin,
        /// The id that it names.
        kek: String,
    },
    /// What was kept is not a key, or not the one that its name says.
    #[error("{origin}: {what}")]
    Kept {
        /// What was to be the key.
        origin: Origin,
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
    /// A PKCS#11 token refuses, for a reason that does not go away by itself.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The kind of provider cannot do this; the sentence says what can.
    #[error("key `{kid}`: {what}")]
    Unsupported {
        /// The key's name.
        kid: String,
        /// What would be right.
        what: &'static str,
    },
    /// The key was made or taken over, but its public half does not verify what it signs.
    #[error("key `{0}` failed its test: its public half does not verify what it signs")]
    SelfTest(String),
    /// A signer elsewhere, or the worker thread here, did not answer; trying again may help.
    #[error("the signer does not answer: {0}")]
    Unavailable(String),
}

/// Where what was kept of a key came from, for errors.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// A file of a [`SealedStore`](crate::SealedStore).
    File(PathBuf),
    /// A text that somebody else keeps, of the key of this name.
    Text(String),
    /// A text that somebody else keeps, before it was read of which key.
    Unread,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Text(kid) => write!(f, "the text kept of key `{kid}`"),
            Self::Unread => f.write_str("the text kept of a key"),
        }
    }
}

impl KeystoreError {
    pub(crate) fn io(doing: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io { doing, path: path.to_owned(), source }
    }

    pub(crate) fn kept(origin: &Origin, what: impl Into<String>) -> Self {
        Self::Kept { origin: origin.clone(), what: what.into() }
    }

    pub(crate) fn key(kid: &str, source: KeyError) -> Self {
        Self::Key { kid: kid.to_owned(), source }
    }
}
