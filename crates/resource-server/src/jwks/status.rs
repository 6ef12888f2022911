//! What is known of the keys of an issuer, for a health page or a log.

use super::remote::{Remote, Status};
use crate::issuer::discovery::Metadata;
use std::time::Duration;
use url::Url;

/// What is known of one issuer's remote keys: for a health page or a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeySetStatus {
    /// Whose keys.
    pub issuer: String,
    /// Where they come from; `None` while the issuer's metadata has not said it yet.
    pub uri: Option<Url>,
    /// How long ago the set at hand was fetched, or last found to be unchanged; `None` before the first fetch that
    /// succeeded.
    pub age: Option<Duration>,
    /// In how long it is fetched again without a request; `None` while a fetch is under way, and before the first.
    /// Without [`background`](crate::JwksOptions::background) a request after that time causes the fetch.
    pub next_refresh: Option<Duration>,
    /// Keys in it that tokens may be verified with.
    pub usable_keys: usize,
    /// Keys in it that are of another kind, broken, or not allowed.
    pub skipped_keys: usize,
    /// Whether the source named a version of the set (`ETag`), so that one that did not change is not sent again.
    pub has_etag: bool,
    /// Failed attempts since the last one that succeeded.
    pub failures: u32,
    /// Why the last attempt failed; `None` if it succeeded. It holds no address and nothing that the source sent.
    pub last_error: Option<String>,
    /// How many attempts since the start brought a new set, the same one again, or none.
    pub fetches: Fetches,
    /// Of an issuer that is [discovered](crate::IssuerConfig::discovery): what is known of its metadata.
    pub metadata: Option<MetadataStatus>,
}

/// What is known of the metadata of an issuer, which says where its keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetadataStatus {
    /// Where it was found, or is looked for first.
    pub uri: Url,
    /// How long ago it was fetched, or last found to be unchanged.
    pub age: Option<Duration>,
    /// In how long it is fetched again without a request.
    pub next_refresh: Option<Duration>,
    /// Failed attempts since the last one that succeeded.
    pub failures: u32,
    /// Why the last attempt failed; `None` if it succeeded.
    pub last_error: Option<String>,
    /// How many attempts since the start brought a new document, the same one again, or none.
    pub fetches: Fetches,
}

/// How the attempts to fetch a document went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fetches {
    /// Those that brought a new document.
    pub changed: u64,
    /// Those that found the same one again.
    pub unchanged: u64,
    /// Those that brought none.
    pub failed: u64,
}

impl KeySetStatus {
    /// That nothing is known yet.
    pub(super) fn of(issuer: String) -> Self {
        Self {
            issuer,
            uri: None,
            age: None,
            next_refresh: None,
            usable_keys: 0,
            skipped_keys: 0,
            has_etag: false,
            failures: 0,
            last_error: None,
            fetches: Fetches::default(),
            metadata: None,
        }
    }
}

impl MetadataStatus {
    pub(super) fn of(remote: &Remote<Metadata>) -> Self {
        let Status { age, next_refresh, failures, last_error, fetches, .. } = remote.status();
        Self { uri: remote.uri().clone(), age, next_refresh, failures, last_error, fetches }
    }
}
