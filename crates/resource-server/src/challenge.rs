//! What a client is told that may not pass (RFC 6750 §3, RFC 9470 §3, RFC 9449 §7.1 and §9).

use crate::{Scheme, sender::dpop::DPOP_NONCE};
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// After how long a client may ask again when an issuer's keys could not be fetched.
const RETRY_AFTER_S: u64 = 5;

/// A `WWW-Authenticate: Bearer …` or `DPoP …` value under construction, with its status.
///
/// # Examples
///
/// ```
/// use sealwright_resource_server::Challenge;
///
/// let challenge = Challenge::bare().param("resource_metadata", "https://api.example.com/.well-known/x");
/// assert_eq!(challenge.status(), 401);
/// assert_eq!(challenge.header_value(), r#"Bearer resource_metadata="https://api.example.com/.well-known/x""#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    status: StatusCode,
    offer: Offer,
    /// Under what other schemes a token may be sent.
    others: Vec<Offer>,
    dpop_nonce: Option<HeaderValue>,
    retry_after_s: Option<u64>,
}

/// What is said of one scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Offer {
    scheme: Scheme,
    /// Name and value as sent, before quoting.
    params: Vec<(&'static str, String)>,
}

impl Challenge {
    /// 401 without `error`: nothing was presented.
    pub fn bare() -> Self {
        Self::of(StatusCode::UNAUTHORIZED)
    }

    fn of(status: StatusCode) -> Self {
        let offer = Offer { scheme: Scheme::Bearer, params: Vec::new() };
        Self { status, offer, others: Vec::new(), dpop_nonce: None, retry_after_s: None }
    }

    /// 400: the request itself cannot be read.
    pub fn invalid_request() -> Self {
        Self::error(StatusCode::BAD_REQUEST, "invalid_request", "The request is malformed")
    }

    /// 401: the token is expired, malformed, forged, for somebody else… all of which look the same.
    pub fn invalid_token() -> Self {
        Self::error(StatusCode::UNAUTHORIZED, "invalid_token", "The access token is not valid")
    }

    /// 401: the token is valid, and the login behind it too weak or too long ago (RFC 9470 §3).
    ///
    /// `acr_values` are the authentication classes that would do, best first; `max_age_s` is how old the login
    /// may be. What is empty or `None` is left out.
    pub fn insufficient_user_authentication(acr_values: &[String], max_age_s: Option<u64>) -> Self {
        let challenge = Self::error(
            StatusCode::UNAUTHORIZED,
            "insufficient_user_authentication",
            "A different authentication level is required",
        );
        let challenge = match acr_values {
            [] => challenge,
            values => challenge.param("acr_values", &values.join(" ")),
        };
        match max_age_s {
            None => challenge,
            Some(max_age_s) => challenge.param("max_age", &max_age_s.to_string()),
        }
    }

    /// 403: the token is valid and does not reach as far; `scope` would. Empty, it is left out: then there is no
    /// scope that would help.
    pub fn insufficient_scope(scope: &str) -> Self {
        let challenge = Self::error(
            StatusCode::FORBIDDEN,
            "insufficient_scope",
            "The access token does not reach that far",
        );
        if scope.is_empty() { challenge } else { challenge.param("scope", scope) }
    }

    /// 401 in the scheme `DPoP`: the proof is malformed, old, for another request… all of which look the same.
    pub fn invalid_dpop_proof() -> Self {
        Self::error(StatusCode::UNAUTHORIZED, "invalid_dpop_proof", "The DPoP proof is not valid").in_dpop()
    }

    /// 401 in the scheme `DPoP`: the proof needs a nonce, which comes in the header `DPoP-Nonce`.
    pub fn use_dpop_nonce() -> Self {
        Self::error(StatusCode::UNAUTHORIZED, "use_dpop_nonce", "The DPoP proof needs a current nonce")
            .in_dpop()
    }

    /// 503: it could not be decided, and the client is not to blame.
    pub(crate) fn unavailable() -> Self {
        Self { retry_after_s: Some(RETRY_AFTER_S), ..Self::of(StatusCode::SERVICE_UNAVAILABLE) }
    }

    fn error(status: StatusCode, error: &str, description: &str) -> Self {
        Self::of(status).param("error", error).param("error_description", description)
    }

    /// Adds a parameter, or replaces the one of that name.
    ///
    /// The value is quoted. A character that cannot stand in a header (a control character, or one outside
    /// ASCII) is sent as `?`.
    #[must_use]
    pub fn param(mut self, name: &'static str, value: &str) -> Self {
        self.offer.set(name, value);
        self
    }

    /// As [`param`](Self::param), for every scheme that is offered.
    #[must_use]
    pub(crate) fn param_of_all(mut self, name: &'static str, value: &str) -> Self {
        self.offer.set(name, value);
        self.others.iter_mut().for_each(|offer| offer.set(name, value));
        self
    }

    /// The same in the scheme `DPoP`.
    #[must_use]
    pub(crate) fn in_dpop(mut self) -> Self {
        self.offer.scheme = Scheme::Dpop;
        self
    }

    /// Offers the scheme of `other`, too.
    #[must_use]
    pub(crate) fn or(mut self, other: Self) -> Self {
        self.others.push(other.offer);
        self
    }

    /// The next proof must have this nonce.
    #[must_use]
    pub(crate) fn dpop_nonce(self, nonce: Option<HeaderValue>) -> Self {
        Self { dpop_nonce: nonce, ..self }
    }

    /// The scheme that it answers in.
    pub fn scheme(&self) -> Scheme {
        self.offer.scheme
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The value for `WWW-Authenticate`, of the scheme that it answers in.
    ///
    /// [`Challenge::apply`] also sends the other schemes that would do, and knows when to send none.
    pub fn header_value(&self) -> HeaderValue {
        self.offer.value()
    }

    /// Whether it says nothing of an error: no token was presented.
    pub(crate) fn is_bare(&self) -> bool {
        !self.offer.params.iter().any(|(name, _)| *name == "error")
    }

    /// When a client may ask again, in seconds; only of a 503.
    pub fn retry_after_s(&self) -> Option<u64> {
        self.retry_after_s
    }

    /// Writes the headers of the answer: `WWW-Authenticate`, or `Retry-After` where it was no refusal.
    pub fn apply(&self, headers: &mut HeaderMap) {
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, seconds.into());
            return;
        }
        headers.insert(header::WWW_AUTHENTICATE, self.offer.value());
        for other in &self.others {
            headers.append(header::WWW_AUTHENTICATE, other.value());
        }
        if let Some(nonce) = &self.dpop_nonce {
            headers.insert(DPOP_NONCE, nonce.clone());
        }
    }
}

impl Offer {
    fn set(&mut self, name: &'static str, value: &str) {
        self.params.retain(|(known, _)| *known != name);
        self.params.push((name, value.to_owned()));
    }

    fn value(&self) -> HeaderValue {
        let mut value = String::from(self.scheme.name());
        for (index, (name, text)) in self.params.iter().enumerate() {
            value.push_str(if index == 0 { " " } else { ", " });
            value.push_str(name);
            value.push_str("=\"");
            for char in text.chars() {
                match char {
                    '"' | '\\' => value.extend(['\\', char]),
                    ' '..='~' => value.push(char),
                    _ => value.push('?'),
                }
            }
            value.push('"');
        }
        HeaderValue::try_from(value).unwrap_or_else(|_| HeaderValue::from_static(self.scheme.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TokenError, sender::dpop::DpopError};
    use insta::assert_snapshot;

    fn text(challenge: &Challenge) -> String {
        format!("{} {}", challenge.status().as_u16(), challenge.header_value().to_str().unwrap())
    }

    #[test]
    fn each_challenge_has_its_status_and_parameters() {
        assert_snapshot!(text(&Challenge::bare()), @"401 Bearer");
        assert_snapshot!(text(&Challenge::invalid_request()), @r#"400 Bearer error="invalid_request", error_description="The request is malformed""#);
        assert_snapshot!(text(&Challenge::invalid_token()), @r#"401 Bearer error="invalid_token", error_description="The access token is not valid""#);
        assert_snapshot!(text(&Challenge::insufficient_scope("sign seal")), @r#"403 Bearer error="insufficient_scope", error_description="The access token does not reach that far", scope="sign seal""#);
        assert_snapshot!(text(&Challenge::insufficient_user_authentication(&["mfa".into(), "hw".into()], Some(300))), @r#"401 Bearer error="insufficient_user_authentication", error_description="A different authentication level is required", acr_values="mfa hw", max_age="300""#);
        assert_snapshot!(text(&Challenge::insufficient_user_authentication(&[], None)), @r#"401 Bearer error="insufficient_user_authentication", error_description="A different authentication level is required""#);
    }

    #[test]
    fn a_parameter_cannot_break_out_of_its_quotes() {
        let challenge = Challenge::bare().param("scope", "a\"b\\c\r\nSet-Cookie: x=1\u{7f}é");
        assert_snapshot!(text(&challenge), @r#"401 Bearer scope="a\"b\\c??Set-Cookie: x=1??""#);
    }

    #[test]
    fn a_parameter_is_sent_once() {
        let challenge = Challenge::bare().param("scope", "a").param("scope", "b");
        assert_snapshot!(text(&challenge), @r#"401 Bearer scope="b""#);
    }

    #[test]
    fn unavailable_is_no_refusal() {
        let mut headers = HeaderMap::new();
        TokenError::KeysUnavailable.challenge().apply(&mut headers);
        assert_eq!(headers.get(header::RETRY_AFTER).unwrap(), "5");
        assert!(!headers.contains_key(header::WWW_AUTHENTICATE));
    }

    #[test]
    fn everything_wrong_with_a_token_looks_the_same() {
        for error in TokenError::ALL {
            let public = (text(&error.challenge()), error.public_code());
            match error {
                TokenError::Missing | TokenError::RequestMalformed | TokenError::KeysUnavailable => {}
                TokenError::Proof(proof) if proof != &DpopError::KeyMismatch => {}
                _ => assert_eq!(public, (text(&Challenge::invalid_token()), "token_invalid"), "{error:?}"),
            }
        }
    }

    #[test]
    fn everything_wrong_with_a_proof_looks_the_same() {
        let (proof, nonce) = (Challenge::invalid_dpop_proof(), Challenge::use_dpop_nonce());
        assert_snapshot!(text(&proof), @r#"401 DPoP error="invalid_dpop_proof", error_description="The DPoP proof is not valid""#);
        assert_snapshot!(text(&nonce), @r#"401 DPoP error="use_dpop_nonce", error_description="The DPoP proof needs a current nonce""#);
        for &error in DpopError::ALL {
            let answered = TokenError::Proof(error);
            assert!(TokenError::ALL.contains(&answered), "{error:?}");
            let public = (answered.challenge(), answered.public_code());
            match error {
                DpopError::NonceMissing | DpopError::NonceStale => {
                    assert_eq!(public, (nonce.clone(), "dpop_nonce_required"), "{error:?}");
                }
                DpopError::KeyMismatch => assert_eq!(public, (Challenge::invalid_token(), "token_invalid")),
                DpopError::WindowFull => assert_eq!(public.0, Challenge::unavailable()),
                _ => assert_eq!(public, (proof.clone(), "dpop_proof_invalid"), "{error:?}"),
            }
        }
    }

    #[test]
    fn several_schemes_are_several_headers() {
        let nonce = Some(HeaderValue::from_static("n-1"));
        let challenge = Challenge::bare().or(Challenge::bare().in_dpop().param("algs", "ES256"));
        let mut headers = HeaderMap::new();
        challenge.param_of_all("resource_metadata", "https://x").dpop_nonce(nonce).apply(&mut headers);
        let values: Vec<_> = headers.get_all(header::WWW_AUTHENTICATE).iter().collect();
        assert_eq!(
            values,
            [
                r#"Bearer resource_metadata="https://x""#,
                r#"DPoP algs="ES256", resource_metadata="https://x""#
            ]
        );
        assert_eq!(headers.get(DPOP_NONCE).unwrap(), "n-1");
    }

    #[test]
    fn codes_are_distinct() {
        let mut codes: Vec<_> = TokenError::ALL.iter().map(TokenError::code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), TokenError::ALL.len());
    }
}
