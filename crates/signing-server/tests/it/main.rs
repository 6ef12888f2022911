//! The signing server through its front door: resources in, HTTP over loopback, the database looked at afterwards.
#![expect(clippy::unwrap_used, reason = "a test ends where its surroundings do not work")]

mod support;

mod certificate;
mod config;
mod context;
mod discovery;
mod large;
mod log;
mod once;
mod refuse;
mod restart;
mod sign;
mod stranger;
mod validate;
