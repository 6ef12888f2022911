//! Counters for Prometheus (OpenMetrics text), as a value: whoever scrapes owns the registry.
//!
//! | metric | labels | what it says |
//! |---|---|---|
//! | `requests_accepted_total` | | requests that passed |
//! | `requests_refused_total` | `code` | requests that did not, by [`TokenError::code`] or the code of the requirement |
//! | `verified_tokens` | | tokens that are remembered now |
//! | `verified_tokens_bytes` | | what they take |
//! | `verified_tokens_hits_total`, `_misses_total`, `_evictions_total` | | how the memory is used |
//! | `revoked_tokens` | | revocations whose tokens have not expired yet |
//! | `key_set_age_seconds`, `key_set_usable_keys`, `key_set_failures` | `issuer` | the key set at hand, and the failed attempts since |
//! | `key_set_fetches_total` | `issuer`, `outcome` | `changed`, `unchanged` or `failed` |
//! | `issuer_metadata_age_seconds`, `issuer_metadata_failures` | `issuer` | of a [discovered](crate::IssuerConfig::discovery) issuer: the metadata at hand, and the failed attempts since |
//! | `issuer_metadata_fetches_total` | `issuer`, `outcome` | as above; while there is no metadata, no key set is fetched |
//!
//! A request that passed and is refused further in, by an inner layer or because its claims do not fit the type of a
//! [`Token<C>`](crate::Token), is counted as both.
//!
//! No label comes from a request: an issuer is one of the configuration.

use crate::{
    Authenticator, Fetches, KeySetStatus, Requirements, TokenError, authenticator::WeakAuthenticator,
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{
        MetricType,
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::ConstGauge,
    },
    registry::Registry,
};
use std::fmt;

/// How requests were decided; shared by the clones of an authenticator.
pub(crate) struct Decisions {
    accepted: Counter,
    refused: Family<[(&'static str, &'static str); 1], Counter>,
}

impl Decisions {
    pub(crate) fn new() -> Self {
        let decisions = Self { accepted: Counter::default(), refused: Family::default() };
        // What has not happened yet is zero, and not missing: an alert can be written beforehand.
        for code in TokenError::ALL.iter().map(TokenError::code).chain(Requirements::CODES) {
            let _ = decisions.refused.get_or_create(&[("code", code)]);
        }
        decisions
    }

    pub(crate) fn accept(&self) {
        self.accepted.inc();
    }

    pub(crate) fn refuse(&self, code: &'static str) {
        self.refused.get_or_create(&[("code", code)]).inc();
    }

    fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let (name, help) = ("requests_accepted", "Requests whose token passed");
        self.accepted.encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)?;
        let (name, help) = ("requests_refused", "Requests that were refused, by reason");
        self.refused.encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)
    }
}

impl Authenticator {
    /// Registers what this authenticator counts, and what it can say of its keys when it is scraped; the module's table
    /// names it all. The registry decides about a prefix.
    ///
    /// The registry does not keep the authenticator, and of one that is gone it says nothing: when the configuration is
    /// read again, the new one is registered beside the old one. Several that live side by side need a prefix each
    /// ([`Registry::sub_registry_with_prefix`]), because no name may be there twice.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sealwright_jose::{Alg, SigningKey};
    /// # use sealwright_resource_server::{Authenticator, IssuerConfig};
    /// use prometheus_client::{encoding::text::encode, registry::Registry};
    ///
    /// # let keys = [SigningKey::generate(Alg::Es256)?.verifying_key()];
    /// # let issuer = IssuerConfig::new("https://id.example.com", "https://api.example.com").fixed_keys(keys);
    /// # let authenticator = Authenticator::builder().issuer(issuer).build()?;
    /// let mut registry = Registry::with_prefix("api");
    /// authenticator.register_metrics(&mut registry);
    ///
    /// let mut text = String::new();
    /// encode(&mut text, &registry)?;
    /// assert!(text.contains("api_requests_accepted_total 0\n"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn register_metrics(&self, registry: &mut Registry) {
        registry.register_collector(Box::new(State(self.downgrade())));
    }
}

/// What is looked at, at each scrape.
#[derive(Debug)]
struct State(WeakAuthenticator);

impl Collector for State {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(authenticator) = self.0.upgrade() else { return Ok(()) };
        authenticator.decisions().encode(&mut encoder)?;
        let verified = authenticator.verified_tokens();
        let revoked = authenticator.revocations().revoked().living(authenticator.now_s());
        for (name, help, value) in [
            ("verified_tokens", "Verified tokens that are remembered", verified.entries as u64),
            ("verified_tokens_bytes", "Memory that they take", verified.bytes),
            ("revoked_tokens", "Revoked tokens that are remembered", revoked as u64),
        ] {
            let metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)).encode(metric)?;
        }
        for (name, help, value) in [
            ("verified_tokens_hits", "Tokens that need not be verified again", verified.hits),
            ("verified_tokens_misses", "Tokens that had to be verified", verified.misses),
            ("verified_tokens_evictions", "Tokens that made room for others", verified.evictions),
        ] {
            let metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            ConstCounter::new(value).encode(metric)?;
        }
        let sets = authenticator.key_sets();
        key_sets(&sets, &mut encoder)?;
        metadata(&sets, &mut encoder)
    }
}

fn key_sets(sets: &[KeySetStatus], encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let known = || sets.iter().map(|set| (set.issuer.as_str(), set));
    let age = known().filter_map(|(issuer, set)| Some((issuer, set.age?.as_secs_f64())));
    gauge(encoder, "key_set_age_seconds", "Age of the issuer's key set", age)?;
    let usable = known().filter_map(|(issuer, set)| Some((issuer, i64::try_from(set.usable_keys).ok()?)));
    gauge(encoder, "key_set_usable_keys", "Keys in it that can verify", usable)?;
    let failures = known().map(|(issuer, set)| (issuer, i64::from(set.failures)));
    gauge(encoder, "key_set_failures", "Failed fetches since the last that succeeded", failures)?;
    let attempts = known().map(|(issuer, set)| (issuer, set.fetches));
    fetches(encoder, "key_set_fetches", "Attempts to fetch the issuer's key set, by outcome", attempts)
}

/// While the metadata is missing, nobody knows where the keys are: no key set is fetched then, and none fails.
fn metadata(sets: &[KeySetStatus], encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let known = || sets.iter().filter_map(|set| Some((set.issuer.as_str(), set.metadata.as_ref()?)));
    let age = known().filter_map(|(issuer, metadata)| Some((issuer, metadata.age?.as_secs_f64())));
    gauge(encoder, "issuer_metadata_age_seconds", "Age of the metadata that says where the keys are", age)?;
    let failures = known().map(|(issuer, metadata)| (issuer, i64::from(metadata.failures)));
    gauge(encoder, "issuer_metadata_failures", "Failed fetches since the last that succeeded", failures)?;
    let attempts = known().map(|(issuer, metadata)| (issuer, metadata.fetches));
    fetches(
        encoder,
        "issuer_metadata_fetches",
        "Attempts to fetch the issuer's metadata, by outcome",
        attempts,
    )
}

fn gauge<'i, N>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: impl Iterator<Item = (&'i str, N)>,
) -> fmt::Result
where
    ConstGauge<N>: EncodeMetric,
{
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (issuer, value) in values {
        ConstGauge::new(value).encode(metric.encode_family(&[("issuer", issuer)])?)?;
    }
    Ok(())
}

fn fetches<'i>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    attempts: impl Iterator<Item = (&'i str, Fetches)>,
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (issuer, Fetches { changed, unchanged, failed }) in attempts {
        for (outcome, count) in [("changed", changed), ("unchanged", unchanged), ("failed", failed)] {
            let labels = [("issuer", issuer), ("outcome", outcome)];
            ConstCounter::new(count).encode(metric.encode_family(&labels)?)?;
        }
    }
    Ok(())
}
