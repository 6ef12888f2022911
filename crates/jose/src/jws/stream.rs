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

    /// Adds the next piece of the payload.
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
pub struct VerifiedDetached<'v> {
    signatures: Vec<VerifiedSignature<'v>>,
    unencoded: bool,
    payload_bytes: u64,
}

impl<'v> VerifiedDetached<'v> {
    /// The signatures that were verified, in the order of the token; never none.
    pub fn signatures(&self) -> &[VerifiedSignature<'v>] {
        &self.signatures
    }

    /// How many bytes the payload had.
    pub fn payload_bytes(&self) -> u64 {
        self.payload_bytes
    }

    /// Whether the payload was signed as it is, not in base64url (RFC 7797, `"b64":false`).
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
