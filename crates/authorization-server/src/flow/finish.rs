//! After the last factor: is it enough, must the person agree, and the code.

use std::time::Duration;

use sealwright_service::clock::Timestamp;

use super::credentials::Failure;
use super::{audit, authorize, login};
use crate::domain::acr::Factors;
use crate::domain::authorization_request::AuthorizationRequest;
use crate::domain::handle::{Handle, HandleHash};
use crate::domain::user::User;
use crate::error::OAuthError;
use crate::state::{App, CODE_LIFETIME};
use crate::store::code::NewCode;
use crate::store::interaction::{self, Interaction};

/// A login for `max_age=0` must happen now; so much time passes for the person to agree.
const LEAST_MAX_AGE: Duration = Duration::from_secs(60);

/// Where a person goes next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Login,
    SecondFactor,
    Approval,
    /// Back to the client; the run is over.
    Client(String),
    /// The run was over already.
    Over,
}

/// Goes on with a person who has used `factors`.
pub(super) async fn authenticated(
    app: &App,
    run: &Interaction,
    user: &User,
    factors: Factors,
) -> Result<Next, OAuthError> {
    let (request, now) = (&run.request, app.now());
    if !app.snapshot.acr.satisfies(factors, &request.acr_values) {
        audit::authentication_failed(app, &request.client_id, user, Failure::UnmetRequirements).await?;
        return refuse(app, &run.id, request, OAuthError::UnmetAuthenticationRequirements).await;
    }
    // First the evidence: without it nobody goes on.
    audit::authenticated(app, &request.client_id, user, factors).await?;
    let mut conn = app.database.writer().acquire().await?;
    if !interaction::authenticated(&mut conn, &run.id, &user.subject, factors, now).await? {
        drop(conn);
        return login::current_now(app, &run.id).await;
    }
    // What follows writes through the same pool, which on SQLite has one connection.
    drop(conn);
    if needs_approval(app, request) {
        return Ok(Next::Approval);
    }
    issue_code(app, run, &user.subject, factors, now).await
}

/// Whether the person has to agree: always to a signature, and to anything where the request or the client's registration
/// says so.
fn needs_approval(app: &App, request: &AuthorizationRequest) -> bool {
    let registered = app.client(&request.client_id).is_none_or(|client| client.requires_consent);
    registered || request.consent || !request.authorization_details.is_empty()
}

/// Ends the run with a code.
pub(super) async fn issue_code(
    app: &App,
    run: &Interaction,
    subject: &str,
    factors: Factors,
    auth_time: Timestamp,
) -> Result<Next, OAuthError> {
    let (request, now) = (&run.request, app.now());
    if let Some(max_age_s) = request.max_age_s
        && now.since(auth_time) > Duration::from_secs(max_age_s).max(LEAST_MAX_AGE)
    {
        let mut conn = app.database.writer().acquire().await?;
        interaction::restart(&mut conn, &run.id).await?;
        return Ok(Next::Login);
    }
    let code = Handle::generate();
    let new = NewCode {
        code: &code.hash(),
        request,
        subject,
        factors,
        auth_time,
        expires_at: now.plus(CODE_LIFETIME),
    };
    let mut tx = app.database.begin_write().await?;
    let ended = interaction::end_with_code(&mut tx, &run.id, &new).await?;
    tx.commit().await?;
    if !ended {
        return Ok(Next::Over);
    }
    audit::code_issued(app, request, subject).await?;
    let mut parameters = vec![("code", code.expose())];
    parameters.extend(request.state.as_deref().map(|state| ("state", state)));
    parameters.push(("iss", app.snapshot.issuer.as_str()));
    Ok(Next::Client(request.redirect_uri.with(&parameters)))
}

/// Ends the run with an error for the client.
pub(super) async fn refuse(
    app: &App,
    id: &HandleHash,
    request: &AuthorizationRequest,
    error: OAuthError,
) -> Result<Next, OAuthError> {
    let mut tx = app.database.begin_write().await?;
    let ended = interaction::end_denied(&mut tx, id).await?;
    tx.commit().await?;
    if !ended {
        return Ok(Next::Over);
    }
    Ok(to_client(app, request, &error))
}

/// Ends a run that has had all its tries for a second factor. One that has moved on meanwhile goes on.
pub(super) async fn refuse_exhausted(app: &App, run: &Interaction) -> Result<Next, OAuthError> {
    let mut tx = app.database.begin_write().await?;
    let ended = interaction::end_exhausted(&mut tx, &run.id).await?;
    tx.commit().await?;
    if !ended {
        return login::current_now(app, &run.id).await;
    }
    Ok(to_client(app, &run.request, &OAuthError::AccessDenied))
}

fn to_client(app: &App, request: &AuthorizationRequest, error: &OAuthError) -> Next {
    let state = request.state.as_deref();
    Next::Client(authorize::error_redirect(app, &request.redirect_uri, state, error))
}
