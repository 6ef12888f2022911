//! `GET /oauth2/authorize` (RFC 6749 §3.1).

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

/// Begins a run through the pages: a cookie, and the way to the first page.
pub(crate) async fn authorize(
    State(app): State<App>,
    Peer(address): Peer,
    method: Method,
    RawQuery(query): RawQuery,
) -> Response {
    if method == Method::HEAD {
        // A look at the headers must not use up a request URI.
        return ([(http::header::ALLOW, "GET")], OAuthError::Method).into_response();
    }
    match begin(&app, address, query.as_deref().unwrap_or_default()).await {
        Ok(begun) => {
            let run = Run { id: begun.id, secret: begun.secret };
            let mut response = next::go(&app, &run, &Next::Login);
            response.headers_mut().append(http::header::SET_COOKIE, run.cookie(&app));
            response
        }
        Err(refused) => {
            app.audit.count_refusal(refusal::AUTHORIZE);
            match refused {
                Refused::Page(error) => pages::error::response(&error),
                Refused::Redirect { uri, state, error } => {
                    error.log();
                    next::see_other(&authorize::error_redirect(&app, &uri, state.as_deref(), &error))
                }
            }
        }
    }
}

async fn begin(app: &App, address: std::net::IpAddr, query: &str) -> Result<authorize::Begun, Refused> {
    if query.len() > 32 * 1024 {
        return Err(OAuthError::InvalidRequest("the address is too long; push the request instead").into());
    }
    let params = Params::parse(query.as_bytes())?;
    let (client_id, request_uri) = (params.get("client_id"), params.get("request_uri"));
    authorize::begin(app, address, client_id, request_uri, params.authorization()).await
}
