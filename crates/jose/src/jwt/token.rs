//! A token that passed every check.

use std::fmt;

use super::{Claims, JwtError, Validator};
use crate::jws::{Scratch, Verified, Verifier};

/// A JWT whose signature was verified and whose claims were validated. Only
/// [`Verifier::verify_jwt`] can make one.
///
/// ```
/// use sealwright_jose::{Alg, MacKey, jws::{Scratch, Signer, Verifier}, jwt::{Token, Validator}};
///
/// // A handler that takes a `Token` cannot be called with claims that nobody checked.
/// fn greet(token: &Token<'_>) -> String {
///     format!("Hello, {}!", token.claims().sub().unwrap_or("stranger"))
/// }
/// # let key = MacKey::generate(Alg::Hs256)?;
/// # let token = Signer::mac(&key).sign_compact(br#"{"sub":"alice"}"#)?;
/// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build()?;
/// # let validator = Validator::builder().waive_typ().waive_issuer().waive_audience().waive_expiry();
/// # let validator = validator.waive_not_before().waive_max_age().build()?;
/// # let (now, mut scratch) = (1764547200, Scratch::new());
/// assert_eq!(greet(&verifier.verify_jwt(&token, &validator, now, &mut scratch)?), "Hello, alice!");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Token<'t> {
    verified: Verified<'t>,
    claims: Claims<'t>,
}

impl<'t> Token<'t> {
    /// What it says.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Scratch, Signer, Verifier}, jwt::Validator};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let token = Signer::mac(&key).sign_compact(br#"{"sub":"alice","role":"admin"}"#)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build()?;
    /// # let validator = Validator::builder().waive_typ().waive_issuer().waive_audience().waive_expiry();
    /// # let validator = validator.waive_not_before().waive_max_age().build()?;
    /// # let (now, mut scratch) = (1764547200, Scratch::new());
    /// let token = verifier.verify_jwt(&token, &validator, now, &mut scratch)?;
    /// assert_eq!(token.claims().sub(), Some("alice"));
    /// assert!(token.claims().get("role").is_some_and(|role| role == "admin"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn claims(&self) -> &Claims<'t> {
        &self.claims
    }

    /// What it says, without the rest.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Scratch, Signer, Verifier}, jwt::Validator};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let token = Signer::mac(&key).sign_compact(br#"{"sub":"alice"}"#)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build()?;
    /// # let validator = Validator::builder().waive_typ().waive_issuer().waive_audience().waive_expiry();
    /// # let validator = validator.waive_not_before().waive_max_age().build()?;
    /// # let (now, mut scratch) = (1764547200, Scratch::new());
    /// let claims = verifier.verify_jwt(&token, &validator, now, &mut scratch)?.into_claims().into_owned();
    /// drop((token, scratch)); // Both were only lent.
    /// assert_eq!(claims.sub(), Some("alice"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_claims(self) -> Claims<'t> {
        self.claims
    }

    /// Its header, algorithm and key.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Scratch, Signer, Verifier}, jwt::Validator};
    /// # let key = MacKey::generate(Alg::Hs256)?.with_kid("2026-11");
    /// # let token = Signer::mac(&key).typ("at+jwt").sign_compact(br#"{"sub":"alice"}"#)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build()?;
    /// # let validator = Validator::builder().waive_typ().waive_issuer().waive_audience().waive_expiry();
    /// # let validator = validator.waive_not_before().waive_max_age().build()?;
    /// # let (now, mut scratch) = (1764547200, Scratch::new());
    /// let token = verifier.verify_jwt(&token, &validator, now, &mut scratch)?;
    /// assert_eq!((token.verified().typ(), token.verified().kid()), (Some("at+jwt"), Some("2026-11")));
    /// assert_eq!(token.verified().alg(), Alg::Hs256);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verified(&self) -> &Verified<'t> {
        &self.verified
    }
}

impl fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("verified", &self.verified).field("claims", &self.claims).finish()
    }
}

impl Verifier {
    /// Verifies a compact JWT and holds it to the `validator` at the time `now`, in seconds since
    /// the epoch. It lends the claims, and says nothing of a token that it does not accept.
    ///
    /// # Errors
    ///
    /// One opaque [`JwtError`]; [`JwtError::kind`] tells logs whether the signature
    /// ([`Jws`](super::JwtErrorKind::Jws)) or which check of the validator failed.
    ///
    /// # Examples
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, jws::{Scratch, Signer, Verifier}, jwt::{JwtErrorKind, Validator}};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?;
    /// let token = Signer::new(&key).sign_compact(br#"{"iss":"https://id.example","aud":"api","exp":1764547200}"#)?;
    ///
    /// let verifier = Verifier::builder([Alg::Es256]).key(key.verifying_key()).build()?;
    /// let validator = Validator::builder()
    ///     .expect_issuer("https://id.example")
    ///     .expect_audience("api")
    ///     .expect_expiry()
    ///     .waive_typ()
    ///     .waive_not_before()
    ///     .waive_max_age()
    ///     .build()?;
    /// let mut scratch = Scratch::new();
    /// let verified = verifier.verify_jwt(&token, &validator, 1764547199, &mut scratch)?;
    /// assert_eq!(verified.claims().iss(), Some("https://id.example"));
    /// let error = verifier.verify_jwt(&token, &validator, 1764547200, &mut scratch).unwrap_err();
    /// assert_eq!(error.kind(), JwtErrorKind::Expired);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify_jwt<'t>(
        &'t self,
        token: &'t str,
        validator: &Validator,
        now: i64,
        scratch: &'t mut Scratch,
    ) -> Result<Token<'t>, JwtError> {
        let verified = self.verify_compact(token, scratch)?;
        let claims = validator.validate(&verified, now)?;
        Ok(Token { verified, claims })
    }
}
