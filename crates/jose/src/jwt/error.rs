//! Why a token is not accepted.

use std::fmt;

use super::ClaimsError;
use crate::{VerifyError, VerifyErrorKind, jws::Limit};

/// Why a token was not accepted: one opaque error, so that a caller who shows it to a stranger is no
/// oracle.
///
/// [`kind`](Self::kind) and [`limit`](Self::limit) say more, for logs.
///
/// ```
/// use sealwright_jose::{Alg, MacKey, jws::{Scratch, Signer, Verifier}, jwt::{JwtErrorKind, Validator}};
///
/// let key = MacKey::generate(Alg::Hs256)?;
/// let token = Signer::mac(&key).sign_compact(br#"{"exp":1764547200}"#)?;
/// let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build()?;
/// let validator = Validator::builder()
///     .waive_typ()
///     .waive_issuer()
///     .waive_audience()
///     .expect_expiry()
///     .waive_not_before()
///     .waive_max_age()
///     .build()?;
/// let error = verifier.verify_jwt(&token, &validator, 1764547200, &mut Scratch::new()).unwrap_err();
/// assert_eq!(error.to_string(), "the token is not valid");
/// assert_eq!(error.kind(), JwtErrorKind::Expired);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token is not valid")]
pub struct JwtError {
    kind: JwtErrorKind,
    limit: Option<Limit>,
}

impl JwtError {
    /// What was wrong. Not to be shown to whoever sent the token.
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey, VerifyErrorKind, jwt::JwtErrorKind};
    /// # use sealwright_jose::{jws::{Scratch, Verifier}, jwt::Validator};
    /// # let validator = Validator::builder().waive_typ().waive_issuer().waive_audience().expect_expiry();
    /// # let validator = validator.waive_not_before().waive_max_age().build()?;
    /// let verifier = Verifier::builder([Alg::Hs256]).mac_key(MacKey::generate(Alg::Hs256)?).build()?;
    /// // The token of RFC 7515 A.1. Its time was over in 2011, but its key is not ours, which comes first.
    /// # let token = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/vectors/rfc7515_a1.jws"));
    /// # let token = token.trim();
    /// let error = verifier.verify_jwt(token, &validator, 1764547200, &mut Scratch::new()).unwrap_err();
    /// assert_eq!(error.kind(), JwtErrorKind::Jws(VerifyErrorKind::Signature));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn kind(&self) -> JwtErrorKind {
        self.kind
    }

    /// Which limit was exceeded, if that was it: of the [`Limits`](crate::jws::Limits) of the verifier, or the
    /// [nesting](super::ValidatorBuilder::nesting) of the claims.
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey, jws::{Limit, Limits, Scratch, Signer, Verifier}, jwt::Validator};
    ///
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let validator = Validator::builder().waive_typ().waive_issuer().waive_audience().waive_expiry();
    /// # let validator = validator.waive_not_before().waive_max_age().build()?;
    /// let token = Signer::mac(&key).sign_compact(br#"{"sub":"joe"}"#)?;
    /// let limits = Limits::default().header_bytes(10);
    /// let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).limits(limits).build()?;
    /// let error = verifier.verify_jwt(&token, &validator, 1764547200, &mut Scratch::new()).unwrap_err();
    /// assert_eq!(error.limit(), Some(Limit::Header), "the claims were not looked at");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn limit(&self) -> Option<Limit> {
        self.limit
    }
}

impl From<JwtErrorKind> for JwtError {
    fn from(kind: JwtErrorKind) -> Self {
        let limit = (kind == JwtErrorKind::Claims(ClaimsError::TooDeep)).then_some(Limit::Nesting);
        Self { kind, limit }
    }
}

impl From<VerifyError> for JwtError {
    fn from(error: VerifyError) -> Self {
        Self { kind: JwtErrorKind::Jws(error.kind()), limit: error.limit() }
    }
}

/// Which check a token did not pass, for logs.
///
/// ```
/// use sealwright_jose::{VerifyErrorKind, jwt::JwtErrorKind};
///
/// // Expired tokens come every day; one from the future says that a clock is wrong.
/// let is_alarming = |kind| matches!(kind, JwtErrorKind::NotYetValid | JwtErrorKind::IssuedInFuture);
/// assert!(is_alarming(JwtErrorKind::IssuedInFuture) && !is_alarming(JwtErrorKind::Expired));
/// assert_eq!(JwtErrorKind::Missing("aud").to_string(), "no `aud`");
/// assert_eq!(JwtErrorKind::Jws(VerifyErrorKind::Signature).to_string(), "signature does not match");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JwtErrorKind {
    /// It is no JWS that the verifier accepts.
    Jws(VerifyErrorKind),
    /// Its payload is not base64url-encoded, which no JWT may do (RFC 7797 §7).
    Unencoded,
    /// Its payload is no claims set.
    Claims(ClaimsError),
    /// It is of another type than those that are expected, or of none.
    TypMismatch,
    /// This claim is not there: `iss`, `aud`, `exp`, `nbf`, or, for its age, `iat`.
    Missing(&'static str),
    /// Another issuer made it than those that are expected.
    IssuerMismatch,
    /// It is for none of the audiences that are expected.
    AudienceMismatch,
    /// Its time is over (`exp`).
    Expired,
    /// Its time has not come (`nbf`).
    NotYetValid,
    /// It says that it was made in the future (`iat`).
    IssuedInFuture,
    /// It was made too long ago (`iat`).
    TooOld,
}

impl JwtErrorKind {
    /// Its name for programs, such as `expired`, which stays the same from version to version; for a JWS
    /// that was not accepted, that of [`VerifyErrorKind::name`].
    ///
    /// ```
    /// use sealwright_jose::{VerifyErrorKind, jwt::JwtErrorKind};
    ///
    /// assert_eq!(JwtErrorKind::Missing("exp").name(), "claim_missing");
    /// assert_eq!(JwtErrorKind::Jws(VerifyErrorKind::KeyUnknown).name(), "key_unknown");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Self::Jws(kind) => kind.name(),
            Self::Unencoded => "unencoded",
            Self::Claims(_) => "claims_malformed",
            Self::TypMismatch => "typ_mismatch",
            Self::Missing(_) => "claim_missing",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::AudienceMismatch => "audience_mismatch",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::IssuedInFuture => "issued_in_future",
            Self::TooOld => "too_old",
        }
    }

    /// The claim that it is about, if it is about one.
    ///
    /// ```
    /// use sealwright_jose::jwt::JwtErrorKind;
    ///
    /// assert_eq!(JwtErrorKind::TooOld.claim(), Some("iat"));
    /// assert_eq!(JwtErrorKind::TypMismatch.claim(), None, "`typ` stands in the header");
    /// ```
    pub fn claim(self) -> Option<&'static str> {
        match self {
            Self::Missing(claim) => Some(claim),
            Self::IssuerMismatch => Some("iss"),
            Self::AudienceMismatch => Some("aud"),
            Self::Expired => Some("exp"),
            Self::NotYetValid => Some("nbf"),
            Self::IssuedInFuture | Self::TooOld => Some("iat"),
            Self::Jws(_) | Self::Unencoded | Self::Claims(_) | Self::TypMismatch => None,
        }
    }
}

impl fmt::Display for JwtErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Jws(kind) => return kind.fmt(f),
            Self::Claims(error) => return error.fmt(f),
            Self::Missing(claim) => return write!(f, "no `{claim}`"),
            Self::Unencoded => "payload not base64url-encoded",
            Self::TypMismatch => "wrong `typ`",
            Self::IssuerMismatch => "wrong issuer",
            Self::AudienceMismatch => "wrong audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not yet valid",
            Self::IssuedInFuture => "issued in the future",
            Self::TooOld => "issued too long ago",
        })
    }
}
