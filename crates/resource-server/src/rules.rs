//! Rules on the claims of a token that is valid.
//!
//! ```
//! use sealwright_jose::jwt::Claims;
//! use sealwright_resource_server::rules::{Compare, Rule, RuleError};
//!
//! let signers = Rule::any([
//!     Rule::claim("groups").contains("signers"),
//!     Rule::all([Rule::claim(["realm_access", "roles"]).contains("sign"), Rule::claim("level").one_of([2, 3])]),
//! ]);
//!
//! let bob = Claims::parse(br#"{"realm_access":{"roles":["sign"]},"level":2}"#)?;
//! assert_eq!(signers.check(&bob, Compare::Typed), Ok(()));
//!
//! let eve = Claims::parse(br#"{"groups":["staff"],"level":"2"}"#)?;
//! assert_eq!(signers.check(&eve, Compare::Typed), Err(RuleError::Mismatch { claim: "groups".into() }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod compare;

pub use compare::Compare;

use sealwright_jose::jwt::Claims;
use serde_json::Value;
use std::fmt;

/// What the claims must be.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Rule {
    /// One claim is what is asked of it.
    Claim {
        /// Where the value is.
        path: ClaimPath,
        /// What is asked of it.
        op: Op,
    },
    /// This word is in `scope`, which is a string of words (RFC 8693 §4.2) or a list, as some issuers write it.
    Scope(String),
    /// Each of them holds; none is no demand.
    All(Vec<Rule>),
    /// One of them holds; of none, none does.
    Any(Vec<Rule>),
}

impl Rule {
    /// A rule about this claim: its name, or the path to it as an array. What is asked of it comes next.
    pub fn claim(path: impl Into<ClaimPath>) -> ClaimRule {
        ClaimRule(path.into())
    }

    /// The token's `scope` has this word in it.
    pub fn scope(word: impl Into<String>) -> Self {
        Self::Scope(word.into())
    }

    /// Each of `rules` holds.
    pub fn all(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self::All(rules.into_iter().collect())
    }

    /// One of `rules` holds.
    pub fn any(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self::Any(rules.into_iter().collect())
    }

    /// Checks the claims of a token.
    ///
    /// # Errors
    ///
    /// The first rule that does not hold. Of alternatives that all fail it is the first one whose claim is there,
    /// since it says more than one whose claim is missing.
    pub fn check(&self, claims: &Claims<'_>, compare: Compare) -> Result<(), RuleError> {
        match self {
            Self::Claim { path, op } => match path.lookup(claims) {
                None | Some(Value::Null) => Err(RuleError::Missing { claim: path.to_string() }),
                Some(actual) if op.accepts(&actual, compare) => Ok(()),
                Some(_) => Err(RuleError::Mismatch { claim: path.to_string() }),
            },
            Self::Scope(word) => match claim(claims, "scope") {
                None | Some(Value::Null) => Err(RuleError::Missing { claim: "scope".to_owned() }),
                Some(scope) if words(&scope).any(|actual| actual == word) => Ok(()),
                Some(_) => Err(RuleError::Mismatch { claim: "scope".to_owned() }),
            },
            Self::All(rules) => rules.iter().try_for_each(|rule| rule.check(claims, compare)),
            Self::Any(rules) => check_any(rules, claims, compare),
        }
    }
}

fn check_any(rules: &[Rule], claims: &Claims<'_>, compare: Compare) -> Result<(), RuleError> {
    let mut refusal: Option<RuleError> = None;
    for rule in rules {
        let Err(error) = rule.check(claims, compare) else { return Ok(()) };
        let says_more = match &refusal {
            None => true,
            Some(earlier) => !earlier.is_mismatch() && error.is_mismatch(),
        };
        if says_more {
            refusal = Some(error);
        }
    }
    Err(refusal.unwrap_or_else(|| RuleError::Missing { claim: String::new() }))
}

/// One claim, and not [`Claims::get`]: that would keep all of them in memory with the token.
fn claim(claims: &Claims<'_>, wanted: &str) -> Option<Value> {
    let mut found = None;
    claims.for_each(|name, json| {
        if name == wanted {
            found = serde_json::from_str(json).ok();
        }
    });
    found
}

/// The words of a `scope` claim; the type of its value decides how it is read.
fn words(scope: &Value) -> impl Iterator<Item = &str> {
    let (text, list) = match scope {
        Value::String(text) => (Some(text.as_str()), None),
        Value::Array(list) => (None, Some(list)),
        _ => (None, None),
    };
    let of_text = text.into_iter().flat_map(|text| text.split(' ')).filter(|word| !word.is_empty());
    of_text.chain(list.into_iter().flatten().filter_map(Value::as_str))
}

/// A claim of which nothing is asked yet: see [`Rule::claim`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ClaimRule(ClaimPath);

impl ClaimRule {
    /// It is there and not `null`.
    pub fn present(self) -> Rule {
        self.must(Op::Present)
    }

    /// It is this value.
    pub fn equals(self, value: impl Into<Value>) -> Rule {
        self.must(Op::Equals(value.into()))
    }

    /// It is a list with this value in it, or this value itself.
    pub fn contains(self, value: impl Into<Value>) -> Rule {
        self.must(Op::Contains(value.into()))
    }

    /// It is a list with one of these values in it, or one of them itself.
    pub fn contains_any<V: Into<Value>>(self, values: impl IntoIterator<Item = V>) -> Rule {
        self.must(Op::ContainsAny(values.into_iter().map(Into::into).collect()))
    }

    /// It is one of these values.
    pub fn one_of<V: Into<Value>>(self, values: impl IntoIterator<Item = V>) -> Rule {
        self.must(Op::OneOf(values.into_iter().map(Into::into).collect()))
    }

    /// It is a text that starts with this one.
    pub fn prefix(self, start: impl Into<String>) -> Rule {
        self.must(Op::Prefix(start.into()))
    }

    /// It is what `op` says.
    pub fn must(self, op: Op) -> Rule {
        Rule::Claim { path: self.0, op }
    }
}

/// What is asked of a claim. A claim that is `null` says nothing, and is as good as none.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Op {
    /// It is there.
    Present,
    /// It is this value.
    Equals(Value),
    /// It is a list with this value in it, or this value itself.
    Contains(Value),
    /// It is a list with one of these values in it, or one of them itself.
    ContainsAny(Vec<Value>),
    /// It is one of these values.
    OneOf(Vec<Value>),
    /// It is a text that starts with this one.
    Prefix(String),
}

impl Op {
    fn accepts(&self, actual: &Value, compare: Compare) -> bool {
        let is = |wanted: &Value| compare.same(actual, wanted);
        let has = |wanted: &Value| match actual {
            Value::Array(list) => list.iter().any(|element| compare.same(element, wanted)),
            _ => is(wanted),
        };
        let begins =
            |value: &Value, start: &str| compare.text(value).is_some_and(|text| text.starts_with(start));
        match (self, compare) {
            (Self::Present, _) => true,
            (Self::Equals(wanted), Compare::Typed) => is(wanted),
            (Self::OneOf(wanted), Compare::Typed) => wanted.iter().any(is),
            (Self::Equals(wanted), Compare::AsText) | (Self::Contains(wanted), _) => has(wanted),
            (Self::OneOf(wanted), Compare::AsText) | (Self::ContainsAny(wanted), _) => wanted.iter().any(has),
            (Self::Prefix(start), _) => match actual {
                Value::Array(list) if compare == Compare::AsText => {
                    list.iter().any(|value| begins(value, start))
                }
                value => begins(value, start),
            },
        }
    }
}

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
    pub fn lookup(&self, claims: &Claims<'_>) -> Option<Value> {
        let (first, rest) = self.0.split_first()?;
        rest.iter().try_fold(claim(claims, first)?, |value, part| match value {
            Value::Object(mut members) => members.remove(part),
            _ => None,
        })
    }
}

impl From<&str> for ClaimPath {
    /// A path of one part: a claim at the top.
    fn from(claim: &str) -> Self {
        Self(vec![claim.to_owned()])
    }
}

impl<const N: usize> From<[&str; N]> for ClaimPath {
    fn from(parts: [&str; N]) -> Self {
        Self(parts.map(str::to_owned).into())
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// The first rule that did not hold, without the value that it asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
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

impl RuleError {
    fn is_mismatch(&self) -> bool {
        matches!(self, Self::Mismatch { .. })
    }
}
