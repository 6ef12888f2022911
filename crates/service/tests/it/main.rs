//! What the servers lean on, from the outside.
mod database;
mod http;
mod resource;
mod telemetry;
