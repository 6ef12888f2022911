//! The pages on which people show who they are.

use std::net::IpAddr;

use sealwright_service::secret::Secret;

use super::credentials::{self, CredentialError};
use super::finish::{self, Next};
use crate::domain::acr::Factors;
use crate::domain::handle::HandleHash;
use crate::error::OAuthError;
use crate::state::App;
use crate::store::interaction::{self, Interaction, Progress, Try};

/// The first page: user name and password.
pub(crate) async fn password(
    app: &App,
    address: IpAddr,
    run: &Interaction,
    username: &str,
    password: Secret,
) -> Result<Next, CredentialError> {
    if run.progress != Progress::Login {
        return Ok(current(run));
    }
    let domain = run.request.domain.as_deref();
    let user = credentials::check_password(app, address, username, password, domain).await?;
    if user.declared.totp.is_none() {
        return Ok(finish::authenticated(app, run, &user, Factors::Password).await?);
    }
    let mut conn = app.database.writer().acquire().await?;
    match interaction::await_second_factor(&mut conn, &run.id, &user.subject).await? {
        true => Ok(Next::SecondFactor),
        false => {
            drop(conn);
            Ok(current_now(app, &run.id).await?)
        }
    }
}

/// The second page: the code of an authenticator app.
pub(crate) async fn second_factor(app: &App, run: &Interaction, code: &str) -> Result<Next, CredentialError> {
    // A double click: the second waits here and then finds where the first has led.
    let _turn = app.turns.take(&run.id).await;
    let Some(run) = &reload(app, &run.id).await? else { return Ok(Next::Over) };
    let Progress::SecondFactor { subject } = &run.progress else { return Ok(current(run)) };
    // Somebody may have been taken out of the configuration between the two pages.
    let Some(user) = app.snapshot.users.subject(subject) else { return Ok(Next::Over) };
    // The throttle comes first: being told to wait costs no try.
    let attempt = credentials::code_attempt(app, user).await?;
    let mut conn = app.database.writer().acquire().await?;
    let took = interaction::take_try(&mut conn, &run.id).await?;
    drop(conn);
    match took {
        Try::Taken => {}
        Try::NoneLeft => return Ok(finish::refuse_exhausted(app, run).await?),
        Try::Elsewhere => return Ok(current_now(app, &run.id).await?),
    }
    credentials::check_code(app, &run.request.client_id, user, attempt, code).await?;
    Ok(finish::authenticated(app, run, user, Factors::PasswordAndTotp).await?)
}

/// The person goes back to the application.
pub(crate) async fn cancel(app: &App, run: &Interaction) -> Result<Next, OAuthError> {
    finish::refuse(app, &run.id, &run.request, OAuthError::AccessDenied).await
}

/// The page that a run is at.
pub(crate) fn current(run: &Interaction) -> Next {
    match run.progress {
        Progress::Login => Next::Login,
        Progress::SecondFactor { .. } => Next::SecondFactor,
        Progress::Approval { .. } => Next::Approval,
    }
}

/// The page that the run `id` is at by now.
pub(super) async fn current_now(app: &App, id: &HandleHash) -> Result<Next, OAuthError> {
    Ok(reload(app, id).await?.as_ref().map_or(Next::Over, current))
}

async fn reload(app: &App, id: &HandleHash) -> Result<Option<Interaction>, OAuthError> {
    let mut conn = app.database.reader().acquire().await?;
    Ok(interaction::find(&mut conn, id, app.now()).await?)
}
