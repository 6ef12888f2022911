//! The checks on one token (RFC 7519 §4.1, RFC 8725bis §3.8 to §3.12).

use super::{Claims, JwtError, JwtErrorKind as Kind, Validator};
use crate::{jws::Verified, media_type};

impl Validator {
    /// The claims of a verified payload, if they hold at the time `now`, in seconds since the epoch.
    ///
    /// With a leeway of `l` seconds: `exp` > `now` − `l`, `nbf` ≤ `now` + `l`, `iat` ≤ `now` + `l`,
    /// and `now` − `iat` ≤ the maximum age + `l`. A fraction of a second is cut off first. No `now`
    /// overflows.
    ///
    /// # Errors
    ///
    /// One opaque [`JwtError`]; [`JwtError::kind`] says which check failed, the first in the order
    /// of [`JwtErrorKind`](Kind).
    ///
    /// # Examples
    ///
    /// For a flattened JWS, say, which [`verify_jwt`](crate::jws::Verifier::verify_jwt) does not take:
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, jws::{Scratch, Signer, Verifier}, jwt::{JwtErrorKind, Validator}};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?;
    /// let json = Signer::new(&key).sign_flattened(br#"{"sub":"alice","exp":1764547200}"#)?;
    /// let verifier = Verifier::builder([Alg::Es256]).key(key.verifying_key()).build()?;
    /// let mut scratch = Scratch::new();
    /// let verified = verifier.verify_flattened(&json, &mut scratch)?;
    ///
    /// let validator = Validator::builder()
    ///     .expect_expiry()
    ///     .waive_typ()
    ///     .waive_issuer()
    ///     .waive_audience()
    ///     .waive_not_before()
    ///     .waive_max_age()
    ///     .build()?;
    /// assert_eq!(validator.validate(&verified, 1764547199)?.sub(), Some("alice"));
    /// let error = validator.validate(&verified, 1764547200).unwrap_err();
    /// assert_eq!(error.kind(), JwtErrorKind::Expired);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn validate<'t>(&self, verified: &Verified<'t>, now: i64) -> Result<Claims<'t>, JwtError> {
        if verified.is_unencoded() {
            return Err(Kind::Unencoded.into());
        }
        let claims = Claims::parse_within(verified.payload(), self.nesting).map_err(Kind::Claims)?;
        self.check_typ(verified.typ())?;
        self.check_parties(&claims)?;
        self.check_times(&claims, now)?;
        Ok(claims)
    }

    fn check_typ(&self, typ: Option<&str>) -> Result<(), Kind> {
        let fits = |typ: &str| self.typ.iter().any(|expected| media_type::same(expected, typ));
        if self.typ.is_empty() || typ.is_some_and(fits) { Ok(()) } else { Err(Kind::TypMismatch) }
    }

    fn check_parties(&self, claims: &Claims<'_>) -> Result<(), Kind> {
        if !self.issuers.is_empty() {
            let iss = claims.iss().ok_or(Kind::Missing("iss"))?;
            if !self.issuers.iter().any(|issuer| issuer == iss) {
                return Err(Kind::IssuerMismatch);
            }
        }
        if !self.audiences.is_empty() {
            let mut aud = claims.aud().peekable();
            aud.peek().ok_or(Kind::Missing("aud"))?;
            if !aud.any(|audience| self.audiences.iter().any(|ours| ours == audience)) {
                return Err(Kind::AudienceMismatch);
            }
        }
        Ok(())
    }

    fn check_times(&self, claims: &Claims<'_>, now: i64) -> Result<(), Kind> {
        let (earliest, latest) = (now.saturating_sub(self.leeway_s), now.saturating_add(self.leeway_s));
        match claims.exp() {
            None if self.needs_exp => return Err(Kind::Missing("exp")),
            Some(exp) if exp <= earliest => return Err(Kind::Expired),
            _ => {}
        }
        match claims.nbf() {
            None if self.needs_nbf => return Err(Kind::Missing("nbf")),
            Some(nbf) if nbf > latest => return Err(Kind::NotYetValid),
            _ => {}
        }
        match (claims.iat(), self.max_age_s) {
            (None, Some(_)) => Err(Kind::Missing("iat")),
            (Some(iat), _) if iat > latest => Err(Kind::IssuedInFuture),
            // Claims lie between 0 and the year 9999, so that nothing is cut off which matters.
            (Some(iat), Some(max_age_s)) if earliest.saturating_sub(iat) > max_age_s => Err(Kind::TooOld),
            _ => Ok(()),
        }
    }
}
