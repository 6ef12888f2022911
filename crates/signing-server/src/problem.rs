//! Refusals and failures on the wire: status, stable code, headers. The only place that knows them.

use std::{borrow::Cow, time::Duration};

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use sealwright_resource_server::{Challenge, TokenError};
use sealwright_service::problem::Problem;

use crate::authorizer::{Denial, DenialCode};

/// What the caller is told when there is no result. What only the log may know is not in here.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The token was not accepted (or there is none, where nothing more can be said than that).
    Token(TokenError),
    /// The token was accepted, and that was not enough.
    Denied(Denial),
    /// Not this resource and not this method; the reason names what is wrong with the request.
    WorkerUnknown(Cow<'static, str>),
    NotFound,
    MethodNotAllowed,
    /// Before anybody was known.
    RequestMalformed(Cow<'static, str>),
    /// A stranger took too long to say what they want.
    RequestTimeout,
    /// Too many contexts were asked for.
    RateLimited(Duration),
    /// The ledger or the audit log cannot be written, so nothing may be done.
    StorageUnavailable,
    /// The authorization server does not answer.
    AuthorizationServerUnavailable,
}

impl Failure {
    /// Status, code and title.
    fn wire(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Token(error) => {
                let code = error.public_code();
                let title = match code {
                    "token_missing" => "An access token is needed",
                    "request_malformed" => "The request is malformed",
                    "authorization_server_unavailable" => "The authorization server's keys are not available",
                    "dpop_proof_invalid" => "The DPoP proof is not valid",
                    "dpop_nonce_required" => "The DPoP proof needs a nonce",
                    _ => "The access token is not valid",
                };
                (error.challenge().status(), code, title)
            }
            Self::Denied(denial) => denied(denial.code),
            Self::WorkerUnknown(_) => {
                (StatusCode::NOT_FOUND, "worker_unknown", "There is no worker for this")
            }
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found", "There is nothing here"),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This cannot be done here")
            }
            Self::RequestMalformed(_) => {
                (StatusCode::BAD_REQUEST, "request_malformed", "The request is malformed")
            }
            Self::RequestTimeout => {
                (StatusCode::REQUEST_TIMEOUT, "request_timeout", "The request took too long to arrive")
            }
            Self::RateLimited(_) => {
                (StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Too many requests in a short time")
            }
            Self::StorageUnavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "storage_unavailable",
                "The server cannot record what it does, so it does nothing",
            ),
            Self::AuthorizationServerUnavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "authorization_server_unavailable",
                "The authorization server does not answer",
            ),
        }
    }

    /// The stable code.
    pub(crate) fn code(&self) -> &'static str {
        self.wire().1
    }

    fn detail(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::RequestMalformed(reason) | Self::WorkerUnknown(reason) => Some(reason.clone()),
            // Other reasons would say what the configuration wants to see, or what a token should have had.
            Self::Denied(denial) => match denial.code {
                DenialCode::RequestMalformed
                | DenialCode::SubjectTemplateFailed
                | DenialCode::DocumentTooLarge => Some(denial.reason.clone()),
                _ => None,
            },
            _ => None,
        }
    }

    /// `WWW-Authenticate`, where the answer is a challenge.
    fn challenge(&self) -> Option<Challenge> {
        match self {
            Self::Token(error) => Some(error.challenge()),
            Self::Denied(denial) => match denial.code {
                DenialCode::AssuranceInsufficient => {
                    denial.step_up.as_ref().map(|step_up| step_up.challenge.clone())
                }
                DenialCode::TokenExpired => Some(Challenge::invalid_token()),
                _ => None,
            },
            _ => None,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited(wait) => Some(*wait),
            Self::StorageUnavailable
            | Self::AuthorizationServerUnavailable
            | Self::Denied(Denial { code: DenialCode::Overloaded, .. }) => Some(Duration::from_secs(5)),
            _ => None,
        }
    }
}

fn denied(code: DenialCode) -> (StatusCode, &'static str, &'static str) {
    let (status, title) = match code {
        DenialCode::ClaimMissing => (StatusCode::FORBIDDEN, "The token lacks a claim that this worker needs"),
        DenialCode::ClaimMismatch => {
            (StatusCode::FORBIDDEN, "The token is not for somebody who may use this worker")
        }
        DenialCode::AssuranceInsufficient => {
            (StatusCode::UNAUTHORIZED, "A stronger or more recent login is needed")
        }
        DenialCode::HashNotAuthorized => {
            (StatusCode::FORBIDDEN, "The token does not authorize this document")
        }
        // One public answer for everything wrong with a token itself.
        DenialCode::TokenExpired => {
            return (StatusCode::UNAUTHORIZED, "token_invalid", "The access token is not valid");
        }
        DenialCode::TokenReplayed => (StatusCode::CONFLICT, "The token was used before"),
        DenialCode::DocumentTooLarge => {
            (StatusCode::PAYLOAD_TOO_LARGE, "The document is too large for this worker")
        }
        DenialCode::RequestMalformed => (StatusCode::BAD_REQUEST, "The request is malformed"),
        DenialCode::SubjectTemplateFailed => {
            (StatusCode::FORBIDDEN, "The token's claims do not make a certificate subject")
        }
        DenialCode::Overloaded => {
            (StatusCode::SERVICE_UNAVAILABLE, "The server works on as many documents as it can")
        }
        DenialCode::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "The server made a mistake"),
    };
    (status, code.as_str(), title)
}

impl From<Denial> for Failure {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, code, title) = self.wire();
        let mut problem = Problem::new(status, code, title);
        if let Some(detail) = self.detail() {
            problem = problem.detail(detail);
        }
        if let Self::Denied(Denial { step_up: Some(step_up), .. }) = &self {
            problem = problem.with("acr_values", step_up.acr_values.clone().into());
            if let Some(max_age_s) = step_up.max_age_s {
                problem = problem.with("max_age", max_age_s.into());
            }
        }
        let mut response = problem.into_response();
        if let Some(challenge) = self.challenge() {
            challenge.apply(response.headers_mut());
        }
        if let Some(wait) = self.retry_after() {
            let seconds = HeaderValue::from(wait.as_secs().max(1));
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use sealwright_resource_server::sender::dpop::DpopError;

    use super::*;

    #[test]
    fn every_denial_has_a_status_and_its_own_code() {
        let codes: Vec<_> = DenialCode::ALL.iter().map(|code| denied(*code)).collect();
        for (status, code, _) in &codes {
            let ours = ["internal_error", "overloaded"].contains(code);
            assert_eq!(status.is_client_error(), !ours, "{code}");
        }
        let mut names: Vec<_> = codes.iter().map(|(_, code, _)| *code).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), codes.len());
    }

    #[test]
    fn a_denial_does_not_say_what_would_have_been_right() {
        let denial = Denial::new(DenialCode::ClaimMismatch, "groups");
        assert_eq!(Failure::Denied(denial).detail(), None);
    }

    #[test]
    fn everything_wrong_with_a_token_is_one_code() {
        for error in TokenError::ALL {
            let (status, code, title) = Failure::Token(*error).wire();
            let wanted = match error {
                TokenError::Missing => (401, "token_missing", "An access token is needed"),
                TokenError::RequestMalformed => (400, "request_malformed", "The request is malformed"),
                TokenError::KeysUnavailable | TokenError::Proof(DpopError::WindowFull) => (
                    503,
                    "authorization_server_unavailable",
                    "The authorization server's keys are not available",
                ),
                TokenError::Proof(DpopError::NonceMissing | DpopError::NonceStale) => {
                    (401, "dpop_nonce_required", "The DPoP proof needs a nonce")
                }
                TokenError::Proof(proof) if *proof != DpopError::KeyMismatch => {
                    (401, "dpop_proof_invalid", "The DPoP proof is not valid")
                }
                _ => (401, "token_invalid", "The access token is not valid"),
            };
            assert_eq!((status.as_u16(), code, title), wanted, "{error:?}");
        }
    }
}
