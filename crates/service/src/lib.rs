//! What both Sealwright servers share and neither is about: resource files, the database, the clock,
//! telemetry, health, shutdown and the accept loop.
//!
//! The modules stand in the order in which a server meets them: [`resource`]s are read, a
//! [`database`] is opened, a router answers with [`problem`]s under [`telemetry`], and
//! [`server::serve`] runs it until [`shutdown`] begins. [`clock`], [`random`] and [`secret`] are the
//! small values that all of them pass along.
//!
//! Nothing here knows a key, a token or a document, and nothing here is process-global except the
//! log subscriber, which the binary installs once.
#![warn(missing_docs)]

pub mod resource;

pub mod telemetry;

pub mod shutdown;

pub mod health;

pub mod server;

pub mod database;

pub mod client_address;
pub mod clock;
pub mod json_object;
pub mod problem;
pub mod random;
pub mod secret;
pub mod text;
