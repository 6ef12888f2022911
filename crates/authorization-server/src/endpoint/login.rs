//! `/login`: user name and password.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use sealwright_service::secret::Secret;

use super::interaction::{PageForm, PageView};
use super::next;
use super::peer::Peer;
use crate::error::whole_seconds;
use crate::flow::credentials::CredentialError;
use crate::flow::finish::Next;
use crate::flow::login;
use crate::pages::{self, login::LoginProblem};
use crate::state::App;

pub(crate) async fn show(State(app): State<App>, view: PageView) -> Response {
    match login::current(&view.interaction) {
        Next::Login => {
            let hint = view.interaction.request.login_hint.clone().unwrap_or_default();
            pages::login::response(&app, &view.run, &view.interaction, StatusCode::OK, &hint, None)
        }
        elsewhere => next::go(&app, &view.run, &elsewhere),
    }
}

pub(crate) async fn submit(State(app): State<App>, Peer(address): Peer, form: PageForm) -> Response {
    let PageForm { run, interaction, params } = form;
    if params.get("decision") == Some("cancel") {
        return next::cancel(&app, &run, &interaction).await;
    }
    let username = params.get("username").unwrap_or_default().trim().to_owned();
    let again =
        |status, problem| pages::login::response(&app, &run, &interaction, status, &username, Some(problem));
    if username.is_empty() {
        return again(StatusCode::BAD_REQUEST, LoginProblem::NoUsername);
    }
    let Some(password) = params.get("password").map(Secret::new) else {
        return again(StatusCode::BAD_REQUEST, LoginProblem::NoPassword);
    };
    match login::password(&app, address, &interaction, &username, password).await {
        Ok(next) => next::go(&app, &run, &next),
        Err(CredentialError::Throttled { retry_after }) => {
            let seconds = whole_seconds(retry_after);
            pages::retry_after(
                again(StatusCode::TOO_MANY_REQUESTS, LoginProblem::Throttled { seconds }),
                seconds,
            )
        }
        Err(CredentialError::Busy) => {
            pages::retry_after(again(StatusCode::SERVICE_UNAVAILABLE, LoginProblem::Busy), 1)
        }
        Err(CredentialError::Other(error)) => pages::error::response(&error),
        Err(CredentialError::WrongPassword | CredentialError::WrongCode | CredentialError::UsedCode) => {
            again(StatusCode::UNAUTHORIZED, LoginProblem::Wrong)
        }
    }
}
