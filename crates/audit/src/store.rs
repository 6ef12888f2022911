//! The statements. Both databases speak them.

use sealwright_service::database::Connection;
use sqlx::{AssertSqlSafe, Row, any::AnyRow};

use crate::{Record, chain::Head};

const COLUMNS: usize = 9;
/// Statements for so many records are kept prepared; a connection keeps a hundred.
const PREPARED: usize = 64;

/// Makes the log of `origin` in a database that has none, and says whose log it holds.
pub(crate) async fn claim_origin(conn: &mut Connection, origin: &str, now: i64) -> sqlx::Result<String> {
    sqlx::query("INSERT INTO audit_log (id, origin, created) VALUES (1, $1, $2) ON CONFLICT (id) DO NOTHING")
        .bind(origin)
        .bind(now)
        .execute(&mut *conn)
        .await?;
    sqlx::query_scalar("SELECT origin FROM audit_log WHERE id = 1").fetch_one(conn).await
}

pub(crate) async fn origin(conn: &mut Connection) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT origin FROM audit_log WHERE id = 1").fetch_optional(conn).await
}

/// The last entry, if there is one.
pub(crate) async fn tail(conn: &mut Connection) -> sqlx::Result<Option<Head>> {
    let row: Option<(i64, String)> =
        sqlx::query_as("SELECT sequence, entry FROM audit_entry ORDER BY sequence DESC LIMIT 1")
            .fetch_optional(conn)
            .await?;
    Ok(row.map(|(sequence, entry)| Head { sequence, entry }))
}

/// The hash of one entry.
pub(crate) async fn entry_hash(conn: &mut Connection, sequence: i64) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT entry FROM audit_entry WHERE sequence = $1")
        .bind(sequence)
        .fetch_optional(conn)
        .await
}

/// Adds records: all, or none because another writer was there first (a unique violation).
///
/// One statement is one commit and one round trip, however many entries came together. Of two writers that follow
/// the same entry the primary key lets only one through.
pub(crate) async fn append(conn: &mut Connection, records: &[Record]) -> sqlx::Result<()> {
    let sql = insertion(records.len(), conn.backend_name());
    // Nothing but parameters was put together.
    let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(records.len() <= PREPARED);
    for record in records {
        query = query
            .bind(record.sequence)
            .bind(record.time)
            .bind(record.event.as_str())
            .bind(record.operation.as_deref())
            .bind(record.subject.as_deref())
            .bind(record.details.as_str())
            .bind(record.salt.as_str())
            .bind(record.previous.as_str())
            .bind(record.entry.as_str());
    }
    query.execute(conn).await.map(drop)
}

/// The statement that adds so many records. SQLite looks names and numbers of parameters up one after the other, for each
/// once more, and has a form without them.
fn insertion(records: usize, backend: &str) -> String {
    let is_numbered = backend != "SQLite";
    let mut sql = String::from(
        "INSERT INTO audit_entry (sequence, time, event, operation, subject, details, salt, previous, entry) VALUES ",
    );
    for row in 0..records {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..COLUMNS {
            if column > 0 {
                sql.push_str(", ");
            }
            if is_numbered {
                sql.push('$');
                sql.push_str(&(row * COLUMNS + column + 1).to_string());
            } else {
                sql.push('?');
            }
        }
        sql.push(')');
    }
    sql
}

/// Adds a checkpoint; one that is there for the same entry says the same, and stays.
pub(crate) async fn insert_checkpoint(conn: &mut Connection, sequence: i64, jws: &str) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO audit_checkpoint (sequence, jws) VALUES ($1, $2) ON CONFLICT (sequence) DO NOTHING",
    )
    .bind(sequence)
    .bind(jws)
    .execute(conn)
    .await
    .map(drop)
}

/// The number of the entry that the last checkpoint covers up to, if there is a checkpoint.
pub(crate) async fn last_checkpoint(conn: &mut Connection) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar("SELECT sequence FROM audit_checkpoint ORDER BY sequence DESC LIMIT 1")
        .fetch_optional(conn)
        .await
}

/// The entries behind number `after`, in order, at most `limit`.
pub(crate) async fn entries_after(
    conn: &mut Connection,
    after: i64,
    limit: i64,
) -> sqlx::Result<Vec<AnyRow>> {
    sqlx::query(
        "SELECT sequence, time, event, operation, subject, details, salt, previous, entry
           FROM audit_entry WHERE sequence > $1 ORDER BY sequence LIMIT $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// The entries of one operation, in order, at most `limit`.
pub(crate) async fn entries_of(
    conn: &mut Connection,
    operation: &str,
    limit: i64,
) -> sqlx::Result<Vec<AnyRow>> {
    sqlx::query(
        "SELECT sequence, time, event, operation, subject, details, salt, previous, entry
           FROM audit_entry WHERE operation = $1 ORDER BY sequence LIMIT $2",
    )
    .bind(operation)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// The checkpoints behind number `after`, in order, at most `limit`. A row that was tampered with may not be one; it
/// gets a text that is no checkpoint.
pub(crate) async fn checkpoints_after(
    conn: &mut Connection,
    after: i64,
    limit: i64,
) -> sqlx::Result<Vec<(i64, String)>> {
    let rows = sqlx::query(
        "SELECT sequence, jws FROM audit_checkpoint WHERE sequence > $1 ORDER BY sequence LIMIT $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    let checkpoint = |row: &AnyRow| (row.try_get(0).unwrap_or(i64::MAX), row.try_get(1).unwrap_or_default());
    Ok(rows.iter().map(checkpoint).collect())
}

pub(crate) async fn count_entries(conn: &mut Connection) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT COUNT(*) FROM audit_entry").fetch_one(conn).await
}

/// A row as a record. SQLite keeps any type in any column, so that a row that was tampered with may not be one.
pub(crate) fn record(row: &AnyRow) -> sqlx::Result<Record> {
    Ok(Record {
        sequence: row.try_get(0)?,
        time: row.try_get(1)?,
        event: row.try_get(2)?,
        operation: row.try_get(3)?,
        subject: row.try_get(4)?,
        details: row.try_get(5)?,
        salt: row.try_get(6)?,
        previous: row.try_get(7)?,
        entry: row.try_get(8)?,
    })
}
