//! Looking into a token before, or without, verifying it.

use std::fmt;

use crate::{
    VerifyError, VerifyErrorKind, base64url,
    header::{self, Header, HeaderRules},
    jws::{
        Limit, Limits, Policy, compact,
        json::{Entries, Entry, Envelope},
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
    headers: Headers,
    payload: Vec<u8>,
}

impl Unverified {
    /// Parses a compact JWS within the default [`Limits`], by the rules of a strict verifier except those about
    /// algorithm, key, signature, and what is critical.
    ///
    /// # Errors
    ///
    /// [`VerifyErrorKind::Malformed`], [`TooLarge`](VerifyErrorKind::TooLarge) or, for a JWE,
    /// [`Encrypted`](VerifyErrorKind::Encrypted).
    pub fn peek_compact(jws: &str) -> Result<Self, VerifyError> {
        Self::peek_compact_with(jws, Policy::Strict, &Limits::default())
    }

    /// As [`peek_compact`](Self::peek_compact), by another policy and within other limits.
    ///
    /// # Errors
    ///
    /// As [`peek_compact`](Self::peek_compact).
    pub fn peek_compact_with(jws: &str, policy: Policy, limits: &Limits) -> Result<Self, VerifyError> {
        Limit::Token.check(jws.len(), limits.token_bytes)?;
        let parts = compact::split(jws)?;
        let entry =
            Entry { protected: parts.protected.into(), signature: parts.signature.into(), header: None };
        Self::decode(&entry, parts.payload, policy, limits)
    }

    /// Parses a flattened JSON JWS; otherwise as [`peek_compact`](Self::peek_compact).
    ///
    /// # Errors
    ///
    /// As [`peek_compact`](Self::peek_compact).
    pub fn peek_flattened(json: &str) -> Result<Self, VerifyError> {
        Self::peek_flattened_with(json, Policy::Strict, &Limits::default())
    }

    /// As [`peek_flattened`](Self::peek_flattened), by another policy and within other limits.
    ///
    /// # Errors
    ///
    /// As [`peek_compact`](Self::peek_compact).
    pub fn peek_flattened_with(json: &str, policy: Policy, limits: &Limits) -> Result<Self, VerifyError> {
        let envelope = envelope(json, policy, limits)?;
        match (&envelope.payload, &envelope.entries) {
            (Some(payload), Entries::Flattened(entry)) => Self::decode(entry, payload, policy, limits),
            _ => Err(VerifyErrorKind::Malformed.into()),
        }
    }

    fn decode(
        entry: &Entry<'_>,
        payload: &str,
        policy: Policy,
        limits: &Limits,
    ) -> Result<Self, VerifyError> {
        let (headers, unencoded) = Headers::read(entry, policy, limits)?;
        Ok(Self { headers, payload: decode_payload(payload, unencoded, limits)? })
    }

    /// The protected header's JSON: one object, under [`Policy::Strict`] no name in it twice. `{}` if there is none,
    /// which not every policy allows.
    pub fn protected_header(&self) -> &str {
        &self.headers.protected
    }

    /// The JSON of the header that is not signed (RFC 7515 §7.2.1), if there is one.
    pub fn unprotected_header(&self) -> Option<&str> {
        self.headers.unprotected.as_deref()
    }

    /// A parameter of the protected header as JSON.
    pub fn header(&self, name: &str) -> Option<serde_json::Value> {
        header::parameter(&self.headers.protected, name)
    }

    /// The payload, which anybody can have written.
    pub fn dangerous_payload(&self) -> &[u8] {
        &self.payload
    }
}

/// The headers of one signature, as JSON.
struct Headers {
    protected: String,
    unprotected: Option<String>,
}

impl Headers {
    /// The headers, and whether they say that the payload is not encoded.
    fn read(entry: &Entry<'_>, policy: Policy, limits: &Limits) -> Result<(Self, bool), VerifyError> {
        let rules = HeaderRules::peeking(policy, limits);
        let (protected, unencoded) = read_protected(&entry.protected, &rules, limits)?;
        let unprotected = entry.header.map(|text| {
            Limit::Header.check(text.len(), limits.unprotected_bytes(policy))?;
            Header::parse(text, &rules).map(|header| header.text.to_owned())
        });
        decode_signature(&entry.signature, limits)?;
        Ok((Self { protected, unprotected: unprotected.transpose()? }, unencoded))
    }
}

fn read_protected(
    encoded: &str,
    rules: &HeaderRules,
    limits: &Limits,
) -> Result<(String, bool), VerifyError> {
    // Only JSON can leave it out, if the policy lets it (RFC 7515 §7.2.1).
    if encoded.is_empty() && !rules.policy.is_strict() {
        return Ok(("{}".to_owned(), false));
    }
    Limit::Header.check(base64url::decoded_len(encoded.len()), limits.header_bytes)?;
    let text = base64url::decode(encoded).map_err(|_| VerifyErrorKind::Malformed)?;
    let text = str::from_utf8(&text).map_err(|_| VerifyErrorKind::Malformed)?;
    let header = Header::parse(text, rules)?;
    Ok((header.text.to_owned(), header.claims_unencoded()))
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

fn envelope<'a>(json: &'a str, policy: Policy, limits: &Limits) -> Result<Envelope<'a>, VerifyError> {
    Limit::Token.check(json.len(), limits.token_bytes)?;
    Envelope::parse(json, policy, limits)
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
    headers: Vec<Headers>,
    payload: Option<Vec<u8>>,
}

impl UnverifiedJson {
    /// Parses a JWS in the flattened or the general form, otherwise as [`Unverified::peek_compact`].
    ///
    /// # Errors
    ///
    /// As [`Unverified::peek_compact`].
    pub fn peek(json: &str) -> Result<Self, VerifyError> {
        Self::peek_with(json, Policy::Strict, &Limits::default())
    }

    /// As [`peek`](Self::peek), by another policy and within other limits.
    ///
    /// ```
    /// use sealwright_jose::jws::{Limits, Policy, UnverifiedJson};
    ///
    /// // All that says which key it is of stands where nobody signed it, as in RFC 7520 §4.7.
    /// let token = r#"{"payload":"aGVsbG8","header":{"alg":"HS256","kid":"k1"},"signature":"AAAA"}"#;
    /// assert!(UnverifiedJson::peek(token).is_err());
    /// let token = UnverifiedJson::peek_with(token, Policy::Rfc, &Limits::default())?;
    /// assert_eq!(token.protected_headers().collect::<Vec<_>>(), ["{}"]);
    /// assert_eq!(token.unprotected_header(0), Some(r#"{"alg":"HS256","kid":"k1"}"#));
    /// # Ok::<(), sealwright_jose::VerifyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Unverified::peek_compact`].
    pub fn peek_with(json: &str, policy: Policy, limits: &Limits) -> Result<Self, VerifyError> {
        let envelope = envelope(json, policy, limits)?;
        let entries = envelope.entries.as_slice();
        let (mut headers, mut unencoded) = (Vec::with_capacity(entries.len()), None);
        for entry in entries {
            let (header, this) = Headers::read(entry, policy, limits)?;
            // One payload cannot be encoded and not (RFC 7797 §3).
            if *unencoded.get_or_insert(this) != this {
                return Err(VerifyErrorKind::Malformed.into());
            }
            headers.push(header);
        }
        let unencoded = unencoded.unwrap_or(false);
        let payload =
            envelope.payload.as_deref().map(|text| decode_payload(text, unencoded, limits)).transpose()?;
        Ok(Self { headers, payload })
    }

    /// The JSON of each protected header, in the order of the signatures; `{}` for one that is not there, which not
    /// every policy allows.
    pub fn protected_headers(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|headers| &*headers.protected)
    }

    /// The JSON of the header of the n-th signature, from 0, that is not signed (RFC 7515 §7.2.1), if there is one.
    pub fn unprotected_header(&self, n: usize) -> Option<&str> {
        self.headers.get(n)?.unprotected.as_deref()
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
