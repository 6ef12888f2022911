//! Payloads that are not in the token (RFC 7515 appendix F).

use crate::{
    VerifyError, VerifyErrorKind,
    jws::{
        Report, Require, Scratch, Verified, VerifiedGeneral, Verifier, compact,
        json::{Entries, Entry, Envelope},
        rules::Rules,
    },
};

impl Verifier {
    /// Verifies a compact JWS whose payload is elsewhere: `header..signature`.
    ///
    /// With `"b64":false` (RFC 7797) the payload is signed as it is, otherwise in base64url; see
    /// [`unencoded`](super::VerifierBuilder::unencoded).
    ///
    /// # Errors
    ///
    /// As [`verify_compact`](Self::verify_compact); [`VerifyErrorKind::Malformed`] also if the token
    /// has a payload of its own.
    ///
    /// # Examples
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, jws::{Scratch, Signer, Verifier}};
    ///
    /// let key = SigningKey::generate(Alg::Ed25519)?;
    /// let token = Signer::new(&key).sign_compact(b"a document")?;
    /// let (header, rest) = token.split_once('.').unwrap_or_default();
    /// let (_, signature) = rest.split_once('.').unwrap_or_default();
    /// let detached = format!("{header}..{signature}");
    ///
    /// let verifier = Verifier::builder([Alg::Ed25519]).key(key.verifying_key()).build()?;
    /// let mut scratch = Scratch::new();
    /// assert!(verifier.verify_detached(&detached, b"a document", &mut scratch).is_ok());
    /// assert!(verifier.verify_detached(&detached, b"another", &mut scratch).is_err());
    /// assert!(verifier.verify_detached(&token, b"a document", &mut scratch).is_err(), "it has both");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify_detached<'t>(
        &'t self,
        jws: &'t str,
        payload: &'t [u8],
        scratch: &'t mut Scratch,
    ) -> Result<Verified<'t>, VerifyError> {
        self.0.verify_one(&compact_envelope(&self.0, jws)?, Some(payload), scratch)
    }

    /// Verifies a JSON JWS of either form whose payload is elsewhere: it has no member `payload`.
    ///
    /// # Errors
    ///
    /// As [`verify_general`](Self::verify_general); [`VerifyErrorKind::Malformed`] also if the token
    /// has a payload of its own.
    ///
    /// # Examples
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, jws::{Require, Scratch, Signer, Verifier}};
    ///
    /// let key = SigningKey::generate(Alg::Ed25519)?;
    /// let mut json: serde_json::Value =
    ///     serde_json::from_str(&Signer::new(&key).sign_flattened(b"a document")?)?;
    /// json.as_object_mut().and_then(|jws| jws.remove("payload"));
    /// let json = json.to_string();
    ///
    /// let verifier = Verifier::builder([Alg::Ed25519]).key(key.verifying_key()).build()?;
    /// let mut scratch = Scratch::new();
    /// assert!(verifier.verify_detached_json(&json, b"a document", Require::All, &mut scratch).is_ok());
    /// assert!(verifier.verify_detached_json(&json, b"another", Require::All, &mut scratch).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify_detached_json<'t>(
        &'t self,
        json: &'t str,
        payload: &'t [u8],
        require: Require,
        scratch: &'t mut Scratch,
    ) -> Result<VerifiedGeneral<'t>, VerifyError> {
        let envelope = self.0.envelope(json)?;
        self.0.examine(&envelope, Some(payload), Some(require), scratch)?.require(require)
    }

    /// Verifies every signature of a JSON JWS of either form whose payload is elsewhere, and reports on
    /// each.
    ///
    /// # Errors
    ///
    /// As [`examine_json`](Self::examine_json); [`VerifyErrorKind::Malformed`] also if the token has a
    /// payload of its own.
    ///
    /// # Examples
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, VerifyErrorKind};
    /// use sealwright_jose::jws::{Require, Scratch, Signer, Verifier, sign_general_detached};
    ///
    /// let (known, unknown) = (SigningKey::generate(Alg::Ed25519)?, SigningKey::generate(Alg::Es256)?);
    /// let token = sign_general_detached(&[&Signer::new(&known), &Signer::new(&unknown)], b"a document")?;
    ///
    /// let verifier = Verifier::builder([Alg::Ed25519]).key(known.verifying_key()).build()?;
    /// let mut scratch = Scratch::new();
    /// let report = verifier.examine_detached_json(&token, b"a document", &mut scratch)?;
    /// assert!(report.signatures()[0].is_ok());
    /// assert_eq!(report.require(Require::All).unwrap_err().kind(), VerifyErrorKind::AlgNotAllowed);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn examine_detached_json<'t>(
        &'t self,
        json: &'t str,
        payload: &'t [u8],
        scratch: &'t mut Scratch,
    ) -> Result<Report<'t>, VerifyError> {
        self.0.examine(&self.0.envelope(json)?, Some(payload), None, scratch)
    }
}

/// A compact JWS without payload, in the shape that the JSON forms have.
pub(super) fn compact_envelope<'a>(rules: &Rules, jws: &'a str) -> Result<Envelope<'a>, VerifyError> {
    rules.check_token(jws)?;
    let parts = compact::split(jws)?;
    if !parts.payload.is_empty() {
        return Err(VerifyErrorKind::Malformed.into());
    }
    rules.check_compact(jws)?;
    let entry = Entry { protected: parts.protected.into(), signature: parts.signature.into(), header: None };
    Ok(Envelope { payload: None, entries: Entries::Flattened(entry) })
}
