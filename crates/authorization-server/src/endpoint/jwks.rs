//! The public keys (RFC 7517).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::state::App;

/// `GET /oauth2/jwks` and `/.well-known/jwks.json`: made when the keys changed, not now.
pub(crate) async fn jwks(State(app): State<App>, headers: HeaderMap) -> Response {
    let keys = app.keys.snapshot();
    let set = &keys.set;
    let shared = [
        (header::ETAG, set.etag.clone()),
        (header::CACHE_CONTROL, set.cache_control.clone()),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    ];
    if is_known(&headers, set.etag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, shared).into_response();
    }
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"))];
    (shared, kind, set.body.clone()).into_response()
}

/// RFC 9110 §13.1.2; for GET the comparison is the weak one.
fn is_known(headers: &HeaderMap, etag: &[u8]) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).as_bytes() == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_of_several_tags_is_enough() {
        let known = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, HeaderValue::try_from(value).unwrap());
            is_known(&headers, b"\"a\"")
        };
        assert!(known("\"a\""));
        assert!(known("W/\"a\""));
        assert!(known("\"b\", \"a\""));
        assert!(known("*"));
        assert!(!known("\"b\""));
        assert!(!known("a"));
    }
}
