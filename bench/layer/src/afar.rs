//! Key sets and metadata as if from afar: what is kept of them is looked at with every request, and how they came does not
//! matter for that.

use std::{sync::Arc, time::Duration};

use http::HeaderValue;
use sealwright_resource_server::{
    JwksOptions, KeySets,
    fetch::{Answer, Fetch, Pending},
};
use url::Url;

/// Longer than any measurement: nothing is fetched again.
const KEPT: Duration = Duration::from_secs(24 * 3600);

pub(crate) struct Afar {
    jwks_uri: Url,
    set: String,
    metadata: String,
}

impl Afar {
    pub(crate) fn new(issuer: &str, set: String) -> Self {
        let jwks_uri =
            Url::parse(issuer).and_then(|issuer| issuer.join("/jwks")).expect("an issuer is a URL");
        let metadata = format!(r#"{{"issuer":"{issuer}","jwks_uri":"{jwks_uri}"}}"#);
        Self { jwks_uri, set, metadata }
    }

    pub(crate) fn jwks_uri(&self) -> Url {
        self.jwks_uri.clone()
    }

    pub(crate) fn key_sets(self) -> KeySets {
        let options = JwksOptions {
            refresh: KEPT,
            max_refresh: KEPT,
            max_stale: KEPT,
            metadata_refresh: KEPT,
            background: false,
            ..JwksOptions::default()
        };
        KeySets::with_fetch(options, Arc::new(self))
    }
}

impl Fetch for Afar {
    fn fetch<'a>(&'a self, uri: &'a Url, _: &'static str, _: Option<&'a HeaderValue>) -> Pending<'a> {
        let body = if *uri == self.jwks_uri { &self.set } else { &self.metadata };
        let answer = Answer { body: Some(body.clone().into_bytes()), etag: None, fresh_for: Some(KEPT) };
        Box::pin(async { Ok(answer) })
    }
}
