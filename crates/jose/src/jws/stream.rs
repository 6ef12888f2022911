//! Detached payloads that come in pieces, verified in constant memory.

use std::fmt;

use crate::{
    Hasher, VerifyError, VerifyErrorKind,
    base64url::{self, StreamEncoder},
    jws::{
        Require, Scratch, VerifiedSignature, Verifier,
        detached::compact_envelope,
        general::{Refused, one_encoding},
        json::{Entry, Envelope},
        rules::{AnyKey, Decision, Rules},
    },
    provider::MacContext,
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
    /// [`DetachedVerifier::finish`]; and [`VerifyErrorKind::NeedsWholeMessage`].
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
        self.0.start(&compact_envelope(&self.0, jws)?, Require::All)
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
    /// [`VerifyErrorKind::NeedsWholeMessage`] if that is so for want of signatures by EdDSA or ML-DSA,
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
        self.0.start(&self.0.envelope(json)?, require)
    }
}

impl Rules {
    fn start<'v>(
        &'v self,
        envelope: &Envelope<'_>,
        require: Require,
    ) -> Result<DetachedVerifier<'v>, VerifyError> {
        let entries = envelope.entries.as_slice();
        for entry in entries {
            self.check_signature(&entry.signature)?;
        }
        let source = self.source(envelope.payload.as_deref(), Some(&[]))?;
        let mut scratch = Scratch::new();
        let mut room = scratch.room(source.room(entries));
        let readings: Vec<_> =
            entries.iter().map(|entry| self.read(&entry.protected, entry.header, &mut room)).collect();
        let unencoded = one_encoding(&readings)?;

        let (mut pending, mut refused) = (Vec::with_capacity(entries.len()), Refused::default());
        for (index, (entry, reading)) in entries.iter().zip(readings).enumerate() {
            match reading.decision.and_then(|decision| self.pend(index, entry, &decision)) {
                Ok(one) => pending.push(one),
                Err(error) => refused.add(error),
            }
        }
        // What cannot be met any more is refused before anybody sends the payload. If it could be met by
        // signatures that need the whole of it, the caller learns that.
        let possible: Vec<_> = pending.iter().flat_map(Pending::keys).collect();
        refused.check(require, &possible)?;
        let encoder = StreamEncoder::default();
        Ok(DetachedVerifier { require, unencoded, encoder, pending, refused, payload_bytes: 0 })
    }

    fn pend<'v>(
        &'v self,
        index: usize,
        entry: &Entry<'_>,
        decision: &Decision<'_>,
    ) -> Result<Pending<'v>, VerifyError> {
        let signature = base64url::decode(&entry.signature).map_err(|_| VerifyErrorKind::Malformed)?;
        let mut tries = Vec::new();
        for key in decision.fit.keys() {
            let key = &self.keys[*key];
            let mut state = State::start(key)?;
            state.update(entry.protected.as_bytes());
            state.update(b".");
            tries.push((key, state));
        }
        let verified = VerifiedSignature::owned(index, decision, tries[0].0);
        Ok(Pending { verified, signature, tries })
    }
}

/// A payload of which some pieces have come, and the signatures that it must fit.
///
/// Made by [`Verifier::start_detached`] and [`Verifier::start_detached_json`].
pub struct DetachedVerifier<'v> {
    require: Require,
    unencoded: bool,
    encoder: StreamEncoder,
    pending: Vec<Pending<'v>>,
    refused: Refused,
    payload_bytes: u64,
}

impl<'v> DetachedVerifier<'v> {
    /// Adds the next piece of the payload.
    pub fn update(&mut self, piece: &[u8]) {
        self.payload_bytes += piece.len() as u64;
        let pending = &mut self.pending;
        let mut take = |text: &[u8]| pending.iter_mut().for_each(|one| one.update(text));
        if self.unencoded { take(piece) } else { self.encoder.update(piece, take) }
    }

    /// Decides, now that the payload is complete.
    ///
    /// # Errors
    ///
    /// As [`Verifier::verify_general`]: [`VerifyErrorKind::Signature`] if the payload is not what was
    /// signed. [`VerifyErrorKind::NeedsWholeMessage`] if too few of the signatures that could be
    /// computed in pieces are valid, and there are others.
    pub fn finish(mut self) -> Result<VerifiedDetached<'v>, VerifyError> {
        let pending = &mut self.pending;
        if !self.unencoded {
            self.encoder.finish(|text| pending.iter_mut().for_each(|one| one.update(text)));
        }
        let mut signatures = Vec::with_capacity(self.pending.len());
        for one in self.pending {
            match one.finish() {
                Ok(signature) => signatures.push(signature),
                Err(error) => self.refused.add(error),
            }
        }
        let keys: Vec<_> = signatures.iter().map(|signature| signature.key).collect();
        self.refused.check(self.require, &keys)?;
        let (unencoded, payload_bytes) = (self.unencoded, self.payload_bytes);
        Ok(VerifiedDetached { signatures, unencoded, payload_bytes })
    }
}

impl fmt::Debug for DetachedVerifier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DetachedVerifier")
            .field("signatures", &self.pending.len())
            .field("payload_bytes", &self.payload_bytes)
            .finish_non_exhaustive()
    }
}

/// One signature that may turn out valid.
struct Pending<'v> {
    /// What is shown of it then.
    verified: VerifiedSignature<'v>,
    signature: Vec<u8>,
    tries: Vec<(&'v AnyKey, State)>,
}

impl<'v> Pending<'v> {
    fn keys(&self) -> impl Iterator<Item = &'v AnyKey> {
        self.tries.iter().map(|(key, _)| *key)
    }

    fn update(&mut self, text: &[u8]) {
        for (_, state) in &mut self.tries {
            state.update(text);
        }
    }

    fn finish(self) -> Result<VerifiedSignature<'v>, VerifyError> {
        let valid =
            self.tries.into_iter().find_map(|(key, state)| state.finish(key, &self.signature).then_some(key));
        match valid {
            Some(key) => Ok(self.verified.by(key)),
            None => Err(VerifyErrorKind::Signature.into()),
        }
    }
}

/// What has been computed of one signature.
enum State {
    Digest(Hasher),
    Mac(Box<MacContext>),
}

impl State {
    fn start(key: &AnyKey) -> Result<Self, VerifyError> {
        match key {
            AnyKey::Public(key) => {
                let hash = key.alg().digest().ok_or(VerifyErrorKind::NeedsWholeMessage)?;
                Ok(Self::Digest(Hasher::new(hash)))
            }
            AnyKey::Mac(key) => Ok(Self::Mac(Box::new(key.start_verifying()?))),
        }
    }

    fn update(&mut self, data: &[u8]) {
        match self {
            Self::Digest(hasher) => hasher.update(data),
            Self::Mac(context) => context.update(data),
        }
    }

    fn finish(self, key: &AnyKey, signature: &[u8]) -> bool {
        match (self, key) {
            (Self::Digest(hasher), AnyKey::Public(key)) => {
                key.verify_digest(&hasher.finish(), signature).is_ok()
            }
            (Self::Mac(context), AnyKey::Mac(_)) => context.verify(signature),
            _ => false,
        }
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
