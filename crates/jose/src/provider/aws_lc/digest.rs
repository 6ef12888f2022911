//! SHA-2.

use aws_lc_rs::digest::{self, Algorithm, SHA256, SHA384, SHA512};

use crate::Hash;

fn algorithm(hash: Hash) -> &'static Algorithm {
    match hash {
        Hash::Sha256 => &SHA256,
        Hash::Sha384 => &SHA384,
        Hash::Sha512 => &SHA512,
    }
}

#[derive(Clone)]
pub(crate) struct Hasher {
    hash: Hash,
    context: digest::Context,
}

impl Hasher {
    pub(crate) fn new(hash: Hash) -> Self {
        Self { hash, context: digest::Context::new(algorithm(hash)) }
    }

    pub(crate) fn hash(&self) -> Hash {
        self.hash
    }

    pub(crate) fn update(&mut self, data: &[u8]) {
        self.context.update(data);
    }

    pub(crate) fn finish(self) -> Digest {
        Digest { hash: self.hash, value: self.context.finish() }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Digest {
    hash: Hash,
    value: digest::Digest,
}

impl Digest {
    pub(crate) fn of(hash: Hash, data: &[u8]) -> Self {
        Self { hash, value: digest::digest(algorithm(hash), data) }
    }

    pub(crate) fn from_bytes(hash: Hash, bytes: &[u8]) -> Option<Self> {
        let value = digest::Digest::import_less_safe(bytes, algorithm(hash)).ok()?;
        Some(Self { hash, value })
    }

    pub(crate) fn hash(&self) -> Hash {
        self.hash
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.value.as_ref()
    }

    pub(super) fn get(&self) -> &digest::Digest {
        &self.value
    }
}
