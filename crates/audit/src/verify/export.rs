//! Logs as lines, and the entries of one operation.

use std::io::Write;

use serde::Serialize;

use super::source::{CheckpointLine, FORMAT, HeaderLine, Item, Source};
use crate::{AuditError, Record};

/// So many entries of one operation are shown. An operation leaves a handful.
const MAX_SHOWN: i64 = 10_000;

/// Writes a log as JSON lines, which [`verify`](super::verify) reads like the database: a header, then each entry as
/// the text that is hashed with its hash as the last member, and each checkpoint behind the entry that it covers.
///
/// Nothing is checked here, so that a log with a fault can be exported too, as far as its rows are entries.
///
/// # Errors
///
/// [`AuditError::Input`] if a row is no entry or `out` cannot be written to, [`AuditError::Storage`].
pub async fn export(mut source: Source, out: &mut impl Write) -> Result<(), AuditError> {
    line(out, &HeaderLine { log: FORMAT.to_owned(), origin: source.origin().to_owned() })?;
    while let Some(item) = source.next().await? {
        match item {
            Item::Checkpoint { jws, .. } => line(out, &CheckpointLine { checkpoint: jws })?,
            Item::Unreadable { after, what } => {
                return Err(AuditError::Input(format!("entry {}: {what}", after + 1)));
            }
            Item::Entry(record) => {
                let text = record.to_line().ok_or_else(|| {
                    AuditError::Input(format!("entry {}: its details are not a JSON object", record.sequence))
                })?;
                writeln!(out, "{text}").map_err(unwritable)?;
            }
        }
    }
    out.flush().map_err(unwritable)
}

/// The entries of one operation, in order. They are what the log says; only [`verify`](super::verify) knows whether
/// it is whole.
///
/// # Errors
///
/// [`AuditError::Input`] if a line is no entry, [`AuditError::Storage`].
pub async fn show(mut source: Source, operation: &str) -> Result<Vec<Record>, AuditError> {
    if let Some(records) = source.indexed(operation, MAX_SHOWN).await? {
        return Ok(records);
    }
    let mut records = Vec::new();
    while let Some(item) = source.next().await? {
        match item {
            Item::Entry(record) if record.operation.as_deref() == Some(operation) => records.push(record),
            Item::Entry(_) | Item::Checkpoint { .. } => {}
            Item::Unreadable { after, what } => {
                return Err(AuditError::Input(format!("entry {}: {what}", after + 1)));
            }
        }
        if records.len() as i64 == MAX_SHOWN {
            break;
        }
    }
    Ok(records)
}

fn line(out: &mut impl Write, value: &impl Serialize) -> Result<(), AuditError> {
    let text = serde_json::to_string(value).map_err(|e| AuditError::Input(e.to_string()))?;
    writeln!(out, "{text}").map_err(unwritable)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err calls")]
fn unwritable(error: std::io::Error) -> AuditError {
    AuditError::Input(format!("cannot write the export: {error}"))
}
