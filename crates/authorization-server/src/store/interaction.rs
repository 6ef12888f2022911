//! One run of a person through the pages.

use sealwright_service::clock::Timestamp;
use sealwright_service::database::Connection;

use super::code::{self, NewCode};
use super::pushed_request::State;
use super::request_row;
use crate::domain::acr::Factors;
use crate::domain::authorization_request::AuthorizationRequest;
use crate::domain::handle::HandleHash;

/// How often a second factor may be tried in one run.
const MAX_TRIES: i64 = 5;

/// A run that has begun and is not over.
#[derive(Debug)]
pub(crate) struct Interaction {
    pub(crate) id: HandleHash,
    pub(crate) secret: HandleHash,
    pub(crate) request: AuthorizationRequest,
    pub(crate) progress: Progress,
    pub(crate) expires_at: Timestamp,
}

/// How far a person has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Login,
    SecondFactor {
        subject: String,
    },
    /// Authenticated; what is left is to agree.
    Approval {
        subject: String,
        factors: Factors,
        auth_time: Timestamp,
    },
}

const LOGIN: &str = "login";
const SECOND_FACTOR: &str = "totp";
const APPROVAL: &str = "approve";
const DONE: &str = "done";

#[derive(sqlx::FromRow)]
struct Row {
    secret_hash: String,
    request: String,
    step: String,
    subject: Option<String>,
    factors: String,
    auth_time: Option<i64>,
    expires_at: i64,
}

pub(crate) async fn insert(
    conn: &mut Connection,
    id: &HandleHash,
    secret: &HandleHash,
    pushed_id: Option<&str>,
    request: &AuthorizationRequest,
    expires_at: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO interaction (id_hash, secret_hash, pushed_id, request, step, factors, tries, expires_at)
         VALUES ($1, $2, $3, $4, $5, '', 0, $6)",
    )
    .bind(id.as_str())
    .bind(secret.as_str())
    .bind(pushed_id)
    .bind(request_row::write(request))
    .bind(LOGIN)
    .bind(expires_at.as_millis())
    .execute(conn)
    .await
    .map(drop)
}

/// A run that is neither over nor expired.
pub(crate) async fn find(
    conn: &mut Connection,
    id: &HandleHash,
    now: Timestamp,
) -> sqlx::Result<Option<Interaction>> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT secret_hash, request, step, subject, factors, auth_time, expires_at
           FROM interaction WHERE id_hash = $1 AND step <> $2 AND $3 < expires_at",
    )
    .bind(id.as_str())
    .bind(DONE)
    .bind(now.as_millis())
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(Interaction {
            id: id.clone(),
            secret: HandleHash::stored(row.secret_hash.clone()),
            request: request_row::read(&row.request)?,
            expires_at: Timestamp::from_millis(row.expires_at),
            progress: progress(row)?,
        })
    })
    .transpose()
}

fn progress(row: Row) -> sqlx::Result<Progress> {
    let corrupt = || sqlx::Error::Decode("an interaction's step does not fit its other columns".into());
    match (row.step.as_str(), row.subject, row.auth_time) {
        (LOGIN, ..) => Ok(Progress::Login),
        (SECOND_FACTOR, Some(subject), _) => Ok(Progress::SecondFactor { subject }),
        (APPROVAL, Some(subject), Some(auth_time)) => Ok(Progress::Approval {
            subject,
            factors: Factors::stored(&row.factors).ok_or_else(corrupt)?,
            auth_time: Timestamp::from_millis(auth_time),
        }),
        _ => Err(corrupt()),
    }
}

/// After the right password of somebody who has a second factor; `false` if the run was elsewhere already.
pub(crate) async fn await_second_factor(
    conn: &mut Connection,
    id: &HandleHash,
    subject: &str,
) -> sqlx::Result<bool> {
    let done = sqlx::query("UPDATE interaction SET step = $2, subject = $3 WHERE id_hash = $1 AND step = $4")
        .bind(id.as_str())
        .bind(SECOND_FACTOR)
        .bind(subject)
        .bind(LOGIN)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// What came of asking for a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Try {
    Taken,
    /// The run waits for a second factor and has had all its tries.
    NoneLeft,
    /// The run does not wait for a second factor any more: somebody clicked twice.
    Elsewhere,
}

/// Takes one of the tries that a run has for its second factor.
pub(crate) async fn take_try(conn: &mut Connection, id: &HandleHash) -> sqlx::Result<Try> {
    let done = sqlx::query(
        "UPDATE interaction SET tries = tries + 1 WHERE id_hash = $1 AND step = $2 AND tries < $3",
    )
    .bind(id.as_str())
    .bind(SECOND_FACTOR)
    .bind(MAX_TRIES)
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 1 {
        return Ok(Try::Taken);
    }
    let tries: Option<i64> =
        sqlx::query_scalar("SELECT tries FROM interaction WHERE id_hash = $1 AND step = $2")
            .bind(id.as_str())
            .bind(SECOND_FACTOR)
            .fetch_optional(conn)
            .await?;
    Ok(if tries.is_some_and(|tries| tries >= MAX_TRIES) { Try::NoneLeft } else { Try::Elsewhere })
}

/// After the last factor; `false` if the run was elsewhere already.
pub(crate) async fn authenticated(
    conn: &mut Connection,
    id: &HandleHash,
    subject: &str,
    factors: Factors,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let from = match factors {
        Factors::Password => LOGIN,
        Factors::PasswordAndTotp => SECOND_FACTOR,
    };
    let done = sqlx::query(
        "UPDATE interaction SET step = $2, subject = $3, factors = $4, auth_time = $5
          WHERE id_hash = $1 AND step = $6 AND (subject IS NULL OR subject = $3)",
    )
    .bind(id.as_str())
    .bind(APPROVAL)
    .bind(subject)
    .bind(factors.as_str())
    .bind(now.as_millis())
    .bind(from)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Back to the first page, when the login has become older than the client allows.
pub(crate) async fn restart(conn: &mut Connection, id: &HandleHash) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE interaction SET step = $2, subject = NULL, factors = '', auth_time = NULL, tries = 0
          WHERE id_hash = $1 AND step <> $3",
    )
    .bind(id.as_str())
    .bind(LOGIN)
    .bind(DONE)
    .execute(conn)
    .await
    .map(drop)
}

/// Ends a run with a code; `false` if it had ended already or the person is not authenticated.
///
/// One transaction whose first statement decides, so two clicks on the button give one code.
pub(crate) async fn end_with_code(
    conn: &mut Connection,
    id: &HandleHash,
    new: &NewCode<'_>,
) -> sqlx::Result<bool> {
    // Only who is authenticated may end with a code; a run may be given up at any step.
    if !end(&mut *conn, id, State::Authenticated, Some(APPROVAL), 0).await? {
        return Ok(false);
    }
    code::insert(conn, new).await?;
    Ok(true)
}

/// Ends a run without a code; `false` if it had ended already.
pub(crate) async fn end_denied(conn: &mut Connection, id: &HandleHash) -> sqlx::Result<bool> {
    end(conn, id, State::Denied, None, 0).await
}

/// Ends a run that has had all its tries for a second factor; `false` if it does not wait for one (any more).
pub(crate) async fn end_exhausted(conn: &mut Connection, id: &HandleHash) -> sqlx::Result<bool> {
    end(conn, id, State::Denied, Some(SECOND_FACTOR), MAX_TRIES).await
}

/// Ends a run at the step `at`, or at any, that has had at least so many tries.
async fn end(
    conn: &mut Connection,
    id: &HandleHash,
    state: State,
    at: Option<&str>,
    least_tries: i64,
) -> sqlx::Result<bool> {
    let ended: Option<Option<String>> = sqlx::query_scalar(
        "UPDATE interaction SET step = $2
          WHERE id_hash = $1 AND step <> $2 AND (step = $3 OR $3 IS NULL) AND tries >= $4
      RETURNING pushed_id",
    )
    .bind(id.as_str())
    .bind(DONE)
    .bind(at)
    .bind(least_tries)
    .fetch_optional(&mut *conn)
    .await?;
    let Some(pushed_id) = ended else { return Ok(false) };
    if let Some(pushed_id) = pushed_id {
        sqlx::query("UPDATE pushed_request SET state = $2 WHERE id = $1")
            .bind(pushed_id)
            .bind(state.as_str())
            .execute(conn)
            .await?;
    }
    Ok(true)
}
