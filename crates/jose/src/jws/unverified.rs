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
    /// Parses a compact JWS within the default [`Limits`], by the rules of a verifier except those about
    /// algorithm, key and signature.
    ///
    /// # Errors
    ///
    /// [`VerifyErrorKind::Malformed`], [`TooLarge`](VerifyErrorKind::TooLarge) or, for a JWE,
    /// [`Encrypted`](VerifyErrorKind::Encrypted).
    pub fn peek_compact(jws: &str) -> Result<Self, VerifyError> {
        Self::peek_compact_with(jws, &Limits::default())
    }

    /// As [`peek_compact`](Self::peek_compact), within other limits.
    ///
    /// # Errors
    ///
    /// As [`peek_compact`](Self::peek_compact).
    pub fn peek_compact_with(jws: &str, limits: &Limits) -> Result<Self, VerifyError> {
        Limit::Token.check(jws.len(), limits.token_bytes)?;
        let parts = compact::split(jws)?;
        Self::decode(parts.protected, parts.payload, parts.signature, limits)
    }

    /// Parses a flattened JSON JWS; otherwise as [`peek_compact`](Self::peek_compact).
    ///
    /// # Errors
    ///
    /// As [`peek_compact`](Self::peek_compact).
    pub fn peek_flattened(json: &str) -> Result<Self, VerifyError> {
        Self::peek_flattened_with(json, &Limits::default())
    }

    /// As [`peek_flattened`](Self::peek_flattened), within other limits.
    ///
    /// # Errors
    ///
    /// As [`peek_compact`](Self::peek_compact).
    pub fn peek_flattened_with(json: &str, limits: &Limits) -> Result<Self, VerifyError> {
        let envelope = envelope(json, limits)?;
        match (&envelope.payload, &envelope.entries) {
            (Some(payload), Entries::Flattened(entry)) => {
                Self::decode(&entry.protected, payload, &entry.signature, limits)
            }
            _ => Err(VerifyErrorKind::Malformed.into()),
        }
    }

    fn decode(protected: &str, payload: &str, signature: &str, limits: &Limits) -> Result<Self, VerifyError> {
        let (header, unencoded) = decode_header(protected, limits)?;
        let payload = decode_payload(payload, unencoded, limits)?;
        decode_signature(signature, limits)?;
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

/// The header's text, and whether it says that the payload is not encoded.
fn decode_header(protected: &str, limits: &Limits) -> Result<(String, bool), VerifyError> {
    Limit::Header.check(base64url::decoded_len(protected.len()), limits.header_bytes)?;
    let header = base64url::decode(protected).map_err(|_| VerifyErrorKind::Malformed)?;
    let header = String::from_utf8(header).map_err(|_| VerifyErrorKind::Malformed)?;
    let unencoded = Header::parse(&header, &HeaderRules::peeking(limits))?.claims_unencoded();
    Ok((header, unencoded))
}

fn decode_payload(payload: &str, unencoded: bool, limits: &Limits) -> Result<Vec<u8>, VerifyError> {
    let len = if unencoded { payload.len() } else { base64url::decoded_len(payload.len()) };
    Limit::Payload.check(len, limits.payload_bytes)?;
    if unencoded {
        return Ok(payload.as_bytes().to_vec());
    }
    base64url::decode(payload).map_err(|_| VerifyErrorKind::Malformed.into())
}

fn decode_signature(signature: &str, limits: &Limits) -> Result<(), VerifyError> {
    Limit::Signature.check(base64url::decoded_len(signature.len()), limits.signature_bytes)?;
    base64url::decode(signature).map_err(|_| VerifyErrorKind::Malformed)?;
    Ok(())
}

fn envelope<'a>(json: &'a str, limits: &Limits) -> Result<Envelope<'a>, VerifyError> {
    Limit::Token.check(json.len(), limits.token_bytes)?;
    Envelope::parse(json, Policy::Strict, limits)
}

impl fmt::Debug for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unverified").field("payload_bytes", &self.payload.len()).finish_non_exhaustive()
    }
}

/// What was only parsed of a JWS in one of the JSON forms; see [`Unverified`].
///
/// ```
/// use sealwright_jose::{Alg, SigningKey, jws::{Signer, UnverifiedJson, sign_general}};
///
/// let (one, two) = (SigningKey::generate(Alg::Es256)?, SigningKey::generate(Alg::Ed25519)?);
/// let token = sign_general(&[&Signer::new(&one), &Signer::new(&two)], b"hello")?;
/// let token = UnverifiedJson::peek(&token)?;
/// assert_eq!(token.protected_headers().collect::<Vec<_>>(), [r#"{"alg":"ES256"}"#, r#"{"alg":"Ed25519"}"#]);
/// assert_eq!(token.dangerous_payload(), Some(&b"hello"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct UnverifiedJson {
    headers: Vec<String>,
    payload: Option<Vec<u8>>,
}

impl UnverifiedJson {
    /// Parses a JWS in the flattened or the general form, by the rules of a strict verifier except
    /// those about algorithm, key and signature. Sizes are limited as in
    /// [`Unverified::peek_compact`].
    ///
    /// # Errors
    ///
    /// As [`Unverified::peek_compact`].
    pub fn peek(json: &str) -> Result<Self, VerifyError> {
        Self::peek_with(json, &Limits::default())
    }

    /// As [`peek`](Self::peek), within other limits.
    ///
    /// # Errors
    ///
    /// As [`Unverified::peek_compact`].
    pub fn peek_with(json: &str, limits: &Limits) -> Result<Self, VerifyError> {
        let envelope = envelope(json, limits)?;
        let entries = envelope.entries.as_slice();
        let (mut headers, mut unencoded) = (Vec::with_capacity(entries.len()), None);
        for entry in entries {
            let (header, this) = decode_header(&entry.protected, limits)?;
            // One payload cannot be encoded and not (RFC 7797 §3).
            if *unencoded.get_or_insert(this) != this {
                return Err(VerifyErrorKind::Malformed.into());
            }
            decode_signature(&entry.signature, limits)?;
            headers.push(header);
        }
        let unencoded = unencoded.unwrap_or(false);
        let payload =
            envelope.payload.as_deref().map(|text| decode_payload(text, unencoded, limits)).transpose()?;
        Ok(Self { headers, payload })
    }

    /// The JSON of each protected header, in the order of the signatures.
    pub fn protected_headers(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(String::as_str)
    }

    /// The payload, which anybody can have written; `None` if it is detached.
    pub fn dangerous_payload(&self) -> Option<&[u8]> {
        self.payload.as_deref()
    }
}

impl fmt::Debug for UnverifiedJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedJson").field("signatures", &self.headers.len()).finish_non_exhaustive()
    }
}
