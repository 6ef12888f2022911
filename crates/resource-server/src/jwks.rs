//! The key sets of issuers, fetched from afar and kept.
//!
//! [`cache`] decides and does nothing else; [`fetch`] does what it decided; [`remote`] joins the two for one document.
//! [`key_sets`] hands out one such document for each address, and [`issuer_keys`] makes of it the verifier of one
//! issuer; where that is for the issuer's metadata to say, [`discovered`] follows it. [`events`] hears of changes.

mod cache;
mod discovered;
mod events;
pub mod fetch;
mod freshness;
mod issuer_keys;
mod key_sets;
mod options;
mod remote;
mod status;

pub(crate) use fetch::FetchError;
pub(crate) use issuer_keys::{KeySet, PublishedKeys, RemoteKeys};
pub use key_sets::KeySets;
pub use options::JwksOptions;
pub(crate) use remote::NoNewer;
pub use status::{Fetches, KeySetStatus, MetadataStatus};

#[cfg(test)]
mod tests;
