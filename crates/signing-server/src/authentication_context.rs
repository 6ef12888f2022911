//! Asking the authorization server for an authentication context in a client's name (steps 3 to 5).

mod rate_limit;

use std::{collections::HashMap, net::IpAddr, time::Duration};

use reqwest::{Client, Response, StatusCode, redirect};
use sealwright_service::{clock::Timestamp, secret::Secret};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::config::ContextsConfig;
use rate_limit::RateLimit;

/// The whole exchange; a person waits for it.
const TIMEOUT: Duration = Duration::from_secs(5);
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Asks authorization servers for contexts, those that the operator named and no other.
#[derive(Debug)]
pub(crate) struct ContextClient {
    http: Client,
    /// By the name of the trusted issuer.
    endpoints: HashMap<String, Endpoint>,
    limit: RateLimit,
}

#[derive(Debug)]
struct Endpoint {
    uri: Url,
    client_id: String,
    client_secret: Secret,
}

/// What the client says about itself and its user.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Authentication {
    pub(crate) client_id: String,
    redirect_uri: String,
    #[serde(default)]
    state: Option<String>,
    code_challenge: String,
    code_challenge_method: String,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    domain: Option<String>,
    #[serde(default)]
    login_hint: Option<String>,
}

/// What the worker asks for on top of it.
#[derive(Clone, Debug)]
pub(crate) struct Demand {
    pub(crate) acr_values: Vec<String>,
    pub(crate) max_age_s: Option<u64>,
    pub(crate) resource: String,
    pub(crate) authorization_details: Value,
}

/// The authorization server's answer, passed on to the client.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Context {
    id: String,
    request_uri: String,
    authorize_url: String,
    expires_in: u64,
}

/// Why there is no context.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContextError {
    /// The authorization server said no: the client's to mend. Its code, not its words.
    #[error("the authorization server refused: {0}")]
    Refused(String),
    #[error("too many contexts were asked for")]
    RateLimited { wait: Duration },
    #[error("the authorization server cannot be reached")]
    Http(#[from] reqwest::Error),
    #[error("the authorization server answered {0}")]
    Status(StatusCode),
    #[error("the authorization server's answer is not one")]
    Answer,
}

/// Why there is no client at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContextSetupError {
    #[error("the HTTP client cannot be made")]
    Http(#[from] reqwest::Error),
}

#[derive(Serialize)]
struct Body<'a> {
    client_id: &'a str,
    redirect_uri: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'a str>,
    code_challenge: &'a str,
    code_challenge_method: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    login_hint: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    acr_values: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    max_age: Option<u64>,
    resource: &'a str,
    authorization_details: &'a Value,
}

#[derive(Deserialize)]
struct OAuthErrorBody {
    error: String,
}

impl ContextClient {
    /// For these issuers (name and how to ask).
    pub(crate) fn new<'c>(
        issuers: impl IntoIterator<Item = (&'c str, &'c ContextsConfig)>,
    ) -> Result<Self, ContextSetupError> {
        let http = Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(TIMEOUT)
            // A redirect could lead anywhere, and would take the secret along.
            .redirect(redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("sealwright/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let mut endpoints = HashMap::new();
        for (name, config) in issuers {
            let endpoint = Endpoint {
                uri: config.uri.clone(),
                client_id: config.client_id.clone(),
                client_secret: config.client_secret.clone(),
            };
            endpoints.insert(name.to_owned(), endpoint);
        }
        Ok(Self { http, endpoints, limit: RateLimit::default() })
    }

    /// Whether contexts can be asked for from the trusted issuer `name`.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.endpoints.contains_key(name)
    }

    /// Asks the trusted issuer `name` for a context; so often, for a client at an address, as the limit allows.
    pub(crate) async fn ask(
        &self,
        name: &str,
        authentication: &Authentication,
        demand: &Demand,
        peer: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Context, ContextError> {
        let endpoint = self.endpoints.get(name).ok_or(ContextError::Answer)?;
        self.limit
            .take(peer, &authentication.client_id, now)
            .map_err(|wait| ContextError::RateLimited { wait })?;
        let response = self
            .http
            .post(endpoint.uri.clone())
            .basic_auth(
                form_encoded(&endpoint.client_id),
                Some(form_encoded(endpoint.client_secret.expose())),
            )
            .json(&body(authentication, demand))
            .send()
            .await?;
        let status = response.status();
        let answer = bounded(response).await?;
        if status == StatusCode::CREATED {
            let context: Context = serde_json::from_slice(&answer).map_err(|_| ContextError::Answer)?;
            return if is_sound(&context) { Ok(context) } else { Err(ContextError::Answer) };
        }
        // These are about our own registration there: an operator must see that, not the client.
        let ours = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND);
        if !status.is_client_error() || ours {
            return Err(ContextError::Status(status));
        }
        let refusal: Option<OAuthErrorBody> = serde_json::from_slice(&answer).ok();
        let code = refusal.map(|body| body.error).filter(|code| is_code(code));
        Err(ContextError::Refused(code.unwrap_or_else(|| "invalid_request".to_owned())))
    }
}

fn body<'a>(authentication: &'a Authentication, demand: &'a Demand) -> Body<'a> {
    Body {
        client_id: &authentication.client_id,
        redirect_uri: &authentication.redirect_uri,
        state: authentication.state.as_deref(),
        code_challenge: &authentication.code_challenge,
        code_challenge_method: &authentication.code_challenge_method,
        scope: authentication.scope.as_deref(),
        domain: authentication.domain.as_deref(),
        login_hint: authentication.login_hint.as_deref(),
        acr_values: &demand.acr_values,
        max_age: demand.max_age_s,
        resource: &demand.resource,
        authorization_details: &demand.authorization_details,
    }
}

/// RFC 6749 §2.3.1: both halves of the Basic credentials are form-encoded first.
fn form_encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn bounded(mut response: Response) -> Result<Vec<u8>, ContextError> {
    let mut answer = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if answer.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(ContextError::Answer);
        }
        answer.extend_from_slice(&chunk);
    }
    Ok(answer)
}

/// What goes on to the client must be what it seems: the client sends a person to this address.
fn is_sound(context: &Context) -> bool {
    let printable =
        |text: &str| !text.is_empty() && text.len() <= 2048 && text.bytes().all(|b| b.is_ascii_graphic());
    let openable =
        Url::parse(&context.authorize_url).is_ok_and(|url| matches!(url.scheme(), "https" | "http"));
    openable
        && [&context.id, &context.request_uri, &context.authorize_url].into_iter().all(|text| printable(text))
}

fn is_code(code: &str) -> bool {
    !code.is_empty() && code.len() <= 64 && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_a_person_should_not_open_is_no_context() {
        let with = |authorize_url: &str| Context {
            id: "ctx_1".into(),
            request_uri: "urn:ietf:params:oauth:request_uri:x".into(),
            authorize_url: authorize_url.into(),
            expires_in: 300,
        };
        assert!(is_sound(&with("https://id.example.com/oauth2/authorize?client_id=a")));
        for url in
            ["javascript:alert(1)", "", "/oauth2/authorize", "https://id.example.com/\n", "data:text/html,x"]
        {
            assert!(!is_sound(&with(url)), "{url}");
        }
    }
}
