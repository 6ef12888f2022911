//! Why a token did not pass, for the log and for the wire.

use crate::Challenge;
use sealwright_jose::VerifyErrorKind;

/// Why a token did not pass.
///
/// The reason is for logs, counters and tests: [`TokenError::code`]. A stranger sees [`TokenError::challenge`]
/// and [`TokenError::public_code`] only, which are the same for everything that may be wrong with a token, so
/// that nobody can use this server to find out how far a forgery came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// No token was sent: no `Authorization` header, or one of another scheme (RFC 6750 §3.1 treats both alike).
    #[error("no token was sent")]
    Missing,
    /// Two `Authorization` headers, or one that cannot be read as `Bearer` and a token.
    #[error("the request is malformed")]
    RequestMalformed,
    /// Not a compact JWS, too long, or its header is not the JSON that it must be.
    #[error("the token is malformed")]
    Malformed,
    /// `iss` names nobody that is trusted.
    #[error("the issuer is unknown")]
    IssuerUnknown,
    /// `alg` is not one of the algorithms that this issuer may use; `none` and HMAC never are.
    #[error("the algorithm is not allowed")]
    AlgNotAllowed,
    /// `crit` names a header parameter that is not understood here.
    #[error("a critical parameter is unknown")]
    CriticalUnknown,
    /// `typ` is another one than the issuer's tokens have, or missing.
    #[error("the type does not match")]
    TypMismatch,
    /// No key of the issuer fits `kid` and `alg`, or more than one does.
    #[error("the key is unknown")]
    KeyUnknown,
    /// The key is known and did not make this signature.
    #[error("the signature is not valid")]
    SignatureInvalid,
    /// `exp` is past.
    #[error("the token has expired")]
    Expired,
    /// `nbf` or `iat` is yet to come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// `iat` is longer ago than the configuration allows.
    #[error("the token is too old")]
    TooOld,
    /// None of our names is in `aud`.
    #[error("the audience does not match")]
    AudienceMismatch,
    /// The payload is no claims set, a claim that RFC 9068 or the configuration requires is missing, or one has the
    /// wrong type.
    #[error("a required claim is missing or malformed")]
    ClaimsMalformed,
    /// It was revoked, and has not expired yet.
    #[error("the token was revoked")]
    Revoked,
    /// It is bound to a key of its holder (`cnf`, RFC 7800), and that the sender has this key cannot be checked.
    #[error("the token is bound to a key that was not proven")]
    SenderConstraintFailed,
    /// The issuer's key set could not be fetched, and none that may still be used is at hand.
    #[error("the issuer's keys are not available")]
    KeysUnavailable,
}

impl TokenError {
    /// Every variant, for tables in tests and for counters that start at zero.
    pub const ALL: &'static [Self] = &[
        Self::Missing,
        Self::RequestMalformed,
        Self::Malformed,
        Self::IssuerUnknown,
        Self::AlgNotAllowed,
        Self::CriticalUnknown,
        Self::TypMismatch,
        Self::KeyUnknown,
        Self::SignatureInvalid,
        Self::Expired,
        Self::NotYetValid,
        Self::TooOld,
        Self::AudienceMismatch,
        Self::ClaimsMalformed,
        Self::Revoked,
        Self::SenderConstraintFailed,
        Self::KeysUnavailable,
    ];

    /// Stable name for logs and counters, e.g. `signature_invalid`.
    ///
    /// Not for the wire: see [`TokenError::public_code`].
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "token_missing",
            Self::RequestMalformed => "request_malformed",
            Self::Malformed => "token_malformed",
            Self::IssuerUnknown => "issuer_unknown",
            Self::AlgNotAllowed => "alg_not_allowed",
            Self::CriticalUnknown => "critical_unknown",
            Self::TypMismatch => "typ_mismatch",
            Self::KeyUnknown => "key_unknown",
            Self::SignatureInvalid => "signature_invalid",
            Self::Expired => "token_expired",
            Self::NotYetValid => "token_not_yet_valid",
            Self::TooOld => "token_too_old",
            Self::AudienceMismatch => "audience_mismatch",
            Self::ClaimsMalformed => "claims_malformed",
            Self::Revoked => "token_revoked",
            Self::SenderConstraintFailed => "sender_constraint_failed",
            Self::KeysUnavailable => "authorization_server_unavailable",
        }
    }

    /// The `code` of the problem document that a stranger gets: one for everything wrong with a token.
    pub const fn public_code(&self) -> &'static str {
        match self.class() {
            Class::Missing | Class::Request | Class::Undecided => self.code(),
            Class::Token => "token_invalid",
        }
    }

    /// RFC 6750 §3.1 status and `WWW-Authenticate`; everything wrong with a token looks the same.
    ///
    /// [`TokenError::KeysUnavailable`] is 503 with `Retry-After`: it says nothing about the token, and a client
    /// that took it for `invalid_token` would throw away a token that is good.
    pub fn challenge(&self) -> Challenge {
        match self.class() {
            Class::Missing => Challenge::bare(),
            Class::Request => Challenge::invalid_request(),
            Class::Token => Challenge::invalid_token(),
            Class::Undecided => Challenge::unavailable(),
        }
    }

    /// As what it is answered. The only list of them.
    pub(crate) const fn class(&self) -> Class {
        match self {
            Self::Missing => Class::Missing,
            Self::RequestMalformed => Class::Request,
            Self::KeysUnavailable => Class::Undecided,
            Self::Malformed
            | Self::IssuerUnknown
            | Self::AlgNotAllowed
            | Self::CriticalUnknown
            | Self::TypMismatch
            | Self::KeyUnknown
            | Self::SignatureInvalid
            | Self::Expired
            | Self::NotYetValid
            | Self::TooOld
            | Self::AudienceMismatch
            | Self::ClaimsMalformed
            | Self::Revoked
            | Self::SenderConstraintFailed => Class::Token,
        }
    }
}

/// What a stranger may know of a [`TokenError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Nothing was presented.
    Missing,
    /// The request cannot be read.
    Request,
    /// The token does not pass; why is not said.
    Token,
    /// It could not be decided, which is not the client's fault.
    Undecided,
}

impl From<VerifyErrorKind> for TokenError {
    fn from(kind: VerifyErrorKind) -> Self {
        match kind {
            VerifyErrorKind::AlgNotAllowed => Self::AlgNotAllowed,
            VerifyErrorKind::Critical => Self::CriticalUnknown,
            VerifyErrorKind::TypMismatch => Self::TypMismatch,
            VerifyErrorKind::KeyUnknown | VerifyErrorKind::KeyAmbiguous => Self::KeyUnknown,
            VerifyErrorKind::Signature => Self::SignatureInvalid,
            // `Malformed`, `TooLarge`, and whatever else there may be one day: refused in any case.
            _ => Self::Malformed,
        }
    }
}
