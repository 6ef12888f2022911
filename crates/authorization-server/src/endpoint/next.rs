//! From one page to the next.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use super::interaction::Run;
use crate::flow::finish::Next;
use crate::flow::login;
use crate::pages;
use crate::state::App;
use crate::store::interaction::Interaction;

pub(crate) const LOGIN: &str = "/login";
pub(crate) const SECOND_FACTOR: &str = "/login/code";
pub(crate) const APPROVE: &str = "/approve";

/// Sends a browser where its run goes on.
pub(crate) fn go(app: &App, run: &Run, next: &Next) -> Response {
    match next {
        Next::Login => see_other(&run.at(LOGIN)),
        Next::SecondFactor => see_other(&run.at(SECOND_FACTOR)),
        Next::Approval => see_other(&run.at(APPROVE)),
        Next::Client(address) => {
            let mut response = see_other(address);
            response.headers_mut().append(header::SET_COOKIE, run.end_cookie(app));
            response
        }
        Next::Over => pages::error::over(),
    }
}

/// Ends a run as the person wishes.
pub(crate) async fn cancel(app: &App, run: &Run, interaction: &Interaction) -> Response {
    match login::cancel(app, interaction).await {
        Ok(next) => go(app, run, &next),
        Err(error) => pages::error::response(&error),
    }
}

/// 303, so that a browser never sends a form on to the next address (RFC 9700 §4.12).
pub(crate) fn see_other(address: &str) -> Response {
    match HeaderValue::try_from(address) {
        Ok(location) => (
            StatusCode::SEE_OTHER,
            [
                (header::LOCATION, location),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
                (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            ],
        )
            .into_response(),
        // Registered URIs are ASCII and all else is encoded, so this is a fault of ours.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
