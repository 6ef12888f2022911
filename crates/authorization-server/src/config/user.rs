//! `User`: who may log in.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use sealwright_service::resource::{Report, Resource};
use sealwright_service::secret::{Secret, SecretRef};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::auth_server::Known;
use super::client_registration::SelectorSpec;
use crate::domain::password::PasswordHash;
use crate::domain::totp::TotpSecret;
use crate::domain::user::{DEFAULT_DOMAIN, Declared, RESERVED_CLAIMS};

/// `User.spec`: the shape of AppSSO's `internalUnsafe.users[]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct UserSpec {
    /// Which server; may be left out where there is only one.
    auth_server_selector: Option<SelectorSpec>,
    /// What the person types.
    username: String,
    /// One of the server's domains. Default: `default`.
    domain: Option<String>,
    /// Where the hash is: `{argon2}$argon2id$…`, never the password.
    password: SecretRef,
    /// Where the base32 secret of the authenticator app is. Default: no second factor.
    totp: Option<SecretRef>,
    /// Claims about the person, for tokens of the clients that are registered for them.
    #[serde(default)]
    claims: Map<String, Value>,
    /// What the person may do, for the `roles` claim.
    #[serde(default)]
    roles: Vec<String>,
}

/// The number of the user's server among `servers`, and the spec.
pub(super) fn select(
    resource: &Resource,
    servers: &[&Resource],
    report: &mut Report,
) -> Option<(usize, UserSpec)> {
    let spec = resource.spec::<UserSpec>(report)?;
    let selected = match (&spec.auth_server_selector, servers.len()) {
        (Some(selector), _) => {
            let path = "spec.authServerSelector.matchLabels";
            super::select(&selector.match_labels, servers, resource, path, report)
        }
        (None, 1) => Some(0),
        (None, 0) => {
            resource.fault("spec", "there is no AuthServer for this user", report);
            None
        }
        (None, _) => {
            let message = "there are several AuthServers; select one with authServerSelector";
            resource.fault("spec", message, report);
            None
        }
    };
    Some((selected?, spec))
}

/// Reads one user of a server of which `known` is known and where `taken` are the user names so far.
pub(super) fn read(
    resource: &Resource,
    spec: UserSpec,
    known: &Known,
    taken: &mut BTreeSet<String>,
    report: &mut Report,
) -> Option<Declared> {
    let username = username(resource, "spec.username", &spec.username, taken, report);
    let domain = spec.domain.unwrap_or_else(|| DEFAULT_DOMAIN.to_owned());
    if known.domains.as_ref().is_some_and(|domains| !domains.contains_key(&domain)) {
        let message = format!("the AuthServer has no domain `{domain}`; add it to spec.domains there");
        resource.fault("spec.domain", message, report);
    }
    for claim in spec.claims.keys().filter(|claim| RESERVED_CLAIMS.contains(&claim.as_str())) {
        let message = format!("`{claim}` is written by the server itself");
        resource.fault(&format!("spec.claims.{claim}"), message, report);
    }
    let password = secret(resource, "spec.password", &spec.password, PasswordHash::parse, report);
    if let (Some(hash), Some(cost)) = (&password, known.password_cost)
        && !hash.costs(cost)
    {
        let message = "this hash costs something else than AuthServer.spec.passwords.argon2 says, so the time of a \
                       failed login shows that the account exists; hash the password again";
        resource.warn("spec.password", message, report);
    }
    let totp = match &spec.totp {
        None => None,
        // Broken is not the same as absent: nobody is to lose a factor by a mistake in a file.
        Some(reference) => Some(secret(resource, "spec.totp", reference, TotpSecret::parse, report)?),
    };
    Some(Declared {
        username: username?,
        domain,
        password: password?,
        totp,
        claims: spec.claims,
        roles: spec.roles,
    })
}

/// Reads what `reference` names, and makes something of it.
fn secret<T>(
    resource: &Resource,
    path: &str,
    reference: &SecretRef,
    parse: impl FnOnce(&Secret) -> Result<T, &'static str>,
    report: &mut Report,
) -> Option<T> {
    let text = match reference.read(resource.base_dir()) {
        Ok(text) => text,
        Err(error) => {
            resource.fault(path, error.to_string(), report);
            return None;
        }
    };
    parse(&text).map_err(|message| resource.fault(path, message, report)).ok()
}

/// A user name that nobody else of this server has.
pub(super) fn username(
    resource: &Resource,
    path: &str,
    name: &str,
    taken: &mut BTreeSet<String>,
    report: &mut Report,
) -> Option<String> {
    if name.is_empty() || name.len() > 256 || name.trim() != name || name.chars().any(char::is_control) {
        let message = "a user name has 1 to 256 bytes, no control characters, and no spaces at its ends";
        resource.fault(path, message, report);
        return None;
    }
    if !taken.insert(name.to_owned()) {
        resource.fault(path, "another user of this server has this user name", report);
        return None;
    }
    Some(name.to_owned())
}
