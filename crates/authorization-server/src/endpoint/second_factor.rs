//! `/login/code`: the code of an authenticator app.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::interaction::{PageForm, PageView};
use super::next;
use crate::error::whole_seconds;
use crate::flow::credentials::CredentialError;
use crate::flow::finish::Next;
use crate::flow::login;
use crate::pages::{self, second_factor::CodeProblem};
use crate::state::App;

pub(crate) async fn show(State(app): State<App>, view: PageView) -> Response {
    match login::current(&view.interaction) {
        Next::SecondFactor => {
            pages::second_factor::response(&app, &view.run, &view.interaction, StatusCode::OK, None)
        }
        elsewhere => next::go(&app, &view.run, &elsewhere),
    }
}

pub(crate) async fn submit(State(app): State<App>, form: PageForm) -> Response {
    let PageForm { run, interaction, params } = form;
    if params.get("decision") == Some("cancel") {
        return next::cancel(&app, &run, &interaction).await;
    }
    let again =
        |status, problem| pages::second_factor::response(&app, &run, &interaction, status, Some(problem));
    let Some(code) = params.get("code") else {
        return again(StatusCode::BAD_REQUEST, CodeProblem::Missing);
    };
    match login::second_factor(&app, &interaction, code).await {
        Ok(next) => next::go(&app, &run, &next),
        Err(CredentialError::UsedCode) => again(StatusCode::UNAUTHORIZED, CodeProblem::Used),
        Err(CredentialError::WrongCode | CredentialError::WrongPassword) => {
            again(StatusCode::UNAUTHORIZED, CodeProblem::Wrong)
        }
        Err(CredentialError::Throttled { retry_after }) => {
            let seconds = whole_seconds(retry_after);
            pages::retry_after(
                again(StatusCode::TOO_MANY_REQUESTS, CodeProblem::Throttled { seconds }),
                seconds,
            )
        }
        Err(CredentialError::Busy) => pages::retry_after(
            again(StatusCode::SERVICE_UNAVAILABLE, CodeProblem::Throttled { seconds: 1 }),
            1,
        ),
        Err(CredentialError::Other(error)) => pages::error::response(&error),
    }
}
