//! The keys that sign tokens.
//!
//! `plan` has the timings; `record` what is kept about a key and how it changes; `decide` what is due, as a function of keys,
//! replicas and time, and `operate` what operators ask for; `declared` the keys that resources name; `transaction` writes
//! changes down, one after the other; `replica` is the loop of each process; `snapshot` is what requests see, and `meter` counts
//! what they sign. Nothing else here happens while a request waits.

pub(crate) mod decide;
pub(crate) mod declared;
pub(crate) mod meter;
pub(crate) mod operate;
pub(crate) mod plan;
pub(crate) mod record;
pub(crate) mod replica;
pub(crate) mod snapshot;
pub(crate) mod transaction;

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
