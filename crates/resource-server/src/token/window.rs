//! The time in which a token can pass.

use crate::IssuerConfig;
use sealwright_jose::jwt::Claims;
use std::time::Duration;

/// From when to when a token's claims hold, by the skew and the age that its issuer's terms grant.
pub(crate) struct Window {
    /// The first second of all.
    pub(super) from_s: i64,
    /// The first that is too late for `exp`.
    pub(super) expired_s: i64,
    /// The first that is too late for its age.
    pub(super) too_old_s: i64,
}

/// The part of it that decides about a token that passed once; two numbers, since one is kept with each token.
pub(crate) struct Span {
    from_s: i64,
    until_s: i64,
}

impl Window {
    pub(super) fn of(claims: &Claims<'_>, expires_at: i64, terms: &IssuerConfig) -> Self {
        let skew_s = seconds(terms.clock_skew);
        let start = claims.nbf().max(claims.iat());
        Self {
            from_s: start.map_or(i64::MIN, |start| start.saturating_sub(skew_s)),
            // RFC 7519 §4.1.4: "on or after" that time it must not be accepted.
            expired_s: expires_at.saturating_add(skew_s),
            too_old_s: terms.max_token_age.map_or(i64::MAX, |age| {
                // Its age may be as much as this, so the second after that is the first too late.
                let last = claims.iat().map_or(i64::MIN, |iat| iat.saturating_add(seconds(age)));
                last.saturating_add(skew_s).saturating_add(1)
            }),
        }
    }

    /// What is kept of it.
    pub(super) fn span(&self) -> Span {
        Span { from_s: self.from_s, until_s: self.expired_s.min(self.too_old_s) }
    }
}

impl Span {
    /// Whether a token that passed once passes at `now_s`.
    pub(crate) fn holds_at(&self, now_s: i64) -> bool {
        (self.from_s..self.until_s).contains(&now_s)
    }
}

/// Whole seconds, as times of tokens are.
pub(crate) fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
