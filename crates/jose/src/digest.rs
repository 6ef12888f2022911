//! Digests: of data that comes in pieces, or that only its digest is known of.

use std::fmt;

use crate::provider;

/// A hash function of the SHA-2 family (FIPS 180-4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// How long its digests are, in bytes.
    pub const fn digest_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        })
    }
}

/// Hashes data that comes in pieces.
///
/// ```
/// use sealwright_jose::{Alg, Hash, Hasher, SigningKey};
///
/// let mut hasher = Hasher::new(Hash::Sha256);
/// hasher.update(b"in ");
/// hasher.update(b"pieces");
/// let digest = hasher.finish();
///
/// let key = SigningKey::generate(Alg::Es256)?;
/// let signature = key.sign_digest(&digest)?;
/// assert!(key.verifying_key().verify(b"in pieces", &signature).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Hasher(provider::Hasher);

impl Hasher {
    /// A hasher that has seen nothing yet.
    pub fn new(hash: Hash) -> Self {
        Self(provider::Hasher::new(hash))
    }

    /// Adds the next piece.
    pub fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// The digest of all pieces.
    pub fn finish(self) -> Digest {
        Digest(self.0.finish())
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").field("hash", &self.0.hash()).finish_non_exhaustive()
    }
}

/// A digest and the function that made it.
#[derive(Clone, Copy)]
pub struct Digest(provider::Digest);

impl Digest {
    /// The digest of `data`.
    pub fn of(hash: Hash, data: &[u8]) -> Self {
        Self(provider::Digest::of(hash, data))
    }

    /// A digest that was made elsewhere; `None` if it does not have the length of that function's.
    /// A signature of it vouches for data that this program has not seen.
    ///
    /// ```
    /// use sealwright_jose::{Digest, Hash};
    ///
    /// assert!(Digest::from_bytes(Hash::Sha256, &[7; 32]).is_some());
    /// assert!(Digest::from_bytes(Hash::Sha384, &[7; 32]).is_none());
    /// ```
    pub fn from_bytes(hash: Hash, bytes: &[u8]) -> Option<Self> {
        provider::Digest::from_bytes(hash, bytes).map(Self)
    }

    /// The function that made it.
    pub fn hash(&self) -> Hash {
        self.0.hash()
    }

    /// Its bytes, as many as [`Hash::digest_len`] says.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    pub(crate) fn inner(&self) -> &provider::Digest {
        &self.0
    }
}

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.hash() == other.hash() && self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Digest {}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Digest").field(&self.hash()).field(&crate::base64url::encode(self.as_bytes())).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-2, appendices B.1, C.1 and D.1: the digests of `abc`, by their first bytes.
    #[test]
    fn digests_are_the_published_ones() {
        let table = [
            (Hash::Sha256, [0xBA, 0x78, 0x16, 0xBF]),
            (Hash::Sha384, [0xCB, 0x00, 0x75, 0x3F]),
            (Hash::Sha512, [0xDD, 0xAF, 0x35, 0xA1]),
        ];
        for (hash, start) in table {
            let whole = Digest::of(hash, b"abc");
            assert_eq!(whole.as_bytes()[..4], start);
            assert_eq!(whole.as_bytes().len(), hash.digest_len());
            let mut hasher = Hasher::new(hash);
            for piece in [&b"a"[..], b"", b"bc"] {
                hasher.update(piece);
            }
            assert_eq!(hasher.finish(), whole);
            assert_eq!(Digest::from_bytes(hash, whole.as_bytes()), Some(whole));
            assert_eq!(Digest::from_bytes(hash, &whole.as_bytes()[1..]), None);
        }
    }
}
