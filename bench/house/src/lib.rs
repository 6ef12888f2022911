//! What all candidates share: the fixture that they read, and the protocol by which the driver runs their operations
//! in turn.
//!
//! Each candidate is a process of its own, because some of their libraries cannot live in one (two OpenSSLs, two
//! back ends chosen for a whole process). The driver asks one after the other for a short batch, so that a noisy moment
//! hits all of them alike.
#![warn(missing_docs)]

mod count;
mod fixture;
mod operation;
mod serve;

pub use count::count;
pub use fixture::{Attached, Fixture, Keys, fixture_path, peak_memory_kib};
pub use operation::Operation;
pub use serve::{Calibration, serve};
