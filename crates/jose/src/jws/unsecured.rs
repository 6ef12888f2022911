//! A JWS without a signature (RFC 7515 appendix A.5), in a type of its own.

use std::fmt;

use crate::{
    VerifyError, VerifyErrorKind, base64url,
    header::{Header, HeaderRules},
    jws::{Limit, Limits, Policy, compact},
};

/// A payload under `"alg":"none"`: nobody vouches for it, and anybody can have written it.
///
/// It is right only where something else protects the text on its whole way, and the form of a JWS
/// is wanted nonetheless: an OpenID Connect ID token that comes straight from the token endpoint
/// over TLS to a client that registered `none` for it. No [`Verifier`](crate::jws::Verifier) accepts
/// it or makes one, whatever its policy, and no [`Alg`](crate::Alg) has this name.
///
/// ```
/// use sealwright_jose::jws::{Scratch, UnsecuredJws, Verifier};
/// use sealwright_jose::{Alg, MacKey};
///
/// let text = UnsecuredJws::encode(b"hello");
/// assert_eq!(text, "eyJhbGciOiJub25lIn0.aGVsbG8.");
/// assert_eq!(UnsecuredJws::decode(&text)?.dangerous_payload(), b"hello");
///
/// let verifier = Verifier::builder([Alg::Hs256]).mac_key(MacKey::generate(Alg::Hs256)?).build()?;
/// assert!(verifier.verify_compact(&text, &mut Scratch::new()).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct UnsecuredJws {
    header: String,
    payload: Vec<u8>,
}

impl UnsecuredJws {
    /// The compact text of `payload`, whose last part is empty.
    ///
    /// ```
    /// use sealwright_jose::jws::UnsecuredJws;
    ///
    /// // RFC 7515 A.5.
    /// let payload = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
    /// assert_eq!(UnsecuredJws::encode(payload.as_bytes()), "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.");
    /// ```
    pub fn encode(payload: &[u8]) -> String {
        let mut text = base64url::encode(r#"{"alg":"none"}"#);
        text.push('.');
        base64url::encode_to(payload, &mut text);
        text.push('.');
        text
    }

    /// Reads such a text, by the strict rules for a JWS: `alg` is exactly `none`, the signature is
    /// empty, nothing is critical, and the default [`Limits`] hold.
    ///
    /// # Errors
    ///
    /// [`VerifyErrorKind::AlgNotAllowed`] for another algorithm, [`Signature`] for a signature,
    /// [`Critical`] for a critical parameter, otherwise [`Malformed`], [`TooLarge`] or
    /// [`Encrypted`].
    ///
    /// [`Signature`]: VerifyErrorKind::Signature
    /// [`Critical`]: VerifyErrorKind::Critical
    /// [`Malformed`]: VerifyErrorKind::Malformed
    /// [`TooLarge`]: VerifyErrorKind::TooLarge
    /// [`Encrypted`]: VerifyErrorKind::Encrypted
    ///
    /// # Examples
    ///
    /// ```
    /// use sealwright_jose::{VerifyErrorKind, jws::UnsecuredJws};
    ///
    /// let refused = |text| UnsecuredJws::decode(text).map_err(|error| error.kind()).err();
    /// assert_eq!(refused("eyJhbGciOiJub25lIn0.aGVsbG8."), None);
    /// assert_eq!(refused("eyJhbGciOiJub25lIn0.aGVsbG8.AAAA"), Some(VerifyErrorKind::Signature));
    /// assert_eq!(refused("eyJhbGciOiJIUzI1NiJ9.aGVsbG8."), Some(VerifyErrorKind::AlgNotAllowed));
    /// ```
    pub fn decode(text: &str) -> Result<Self, VerifyError> {
        let limits = Limits::default();
        Limit::Token.check(text.len(), limits.token_bytes)?;
        let parts = compact::split(text)?;
        Limit::Header.check(base64url::decoded_len(parts.protected.len()), limits.header_bytes)?;
        let malformed = |_| VerifyErrorKind::Malformed;
        let header = base64url::decode(parts.protected).map_err(malformed)?;
        let header = String::from_utf8(header).map_err(|_| VerifyErrorKind::Malformed)?;
        let rules = HeaderRules::new(Policy::Strict, &limits);
        let parsed = Header::parse(&header, &rules)?;
        if !parsed.alg.ok_or(VerifyErrorKind::Malformed)?.is("none") {
            return Err(VerifyErrorKind::AlgNotAllowed.into());
        }
        parsed.check_critical(&rules)?;
        if !parts.signature.is_empty() {
            return Err(VerifyErrorKind::Signature.into());
        }
        let payload = base64url::decode(parts.payload).map_err(malformed)?;
        Ok(Self { header, payload })
    }

    /// The header's JSON, which anybody can have written.
    ///
    /// ```
    /// use sealwright_jose::jws::UnsecuredJws;
    ///
    /// let text = UnsecuredJws::decode("eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.aGVsbG8.")?;
    /// assert_eq!(text.protected_header(), r#"{"typ":"JWT","alg":"none"}"#);
    /// # Ok::<(), sealwright_jose::VerifyError>(())
    /// ```
    pub fn protected_header(&self) -> &str {
        &self.header
    }

    /// The payload, decoded, which anybody can have written.
    ///
    /// ```
    /// use sealwright_jose::jws::UnsecuredJws;
    ///
    /// let text = UnsecuredJws::decode(&UnsecuredJws::encode(br#"{"sub":"alice"}"#))?;
    /// let claims: serde_json::Value = serde_json::from_slice(text.dangerous_payload())?;
    /// assert_eq!(claims["sub"], "alice", "or so somebody wrote");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn dangerous_payload(&self) -> &[u8] {
        &self.payload
    }
}

impl fmt::Debug for UnsecuredJws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnsecuredJws").field("payload_bytes", &self.payload.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7515 A.5.
    const VECTOR: &str = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";

    #[test]
    fn rfc7515_a5() {
        let payload = b"{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
        assert_eq!(UnsecuredJws::encode(payload), VECTOR);
        let read = UnsecuredJws::decode(VECTOR).unwrap();
        assert_eq!((read.protected_header(), read.dangerous_payload()), (r#"{"alg":"none"}"#, &payload[..]));
    }

    #[test]
    fn only_none_without_a_signature_is_read() {
        use VerifyErrorKind::{AlgNotAllowed, Critical, Encrypted, Malformed, Signature, TooLarge};
        let with = |header: &str| format!("{}.aGVsbG8.", base64url::encode(header));
        for (text, kind) in [
            (String::new(), Malformed),
            ("eyJhbGciOiJub25lIn0.aGVsbG8".into(), Malformed),
            ("eyJhbGciOiJub25lIn0.aGVsbG9.".into(), Malformed),
            ("eyJhbGciOiJub25lIn0.aGVsbG8.AAAA".into(), Signature),
            ("eyJhbGciOiJub25lIn0.aGVsbG8..".into(), Malformed),
            ("eyJhbGciOiJub25lIn0.aGVsbG8...".into(), Encrypted),
            (with("{}"), Malformed),
            (with(r#"{"alg":"None"}"#), AlgNotAllowed),
            (with(r#"{"alg":"HS256"}"#), AlgNotAllowed),
            (with(r#"{"alg":"none","alg":"none"}"#), Malformed),
            (with(r#"{"alg":"none","crit":["x"],"x":1}"#), Critical),
            (with(r#"{"alg":"none","b64":false,"crit":["b64"]}"#), Critical),
            (with(r#"{"alg":"none","enc":"A128GCM"}"#), Encrypted),
            (with(&format!(r#"{{"alg":"none","x":"{}"}}"#, "x".repeat(20_000))), TooLarge),
            (format!("eyJhbGciOiJub25lIn0.{}.", "A".repeat(1 << 20)), TooLarge),
        ] {
            assert_eq!(UnsecuredJws::decode(&text).map_err(|e| e.kind()), Err(kind), "{text:.60}");
        }
    }
}
