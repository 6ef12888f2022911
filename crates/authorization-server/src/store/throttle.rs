//! Failed logins, and how long to wait after them.

use std::time::Duration;

use sealwright_service::clock::Timestamp;
use sealwright_service::database::Connection;

use crate::domain::handle::HandleHash;

/// How attempts of one kind are slowed down.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    /// So many attempts cost nothing.
    pub(crate) free: i64,
    /// The first delay; each further attempt doubles it.
    pub(crate) first_delay: Duration,
    pub(crate) longest_delay: Duration,
    /// After so long without an attempt everything is forgotten.
    pub(crate) forget_after: Duration,
}

/// Takes one attempt for `key`, as if it had failed already; `None` while the key is blocked.
///
/// Returns until when the attempt itself blocks the key, for [`give_back`].
///
/// Counting comes before checking, and both are one statement: however many guesses arrive at once, no more than the
/// free ones and then one a delay get through.
pub(crate) async fn take_attempt(
    conn: &mut Connection,
    key: &HandleHash,
    limit: Limit,
    now: Timestamp,
) -> sqlx::Result<Option<Timestamp>> {
    let blocked_until: Option<i64> = sqlx::query_scalar(
        "INSERT INTO login_throttle AS t (key_hash, failures, delay_ms, blocked_until, updated_at)
         VALUES ($1, 1, 0, 0, $2)
         ON CONFLICT (key_hash) DO UPDATE SET
            failures = CASE WHEN t.updated_at < $3 THEN 1 ELSE t.failures + 1 END,
            delay_ms = CASE WHEN t.updated_at < $3 OR t.failures + 1 < $4 THEN 0
                            WHEN t.delay_ms = 0 THEN $5
                            WHEN t.delay_ms * 2 > $6 THEN $6
                            ELSE t.delay_ms * 2 END,
            blocked_until = CASE WHEN t.updated_at < $3 OR t.failures + 1 < $4 THEN 0
                            WHEN t.delay_ms = 0 THEN $2 + $5
                            WHEN t.delay_ms * 2 > $6 THEN $2 + $6
                            ELSE $2 + t.delay_ms * 2 END,
            updated_at = $2
         WHERE t.blocked_until <= $2
         RETURNING blocked_until",
    )
    .bind(key.as_str())
    .bind(now.as_millis())
    .bind(now.minus(limit.forget_after).as_millis())
    .bind(limit.free)
    .bind(millis(limit.first_delay))
    .bind(millis(limit.longest_delay))
    .fetch_optional(conn)
    .await?;
    Ok(blocked_until.map(Timestamp::from_millis))
}

/// How long `key` is still blocked.
pub(crate) async fn blocked_for(
    conn: &mut Connection,
    key: &HandleHash,
    now: Timestamp,
) -> sqlx::Result<Duration> {
    let until: Option<i64> =
        sqlx::query_scalar("SELECT blocked_until FROM login_throttle WHERE key_hash = $1")
            .bind(key.as_str())
            .fetch_optional(conn)
            .await?;
    Ok(until.map_or(Duration::ZERO, |until| Timestamp::from_millis(until).since(now)))
}

/// Forgets the failures of `key`, after a success.
pub(crate) async fn forget(conn: &mut Connection, key: &HandleHash) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM login_throttle WHERE key_hash = $1")
        .bind(key.as_str())
        .execute(conn)
        .await
        .map(drop)
}

/// Takes back the one attempt that turned out to be a success.
///
/// Unlike [`forget`] it leaves the others: a guesser at one address must not be able to start afresh by logging in to
/// an account of their own between guesses. For the same reason it lifts the block that this attempt set and no other's.
pub(crate) async fn give_back(
    conn: &mut Connection,
    key: &HandleHash,
    blocked_until: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE login_throttle SET failures = failures - 1, delay_ms = delay_ms / 2,
                blocked_until = CASE WHEN blocked_until = $2 THEN 0 ELSE blocked_until END
          WHERE key_hash = $1 AND failures > 0",
    )
    .bind(key.as_str())
    .bind(blocked_until.as_millis())
    .execute(conn)
    .await
    .map(drop)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
