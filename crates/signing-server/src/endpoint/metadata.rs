//! `GET /.well-known/oauth-protected-resource` (RFC 9728).

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;

use crate::state::App;

/// Where tokens come from and what they may be for.
pub(crate) async fn metadata(State(app): State<App>) -> Response {
    let headers =
        [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=300")];
    (headers, app.metadata.to_json()).into_response()
}
