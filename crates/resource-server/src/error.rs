//! Why a token did not pass, for the log and for the wire.

use crate::{Challenge, sender::dpop::DpopError};
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
    /// It is bound to something of its holder's (`cnf`, RFC 7800) in a way that is not understood here, or that
    /// cannot be checked: DPoP is not set up, or the token came without its request.
    #[error("the token is bound in a way that cannot be checked")]
    SenderConstraintFailed,
    /// It is not bound to its sender, and has to be.
    #[error("the token is not bound to its sender")]
    SenderUnbound,
    /// It is bound to a DPoP key and was sent as `Bearer`, or is not and was sent as `DPoP` (RFC 9449 §7.1, §7.2).
    #[error("the token was sent under a scheme that it is not for")]
    SchemeMismatch,
    /// It is bound to a client certificate, and the connection has none.
    #[error("the connection has no client certificate")]
    CertificateMissing,
    /// It is bound to another client certificate than that of the connection.
    #[error("the token is bound to another certificate")]
    CertificateMismatch,
    /// The sender did not prove the key that it is bound to (RFC 9449).
    #[error(transparent)]
    Proof(#[from] DpopError),
    /// The issuer's key set could not be fetched, and none that may still be used is at hand.
    ///
    /// Only a token that names a trusted issuer, with an `alg` and a `typ` of its terms, needs keys. So whoever tries
    /// names during an outage can tell those of trusted issuers, which are no secret, from others.
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
        Self::SenderUnbound,
        Self::SchemeMismatch,
        Self::CertificateMissing,
        Self::CertificateMismatch,
        Self::Proof(DpopError::Missing),
        Self::Proof(DpopError::Several),
        Self::Proof(DpopError::Malformed),
        Self::Proof(DpopError::AlgNotAllowed),
        Self::Proof(DpopError::CriticalUnknown),
        Self::Proof(DpopError::TypMismatch),
        Self::Proof(DpopError::KeyMissing),
        Self::Proof(DpopError::KeySecret),
        Self::Proof(DpopError::KeyUnusable),
        Self::Proof(DpopError::SignatureInvalid),
        Self::Proof(DpopError::ClaimsMalformed),
        Self::Proof(DpopError::MethodMismatch),
        Self::Proof(DpopError::UrlMismatch),
        Self::Proof(DpopError::TokenMismatch),
        Self::Proof(DpopError::TooOld),
        Self::Proof(DpopError::NotYetValid),
        Self::Proof(DpopError::NonceMissing),
        Self::Proof(DpopError::NonceStale),
        Self::Proof(DpopError::KeyMismatch),
        Self::Proof(DpopError::Replayed),
        Self::Proof(DpopError::WindowFull),
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
            Self::SenderUnbound => "sender_unbound",
            Self::SchemeMismatch => "scheme_mismatch",
            Self::CertificateMissing => "certificate_missing",
            Self::CertificateMismatch => "certificate_mismatch",
            Self::Proof(error) => error.code(),
            Self::KeysUnavailable => "authorization_server_unavailable",
        }
    }

    /// The `code` of the problem document that a stranger gets: one for everything wrong with a token.
    pub const fn public_code(&self) -> &'static str {
        match self.class() {
            Class::Missing | Class::Request => self.code(),
            // Which of our resources ran short is nobody's business.
            Class::Undecided => Self::KeysUnavailable.code(),
            Class::Token | Class::Scheme => "token_invalid",
            Class::Proof => "dpop_proof_invalid",
            Class::Nonce => "dpop_nonce_required",
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
            Class::Token | Class::Scheme => Challenge::invalid_token(),
            Class::Proof => Challenge::invalid_dpop_proof(),
            Class::Nonce => Challenge::use_dpop_nonce(),
            Class::Undecided => Challenge::unavailable(),
        }
    }

    /// As what it is answered. The only list of them.
    pub(crate) const fn class(&self) -> Class {
        match self {
            Self::Missing => Class::Missing,
            Self::RequestMalformed => Class::Request,
            Self::KeysUnavailable | Self::Proof(DpopError::WindowFull) => Class::Undecided,
            Self::SenderUnbound | Self::SchemeMismatch => Class::Scheme,
            Self::Proof(DpopError::NonceMissing | DpopError::NonceStale) => Class::Nonce,
            // RFC 9449 §7.1: a sound proof of another key than the token's is a fault of the token.
            Self::Proof(DpopError::KeyMismatch) => Class::Token,
            Self::Proof(_) => Class::Proof,
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
            | Self::CertificateMissing
            | Self::CertificateMismatch
            | Self::SenderConstraintFailed => Class::Token,
        }
    }
}

impl Class {
    /// Whether the client should be told under what other scheme a token may come.
    pub(crate) const fn is_about_scheme(self) -> bool {
        matches!(self, Self::Missing | Self::Scheme)
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
    /// Neither does this one, and it might under another scheme.
    Scheme,
    /// The proof of a DPoP key does not pass; why is not said either.
    Proof,
    /// The proof needs a nonce of ours.
    Nonce,
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
