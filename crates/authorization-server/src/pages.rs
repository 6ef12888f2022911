//! What people see. Rendered here, usable without scripts; all text comes from one catalogue.

pub(crate) mod approve;
pub(crate) mod error;
mod format;
pub(crate) mod keys;
pub(crate) mod login;
pub(crate) mod second_factor;
pub(crate) mod style;
mod texts;

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::domain::redirect_uri::RedirectUri;

/// An error beside a field, repeated in the summary on top.
pub(crate) struct FieldError {
    /// The `id` of the field.
    field: &'static str,
    message: String,
}

/// What every form carries: which run it belongs to, and that it comes from our page.
struct FormState<'a> {
    action: &'static str,
    interaction: &'a str,
    csrf: String,
}

/// Renders a page. `leads_to` is where a form of the page may end: browsers apply `form-action` to the redirect that
/// answers a form, too.
fn page(status: StatusCode, template: &impl Template, leads_to: Option<&RedirectUri>) -> Response {
    let html = match template.render() {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let leads_to = leads_to.map(|uri| format!(" {}", uri.csp_source())).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src 'self'; form-action 'self'{leads_to}; base-uri 'none'; frame-ancestors 'none'"
    );
    let fixed = |text| HeaderValue::from_static(text);
    let policy = HeaderValue::try_from(policy).unwrap_or(fixed("default-src 'none'; frame-ancestors 'none'"));
    let headers: [(HeaderName, HeaderValue); 6] = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, fixed("no-referrer")),
        (header::CACHE_CONTROL, fixed("no-store")),
        (header::X_FRAME_OPTIONS, fixed("DENY")),
        (HeaderName::from_static("cross-origin-opener-policy"), fixed("same-origin")),
        (HeaderName::from_static("permissions-policy"), fixed("camera=(), geolocation=(), microphone=()")),
    ];
    (status, headers, Html(html)).into_response()
}

/// Says when to come back.
pub(crate) fn retry_after(mut response: Response, seconds: u64) -> Response {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}
