//! The document to be signed.

use std::{ffi::OsStr, fs, io, path::Path};

use bytes::Bytes;

use super::Failure;

/// What ships with the binary, for a demo without `--document`.
const CONTRACT: &[u8] = include_bytes!("contract.md");

/// The largest document that the demo's workers sign.
pub(super) const MAX_BYTES: u64 = 100 << 20;

/// So many characters of a file's name are shown.
const MAX_NAME: usize = 120;

/// Bytes with a name and a media type.
pub(super) struct Document {
    /// What people will read: the file's name, as far as it can be shown to somebody who is about to sign.
    pub(super) name: String,
    pub(super) media_type: &'static str,
    pub(super) bytes: Bytes,
}

impl Document {
    /// The contract that ships with the binary.
    pub(super) fn contract() -> Self {
        Self { name: "contract.md".into(), media_type: "text/markdown", bytes: CONTRACT.into() }
    }

    /// Another document than `self`, with the same name: a word has been changed.
    pub(super) fn forged(&self) -> Self {
        let mut bytes = self.bytes.to_vec();
        bytes.extend_from_slice(b"\nP.S. The borrower pays twice.\n");
        // The largest document stays within the limit, so that it is the digest that is refused.
        let start = bytes.len().saturating_sub(usize::try_from(MAX_BYTES).unwrap_or(usize::MAX));
        bytes.drain(..start);
        Self { name: self.name.clone(), media_type: self.media_type, bytes: bytes.into() }
    }

    /// Reads a file of any kind.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let unreadable = |error| unreadable(path, &error);
        let metadata = fs::metadata(path).map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(Failure::usage(format!("{} is not a file", path.display())));
        }
        if metadata.len() > MAX_BYTES {
            return Err(Failure::usage(format!(
                "{} has {} bytes; the demo's workers take {MAX_BYTES} at most",
                path.display(),
                metadata.len()
            )));
        }
        let media_type = media_type(path.extension().and_then(OsStr::to_str).unwrap_or_default());
        Ok(Self { name: name(path), media_type, bytes: fs::read(path).map_err(unreadable)?.into() })
    }

    /// A signed document, as a worker gave it back.
    pub(super) fn read_signed(path: &Path) -> Result<Self, Failure> {
        let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?.into();
        Ok(Self { name: name(path), media_type: "application/jose+json", bytes })
    }

    /// SHA-256 in standard base64.
    pub(super) fn digest_base64(&self) -> String {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &self.bytes);
        base64_simd::STANDARD.encode_to_string(digest)
    }
}

/// The file's name without what could mislead on a page: controls, marks that do not show, blanks at its ends.
fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let shown = |c: char| if c.is_alphanumeric() || c.is_ascii_graphic() || c == ' ' { c } else { '_' };
    let name: String = name.chars().map(shown).take(MAX_NAME).collect();
    match name.trim() {
        "" => "document".to_owned(),
        name => name.to_owned(),
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("cannot read {}: {error}", path.display()))
}

fn media_type(extension: &str) -> &'static str {
    match extension.to_ascii_lowercase().as_str() {
        "md" => "text/markdown",
        "txt" => "text/plain",
        "csv" => "text/csv",
        "html" => "text/html",
        "json" => "application/json",
        "xml" => "application/xml",
        "pdf" => "application/pdf",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_file_name_becomes_one_that_can_be_shown() {
        for (file, shown) in [
            ("/papers/contract v2.pdf", "contract v2.pdf"),
            ("/papers/ lead.txt", "lead.txt"),
            ("/papers/Vertrag für Zoë.pdf", "Vertrag für Zoë.pdf"),
            ("/papers/fdp.\u{202e}exe", "fdp._exe"),
            ("/papers/a\u{200c}b\nc", "a_b_c"),
            ("/papers/ ", "document"),
        ] {
            assert_eq!(name(Path::new(file)), shown, "{file:?}");
        }
        assert_eq!(name(Path::new(&"x".repeat(250))).len(), MAX_NAME);
    }
}
