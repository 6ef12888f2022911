//! Rules on the claims of a token that is valid.
//!
//! Values are compared with their type: `42` is not `"42"`, `true` is not `"true"`.
//!
//! ```
//! use sealwright_jose::jwt::Claims;
//! use sealwright_resource_server::rules::{ClaimPath, Match, Op, Rule, RuleError, check};
//!
//! let claims = Claims::parse(br#"{"groups":["staff","signers"]}"#)?;
//! let signers = Rule { claim: ClaimPath::from("groups"), op: Op::Contains("signers".into()) };
//! assert_eq!(check(std::slice::from_ref(&signers), Match::All, &claims), Ok(()));
//!
//! let nobody = Claims::parse(br#"{"sub":"bob"}"#)?;
//! assert_eq!(check(&[signers], Match::All, &nobody), Err(RuleError::Missing { claim: "groups".into() }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use sealwright_jose::jwt::Claims;
use serde_json::Value;
use std::fmt;

/// A path into the claims: `groups`, or `["realm_access", "roles"]`.
///
/// Each part names a member of an object; a name may hold any character, dots and slashes too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath(Vec<String>);

impl ClaimPath {
    /// A path of several parts. Without any part it leads nowhere.
    pub fn new(parts: impl IntoIterator<Item = String>) -> Self {
        Self(parts.into_iter().collect())
    }

    /// The value at its end; `None` where a part is missing, or leads through something that is no object.
    pub fn lookup<'c>(&self, claims: &'c Claims<'_>) -> Option<&'c Value> {
        let (first, rest) = self.0.split_first()?;
        rest.iter().try_fold(claims.get(first)?, |value, part| value.as_object()?.get(part))
    }
}

impl From<&str> for ClaimPath {
    /// A path of one part: a claim at the top.
    fn from(claim: &str) -> Self {
        Self(vec![claim.to_owned()])
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// What is asked of the value.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Op {
    /// It is this value, with this type.
    Equals(Value),
    /// It is a list with this value in it, or this value itself.
    Contains(Value),
}

impl Op {
    fn accepts(&self, actual: &Value) -> bool {
        match self {
            Self::Equals(wanted) => actual == wanted,
            Self::Contains(wanted) => match actual.as_array() {
                Some(list) => list.contains(wanted),
                None => actual == wanted,
            },
        }
    }
}

/// One rule: a claim, and what is asked of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Where the value is.
    pub claim: ClaimPath,
    /// What it must be.
    pub op: Op,
}

impl Rule {
    fn check(&self, claims: &Claims<'_>) -> Result<(), RuleError> {
        match self.claim.lookup(claims) {
            None => Err(RuleError::Missing { claim: self.claim.to_string() }),
            Some(actual) if self.op.accepts(actual) => Ok(()),
            Some(_) => Err(RuleError::Mismatch { claim: self.claim.to_string() }),
        }
    }
}

/// How several rules add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// Every rule must hold; without rules everything passes.
    All,
    /// One rule must hold; without rules nothing passes.
    Any,
}

/// The first rule that did not hold, without the value that it asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The claim is not there.
    #[error("claim `{claim}` is missing")]
    Missing {
        /// The path, joined by dots; empty if there was no rule that could have held.
        claim: String,
    },
    /// The claim is there and says something else.
    #[error("claim `{claim}` does not match")]
    Mismatch {
        /// The path, joined by dots.
        claim: String,
    },
}

/// Checks the rules in their order.
///
/// # Errors
///
/// Under [`Match::All`] the first rule that does not hold. Under [`Match::Any`], if none holds, a mismatch
/// rather than a missing claim, since it says more.
pub fn check(rules: &[Rule], how: Match, claims: &Claims<'_>) -> Result<(), RuleError> {
    match how {
        Match::All => rules.iter().try_for_each(|rule| rule.check(claims)),
        Match::Any => {
            let mut refusal = RuleError::Missing { claim: String::new() };
            for (index, rule) in rules.iter().enumerate() {
                let Err(error) = rule.check(claims) else { return Ok(()) };
                let says_more =
                    matches!((&refusal, &error), (RuleError::Missing { .. }, RuleError::Mismatch { .. }));
                if index == 0 || says_more {
                    refusal = error;
                }
            }
            Err(refusal)
        }
    }
}
