//! Authentication contexts: a pushed request that a backend makes in the name of a client.

use std::time::Duration;

use super::request::{self, Parameters};
use super::{audit, par, rate};
use crate::domain::client::Client;
use crate::error::OAuthError;
use crate::state::App;
use crate::store::pushed_request::{self, State};

/// A context that was made.
pub(crate) struct Context {
    pub(crate) id: String,
    pub(crate) request_uri: String,
    pub(crate) authorize_url: String,
    pub(crate) expires_in_s: u64,
}

/// Makes a context for the client `client_id`, if its registration names `backend`.
pub(crate) async fn create(
    app: &App,
    backend: &Client,
    client_id: &str,
    parameters: Parameters,
) -> Result<Context, OAuthError> {
    // One answer for a client that does not exist and one that does not name this backend: a backend is not to find
    // out who else is registered.
    let client = app.client(client_id).filter(|client| client.contexts_from.contains(&backend.id)).ok_or(
        OAuthError::UnauthorizedClient(
            "client_id does not name a client that accepts contexts from this backend",
        ),
    )?;
    rate::contexts(app, &backend.id, &client.id).await?;
    let redirect_uri = request::redirect_uri(client, &parameters)?;
    let request = request::check(app, client, redirect_uri, parameters)?;

    let id = sealwright_service::random::id("ctx_");
    let pushed = par::keep(app, &id, Some(&backend.id), &request).await?;
    audit::context_created(app, &id, &backend.id, &request).await?;
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", &client.id)
        .append_pair("request_uri", &pushed.request_uri)
        .finish();
    Ok(Context {
        id,
        authorize_url: app.snapshot.issuer.at(&format!("/oauth2/authorize?{query}")),
        request_uri: pushed.request_uri,
        expires_in_s: pushed.expires_in_s,
    })
}

/// How a context stands.
pub(crate) struct Standing {
    pub(crate) state: &'static str,
    pub(crate) expires_in_s: u64,
}

/// How the context `id` stands, for the backend that made it.
pub(crate) async fn standing(app: &App, backend: &Client, id: &str) -> Result<Standing, OAuthError> {
    let mut conn = app.database.reader().acquire().await?;
    let found = pushed_request::context_state(&mut conn, id, &backend.id).await?;
    let (state, expires_at) = found.ok_or(OAuthError::NotFound)?;
    let left = expires_at.since(app.now());
    let state = match state {
        State::Pending if left == Duration::ZERO => "expired",
        State::Pending => "pending",
        State::Authenticated => "authenticated",
        State::Denied => "denied",
    };
    Ok(Standing { state, expires_in_s: left.as_secs() })
}
