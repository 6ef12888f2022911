//! The signing server through its front door: resources in, HTTP over loopback, the database looked at afterwards.

mod support;

mod certificate;
mod config;
mod context;
mod large;
mod log;
mod once;
mod refuse;
mod restart;
mod sign;
mod validate;
