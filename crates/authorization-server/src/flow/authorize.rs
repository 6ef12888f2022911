//! The authorization endpoint: from a request to the first page.

use std::net::IpAddr;

use super::request::{self, Parameters};
use super::{par, rate};
use crate::domain::handle::Handle;
use crate::domain::redirect_uri::RedirectUri;
use crate::error::OAuthError;
use crate::state::App;
use crate::store::{interaction, pushed_request};

/// A run through the pages that has begun.
pub(crate) struct Begun {
    /// Stands in the pages.
    pub(crate) id: Handle,
    /// Stands in the cookie of the browser that began, and nowhere else.
    pub(crate) secret: Handle,
}

/// Where an error goes.
pub(crate) enum Refused {
    /// To the person: there is no place that we know to be the client's.
    Page(OAuthError),
    /// To the client.
    Redirect { uri: RedirectUri, state: Option<String>, error: OAuthError },
}

impl From<OAuthError> for Refused {
    fn from(error: OAuthError) -> Self {
        Self::Page(error)
    }
}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        Self::Page(error.into())
    }
}

/// Begins a run for a request that is in the address itself, or was pushed before.
pub(crate) async fn begin(
    app: &App,
    address: IpAddr,
    client_id: Option<&str>,
    request_uri: Option<&str>,
    parameters: Parameters,
) -> Result<Begun, Refused> {
    rate::from_address(app, address).await?;
    let client = client_id
        .and_then(|id| app.client(id))
        .ok_or(OAuthError::InvalidRequest("client_id is missing or unknown"))?;
    let until = app.now().plus(app.snapshot.session_expiry);

    let (pushed_id, request) = match request_uri {
        Some(uri) => {
            // RFC 9126 §4: with a request URI everything else in the address is passed over.
            let reference = par::reference(uri).ok_or(OAuthError::InvalidRequestUri)?;
            let mut conn = app.database.writer().acquire().await?;
            let opened =
                pushed_request::open(&mut conn, &reference.hash(), &client.id, app.now(), until).await?;
            let (id, request) = opened.ok_or(OAuthError::InvalidRequestUri)?;
            (Some(id), request)
        }
        None => {
            let uri = request::redirect_uri(client, &parameters)?;
            // A state that is not printable cannot be sent back, so the client gets its error without one.
            let state = request::state(&parameters).unwrap_or_default();
            let request = request::check(app, client, uri.clone(), parameters)
                .map_err(|error| Refused::Redirect { uri, state, error })?;
            (None, request)
        }
    };
    // A pushed request that somebody opened was counted when it was pushed; it opens once.
    if pushed_id.is_none() {
        rate::at_client(app, &client.id)?;
    }
    let begun = Begun { id: Handle::generate(), secret: Handle::generate() };
    let mut conn = app.database.writer().acquire().await?;
    let (id, secret) = (begun.id.hash(), begun.secret.hash());
    interaction::insert(&mut conn, &id, &secret, pushed_id.as_deref(), &request, until).await?;
    Ok(begun)
}

/// The address that takes an error to the client (RFC 6749 §4.1.2.1, RFC 9207).
pub(crate) fn error_redirect(
    app: &App,
    uri: &RedirectUri,
    state: Option<&str>,
    error: &OAuthError,
) -> String {
    let (description, issuer) = (error.description(), app.snapshot.issuer.as_str());
    let mut parameters = vec![("error", error.wire().1), ("error_description", description.as_str())];
    parameters.extend(state.map(|state| ("state", state)));
    parameters.push(("iss", issuer));
    uri.with(&parameters)
}
