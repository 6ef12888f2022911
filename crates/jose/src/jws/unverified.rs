//! Looking into a token before, or without, verifying it.

use std::fmt;

use crate::{
    VerifyError, VerifyErrorKind, base64url,
    header::{self, Header, HeaderRules},
    jws::{
        Limit, Limits, Policy, compact,
        json::{Entries, Envelope},
    },
};

/// What was only parsed. Anybody can have written it; nothing in it may be believed.
///
/// It is for finding the issuer whose keys then verify the token, and for people who inspect one.
///
/// ```
/// use sealwright_jose::jws::Unverified;
///
/// let token = Unverified::peek_compact("eyJhbGciOiJub25lIn0.aGVsbG8.")?;
/// assert_eq!(token.protected_header(), r#"{"alg":"none"}"#);
/// assert_eq!(token.dangerous_payload(), b"hello");
/// # Ok::<(), sealwright_jose::VerifyError>(())
/// ```
pub struct Unverified {
    header: String,
    payload: Vec<u8>,
}

impl Unverified {
    /// Parses a compact JWS, by the rules of a verifier except those about algorithm, key and
    /// signature.
    ///
    /// The header's size is limited by the default [`Limits`]; that of the whole by what the caller
    /// passes in.
    ///
    /// # Errors
    ///
    /// [`VerifyErrorKind::Malformed`], [`TooLarge`](VerifyErrorKind::TooLarge) or, for a JWE,
    /// [`Encrypted`](VerifyErrorKind::Encrypted).
    pub fn peek_compact(jws: &str) -> Result<Self, VerifyError> {
        let parts = compact::split(jws)?;
        Self::decode(parts.protected, parts.payload, parts.signature)
    }

    /// Parses a flattened JSON JWS; otherwise as [`peek_compact`](Self::peek_compact).
    ///
    /// # Errors
    ///
    /// As [`peek_compact`](Self::peek_compact).
    pub fn peek_flattened(json: &str) -> Result<Self, VerifyError> {
        let envelope = Envelope::parse(json, Policy::Strict, &Limits::default())?;
        match (&envelope.payload, &envelope.entries) {
            (Some(payload), Entries::Flattened(entry)) => {
                Self::decode(&entry.protected, payload, &entry.signature)
            }
            _ => Err(VerifyErrorKind::Malformed.into()),
        }
    }

    fn decode(protected: &str, payload: &str, signature: &str) -> Result<Self, VerifyError> {
        let limits = Limits::default();
        Limit::Header.check(base64url::decoded_len(protected.len()), limits.header_bytes)?;
        let malformed = |_| VerifyErrorKind::Malformed;
        let header = base64url::decode(protected).map_err(malformed)?;
        let header = String::from_utf8(header).map_err(|_| VerifyErrorKind::Malformed)?;
        let unencoded = Header::parse(&header, &HeaderRules::peeking())?.claims_unencoded();
        let payload = if unencoded {
            payload.as_bytes().to_vec()
        } else {
            base64url::decode(payload).map_err(malformed)?
        };
        base64url::decode(signature).map_err(malformed)?;
        Ok(Self { header, payload })
    }

    /// The protected header's JSON: one object, no name in it twice.
    pub fn protected_header(&self) -> &str {
        &self.header
    }

    /// A parameter of the protected header as JSON.
    pub fn header(&self, name: &str) -> Option<serde_json::Value> {
        header::parameter(&self.header, name)
    }

    /// The payload, which anybody can have written.
    pub fn dangerous_payload(&self) -> &[u8] {
        &self.payload
    }
}

impl fmt::Debug for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unverified").field("payload_bytes", &self.payload.len()).finish_non_exhaustive()
    }
}
