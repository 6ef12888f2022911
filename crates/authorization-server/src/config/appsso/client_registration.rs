//! AppSSO's `ClientRegistration`: its spec in terms of ours, and where its secret comes from.

use std::path::Path;

use schemars::JsonSchema;
use sealwright_service::random;
use sealwright_service::resource::{Report, Resource};
use sealwright_service::secret::{Secret, SecretRef};
use serde::Deserialize;

use super::{fields, treat};
use crate::config::client_registration::{
    AuthenticationMethod, ClientRegistrationSpec, GrantType, ScopeSpec, SelectorSpec, client_id,
};
use crate::config::first_start::NewFile;
use crate::config::secrets::{Found, Secrets, namespace};

/// The entry of a Secret of type `servicebinding.io/oauth2` that holds a client's secret.
const CLIENT_SECRET: &str = "client-secret";

/// AppSSO's `ClientRegistration.spec`.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AppSsoRegistration {
    auth_server_selector: SelectorSpec,
    #[serde(default, rename = "redirectURIs")]
    redirect_uris: Vec<String>,
    #[serde(default)]
    scopes: Vec<ScopeSpec>,
    display_name: Option<String>,
    #[serde(default = "default_grant_types")]
    authorization_grant_types: Vec<AppSsoGrantType>,
    #[serde(default)]
    client_authentication_method: Method,
    #[serde(default)]
    require_user_consent: bool,
}

fn default_grant_types() -> Vec<AppSsoGrantType> {
    vec![AppSsoGrantType::ClientCredentials]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum AppSsoGrantType {
    AuthorizationCode,
    ClientCredentials,
    RefreshToken,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Method {
    #[default]
    ClientSecretBasic,
    ClientSecretPost,
    None,
    /// The older name of the first.
    Basic,
    /// The older name of the second.
    Post,
}

/// Reads one `ClientRegistration`.
pub(in crate::config) fn read(resource: &Resource, report: &mut Report) -> Option<ClientRegistrationSpec> {
    treat(resource, fields::CLIENT_REGISTRATION, report);
    let spec = resource.spec::<AppSsoRegistration>(report)?;
    let mut grants = Vec::new();
    for grant in &spec.authorization_grant_types {
        let message = match grant {
            AppSsoGrantType::AuthorizationCode => {
                grants.push(GrantType::AuthorizationCode);
                continue;
            }
            // There that method means codes alone, whatever else is listed.
            AppSsoGrantType::ClientCredentials if spec.client_authentication_method == Method::None => {
                "`client_credentials` is for clients that have a secret, so this one cannot use it"
            }
            AppSsoGrantType::ClientCredentials => {
                grants.push(GrantType::ClientCredentials);
                continue;
            }
            AppSsoGrantType::RefreshToken => {
                "`refresh_token` is not offered yet, so the client cannot use it"
            }
        };
        resource.warn("spec.authorizationGrantTypes", message, report);
    }
    let mut redirect_uris = spec.redirect_uris;
    if !grants.contains(&GrantType::AuthorizationCode) && !redirect_uris.is_empty() {
        let message = "without `authorization_code` among the grant types these are not used";
        resource.warn("spec.redirectURIs", message, report);
        redirect_uris.clear();
    }
    let mut older = |name: &str, method| {
        let message = format!("this is the older name of `{name}`");
        resource.warn("spec.clientAuthenticationMethod", message, report);
        method
    };
    let method = match spec.client_authentication_method {
        Method::None => AuthenticationMethod::None,
        Method::ClientSecretBasic => AuthenticationMethod::ClientSecretBasic,
        Method::ClientSecretPost => AuthenticationMethod::ClientSecretPost,
        Method::Basic => older("client_secret_basic", AuthenticationMethod::ClientSecretBasic),
        Method::Post => older("client_secret_post", AuthenticationMethod::ClientSecretPost),
    };
    // There a name need not be short.
    let display_name = spec.display_name.unwrap_or_else(|| resource.name.chars().take(32).collect());
    Some(ClientRegistrationSpec {
        auth_server_selector: spec.auth_server_selector,
        display_name: Some(display_name),
        redirect_uris,
        authorization_grant_types: Some(grants),
        client_authentication_method: method,
        client_secret: None,
        audiences: Vec::new(),
        claims: Vec::new(),
        contexts_from: Vec::new(),
        access_token_expiry: None,
        access_token_signing_alg: None,
        id_token_signed_response_alg: None,
        scopes: spec.scopes,
        require_user_consent: spec.require_user_consent,
        given_secret: None,
        is_own_audience: true,
    })
}

/// The secret of a client.
pub(in crate::config) struct FoundSecret {
    pub(in crate::config) secret: Secret,
    /// Where it is to be kept, if it was made now.
    pub(in crate::config) new: Option<NewFile>,
}

/// The client's secret: from the `Secret` of its name, from the state folder of its server, or a new one.
pub(in crate::config) fn secret(
    resource: &Resource,
    state_dir: Option<&Path>,
    secrets: &Secrets<'_>,
    report: &mut Report,
) -> Option<FoundSecret> {
    match secrets.find(namespace(resource), &resource.name) {
        Found::Broken => return None,
        Found::Secret(found) if found.kind == "servicebinding.io/oauth2" => {
            let text = found.entry(CLIENT_SECRET).map(|bytes| std::str::from_utf8(bytes).map(Secret::new));
            return match text {
                Some(Ok(secret)) => Some(FoundSecret { secret, new: None }),
                _ => {
                    let message = format!("a Secret of this type holds `{CLIENT_SECRET}`, as text");
                    found.resource.fault(&found.path(CLIENT_SECRET), message, report);
                    None
                }
            };
        }
        _ => {}
    }
    let id = client_id(resource);
    let Some(state_dir) = state_dir else {
        let message = format!(
            "client `{id}` has no secret: write a Secret `{}` of type servicebinding.io/oauth2 with `{CLIENT_SECRET}`",
            resource.name
        );
        resource.fault("spec", message, report);
        return None;
    };
    let path = state_dir.join("clients").join(format!("{id}.secret"));
    if !path.exists() {
        let secret =
            Secret::new(random::bytes::<32>().iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        let what = format!("the secret of client `{id}`");
        return Some(FoundSecret {
            secret: secret.clone(),
            new: Some(NewFile { path, content: secret, what, kek: None }),
        });
    }
    // The folder of the state is that of its server's resource already.
    match (SecretRef { file: Some(path), env: None }).read(Path::new("")) {
        Ok(secret) => Some(FoundSecret { secret, new: None }),
        Err(error) => {
            resource.fault("spec", error.to_string(), report);
            None
        }
    }
}
