//! The style sheet of the pages.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};

use crate::pages::style;

/// `GET /assets/{name}`. The name changes with the content, so browsers may keep it for good.
pub(crate) async fn asset(Path(name): Path<String>) -> Response {
    if name != style::file_name() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, style::CSS).into_response()
}
