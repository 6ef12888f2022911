//! The HTTP interface: wire in, one call, wire out.

mod answer;
mod base64_body;
mod body;
mod challenge;
mod digest;
mod document;
mod metadata;
mod question;
mod wire;
mod work;
mod worker;

pub(crate) use document::Document;
pub(crate) use metadata::metadata;
pub(crate) use work::{sign, validate};
pub(crate) use worker::worker;

use axum::{
    extract::{Path, rejection::PathRejection},
    response::{IntoResponse, Response},
};

use crate::problem::Failure;

/// The name in a path; one that cannot be decoded, such as `%ff`, is the empty one, which no worker has.
fn name(path: Result<Path<String>, PathRejection>) -> String {
    path.map(|Path(name)| name).unwrap_or_default()
}

/// Nothing has this path.
pub(crate) async fn not_found() -> Response {
    Failure::NotFound.into_response()
}

/// Something has this path, for another method.
pub(crate) async fn method_not_allowed() -> Response {
    Failure::MethodNotAllowed.into_response()
}
