//! Pages for when it cannot go on: what to do, and what to tell whoever runs the application.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use super::texts::en as t;
use super::{page, retry_after, style};
use crate::endpoint::console;
use crate::error::OAuthError;

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    title: &'a str,
    style: String,
    help: &'a str,
    /// For the operator of the application: the error's code, and what it means.
    detail: Option<(&'a str, String)>,
    /// Where to go from here, and what the link says.
    way_on: Option<(&'a str, &'a str)>,
}

/// An error that nobody but the person can be told.
pub(crate) fn response(error: &OAuthError) -> Response {
    error.log();
    let (status, code) = error.wire();
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            let response = show(status, t::TRY_LATER, t::TRY_LATER_HELP, None);
            retry_after(response, error.retry_after_s().unwrap_or(1))
        }
        StatusCode::INTERNAL_SERVER_ERROR => show(status, t::FAILED, t::FAILED_HELP, None),
        _ => show(status, t::LINK_BROKEN, t::LINK_BROKEN_HELP, Some((code, error.description()))),
    }
}

/// The run is finished, expired or was never there.
pub(crate) fn over() -> Response {
    show(StatusCode::GONE, t::OVER, t::OVER_HELP, None)
}

/// The run exists, but not in this browser.
pub(crate) fn other_browser() -> Response {
    show(StatusCode::FORBIDDEN, t::OTHER_BROWSER, t::OTHER_BROWSER_HELP, None)
}

/// Signed in, but not somebody who may.
pub(crate) fn not_permitted() -> Response {
    let help = t::NOT_PERMITTED_HELP;
    out_of_console(StatusCode::FORBIDDEN, t::NOT_PERMITTED, help, t::AS_SOMEBODY_ELSE)
}

/// Nobody administers this server in a browser.
pub(crate) fn no_console() -> Response {
    show(StatusCode::NOT_FOUND, t::NO_CONSOLE, t::NO_CONSOLE_HELP, None)
}

/// The session in the console was ended by its owner.
pub(crate) fn signed_out() -> Response {
    out_of_console(StatusCode::OK, t::SIGNED_OUT, t::SIGNED_OUT_HELP, t::SIGN_IN_AGAIN)
}

fn out_of_console(status: StatusCode, title: &str, help: &str, again: &str) -> Response {
    let way_on = Some((console::SIGN_IN, again));
    page(status, &ErrorPage { title, style: style::path(), help, detail: None, way_on }, None)
}

/// A fault of ours, which the log has.
pub(crate) fn failed() -> Response {
    show(StatusCode::INTERNAL_SERVER_ERROR, t::FAILED, t::FAILED_HELP, None)
}

/// A form that is not from our page.
pub(crate) fn foreign() -> Response {
    show(StatusCode::FORBIDDEN, t::FOREIGN, t::FOREIGN_HELP, None)
}

pub(super) fn show(status: StatusCode, title: &str, help: &str, detail: Option<(&str, String)>) -> Response {
    page(status, &ErrorPage { title, style: style::path(), help, detail, way_on: None }, None)
}
