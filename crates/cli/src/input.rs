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
            Self::Stdin => read_bounded(io::stdin().lock(), 0, max_bytes),
            Self::File(path) => fs::File::open(path).and_then(|file| {
                let size = file.metadata()?.len();
                read_bounded(file, size, max_bytes)
            }),
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

/// How much is read at once.
const PIECE_BYTES: usize = 256 * 1024;

/// All that `reader` has, of which `expected` bytes are a guess. It may be a key, so no buffer is given back that was
/// not wiped.
fn read_bounded(mut reader: impl Read, expected: u64, max_bytes: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let too_long = || io::Error::other(format!("it is longer than {} MiB", max_bytes / 1024 / 1024));
    if expected > max_bytes {
        return Err(too_long());
    }
    // With one byte more the end is seen without growing.
    let expected = usize::try_from(expected + 1).map_err(|_| too_long())?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(expected.max(4096)));
    loop {
        if bytes.len() == bytes.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(2 * bytes.capacity()));
            larger.extend_from_slice(&bytes);
            bytes = larger;
        }
        let (start, room) = (bytes.len(), bytes.capacity() - bytes.len());
        bytes.resize(start + room.min(PIECE_BYTES), 0);
        let read = reader.read(&mut bytes[start..]);
        bytes.truncate(start + read.as_ref().map_or(0, |read| *read));
        match read {
            _ if bytes.len() as u64 > max_bytes => return Err(too_long()),
            Ok(0) => return Ok(bytes),
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PIECE_BYTES, read_bounded};

    #[test]
    fn a_full_input_is_read_and_one_byte_more_is_not() {
        for expected in [0, 2, 3] {
            assert_eq!(read_bounded(&b"abc"[..], expected, 3).expect("fits").as_slice(), b"abc");
            assert!(read_bounded(&b"abcd"[..], expected, 3).is_err());
        }
        assert!(read_bounded(&b""[..], 4, 3).is_err());
    }

    #[test]
    fn an_input_longer_than_expected_is_read_whole() {
        let long: Vec<u8> = (0..3 * PIECE_BYTES + 5).map(|n| n as u8).collect();
        for expected in [0, 1, PIECE_BYTES as u64, long.len() as u64, long.len() as u64 + 9] {
            let max = long.len() as u64 + 9;
            assert_eq!(read_bounded(&long[..], expected, max).expect("fits").as_slice(), long);
        }
    }
}
