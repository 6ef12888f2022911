//! The general JSON serialization (RFC 7515 §7.2.1): several signatures over one payload.

use std::fmt;

use crate::{
    VerifyError, VerifyErrorKind,
    jws::{
        Scratch, VerifiedSignature, Verifier,
        json::Envelope,
        rules::{AnyKey, Reading, Rules},
    },
};

/// How many of the signatures must be valid.
///
/// Whoever passes a token on can remove signatures from it and add some of their own; only what is
/// in one signature is protected. So say what the payload needs, not what the sender sent:
///
/// ```
/// use sealwright_jose::{Alg, SigningKey, jws::{Require, Scratch, Signer, Verifier}};
///
/// let (alice, bob) = (SigningKey::generate(Alg::Es256)?, SigningKey::generate(Alg::Ed25519)?);
/// let verifier = Verifier::builder([Alg::Es256, Alg::Ed25519])
///     .key(alice.verifying_key())
///     .key(bob.verifying_key())
///     .build()?;
///
/// let by_alice: serde_json::Value = serde_json::from_str(&Signer::new(&alice).sign_flattened(b"hello")?)?;
/// let by_bob: serde_json::Value = serde_json::from_str(&Signer::new(&bob).sign_flattened(b"hello")?)?;
/// let signature = |of: &serde_json::Value| serde_json::json!({
///     "protected": of["protected"], "signature": of["signature"],
/// });
/// let both = serde_json::json!({
///     "payload": by_alice["payload"], "signatures": [signature(&by_alice), signature(&by_bob)],
/// });
/// let stripped = serde_json::json!({
///     "payload": by_alice["payload"], "signatures": [signature(&by_alice), signature(&by_alice)],
/// });
///
/// let verify = |json: &serde_json::Value, require| {
///     let mut scratch = Scratch::new();
///     verifier.verify_general(&json.to_string(), require, &mut scratch).is_ok()
/// };
/// assert!(verify(&both, Require::AtLeast(2)));
/// assert!(verify(&stripped, Require::All), "each of those that are left is valid");
/// assert!(!verify(&stripped, Require::AtLeast(2)), "but both are of one key");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Require {
    /// Every signature that is there, and at least one.
    ///
    /// One that was removed is not missed, and one that somebody added makes the whole invalid.
    All,
    /// At least one. The first valid one is reported, and those after it are not looked at.
    Any,
    /// Valid signatures of at least that many different keys; zero is never met. Two keys are
    /// different if their numbers are, whatever `kid` and algorithm they go by.
    ///
    /// Signatures after the last one that is needed are not looked at.
    AtLeast(usize),
}

impl Require {
    /// Whether valid signatures of these keys are enough, whatever else there is.
    fn is_met(self, keys: &[&AnyKey]) -> bool {
        match self {
            Self::All => false,
            Self::Any => !keys.is_empty(),
            Self::AtLeast(wanted) => wanted > 0 && distinct(keys) >= wanted,
        }
    }
}

fn distinct(keys: &[&AnyKey]) -> usize {
    let is_first = |(n, key): &(usize, &&AnyKey)| !keys[..*n].iter().any(|other| other.same_key(key));
    keys.iter().enumerate().filter(is_first).count()
}

/// The outcome of each signature of a JSON JWS, in order, and the payload for whoever then says how
/// many of them are needed.
///
/// ```
/// use sealwright_jose::{Alg, SigningKey, VerifyErrorKind};
/// use sealwright_jose::jws::{Require, Scratch, Signer, Verifier, sign_general};
///
/// let (known, unknown) = (SigningKey::generate(Alg::Es256)?.with_kid("a"), SigningKey::generate(Alg::Es256)?.with_kid("b"));
/// let json = sign_general(&[&Signer::new(&known), &Signer::new(&unknown)], b"hello")?;
///
/// let verifier = Verifier::builder([Alg::Es256]).key(known.verifying_key()).build()?;
/// let mut scratch = Scratch::new();
/// let report = verifier.examine_json(&json, &mut scratch)?;
/// assert_eq!(report.signatures()[0].as_ref().map(|valid| valid.kid()), Ok(Some("a")));
/// assert_eq!(report.signatures()[1].as_ref().map_err(|error| error.kind()).err(), Some(VerifyErrorKind::KeyUnknown));
/// assert_eq!(report.require(Require::Any)?.payload(), b"hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Report<'t> {
    payload: &'t [u8],
    unencoded: bool,
    outcomes: Vec<Result<VerifiedSignature<'t>, VerifyError>>,
}

impl<'t> Report<'t> {
    /// Each signature, in the order of the token: its verified header and key, or why it was refused.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey};
    /// # use sealwright_jose::jws::{Scratch, Signer, Verifier, sign_general};
    /// # let alice = MacKey::generate(Alg::Hs256)?.with_kid("alice");
    /// # let bob = MacKey::generate(Alg::Hs256)?.with_kid("bob");
    /// # let mut scratch = Scratch::new();
    /// let json = sign_general(&[&Signer::mac(&alice), &Signer::mac(&bob)], b"hello")?;
    /// let verifier = Verifier::builder([Alg::Hs256]).mac_key(alice).build()?;
    /// let report = verifier.examine_json(&json, &mut scratch)?;
    /// let lines = report.signatures().iter().map(|outcome| match outcome {
    ///     Ok(valid) => format!("valid, by {}", valid.key_kid().unwrap_or("a key without name")),
    ///     Err(error) => format!("refused: {}", error.kind()),
    /// });
    /// assert_eq!(lines.collect::<Vec<_>>(), ["valid, by alice", "refused: no key fits"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn signatures(&self) -> &[Result<VerifiedSignature<'t>, VerifyError>] {
        &self.outcomes
    }

    /// The payload and the valid signatures, if they are as many as required.
    ///
    /// # Errors
    ///
    /// Of the kind of what was refused, if that decides; [`VerifyErrorKind::Threshold`] if there are
    /// several kinds, or too few keys.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, VerifyErrorKind};
    /// # use sealwright_jose::jws::{Require, Scratch, Signer, Verifier, sign_general};
    /// # let alice = MacKey::generate(Alg::Hs256)?.with_kid("alice");
    /// # let bob = MacKey::generate(Alg::Hs256)?.with_kid("bob");
    /// # let mut scratch = Scratch::new();
    /// let json = sign_general(&[&Signer::mac(&alice), &Signer::mac(&bob)], b"hello")?;
    /// let verifier = Verifier::builder([Alg::Hs256]).mac_key(alice).build()?;
    /// let mut require = |require| {
    ///     let report = verifier.examine_json(&json, &mut scratch)?;
    ///     report.require(require).map(|verified| verified.signatures().len())
    /// };
    /// assert_eq!(require(Require::Any), Ok(1));
    /// assert_eq!(require(Require::All), Err(VerifyErrorKind::KeyUnknown.into()));
    /// assert_eq!(require(Require::AtLeast(2)), Err(VerifyErrorKind::Threshold.into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn require(self, require: Require) -> Result<VerifiedGeneral<'t>, VerifyError> {
        let signatures = enough(self.outcomes, require)?;
        Ok(VerifiedGeneral { payload: self.payload, unencoded: self.unencoded, signatures })
    }
}

/// The valid signatures, if they are as many as required.
pub(super) fn enough<'t>(
    outcomes: Vec<Result<VerifiedSignature<'t>, VerifyError>>,
    require: Require,
) -> Result<Vec<VerifiedSignature<'t>>, VerifyError> {
    let (mut valid, mut refused) = (Vec::with_capacity(outcomes.len()), Refused::default());
    for outcome in outcomes {
        match outcome {
            Ok(signature) => valid.push(signature),
            Err(error) => refused.add(error),
        }
    }
    let keys: Vec<_> = valid.iter().map(|signature| signature.key).collect();
    refused.check(require, &keys)?;
    Ok(valid)
}

impl fmt::Debug for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report").field("signatures", &self.outcomes).finish_non_exhaustive()
    }
}

/// What the refused signatures have in common.
#[derive(Default)]
pub(super) struct Refused {
    first: Option<VerifyError>,
    differ: bool,
    /// Whether one of them may be valid, which only the message as a whole will tell.
    undecided: bool,
}

impl Refused {
    pub(super) fn add(&mut self, error: VerifyError) {
        self.undecided |= error.kind() == VerifyErrorKind::NeedsWholeMessage;
        self.differ |= self.first.is_some_and(|first| first != error);
        self.first.get_or_insert(error);
    }

    /// Whether valid signatures of these keys, beside the refused ones, are what is required.
    pub(super) fn check(&self, require: Require, keys: &[&AnyKey]) -> Result<(), VerifyError> {
        match (require, self.first) {
            (Require::All, Some(error)) => Err(error),
            (Require::All, None) if !keys.is_empty() => Ok(()),
            _ if require.is_met(keys) => Ok(()),
            _ if self.undecided => Err(VerifyErrorKind::NeedsWholeMessage.into()),
            (_, Some(error)) if keys.is_empty() && !self.differ => Err(error),
            _ => Err(VerifyErrorKind::Threshold.into()),
        }
    }
}

/// A payload with enough valid signatures. Only those are shown.
///
/// ```
/// use sealwright_jose::{Alg, MacKey, jws::{Require, Scratch, Signer, Verifier, sign_general}};
///
/// let keys = [MacKey::generate(Alg::Hs256)?, MacKey::generate(Alg::Hs384)?];
/// let json = sign_general(&[&Signer::mac(&keys[0]), &Signer::mac(&keys[1])], b"hello")?;
/// let verifier = Verifier::builder([Alg::Hs256, Alg::Hs384]).mac_keys(&keys).build()?;
/// let mut scratch = Scratch::new();
/// let verified = verifier.verify_general(&json, Require::Any, &mut scratch)?;
/// assert_eq!(verified.payload(), b"hello");
/// assert_eq!(verified.signatures().len(), 1, "the second was not needed, and not looked at");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct VerifiedGeneral<'t> {
    payload: &'t [u8],
    unencoded: bool,
    signatures: Vec<VerifiedSignature<'t>>,
}

impl<'t> VerifiedGeneral<'t> {
    /// The bytes that were signed as payload, decoded. There may be none.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Require, Scratch, Signer, Verifier, sign_general}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let mut scratch = Scratch::new();
    /// let json = sign_general(&[&Signer::mac(&key)], b"")?;
    /// assert!(json.starts_with(r#"{"payload":"","#));
    /// let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build()?;
    /// assert_eq!(verifier.verify_general(&json, Require::All, &mut scratch)?.payload(), b"");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn payload(&self) -> &'t [u8] {
        self.payload
    }

    /// The signatures that were verified, in the order of the token; never none.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey};
    /// # use sealwright_jose::jws::{Require, Scratch, Signer, Verifier, sign_general};
    /// # let alice = MacKey::generate(Alg::Hs256)?.with_kid("alice");
    /// # let bob = MacKey::generate(Alg::Hs256)?.with_kid("bob");
    /// # let mut scratch = Scratch::new();
    /// let json = sign_general(&[&Signer::mac(&alice), &Signer::mac(&bob)], b"a contract")?;
    /// let verifier = Verifier::builder([Alg::Hs256]).mac_key(bob).mac_key(alice).build()?;
    /// let verified = verifier.verify_general(&json, Require::All, &mut scratch)?;
    /// let is_by = |kid| verified.signatures().iter().any(|signature| signature.key_kid() == Some(kid));
    /// assert!(is_by("alice") && is_by("bob") && !is_by("carol"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn signatures(&self) -> &[VerifiedSignature<'t>] {
        &self.signatures
    }

    /// Whether the payload was signed as it is, not in base64url (RFC 7797, `"b64":false`).
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Require, Scratch, Signer, Verifier, sign_general}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let mut scratch = Scratch::new();
    /// let json = sign_general(&[&Signer::mac(&key).unencoded()], "5 €".as_bytes())?;
    /// assert!(json.starts_with(r#"{"payload":"5 €","#), "for people to read");
    /// let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).unencoded().build()?;
    /// assert!(verifier.verify_general(&json, Require::All, &mut scratch)?.is_unencoded());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_unencoded(&self) -> bool {
        self.unencoded
    }
}

impl fmt::Debug for VerifiedGeneral<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedGeneral")
            .field("signatures", &self.signatures)
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

impl Verifier {
    /// Verifies a general JSON JWS and lends its payload. Flattened ones are refused.
    ///
    /// # Errors
    ///
    /// As [`verify_compact`](Self::verify_compact); and as [`Report::require`] if not enough
    /// signatures are valid.
    ///
    /// # Examples
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, VerifyErrorKind};
    /// use sealwright_jose::jws::{Require, Scratch, Signer, Verifier, sign_general};
    ///
    /// let (alice, bob) = (SigningKey::generate(Alg::Es256)?, SigningKey::generate(Alg::Ed25519)?);
    /// let token = sign_general(&[&Signer::new(&alice), &Signer::new(&bob)], b"a contract")?;
    ///
    /// let verifier = Verifier::builder([Alg::Es256, Alg::Ed25519])
    ///     .key(alice.verifying_key())
    ///     .key(bob.verifying_key())
    ///     .build()?;
    /// let mut scratch = Scratch::new();
    /// let verified = verifier.verify_general(&token, Require::AtLeast(2), &mut scratch)?;
    /// assert_eq!((verified.payload(), verified.signatures().len()), (&b"a contract"[..], 2));
    ///
    /// let error = verifier.verify_general(&token, Require::AtLeast(3), &mut scratch).unwrap_err();
    /// assert_eq!(error.kind(), VerifyErrorKind::Threshold);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify_general<'t>(
        &'t self,
        json: &'t str,
        require: Require,
        scratch: &'t mut Scratch,
    ) -> Result<VerifiedGeneral<'t>, VerifyError> {
        let envelope = self.0.envelope(json)?;
        if !envelope.is_general() {
            return Err(VerifyErrorKind::Malformed.into());
        }
        self.0.examine(&envelope, None, Some(require), scratch)?.require(require)
    }

    /// Verifies a JSON JWS of either form and lends its payload.
    ///
    /// # Errors
    ///
    /// As [`verify_general`](Self::verify_general).
    ///
    /// # Examples
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, jws::{Require, Scratch, Signer, Verifier}};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?.with_kid("k1");
    /// let json = Signer::new(&key).sign_flattened(b"hello")?;
    /// let verifier = Verifier::builder([Alg::Es256]).key(key.verifying_key()).build()?;
    /// let mut scratch = Scratch::new();
    /// let verified = verifier.verify_json(&json, Require::All, &mut scratch)?;
    /// assert_eq!(verified.payload(), b"hello");
    /// assert_eq!(verified.signatures()[0].kid(), Some("k1"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify_json<'t>(
        &'t self,
        json: &'t str,
        require: Require,
        scratch: &'t mut Scratch,
    ) -> Result<VerifiedGeneral<'t>, VerifyError> {
        self.0.examine(&self.0.envelope(json)?, None, Some(require), scratch)?.require(require)
    }

    /// Verifies every signature of a JSON JWS of either form and reports on each.
    ///
    /// # Errors
    ///
    /// As [`verify_compact`](Self::verify_compact), but only for what concerns the whole; what is
    /// wrong with one signature is in the report.
    ///
    /// # Examples
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, jws::{Require, Scratch, Signer, Verifier}};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?;
    /// let json = Signer::new(&key).sign_flattened(b"hello")?;
    /// let verifier = Verifier::builder([Alg::Es256]).key(key.verifying_key()).build()?;
    /// let mut scratch = Scratch::new();
    /// let report = verifier.examine_json(&json, &mut scratch)?;
    /// assert!(report.signatures()[0].is_ok());
    /// assert_eq!(report.require(Require::AtLeast(1))?.payload(), b"hello");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn examine_json<'t>(
        &'t self,
        json: &'t str,
        scratch: &'t mut Scratch,
    ) -> Result<Report<'t>, VerifyError> {
        self.0.examine(&self.0.envelope(json)?, None, None, scratch)
    }
}

impl Rules {
    /// Verifies the signatures of a JSON JWS: every one, or until `require` is met.
    pub(super) fn examine<'t>(
        &'t self,
        envelope: &Envelope<'_>,
        detached: Option<&'t [u8]>,
        require: Option<Require>,
        scratch: &'t mut Scratch,
    ) -> Result<Report<'t>, VerifyError> {
        let entries = envelope.entries.as_slice();
        for entry in entries {
            self.check_signature(&entry.signature)?;
        }
        let source = self.source(envelope.payload.as_deref(), detached)?;
        let mut room = scratch.room(source.room(entries));
        let readings: Vec<_> =
            entries.iter().map(|entry| self.read(&entry.protected, entry.header, &mut room)).collect();
        let unencoded = one_encoding(&readings)?;
        if readings.iter().all(|reading| reading.decision.is_err()) {
            // There is nothing to verify, so no payload is looked at either.
            let outcomes = readings.into_iter().filter_map(|reading| reading.decision.err().map(Err));
            return Ok(Report { payload: &[], unencoded, outcomes: outcomes.collect() });
        }
        let gap = entries.iter().map(|entry| entry.protected.len()).max().unwrap_or(0);
        let mut input = self.input(source, gap, unencoded, &mut room)?;

        let mut outcomes = Vec::with_capacity(entries.len());
        let mut keys = Vec::with_capacity(entries.len());
        for (index, (entry, reading)) in entries.iter().zip(readings).enumerate() {
            let outcome = reading.decision.and_then(|decision| {
                let signature = room.decode(&entry.signature)?;
                let key = self.verify(&decision.fit, input.with_header(&entry.protected)?, signature)?;
                if entry.header.is_none() {
                    self.remembered.add(&entry.protected, entry.signature.len(), &decision);
                }
                keys.push(key);
                Ok(VerifiedSignature::new(index, decision, key))
            });
            outcomes.push(outcome);
            if require.is_some_and(|require| require.is_met(&keys)) {
                break;
            }
        }
        Ok(Report { payload: input.into_payload(), unencoded, outcomes })
    }
}

/// Whether the payload is unencoded, on which all signatures must agree (RFC 7797 §3).
pub(super) fn one_encoding(readings: &[Reading<'_>]) -> Result<bool, VerifyErrorKind> {
    let mut claims = readings.iter().filter_map(|reading| reading.claims_unencoded);
    let first = claims.next().unwrap_or(false);
    if claims.all(|claim| claim == first) { Ok(first) } else { Err(VerifyErrorKind::Critical) }
}
