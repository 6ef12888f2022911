//! The buffer that a caller keeps from token to token.

use std::{fmt, mem};

use crate::{VerifyErrorKind, base64url};

/// A buffer that the caller keeps from token to token, so that verifying does not allocate.
///
/// It grows to the largest token seen, which the verifier's limits bound, and holds what was last
/// decoded.
///
/// ```
/// use sealwright_jose::{Alg, MacKey, jws::{Scratch, Signer, Verifier}};
///
/// let key = MacKey::generate(Alg::Hs256)?;
/// let verifier = Verifier::builder([Alg::Hs256]).mac_key(&key).build()?;
/// let mut scratch = Scratch::new(); // one for each thread, whatever it verifies
/// let mut kept = Vec::new();
/// for payload in ["one", "two"] {
///     let token = Signer::mac(&key).sign_compact(payload.as_bytes())?;
///     // The next token overwrites it, so what is to stay is copied. The borrow checker sees to that.
///     kept.push(verifier.verify_compact(&token, &mut scratch)?.payload().to_vec());
/// }
/// assert_eq!(kept, [b"one", b"two"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct Scratch(Vec<u8>);

impl Scratch {
    /// An empty buffer. It allocates with the first token.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Scratch, Signer, Verifier}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(&key).build()?;
    /// // One for all tokens of a thread, one after the other.
    /// let mut scratch = Scratch::new();
    /// for payload in [&b"hello"[..], b"goodbye"] {
    ///     let token = Signer::mac(&key).sign_compact(payload)?;
    ///     assert_eq!(verifier.verify_compact(&token, &mut scratch)?.payload(), payload);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// `len` bytes of any content. They are overwritten, never read first.
    pub(super) fn room(&mut self, len: usize) -> Room<'_> {
        if self.0.len() < len {
            self.0.resize(len, 0);
        }
        Room(&mut self.0[..len])
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").field("bytes", &self.0.len()).finish()
    }
}

/// What is left of a buffer.
pub(super) struct Room<'t>(&'t mut [u8]);

impl<'t> Room<'t> {
    /// The next `len` bytes. Whoever made the room has counted them; less is left than that only by
    /// a mistake, and then the token is refused.
    pub(super) fn take(&mut self, len: usize) -> Result<&'t mut [u8], VerifyErrorKind> {
        let (taken, rest) =
            mem::take(&mut self.0).split_at_mut_checked(len).ok_or(VerifyErrorKind::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    /// What `encoded` stands for.
    pub(super) fn decode(&mut self, encoded: &str) -> Result<&'t [u8], VerifyErrorKind> {
        let room = self.take(base64url::decoded_len(encoded.len()))?;
        base64url::decode_into(encoded, room).map_err(|_| VerifyErrorKind::Malformed)
    }
}
