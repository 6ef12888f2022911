//! Detached payloads that come in pieces, verified in constant memory.

mod examine;
mod pending;

use std::fmt;

pub use examine::{DetachedExaminer, DetachedReport};

use crate::{
    VerifyError,
    jws::{Require, VerifiedSignature, Verifier, detached::compact_envelope},
};

impl Verifier {
    /// Begins to verify a compact JWS (`header..signature`) whose payload comes in pieces.
    ///
    /// Memory does not grow with the payload. That is possible for HMAC, RSA and ECDSA; EdDSA and
    /// ML-DSA need the message as a whole.
    ///
    /// # Errors
    ///
    /// As [`verify_detached`](Self::verify_detached), except that the signature itself is decided by
    /// [`DetachedVerifier::finish`]; and [`NeedsWholeMessage`](crate::VerifyErrorKind::NeedsWholeMessage).
    ///
    /// # Examples
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, VerifyErrorKind, jws::{Signer, Verifier}};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?;
    /// let token = Signer::new(&key).sign_detached(b"a long document")?;
    ///
    /// let verifier = Verifier::builder([Alg::Es256]).key(key.verifying_key()).build()?;
    /// let mut stream = verifier.start_detached(&token)?;
    /// for piece in [&b"a long "[..], b"document"] {
    ///     stream.update(piece);
    /// }
    /// assert_eq!(stream.finish()?.payload_bytes(), 15);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn start_detached(&self, jws: &str) -> Result<DetachedVerifier<'_>, VerifyError> {
        DetachedVerifier::start(self.0.start_examining(&compact_envelope(&self.0, jws)?)?, Require::All)
    }

    /// Begins to verify a JSON JWS of either form whose payload comes in pieces; otherwise as
    /// [`start_detached`](Self::start_detached).
    ///
    /// Every signature that can be valid is computed at once, whatever is required.
    ///
    /// # Errors
    ///
    /// As [`start_detached`](Self::start_detached), and as
    /// [`verify_general`](Self::verify_general) if the requirement cannot be met any more;
    /// [`NeedsWholeMessage`](crate::VerifyErrorKind::NeedsWholeMessage) if that is so for want of signatures by EdDSA or ML-DSA,
    /// which [`verify_detached_json`](Self::verify_detached_json) verifies.
    ///
    /// # Examples
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, jws::{Require, Signer, Verifier, sign_general_detached}};
    ///
    /// let (one, two) = (SigningKey::generate(Alg::Es256)?, SigningKey::generate(Alg::Es384)?);
    /// let token = sign_general_detached(&[&Signer::new(&one), &Signer::new(&two)], b"a document")?;
    ///
    /// let verifier = Verifier::builder([Alg::Es256, Alg::Es384])
    ///     .key(one.verifying_key())
    ///     .key(two.verifying_key())
    ///     .build()?;
    /// let mut stream = verifier.start_detached_json(&token, Require::AtLeast(2))?;
    /// stream.update(b"a document");
    /// assert_eq!(stream.finish()?.signatures().len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn start_detached_json(
        &self,
        json: &str,
        require: Require,
    ) -> Result<DetachedVerifier<'_>, VerifyError> {
        DetachedVerifier::start(self.0.start_examining(&self.0.envelope(json)?)?, require)
    }
}

/// A payload of which some pieces have come, and the signatures that it must fit.
///
/// Made by [`Verifier::start_detached`] and [`Verifier::start_detached_json`].
///
/// ```
/// use std::io::Read;
/// use sealwright_jose::{Alg, MacKey, jws::{Signer, Verifier}};
///
/// let key = MacKey::generate(Alg::Hs256)?;
/// let token = Signer::mac(&key).sign_detached(&[b'x'; 100_000])?;
/// let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build()?;
///
/// let mut file = std::io::repeat(b'x').take(100_000); // or a `File`
/// let (mut stream, mut buffer) = (verifier.start_detached(&token)?, [0; 8192]);
/// loop {
///     match file.read(&mut buffer)? {
///         0 => break,
///         len => stream.update(&buffer[..len]),
///     }
/// }
/// assert!(stream.finish().is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DetachedVerifier<'v> {
    require: Require,
    examiner: DetachedExaminer<'v>,
}

impl<'v> DetachedVerifier<'v> {
    /// What cannot be met any more is refused before anybody sends the payload. If it could be met by
    /// signatures that need the whole of it, the caller learns that.
    fn start(examiner: DetachedExaminer<'v>, require: Require) -> Result<Self, VerifyError> {
        examiner.check(require)?;
        Ok(Self { require, examiner })
    }

    /// Adds the next piece of the payload, of any length.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Signer, Verifier}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(&key).build()?;
    /// let token = Signer::mac(&key).sign_detached(b"a document")?;
    /// for pieces in [&[&b"a document"[..]][..], &[b"a ", b"", b"document"]] {
    ///     let mut stream = verifier.start_detached(&token)?;
    ///     pieces.iter().for_each(|piece| stream.update(piece));
    ///     assert!(stream.finish().is_ok(), "where it was cut does not matter");
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn update(&mut self, piece: &[u8]) {
        self.examiner.update(piece);
    }

    /// Decides, now that the payload is complete.
    ///
    /// # Errors
    ///
    /// As [`Verifier::verify_general`]: [`Signature`](crate::VerifyErrorKind::Signature) if the payload is not what was
    /// signed. [`NeedsWholeMessage`](crate::VerifyErrorKind::NeedsWholeMessage) if too few of the signatures that could be
    /// computed in pieces are valid, and there are others.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, VerifyErrorKind, jws::{Signer, Verifier}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(&key).build()?;
    /// let token = Signer::mac(&key).sign_detached(b"a document")?;
    /// let mut stream = verifier.start_detached(&token)?;
    /// stream.update(b"a docu"); // and there the connection broke
    /// assert_eq!(stream.finish().unwrap_err().kind(), VerifyErrorKind::Signature);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn finish(self) -> Result<VerifiedDetached<'v>, VerifyError> {
        self.examiner.finish().require(self.require)
    }
}

impl fmt::Debug for DetachedVerifier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DetachedVerifier")
            .field("require", &self.require)
            .field("examiner", &self.examiner)
            .finish()
    }
}

/// The signatures of a detached payload that were verified. The payload itself is with the caller.
///
/// ```
/// # use sealwright_jose::{Alg, MacKey, jws::{Signer, Verifier}};
/// # let key = MacKey::generate(Alg::Hs256)?;
/// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(&key).build()?;
/// let token = Signer::mac(&key).cty("application/pdf").sign_detached(b"%PDF-1.7")?;
/// let mut stream = verifier.start_detached(&token)?;
/// stream.update(b"%PDF-1.7");
/// let verified = stream.finish()?;
/// assert_eq!(verified.signatures()[0].header("cty"), Some("application/pdf".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct VerifiedDetached<'v> {
    signatures: Vec<VerifiedSignature<'v>>,
    unencoded: bool,
    payload_bytes: u64,
}

impl<'v> VerifiedDetached<'v> {
    /// The signatures that were verified, in the order of the token; never none.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Require, Signer, Verifier, sign_general_detached}};
    /// # let alice = MacKey::generate(Alg::Hs256)?.with_kid("alice");
    /// # let bob = MacKey::generate(Alg::Hs256)?.with_kid("bob");
    /// let token = sign_general_detached(&[&Signer::mac(&alice), &Signer::mac(&bob)], b"a document")?;
    /// let verifier = Verifier::builder([Alg::Hs256]).mac_key(bob).build()?;
    /// let mut stream = verifier.start_detached_json(&token, Require::Any)?;
    /// stream.update(b"a document");
    /// let verified = stream.finish()?;
    /// let by: Vec<_> = verified.signatures().iter().map(|one| (one.index(), one.key_kid())).collect();
    /// assert_eq!(by, [(1, Some("bob"))]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn signatures(&self) -> &[VerifiedSignature<'v>] {
        &self.signatures
    }

    /// How many bytes the payload had, as it came and not in base64url.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Signer, Verifier}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(&key).build()?;
    /// let token = Signer::mac(&key).sign_detached(b"hello")?;
    /// let mut stream = verifier.start_detached(&token)?;
    /// stream.update(b"hel");
    /// stream.update(b"lo");
    /// assert_eq!(stream.finish()?.payload_bytes(), 5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn payload_bytes(&self) -> u64 {
        self.payload_bytes
    }

    /// Whether the payload was signed as it is, not in base64url (RFC 7797, `"b64":false`).
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::Verifier};
    /// # let key = MacKey::from_jwk_as(Alg::Hs256, r#"{"kty":"oct",
    /// # "k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#)?;
    /// // RFC 7797 §4.2.
    /// let token = "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19..A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY";
    /// let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).unencoded().build()?;
    /// let mut stream = verifier.start_detached(token)?;
    /// stream.update(b"$.02");
    /// assert!(stream.finish()?.is_unencoded());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_unencoded(&self) -> bool {
        self.unencoded
    }
}

impl fmt::Debug for VerifiedDetached<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedDetached")
            .field("signatures", &self.signatures)
            .field("payload_bytes", &self.payload_bytes)
            .finish_non_exhaustive()
    }
}
