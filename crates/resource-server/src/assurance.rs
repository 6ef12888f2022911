//! How well, with what, and how long ago the user logged in: `acr`, `amr`, `auth_time` (RFC 9470).

use crate::{AccessToken, Challenge, token::seconds};
use std::time::Duration;

/// What is asked of the login behind a token. What is empty or `None` is not asked.
///
/// # Examples
///
/// ```
/// use sealwright_resource_server::assurance::Assurance;
/// use std::time::Duration;
///
/// let payment = Assurance {
///     acr_any: vec!["mfa".into()],
///     acr_order: vec!["pwd".into(), "mfa".into(), "hardware".into()],
///     max_auth_age: Some(Duration::from_secs(300)),
///     ..Assurance::default()
/// };
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assurance {
    /// `acr` must be one of these. They are also what the challenge asks for, best first.
    pub acr_any: Vec<String>,
    /// Authentication classes from the weakest to the strongest. Of those that stand here, a stronger one will do
    /// where a weaker one is asked for. Without an order, no class stands for another: their names say nothing.
    pub acr_order: Vec<String>,
    /// `amr` must name all of these.
    ///
    /// A challenge cannot ask for methods: RFC 9470 has a parameter for classes and one for the time. Name in `acr_any`
    /// the class whose login uses these methods; without it a client is only told that its login will not do, and
    /// may come back with the same.
    pub amr_all: Vec<String>,
    /// `auth_time` must not be longer ago; the issuer's clock skew is granted.
    pub max_auth_age: Option<Duration>,
}

impl Assurance {
    pub(crate) fn asks_nothing(&self) -> bool {
        self.acr_any.is_empty() && self.amr_all.is_empty() && self.max_auth_age.is_none()
    }
}

/// Passes, or gives the challenge to answer with.
///
/// The challenge names all that is asked, not only what was missing: the client passes it on to the
/// authorization server, and must not come back with a token that is too weak in the next respect.
///
/// # Errors
///
/// The challenge of RFC 9470 §3, 401 `insufficient_user_authentication`.
pub fn check(required: &Assurance, token: &AccessToken, now_s: i64) -> Result<(), Challenge> {
    if acr(required, token) && amr(required, token) && fresh(required, token, now_s) {
        return Ok(());
    }
    let max_age_s = required.max_auth_age.map(|age| age.as_secs());
    Err(Challenge::insufficient_user_authentication(&required.acr_any, max_age_s))
}

fn acr(required: &Assurance, token: &AccessToken) -> bool {
    let rank = |acr: &str| required.acr_order.iter().position(|known| known == acr);
    let is_enough = |acr: &str, wanted: &str| {
        acr == wanted || rank(acr).is_some_and(|has| rank(wanted).is_some_and(|needs| has >= needs))
    };
    required.acr_any.is_empty()
        || token.acr().is_some_and(|acr| required.acr_any.iter().any(|wanted| is_enough(acr, wanted)))
}

fn amr(required: &Assurance, token: &AccessToken) -> bool {
    let amr = token.amr();
    required.amr_all.iter().all(|wanted| amr.contains(&wanted.as_str()))
}

fn fresh(required: &Assurance, token: &AccessToken, now_s: i64) -> bool {
    let Some(max_age) = required.max_auth_age else { return true };
    let Some(auth_time) = token.auth_time() else { return false };
    let skew_s = token.clock_skew_s();
    let max_age_s = seconds(max_age);
    let age_s = now_s.saturating_sub(auth_time);
    // A login of tomorrow is a mistake or a lie, and must not count as fresh for a whole day.
    age_s >= -skew_s && age_s <= max_age_s.saturating_add(skew_s)
}
