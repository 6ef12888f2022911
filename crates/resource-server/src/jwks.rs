//! The key set of one issuer, fetched from its `jwks_uri` and kept.
//!
//! [`cache`] decides and does nothing else; [`fetch`] does what it decided. What is here joins the two: the set at
//! hand is one immutable [`KeySet`] behind an `ArcSwap`, so that a request that finds it fresh takes no lock. A
//! fetch runs in a task of its own: a request that is cancelled while it waits takes nothing with it.

pub(crate) mod cache;
pub(crate) mod fetch;

use crate::{ConfigError, IssuerConfig};
use arc_swap::ArcSwapOption;
use cache::{Cache, Step};
use fetch::{Fetch, FetchError, HttpFetch};
use sealwright_jose::{JwkSet, jws::Verifier};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, time::Instant};
use url::Url;

/// How key sets from afar are fetched and kept.
///
/// # Examples
///
/// ```
/// use sealwright_resource_server::JwksOptions;
/// use std::time::Duration;
///
/// let options = JwksOptions { refresh: Duration::from_secs(60), ..JwksOptions::default() };
/// ```
#[derive(Clone, Debug)]
pub struct JwksOptions {
    /// How old a set may become before it is fetched again: a key that its issuer removed stops working after
    /// this time. The fetch starts a little earlier, in the background, so that requests need not wait for it.
    /// Default 300 s.
    pub refresh: Duration,
    /// How old a set may become while fetching it again fails. Default 3600 s.
    pub max_stale: Duration,
    /// How long after a refresh because of an unknown key no other such refresh is made, and the longest pause
    /// between attempts while they fail. Default 30 s.
    pub cooldown: Duration,
    /// How long one fetch may take, from the name's lookup to the last byte. Default 5 s.
    pub timeout: Duration,
    /// How long the body may be; never more than 1 MiB. Default 256 KiB.
    pub max_bytes: usize,
    /// How many keys a set may have, usable or not; never more than 256, which is also the default.
    pub max_keys: usize,
    /// Plain http is refused unless the host is loopback and this is set. Default `false`.
    pub allow_http_loopback: bool,
}

impl Default for JwksOptions {
    fn default() -> Self {
        Self {
            refresh: Duration::from_secs(300),
            max_stale: Duration::from_secs(3600),
            cooldown: Duration::from_secs(30),
            timeout: Duration::from_secs(5),
            max_bytes: 256 * 1024,
            max_keys: 256,
            allow_http_loopback: false,
        }
    }
}

impl JwksOptions {
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        // A cooldown of zero is no mistake: tests and small installations may want every unknown key looked up.
        let zero = [
            ("refresh", self.refresh.is_zero()),
            ("max_stale", self.max_stale.is_zero()),
            ("timeout", self.timeout.is_zero()),
            ("max_bytes", self.max_bytes == 0),
            ("max_keys", self.max_keys == 0),
        ];
        match zero.into_iter().find(|(_, zero)| *zero) {
            Some((option, _)) => Err(ConfigError::OptionZero { option }),
            None => Ok(()),
        }
    }
}

/// What is known of one issuer's remote keys: for a health page or a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeySetStatus {
    /// Whose keys.
    pub issuer: String,
    /// Where they come from.
    pub uri: Url,
    /// How long ago the set at hand was fetched; `None` before the first fetch that succeeded.
    pub age: Option<Duration>,
    /// Keys in it that tokens may be verified with.
    pub usable_keys: usize,
    /// Keys in it that are of another kind, broken, or not allowed.
    pub skipped_keys: usize,
    /// Failed attempts since the last one that succeeded.
    pub failures: u32,
}

/// A set as it was fetched, ready to verify with.
#[derive(Debug)]
pub(crate) struct KeySet {
    verifier: Verifier,
    /// From when on (since `RemoteKeys::origin`) a request asks the cache whether to fetch it again.
    ask_at: Duration,
    generation: u64,
    usable_keys: usize,
    skipped_keys: usize,
}

impl KeySet {
    pub(crate) fn verifier(&self) -> &Verifier {
        &self.verifier
    }
}

/// The keys of one issuer.
pub(crate) struct RemoteKeys {
    terms: IssuerConfig,
    options: JwksOptions,
    fetch: Box<dyn Fetch>,
    snapshot: ArcSwapOption<KeySet>,
    /// Locked for single steps of the state machine only, never across an `.await`.
    cache: Mutex<Cache>,
    /// Counts the attempts that have ended, to wake those who wait for one.
    ended: watch::Sender<u64>,
    /// Where the cache's time starts. It is the monotonic clock, because turning the wall clock must neither
    /// keep an old set alive nor start a storm of fetches.
    origin: Instant,
}

impl fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeys").field("snapshot", &self.snapshot).finish_non_exhaustive()
    }
}

impl RemoteKeys {
    pub(crate) fn over_http(
        terms: IssuerConfig,
        uri: &Url,
        options: &JwksOptions,
    ) -> Result<Arc<Self>, ConfigError> {
        match HttpFetch::new(uri.clone(), options) {
            Ok(fetch) => Ok(Self::new(terms, options.clone(), Box::new(fetch))),
            Err(source) => Err(ConfigError::HttpClient { issuer: terms.issuer, source }),
        }
    }

    pub(crate) fn new(terms: IssuerConfig, options: JwksOptions, fetch: Box<dyn Fetch>) -> Arc<Self> {
        Arc::new(Self {
            cache: Mutex::new(Cache::new(&options)),
            terms,
            options,
            fetch,
            snapshot: ArcSwapOption::empty(),
            ended: watch::Sender::new(0),
            origin: Instant::now(),
        })
    }

    /// The set to verify with, if one is at hand that may be used without waiting.
    pub(crate) fn at_hand(self: &Arc<Self>) -> Option<Arc<KeySet>> {
        let set = self.snapshot.load_full()?;
        let now = self.origin.elapsed();
        if now < set.ask_at {
            return Some(set);
        }
        let step = self.cache().request(now);
        self.begin(step);
        step.may_use().then_some(set)
    }

    /// The set to verify with; waits for it if it must. `None`: there is none that may be used.
    pub(crate) async fn obtain(self: &Arc<Self>) -> Option<Arc<KeySet>> {
        let (step, ended) = {
            let mut cache = self.cache();
            (cache.request(self.origin.elapsed()), self.ended.subscribe())
        };
        self.follow(step, ended).await;
        self.cache().may_use(self.origin.elapsed()).then(|| self.snapshot.load_full()).flatten()
    }

    /// A newer set than `old`, in which a token's key was not found; `None` if there is none to be had now.
    pub(crate) async fn newer_than(self: &Arc<Self>, old: &KeySet) -> Option<Arc<KeySet>> {
        let (step, ended) = {
            let mut cache = self.cache();
            (cache.unknown_key(self.origin.elapsed(), old.generation), self.ended.subscribe())
        };
        self.follow(step, ended).await;
        self.snapshot.load_full().filter(|set| set.generation > old.generation)
    }

    pub(crate) fn status(&self, uri: &Url) -> KeySetStatus {
        let (age, failures) = {
            let cache = self.cache();
            (cache.age(self.origin.elapsed()), cache.failures())
        };
        let set = self.snapshot.load();
        KeySetStatus {
            issuer: self.terms.issuer.clone(),
            uri: uri.clone(),
            age,
            usable_keys: set.as_ref().map_or(0, |set| set.usable_keys),
            skipped_keys: set.as_ref().map_or(0, |set| set.skipped_keys),
            failures,
        }
    }

    /// `ended` was subscribed to in the same critical section that gave `step`, so that the end of the fetch
    /// to wait for cannot be missed.
    async fn follow(self: &Arc<Self>, step: Step, mut ended: watch::Receiver<u64>) {
        self.begin(step);
        if step.must_wait() {
            // Fails only without a sender, and that lives as long as `self`.
            let _ = ended.changed().await;
        }
    }

    fn begin(self: &Arc<Self>, step: Step) {
        if step.must_fetch() {
            let attempt = Attempt { keys: Arc::clone(self), ended: false };
            tokio::spawn(attempt.run());
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        // No step of the state machine panics halfway, so that a poisoned lock guards a sound state.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the set as a whole, so that a key that its issuer removed drops out.
    fn store(&self, mut set: KeySet) {
        let mut cache = self.cache();
        let now = self.origin.elapsed();
        set.generation = cache.fetched(now);
        set.ask_at = now.saturating_add(cache.ahead());
        self.snapshot.store(Some(Arc::new(set)));
        self.wake(&cache);
    }

    fn failed(&self) -> u32 {
        let mut cache = self.cache();
        cache.failed(self.origin.elapsed());
        self.wake(&cache);
        cache.failures()
    }

    /// Under the lock, so that whoever asks the cache after this attempt is not woken by it.
    fn wake(&self, _locked: &MutexGuard<'_, Cache>) {
        self.ended.send_modify(|ended| *ended = ended.wrapping_add(1));
    }

    async fn fetch(&self) -> Result<KeySet, FetchError> {
        let body = match tokio::time::timeout(self.options.timeout, self.fetch.fetch()).await {
            Ok(body) => body?,
            Err(_) => return Err(FetchError::Timeout),
        };
        let text = std::str::from_utf8(&body).map_err(|_| FetchError::NotAJwkSet)?;
        let set = JwkSet::parse(text, &self.terms.algs).map_err(FetchError::JwkSet)?;
        if set.keys().len() + set.skipped().len() > self.options.max_keys {
            return Err(FetchError::TooManyKeys { max: self.options.max_keys });
        }
        for (index, error) in set.skipped() {
            tracing::debug!(issuer = self.terms.issuer, index, %error, "a key of the JWK set is skipped");
        }
        Ok(KeySet {
            verifier: self.terms.policy().keys(&set).build().map_err(FetchError::Verifier)?,
            ask_at: Duration::ZERO, // this and the next are known when it is stored
            generation: 0,
            usable_keys: set.keys().len(),
            skipped_keys: set.skipped().len(),
        })
    }
}

/// One fetch. However it ends (done, failed, panicked, or dropped with its runtime), the cache hears of it and
/// those who wait are woken, because `Drop` says so.
struct Attempt {
    keys: Arc<RemoteKeys>,
    ended: bool,
}

impl Attempt {
    async fn run(mut self) {
        let fetched = self.keys.fetch().await;
        self.end(fetched.map_err(Some));
    }

    fn end(&mut self, fetched: Result<KeySet, Option<FetchError>>) {
        self.ended = true;
        let keys = &*self.keys;
        let issuer = keys.terms.issuer.as_str();
        match fetched {
            Ok(set) => {
                let (usable, skipped) = (set.usable_keys, set.skipped_keys);
                keys.store(set);
                tracing::debug!(issuer, usable, skipped, "JWK set fetched");
                if usable == 0 {
                    tracing::warn!(issuer, "the JWK set has no usable key, so that no token can pass");
                }
            }
            Err(error) => {
                let failures = keys.failed();
                match error.as_ref().map(|error| error as &(dyn std::error::Error + 'static)) {
                    Some(error) => {
                        tracing::warn!(issuer, failures, error, "the JWK set could not be fetched");
                    }
                    None => tracing::warn!(issuer, failures, "the fetch of the JWK set was cut off"),
                }
            }
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if !self.ended {
            self.end(Err(None));
        }
    }
}

#[cfg(test)]
mod tests;
