//! What a request needs beyond a valid token.

use crate::{
    AccessToken, Challenge, Refusal,
    explain::{Check, Unwatched, Witness},
};

/// What a request needs beyond a valid token; [`Requirements::none`] is nothing.
///
/// # Examples
///
/// ```
/// use sealwright_resource_server::Requirements;
///
/// let read = Requirements::none().scopes(["orders:read"]);
/// assert_ne!(read, Requirements::none());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Requirements {
    scopes: Vec<String>,
}

impl Requirements {
    /// Every valid token will do.
    pub fn none() -> Self {
        Self::default()
    }

    /// The token must have all of these scopes.
    #[must_use]
    pub fn scopes<T: Into<String>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Passes, or gives the answer.
    ///
    /// # Errors
    ///
    /// 403 `insufficient_scope` (RFC 6750 §3.1), which names all that are needed.
    pub fn check(&self, token: &AccessToken, now_s: i64) -> Result<(), Refusal> {
        self.check_before(&mut Unwatched, token, now_s)
    }

    /// As [`check`](Self::check), before a witness.
    pub(crate) fn check_before(
        &self,
        witness: &mut impl Witness,
        token: &AccessToken,
        _now_s: i64,
    ) -> Result<(), Refusal> {
        for check in [Check::Rules, Check::Assurance] {
            witness.waived(check, "nothing is asked for");
        }
        if self.scopes.is_empty() {
            witness.waived(Check::Scope, "nothing is asked for");
            return Ok(());
        }
        let granted = token.scopes();
        let lacks: Vec<_> = self.scopes.iter().filter(|scope| !granted.contains(&scope.as_str())).collect();
        if lacks.is_empty() {
            witness.passed(Check::Scope);
            return Ok(());
        }
        let refusal =
            Refusal::new(Challenge::insufficient_scope(&self.scopes.join(" ")), "scope_insufficient");
        Err(witness.failed(Check::Scope, refusal, || {
            let lacks: Vec<_> = lacks.iter().map(|scope| format!("`{scope}`")).collect();
            format!("{} is not granted", lacks.join(", "))
        }))
    }
}
