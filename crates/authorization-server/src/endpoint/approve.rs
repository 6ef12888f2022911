//! `/approve`: agreeing to what the application asks for.

use axum::extract::State;
use axum::response::Response;

use super::interaction::{PageForm, PageView};
use super::next;
use crate::error::OAuthError;
use crate::flow::approve::{self, Decision};
use crate::flow::finish::Next;
use crate::flow::login;
use crate::pages;
use crate::state::App;

pub(crate) async fn show(State(app): State<App>, view: PageView) -> Response {
    match login::current(&view.interaction) {
        Next::Approval => pages::approve::response(&app, &view.run, &view.interaction),
        elsewhere => next::go(&app, &view.run, &elsewhere),
    }
}

pub(crate) async fn submit(State(app): State<App>, form: PageForm) -> Response {
    let PageForm { run, interaction, params } = form;
    let Some(decision) = params.get("decision").and_then(Decision::parse) else {
        return pages::error::response(&OAuthError::InvalidRequest("decision is missing"));
    };
    match approve::decide(&app, &interaction, decision).await {
        Ok(next) => next::go(&app, &run, &next),
        Err(error) => pages::error::response(&error),
    }
}
