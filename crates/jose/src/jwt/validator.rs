//! What is expected of a token, decided check by check.

use std::fmt;

use super::claims::NESTING;
use crate::jws::MAX_NESTING;

/// Holds tokens to what was expected when it was built. `Send`, `Sync`, and independent of keys:
/// one [`Verifier`](crate::jws::Verifier) can serve several.
///
/// A check that nobody thought of is a hole, so each of them is either expected or waived by name:
/// [`ValidatorBuilder::build`] refuses to guess. Whatever was waived, an `exp`, `nbf` or `iat` that
/// stands in a token always holds.
///
/// ```
/// use sealwright_jose::{Alg, MacKey, jws::{Scratch, Signer, Verifier}, jwt::{JwtErrorKind, Validator}};
///
/// # let key = MacKey::generate(Alg::Hs256)?;
/// # let token = Signer::mac(&key).sign_compact(br#"{"aud":"files","exp":1764547200}"#)?;
/// # let (now, mut scratch) = (1764547100, Scratch::new());
/// // One verifier, and a validator for each service behind it.
/// let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build()?;
/// let service = |name| {
///     let validator = Validator::builder().expect_audience(name).expect_expiry().waive_typ();
///     validator.waive_issuer().waive_not_before().waive_max_age().build()
/// };
/// assert!(verifier.verify_jwt(&token, &service("files")?, now, &mut scratch).is_ok());
/// let error = verifier.verify_jwt(&token, &service("mail")?, now, &mut scratch).unwrap_err();
/// assert_eq!(error.kind(), JwtErrorKind::AudienceMismatch);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Validator {
    pub(super) typ: Vec<String>,
    pub(super) issuers: Vec<String>,
    pub(super) audiences: Vec<String>,
    pub(super) needs_exp: bool,
    pub(super) needs_nbf: bool,
    pub(super) max_age_s: Option<i64>,
    pub(super) leeway_s: i64,
    pub(super) nesting: usize,
}

impl Validator {
    /// Nothing is decided yet. The [`jwt`](crate::jwt) module shows how everything is.
    ///
    /// ```
    /// use sealwright_jose::jwt::{Check, Validator, ValidatorError};
    ///
    /// let Err(ValidatorError::Undecided(checks)) = Validator::builder().build() else {
    ///     panic!("nothing is decided")
    /// };
    /// assert_eq!((checks.len(), checks[0]), (6, Check::Typ));
    /// ```
    pub fn builder() -> ValidatorBuilder {
        ValidatorBuilder::default()
    }
}

/// A check that is expected or waived.
///
/// ```
/// use sealwright_jose::jwt::{Check, Validator, ValidatorError};
///
/// let five = Validator::builder().waive_typ().waive_issuer().waive_audience().waive_not_before();
/// let error = five.waive_max_age().build().unwrap_err();
/// assert_eq!(error, ValidatorError::Undecided(vec![Check::Expiry]));
/// assert_eq!(Check::MaxAge.to_string(), "maximum age");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Check {
    /// The header's `typ`.
    Typ,
    /// Who made the token: `iss`.
    Issuer,
    /// Whom it is for: `aud`.
    Audience,
    /// When it expires: `exp`.
    Expiry,
    /// From when on it is valid: `nbf`.
    NotBefore,
    /// How long ago it was made: `iat`.
    MaxAge,
}

impl Check {
    const ALL: [Self; 6] =
        [Self::Typ, Self::Issuer, Self::Audience, Self::Expiry, Self::NotBefore, Self::MaxAge];
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Typ => "typ",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Expiry => "expiry",
            Self::NotBefore => "not before",
            Self::MaxAge => "maximum age",
        })
    }
}

/// The longest leeway, in seconds: ten minutes. Clocks that differ by more are to be mended.
const MAX_LEEWAY_S: u64 = 600;

/// Collects what is expected and what is waived; [`build`](Self::build) checks it as a whole.
///
/// ```
/// use sealwright_jose::jwt::{Validator, ValidatorBuilder};
///
/// // What all services of a house agree on; each adds its audience.
/// fn house_rules() -> ValidatorBuilder {
///     let rules = Validator::builder().expect_typ("at+jwt").expect_issuer("https://id.example");
///     rules.expect_expiry().waive_not_before().waive_max_age().leeway(30)
/// }
/// assert!(house_rules().expect_audience("files").build().is_ok());
/// assert!(house_rules().build().is_err(), "one that forgets it does not start");
/// ```
#[derive(Clone, Debug, Default)]
pub struct ValidatorBuilder {
    typ: Vec<String>,
    issuers: Vec<String>,
    audiences: Vec<String>,
    exp: bool,
    nbf: bool,
    max_age_s: Option<u64>,
    waived: Vec<Check>,
    leeway_s: u64,
    nesting: Option<usize>,
}

impl ValidatorBuilder {
    /// The header must have this `typ`, or one of several if this is called again. They are compared
    /// as RFC 8725bis §3.11 says: without regard to letter case, and to `application/` in front.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jwt::{JwtErrorKind, Validator}};
    /// # use sealwright_jose::jws::{Scratch, Signer, Verifier};
    /// # let others = Validator::builder().waive_issuer().waive_audience().waive_expiry();
    /// # let others = others.waive_not_before().waive_max_age();
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let token = Signer::mac(&key).typ("at+jwt").sign_compact(br#"{}"#)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build()?;
    /// # let mut scratch = Scratch::new();
    /// // The header says "typ":"at+jwt".
    /// let validator = others.clone().expect_typ("application/AT+JWT").build()?;
    /// assert!(verifier.verify_jwt(&token, &validator, 1764547200, &mut scratch).is_ok());
    /// let validator = others.expect_typ("dpop+jwt").build()?;
    /// let error = verifier.verify_jwt(&token, &validator, 1764547200, &mut scratch).unwrap_err();
    /// assert_eq!(error.kind(), JwtErrorKind::TypMismatch);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn expect_typ(mut self, typ: impl Into<String>) -> Self {
        self.typ.push(typ.into());
        self
    }

    /// Any `typ` will do, also none. Then a token of one kind passes for another, unless the
    /// verifier looks at `typ` or the claims tell them apart.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jwt::Validator};
    /// # use sealwright_jose::jws::{Scratch, Signer, Verifier};
    /// # let others = Validator::builder().waive_issuer().waive_audience().waive_expiry();
    /// # let others = others.waive_not_before().waive_max_age();
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let token = Signer::mac(&key).typ("dpop+jwt").sign_compact(br#"{}"#)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build()?;
    /// # let mut scratch = Scratch::new();
    /// // The header says "typ":"dpop+jwt", which is no access token.
    /// let validator = others.waive_typ().build()?;
    /// let token = verifier.verify_jwt(&token, &validator, 1764547200, &mut scratch)?;
    /// assert_eq!(token.verified().typ(), Some("dpop+jwt"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn waive_typ(self) -> Self {
        self.waive(Check::Typ)
    }

    /// `iss` must be this, character by character, or one of several if this is called again.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jwt::{JwtErrorKind, Validator}};
    /// # use sealwright_jose::jws::{Scratch, Signer, Verifier};
    /// # let others = Validator::builder().waive_typ().waive_audience().waive_expiry();
    /// # let others = others.waive_not_before().waive_max_age();
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let token = Signer::mac(&key).sign_compact(br#"{"iss":"https://id.example"}"#)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build()?;
    /// # let mut scratch = Scratch::new();
    /// // The token says "iss":"https://id.example".
    /// let either = others.clone().expect_issuer("https://old.example").expect_issuer("https://id.example");
    /// let validator = either.build()?;
    /// assert!(verifier.verify_jwt(&token, &validator, 1764547200, &mut scratch).is_ok());
    /// let validator = others.expect_issuer("https://id.example/").build()?;
    /// let error = verifier.verify_jwt(&token, &validator, 1764547200, &mut scratch).unwrap_err();
    /// assert_eq!(error.kind(), JwtErrorKind::IssuerMismatch, "the slash counts");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn expect_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuers.push(issuer.into());
        self
    }

    /// `iss` is not looked at. That is safe where every key of the verifier belongs to one issuer.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jwt::Validator};
    /// # use sealwright_jose::jws::{Scratch, Signer, Verifier};
    /// # let others = Validator::builder().waive_typ().waive_audience().waive_expiry();
    /// # let others = others.waive_not_before().waive_max_age();
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let token = Signer::mac(&key).sign_compact(br#"{"sub":"alice"}"#)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build()?;
    /// # let mut scratch = Scratch::new();
    /// // The token says "sub":"alice", and not who made it.
    /// let validator = others.waive_issuer().build()?;
    /// let token = verifier.verify_jwt(&token, &validator, 1764547200, &mut scratch)?;
    /// assert_eq!(token.claims().iss(), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn waive_issuer(self) -> Self {
        self.waive(Check::Issuer)
    }

    /// `aud` must be or hold this, character by character, or one of several if this is called
    /// again.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jwt::{JwtErrorKind, Validator}};
    /// # use sealwright_jose::jws::{Scratch, Signer, Verifier};
    /// # let others = Validator::builder().waive_typ().waive_issuer().waive_expiry();
    /// # let others = others.waive_not_before().waive_max_age();
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let token = Signer::mac(&key).sign_compact(br#"{"aud":["api","files"]}"#)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build()?;
    /// # let mut scratch = Scratch::new();
    /// // The token says "aud":["api","files"].
    /// let validator = others.clone().expect_audience("files").build()?;
    /// assert!(verifier.verify_jwt(&token, &validator, 1764547200, &mut scratch).is_ok());
    /// let validator = others.expect_audience("file").build()?;
    /// let error = verifier.verify_jwt(&token, &validator, 1764547200, &mut scratch).unwrap_err();
    /// assert_eq!(error.kind(), JwtErrorKind::AudienceMismatch);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn expect_audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// `aud` is not looked at. Then a token that was made for somebody else passes.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jwt::Validator};
    /// # use sealwright_jose::jws::{Scratch, Signer, Verifier};
    /// # let others = Validator::builder().waive_typ().waive_issuer().waive_expiry();
    /// # let others = others.waive_not_before().waive_max_age();
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let token = Signer::mac(&key).sign_compact(br#"{"aud":"https://bank.example"}"#)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build()?;
    /// # let mut scratch = Scratch::new();
    /// // The token says "aud":"https://bank.example", who is not us.
    /// let validator = others.waive_audience().build()?;
    /// let token = verifier.verify_jwt(&token, &validator, 1764547200, &mut scratch)?;
    /// assert!(token.claims().aud().eq(["https://bank.example"]), "whoever cares must look now");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn waive_audience(self) -> Self {
        self.waive(Check::Audience)
    }

    /// There must be an `exp`, and it must be later than now (RFC 7519 §4.1.4).
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jwt::{JwtErrorKind, Validator}};
    /// # use sealwright_jose::jws::{Scratch, Signer, Verifier};
    /// # let others = Validator::builder().waive_typ().waive_issuer().waive_audience();
    /// # let others = others.waive_not_before().waive_max_age();
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let token = Signer::mac(&key).sign_compact(br#"{"exp":1764547200}"#)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build()?;
    /// # let mut scratch = Scratch::new();
    /// // The token says "exp":1764547200.
    /// let validator = others.expect_expiry().build()?;
    /// assert!(verifier.verify_jwt(&token, &validator, 1764547199, &mut scratch).is_ok());
    /// let error = verifier.verify_jwt(&token, &validator, 1764547200, &mut scratch).unwrap_err();
    /// assert_eq!(error.kind(), JwtErrorKind::Expired, "at that second it is over");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn expect_expiry(mut self) -> Self {
        self.exp = true;
        self
    }

    /// `exp` may be missing: such a token never expires. One that is there holds.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jwt::{JwtErrorKind, Validator}};
    /// # use sealwright_jose::jws::{Scratch, Signer, Verifier};
    /// # let others = Validator::builder().waive_typ().waive_issuer().waive_audience();
    /// # let others = others.waive_not_before().waive_max_age();
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let token = Signer::mac(&key).sign_compact(br#"{"exp":1764547200}"#)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build()?;
    /// # let mut scratch = Scratch::new();
    /// // The token says "exp":1764547200.
    /// let validator = others.waive_expiry().build()?;
    /// let error = verifier.verify_jwt(&token, &validator, 1764547200, &mut scratch).unwrap_err();
    /// assert_eq!(error.kind(), JwtErrorKind::Expired);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn waive_expiry(self) -> Self {
        self.waive(Check::Expiry)
    }

    /// There must be an `nbf`, and it must not be later than now (RFC 7519 §4.1.5).
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jwt::{JwtErrorKind, Validator}};
    /// # use sealwright_jose::jws::{Scratch, Signer, Verifier};
    /// # let others = Validator::builder().waive_typ().waive_issuer().waive_audience();
    /// # let others = others.waive_expiry().waive_max_age();
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let token = Signer::mac(&key).sign_compact(br#"{"nbf":1764547200}"#)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build()?;
    /// # let mut scratch = Scratch::new();
    /// // The token says "nbf":1764547200.
    /// let validator = others.expect_not_before().build()?;
    /// assert!(verifier.verify_jwt(&token, &validator, 1764547200, &mut scratch).is_ok());
    /// let error = verifier.verify_jwt(&token, &validator, 1764547199, &mut scratch).unwrap_err();
    /// assert_eq!(error.kind(), JwtErrorKind::NotYetValid);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn expect_not_before(mut self) -> Self {
        self.nbf = true;
        self
    }

    /// `nbf` may be missing. One that is there holds.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jwt::Validator};
    /// # use sealwright_jose::jws::{Scratch, Signer, Verifier};
    /// # let others = Validator::builder().waive_typ().waive_issuer().waive_audience();
    /// # let others = others.waive_expiry().waive_max_age();
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let token = Signer::mac(&key).sign_compact(br#"{"sub":"alice"}"#)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build()?;
    /// # let mut scratch = Scratch::new();
    /// // The token says "sub":"alice", and not from when on.
    /// let validator = others.waive_not_before().build()?;
    /// assert!(verifier.verify_jwt(&token, &validator, 0, &mut scratch).is_ok(), "valid ever since");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn waive_not_before(self) -> Self {
        self.waive(Check::NotBefore)
    }

    /// There must be an `iat`, at most so many seconds ago.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jwt::{JwtErrorKind, Validator}};
    /// # use sealwright_jose::jws::{Scratch, Signer, Verifier};
    /// # let others = Validator::builder().waive_typ().waive_issuer().waive_audience();
    /// # let others = others.waive_expiry().waive_not_before();
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let token = Signer::mac(&key).sign_compact(br#"{"iat":1764547200}"#)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build()?;
    /// # let mut scratch = Scratch::new();
    /// // The token says "iat":1764547200.
    /// let validator = others.expect_max_age(300).build()?;
    /// assert!(verifier.verify_jwt(&token, &validator, 1764547500, &mut scratch).is_ok());
    /// let error = verifier.verify_jwt(&token, &validator, 1764547501, &mut scratch).unwrap_err();
    /// assert_eq!(error.kind(), JwtErrorKind::TooOld);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn expect_max_age(mut self, seconds: u64) -> Self {
        self.max_age_s = Some(seconds);
        self
    }

    /// The token may be of any age, and `iat` may be missing. One that is there must not lie in the
    /// future.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jwt::{JwtErrorKind, Validator}};
    /// # use sealwright_jose::jws::{Scratch, Signer, Verifier};
    /// # let others = Validator::builder().waive_typ().waive_issuer().waive_audience();
    /// # let others = others.waive_expiry().waive_not_before();
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let token = Signer::mac(&key).sign_compact(br#"{"iat":1764547200}"#)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build()?;
    /// # let mut scratch = Scratch::new();
    /// // The token says "iat":1764547200.
    /// let validator = others.waive_max_age().build()?;
    /// assert!(verifier.verify_jwt(&token, &validator, 253_402_300_799, &mut scratch).is_ok());
    /// let error = verifier.verify_jwt(&token, &validator, 1764547199, &mut scratch).unwrap_err();
    /// assert_eq!(error.kind(), JwtErrorKind::IssuedInFuture);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn waive_max_age(self) -> Self {
        self.waive(Check::MaxAge)
    }

    /// By how many seconds the clocks of both sides may differ: 0 unless set, at most 600. It
    /// applies to every time.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jwt::{Validator, ValidatorError}};
    /// # use sealwright_jose::jws::{Scratch, Signer, Verifier};
    /// # let others = Validator::builder().waive_typ().waive_issuer().waive_audience();
    /// # let others = others.waive_expiry().waive_not_before().waive_max_age();
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let token = Signer::mac(&key).sign_compact(br#"{"exp":1764547200}"#)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build()?;
    /// # let mut scratch = Scratch::new();
    /// // The token says "exp":1764547200.
    /// let validator = others.clone().leeway(30).build()?;
    /// assert!(verifier.verify_jwt(&token, &validator, 1764547229, &mut scratch).is_ok());
    /// assert!(verifier.verify_jwt(&token, &validator, 1764547230, &mut scratch).is_err());
    /// assert_eq!(others.leeway(601).build().unwrap_err(), ValidatorError::Leeway);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn leeway(mut self, seconds: u64) -> Self {
        self.leeway_s = seconds;
        self
    }

    /// How deep objects and arrays may stand in each other in the claims: 32 unless set, at most 64.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jwt::{ClaimsError, JwtErrorKind, Validator}};
    /// # use sealwright_jose::jws::{Scratch, Signer, Verifier};
    /// # let others = Validator::builder().waive_typ().waive_issuer().waive_audience();
    /// # let others = others.waive_expiry().waive_not_before().waive_max_age();
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// # let token = Signer::mac(&key).sign_compact(br#"{"cnf":{"jwk":{}}}"#)?;
    /// # let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build()?;
    /// # let mut scratch = Scratch::new();
    /// // The token says "cnf":{"jwk":{}}: with the claims set itself three objects in each other.
    /// let validator = others.clone().nesting(3).build()?;
    /// assert!(verifier.verify_jwt(&token, &validator, 1764547200, &mut scratch).is_ok());
    /// let validator = others.nesting(2).build()?;
    /// let error = verifier.verify_jwt(&token, &validator, 1764547200, &mut scratch).unwrap_err();
    /// assert_eq!(error.kind(), JwtErrorKind::Claims(ClaimsError::TooDeep));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn nesting(mut self, depth: usize) -> Self {
        self.nesting = Some(depth.min(MAX_NESTING));
        self
    }

    fn waive(mut self, check: Check) -> Self {
        self.waived.push(check);
        self
    }

    fn expects(&self, check: Check) -> bool {
        match check {
            Check::Typ => !self.typ.is_empty(),
            Check::Issuer => !self.issuers.is_empty(),
            Check::Audience => !self.audiences.is_empty(),
            Check::Expiry => self.exp,
            Check::NotBefore => self.nbf,
            Check::MaxAge => self.max_age_s.is_some(),
        }
    }

    /// The validator.
    ///
    /// # Errors
    ///
    /// A [`ValidatorError`] that names each check about which nothing was said
    /// ([`Undecided`](ValidatorError::Undecided)) or two things
    /// ([`Contradictory`](ValidatorError::Contradictory)); [`Empty`](ValidatorError::Empty) for an expected
    /// string that is empty, [`Leeway`](ValidatorError::Leeway) for more than 600 seconds.
    ///
    /// ```
    /// use sealwright_jose::jwt::{Check, Validator, ValidatorError};
    ///
    /// let error = Validator::builder().waive_typ().expect_issuer("a").expect_expiry().build().unwrap_err();
    /// assert_eq!(error, ValidatorError::Undecided(vec![Check::Audience, Check::NotBefore, Check::MaxAge]));
    /// assert_eq!(error.to_string(), "neither expected nor waived: audience, not before, maximum age");
    /// ```
    pub fn build(self) -> Result<Validator, ValidatorError> {
        let which = |wanted: fn(bool, bool) -> bool| -> Vec<Check> {
            let decided = |check: &Check| wanted(self.expects(*check), self.waived.contains(check));
            Check::ALL.into_iter().filter(decided).collect()
        };
        let undecided = which(|expected, waived| !expected && !waived);
        if !undecided.is_empty() {
            return Err(ValidatorError::Undecided(undecided));
        }
        let contradictory = which(|expected, waived| expected && waived);
        if !contradictory.is_empty() {
            return Err(ValidatorError::Contradictory(contradictory));
        }
        let lists =
            [(Check::Typ, &self.typ), (Check::Issuer, &self.issuers), (Check::Audience, &self.audiences)];
        if let Some((check, _)) = lists.into_iter().find(|(_, list)| list.iter().any(String::is_empty)) {
            return Err(ValidatorError::Empty(check));
        }
        if self.leeway_s > MAX_LEEWAY_S {
            return Err(ValidatorError::Leeway);
        }
        Ok(Validator {
            typ: self.typ,
            issuers: self.issuers,
            audiences: self.audiences,
            needs_exp: self.exp,
            needs_nbf: self.nbf,
            max_age_s: self.max_age_s.map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX)),
            leeway_s: i64::try_from(self.leeway_s).unwrap_or(i64::MAX),
            nesting: self.nesting.unwrap_or(NESTING),
        })
    }
}

/// Why nothing can be validated like this.
///
/// ```
/// use sealwright_jose::jwt::{Check, Validator, ValidatorError};
///
/// # let others = || Validator::builder().waive_typ().waive_audience().expect_expiry();
/// # let others = || others().waive_not_before().waive_max_age();
/// let error = others().expect_issuer("https://id.example").waive_issuer().build().unwrap_err();
/// assert_eq!(error, ValidatorError::Contradictory(vec![Check::Issuer]));
/// let error = others().expect_issuer("").build().unwrap_err();
/// assert_eq!(error.to_string(), "the expected issuer is empty");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValidatorError {
    /// These checks were neither expected nor waived.
    #[error("neither expected nor waived: {}", list(.0))]
    Undecided(Vec<Check>),
    /// These checks were both expected and waived.
    #[error("both expected and waived: {}", list(.0))]
    Contradictory(Vec<Check>),
    /// An empty string was expected.
    #[error("the expected {0} is empty")]
    Empty(Check),
    /// The leeway is longer than ten minutes.
    #[error("a leeway is at most {MAX_LEEWAY_S} seconds")]
    Leeway,
}

fn list(checks: &[Check]) -> String {
    checks.iter().map(Check::to_string).collect::<Vec<_>>().join(", ")
}
