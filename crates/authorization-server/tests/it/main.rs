//! The authorization server through its real router: exact status, headers that matter, body, audit log.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as the tests do")]

mod browser;
mod world;

mod administration;
mod algorithms;
mod client_credentials;
mod configuration;
mod contexts;
mod declared_keys;
mod documents;
mod happy_path;
mod id_tokens;
mod json_login;
mod logs;
mod pages;
mod pushed_requests;
mod requests;
mod second_factor;
mod throttling;
mod tokens;
