//! Problem documents (RFC 9457): what a machine and a person read when a request was refused.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value};

/// The URI that `code` is appended to for a problem's `type`.
const TYPE_BASE: &str = "https://sealwright.dev/problems/";

/// `application/problem+json` with `type`, `title`, `status`, `code`, and on demand `detail` and extension members.
///
/// The `code` is stable and what programs compare; `title` is the same for every occurrence of a code (RFC 9457 §3.1.3);
/// `detail` speaks of this occurrence, and must hold nothing that the client may not know. The answer is never cached.
///
/// # Examples
///
/// ```
/// use http::StatusCode;
/// use sealwright_service::problem::Problem;
///
/// let problem = Problem::new(StatusCode::NOT_FOUND, "worker_unknown", "There is no such worker")
///     .detail("no worker is called `contracs`")
///     .with("worker", "contracs".into());
/// assert_eq!(
///     problem.to_json(),
///     serde_json::json!({
///         "type": "https://sealwright.dev/problems/worker_unknown",
///         "title": "There is no such worker",
///         "status": 404,
///         "code": "worker_unknown",
///         "detail": "no worker is called `contracs`",
///         "worker": "contracs",
///     })
/// );
/// ```
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: Option<String>,
    extensions: Map<String, Value>,
}

impl Problem {
    /// A problem without detail and extensions.
    pub fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        Self { status, code, title, detail: None, extensions: Map::new() }
    }

    /// The same with a sentence about this occurrence.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same with an extension member (RFC 9457 §3.2); the members that every problem has cannot be replaced.
    #[must_use]
    pub fn with(mut self, member: &'static str, value: Value) -> Self {
        self.extensions.insert(member.to_owned(), value);
        self
    }

    /// The HTTP status, also in the document.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The document.
    pub fn to_json(&self) -> Value {
        let mut document = self.extensions.clone();
        document.insert("type".to_owned(), format!("{TYPE_BASE}{}", self.code).into());
        document.insert("title".to_owned(), self.title.into());
        document.insert("status".to_owned(), self.status.as_u16().into());
        document.insert("code".to_owned(), self.code.into());
        if let Some(detail) = &self.detail {
            document.insert("detail".to_owned(), detail.as_str().into());
        }
        Value::Object(document)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        (self.status, headers, self.to_json().to_string()).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn the_answer_is_problem_json_and_never_cached() {
        let response =
            Problem::new(StatusCode::CONFLICT, "token_replayed", "The token was used before").into_response();
        assert_eq!(response.status(), 409);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "type": "https://sealwright.dev/problems/token_replayed",
                "title": "The token was used before",
                "status": 409,
                "code": "token_replayed",
            })
        );
    }

    #[test]
    fn an_extension_cannot_replace_the_code() {
        let problem = Problem::new(StatusCode::FORBIDDEN, "claim_missing", "…").with("code", "ok".into());
        assert_eq!(problem.to_json()["code"], "claim_missing");
    }
}
