//! Rows that nobody can use any more.

use std::time::Duration;

use sealwright_service::clock::Timestamp;
use sealwright_service::database::Connection;

/// How long rows stay after they expired: a replayed code must still be recognised, and a backend told how its context
/// ended.
const KEEP_EXPIRED: Duration = Duration::from_secs(60 * 60);
/// Failed logins are forgotten after a day without another.
const KEEP_THROTTLE: Duration = Duration::from_secs(24 * 60 * 60);

/// Deletes rows of every table that are long past use; returns how many.
///
/// A table at a time and a thousand rows at most of each, so that no lock is held for long.
pub(crate) async fn sweep(conn: &mut Connection, now: Timestamp) -> sqlx::Result<u64> {
    let expired = now.minus(KEEP_EXPIRED).as_millis();
    let forgotten = now.minus(KEEP_THROTTLE).as_millis();
    let statements = [
        (
            "DELETE FROM pushed_request WHERE id IN
               (SELECT id FROM pushed_request WHERE expires_at < $1 LIMIT 1000)",
            expired,
        ),
        (
            "DELETE FROM interaction WHERE id_hash IN
               (SELECT id_hash FROM interaction WHERE expires_at < $1 LIMIT 1000)",
            expired,
        ),
        (
            "DELETE FROM authorization_code WHERE code_hash IN
               (SELECT code_hash FROM authorization_code WHERE expires_at < $1 LIMIT 1000)",
            expired,
        ),
        (
            "DELETE FROM login_continuation WHERE handle_hash IN
               (SELECT handle_hash FROM login_continuation WHERE expires_at < $1 LIMIT 1000)",
            expired,
        ),
        (
            "DELETE FROM login_throttle WHERE key_hash IN
               (SELECT key_hash FROM login_throttle WHERE updated_at < $1 AND blocked_until < $1 LIMIT 1000)",
            forgotten,
        ),
        (
            "DELETE FROM rate_window WHERE key_hash IN
               (SELECT key_hash FROM rate_window WHERE started_at < $1 LIMIT 1000)",
            expired,
        ),
    ];
    let mut deleted = 0;
    for (statement, before) in statements {
        deleted += sqlx::query(statement).bind(before).execute(&mut *conn).await?.rows_affected();
    }
    Ok(deleted)
}
