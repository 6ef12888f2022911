//! The second page: the code of an authenticator app.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use super::texts::en as t;
use super::{FieldError, FormState, page, style};
use crate::endpoint::interaction::Run;
use crate::endpoint::next;
use crate::state::App;
use crate::store::interaction::Interaction;

/// Why the page is shown again.
pub(crate) enum CodeProblem {
    Missing,
    Wrong,
    Used,
    Throttled { seconds: u64 },
}

impl CodeProblem {
    fn error(&self) -> FieldError {
        let message = match self {
            Self::Missing => t::NO_CODE.to_owned(),
            Self::Wrong => t::WRONG_CODE.to_owned(),
            Self::Used => t::USED_CODE.to_owned(),
            Self::Throttled { seconds } => t::throttled(*seconds),
        };
        FieldError { field: "code", message }
    }
}

#[derive(Template)]
#[template(path = "second_factor.html")]
struct SecondFactorPage<'a> {
    title: String,
    style: String,
    form: FormState<'a>,
    application: String,
    error: Option<FieldError>,
}

impl SecondFactorPage<'_> {
    fn error_at(&self, field: &str) -> Option<&str> {
        self.error.as_ref().filter(|error| error.field == field).map(|error| error.message.as_str())
    }
}

pub(crate) fn response(
    app: &App,
    run: &Run,
    interaction: &Interaction,
    status: StatusCode,
    problem: Option<CodeProblem>,
) -> Response {
    let request = &interaction.request;
    let application = app.client(&request.client_id).map_or(request.client_id.as_str(), |c| &c.display_name);
    let template = SecondFactorPage {
        title: t::ENTER_CODE.to_owned(),
        style: style::path(),
        form: FormState { action: next::SECOND_FACTOR, interaction: run.id.expose(), csrf: run.csrf() },
        application: t::sign_in_to(application),
        error: problem.map(|problem| problem.error()),
    };
    page(status, &template, Some(&request.redirect_uri))
}
