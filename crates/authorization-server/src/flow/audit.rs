//! What the audit log says about people and clients. Never a password, code, token or secret.

use http::StatusCode;
use sealwright_audit::Entry;
use serde_json::{Map, Value, json};

use super::credentials::Failure;
use super::id_token::IdToken;
use crate::domain::acr::Factors;
use crate::domain::authorization_details::AuthorizationDetails;
use crate::domain::authorization_request::AuthorizationRequest;
use crate::domain::client::{Client, ClientAuthentication};
use crate::domain::user::User;
use crate::error::OAuthError;
use crate::state::App;

/// Refusals of people and programs that nobody has authenticated; they are counted, not listed.
pub(crate) mod refusal {
    pub(crate) const AUTHORIZE: &str = "authorize.request";
    pub(crate) const PUSHED_REQUEST: &str = "par.request";
    pub(crate) const CONTEXT: &str = "context.request";
    pub(crate) const CLIENT: &str = "client.authentication";
    pub(crate) const PASSWORD: &str = "login.password";
    pub(crate) const THROTTLED: &str = "login.throttled";
    pub(crate) const PAGE: &str = "page.request";
    pub(crate) const CONTINUATION: &str = "login.continuation";
    pub(crate) const TOKEN_REQUEST: &str = "token.request";
    pub(crate) const GRANT: &str = "token.grant";
    pub(crate) const RATE: &str = "rate.limit";
    pub(crate) const ADMIN: &str = "admin.token";
}

/// Appends; the entry is durable when this returns.
async fn append(
    app: &App,
    event: &'static str,
    subject: Option<&str>,
    details: Value,
) -> Result<(), OAuthError> {
    let entry = Entry { event, operation: None, subject: subject.map(str::to_owned), details };
    app.audit.append(entry).await?;
    Ok(())
}

pub(crate) async fn authenticated(
    app: &App,
    client_id: &str,
    user: &User,
    factors: Factors,
) -> Result<(), OAuthError> {
    let details = json!({
        "client_id": client_id, "username": user.declared.username, "domain": user.declared.domain,
        "amr": factors.amr(), "acr": app.snapshot.acr.reached(factors),
    });
    append(app, "authentication.succeeded", Some(&user.subject), details).await
}

/// For people whose password was right: a stranger's failure is only counted.
pub(crate) async fn authentication_failed(
    app: &App,
    client_id: &str,
    user: &User,
    failure: Failure,
) -> Result<(), OAuthError> {
    let details = json!({
        "client_id": client_id, "username": user.declared.username, "reason": failure.reason(),
    });
    append(app, "authentication.failed", Some(&user.subject), details).await
}

pub(crate) async fn denied(
    app: &App,
    request: &AuthorizationRequest,
    subject: &str,
) -> Result<(), OAuthError> {
    append(app, "authorization.denied", Some(subject), grant(request)).await
}

pub(crate) async fn code_issued(
    app: &App,
    request: &AuthorizationRequest,
    subject: &str,
) -> Result<(), OAuthError> {
    append(app, "code.issued", Some(subject), grant(request)).await
}

/// A code that was shown with the wrong redirect URI, verifier or resource, and is used up by that.
pub(crate) async fn code_refused(
    app: &App,
    request: &AuthorizationRequest,
    subject: &str,
    reason: &'static str,
) -> Result<(), OAuthError> {
    let details = json!({"client_id": request.client_id, "reason": reason});
    append(app, "code.refused", Some(subject), details).await
}

/// A code that was shown again: the token that it gave may be in the wrong hands.
pub(crate) async fn code_replayed(
    app: &App,
    presented_by: &str,
    replay: &crate::store::code::Replay,
) -> Result<(), OAuthError> {
    let details = json!({"client_id": replay.client_id, "presented_by": presented_by, "jti": replay.jti});
    append(app, "code.replayed", Some(&replay.subject), details).await
}

pub(crate) async fn context_created(
    app: &App,
    id: &str,
    backend_id: &str,
    request: &AuthorizationRequest,
) -> Result<(), OAuthError> {
    let mut details = grant_map(request);
    details.insert("context".into(), id.into());
    details.insert("backend".into(), backend_id.into());
    append(app, "context.created", None, Value::Object(details)).await
}

/// A refusal of a client that showed its secret is an entry; any other, and those beyond so many a minute, are counted
/// as `kind`: what a backend passes on may be a stranger's words, who must not be able to fill the log with them.
///
/// Returns what the client is to be told.
pub(crate) async fn client_refused(
    app: &App,
    client: &Client,
    event: &'static str,
    kind: &'static str,
    error: OAuthError,
) -> OAuthError {
    let (status, code) = error.wire();
    let proved = !matches!(client.authentication, ClientAuthentication::None);
    // Too many requests are many; our own faults are nobody's refusal.
    let is_refusal = status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS;
    if !(proved && is_refusal && app.refusal_entries.take(&client.id, app.now()).is_ok()) {
        app.audit.count_refusal(kind);
        return error;
    }
    let details = json!({"client_id": client.id, "error": code, "reason": error.description()});
    match append(app, event, None, details).await {
        Ok(()) => error,
        Err(unwritten) => unwritten,
    }
}

/// What is said of a token.
pub(crate) struct TokenIssued<'a> {
    pub(crate) jti: &'a str,
    pub(crate) kid: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) expires_at_s: i64,
    pub(crate) details: &'a AuthorizationDetails,
    /// `authorization_code`, `client_credentials` or `json_login`.
    pub(crate) grant: &'static str,
    /// The ID token beside it.
    pub(crate) id_token: Option<&'a IdToken>,
}

pub(crate) async fn token_issued(
    app: &App,
    subject: &str,
    issued: TokenIssued<'_>,
) -> Result<(), OAuthError> {
    let mut details = json!({
        "jti": issued.jti, "kid": issued.kid, "client_id": issued.client_id, "aud": issued.audience,
        "exp": issued.expires_at_s, "grant": issued.grant,
    });
    if !issued.details.is_empty() {
        details["documents"] = documents(issued.details);
    }
    if let Some(id_token) = issued.id_token {
        details["openid"] = json!({"kid": id_token.kid, "exp": id_token.expires_at_s});
    }
    append(app, "token.issued", Some(subject), details).await
}

fn grant(request: &AuthorizationRequest) -> Value {
    Value::Object(grant_map(request))
}

fn grant_map(request: &AuthorizationRequest) -> Map<String, Value> {
    let mut details = Map::new();
    details.insert("client_id".into(), request.client_id.as_str().into());
    details.insert("resource".into(), request.resource.as_str().into());
    if !request.scope.is_empty() {
        details.insert("scope".into(), request.scope.to_text().into());
    }
    if !request.authorization_details.is_empty() {
        details.insert("documents".into(), documents(&request.authorization_details));
    }
    details
}

/// The digests of all documents, in base64 as in the request.
fn documents(details: &AuthorizationDetails) -> Value {
    let all = details.items().iter().flat_map(|item| &item.documents);
    all.map(|document| Value::String(base64_simd::STANDARD.encode_to_string(&document.digest))).collect()
}
