//! Rows that nobody can use any more.

use std::time::Duration;

use sealwright_service::clock::Timestamp;
use sealwright_service::database::{Connection, Database};

use super::rate;

/// How long codes and contexts stay after they expired: a replayed code must still be recognised, and a backend told
/// how its context ended.
const KEEP_EXPIRED: Duration = Duration::from_secs(60 * 60);
/// So long after the last attempt a throttle has forgotten all of them anyway.
const KEEP_THROTTLE: Duration = Duration::from_secs(60 * 60);
/// Rows of one table that are deleted at once, so that no lock is held for long.
const CHUNK: u64 = 1000;
/// A bound on one run: whoever makes rows faster than this meets the limits on making them first.
const MAX_PASSES: usize = 500;

/// Deletes rows of every table that are past use, a thousand at a time until none is left; returns how many.
///
/// The writer is given back between any two passes, so that requests do not wait for all of them.
pub(crate) async fn sweep(database: &Database, now: Timestamp) -> sqlx::Result<u64> {
    let mut deleted = 0;
    for _ in 0..MAX_PASSES {
        let mut conn = database.writer().acquire().await?;
        let (rows, more) = pass(&mut conn, now).await?;
        drop(conn);
        deleted += rows;
        if !more {
            break;
        }
    }
    Ok(deleted)
}

/// One chunk of each table; returns how many rows they were, and whether any table may have more.
async fn pass(conn: &mut Connection, now: Timestamp) -> sqlx::Result<(u64, bool)> {
    let kept = now.minus(KEEP_EXPIRED).as_millis();
    let statements = [
        (
            "DELETE FROM pushed_request WHERE id IN
               (SELECT id FROM pushed_request WHERE expires_at < $1 AND backend_id IS NULL LIMIT 1000)",
            now.as_millis(),
        ),
        (
            "DELETE FROM pushed_request WHERE id IN
               (SELECT id FROM pushed_request WHERE expires_at < $1 LIMIT 1000)",
            kept,
        ),
        (
            "DELETE FROM interaction WHERE id_hash IN
               (SELECT id_hash FROM interaction WHERE expires_at < $1 LIMIT 1000)",
            now.as_millis(),
        ),
        (
            "DELETE FROM authorization_code WHERE code_hash IN
               (SELECT code_hash FROM authorization_code WHERE expires_at < $1 LIMIT 1000)",
            kept,
        ),
        (
            "DELETE FROM login_continuation WHERE handle_hash IN
               (SELECT handle_hash FROM login_continuation WHERE expires_at < $1 LIMIT 1000)",
            now.as_millis(),
        ),
        (
            "DELETE FROM login_throttle WHERE key_hash IN
               (SELECT key_hash FROM login_throttle WHERE updated_at < $1 AND blocked_until < $1 LIMIT 1000)",
            now.minus(KEEP_THROTTLE).as_millis(),
        ),
        (
            "DELETE FROM rate_window WHERE key_hash IN
               (SELECT key_hash FROM rate_window WHERE started_at < $1 LIMIT 1000)",
            now.minus(rate::WINDOW).as_millis(),
        ),
    ];
    let (mut deleted, mut more) = (0, false);
    for (statement, before) in statements {
        let rows = sqlx::query(statement).bind(before).execute(&mut *conn).await?.rows_affected();
        deleted += rows;
        more |= rows >= CHUNK;
    }
    Ok((deleted, more))
}
