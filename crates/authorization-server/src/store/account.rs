//! Accounts: the part of a user that outlives the configuration.

use sealwright_service::clock::Timestamp;
use sealwright_service::database::Connection;

/// Makes the account of `username` or brings it up to date, and returns its subject.
///
/// `new_subject` is used only when there was no account: a subject, once given, stays with its user name.
pub(crate) async fn upsert(
    conn: &mut Connection,
    username: &str,
    domain: &str,
    new_subject: &str,
    now: Timestamp,
) -> sqlx::Result<String> {
    sqlx::query_scalar(
        "INSERT INTO user_account (subject, username, domain, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (username) DO UPDATE SET domain = excluded.domain, disabled_at = NULL
         RETURNING subject",
    )
    .bind(new_subject)
    .bind(username)
    .bind(domain)
    .bind(now.as_millis())
    .fetch_one(conn)
    .await
}

/// User names of the accounts that are not disabled.
pub(crate) async fn enabled(conn: &mut Connection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar("SELECT username FROM user_account WHERE disabled_at IS NULL ORDER BY username")
        .fetch_all(conn)
        .await
}

/// Disables the account of `username`; its row stays, so that its subject is never given to somebody else.
pub(crate) async fn disable(conn: &mut Connection, username: &str, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query("UPDATE user_account SET disabled_at = $2 WHERE username = $1 AND disabled_at IS NULL")
        .bind(username)
        .bind(now.as_millis())
        .execute(conn)
        .await
        .map(drop)
}

/// Uses up the one-time codes of `step` and all before it; `false` if that had happened already.
///
/// The comparison is in the statement, so of two concurrent logins with one code only one gets in (RFC 6238 §5.2).
pub(crate) async fn use_totp_step(conn: &mut Connection, subject: &str, step: i64) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE user_account SET totp_last_step = $2
          WHERE subject = $1 AND totp_last_step < $2 AND disabled_at IS NULL",
    )
    .bind(subject)
    .bind(step)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
