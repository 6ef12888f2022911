//! What a request needs beyond a valid token: scopes, rules on claims, the login behind it.

use crate::{
    AccessToken, Challenge, Refusal,
    assurance::{self, Assurance},
    explain::{Check, Unwatched, Witness},
    rules::{Compare, Rule},
};

const NOTHING_ASKED: &str = "nothing is asked for";

/// What a request needs beyond a valid token; [`Requirements::none`] is nothing.
///
/// # Examples
///
/// ```
/// use sealwright_resource_server::{Requirements, assurance::Assurance, rules::Rule};
/// use std::time::Duration;
///
/// let read = Requirements::none().scopes(["orders:read"]);
/// let refund = Requirements::none()
///     .scopes(["orders:read", "orders:refund"])
///     .rule(Rule::claim(["realm_access", "roles"]).contains_any(["clerk", "manager"]))
///     .assurance(Assurance {
///         acr_any: vec!["mfa".into()],
///         max_auth_age: Some(Duration::from_secs(300)),
///         ..Assurance::default()
///     });
/// assert_ne!(read, refund);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Requirements {
    scopes: Vec<String>,
    rules: Vec<Rule>,
    compare: Compare,
    assurance: Assurance,
}

impl Requirements {
    /// The codes of all refusals that they give.
    #[cfg(feature = "metrics")]
    pub(crate) const CODES: [&str; 3] = [Self::SCOPE, Self::RULES, Self::ASSURANCE];
    const SCOPE: &str = "scope_insufficient";
    const RULES: &str = "access_denied";
    const ASSURANCE: &str = "assurance_insufficient";

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

    /// This rule must hold, too. Several that are alternatives are one rule: [`Rule::any`].
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// How rules compare values; with their types, if not said.
    #[must_use]
    pub fn compare(self, compare: Compare) -> Self {
        Self { compare, ..self }
    }

    /// The login behind the token must be like that.
    #[must_use]
    pub fn assurance(self, assurance: Assurance) -> Self {
        Self { assurance, ..self }
    }

    /// Passes, or gives the answer; [`Authenticator::check`](crate::Authenticator::check) also adds to it what all
    /// answers of an authenticator have, and counts it. Scopes are looked at first, then rules, then the login, which is asked for again
    /// only where that would help.
    ///
    /// # Errors
    ///
    /// - 403 `insufficient_scope` (RFC 6750 §3.1) with all scopes that are needed;
    /// - the same without `scope` where a rule does not hold: no scope would mend that, and what was asked of the
    ///   claims is nobody's business;
    /// - 401 `insufficient_user_authentication` (RFC 9470 §3) with what the login must be.
    pub fn check(&self, token: &AccessToken, now_s: i64) -> Result<(), Refusal> {
        self.check_before(&mut Unwatched, token, now_s)
    }

    /// As [`check`](Self::check), before a witness.
    #[inline]
    pub(crate) fn check_before(
        &self,
        witness: &mut impl Witness,
        token: &AccessToken,
        now_s: i64,
    ) -> Result<(), Refusal> {
        self.check_scopes(witness, token)?;
        self.check_rules(witness, token)?;
        self.check_assurance(witness, token, now_s)
    }

    #[inline]
    fn check_scopes(&self, witness: &mut impl Witness, token: &AccessToken) -> Result<(), Refusal> {
        if self.scopes.is_empty() {
            witness.waived(Check::Scope, NOTHING_ASKED);
            return Ok(());
        }
        let granted = token.scopes();
        let lacks: Vec<_> = self.scopes.iter().filter(|scope| !granted.contains(&scope.as_str())).collect();
        if lacks.is_empty() {
            witness.passed(Check::Scope);
            return Ok(());
        }
        let challenge = Challenge::insufficient_scope(&self.scopes.join(" "));
        Err(witness.failed(Check::Scope, Refusal::new(challenge, Self::SCOPE), || {
            let lacks: Vec<_> = lacks.iter().map(|scope| format!("`{scope}`")).collect();
            format!("{} is not granted", lacks.join(", "))
        }))
    }

    #[inline]
    fn check_rules(&self, witness: &mut impl Witness, token: &AccessToken) -> Result<(), Refusal> {
        if self.rules.is_empty() {
            witness.waived(Check::Rules, NOTHING_ASKED);
            return Ok(());
        }
        match self.rules.iter().try_for_each(|rule| rule.check(&token.claims(), self.compare)) {
            Ok(()) => {
                witness.passed(Check::Rules);
                Ok(())
            }
            Err(error) => {
                let refusal = Refusal::new(Challenge::insufficient_scope(""), Self::RULES);
                Err(witness.failed(Check::Rules, refusal, || error.to_string()))
            }
        }
    }

    #[inline]
    fn check_assurance(
        &self,
        witness: &mut impl Witness,
        token: &AccessToken,
        now_s: i64,
    ) -> Result<(), Refusal> {
        if self.assurance.asks_nothing() {
            witness.waived(Check::Assurance, NOTHING_ASKED);
            return Ok(());
        }
        match assurance::check(&self.assurance, token, now_s) {
            Ok(()) => {
                witness.passed(Check::Assurance);
                Ok(())
            }
            Err(challenge) => {
                let refusal = Refusal::new(challenge, Self::ASSURANCE);
                Err(witness.failed(Check::Assurance, refusal, || "the login is too weak or too long ago"))
            }
        }
    }
}
