//! From the parameters of a request to one that can be shown to a person.

use serde_json::Value;

use crate::domain::authorization_details::AuthorizationDetails;
use crate::domain::authorization_request::AuthorizationRequest;
use crate::domain::client::Client;
use crate::domain::pkce::CodeChallenge;
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::scope::{OPENID, Scopes};
use crate::error::OAuthError;
use crate::state::App;

/// The parameters of an authorization request, wherever they came from; an empty one is an absent one.
#[derive(Default)]
pub(crate) struct Parameters {
    pub(crate) response_type: Option<String>,
    pub(crate) response_mode: Option<String>,
    pub(crate) redirect_uri: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) code_challenge: Option<String>,
    pub(crate) code_challenge_method: Option<String>,
    pub(crate) scope: Option<String>,
    pub(crate) resource: Option<String>,
    pub(crate) authorization_details: Option<Details>,
    pub(crate) domain: Option<String>,
    pub(crate) login_hint: Option<String>,
    pub(crate) acr_values: Vec<String>,
    pub(crate) max_age: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) prompt: Option<String>,
    pub(crate) id_token_hint: Option<String>,
    pub(crate) request: Option<String>,
}

/// `authorization_details`, as a form sends them and as JSON does.
pub(crate) enum Details {
    Text(String),
    Json(Value),
}

/// The redirect URI, if it is registered. It is checked before everything else, since nothing may be sent to any other.
pub(crate) fn redirect_uri(client: &Client, parameters: &Parameters) -> Result<RedirectUri, OAuthError> {
    if !client.uses_codes() {
        return Err(OAuthError::UnauthorizedClient(
            "this client is not registered for the authorization code grant",
        ));
    }
    // Always required: RFC 6749 lets it be left out where one is registered, which invites mistakes.
    let Some(uri) = &parameters.redirect_uri else {
        return Err(OAuthError::InvalidRequest("redirect_uri is missing"));
    };
    RedirectUri::registered(uri, &client.redirect_uris)
        .ok_or(OAuthError::InvalidRequest("redirect_uri is not registered for this client"))
}

/// Checks all that needs no person. `state` is returned with errors too, so it is checked apart: see [`state`].
pub(crate) fn check(
    app: &App,
    client: &Client,
    redirect_uri: RedirectUri,
    parameters: Parameters,
) -> Result<AuthorizationRequest, OAuthError> {
    let state = state(&parameters)?;
    if parameters.request.is_some() {
        return Err(OAuthError::RequestNotSupported);
    }
    match parameters.response_type.as_deref() {
        Some("code") => {}
        Some(_) => return Err(OAuthError::UnsupportedResponseType),
        None => return Err(OAuthError::InvalidRequest("response_type is missing")),
    }
    if parameters.response_mode.is_some_and(|mode| mode != "query") {
        return Err(OAuthError::InvalidRequest("response_mode is not supported; use query"));
    }
    let consent = asks_for_consent(parameters.prompt.as_deref())?;
    // Passed over, it would let anybody log in where one person is meant (OpenID Connect Core 1.0 §3.1.2.1).
    if parameters.id_token_hint.is_some() {
        return Err(OAuthError::InvalidRequest(
            "id_token_hint is not supported; say in login_hint who is meant",
        ));
    }
    let code_challenge =
        code_challenge(&parameters.code_challenge, parameters.code_challenge_method.as_deref())?;
    let scope = scope(client, parameters.scope.as_deref())?;
    let resource = resource(client, parameters.resource)?;
    let authorization_details = match parameters.authorization_details {
        None => AuthorizationDetails::default(),
        Some(Details::Text(text)) => AuthorizationDetails::parse(&text, &client.audiences)?,
        Some(Details::Json(json)) => AuthorizationDetails::check(json, &client.audiences)?,
    };
    let domain = parameters.domain;
    if domain.as_ref().is_some_and(|domain| !app.snapshot.domains.contains_key(domain)) {
        return Err(OAuthError::InvalidRequest("domain is not known here"));
    }
    let login_hint = parameters.login_hint;
    if login_hint.as_ref().is_some_and(|hint| hint.len() > 256 || hint.chars().any(char::is_control)) {
        return Err(OAuthError::InvalidRequest("login_hint is malformed"));
    }
    let acr_values = parameters.acr_values;
    if acr_values.len() > 16 || acr_values.iter().any(|value| value.len() > 256) {
        return Err(OAuthError::InvalidRequest("acr_values are malformed"));
    }
    // RFC 9470 §5: what can never be reached is said at once, not after a login.
    if !acr_values.is_empty() && !app.snapshot.acr.knows_any(&acr_values) {
        return Err(OAuthError::UnmetAuthenticationRequirements);
    }
    let max_age_s = match parameters.max_age {
        None => None,
        Some(text) if text.bytes().all(|b| b.is_ascii_digit()) => {
            Some(text.parse().map_err(|_| OAuthError::InvalidRequest("max_age is malformed"))?)
        }
        Some(_) => return Err(OAuthError::InvalidRequest("max_age is malformed")),
    };
    let nonce = nonce(&scope, parameters.nonce)?;
    Ok(AuthorizationRequest {
        client_id: client.id.clone(),
        redirect_uri,
        state,
        code_challenge,
        scope,
        resource,
        authorization_details,
        domain,
        login_hint,
        acr_values,
        max_age_s,
        consent,
        nonce,
    })
}

/// Whether a request wants the person to be asked, by its `prompt` (OpenID Connect Core 1.0 §3.1.2.1). Every request is
/// answered by a login of its own, so `login` and `select_account` hold already, and there is never a session that could
/// answer without one.
fn asks_for_consent(prompt: Option<&str>) -> Result<bool, OAuthError> {
    let mut consent = false;
    for word in prompt.unwrap_or_default().split(' ') {
        match word {
            "none" => return Err(OAuthError::LoginRequired),
            "consent" => consent = true,
            "login" | "select_account" | "" => {}
            _ => return Err(OAuthError::InvalidRequest("prompt is none, login, select_account or consent")),
        }
    }
    Ok(consent)
}

/// The scopes that a request names, if all are registered. One that names none gets none (RFC 6749 §3.3 leaves that to the
/// server): nobody is to have by leaving a parameter out what they did not ask for.
pub(crate) fn scope(client: &Client, asked: Option<&str>) -> Result<Scopes, OAuthError> {
    let Some(text) = asked else { return Ok(Scopes::default()) };
    Scopes::parse(text).filter(|scopes| client.may_ask_for(scopes)).ok_or(OAuthError::InvalidScope)
}

/// The audience that a request names (RFC 8707 §2), if it is registered; the first one, if it names none.
pub(crate) fn resource(client: &Client, asked: Option<String>) -> Result<String, OAuthError> {
    match asked {
        None => client.audiences.first().cloned().ok_or(OAuthError::InvalidTarget),
        Some(resource) if client.audiences.contains(&resource) => Ok(resource),
        Some(_) => Err(OAuthError::InvalidTarget),
    }
}

/// The `state`, which goes back to the client as it came.
pub(crate) fn state(parameters: &Parameters) -> Result<Option<String>, OAuthError> {
    match &parameters.state {
        // RFC 6749, appendix A.5: printable ASCII.
        Some(state) if state.len() > 1024 || !state.bytes().all(|b| (0x20..=0x7e).contains(&b)) => {
            Err(OAuthError::InvalidRequest("state is malformed"))
        }
        state => Ok(state.clone()),
    }
}

/// The `nonce` for the ID token (OpenID Connect Core 1.0 §3.1.2.1). Where there will be none it means nothing.
fn nonce(scope: &Scopes, asked: Option<String>) -> Result<Option<String>, OAuthError> {
    match asked.filter(|_| scope.contains(OPENID)) {
        Some(nonce) if nonce.len() > 512 || !nonce.bytes().all(|b| (0x20..=0x7e).contains(&b)) => {
            Err(OAuthError::InvalidRequest("nonce is malformed"))
        }
        nonce => Ok(nonce),
    }
}

/// `plain` would show the verifier to whoever sees the request, so it is refused, also as the default that it is.
fn code_challenge(challenge: &Option<String>, method: Option<&str>) -> Result<CodeChallenge, OAuthError> {
    let Some(challenge) = challenge else {
        return Err(OAuthError::InvalidRequest("code_challenge is missing"));
    };
    if method != Some("S256") {
        return Err(OAuthError::InvalidRequest("code_challenge_method is not S256"));
    }
    CodeChallenge::parse(challenge).ok_or(OAuthError::InvalidRequest("code_challenge is malformed"))
}
