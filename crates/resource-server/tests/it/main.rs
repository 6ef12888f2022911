//! What an API and its clients see of the crate.
#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails the test that called it")]

mod assurance;
mod boundaries;
mod compat;
mod config;
mod discovery;
mod doors;
mod events;
mod explain;
mod https;
mod introspection;
mod keys;
mod metadata;
mod metrics;
mod mtls;
mod page;
mod proofs;
mod races;
mod refusals;
mod requirements;
mod rules;
mod sender;
mod sources;
mod spans;
mod support;
mod verified;
