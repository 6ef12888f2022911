//! How much of a stranger's input is read.

/// What a verifier refuses as too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of the decoded protected header, and of the unprotected one. Default: 16 KiB, since a
    /// certificate chain in `x5c` can take 8.
    pub header_bytes: usize,
    /// Bytes of the whole serialization. Default: 1 MiB.
    pub token_bytes: usize,
    /// How deep objects and arrays may stand in each other. Default: 16.
    pub nesting: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { header_bytes: 16 * 1024, token_bytes: 1024 * 1024, nesting: 16 }
    }
}

/// Above this no `nesting` goes, so that the scanner's recursion is bounded whatever the caller
/// sets.
const MAX_NESTING: usize = 64;

impl Limits {
    /// The same limits with this many bytes for a header.
    #[must_use]
    pub fn header_bytes(self, header_bytes: usize) -> Self {
        Self { header_bytes, ..self }
    }

    /// The same limits with this many bytes for the whole serialization.
    #[must_use]
    pub fn token_bytes(self, token_bytes: usize) -> Self {
        Self { token_bytes, ..self }
    }

    /// The same limits with this depth of nesting, at most 64.
    #[must_use]
    pub fn nesting(self, nesting: usize) -> Self {
        Self { nesting: nesting.min(MAX_NESTING), ..self }
    }

    /// The depth, whoever wrote the field.
    pub(crate) fn depth(&self) -> usize {
        self.nesting.min(MAX_NESTING)
    }
}
