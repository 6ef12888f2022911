//! `User`: who may log in.

use schemars::JsonSchema;
use sealwright_service::resource::{Report, Resource};
use sealwright_service::secret::SecretRef;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Config;
use super::client_registration::SelectorSpec;
use crate::domain::password::PasswordHash;
use crate::domain::totp::TotpSecret;
use crate::domain::user::{DEFAULT_DOMAIN, Declared, RESERVED_CLAIMS};

/// `User.spec`: the shape of AppSSO's `internalUnsafe.users[]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UserSpec {
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

/// The number of the user's server among `servers`.
pub(super) fn select(resource: &Resource, servers: &[&Resource], report: &mut Report) -> Option<usize> {
    // A spec that cannot be read has its faults reported by `read`; here they would stand twice.
    let spec = resource.spec::<UserSpec>(&mut Report::default());
    match spec.and_then(|spec| spec.auth_server_selector) {
        Some(selector) => {
            let path = "spec.authServerSelector.matchLabels";
            super::select(&selector.match_labels, servers, resource, path, report)
        }
        None => match servers.len() {
            1 => Some(0),
            0 => {
                resource.fault("spec", "there is no AuthServer for this user", report);
                None
            }
            _ => {
                resource.fault(
                    "spec",
                    "there are several AuthServers; select one with authServerSelector",
                    report,
                );
                None
            }
        },
    }
}

/// Reads one user of the server `config`, which is `None` when that server is broken.
pub(super) fn read(resource: &Resource, config: Option<&Config>, report: &mut Report) -> Option<Declared> {
    let spec = resource.spec::<UserSpec>(report)?;
    let username = username(resource, &spec, config, report);
    let domain = spec.domain.unwrap_or_else(|| DEFAULT_DOMAIN.to_owned());
    if config.is_some_and(|config| !config.domains.contains_key(&domain)) {
        let message = format!("the AuthServer has no domain `{domain}`; add it to spec.domains there");
        resource.fault("spec.domain", message, report);
    }
    for claim in spec.claims.keys().filter(|claim| RESERVED_CLAIMS.contains(&claim.as_str())) {
        let message = format!("`{claim}` is written by the server itself");
        resource.fault(&format!("spec.claims.{claim}"), message, report);
    }
    let password = match spec.password.read(resource.base_dir()) {
        Ok(text) => PasswordHash::parse(&text)
            .map_err(|message| resource.fault("spec.password", message, report))
            .ok(),
        Err(error) => {
            resource.fault("spec.password", error.to_string(), report);
            None
        }
    };
    if let (Some(hash), Some(config)) = (&password, config)
        && !hash.costs(config.passwords.cost)
    {
        let message = "this hash costs something else than AuthServer.spec.passwords.argon2 says, so the time of a \
                       failed login shows that the account exists; hash the password again";
        resource.warn("spec.password", message, report);
    }
    let totp = match &spec.totp {
        None => None,
        Some(reference) => match reference.read(resource.base_dir()) {
            Ok(text) => match TotpSecret::parse(&text) {
                Ok(secret) => Some(secret),
                Err(message) => {
                    resource.fault("spec.totp", message, report);
                    None
                }
            },
            Err(error) => {
                resource.fault("spec.totp", error.to_string(), report);
                None
            }
        },
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

fn username(
    resource: &Resource,
    spec: &UserSpec,
    config: Option<&Config>,
    report: &mut Report,
) -> Option<String> {
    let name = &spec.username;
    if name.is_empty() || name.len() > 256 || name.trim() != name || name.chars().any(char::is_control) {
        let message = "a user name has 1 to 256 bytes, no control characters, and no spaces at its ends";
        resource.fault("spec.username", message, report);
        return None;
    }
    if config.is_some_and(|config| config.users.iter().any(|user| user.username == *name)) {
        resource.fault("spec.username", "another user of this server has this user name", report);
        return None;
    }
    Some(name.clone())
}
