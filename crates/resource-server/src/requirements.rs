//! What a request needs beyond a valid token.

use crate::{AccessToken, Challenge, Refusal};

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
    pub fn check(&self, token: &AccessToken, _now_s: i64) -> Result<(), Refusal> {
        let granted = if self.scopes.is_empty() { Vec::new() } else { token.scopes() };
        if self.scopes.iter().all(|scope| granted.contains(&scope.as_str())) {
            return Ok(());
        }
        Err(Refusal::new(Challenge::insufficient_scope(&self.scopes.join(" ")), "scope_insufficient"))
    }
}
