//! Strings that are wiped and never printed, and how a resource names one without holding it.

use std::{
    fmt, fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use aws_lc_rs::constant_time;
use schemars::JsonSchema;
use serde::Deserialize;
use zeroize::Zeroizing;

/// The largest secret that is read from a file or the environment.
const MAX_BYTES: u64 = 64 * 1024;

/// Text that `Debug` does not show, that is wiped when dropped and compared in constant time.
///
/// Only the length shows in the time that a comparison takes.
///
/// # Examples
///
/// ```
/// use sealwright_service::secret::Secret;
///
/// let secret = Secret::new("correct horse");
/// assert_eq!(format!("{secret:?}"), "[secret]");
/// assert_eq!(secret.expose(), "correct horse");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over; what it was copied from is the caller's to wipe.
    pub fn new(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    /// The text itself. Every call of this is a place to look at.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(self.0.as_bytes(), other.0.as_bytes()).is_ok()
    }
}

impl Eq for Secret {}

/// Where a secret is: `{file: PATH}` or `{env: NAME}`, exactly one.
///
/// A relative path counts from the folder of the resource file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct SecretRef {
    /// A file that holds the secret and nothing else; one newline at its end is cut off.
    pub file: Option<PathBuf>,
    /// A variable of the server's environment.
    pub env: Option<String>,
}

impl SecretRef {
    /// Reads the secret; a file that others than its owner may read is used, with a warning in the log.
    ///
    /// # Errors
    ///
    /// Says what to do: the reference names both or nothing, the file cannot be read, the variable is not set, or the
    /// secret is empty, too large or not UTF-8. No part of a secret is in an error.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// use sealwright_service::secret::SecretRef;
    ///
    /// std::fs::write(dir.path().join("portal.secret"), "s3cret\n")?;
    /// let by_file = SecretRef { file: Some("portal.secret".into()), env: None };
    /// assert_eq!(by_file.read(dir.path())?.expose(), "s3cret");
    /// # Ok(()) }
    /// ```
    pub fn read(&self, base_dir: &Path) -> Result<Secret, SecretError> {
        match (&self.file, &self.env) {
            (Some(file), None) => from_file(&base_dir.join(file)),
            (None, Some(name)) => from_env(name),
            _ => Err(SecretError::NotOne),
        }
    }
}

/// Why a secret could not be read; the text says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The reference has none or both of its members.
    #[error("name exactly one of `file` and `env`")]
    NotOne,
    /// The file is not there or not ours to read.
    #[error("the file {} cannot be read ({source}); create it with the secret as its only content, readable by the server alone", path.display())]
    File {
        /// The path after it was joined to the resource's folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The variable is missing.
    #[error("the environment variable {0} is not set; set it where the server is started")]
    Env(String),
    /// There is nothing in it.
    #[error("{0} is empty; a secret needs at least one character")]
    Empty(String),
    /// More than any secret has.
    #[error("{0} is larger than 64 KiB; it cannot be a secret")]
    TooLarge(String),
    /// Binary content.
    #[error("{0} is not UTF-8 text; store binary secrets as base64 or hexadecimal")]
    NotText(String),
}

fn from_file(path: &Path) -> Result<Secret, SecretError> {
    let failed = |source| SecretError::File { path: path.to_owned(), source };
    let file = fs::File::open(path).map_err(failed)?;
    warn_if_shared(path, &file);
    // One byte more than allowed is enough to see that there is too much.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_BYTES as usize + 1));
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;

    let place = || format!("the file {}", path.display());
    if bytes.len() as u64 > MAX_BYTES {
        return Err(SecretError::TooLarge(place()));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| SecretError::NotText(place()))?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(SecretError::Empty(place()));
    }
    Ok(Secret::new(text))
}

fn from_env(name: &str) -> Result<Secret, SecretError> {
    let place = || format!("the environment variable {name}");
    // `var` panics on a name that no variable can have.
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(SecretError::Env(name.to_owned()));
    }
    match std::env::var(name) {
        Ok(text) if text.is_empty() => Err(SecretError::Empty(place())),
        Ok(text) if text.len() as u64 > MAX_BYTES => Err(SecretError::TooLarge(place())),
        Ok(text) => Ok(Secret::new(text)),
        Err(std::env::VarError::NotPresent) => Err(SecretError::Env(name.to_owned())),
        Err(std::env::VarError::NotUnicode(_)) => Err(SecretError::NotText(place())),
    }
}

#[cfg(unix)]
fn warn_if_shared(path: &Path, file: &fs::File) {
    use std::os::unix::fs::PermissionsExt;

    if file.metadata().is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0) {
        let path = path.display();
        tracing::warn!(%path, "others than the owner may read this secret; run `chmod 600 {path}`");
    }
}

#[cfg(not(unix))]
fn warn_if_shared(_: &Path, _: &fs::File) {}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &[u8]) -> Result<String, String> {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("s"), content).unwrap();
        let read = SecretRef { file: Some("s".into()), env: None }.read(dir.path());
        let dir = dir.path().display().to_string();
        read.map(|s| s.expose().to_owned()).map_err(|e| e.to_string().replace(&dir, "DIR"))
    }

    #[test]
    fn one_trailing_newline_is_cut_off() {
        assert_eq!(file(b"a b\n").unwrap(), "a b");
        assert_eq!(file(b"a b\r\n").unwrap(), "a b");
        assert_eq!(file(b"a b\n\n").unwrap(), "a b\n");
        assert_eq!(file(b"a b").unwrap(), "a b");
    }

    #[test]
    fn unusable_files_are_refused() {
        assert_eq!(file(b"").unwrap_err(), "the file DIR/s is empty; a secret needs at least one character");
        assert_eq!(
            file(b"\n").unwrap_err(),
            "the file DIR/s is empty; a secret needs at least one character"
        );
        assert_eq!(
            file(&[0xff]).unwrap_err(),
            "the file DIR/s is not UTF-8 text; store binary secrets as base64 or hexadecimal"
        );
        assert_eq!(
            file(&[b'a'; 65537]).unwrap_err(),
            "the file DIR/s is larger than 64 KiB; it cannot be a secret"
        );
        assert_eq!(file(&[b'a'; 65536]).unwrap().len(), 65536);
    }

    #[test]
    fn a_missing_source_is_named() {
        let missing = |file: Option<&str>, env: Option<&str>| {
            let reference = SecretRef { file: file.map(Into::into), env: env.map(Into::into) };
            reference.read(Path::new("/nonexistent")).unwrap_err().to_string()
        };
        assert_eq!(
            missing(Some("kek"), None),
            "the file /nonexistent/kek cannot be read (No such file or directory (os error 2)); create it with the \
             secret as its only content, readable by the server alone"
        );
        assert_eq!(
            missing(None, Some("SEALWRIGHT_NOT_SET")),
            "the environment variable SEALWRIGHT_NOT_SET is not set; set it where the server is started"
        );
        assert_eq!(
            missing(None, Some("A=B")),
            "the environment variable A=B is not set; set it where the server is started"
        );
        assert_eq!(missing(None, None), "name exactly one of `file` and `env`");
        assert_eq!(missing(Some("kek"), Some("KEK")), "name exactly one of `file` and `env`");
    }

    #[test]
    fn debug_shows_nothing_and_equality_compares() {
        assert_eq!(format!("{:?}", Secret::new("x")), "[secret]");
        assert_eq!(Secret::new("x"), Secret::new("x"));
        assert_ne!(Secret::new("x"), Secret::new("y"));
        assert_ne!(Secret::new("x"), Secret::new("xx"));
    }
}
