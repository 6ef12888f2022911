//! What verification leaves behind.

use std::{borrow::Cow, fmt};

use crate::{Alg, VerifyingKey, header};

/// Buffers that the caller keeps from token to token, so that verifying does not allocate.
///
/// They grow to the largest token seen, which the verifier's limits bound, and hold what was last
/// decoded.
#[derive(Default)]
pub struct Scratch(Vec<u8>);

impl Scratch {
    /// Empty buffers.
    pub fn new() -> Self {
        Self::default()
    }

    /// `len` bytes of any content. They are overwritten, never read first.
    pub(super) fn room(&mut self, len: usize) -> &mut [u8] {
        if self.0.len() < len {
            self.0.resize(len, 0);
        }
        &mut self.0[..len]
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").field("bytes", &self.0.len()).finish()
    }
}

/// A payload and header whose signature was verified. Only a [`Verifier`](super::Verifier) can make
/// one.
pub struct Verified<'t> {
    pub(super) payload: &'t [u8],
    pub(super) header: &'t str,
    pub(super) alg: Alg,
    pub(super) kid: Option<Cow<'t, str>>,
    pub(super) typ: Option<Cow<'t, str>>,
    pub(super) key: Option<VerifyingKey>,
}

impl<'t> Verified<'t> {
    /// The bytes that were signed as payload.
    pub fn payload(&self) -> &'t [u8] {
        self.payload
    }

    /// The algorithm of the key that verified it.
    pub fn alg(&self) -> Alg {
        self.alg
    }

    /// The `kid` of the protected header. One that stood in the unprotected header is a hint and
    /// not shown.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The `typ` of the protected header.
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// A parameter of the protected header as JSON.
    pub fn header(&self, name: &str) -> Option<serde_json::Value> {
        header::parameter(self.header, name)
    }

    /// The protected header's JSON.
    pub fn protected_header(&self) -> &'t str {
        self.header
    }

    /// The key that verified it; `None` for a MAC.
    pub fn key(&self) -> Option<&VerifyingKey> {
        self.key.as_ref()
    }
}

impl fmt::Debug for Verified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("alg", &self.alg)
            .field("kid", &self.kid)
            .field("typ", &self.typ)
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}
