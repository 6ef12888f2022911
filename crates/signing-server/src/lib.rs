//! The signing server: *workers* that sign or validate documents, each guarded by an Extended JWS
//! Authorizer.
//!
//! A request goes through the modules in the order in which they stand below: the configuration was
//! resolved into an immutable state, the router picks an endpoint, the authorizer decides about the token
//! before the body is read, the operation reserves the token's single use, the worker does the work, the
//! store remembers it, and the audit log's receipt goes back with the answer.
#![warn(missing_docs)]

mod config;
mod start;
mod state;

mod endpoint;
mod problem;
mod router;

mod authentication_context;
mod authorizer;
mod operation;

mod format;
mod store;
mod worker;

mod ca;
mod crypto_token;
mod memory;
mod refusals;
mod uploads;
mod validation;

pub use config::{Config, KINDS, configure};
pub use start::{Running, StartError, start};
