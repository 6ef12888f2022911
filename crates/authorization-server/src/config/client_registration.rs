//! `ClientRegistration`: who may ask for tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use schemars::JsonSchema;
use sealwright_service::resource::{DurationField, Report, Resource};
use sealwright_service::secret::SecretRef;
use serde::Deserialize;
use url::Url;

use crate::domain::client::{Client, ClientAuthentication, ClientSecret, DescribedScope};
use crate::domain::redirect_uri::RegisteredRedirect;
use crate::domain::scope;
use crate::domain::user::RESERVED_CLAIMS;

/// `ClientRegistration.spec`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClientRegistrationSpec {
    auth_server_selector: SelectorSpec,
    /// What people read on the pages, 2 to 32 characters. Default: the resource's name.
    display_name: Option<String>,
    /// Where codes may be sent. Exact, except for the port of a loopback address.
    #[serde(default, rename = "redirectURIs")]
    redirect_uris: Vec<String>,
    /// Default: `authorization_code` where there are redirect URIs, else none.
    authorization_grant_types: Option<Vec<GrantType>>,
    /// Default: `client_secret_basic`.
    #[serde(default)]
    client_authentication_method: AuthenticationMethod,
    /// Where the secret is; needed unless the method is `none`.
    client_secret: Option<SecretRef>,
    /// What `resource` may name, as absolute URLs; the first is the default.
    #[serde(default)]
    audiences: Vec<String>,
    /// Names of the users' claims that this client's tokens carry.
    #[serde(default)]
    claims: Vec<String>,
    /// Ids of the clients that may ask for authentication contexts in this one's name.
    #[serde(default)]
    contexts_from: Vec<String>,
    /// Lifetime of this client's tokens. Default: that of the server.
    access_token_expiry: Option<DurationField>,
    #[serde(default)]
    scopes: Vec<ScopeSpec>,
    /// Whether people are asked to agree before a code is issued, also where nothing is signed. Default: `false`.
    #[serde(default)]
    require_user_consent: bool,
}

/// Selects by labels; all must be there.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SelectorSpec {
    pub(super) match_labels: BTreeMap<String, String>,
}

/// One entry of `ClientRegistration.spec.scopes`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ScopeSpec {
    name: String,
    /// What people read when they are asked to agree.
    description: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum GrantType {
    AuthorizationCode,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum AuthenticationMethod {
    None,
    #[default]
    ClientSecretBasic,
    ClientSecretPost,
}

/// Client secrets are not throttled, so they must be beyond guessing.
const MIN_SECRET: usize = 16;

/// `NAMESPACE_NAME`, as AppSSO makes it; a resource without a namespace is in `default`.
pub(super) fn client_id(resource: &Resource) -> String {
    format!("{}_{}", resource.namespace.as_deref().unwrap_or("default"), resource.name)
}

/// Reads one registration; gives the number of its server among `servers`, and the client.
pub(super) fn read(
    resource: &Resource,
    servers: &[&Resource],
    registered: &BTreeSet<String>,
    report: &mut Report,
) -> Option<(usize, Client)> {
    let spec = resource.spec::<ClientRegistrationSpec>(report)?;
    let path = "spec.authServerSelector.matchLabels";
    let server = super::select(&spec.auth_server_selector.match_labels, servers, resource, path, report);

    let display_name = spec.display_name.clone().unwrap_or_else(|| resource.name.clone());
    if !(2..=32).contains(&display_name.chars().count()) {
        resource.fault("spec.displayName", "a display name has 2 to 32 characters", report);
    }
    let authentication = authentication(resource, &spec, report);
    let redirect_uris = redirect_uris(resource, &spec, report);
    audiences(resource, &spec, report);
    for (i, claim) in spec.claims.iter().enumerate() {
        if RESERVED_CLAIMS.contains(&claim.as_str()) {
            let message = format!("`{claim}` is written by the server itself; name claims of users only");
            resource.fault(&format!("spec.claims[{i}]"), message, report);
        }
    }
    for (i, backend) in spec.contexts_from.iter().enumerate() {
        if !registered.contains(backend) {
            let message = format!("there is no client `{backend}`; a client's id is NAMESPACE_NAME");
            resource.fault(&format!("spec.contextsFrom[{i}]"), message, report);
        }
    }
    if let Some(expiry) = spec.access_token_expiry
        && !(Duration::from_secs(1)..=Duration::from_secs(24 * 3600)).contains(&expiry.0)
    {
        resource.fault("spec.accessTokenExpiry", "write a duration from 1 second to 24 hours", report);
    }
    let scopes = scopes(resource, &spec.scopes, report);
    let client = Client {
        id: client_id(resource),
        display_name,
        authentication: authentication?,
        redirect_uris,
        audiences: spec.audiences,
        claims: spec.claims,
        contexts_from: spec.contexts_from.into_iter().collect(),
        access_token_expiry: spec.access_token_expiry.map(|field| field.0),
        scopes,
        requires_consent: spec.require_user_consent,
    };
    Some((server?, client))
}

fn authentication(
    resource: &Resource,
    spec: &ClientRegistrationSpec,
    report: &mut Report,
) -> Option<ClientAuthentication> {
    let secret = match &spec.client_secret {
        None => None,
        Some(reference) => match reference.read(resource.base_dir()) {
            Ok(secret) if secret.expose().chars().count() < MIN_SECRET => {
                let message = format!(
                    "a client secret has at least {MIN_SECRET} characters; make one with `openssl rand -hex 32`"
                );
                resource.fault("spec.clientSecret", message, report);
                return None;
            }
            Ok(secret) => Some(ClientSecret::new(&secret)),
            Err(error) => {
                resource.fault("spec.clientSecret", error.to_string(), report);
                return None;
            }
        },
    };
    match (spec.client_authentication_method, secret) {
        (AuthenticationMethod::None, None) => Some(ClientAuthentication::None),
        (AuthenticationMethod::None, Some(_)) => {
            let message =
                "a client with clientAuthenticationMethod: none has no secret; remove it, or name a method";
            resource.fault("spec.clientSecret", message, report);
            None
        }
        (AuthenticationMethod::ClientSecretBasic, Some(secret)) => {
            Some(ClientAuthentication::SecretBasic(secret))
        }
        (AuthenticationMethod::ClientSecretPost, Some(secret)) => {
            Some(ClientAuthentication::SecretPost(secret))
        }
        (_, None) => {
            let message =
                "this method needs a clientSecret; add one, or write clientAuthenticationMethod: none";
            resource.fault("spec.clientAuthenticationMethod", message, report);
            None
        }
    }
}

fn redirect_uris(
    resource: &Resource,
    spec: &ClientRegistrationSpec,
    report: &mut Report,
) -> Vec<RegisteredRedirect> {
    let mut uris = Vec::new();
    for (i, text) in spec.redirect_uris.iter().enumerate() {
        match RegisteredRedirect::parse(text) {
            Ok(uri) => uris.push(uri),
            Err(message) => resource.fault(&format!("spec.redirectURIs[{i}]"), message, report),
        }
    }
    let named = spec.redirect_uris.is_empty();
    match &spec.authorization_grant_types {
        Some(types) if types.contains(&GrantType::AuthorizationCode) && named => {
            resource.fault("spec.redirectURIs", "authorization_code needs at least one redirect URI", report);
        }
        Some(types) if !types.contains(&GrantType::AuthorizationCode) && !named => {
            let message = "redirect URIs are of use only with authorizationGrantTypes: [authorization_code]";
            resource.fault("spec.redirectURIs", message, report);
        }
        _ => {}
    }
    uris
}

fn audiences(resource: &Resource, spec: &ClientRegistrationSpec, report: &mut Report) {
    for (i, audience) in spec.audiences.iter().enumerate() {
        // RFC 8707 §2: an absolute URI without a fragment.
        let good = Url::parse(audience)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.fragment().is_none());
        if !good {
            let message = "an audience is an absolute http or https URL without a fragment";
            resource.fault(&format!("spec.audiences[{i}]"), message, report);
        }
    }
    if spec.audiences.is_empty() && !spec.redirect_uris.is_empty() {
        resource.fault("spec.audiences", "name the API that this client's tokens are for", report);
    }
}

fn scopes(resource: &Resource, specs: &[ScopeSpec], report: &mut Report) -> Vec<DescribedScope> {
    let mut seen = BTreeSet::new();
    for (i, spec) in specs.iter().enumerate() {
        let path = format!("spec.scopes[{i}].name");
        if !scope::is_scope(&spec.name) {
            resource.fault(&path, "a scope is ASCII without spaces and quotes (RFC 6749 §3.3)", report);
        }
        if !seen.insert(&spec.name) {
            resource.fault(&path, "this scope stands there twice", report);
        }
    }
    specs
        .iter()
        .map(|s| DescribedScope { name: s.name.clone(), description: s.description.clone() })
        .collect()
}
