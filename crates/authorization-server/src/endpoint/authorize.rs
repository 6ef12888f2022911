//! `/oauth2/authorize` (RFC 6749 §3.1, OpenID Connect Core 1.0 §3.1.2.1).

use std::net::IpAddr;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::Method;

use super::interaction::Run;
use super::next;
use super::params::Params;
use super::peer::Peer;
use crate::error::OAuthError;
use crate::flow::audit::refusal;
use crate::flow::authorize::{self, Refused};
use crate::flow::finish::Next;
use crate::pages;
use crate::state::App;

/// The longest query.
const MAX_QUERY_BYTES: usize = 32 * 1024;

/// `GET`: begins a run through the pages: a cookie, and the way to the first page.
pub(crate) async fn authorize(
    State(app): State<App>,
    Peer(address): Peer,
    method: Method,
    RawQuery(query): RawQuery,
) -> Response {
    if method == Method::HEAD {
        // A look at the headers must not use up a request URI.
        return ([(http::header::ALLOW, "GET, POST")], OAuthError::Method).into_response();
    }
    let query = query.unwrap_or_default();
    let params = match query.len() {
        0..=MAX_QUERY_BYTES => Params::parse(query.as_bytes()),
        _ => Err(OAuthError::InvalidRequest("the address is too long; push the request instead")),
    };
    answer(&app, address, params).await
}

/// `POST`: the same, with the parameters in a form.
pub(crate) async fn authorize_by_form(
    State(app): State<App>,
    Peer(address): Peer,
    RawQuery(query): RawQuery,
    params: Result<Params, OAuthError>,
) -> Response {
    let params = match query {
        // So that no parameter stands there twice.
        Some(query) if !query.is_empty() => {
            Err(OAuthError::InvalidRequest("the parameters stand in the form alone, not in the address too"))
        }
        _ => params,
    };
    answer(&app, address, params).await
}

async fn answer(app: &App, address: IpAddr, params: Result<Params, OAuthError>) -> Response {
    match begin(app, address, params).await {
        Ok(begun) => {
            let run = Run { id: begun.id, secret: begun.secret };
            let mut response = next::go(app, &run, &Next::Login);
            response.headers_mut().append(http::header::SET_COOKIE, run.cookie(app));
            response
        }
        Err(refused) => {
            app.audit.count_refusal(refusal::AUTHORIZE);
            match refused {
                Refused::Page(error) => pages::error::response(&error),
                Refused::Redirect { uri, state, error } => {
                    error.log();
                    next::see_other(&authorize::error_redirect(app, &uri, state.as_deref(), &error))
                }
            }
        }
    }
}

async fn begin(
    app: &App,
    address: IpAddr,
    params: Result<Params, OAuthError>,
) -> Result<authorize::Begun, Refused> {
    let params = params?;
    let (client_id, request_uri) = (params.get("client_id"), params.get("request_uri"));
    authorize::begin(app, address, client_id, request_uri, params.authorization()).await
}
