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
    /// Nothing is decided yet. The [`jwt`](crate::jwt) module has an example.
    pub fn builder() -> ValidatorBuilder {
        ValidatorBuilder::default()
    }
}

/// A check that is expected or waived.
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
    #[must_use]
    pub fn expect_typ(mut self, typ: impl Into<String>) -> Self {
        self.typ.push(typ.into());
        self
    }

    /// Any `typ` will do, also none. Then a token of one kind passes for another, unless the
    /// verifier looks at `typ` or the claims tell them apart.
    #[must_use]
    pub fn waive_typ(self) -> Self {
        self.waive(Check::Typ)
    }

    /// `iss` must be this, character by character, or one of several if this is called again.
    #[must_use]
    pub fn expect_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuers.push(issuer.into());
        self
    }

    /// `iss` is not looked at. That is safe where every key of the verifier belongs to one issuer.
    #[must_use]
    pub fn waive_issuer(self) -> Self {
        self.waive(Check::Issuer)
    }

    /// `aud` must be or hold this, character by character, or one of several if this is called
    /// again.
    #[must_use]
    pub fn expect_audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// `aud` is not looked at. Then a token that was made for somebody else passes.
    #[must_use]
    pub fn waive_audience(self) -> Self {
        self.waive(Check::Audience)
    }

    /// There must be an `exp`, and it must be later than now.
    #[must_use]
    pub fn expect_expiry(mut self) -> Self {
        self.exp = true;
        self
    }

    /// `exp` may be missing: such a token never expires. One that is there holds.
    #[must_use]
    pub fn waive_expiry(self) -> Self {
        self.waive(Check::Expiry)
    }

    /// There must be an `nbf`, and it must not be later than now.
    #[must_use]
    pub fn expect_not_before(mut self) -> Self {
        self.nbf = true;
        self
    }

    /// `nbf` may be missing. One that is there holds.
    #[must_use]
    pub fn waive_not_before(self) -> Self {
        self.waive(Check::NotBefore)
    }

    /// There must be an `iat`, at most so many seconds ago.
    #[must_use]
    pub fn expect_max_age(mut self, seconds: u64) -> Self {
        self.max_age_s = Some(seconds);
        self
    }

    /// The token may be of any age, and `iat` may be missing. One that is there must not lie in the
    /// future.
    #[must_use]
    pub fn waive_max_age(self) -> Self {
        self.waive(Check::MaxAge)
    }

    /// By how many seconds the clocks of both sides may differ: 0 unless set, at most 600. It
    /// applies to every time.
    #[must_use]
    pub fn leeway(mut self, seconds: u64) -> Self {
        self.leeway_s = seconds;
        self
    }

    /// How deep objects and arrays may stand in each other in the claims: 32 unless set, at most 64.
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
    /// ([`Contradictory`](ValidatorError::Contradictory)), or if an expected string is empty or the
    /// leeway too long.
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
