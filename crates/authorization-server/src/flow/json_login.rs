//! Login over JSON, for first-party programs without a browser.
//!
//! RFC 9700 §2.4 forbids the password grant; this exists for those who come from a server that had nothing else. It is
//! off unless enabled, and goes through the same throttle and the same factors as the pages.

use std::net::IpAddr;
use std::sync::Arc;

use sealwright_service::random;
use sealwright_service::secret::Secret;

use super::audit::{self, refusal};
use super::credentials::{self, CredentialError};
use super::token::{self, Issued, Subject, TokenContent, TokenKeys};
use crate::domain::acr::Factors;
use crate::domain::authorization_details::AuthorizationDetails;
use crate::domain::client::Client;
use crate::domain::handle::Handle;
use crate::domain::scope::Scopes;
use crate::domain::user::User;
use crate::error::OAuthError;
use crate::state::{App, CONTINUATION_LIFETIME};
use crate::store::continuation;

/// What came of a password.
pub(crate) enum Outcome {
    Token(Issued),
    /// The person has a second factor, which is to be shown with this handle.
    MfaRequired(Handle),
}

/// Checks a password.
pub(crate) async fn password(
    app: &App,
    client: &Client,
    address: IpAddr,
    username: &str,
    password: Secret,
) -> Result<Outcome, CredentialError> {
    let user = credentials::check_password(app, address, username, password, None).await?;
    if user.declared.totp.is_none() {
        return Ok(Outcome::Token(issue(app, client, &user, Factors::Password).await?));
    }
    let handle = Handle::generate();
    let mut conn = app.database.writer().acquire().await?;
    let until = app.now().plus(CONTINUATION_LIFETIME);
    continuation::insert(&mut conn, &handle.hash(), &user.subject, &client.id, until).await?;
    Ok(Outcome::MfaRequired(handle))
}

/// Why a second factor was not taken.
#[derive(Debug)]
pub(crate) enum ContinuationError {
    /// Unknown, used, expired, or tried too often.
    Gone,
    Credential(CredentialError),
}

impl From<CredentialError> for ContinuationError {
    fn from(error: CredentialError) -> Self {
        Self::Credential(error)
    }
}

impl From<OAuthError> for ContinuationError {
    fn from(error: OAuthError) -> Self {
        Self::Credential(error.into())
    }
}

impl From<sqlx::Error> for ContinuationError {
    fn from(error: sqlx::Error) -> Self {
        Self::Credential(error.into())
    }
}

/// Checks the second factor for a password that was right.
pub(crate) async fn second_factor(
    app: &App,
    client: &Client,
    handle: Option<&Handle>,
    code: &str,
) -> Result<Issued, ContinuationError> {
    let user = match handle {
        None => None,
        Some(handle) => {
            let mut conn = app.database.reader().acquire().await?;
            let subject = continuation::subject(&mut conn, &handle.hash(), &client.id, app.now()).await?;
            subject.and_then(|subject| app.snapshot.users.subject(&subject).map(Arc::clone))
        }
    };
    let (Some(handle), Some(user)) = (handle, user) else {
        app.audit.count_refusal(refusal::CONTINUATION);
        return Err(ContinuationError::Gone);
    };
    // The throttle comes first: being told to wait costs no try.
    let attempt = credentials::code_attempt(app, &user).await?;
    let mut conn = app.database.writer().acquire().await?;
    let took = continuation::take_try(&mut conn, &handle.hash(), &client.id, app.now()).await?;
    drop(conn);
    if !took {
        app.audit.count_refusal(refusal::CONTINUATION);
        return Err(ContinuationError::Gone);
    }
    credentials::check_code(app, &client.id, &user, attempt, code).await?;
    let mut conn = app.database.writer().acquire().await?;
    let ours = continuation::use_up(&mut conn, &handle.hash(), app.now()).await?;
    drop(conn);
    if !ours {
        return Err(ContinuationError::Gone);
    }
    Ok(issue(app, client, &user, Factors::PasswordAndTotp).await?)
}

async fn issue(app: &App, client: &Client, user: &User, factors: Factors) -> Result<Issued, OAuthError> {
    let audience = client.audiences.first().ok_or(OAuthError::InvalidTarget)?;
    audit::authenticated(app, &client.id, user, factors).await?;
    let content = TokenContent {
        jti: &random::id("tok_"),
        subject: Subject::Person { user, factors, auth_time: app.now() },
        audience,
        scope: Scopes::default(),
        details: AuthorizationDetails::default(),
        nonce: None,
        grant: "json_login",
    };
    let keys = TokenKeys::find(app, client, &content.scope, app.now())?;
    token::issue(app, client, keys, content).await
}
