//! Why somebody with a valid token is refused.

use std::borrow::Cow;

use sealwright_resource_server::{Challenge, assurance::Assurance};

/// A refusal of somebody who is known. The code is public; the reason is for the log and the audit entry.
#[derive(Clone, Debug)]
pub(crate) struct Denial {
    pub(crate) code: DenialCode,
    pub(crate) reason: Cow<'static, str>,
    /// The step-up challenge, with what it asks for (RFC 9470).
    pub(crate) step_up: Option<Box<StepUp>>,
}

/// What a stronger login must give.
#[derive(Clone, Debug)]
pub(crate) struct StepUp {
    pub(crate) challenge: Challenge,
    pub(crate) acr_values: Vec<String>,
    pub(crate) max_age_s: Option<u64>,
}

/// The stable code of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DenialCode {
    ClaimMissing,
    ClaimMismatch,
    AssuranceInsufficient,
    HashNotAuthorized,
    /// While the body was on its way.
    TokenExpired,
    TokenReplayed,
    DocumentTooLarge,
    RequestMalformed,
    SubjectTemplateFailed,
    /// Too many documents are being worked on.
    Overloaded,
    /// Our own fault, after the token was accepted.
    Internal,
}

impl DenialCode {
    /// Every variant, for tests.
    #[cfg(test)]
    pub(crate) const ALL: &'static [Self] = &[
        Self::ClaimMissing,
        Self::ClaimMismatch,
        Self::AssuranceInsufficient,
        Self::HashNotAuthorized,
        Self::TokenExpired,
        Self::TokenReplayed,
        Self::DocumentTooLarge,
        Self::RequestMalformed,
        Self::SubjectTemplateFailed,
        Self::Overloaded,
        Self::Internal,
    ];

    /// As problems and audit entries write it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::ClaimMissing => "claim_missing",
            Self::ClaimMismatch => "claim_mismatch",
            Self::AssuranceInsufficient => "assurance_insufficient",
            Self::HashNotAuthorized => "hash_not_authorized",
            Self::TokenExpired => "token_expired",
            Self::TokenReplayed => "token_replayed",
            Self::DocumentTooLarge => "document_too_large",
            Self::RequestMalformed => "request_malformed",
            Self::SubjectTemplateFailed => "subject_template_failed",
            Self::Overloaded => "overloaded",
            Self::Internal => "internal_error",
        }
    }

    /// How far a request came; the order of the checks.
    pub(super) fn progress(self) -> u8 {
        match self {
            Self::ClaimMissing | Self::ClaimMismatch => 0,
            Self::AssuranceInsufficient => 1,
            Self::HashNotAuthorized => 2,
            Self::TokenExpired
            | Self::TokenReplayed
            | Self::DocumentTooLarge
            | Self::RequestMalformed
            | Self::SubjectTemplateFailed
            | Self::Overloaded
            | Self::Internal => 3,
        }
    }
}

impl Denial {
    pub(crate) fn new(code: DenialCode, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code, reason: reason.into(), step_up: None }
    }

    pub(super) fn assurance(challenge: Challenge, required: &Assurance) -> Self {
        Self {
            code: DenialCode::AssuranceInsufficient,
            reason: "the login behind the token is too weak or too old".into(),
            step_up: Some(Box::new(StepUp {
                challenge,
                acr_values: required.acr_any.clone(),
                max_age_s: required.max_auth_age.map(|age| age.as_secs()),
            })),
        }
    }
}
