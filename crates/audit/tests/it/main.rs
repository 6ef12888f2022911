//! The log on real databases, through the public functions and, for the attacker, through SQL.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod append;
mod checkpoint;
mod concurrent;
mod crash;
mod lines;
mod refusals;
mod tamper;

use std::time::Duration;

use sealwright_audit::{
    AuditError, AuditLog, AuditOptions, Entry, MIGRATOR, Receipt,
    verify::{self, Options, Report, Source},
};
use sealwright_jose::{Alg, SigningKey};
use sealwright_keystore::{KeyHandle, in_memory};
use sealwright_service::{
    clock::{Clock, Timestamp},
    database::Database,
    shutdown::Shutdown,
};
use sealwright_testkit::database;
use serde_json::json;
use sqlx::migrate::Migrator;

const ORIGIN: &str = "https://id.example";
const MIGRATORS: &[&Migrator] = &[&MIGRATOR];

fn key() -> KeyHandle {
    in_memory("audit-1", SigningKey::generate(Alg::Es256).unwrap())
}

fn clock() -> Clock {
    Clock::fixed(Timestamp::from_secs(1_795_305_600))
}

/// Options under which nothing is written unless a test asks for it.
fn quiet() -> AuditOptions {
    AuditOptions {
        checkpoint_every: u32::MAX,
        checkpoint_after: Duration::from_secs(3600),
        summarise_every: Duration::from_secs(3600),
        checkpoint_file: None,
        public_key_file: None,
    }
}

async fn start(db: &Database, key: &KeyHandle, options: AuditOptions) -> Result<AuditLog, AuditError> {
    AuditLog::start(db, ORIGIN, key.clone(), options, clock(), Shutdown::new()).await
}

fn entry(nr: usize) -> Entry {
    Entry {
        event: "document.signed",
        operation: Some(format!("op_{nr}")),
        subject: nr.is_multiple_of(2).then(|| "alice".to_owned()),
        details: json!({"nr": nr, "label": "contract „ä“\n.md"}),
    }
}

/// Appends the entries `op_FROM` to `op_TO`, one after the other.
async fn fill(log: &AuditLog, from: usize, to: usize) -> Vec<Receipt> {
    let mut receipts = Vec::new();
    for nr in from..=to {
        receipts.push(log.append(entry(nr)).await.unwrap());
    }
    receipts
}

fn with_key(key: &KeyHandle) -> Options {
    Options { keys: vec![key.verifying_key().clone()], ..Options::default() }
}

async fn report(db: &Database, options: &Options) -> Report {
    verify::verify(Source::from_database(db).await.unwrap(), options).await.unwrap()
}

/// The fault as a person reads it, or `whole`.
fn verdict(report: &Report) -> String {
    report.fault.as_ref().map_or_else(|| "whole".to_owned(), |fault| format!("{} | {fault}", fault.sequence))
}

/// What `audit verify` is given for this place.
fn place(storage: &database::Storage) -> String {
    match (&storage.spec().sqlite, &storage.spec().postgres) {
        (Some(sqlite), _) => storage.dir().join(&sqlite.path).display().to_string(),
        (_, Some(postgres)) => postgres.url.read(storage.dir()).unwrap().expose().to_owned(),
        _ => unreachable!("a place is one of the two"),
    }
}
