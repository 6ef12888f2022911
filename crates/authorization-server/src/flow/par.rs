//! Pushed authorization requests (RFC 9126).

use super::rate;
use super::request::{self, Parameters};
use crate::domain::authorization_request::AuthorizationRequest;
use crate::domain::client::{Client, ClientAuthentication};
use crate::domain::handle::Handle;
use crate::error::OAuthError;
use crate::state::{App, REQUEST_URI_LIFETIME};
use crate::store::pushed_request::{self, NewPushedRequest};

/// What a request URI begins with (RFC 9126 §2.2).
const URI_PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// A request that was accepted, and the URI that stands for it.
pub(crate) struct Pushed {
    pub(crate) request_uri: String,
    pub(crate) expires_in_s: u64,
}

/// Checks a client's request and keeps it.
pub(crate) async fn push(app: &App, client: &Client, parameters: Parameters) -> Result<Pushed, OAuthError> {
    let redirect_uri = request::redirect_uri(client, &parameters)?;
    let request = request::check(app, client, redirect_uri, parameters)?;
    if let ClientAuthentication::None = client.authentication {
        rate::at_client(app, &client.id)?;
    }
    keep(app, &sealwright_service::random::id("par_"), None, &request).await
}

/// Keeps a request that was checked.
pub(super) async fn keep(
    app: &App,
    id: &str,
    backend_id: Option<&str>,
    request: &AuthorizationRequest,
) -> Result<Pushed, OAuthError> {
    let handle = Handle::generate();
    let new = NewPushedRequest {
        id,
        uri: &handle.hash(),
        backend_id,
        request,
        expires_at: app.now().plus(REQUEST_URI_LIFETIME),
    };
    let mut conn = app.database.writer().acquire().await?;
    pushed_request::insert(&mut conn, new).await?;
    Ok(Pushed {
        request_uri: format!("{URI_PREFIX}{}", handle.expose()),
        expires_in_s: REQUEST_URI_LIFETIME.as_secs(),
    })
}

/// The reference inside a request URI; `None` when no URI of ours looks like that.
pub(super) fn reference(request_uri: &str) -> Option<Handle> {
    request_uri.strip_prefix(URI_PREFIX).and_then(Handle::parse)
}
