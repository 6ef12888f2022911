//! Authorization codes (RFC 6749 §4.1.2).

use sealwright_service::clock::Timestamp;
use sealwright_service::database::Connection;

use super::request_row;
use crate::domain::acr::Factors;
use crate::domain::authorization_request::AuthorizationRequest;
use crate::domain::handle::HandleHash;
use crate::domain::scope::Scopes;

/// A code that is about to be issued.
pub(crate) struct NewCode<'a> {
    pub(crate) code: &'a HandleHash,
    pub(crate) request: &'a AuthorizationRequest,
    pub(crate) subject: &'a str,
    pub(crate) factors: Factors,
    pub(crate) auth_time: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// What a redeemed code stands for.
#[derive(Debug)]
pub(crate) struct AuthorizationCode {
    pub(crate) request: AuthorizationRequest,
    pub(crate) subject: String,
    pub(crate) factors: Factors,
    pub(crate) auth_time: Timestamp,
}

/// A code that was used a second time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Replay {
    pub(crate) client_id: String,
    pub(crate) subject: String,
    /// The token that the first use was meant to give.
    pub(crate) jti: Option<String>,
}

pub(super) async fn insert(conn: &mut Connection, new: &NewCode<'_>) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO authorization_code (code_hash, client_id, subject, request, factors, auth_time, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(new.code.as_str())
    .bind(&new.request.client_id)
    .bind(new.subject)
    .bind(request_row::write(new.request))
    .bind(new.factors.as_str())
    .bind(new.auth_time.as_millis())
    .bind(new.expires_at.as_millis())
    .execute(conn)
    .await
    .map(drop)
}

/// What showing a code may still change.
#[derive(Debug, PartialEq)]
pub(crate) enum News {
    /// It can be redeemed, for these scopes.
    Redemption(Scopes),
    /// Not by this client or not at this moment; but if it was redeemed before, that must be noted.
    Replay,
}

/// What may come of `client_id` showing this code; `None` for one that is unknown, or whose replay was noted. It only
/// reads, so a stranger's guesses do not keep the writer busy.
pub(crate) async fn news(
    conn: &mut Connection,
    code: &HandleHash,
    client_id: &str,
    now: Timestamp,
) -> sqlx::Result<Option<News>> {
    let known: Option<(String, String, Option<i64>, i64)> = sqlx::query_as(
        "SELECT client_id, request, redeemed_at, expires_at FROM authorization_code
          WHERE code_hash = $1 AND replayed_at IS NULL",
    )
    .bind(code.as_str())
    .fetch_optional(conn)
    .await?;
    let Some((owner, request, redeemed_at, expires_at)) = known else { return Ok(None) };
    let live = owner == client_id && redeemed_at.is_none() && now.as_millis() < expires_at;
    Ok(Some(if live { News::Redemption(request_row::read(&request)?.scope) } else { News::Replay }))
}

/// Marks a live code of `client_id` as redeemed for the token `jti` and returns it; `None` if there is none to redeem.
///
/// One statement, so of two concurrent requests only one gets the code, and another client cannot use it up. The row
/// stays, since a second use must be seen (RFC 6749 §4.1.2).
pub(crate) async fn redeem(
    conn: &mut Connection,
    code: &HandleHash,
    client_id: &str,
    jti: &str,
    now: Timestamp,
) -> sqlx::Result<Option<AuthorizationCode>> {
    let row: Option<(String, String, String, i64)> = sqlx::query_as(
        "UPDATE authorization_code SET redeemed_at = $3, jti = $4
          WHERE code_hash = $1 AND client_id = $2 AND redeemed_at IS NULL AND $3 < expires_at
      RETURNING request, subject, factors, auth_time",
    )
    .bind(code.as_str())
    .bind(client_id)
    .bind(now.as_millis())
    .bind(jti)
    .fetch_optional(conn)
    .await?;
    row.map(|(request, subject, factors, auth_time)| {
        Ok(AuthorizationCode {
            request: request_row::read(&request)?,
            subject,
            factors: Factors::stored(&factors)
                .ok_or_else(|| sqlx::Error::Decode("a code has unknown factors".into()))?,
            auth_time: Timestamp::from_millis(auth_time),
        })
    })
    .transpose()
}

/// Notes that a redeemed code was shown again; `None` if it was never redeemed, or this is no news.
///
/// Only the first replay comes back, so that whoever has one old code cannot fill the audit log with it.
pub(crate) async fn first_replay(
    conn: &mut Connection,
    code: &HandleHash,
    now: Timestamp,
) -> sqlx::Result<Option<Replay>> {
    let row: Option<(String, String, Option<String>)> = sqlx::query_as(
        "UPDATE authorization_code SET replayed_at = $2
          WHERE code_hash = $1 AND redeemed_at IS NOT NULL AND replayed_at IS NULL
      RETURNING client_id, subject, jti",
    )
    .bind(code.as_str())
    .bind(now.as_millis())
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|(client_id, subject, jti)| Replay { client_id, subject, jti }))
}
