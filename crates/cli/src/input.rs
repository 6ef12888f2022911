//! Reading what the user named: files and standard input, never more than a limit.

use std::{
    fmt, fs,
    io::{self, Read},
    path::PathBuf,
};

use zeroize::Zeroizing;

use crate::error::CliError;

/// Keys, key sets, certificates, receipts and checkpoints are never longer than this.
pub(crate) const MAX_KEY_BYTES: u64 = 1024 * 1024;

/// A payload or a token: as much as the largest document that a signing worker takes, in base64.
pub(crate) const MAX_TOKEN_BYTES: u64 = 256 * 1024 * 1024;

/// A file, or `-` for standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Stdin,
    File(PathBuf),
}

impl From<&str> for Source {
    fn from(argument: &str) -> Self {
        match argument {
            "-" => Self::Stdin,
            path => Self::File(path.into()),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("standard input"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Refuses a command that would read standard input twice.
pub(crate) fn stdin_at_most_once<'a>(sources: impl IntoIterator<Item = &'a Source>) -> Result<(), CliError> {
    if sources.into_iter().filter(|source| **source == Source::Stdin).count() > 1 {
        let message = "`-` stands for standard input, which can be read only once";
        return Err(CliError::Usage(message.to_owned()));
    }
    Ok(())
}

impl Source {
    /// All of it, unless it is longer than `max_bytes`. The bytes are wiped when they go, since they may be a key.
    pub(crate) fn read(&self, max_bytes: u64) -> Result<Zeroizing<Vec<u8>>, CliError> {
        let read = match self {
            Self::Stdin => read_bounded(io::stdin().lock(), max_bytes),
            Self::File(path) => fs::File::open(path).and_then(|file| read_bounded(file, max_bytes)),
        };
        read.map_err(|source| CliError::Unreadable { what: self.to_string(), source })
    }

    /// The bytes to be read in pieces, and how many they are where that is known.
    pub(crate) fn open(&self) -> io::Result<(Box<dyn Read>, Option<u64>)> {
        match self {
            Self::Stdin => Ok((Box::new(io::stdin().lock()), None)),
            Self::File(path) => {
                let file = fs::File::open(path)?;
                let facts = file.metadata()?;
                Ok((Box::new(file), facts.is_file().then_some(facts.len())))
            }
        }
    }

    /// Like [`Source::read`], for text.
    pub(crate) fn read_text(&self, max_bytes: u64) -> Result<Zeroizing<String>, CliError> {
        let mut bytes = self.read(max_bytes)?;
        match String::from_utf8(std::mem::take(&mut *bytes)) {
            Ok(text) => Ok(Zeroizing::new(text)),
            Err(error) => {
                drop(Zeroizing::new(error.into_bytes()));
                Err(CliError::refused(format!("{self} is not UTF-8 text")))
            }
        }
    }
}

fn read_bounded(reader: impl Read, max_bytes: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    // One byte more than allowed tells "full" from "too long".
    reader.take(max_bytes + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        return Err(io::Error::other(format!("it is longer than {} MiB", max_bytes / 1024 / 1024)));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::read_bounded;

    #[test]
    fn a_full_input_is_read_and_one_byte_more_is_not() {
        assert_eq!(read_bounded(&b"abc"[..], 3).expect("fits").as_slice(), b"abc");
        assert!(read_bounded(&b"abcd"[..], 3).is_err());
    }
}
