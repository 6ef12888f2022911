//! HMAC, the key scheduled once.

use aws_lc_rs::{constant_time, hmac};

use crate::Hash;

pub(crate) struct Mac(hmac::Key);

impl Mac {
    pub(crate) fn new(hash: Hash, secret: &[u8]) -> Self {
        let algorithm = match hash {
            Hash::Sha256 => hmac::HMAC_SHA256,
            Hash::Sha384 => hmac::HMAC_SHA384,
            Hash::Sha512 => hmac::HMAC_SHA512,
        };
        Self(hmac::Key::new(algorithm, secret))
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Tag {
        Tag(hmac::sign(&self.0, message))
    }

    /// Takes the same time wherever the tags differ.
    pub(crate) fn verifies(&self, message: &[u8], tag: &[u8]) -> bool {
        hmac::verify(&self.0, message, tag).is_ok()
    }

    /// Begins a message that comes in pieces.
    pub(crate) fn start(&self) -> MacContext {
        MacContext(hmac::Context::with_key(&self.0))
    }
}

/// A tag. It is compared by [`is`](Self::is) only, so that the time does not tell where two differ.
pub(crate) struct Tag(hmac::Tag);

impl Tag {
    pub(crate) fn is(&self, tag: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(self.as_bytes(), tag).is_ok()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_ref()
    }
}

/// A message of which some pieces have come.
#[derive(Clone)]
pub(crate) struct MacContext(hmac::Context);

impl MacContext {
    pub(crate) fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    pub(crate) fn finish(self) -> Tag {
        Tag(self.0.sign())
    }

    /// Takes the same time wherever the tags differ.
    pub(crate) fn verify(self, tag: &[u8]) -> bool {
        self.finish().is(tag)
    }
}
