//! The first page: who are you?

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
pub(crate) enum LoginProblem {
    NoUsername,
    NoPassword,
    /// User name or password; which of them is not said.
    Wrong,
    Throttled {
        seconds: u64,
    },
    Busy,
}

impl LoginProblem {
    fn error(&self) -> FieldError {
        match self {
            Self::NoUsername => FieldError { field: "username", message: t::NO_USERNAME.to_owned() },
            Self::NoPassword => FieldError { field: "password", message: t::NO_PASSWORD.to_owned() },
            Self::Wrong => FieldError { field: "password", message: t::WRONG_PASSWORD.to_owned() },
            Self::Throttled { seconds } => FieldError { field: "password", message: t::throttled(*seconds) },
            Self::Busy => FieldError { field: "password", message: t::BUSY.to_owned() },
        }
    }
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    title: String,
    style: String,
    form: FormState<'a>,
    domain: Option<String>,
    username: &'a str,
    error: Option<FieldError>,
}

impl LoginPage<'_> {
    fn error_at(&self, field: &str) -> Option<&str> {
        self.error.as_ref().filter(|error| error.field == field).map(|error| error.message.as_str())
    }
}

pub(crate) fn response(
    app: &App,
    run: &Run,
    interaction: &Interaction,
    status: StatusCode,
    username: &str,
    problem: Option<LoginProblem>,
) -> Response {
    let request = &interaction.request;
    let application = app.client(&request.client_id).map_or(request.client_id.as_str(), |c| &c.display_name);
    let domain = request.domain.as_ref().and_then(|name| app.snapshot.domains.get(name));
    let template = LoginPage {
        title: t::sign_in_to(application),
        style: style::path(),
        form: FormState { action: next::LOGIN, interaction: run.id.expose(), csrf: run.csrf() },
        domain: domain.map(|domain| t::for_domain(domain)),
        username,
        error: problem.map(|problem| problem.error()),
    };
    page(status, &template, Some(&request.redirect_uri))
}
