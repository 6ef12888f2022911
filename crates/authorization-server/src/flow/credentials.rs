//! Checking what people know and have. The pages and the JSON login both come here, so neither is the weaker door.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use sealwright_service::secret::Secret;

use super::audit::refusal;
use super::{audit, throttle};
use crate::domain::user::User;
use crate::error::OAuthError;
use crate::state::App;
use crate::store::account;

/// Why somebody did not get in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialError {
    /// Unknown user, wrong password, another domain: one answer for all, after the same time.
    #[error("the user name or the password is wrong")]
    WrongPassword,
    #[error("the code is wrong")]
    WrongCode,
    #[error("the code was used before")]
    UsedCode,
    #[error("too many attempts")]
    Throttled { retry_after: Duration },
    #[error("too many logins at once")]
    Busy,
    #[error(transparent)]
    Other(#[from] OAuthError),
}

impl From<sqlx::Error> for CredentialError {
    fn from(error: sqlx::Error) -> Self {
        Self::Other(error.into())
    }
}

/// Why somebody with the right password was refused, for the audit log.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Failure {
    WrongCode,
    UsedCode,
    UnmetRequirements,
}

impl Failure {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::WrongCode => "wrong_code",
            Self::UsedCode => "used_code",
            Self::UnmetRequirements => "unmet_authentication_requirements",
        }
    }
}

/// Who has this user name and password; where a domain is named, only people of that domain.
pub(crate) async fn check_password(
    app: &App,
    address: IpAddr,
    username: &str,
    password: Secret,
    domain: Option<&str>,
) -> Result<Arc<User>, CredentialError> {
    let attempt = match throttle::attempt(app, username, address).await? {
        Ok(attempt) => attempt,
        Err(retry_after) => {
            app.audit.count_refusal(refusal::THROTTLED);
            return Err(CredentialError::Throttled { retry_after });
        }
    };
    let known = app.snapshot.users.named(username);
    let right = app.passwords.verify(known.map(|user| &user.declared.password), password).await;
    match (right, known) {
        (Ok(true), Some(user)) if domain.is_none_or(|domain| domain == user.declared.domain) => {
            throttle::succeeded(app, &attempt).await?;
            Ok(Arc::clone(user))
        }
        (Ok(_), _) => {
            app.audit.count_refusal(refusal::PASSWORD);
            Err(CredentialError::WrongPassword)
        }
        (Err(_), _) => {
            throttle::undone(app, &attempt).await?;
            Err(CredentialError::Busy)
        }
    }
}

/// Leave to try one code of somebody's second factor.
pub(crate) struct CodeAttempt(());

/// Asks the throttle for leave to try a code of `user`.
pub(crate) async fn code_attempt(app: &App, user: &User) -> Result<CodeAttempt, CredentialError> {
    match throttle::second_factor_attempt(app, &user.subject).await? {
        Ok(()) => Ok(CodeAttempt(())),
        Err(retry_after) => {
            // Counted and not listed: refusals that cost nothing must not fill the log.
            app.audit.count_refusal(refusal::THROTTLED);
            Err(CredentialError::Throttled { retry_after })
        }
    }
}

/// Whether `code` is the person's current one, and uses it up.
///
/// Whoever gets here has the password, so failures are entries of the audit log; the throttle bounds their number.
pub(crate) async fn check_code(
    app: &App,
    client_id: &str,
    user: &User,
    _attempt: CodeAttempt,
    code: &str,
) -> Result<(), CredentialError> {
    let Some(totp) = &user.declared.totp else { return Err(CredentialError::WrongCode) };
    // People copy codes as they are shown, in two groups.
    let code: String = code.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let Some(step) = totp.step_of(&code, app.now()) else {
        audit::authentication_failed(app, client_id, user, Failure::WrongCode).await?;
        return Err(CredentialError::WrongCode);
    };
    let mut conn = app.database.writer().acquire().await?;
    let fresh = account::use_totp_step(&mut conn, &user.subject, step).await?;
    // The audit log writes through the same pool, which on SQLite has one connection.
    drop(conn);
    if !fresh {
        audit::authentication_failed(app, client_id, user, Failure::UsedCode).await?;
        return Err(CredentialError::UsedCode);
    }
    throttle::second_factor_succeeded(app, &user.subject).await?;
    Ok(())
}
