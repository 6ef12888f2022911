//! Password logins over JSON that wait for their second factor.

use sealwright_service::clock::Timestamp;
use sealwright_service::database::Connection;

use crate::domain::handle::HandleHash;

/// How often a code may be tried for one continuation.
const MAX_TRIES: i64 = 5;

pub(crate) async fn insert(
    conn: &mut Connection,
    handle: &HandleHash,
    subject: &str,
    client_id: &str,
    expires_at: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO login_continuation (handle_hash, subject, client_id, tries, expires_at)
         VALUES ($1, $2, $3, 0, $4)",
    )
    .bind(handle.as_str())
    .bind(subject)
    .bind(client_id)
    .bind(expires_at.as_millis())
    .execute(conn)
    .await
    .map(drop)
}

/// Whose a live continuation of `client_id` is that has a try left.
pub(crate) async fn subject(
    conn: &mut Connection,
    handle: &HandleHash,
    client_id: &str,
    now: Timestamp,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(
        "SELECT subject FROM login_continuation
          WHERE handle_hash = $1 AND client_id = $2 AND used_at IS NULL AND tries < $3 AND $4 < expires_at",
    )
    .bind(handle.as_str())
    .bind(client_id)
    .bind(MAX_TRIES)
    .bind(now.as_millis())
    .fetch_optional(conn)
    .await
}

/// Takes one try of a live continuation of `client_id`; `false` when there is none to take.
///
/// The bound is in the statement: however many codes are tried at once, no more than five are looked at.
pub(crate) async fn take_try(
    conn: &mut Connection,
    handle: &HandleHash,
    client_id: &str,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE login_continuation SET tries = tries + 1
          WHERE handle_hash = $1 AND client_id = $2 AND used_at IS NULL AND tries < $3 AND $4 < expires_at",
    )
    .bind(handle.as_str())
    .bind(client_id)
    .bind(MAX_TRIES)
    .bind(now.as_millis())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Uses a continuation up, after the right code; `false` if somebody else did so first.
pub(crate) async fn use_up(conn: &mut Connection, handle: &HandleHash, now: Timestamp) -> sqlx::Result<bool> {
    let done =
        sqlx::query("UPDATE login_continuation SET used_at = $2 WHERE handle_hash = $1 AND used_at IS NULL")
            .bind(handle.as_str())
            .bind(now.as_millis())
            .execute(conn)
            .await?;
    Ok(done.rows_affected() == 1)
}
