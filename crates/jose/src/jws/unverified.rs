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
    /// ```
    /// use sealwright_jose::{VerifyErrorKind, jws::Unverified};
    ///
    /// let token = Unverified::peek_compact("eyJhbGciOiJFUzI1NiIsImtpZCI6ImsxIn0.aGVsbG8.AAAA")?;
    /// assert_eq!(token.header("kid"), Some("k1".into()), "which key to ask for");
    ///
    /// let jwe = Unverified::peek_compact("eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..AAAA.AAAA.AAAA");
    /// assert_eq!(jwe.unwrap_err().kind(), VerifyErrorKind::Encrypted);
    /// # Ok::<(), sealwright_jose::VerifyError>(())
    /// ```
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
    /// ```
    /// use sealwright_jose::{base64url, jws::{Limits, Policy, Unverified}};
    ///
    /// let token = format!("{}.aGVsbG8.AAAA", base64url::encode(r#"{"alg":"ES256","kid":"a","kid":"b"}"#));
    /// let peek = |policy| Unverified::peek_compact_with(&token, policy, &Limits::default());
    /// assert!(peek(Policy::Strict).is_err(), "a name stands twice");
    /// assert_eq!(peek(Policy::Rfc).unwrap().header("kid").unwrap(), "b");
    /// ```
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

    /// Parses a flattened JSON JWS (RFC 7515 §7.2.2) with its payload; otherwise as
    /// [`peek_compact`](Self::peek_compact). For the general form and detached payloads there is
    /// [`UnverifiedJson`].
    ///
    /// ```
    /// use sealwright_jose::{VerifyErrorKind, jws::Unverified};
    ///
    /// let token = r#"{"payload":"aGVsbG8","protected":"eyJhbGciOiJIUzI1NiJ9","signature":"AAAA"}"#;
    /// assert_eq!(Unverified::peek_flattened(token)?.dangerous_payload(), b"hello");
    ///
    /// let detached = r#"{"protected":"eyJhbGciOiJIUzI1NiJ9","signature":"AAAA"}"#;
    /// assert_eq!(Unverified::peek_flattened(detached).unwrap_err().kind(), VerifyErrorKind::Malformed);
    /// # Ok::<(), sealwright_jose::VerifyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`peek_compact`](Self::peek_compact).
    pub fn peek_flattened(json: &str) -> Result<Self, VerifyError> {
        Self::peek_flattened_with(json, Policy::Strict, &Limits::default())
    }

    /// As [`peek_flattened`](Self::peek_flattened), by another policy and within other limits.
    ///
    /// ```
    /// use sealwright_jose::jws::{Limits, Policy, Unverified};
    ///
    /// // A byte order mark, as some editors write one.
    /// let token = "\u{feff}{\"payload\":\"aGVsbG8\",\"protected\":\"eyJhbGciOiJIUzI1NiJ9\",\"signature\":\"AAAA\"}";
    /// assert!(Unverified::peek_flattened(token).is_err());
    /// assert!(Unverified::peek_flattened_with(token, Policy::Rfc, &Limits::default()).is_ok());
    /// ```
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
    ///
    /// ```
    /// use sealwright_jose::{base64url, jws::Unverified};
    ///
    /// let header = r#"{ "kid": "k1", "alg": "ES256" }"#;
    /// let token = Unverified::peek_compact(&format!("{}.aGVsbG8.AAAA", base64url::encode(header)))?;
    /// assert_eq!(token.protected_header(), header, "in the order and with the spaces of the token");
    /// # Ok::<(), sealwright_jose::VerifyError>(())
    /// ```
    pub fn protected_header(&self) -> &str {
        &self.headers.protected
    }

    /// The JSON of the header that is not signed (RFC 7515 §7.2.1), if there is one.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Signer, Unverified}};
    /// let signer = Signer::mac(&MacKey::generate(Alg::Hs256)?);
    /// assert_eq!(Unverified::peek_compact(&signer.sign_compact(b"hello")?)?.unprotected_header(), None);
    /// let token = signer.unprotected("kid", "k1".into()).sign_flattened(b"hello")?;
    /// assert_eq!(Unverified::peek_flattened(&token)?.unprotected_header(), Some(r#"{"kid":"k1"}"#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn unprotected_header(&self) -> Option<&str> {
        self.headers.unprotected.as_deref()
    }

    /// A parameter of the protected header as JSON, if it is there; the last one of its name, where the policy takes
    /// several.
    ///
    /// ```
    /// use sealwright_jose::{base64url, jws::{Limits, Policy, Unverified}};
    ///
    /// let header = base64url::encode(r#"{"alg":"none","alg":"ES256"}"#);
    /// let token = format!("{header}.aGVsbG8.AAAA");
    /// let token = Unverified::peek_compact_with(&token, Policy::Rfc, &Limits::default())?;
    /// assert_eq!((token.header("alg"), token.header("kid")), (Some("ES256".into()), None));
    /// # Ok::<(), sealwright_jose::VerifyError>(())
    /// ```
    pub fn header(&self, name: &str) -> Option<serde_json::Value> {
        header::parameter(&self.headers.protected, name)
    }

    /// The payload, decoded, which anybody can have written.
    ///
    /// ```
    /// # use sealwright_jose::jws::Unverified;
    /// // RFC 7515 A.1. What it says of its issuer is whose keys to verify it with, and no more.
    /// let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    /// let token = Unverified::peek_compact(token)?;
    /// let claims: serde_json::Value = serde_json::from_slice(token.dangerous_payload())?;
    /// assert_eq!(claims["iss"], "joe");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    /// Parses a JWS in the flattened or the general form, with its payload or without; otherwise as
    /// [`Unverified::peek_compact`].
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Signer, UnverifiedJson}};
    /// # let signer = Signer::mac(&MacKey::generate(Alg::Hs256)?);
    /// let flattened = UnverifiedJson::peek(&signer.sign_flattened(b"hello")?)?;
    /// assert_eq!(flattened.protected_headers().count(), 1);
    /// assert!(UnverifiedJson::peek(&signer.sign_compact(b"hello")?).is_err(), "it is no JSON");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Signer, UnverifiedJson, sign_general}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// let (alice, bob) = (key.clone().with_kid("alice"), key.with_kid("bob"));
    /// let json = sign_general(&[&Signer::mac(&alice), &Signer::mac(&bob)], b"hello")?;
    /// let token = UnverifiedJson::peek(&json)?;
    /// let headers: Vec<_> = token.protected_headers().collect();
    /// assert_eq!(headers, [r#"{"alg":"HS256","kid":"alice"}"#, r#"{"alg":"HS256","kid":"bob"}"#]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn protected_headers(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|headers| &*headers.protected)
    }

    /// The JSON of the header of the n-th signature, from 0, that is not signed (RFC 7515 §7.2.1); `None` if that
    /// signature has none, or there are not so many.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Signer, UnverifiedJson, sign_general}};
    /// # let signer = Signer::mac(&MacKey::generate(Alg::Hs256)?);
    /// let (plain, noted) = (signer.clone(), signer.unprotected("note", "for the archive".into()));
    /// let token = UnverifiedJson::peek(&sign_general(&[&plain, &noted], b"hello")?)?;
    /// assert_eq!(token.unprotected_header(0), None);
    /// assert_eq!(token.unprotected_header(1), Some(r#"{"note":"for the archive"}"#));
    /// assert_eq!(token.unprotected_header(2), None, "there is no such signature");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn unprotected_header(&self, n: usize) -> Option<&str> {
        self.headers.get(n)?.unprotected.as_deref()
    }

    /// The payload, decoded, which anybody can have written; `None` if it is detached.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Signer, UnverifiedJson}};
    /// # let signer = Signer::mac(&MacKey::generate(Alg::Hs256)?);
    /// let token = UnverifiedJson::peek(&signer.sign_flattened_detached(b"hello")?)?;
    /// assert_eq!(token.dangerous_payload(), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn dangerous_payload(&self) -> Option<&[u8]> {
        self.payload.as_deref()
    }
}

impl fmt::Debug for UnverifiedJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedJson").field("signatures", &self.headers.len()).finish_non_exhaustive()
    }
}
