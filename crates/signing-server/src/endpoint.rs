//! The HTTP interface: wire in, one call, wire out.

mod answer;
mod base64_body;
mod body;
mod challenge;
mod digest;
mod document;
mod metadata;
mod object;
mod question;
mod wire;
mod work;
mod worker;

pub(crate) use document::Document;
pub(crate) use metadata::metadata;
pub(crate) use work::{sign, validate};
pub(crate) use worker::worker;

use axum::response::{IntoResponse, Response};

use crate::problem::Failure;

/// Nothing has this path.
pub(crate) async fn not_found() -> Response {
    Failure::NotFound.into_response()
}

/// Something has this path, for another method.
pub(crate) async fn method_not_allowed() -> Response {
    Failure::MethodNotAllowed.into_response()
}
