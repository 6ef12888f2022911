//! The testkit's own promises: a tool that is wrong makes every test wrong.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod database;
mod issuer;
