//! How often something may be asked for.

use std::time::Duration;

use sealwright_service::clock::Timestamp;
use sealwright_service::database::Connection;

use crate::domain::handle::HandleHash;

/// The window in which uses are counted.
pub(crate) const WINDOW: Duration = Duration::from_secs(60);

/// Counts one use of `key` in its window; `false` when there were `most` already.
///
/// The bound is in the statement, so concurrent uses cannot pass it together.
pub(crate) async fn count_use(
    conn: &mut Connection,
    key: &HandleHash,
    most: i64,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let uses: Option<i64> = sqlx::query_scalar(
        "INSERT INTO rate_window AS w (key_hash, started_at, uses) VALUES ($1, $2, 1)
         ON CONFLICT (key_hash) DO UPDATE SET
            started_at = CASE WHEN w.started_at <= $3 THEN $2 ELSE w.started_at END,
            uses = CASE WHEN w.started_at <= $3 THEN 1 ELSE w.uses + 1 END
         WHERE w.started_at <= $3 OR w.uses < $4
         RETURNING uses",
    )
    .bind(key.as_str())
    .bind(now.as_millis())
    .bind(now.minus(WINDOW).as_millis())
    .bind(most)
    .fetch_optional(conn)
    .await?;
    Ok(uses.is_some())
}
