//! People.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::password::PasswordHash;
use super::totp::TotpSecret;

/// The domain of a user who names none.
pub(crate) const DEFAULT_DOMAIN: &str = "default";

/// A person, as a `User` resource declares them; the subject comes from the database.
#[derive(Clone, Debug)]
pub(crate) struct Declared {
    pub(crate) username: String,
    pub(crate) domain: String,
    pub(crate) password: PasswordHash,
    pub(crate) totp: Option<TotpSecret>,
    pub(crate) claims: Map<String, Value>,
    pub(crate) roles: Vec<String>,
}

/// A person who may log in.
#[derive(Clone, Debug)]
pub(crate) struct User {
    /// The `sub` of tokens: random, never given to somebody else.
    pub(crate) subject: String,
    pub(crate) declared: Arc<Declared>,
}

impl User {
    /// How to address the person on a page: the given and family name where there are any.
    pub(crate) fn display_name(&self) -> String {
        let claim = |name| self.declared.claims.get(name).and_then(Value::as_str);
        let parts: Vec<&str> = [claim("given_name"), claim("family_name")].into_iter().flatten().collect();
        match (parts.is_empty(), claim("name")) {
            (false, _) => parts.join(" "),
            (true, Some(name)) => name.to_owned(),
            (true, None) => self.declared.username.clone(),
        }
    }
}

/// Claims that the server writes itself, so neither a user nor a registration may name them.
pub(crate) const RESERVED_CLAIMS: &[&str] = &[
    "acr",
    "act",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "authorization_details",
    "azp",
    "c_hash",
    "client_id",
    "cnf",
    "exp",
    "iat",
    "iss",
    "jti",
    "may_act",
    "nbf",
    "nonce",
    "roles",
    "scope",
    "sid",
    "sub",
    "typ",
];
