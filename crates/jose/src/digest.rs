//! Digests: of data that comes in pieces, or that only its digest is known of.

use std::fmt;

use crate::provider;

/// A hash function of the SHA-2 family (FIPS 180-4).
///
/// ```
/// use sealwright_jose::{Alg, Hash};
///
/// assert_eq!(Hash::Sha512.to_string(), "SHA-512");
/// // The curve of ES256K is another than that of ES256, its hash is not.
/// assert_eq!(Alg::Es256k.digest(), Some(Hash::Sha256));
/// ```
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
    ///
    /// ```
    /// use sealwright_jose::Hash;
    ///
    /// assert_eq!([Hash::Sha256, Hash::Sha384, Hash::Sha512].map(Hash::digest_len), [32, 48, 64]);
    /// ```
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
    /// A hasher that has seen nothing yet, whose digest would be that of no bytes.
    ///
    /// ```
    /// use sealwright_jose::{Digest, Hash, Hasher};
    ///
    /// assert_eq!(Hasher::new(Hash::Sha384).finish(), Digest::of(Hash::Sha384, b""));
    /// ```
    pub fn new(hash: Hash) -> Self {
        Self(provider::Hasher::new(hash))
    }

    /// Adds the next piece, of any length: only their order matters, not where one ends.
    ///
    /// ```
    /// use sealwright_jose::{Digest, Hash, Hasher};
    ///
    /// let mut hasher = Hasher::new(Hash::Sha256);
    /// b"one message".chunks(4).for_each(|piece| hasher.update(piece));
    /// assert_eq!(hasher.finish(), Digest::of(Hash::Sha256, b"one message"));
    /// ```
    pub fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// The digest of all pieces. Who wants to go on after it takes that of a clone.
    ///
    /// ```
    /// use sealwright_jose::{Digest, Hash, Hasher};
    ///
    /// let mut log = Hasher::new(Hash::Sha256);
    /// log.update(b"first line\n");
    /// let so_far = log.clone().finish();
    /// log.update(b"second line\n");
    /// assert_eq!(so_far, Digest::of(Hash::Sha256, b"first line\n"));
    /// assert_eq!(log.finish(), Digest::of(Hash::Sha256, b"first line\nsecond line\n"));
    /// ```
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
///
/// ```
/// use sealwright_jose::{Digest, Hash};
///
/// let digest = Digest::of(Hash::Sha256, b"abc");
/// assert_eq!((digest.hash(), &digest.as_bytes()[..4]), (Hash::Sha256, &[0xba, 0x78, 0x16, 0xbf][..]));
/// assert_ne!(digest, Digest::of(Hash::Sha384, b"abc"));
/// ```
#[derive(Clone, Copy)]
pub struct Digest(provider::Digest);

impl Digest {
    /// The digest of `data`.
    ///
    /// ```
    /// use sealwright_jose::{Digest, Hash, base64url};
    ///
    /// // The `ath` of a DPoP proof (RFC 9449 §4.2).
    /// let ath = base64url::encode(Digest::of(Hash::Sha256, b"Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"));
    /// assert_eq!(ath, "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
    /// ```
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
    ///
    /// ```
    /// use sealwright_jose::{Alg, Digest, Hash};
    ///
    /// let digest = Digest::of(Hash::Sha384, b"contract");
    /// let fitting = Alg::ALL.iter().filter(|alg| alg.digest() == Some(digest.hash()));
    /// assert!(fitting.eq(&[Alg::Rs384, Alg::Ps384, Alg::Es384]));
    /// ```
    pub fn hash(&self) -> Hash {
        self.0.hash()
    }

    /// Its bytes, as many as [`Hash::digest_len`] says.
    ///
    /// ```
    /// use sealwright_jose::{Digest, Hash};
    ///
    /// // FIPS 180-2 appendix B.1.
    /// let digest = Digest::of(Hash::Sha256, b"abc");
    /// assert_eq!(digest.as_bytes()[..4], [0xBA, 0x78, 0x16, 0xBF]);
    /// assert_eq!(digest.as_bytes().len(), digest.hash().digest_len());
    /// ```
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
