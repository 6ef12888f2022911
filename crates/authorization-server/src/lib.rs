//! The Sealwright authorization server: OAuth 2.0 with authorization codes, pushed requests, authentication contexts
//! and signed access tokens.
//!
//! Resources become a [`Config`] ([`configure`]), a config becomes a running server ([`start`]). Inside, a request goes one
//! way: `router` → `endpoint` (wire in, one call, wire out) → `flow` (what is decided) → `store` (one statement each), over
//! `domain` types that were checked when they were made. `pages` is what people see.
#![warn(missing_docs)]

mod config;
mod state;

mod router;

mod endpoint;

mod client_auth;

mod flow;

mod store;

mod audit_key;
mod domain;
mod error;
pub mod keys;
mod pages;
mod signing_keys;
mod start;
mod task;

pub use config::{Config, FirstStartError, KINDS, annotated_kek_files, configure};
pub use domain::password::{PasswordCost, PasswordError, hash_password, hash_password_at};
pub use start::{Assembled, ReloadError, Reloader, RunError, Running, StartError, assemble, start};
