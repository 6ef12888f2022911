//! The whole answer to a request that may not pass (RFC 6750 §3, RFC 9457).

use crate::{Challenge, Compat, TokenError};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

/// The whole answer to a request that may not pass: a [`Challenge`] and an RFC 9457 problem document.
///
/// It is what [`AuthLayer`](crate::AuthLayer) and [`Token`](crate::Token) answer with, and a handler may return it.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Boxed, so that what passes is not moved about in room for what does not.
    challenge: Box<Challenge>,
    code: &'static str,
    compat: Option<Compat>,
}

impl Refusal {
    /// An answer with a `code` of the application's own.
    pub fn new(challenge: Challenge, code: &'static str) -> Self {
        Self { challenge: Box::new(challenge), code, compat: None }
    }

    /// The challenge in it.
    pub fn challenge(&self) -> &Challenge {
        &self.challenge
    }

    /// The `code` member of the body.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self.compat {
            None => self.challenge.status(),
            Some(Compat::TutorialPair) => match self.challenge.status() {
                StatusCode::SERVICE_UNAVAILABLE => StatusCode::SERVICE_UNAVAILABLE,
                _ if self.challenge.is_bare() => StatusCode::UNAUTHORIZED,
                _ => StatusCode::FORBIDDEN,
            },
        }
    }

    /// The answer, for whatever framework sends it.
    pub fn into_http(self) -> http::Response<Bytes> {
        let status = self.status();
        let (content_type, body) = match self.compat {
            None => {
                let title = status.canonical_reason().unwrap_or("Refused");
                let problem = json!({"type": "about:blank", "title": title, "status": status.as_u16(), "code": self.code});
                ("application/problem+json", problem)
            }
            Some(Compat::TutorialPair) => {
                let message = match status {
                    StatusCode::UNAUTHORIZED => "Missing token",
                    StatusCode::FORBIDDEN => "Invalid token",
                    _ => "Try again later",
                };
                ("application/json; charset=utf-8", json!({"message": message}))
            }
        };
        let mut response = http::Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        // RFC 6750 §5.3: an answer about a token must not be kept by a shared cache.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.compat.is_none() || self.challenge.retry_after_s().is_some() {
            self.challenge.apply(headers);
        }
        response
    }

    /// The same answer in the way of a compatibility profile.
    #[must_use]
    pub(crate) fn in_the_way_of(self, compat: Option<Compat>) -> Self {
        Self { compat, ..self }
    }

    /// The same answer with another challenge.
    #[must_use]
    pub(crate) fn with_challenge(self, change: impl FnOnce(Challenge) -> Challenge) -> Self {
        Self { challenge: Box::new(change(*self.challenge)), ..self }
    }
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        Self::new(error.challenge(), error.public_code())
    }
}

#[cfg(feature = "axum")]
impl axum::response::IntoResponse for Refusal {
    fn into_response(self) -> axum::response::Response {
        self.into_http().map(axum::body::Body::from)
    }
}
