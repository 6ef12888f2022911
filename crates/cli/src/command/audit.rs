//! `sealwright audit …`: reads a log, wherever it is; what is true of it the library says.

use std::{
    fs::File,
    io::{self, BufWriter},
};

use sealwright_audit::{
    AuditError, Receipt, Record,
    verify::{self, Options, Report, Source as Log},
};
use sealwright_jose::Key;
use sealwright_service::clock::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::Outcome;
use crate::{
    args::{AuditCommand, AuditVerifyArgs, ExportArgs, ShowArgs},
    error::CliError,
    input::{MAX_KEY_BYTES, MAX_TOKEN_BYTES, Source, stdin_at_most_once},
    key_file::KeyFile,
    output::{Output, one_line, printable, style},
};

pub(super) fn run(command: &AuditCommand, output: &Output) -> Result<Outcome, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::refused_by("cannot start the runtime", error))?;
    match command {
        AuditCommand::Verify(args) => runtime.block_on(verify(args, output)),
        AuditCommand::Show(args) => runtime.block_on(show(args, output)),
        AuditCommand::Export(args) => runtime.block_on(export(args)),
    }
}

/// The object of `audit verify --json`.
#[derive(Serialize)]
struct Verdict<'a> {
    valid: bool,
    #[serde(flatten)]
    report: &'a Report,
}

async fn verify(args: &AuditVerifyArgs, output: &Output) -> Result<Outcome, CliError> {
    let options = options(args, output)?;
    let log = open(&args.log).await?;
    let report = verify::verify(log, &options).await.map_err(not_verified)?;
    output.json(&Verdict { valid: report.is_whole(), report: &report })?;
    output.line(printable(&report.to_string()))?;
    match report.fault {
        None => Ok(Outcome::Done),
        Some(fault) => Err(CliError::refused(format!("the log is not whole: {fault}"))),
    }
}

/// What the log is held against.
fn options(args: &AuditVerifyArgs, output: &Output) -> Result<Options, CliError> {
    let log = Source::from(args.log.as_str());
    stdin_at_most_once(
        [Some(&log), args.key.as_ref(), args.checkpoint.as_ref(), args.receipt.as_ref()]
            .into_iter()
            .flatten(),
    )?;
    let mut options = Options::default();
    if let Some(source) = &args.key {
        let keys = KeyFile::read(source)?.keys(args.alg.as_slice(), output)?;
        options.keys = keys.iter().filter_map(Key::verifying_key).collect();
        if options.keys.is_empty() {
            return Err(CliError::refused(format!("{source} holds no key that verifies checkpoints")));
        }
    }
    if let Some(source) = &args.checkpoint {
        options.checkpoint = Some(source.read_text(MAX_KEY_BYTES)?.trim().to_owned());
    }
    if let Some(source) = &args.receipt {
        // The answer that it came in, with the whole document, will do.
        let receipt = Receipt::parse(&source.read_text(MAX_TOKEN_BYTES)?);
        options.receipt =
            Some(receipt.map_err(|error| CliError::refused_by(format!("{source} is no receipt"), error))?);
    }
    Ok(options)
}

async fn show(args: &ShowArgs, output: &Output) -> Result<Outcome, CliError> {
    let log = open(&args.log).await?;
    let records = verify::show(log, &args.operation).await.map_err(not_verified)?;
    if records.is_empty() {
        return Err(CliError::refused(format!("the log has no entry of the operation {}", args.operation)));
    }
    output.json(&Operation {
        operation: &args.operation,
        entries: records.iter().map(Shown::from).collect(),
    })?;
    let (strong, faint) = (style::STRONG, style::FAINT);
    for record in &records {
        let Record { sequence, event, subject, details, .. } = record;
        let time = Timestamp::from_millis(record.time).to_rfc3339();
        output.line(format_args!(
            "{sequence:>6}  {time}  {strong}{}{strong:#}  {}",
            one_line(event),
            one_line(subject.as_deref().unwrap_or("-"))
        ))?;
        output.line(format_args!("        {}", one_line(details)))?;
        output.line(format_args!("        {faint}{}{faint:#}", one_line(&record.entry)))?;
    }
    Ok(Outcome::Done)
}

/// The object of `audit show --json`.
#[derive(Serialize)]
struct Operation<'a> {
    operation: &'a str,
    entries: Vec<Shown<'a>>,
}

#[derive(Serialize)]
struct Shown<'a> {
    sequence: i64,
    time: String,
    event: &'a str,
    subject: Option<&'a str>,
    /// The log says that it is an object; text that is none is shown as text.
    details: Value,
    entry: &'a str,
    previous: &'a str,
}

impl<'a> From<&'a Record> for Shown<'a> {
    fn from(record: &'a Record) -> Self {
        Self {
            sequence: record.sequence,
            time: Timestamp::from_millis(record.time).to_rfc3339(),
            event: &record.event,
            subject: record.subject.as_deref(),
            details: serde_json::from_str(&record.details).unwrap_or_else(|_| record.details.as_str().into()),
            entry: &record.entry,
            previous: &record.previous,
        }
    }
}

async fn export(args: &ExportArgs) -> Result<Outcome, CliError> {
    let log = open(&args.log).await?;
    let mut out = BufWriter::new(io::stdout().lock());
    verify::export(log, &mut out).await.map_err(not_verified)?;
    Ok(Outcome::Done)
}

/// Opens a log: the URL of a database, a file of either kind, or `-`.
async fn open(place: &str) -> Result<Log, CliError> {
    let is_url = place.contains("://");
    if !is_url && place != "-" {
        File::open(place).map_err(|source| CliError::Unreadable { what: place.to_owned(), source })?;
    }
    verify::open(place).await.map_err(|error| match error {
        // A URL may hold a password, so it is not repeated.
        AuditError::Storage(_) => CliError::Unreadable {
            what: if is_url { "the database".to_owned() } else { place.to_owned() },
            source: io::Error::other(error),
        },
        error if is_url => CliError::refused_by("the database is no audit log", error),
        error => CliError::refused_by(format!("{} is no audit log", Source::from(place)), error),
    })
}

fn not_verified(error: AuditError) -> CliError {
    CliError::refused_by("the log cannot be read to its end", error)
}
