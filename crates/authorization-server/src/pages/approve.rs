//! The page that the product exists for: what is about to be done in your name?

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use sealwright_service::clock::Timestamp;

use super::texts::en as t;
use super::{FormState, error, format, page, style};
use crate::domain::acr::Factors;
use crate::domain::authorization_details::{AuthorizationDetails, Document, Purpose};
use crate::domain::authorization_request::AuthorizationRequest;
use crate::domain::client::Client;
use crate::domain::user::User;
use crate::endpoint::interaction::Run;
use crate::endpoint::next;
use crate::state::{App, CODE_LIFETIME};
use crate::store::interaction::{Interaction, Progress};

/// Up to so many documents are shown with their digests open.
const OPEN_DOCUMENTS: usize = 3;

#[derive(Template)]
#[template(path = "approve.html")]
struct ApprovePage<'a> {
    title: &'static str,
    style: String,
    form: FormState<'a>,
    application: &'a str,
    resource: &'a str,
    groups: Vec<DocumentGroup<'a>>,
    scopes: Vec<ScopeView<'a>>,
    person: String,
    username: &'a str,
    certainty: String,
    level: Option<String>,
    until: TimeView,
    then: String,
    approve: String,
    deny: &'static str,
}

/// The documents of one entry of `authorization_details`.
struct DocumentGroup<'a> {
    heading: &'static str,
    worker: Option<&'a str>,
    documents: Vec<DocumentView<'a>>,
}

struct DocumentView<'a> {
    label: &'a str,
    size: String,
    /// In groups of four, so that two people can compare it aloud.
    digest: Vec<String>,
    open: bool,
}

struct ScopeView<'a> {
    name: &'a str,
    description: Option<&'a str>,
}

struct TimeView {
    text: String,
    machine: String,
}

pub(crate) fn response(app: &App, run: &Run, interaction: &Interaction) -> Response {
    let request = &interaction.request;
    let Progress::Approval { subject, factors, auth_time } = &interaction.progress else {
        return error::over();
    };
    // Both may have been taken out of the configuration since.
    let (Some(client), Some(user)) = (app.client(&request.client_id), app.snapshot.users.subject(subject))
    else {
        return error::over();
    };
    let template = ApprovePage {
        form: FormState { action: next::APPROVE, interaction: run.id.expose(), csrf: run.csrf() },
        ..view(app, client, user, request, *factors, *auth_time, interaction.expires_at)
    };
    page(StatusCode::OK, &template, Some(&request.redirect_uri))
}

fn view<'a>(
    app: &App,
    client: &'a Client,
    user: &'a User,
    request: &'a AuthorizationRequest,
    factors: Factors,
    auth_time: Timestamp,
    expires_at: Timestamp,
) -> ApprovePage<'a> {
    let (title, approve, deny) = words(&request.authorization_details);
    let used = match factors {
        Factors::Password => t::FACTOR_PASSWORD,
        Factors::PasswordAndTotp => t::FACTOR_TOTP,
    };
    ApprovePage {
        title,
        style: style::path(),
        form: FormState { action: next::APPROVE, interaction: "", csrf: String::new() },
        application: &client.display_name,
        resource: &request.resource,
        groups: groups(&request.authorization_details),
        scopes: scopes(client, request),
        person: user.display_name(),
        username: &user.declared.username,
        certainty: t::factors_at(used, &format::time(auth_time)),
        level: app.snapshot.acr.reached(factors).map(t::level),
        until: TimeView {
            text: t::decide_by(&format::time(expires_at)),
            machine: format::machine_time(expires_at),
        },
        then: t::then_within((CODE_LIFETIME + app.token_lifetime(client)).as_secs()),
        approve,
        deny,
    }
}

/// Heading and buttons, by what the token would be for.
fn words(details: &AuthorizationDetails) -> (&'static str, String, &'static str) {
    let count = |purpose| {
        let items = details.items().iter().filter(|item| item.purpose == purpose);
        items.map(|item| item.documents.len()).sum::<usize>()
    };
    match (count(Purpose::Sign), count(Purpose::Validate)) {
        (0, 0) => (t::APPROVE_REQUEST, t::ALLOW.to_owned(), t::DONT_ALLOW),
        (n, 0) => (t::APPROVE_SIGNATURE, t::sign(n), t::DONT_SIGN),
        (0, n) => (t::APPROVE_CHECK, t::check(n), t::DONT_CHECK),
        // A signature among checks is still a signature.
        (n, _) => (t::APPROVE_SIGNATURE, t::sign(n), t::DONT_SIGN),
    }
}

fn groups(details: &AuthorizationDetails) -> Vec<DocumentGroup<'_>> {
    let all: usize = details.items().iter().map(|item| item.documents.len()).sum();
    details
        .items()
        .iter()
        .map(|item| DocumentGroup {
            heading: match item.purpose {
                Purpose::Sign => t::TO_SIGN,
                Purpose::Validate => t::TO_CHECK,
            },
            worker: item.credential.as_deref(),
            documents: item.documents.iter().map(|d| document(d, all <= OPEN_DOCUMENTS)).collect(),
        })
        .collect()
}

fn document(document: &Document, open: bool) -> DocumentView<'_> {
    DocumentView {
        label: document.label.as_deref().unwrap_or(t::UNNAMED),
        size: document.size.map_or_else(|| t::SIZE_UNKNOWN.to_owned(), format::size),
        digest: format::groups(&document.digest),
        open,
    }
}

fn scopes<'a>(client: &'a Client, request: &'a AuthorizationRequest) -> Vec<ScopeView<'a>> {
    let described = |name| client.scopes.iter().find(|scope| scope.name == name)?.description.as_deref();
    request.scope.iter().map(|name| ScopeView { name, description: described(name) }).collect()
}
