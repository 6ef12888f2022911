//! The hash-chained audit log with signed checkpoints.
//!
//! A server appends an [`Entry`] to its [`AuditLog`] for every operation, before it answers; [`verify`] reads a log and
//! says whether it is whole. The log lives in the server's own database.
//!
//! # What is hashed
//!
//! The hash of an entry is SHA-256, as base64url, over
//!
//! ```text
//! sealwright-audit-entry/1
//! {"sequence":17,"time":1795305600000,"event":"token.issued","operation":"op_1","subject":"alice","details":{…},"salt":"…","previous":"…"}
//! ```
//!
//! that is, a line that says what it is, a newline, and JSON without spaces, its members in this order, all of them
//! always there (`null` for none), strings escaped only where JSON must, `details` an object with its text as it was
//! first written, no newline at the end. `time` counts milliseconds since the epoch. `previous` is the hash of the entry
//! before it, and for entry 1 the hash over `sealwright-audit-origin/1`, a newline and the origin of the log. `salt` is
//! random, so that whoever holds a receipt cannot guess what the entry before his was.
//!
//! In an export ([`verify::export`]) an entry is one line: this JSON with `"entry"`, its hash, as the last member. So it
//! can be checked without us:
//!
//! ```sh
//! printf 'sealwright-audit-entry/1\n%s' "$(sed -n 2p log.jsonl | sed 's/,"entry":"[^"]*"}$/}/')" |
//!     openssl dgst -sha256 -binary | basenc --base64url | tr -d =
//! ```
//!
//! # Checkpoints
//!
//! A chain alone can be computed again by whoever can write to the database, and its end can be cut off. So the server
//! signs from time to time how far the chain goes: a compact JWS of type `audit-checkpoint+jwt` with the claims `origin`,
//! `sequence`, `entry` and `time`. Checkpoints are kept in the database, and the newest in a file that should be on, or be
//! copied to, another machine.
#![warn(missing_docs)]

mod chain;
mod checkpoint;
mod entry;
mod error;
mod log;
mod redact;
mod refusals;
mod store;
pub mod verify;

pub use checkpoint::Checkpoint;
pub use entry::{Entry, Receipt, Record};
pub use error::AuditError;
pub use log::{AuditLog, AuditOptions};

/// The tables of the log, for `Database::open`.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();
