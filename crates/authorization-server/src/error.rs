//! What can go wrong with a request, by what the sender can do about it.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use sealwright_audit::AuditError;
use sealwright_jose::SignError;
use sealwright_keystore::KeystoreError;
use serde_json::json;

use crate::domain::authorization_details::DetailsError;
use crate::signing_keys::snapshot::NoSigner;

/// Refusals in OAuth's words (RFC 6749 §4.1.2.1 and §5.2, RFC 8707, 9126, 9396, 9470), and our own faults.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OAuthError {
    #[error("client authentication failed")]
    InvalidClient,
    #[error("{0}")]
    InvalidRequest(&'static str),
    #[error("the request URI is unknown, used, expired, or another client's")]
    InvalidRequestUri,
    /// One text for every cause, so that nobody can find out which part of a stolen grant is wrong.
    #[error(
        "the code is unknown, used or expired, or it does not belong to this client, redirect URI and verifier"
    )]
    InvalidGrant,
    #[error("{0}")]
    UnauthorizedClient(&'static str),
    #[error("the grant type is not supported")]
    UnsupportedGrantType,
    #[error("the response type is not supported; use code")]
    UnsupportedResponseType,
    #[error("a scope is malformed or not registered for this client")]
    InvalidScope,
    #[error("the resource is not an audience of this client")]
    InvalidTarget,
    #[error(transparent)]
    InvalidAuthorizationDetails(#[from] DetailsError),
    #[error("request objects are not supported; push the request instead")]
    RequestNotSupported,
    #[error("the person would have to log in")]
    LoginRequired,
    #[error("the person declined")]
    AccessDenied,
    #[error("the level of assurance that was asked for cannot be reached")]
    UnmetAuthenticationRequirements,
    #[error("too many requests; try again later")]
    TooManyRequests { retry_after: Duration },
    #[error("the server has too much to do; try again shortly")]
    Busy,
    /// Detail for the log; those who wait are told to wait.
    #[error("{}", no_signer(*.0))]
    NoSigner(#[from] NoSigner),
    #[error("there is nothing here")]
    NotFound,
    #[error("this endpoint does not have this method")]
    Method,
    #[error("the body is larger than 64 KiB")]
    TooLarge,
    #[error("the body's media type is not the one of this endpoint")]
    MediaType,
    #[error("storage failed")]
    Store(#[from] sqlx::Error),
    #[error("the audit log could not be written")]
    Audit(#[from] AuditError),
    #[error("the signing key did not work")]
    Key(#[from] KeystoreError),
    #[error("the token could not be put together")]
    Sign(#[from] SignError),
}

impl OAuthError {
    /// Status and `error` code on the wire. The only place that knows them.
    pub(crate) fn wire(&self) -> (StatusCode, &'static str) {
        match self {
            Self::InvalidClient => (StatusCode::UNAUTHORIZED, "invalid_client"),
            Self::InvalidRequest(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
            Self::InvalidRequestUri => (StatusCode::BAD_REQUEST, "invalid_request_uri"),
            Self::InvalidGrant => (StatusCode::BAD_REQUEST, "invalid_grant"),
            Self::UnauthorizedClient(_) => (StatusCode::BAD_REQUEST, "unauthorized_client"),
            Self::UnsupportedGrantType => (StatusCode::BAD_REQUEST, "unsupported_grant_type"),
            Self::UnsupportedResponseType => (StatusCode::BAD_REQUEST, "unsupported_response_type"),
            Self::InvalidScope => (StatusCode::BAD_REQUEST, "invalid_scope"),
            Self::InvalidTarget => (StatusCode::BAD_REQUEST, "invalid_target"),
            Self::InvalidAuthorizationDetails(_) => {
                (StatusCode::BAD_REQUEST, "invalid_authorization_details")
            }
            Self::RequestNotSupported => (StatusCode::BAD_REQUEST, "request_not_supported"),
            Self::LoginRequired => (StatusCode::BAD_REQUEST, "login_required"),
            Self::AccessDenied => (StatusCode::BAD_REQUEST, "access_denied"),
            Self::UnmetAuthenticationRequirements => {
                (StatusCode::BAD_REQUEST, "unmet_authentication_requirements")
            }
            Self::TooManyRequests { .. } => (StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable"),
            Self::Busy | Self::NoSigner(_) => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "invalid_request"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "invalid_request"),
            Self::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "invalid_request"),
            Self::Store(_) | Self::Audit(_) | Self::Key(_) | Self::Sign(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "server_error")
            }
        }
    }

    /// What the sender may read: nothing about our own faults.
    pub(crate) fn description(&self) -> String {
        match self.wire().0 {
            StatusCode::INTERNAL_SERVER_ERROR => {
                "the server could not do this; the operator's log says why".to_owned()
            }
            _ => self.to_string(),
        }
    }

    /// Seconds for `Retry-After`.
    pub(crate) fn retry_after_s(&self) -> Option<u64> {
        match self {
            Self::TooManyRequests { retry_after } => Some(whole_seconds(*retry_after)),
            Self::Busy => Some(1),
            // It takes somebody who writes resources.
            Self::NoSigner(NoSigner::NotDeclared) => None,
            Self::NoSigner(_) => Some(5),
            _ => None,
        }
    }

    /// Writes our own faults to the log, with their causes; refusals are no news there.
    pub(crate) fn log(&self) {
        let (status, code) = self.wire();
        if status.is_server_error() {
            let cause = std::error::Error::source(self).map(ToString::to_string);
            tracing::error!(error = %self, cause, "request failed");
        } else {
            tracing::debug!(code, error = %self, "request refused");
        }
    }
}

/// What senders may read of it: whether to wait.
fn no_signer(why: NoSigner) -> &'static str {
    match why {
        NoSigner::NotDeclared => "this server has no signing key, so it issues no tokens",
        NoSigner::NoKey | NoSigner::Stale | NoSigner::NotOpen | NoSigner::NotReserved => {
            "no token can be signed at the moment; try again shortly"
        }
    }
}

/// Rounded up, and at least one.
pub(crate) fn whole_seconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1)
}

impl IntoResponse for OAuthError {
    /// RFC 6749 §5.2, for every endpoint that speaks JSON.
    fn into_response(self) -> Response {
        self.log();
        let (status, code) = self.wire();
        let body = json!({"error": code, "error_description": self.description()});
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"sealwright\""));
        }
        if let Some(seconds) = self.retry_after_s() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_faults_say_nothing_about_their_causes() {
        let error = OAuthError::Store(sqlx::Error::PoolTimedOut);
        assert_eq!(error.description(), "the server could not do this; the operator's log says why");
        assert_eq!(error.wire(), (StatusCode::INTERNAL_SERVER_ERROR, "server_error"));
    }

    #[test]
    fn every_refusal_has_its_status_and_code() {
        let wire = |error: OAuthError| {
            let (status, code) = error.wire();
            format!("{} {code}", status.as_u16())
        };
        let all = [
            OAuthError::InvalidClient,
            OAuthError::InvalidRequest("x"),
            OAuthError::InvalidRequestUri,
            OAuthError::InvalidGrant,
            OAuthError::UnauthorizedClient("x"),
            OAuthError::UnsupportedGrantType,
            OAuthError::UnsupportedResponseType,
            OAuthError::InvalidScope,
            OAuthError::InvalidTarget,
            OAuthError::InvalidAuthorizationDetails(DetailsError("x".into())),
            OAuthError::RequestNotSupported,
            OAuthError::LoginRequired,
            OAuthError::AccessDenied,
            OAuthError::UnmetAuthenticationRequirements,
            OAuthError::TooManyRequests { retry_after: Duration::from_millis(1500) },
            OAuthError::Busy,
            OAuthError::NoSigner(NoSigner::Stale),
            OAuthError::NotFound,
            OAuthError::Method,
            OAuthError::TooLarge,
            OAuthError::MediaType,
            OAuthError::Store(sqlx::Error::PoolTimedOut),
        ];
        let codes: Vec<String> = all.into_iter().map(wire).collect();
        assert_eq!(
            codes,
            [
                "401 invalid_client",
                "400 invalid_request",
                "400 invalid_request_uri",
                "400 invalid_grant",
                "400 unauthorized_client",
                "400 unsupported_grant_type",
                "400 unsupported_response_type",
                "400 invalid_scope",
                "400 invalid_target",
                "400 invalid_authorization_details",
                "400 request_not_supported",
                "400 login_required",
                "400 access_denied",
                "400 unmet_authentication_requirements",
                "429 temporarily_unavailable",
                "503 temporarily_unavailable",
                "503 temporarily_unavailable",
                "404 not_found",
                "405 invalid_request",
                "413 invalid_request",
                "415 invalid_request",
                "500 server_error",
            ]
        );
    }

    #[test]
    fn waiting_times_are_rounded_up() {
        assert_eq!(whole_seconds(Duration::ZERO), 1);
        assert_eq!(whole_seconds(Duration::from_millis(1001)), 2);
    }
}
