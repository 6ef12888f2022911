//! Why a proof did not pass.

use sealwright_jose::{VerifyErrorKind, jws::PossessionError};

/// Why a DPoP proof did not pass: for logs, counters and tests.
///
/// Whoever sent it learns no more than that it is not valid, or that it needs a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DpopError {
    /// The `DPoP` scheme was used, and there is no `DPoP` header.
    #[error("no proof was sent")]
    Missing,
    /// There is more than one `DPoP` header (RFC 9449 §4.3, check 1).
    #[error("more than one proof was sent")]
    Several,
    /// It is not a compact JWS, too long, or its header is not strict JSON.
    #[error("the proof is malformed")]
    Malformed,
    /// `typ` is not `dpop+jwt`.
    #[error("the proof is of another type")]
    TypMismatch,
    /// `alg` is not one of the algorithms that are accepted; `none` and HMAC never are.
    #[error("the proof's algorithm is not allowed")]
    AlgNotAllowed,
    /// `crit` names a header parameter that is not understood here.
    #[error("a critical parameter of the proof is unknown")]
    CriticalUnknown,
    /// There is no `jwk` in the header.
    #[error("the proof has no key")]
    KeyMissing,
    /// `jwk` is a private or symmetric key.
    #[error("the proof shows a secret key")]
    KeySecret,
    /// `jwk` is broken, weak, not for that algorithm or not for signatures.
    #[error("the proof's key cannot be used")]
    KeyUnusable,
    /// The key in it did not make this signature.
    #[error("the proof's signature is not valid")]
    SignatureInvalid,
    /// The payload is not a claims set with `jti`, `htm`, `htu` and `iat` of their types, or `jti` is empty or
    /// too long.
    #[error("a required claim of the proof is missing or malformed")]
    ClaimsMalformed,
    /// `htm` is not the method of the request.
    #[error("the proof is for another method")]
    MethodMismatch,
    /// `htu` is not the URL of the request.
    #[error("the proof is for another URL")]
    UrlMismatch,
    /// `iat` is too long ago, or `exp` past.
    #[error("the proof is too old")]
    TooOld,
    /// `iat` or `nbf` is yet to come.
    #[error("the proof is not valid yet")]
    NotYetValid,
    /// `ath` is missing, or not the digest of the access token.
    #[error("the proof is for another access token")]
    TokenMismatch,
    /// A nonce is required, and there is none.
    #[error("the proof has no nonce")]
    NonceMissing,
    /// The nonce is not one of ours, or not of late.
    #[error("the proof's nonce is not a current one")]
    NonceStale,
    /// The access token is bound to another key.
    #[error("the token is bound to another key than the proof's")]
    KeyMismatch,
    /// This key has used this `jti` before.
    #[error("the proof was used before")]
    Replayed,
    /// So many proofs were seen of late that no more can be remembered: nobody's fault that a client can mend.
    #[error("no more proofs can be remembered")]
    WindowFull,
}

impl DpopError {
    /// Every variant, in the order of the checks.
    pub const ALL: &'static [Self] = &[
        Self::Missing,
        Self::Several,
        Self::Malformed,
        Self::AlgNotAllowed,
        Self::CriticalUnknown,
        Self::TypMismatch,
        Self::KeyMissing,
        Self::KeySecret,
        Self::KeyUnusable,
        Self::SignatureInvalid,
        Self::ClaimsMalformed,
        Self::MethodMismatch,
        Self::UrlMismatch,
        Self::TokenMismatch,
        Self::TooOld,
        Self::NotYetValid,
        Self::NonceMissing,
        Self::NonceStale,
        Self::KeyMismatch,
        Self::Replayed,
        Self::WindowFull,
    ];

    /// Stable name for logs and counters, e.g. `dpop_url_mismatch`. Not for the wire.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "dpop_proof_missing",
            Self::Several => "dpop_proof_several",
            Self::Malformed => "dpop_proof_malformed",
            Self::TypMismatch => "dpop_typ_mismatch",
            Self::AlgNotAllowed => "dpop_alg_not_allowed",
            Self::CriticalUnknown => "dpop_critical_unknown",
            Self::KeyMissing => "dpop_key_missing",
            Self::KeySecret => "dpop_key_secret",
            Self::KeyUnusable => "dpop_key_unusable",
            Self::SignatureInvalid => "dpop_signature_invalid",
            Self::ClaimsMalformed => "dpop_claims_malformed",
            Self::MethodMismatch => "dpop_method_mismatch",
            Self::UrlMismatch => "dpop_url_mismatch",
            Self::TooOld => "dpop_too_old",
            Self::NotYetValid => "dpop_not_yet_valid",
            Self::TokenMismatch => "dpop_token_mismatch",
            Self::NonceMissing => "dpop_nonce_missing",
            Self::NonceStale => "dpop_nonce_stale",
            Self::KeyMismatch => "dpop_key_mismatch",
            Self::Replayed => "dpop_replayed",
            Self::WindowFull => "dpop_window_full",
        }
    }
}

impl From<PossessionError> for DpopError {
    fn from(error: PossessionError) -> Self {
        match error {
            PossessionError::KeyMissing => Self::KeyMissing,
            PossessionError::KeySecret => Self::KeySecret,
            PossessionError::Key(_) => Self::KeyUnusable,
            PossessionError::Token(error) => match error.kind() {
                VerifyErrorKind::AlgNotAllowed => Self::AlgNotAllowed,
                VerifyErrorKind::Critical => Self::CriticalUnknown,
                VerifyErrorKind::TypMismatch => Self::TypMismatch,
                VerifyErrorKind::Signature => Self::SignatureInvalid,
                _ => Self::Malformed,
            },
            // Whatever else there may be one day proves nothing either.
            _ => Self::Malformed,
        }
    }
}
