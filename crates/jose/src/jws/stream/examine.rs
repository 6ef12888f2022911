//! Each signature over a payload that comes in pieces, whatever is required of them in the end.

use std::fmt;

use super::{VerifiedDetached, pending::Pending};
use crate::{
    VerifyError,
    VerifyErrorKind::NeedsWholeMessage,
    base64url::StreamEncoder,
    jws::{
        Require, Scratch, VerifiedSignature, Verifier,
        general::{Refused, enough, one_encoding},
        json::Envelope,
        rules::Rules,
    },
};

impl Verifier {
    /// Begins to verify every signature of a JSON JWS of either form whose payload comes in pieces, to
    /// report on each.
    ///
    /// # Errors
    ///
    /// As [`examine_json`](Self::examine_json), and [`Malformed`](crate::VerifyErrorKind::Malformed) also
    /// if the token has a payload of its own. What is wrong with one signature is in the report; of one
    /// by EdDSA or ML-DSA that it [needs the whole message](NeedsWholeMessage).
    ///
    /// # Examples
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, VerifyErrorKind};
    /// use sealwright_jose::jws::{Require, Signer, Verifier, sign_general_detached};
    ///
    /// let (known, unknown) = (SigningKey::generate(Alg::Es256)?, SigningKey::generate(Alg::Es384)?);
    /// let token = sign_general_detached(&[&Signer::new(&known), &Signer::new(&unknown)], b"a document")?;
    ///
    /// let verifier = Verifier::builder([Alg::Es256]).key(known.verifying_key()).build()?;
    /// let mut stream = verifier.start_examining_json(&token)?;
    /// for piece in [&b"a docu"[..], b"ment"] {
    ///     stream.update(piece);
    /// }
    /// let report = stream.finish();
    /// assert!(report.signatures()[0].is_ok());
    /// let refused = report.signatures()[1].as_ref().map_err(|error| error.kind());
    /// assert_eq!(refused.err(), Some(VerifyErrorKind::AlgNotAllowed));
    /// assert_eq!(report.require(Require::Any)?.payload_bytes(), 10);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn start_examining_json(&self, json: &str) -> Result<DetachedExaminer<'_>, VerifyError> {
        self.0.start_examining(&self.0.envelope(json)?)
    }
}

impl Rules {
    pub(super) fn start_examining<'v>(
        &'v self,
        envelope: &Envelope<'_>,
    ) -> Result<DetachedExaminer<'v>, VerifyError> {
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
        let begun = entries.iter().zip(readings).enumerate().map(|(index, (entry, reading))| {
            reading.decision.and_then(|decision| Pending::start(self, index, entry, &decision))
        });
        let (encoder, outcomes) = (StreamEncoder::default(), begun.collect());
        Ok(DetachedExaminer { unencoded, encoder, outcomes, payload_bytes: 0 })
    }
}

/// A payload of which some pieces have come, and each signature over it.
///
/// Made by [`Verifier::start_examining_json`].
///
/// ```
/// use sealwright_jose::{Alg, MacKey, jws::{Signer, Verifier, sign_general_detached}};
///
/// let (alice, bob) = (MacKey::generate(Alg::Hs256)?, MacKey::generate(Alg::Hs512)?);
/// let token = sign_general_detached(&[&Signer::mac(&alice), &Signer::mac(&bob)], b"a document")?;
/// let verifier = Verifier::builder([Alg::Hs256, Alg::Hs512]).mac_key(alice).mac_key(bob).build()?;
/// let mut stream = verifier.start_examining_json(&token)?;
/// stream.update(b"a document"); // read once, for both
/// let report = stream.finish();
/// assert!(report.signatures().iter().all(|outcome| outcome.is_ok()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DetachedExaminer<'v> {
    unencoded: bool,
    encoder: StreamEncoder,
    /// What is still open, and what is refused already.
    outcomes: Vec<Result<Pending<'v>, VerifyError>>,
    payload_bytes: u64,
}

impl<'v> DetachedExaminer<'v> {
    /// Whether there is a signature that nothing but the payload as a whole can decide, which
    /// [`examine_detached_json`](Verifier::examine_detached_json) takes.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, SigningKey, jws::{Require, Scratch, Signer, Verifier}};
    /// let key = SigningKey::generate(Alg::Ed25519)?;
    /// let token = Signer::new(&key).sign_flattened_detached(b"a document")?;
    /// let verifier = Verifier::builder([Alg::Ed25519]).key(key.verifying_key()).build()?;
    /// assert!(verifier.start_examining_json(&token)?.needs_whole_message());
    ///
    /// let mut scratch = Scratch::new();
    /// let report = verifier.examine_detached_json(&token, b"a document", &mut scratch)?;
    /// assert!(report.require(Require::All).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn needs_whole_message(&self) -> bool {
        self.refused().any(|error| error.kind() == NeedsWholeMessage)
    }

    /// Whether each signature is refused, whatever the payload is, so that nobody need send or read it.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Signer, Verifier}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(&key).build()?;
    /// let by_stranger = Signer::mac(&MacKey::generate(Alg::Hs512)?).sign_flattened_detached(b"a document")?;
    /// assert!(verifier.start_examining_json(&by_stranger)?.is_hopeless());
    /// let by_us = Signer::mac(&key).sign_flattened_detached(b"a document")?;
    /// assert!(!verifier.start_examining_json(&by_us)?.is_hopeless());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_hopeless(&self) -> bool {
        self.pending().next().is_none() && !self.needs_whole_message()
    }

    /// Adds the next piece of the payload, of any length.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Signer, Verifier}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(&key).build()?;
    /// let token = Signer::mac(&key).sign_flattened_detached(b"one\ntwo\n")?;
    /// let mut stream = verifier.start_examining_json(&token)?;
    /// for line in ["one", "two"] {
    ///     stream.update(line.as_bytes());
    ///     stream.update(b"\n");
    /// }
    /// assert!(stream.finish().signatures()[0].is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn update(&mut self, piece: &[u8]) {
        self.payload_bytes += piece.len() as u64;
        let outcomes = &mut self.outcomes;
        let take = |text: &[u8]| outcomes.iter_mut().flatten().for_each(|one| one.update(text));
        if self.unencoded {
            let mut take = take;
            take(piece);
        } else {
            self.encoder.update(piece, take);
        }
    }

    /// The outcome of each signature, now that the payload is complete. It never fails as a whole.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, VerifyErrorKind, jws::{Signer, Verifier}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(&key).build()?;
    /// let token = Signer::mac(&key).sign_flattened_detached(b"a document")?;
    /// let mut stream = verifier.start_examining_json(&token)?;
    /// stream.update(b"another document");
    /// let report = stream.finish();
    /// let refused = report.signatures()[0].as_ref().map_err(|error| error.kind());
    /// assert_eq!(refused.err(), Some(VerifyErrorKind::Signature));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn finish(mut self) -> DetachedReport<'v> {
        let outcomes = &mut self.outcomes;
        if !self.unencoded {
            self.encoder.finish(|text| outcomes.iter_mut().flatten().for_each(|one| one.update(text)));
        }
        let decided = self.outcomes.into_iter().map(|outcome| outcome.and_then(Pending::finish));
        DetachedReport {
            outcomes: decided.collect(),
            unencoded: self.unencoded,
            payload_bytes: self.payload_bytes,
        }
    }

    /// Refuses what cannot be met any more.
    pub(super) fn check(&self, require: Require) -> Result<(), VerifyError> {
        let mut refused = Refused::default();
        self.refused().for_each(|error| refused.add(*error));
        let possible: Vec<_> = self.pending().flat_map(Pending::keys).collect();
        refused.check(require, &possible)
    }

    fn pending(&self) -> impl Iterator<Item = &Pending<'v>> {
        self.outcomes.iter().flatten()
    }

    fn refused(&self) -> impl Iterator<Item = &VerifyError> {
        self.outcomes.iter().filter_map(|outcome| outcome.as_ref().err())
    }
}

impl fmt::Debug for DetachedExaminer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DetachedExaminer")
            .field("signatures", &self.outcomes.len())
            .field("payload_bytes", &self.payload_bytes)
            .finish_non_exhaustive()
    }
}

/// The outcome of each signature over a payload that came in pieces, in order, as
/// [`Report`](super::super::Report) of one that is there.
///
/// Made by [`DetachedExaminer::finish`].
///
/// ```
/// # use sealwright_jose::{Alg, MacKey, jws::{Require, Signer, Verifier}};
/// # let key = MacKey::generate(Alg::Hs256)?;
/// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(&key).build()?;
/// let token = Signer::mac(&key).sign_flattened_detached(b"a document")?;
/// let mut stream = verifier.start_examining_json(&token)?;
/// stream.update(b"a document");
/// let report = stream.finish();
/// let valid = report.signatures().iter().filter(|outcome| outcome.is_ok()).count();
/// assert_eq!(valid, 1);
/// assert_eq!(report.require(Require::AtLeast(1))?.payload_bytes(), 10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DetachedReport<'v> {
    outcomes: Vec<Result<VerifiedSignature<'v>, VerifyError>>,
    unencoded: bool,
    payload_bytes: u64,
}

impl<'v> DetachedReport<'v> {
    /// Each signature, in the order of the token: its verified header and key, or why it was refused.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Signer, Verifier, sign_general_detached}};
    /// # let alice = MacKey::generate(Alg::Hs256)?.with_kid("alice");
    /// # let bob = MacKey::generate(Alg::Hs256)?.with_kid("bob");
    /// let token = sign_general_detached(&[&Signer::mac(&alice), &Signer::mac(&bob)], b"a document")?;
    /// let verifier = Verifier::builder([Alg::Hs256]).mac_key(bob).build()?;
    /// let mut stream = verifier.start_examining_json(&token)?;
    /// stream.update(b"a document");
    /// let report = stream.finish();
    /// let valid: Vec<_> = report.signatures().iter().flatten().map(|valid| valid.key_kid()).collect();
    /// assert_eq!((report.signatures().len(), valid), (2, vec![Some("bob")]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn signatures(&self) -> &[Result<VerifiedSignature<'v>, VerifyError>] {
        &self.outcomes
    }

    /// The valid signatures, if they are as many as required.
    ///
    /// # Errors
    ///
    /// As [`Report::require`](super::super::Report::require);
    /// [`NeedsWholeMessage`] if those of which only the whole payload tells could decide.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, SigningKey, VerifyErrorKind};
    /// # use sealwright_jose::jws::{Require, Signer, Verifier, sign_general_detached};
    /// let (pair, secret) = (SigningKey::generate(Alg::Ed25519)?, MacKey::generate(Alg::Hs256)?);
    /// let token = sign_general_detached(&[&Signer::new(&pair), &Signer::mac(&secret)], b"a document")?;
    /// let verifier = Verifier::builder([Alg::Ed25519, Alg::Hs256]).key(pair.verifying_key());
    /// let verifier = verifier.mac_key(secret).build()?;
    /// let require = |require| {
    ///     let mut stream = verifier.start_examining_json(&token)?;
    ///     stream.update(b"a document");
    ///     stream.finish().require(require).map(|verified| verified.signatures()[0].alg())
    /// };
    /// assert_eq!(require(Require::Any), Ok(Alg::Hs256));
    /// assert_eq!(require(Require::All), Err(VerifyErrorKind::NeedsWholeMessage.into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn require(self, require: Require) -> Result<VerifiedDetached<'v>, VerifyError> {
        let signatures = enough(self.outcomes, require)?;
        let (unencoded, payload_bytes) = (self.unencoded, self.payload_bytes);
        Ok(VerifiedDetached { signatures, unencoded, payload_bytes })
    }
}

impl fmt::Debug for DetachedReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DetachedReport")
            .field("signatures", &self.outcomes)
            .field("payload_bytes", &self.payload_bytes)
            .finish_non_exhaustive()
    }
}
