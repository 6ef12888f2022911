//! `ClientRegistration`: who may ask for tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use schemars::JsonSchema;
use sealwright_jose::Alg;
use sealwright_service::resource::{APPSSO_API_VERSION, DurationField, Report, Resource};
use sealwright_service::secret::{Secret, SecretRef};
use serde::Deserialize;
use url::Url;

use super::first_start::NewFile;
use super::secrets::{Secrets, namespace};
use super::{Declaration, appsso};
use crate::domain::client::{
    Client, ClientAuthentication, ClientSecret, DescribedScope, USUAL_ID_TOKEN_ALG, may_get_id_tokens,
};
use crate::domain::redirect_uri::RegisteredRedirect;
use crate::domain::scope;
use crate::domain::user::RESERVED_CLAIMS;

/// `ClientRegistration.spec`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ClientRegistrationSpec {
    pub(super) auth_server_selector: SelectorSpec,
    /// What people read on the pages, 2 to 32 characters. Default: the resource's name.
    pub(super) display_name: Option<String>,
    /// Where codes may be sent. Exact, except for the port of a loopback address.
    #[serde(default, rename = "redirectURIs")]
    pub(super) redirect_uris: Vec<String>,
    /// `authorization_code`, `client_credentials` or both. Default: the former where there are redirect URIs, else none.
    pub(super) authorization_grant_types: Option<Vec<GrantType>>,
    /// Default: `client_secret_basic`.
    #[serde(default)]
    pub(super) client_authentication_method: AuthenticationMethod,
    /// Where the secret is; needed unless the method is `none`.
    pub(super) client_secret: Option<SecretRef>,
    /// What `resource` may name, as absolute URLs; the first is the default.
    #[serde(default)]
    pub(super) audiences: Vec<String>,
    /// Names of the users' claims that this client's tokens carry.
    #[serde(default)]
    pub(super) claims: Vec<String>,
    /// Ids of the clients that may ask for authentication contexts in this one's name.
    #[serde(default)]
    pub(super) contexts_from: Vec<String>,
    /// Lifetime of this client's tokens. Default: that of the server.
    pub(super) access_token_expiry: Option<DurationField>,
    /// The algorithm of this client's tokens, one of the server's. Default: the server's first.
    pub(super) access_token_signing_alg: Option<String>,
    /// The algorithm of its ID tokens, one of the server's. Default: `RS256` where the server has it, else the server's first.
    pub(super) id_token_signed_response_alg: Option<String>,
    #[serde(default)]
    pub(super) scopes: Vec<ScopeSpec>,
    /// Whether people are asked to agree before a code is issued, also where nothing is signed. Default: `false`.
    #[serde(default)]
    pub(super) require_user_consent: bool,
    /// A secret from elsewhere, in place of `clientSecret`.
    #[serde(skip)]
    pub(super) given_secret: Option<Secret>,
    /// Whether its tokens are for the client itself.
    #[serde(skip)]
    pub(super) is_own_audience: bool,
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
pub(super) struct ScopeSpec {
    pub(super) name: String,
    /// What people read when they are asked to agree.
    pub(super) description: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum GrantType {
    AuthorizationCode,
    ClientCredentials,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum AuthenticationMethod {
    None,
    #[default]
    ClientSecretBasic,
    ClientSecretPost,
}

/// Client secrets are not throttled, so they must be beyond guessing.
const MIN_SECRET: usize = 16;

/// `NAMESPACE_NAME`, as AppSSO makes it; a resource without a namespace is in `default`.
pub(super) fn client_id(resource: &Resource) -> String {
    format!("{}_{}", namespace(resource), resource.name)
}

/// A registration that was read.
pub(super) struct Registered {
    /// The number of its server.
    pub(super) server: usize,
    pub(super) client: Client,
    /// The secret that was made for it, because it has none.
    pub(super) new_secret: Option<NewFile>,
}

/// Reads one registration.
pub(super) fn read(
    resource: &Resource,
    servers: &[Declaration<'_>],
    secrets: &Secrets<'_>,
    registered: &BTreeSet<String>,
    report: &mut Report,
) -> Option<Registered> {
    let is_appsso = resource.api_version == APPSSO_API_VERSION;
    let mut spec = match is_appsso {
        true => appsso::client_registration::read(resource, report)?,
        false => resource.spec::<ClientRegistrationSpec>(report)?,
    };
    let path = "spec.authServerSelector.matchLabels";
    let labelled: Vec<&Resource> = servers.iter().map(|server| server.resource).collect();
    let server = super::select(&spec.auth_server_selector.match_labels, &labelled, resource, path, report);
    let selected = server.and_then(|server| servers.get(server));
    if let Some(selected) = selected {
        check_namespace(resource, selected, report);
    }
    let mut new_secret = None;
    if is_appsso && spec.client_authentication_method != AuthenticationMethod::None {
        let state_dir = selected.and_then(|selected| selected.known.state_dir.as_deref());
        let found = appsso::client_registration::secret(resource, state_dir, secrets, report)?;
        (spec.given_secret, new_secret) = (Some(found.secret), found.new);
    }

    let display_name = spec.display_name.clone().unwrap_or_else(|| resource.name.clone());
    if !(2..=32).contains(&display_name.chars().count()) {
        resource.fault("spec.displayName", "a display name has 2 to 32 characters", report);
    }
    let authentication = authentication(resource, &spec, report);
    let redirect_uris = redirect_uris(resource, &spec, report);
    let client_credentials = client_credentials(resource, &spec, report);
    if spec.is_own_audience {
        spec.audiences = vec![client_id(resource)];
    } else {
        audiences(resource, &spec, report);
    }
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
    let may_get_id_tokens =
        may_get_id_tokens(!spec.redirect_uris.is_empty(), spec.scopes.iter().map(|s| s.name.as_str()));
    if spec.id_token_signed_response_alg.is_some() && !may_get_id_tokens {
        let message = "ID tokens come with codes, for the scope `openid`: register redirect URIs and that scope, or remove this";
        resource.fault("spec.idTokenSignedResponseAlg", message, report);
    }
    let alg = |name: Option<String>| name.as_deref().and_then(Alg::from_name);
    let client = Client {
        id: client_id(resource),
        display_name,
        authentication: authentication?,
        redirect_uris,
        audiences: spec.audiences,
        claims: spec.claims,
        contexts_from: spec.contexts_from.into_iter().collect(),
        access_token_expiry: spec.access_token_expiry.map(|field| field.0),
        access_token_signing_alg: alg(spec.access_token_signing_alg),
        id_token_signed_response_alg: alg(spec.id_token_signed_response_alg),
        client_credentials,
        scopes,
        requires_consent: spec.require_user_consent,
    };
    Some(Registered { server: server?, client, new_secret })
}

/// An AuthServer may take clients of some namespaces alone.
fn check_namespace(resource: &Resource, server: &Declaration<'_>, report: &mut Report) {
    let namespace = namespace(resource);
    if let Some(allowed) = &server.known.client_namespaces
        && !allowed.contains(namespace)
    {
        let message = format!(
            "AuthServer `{}` takes no clients of the namespace `{namespace}`: its annotation `{}` does not name it",
            server.resource.name,
            appsso::ALLOW_CLIENT_NAMESPACES
        );
        resource.fault("metadata.namespace", message, report);
    }
}

fn authentication(
    resource: &Resource,
    spec: &ClientRegistrationSpec,
    report: &mut Report,
) -> Option<ClientAuthentication> {
    let read = match (&spec.given_secret, &spec.client_secret) {
        (Some(given), _) => Some(Ok(given.clone())),
        (None, reference) => reference.as_ref().map(|reference| reference.read(resource.base_dir())),
    };
    let secret = match read {
        None => None,
        Some(read) => match read {
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

/// Whether the client may ask for tokens of its own; one that cannot prove who it is may not (RFC 6749 §4.4).
fn client_credentials(resource: &Resource, spec: &ClientRegistrationSpec, report: &mut Report) -> bool {
    let types = spec.authorization_grant_types.as_deref().unwrap_or_default();
    let wanted = types.contains(&GrantType::ClientCredentials);
    if wanted && spec.client_authentication_method == AuthenticationMethod::None {
        let message =
            "client_credentials is for clients that have a secret; name a method, or leave that grant out";
        resource.fault("spec.clientAuthenticationMethod", message, report);
    }
    wanted
}

/// Checks that the server which was selected has the algorithms that the registration names.
pub(super) fn check_signing_algs(resource: &Resource, server_has: &[Alg], report: &mut Report) {
    // Where no key could be read, that is said at the server.
    if server_has.is_empty() {
        return;
    }
    for field in ["accessTokenSigningAlg", "idTokenSignedResponseAlg"] {
        let Some(name) = resource.scalar(&["spec", field]) else { continue };
        if !server_has.iter().any(|alg| alg.name() == name) {
            let has: Vec<&str> = server_has.iter().map(|alg| alg.name()).collect();
            let message = format!("the AuthServer signs with {}, not with this", has.join(", "));
            resource.fault(&format!("spec.{field}"), message, report);
        }
    }
}

/// Warns where a client gets ID tokens by another algorithm than clients expect that were told of none.
pub(super) fn check_usual_alg(resource: &Resource, client: &Client, server_has: &[Alg], report: &mut Report) {
    let alg = client.id_token_alg(|alg| server_has.contains(&alg));
    if let (true, None, Some(first)) = (client.may_get_id_tokens(), alg, server_has.first()) {
        let message = format!(
            "{first} signs the ID tokens, where OpenID Connect has clients expect {USUAL_ID_TOKEN_ALG}: tell the client, and write \
             `idTokenSignedResponseAlg: {first}` here, or give the AuthServer {USUAL_ID_TOKEN_ALG}, too"
        );
        resource.warn("spec.scopes", message, report);
    }
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
    let types = spec.authorization_grant_types.as_deref().unwrap_or_default();
    let gets_tokens = !spec.redirect_uris.is_empty() || types.contains(&GrantType::ClientCredentials);
    if spec.audiences.is_empty() && gets_tokens {
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
