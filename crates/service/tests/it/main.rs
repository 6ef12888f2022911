//! What the servers lean on, from the outside.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod database;
mod http;
mod resource;
mod telemetry;
