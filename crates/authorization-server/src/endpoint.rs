//! The wire: each handler reads a request, makes one call, and writes the answer.

pub(crate) mod admin;
pub(crate) mod approve;
pub(crate) mod assets;
pub(crate) mod authorize;
pub(crate) mod console;
pub(crate) mod contexts;
pub(crate) mod interaction;
pub(crate) mod json_body;
pub(crate) mod json_login;
pub(crate) mod jwks;
pub(crate) mod jwks_events;
pub(crate) mod login;
pub(crate) mod metadata;
pub(crate) mod metrics;
pub(crate) mod next;
pub(crate) mod par;
pub(crate) mod params;
pub(crate) mod peer;
pub(crate) mod second_factor;
pub(crate) mod token;
