//! A key at hand, public-key or symmetric, and what it makes.

use crate::{Alg, MacKey, SignError, SigningKey};

#[derive(Clone)]
pub(super) enum Secret {
    Signing(SigningKey),
    Mac(MacKey),
}

impl Secret {
    pub(super) fn alg(&self) -> Alg {
        match self {
            Self::Signing(key) => key.alg(),
            Self::Mac(key) => key.alg(),
        }
    }

    pub(super) fn kid(&self) -> Option<&str> {
        match self {
            Self::Signing(key) => key.kid(),
            Self::Mac(key) => key.kid(),
        }
    }

    pub(super) fn signature_len(&self) -> usize {
        match self {
            Self::Signing(key) => key.signature_len(),
            Self::Mac(key) => key.alg().signature_len().unwrap_or(SHORT),
        }
    }

    pub(super) fn sign(&self, input: &[u8]) -> Result<Signature, SignError> {
        match self {
            Self::Signing(key) => key.sign_with(input, Signature::new),
            Self::Mac(key) => key.sign_with(input, Signature::new),
        }
    }

    pub(super) fn verifies(&self, input: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Signing(key) => key.public().verify(input, signature).is_ok(),
            // What is compared is our own, so it may take any time.
            Self::Mac(key) => key.sign_with(input, |tag| tag == signature).is_ok_and(|same| same),
        }
    }
}

/// A signature on its way into a text. All but those of RSA and ML-DSA, which take much longer to
/// make than to allocate, have room in it.
pub(super) enum Signature {
    Short { bytes: [u8; SHORT], len: usize },
    Long(Vec<u8>),
}

/// The length of an ES512 signature.
const SHORT: usize = 132;

impl Signature {
    pub(super) fn new(signature: &[u8]) -> Self {
        let len = signature.len();
        let mut bytes = [0; SHORT];
        match bytes.get_mut(..len) {
            Some(room) => {
                room.copy_from_slice(signature);
                Self::Short { bytes, len }
            }
            None => Self::Long(signature.to_vec()),
        }
    }
}

impl AsRef<[u8]> for Signature {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Short { bytes, len } => &bytes[..*len],
            Self::Long(bytes) => bytes,
        }
    }
}
