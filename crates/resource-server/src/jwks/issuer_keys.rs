//! The keys of one issuer: its own verifier of a set that others may share, wherever that set is today.

use super::{
    KeySetStatus, KeySets,
    discovered::Discovered,
    remote::{Document, NoNewer, Remote},
};
use crate::{ConfigError, IssuerConfig, KeySource};
use arc_swap::ArcSwapOption;
use sealwright_jose::{
    JwkSet, VerifyingKey,
    jws::{BuildError, Verifier},
};
use std::{
    fmt, ptr,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::time::Instant;
use url::Url;

/// A set, ready to verify with on the terms of one issuer.
#[derive(Debug)]
pub(crate) struct KeySet {
    verifier: Verifier,
    keys: Arc<PublishedKeys>,
    pub(super) document: Arc<Document<()>>,
    pub(super) uri: Url,
    pub(super) usable_keys: usize,
    pub(super) skipped_keys: usize,
}

/// The keys of a set that its issuer may use. As long as they stay, sets that follow each other share one of these, and
/// what was verified with them stays verified, whatever else the documents say.
#[derive(Debug)]
pub(crate) struct PublishedKeys(Vec<VerifyingKey>);

impl PublishedKeys {
    /// Whether these are all the same, by algorithm, name and material, in any order: RFC 7517 §5 gives that no meaning.
    fn are(&self, others: &[VerifyingKey]) -> bool {
        let count = |keys: &[VerifyingKey], key| keys.iter().filter(|other| *other == key).count();
        self.0.len() == others.len() && self.0.iter().all(|key| count(&self.0, key) == count(others, key))
    }
}

impl KeySet {
    pub(crate) fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Its keys; the same ones as those of the set before, if they are equal.
    pub(crate) fn keys(&self) -> &Arc<PublishedKeys> {
        &self.keys
    }

    #[cfg(test)]
    pub(crate) fn usable_keys(&self) -> usize {
        self.usable_keys
    }

    #[cfg(test)]
    pub(crate) fn generation(&self) -> u64 {
        self.document.generation
    }
}

/// The keys of one issuer.
pub(crate) struct RemoteKeys {
    terms: IssuerConfig,
    /// The issuer's terms without any key.
    keyless: Verifier,
    source: Source,
}

enum Source {
    Published(Arc<View>),
    Discovered(Box<Discovered>),
}

/// What one issuer sees of a set.
pub(super) struct View {
    pub(super) remote: Arc<Remote<()>>,
    /// Made from one document; compared by its identity with the one at hand.
    set: ArcSwapOption<KeySet>,
    /// So that one request makes the verifier of a new document, and the others do not make it as well.
    making: Mutex<()>,
}

impl fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeys").field("issuer", &self.terms.issuer).finish_non_exhaustive()
    }
}

impl RemoteKeys {
    /// `None`: the keys of these terms do not come from afar.
    pub(crate) fn new(terms: &IssuerConfig, sets: &KeySets) -> Result<Option<Arc<Self>>, ConfigError> {
        let issuer = || terms.issuer.clone();
        let prepare =
            |uri| sets.prepare(uri).map_err(|source| ConfigError::HttpClient { issuer: issuer(), source });
        let source = match &terms.keys {
            KeySource::Fixed(_) => return Ok(None),
            KeySource::JwksUri(uri) => {
                prepare(uri)?;
                let set = sets.set(uri);
                if let Some(events) = terms.jwks_events.as_ref().filter(|_| sets.options().events) {
                    set.listen_always_at(events);
                }
                Source::Published(Arc::new(View::new(set)))
            }
            KeySource::Discovery => {
                let metadata = sets
                    .metadata(&terms.issuer)
                    .map_err(|fault| ConfigError::IssuerUrl { issuer: issuer(), fault })?;
                prepare(metadata.uri())?;
                Source::Discovered(Box::new(Discovered::new(sets.clone(), metadata)))
            }
        };
        let keyless = terms.policy().keys(&JwkSet::default()).build();
        let keyless = keyless.map_err(|source| ConfigError::Verifier { issuer: issuer(), source })?;
        Ok(Some(Arc::new(Self { terms: terms.clone(), keyless, source })))
    }

    /// Refuses what no key could save.
    pub(crate) fn keyless(&self) -> &Verifier {
        &self.keyless
    }

    /// The set to verify with, if one is at hand that may be used without waiting.
    pub(crate) fn at_hand(&self) -> Option<Arc<KeySet>> {
        self.with_set_at_hand(Arc::clone)
    }

    /// Whether the keys of the set at hand are these.
    pub(crate) fn are_still(&self, keys: &Weak<PublishedKeys>) -> bool {
        self.with_set_at_hand(|set| ptr::eq(keys.as_ptr(), Arc::as_ptr(&set.keys))).unwrap_or(false)
    }

    /// Shows the set at hand, if there is one. Every request with a token that was seen before comes here, so the clock is
    /// asked once, and no count is changed that processors would have to agree about.
    fn with_set_at_hand<T>(&self, look: impl Fn(&Arc<KeySet>) -> T) -> Option<T> {
        let now = Instant::now();
        match &self.source {
            Source::Published(view) => view.with_set_at_hand(now, &self.terms, look),
            Source::Discovered(discovered) => discovered.with_set_at_hand(now, &self.terms, look),
        }
    }

    /// The set to verify with; waits for it if it must. `None`: there is none that may be used.
    pub(crate) async fn obtain(&self) -> Option<Arc<KeySet>> {
        match &self.source {
            Source::Published(view) => view.obtain(&self.terms).await,
            Source::Discovered(discovered) => discovered.obtain(&self.terms).await,
        }
    }

    /// A newer set than `old`, in which a token's key was not found.
    pub(crate) async fn newer_than(&self, old: &KeySet) -> Result<Arc<KeySet>, NoNewer> {
        match &self.source {
            Source::Published(view) => view.newer_than(old, &self.terms).await,
            Source::Discovered(discovered) => discovered.newer_than(old, &self.terms).await,
        }
    }

    /// The set of a document, as a request sees it that took that one before it came this far.
    #[cfg(test)]
    pub(crate) fn late_with(&self, document: &Arc<Document<()>>) -> Option<Arc<KeySet>> {
        match &self.source {
            Source::Published(view) => view.set_of(document, &self.terms),
            Source::Discovered(_) => None,
        }
    }

    /// What is known of the keys now.
    pub(crate) fn status(&self) -> KeySetStatus {
        let issuer = self.terms.issuer.clone();
        match &self.source {
            Source::Published(view) => view.status(&self.terms, issuer),
            Source::Discovered(discovered) => discovered.status(&self.terms, issuer),
        }
    }
}

impl View {
    pub(super) fn new(remote: Arc<Remote<()>>) -> Self {
        Self { remote, set: ArcSwapOption::empty(), making: Mutex::default() }
    }

    pub(super) fn with_set_at_hand<T>(
        &self,
        now: Instant,
        terms: &IssuerConfig,
        look: impl Fn(&Arc<KeySet>) -> T,
    ) -> Option<T> {
        let document = self.remote.at_hand(now);
        let document = document.as_ref()?;
        let set = self.set.load();
        match set.as_ref().filter(|set| Arc::ptr_eq(&set.document, document)) {
            Some(set) => Some(look(set)),
            None => self.make(document, terms).as_ref().map(look),
        }
    }

    pub(super) async fn obtain(&self, terms: &IssuerConfig) -> Option<Arc<KeySet>> {
        let document = self.remote.obtain().await?;
        self.set_of(&document, terms)
    }

    pub(super) async fn newer_than(
        &self,
        old: &KeySet,
        terms: &IssuerConfig,
    ) -> Result<Arc<KeySet>, NoNewer> {
        let document = self.remote.newer_than(old.document.generation).await?;
        self.set_of(&document, terms).ok_or(NoNewer::NotAsked)
    }

    /// The set of that document.
    pub(super) fn set_of(&self, document: &Arc<Document<()>>, terms: &IssuerConfig) -> Option<Arc<KeySet>> {
        self.made_from(document).or_else(|| self.make(document, terms))
    }

    fn made_from(&self, document: &Arc<Document<()>>) -> Option<Arc<KeySet>> {
        let set = self.set.load();
        set.as_ref().filter(|set| Arc::ptr_eq(&set.document, document)).cloned()
    }

    /// Makes the verifier, or takes the one that somebody else makes meanwhile. The lock is never held across an
    /// `.await`, because this is no `async` function.
    fn make(&self, document: &Arc<Document<()>>, terms: &IssuerConfig) -> Option<Arc<KeySet>> {
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(set) = self.made_from(document) {
            return Some(set);
        }
        let before = self.set.load();
        match KeySet::new(document, terms, self.remote.uri().clone(), before.as_deref()) {
            Ok(set) => {
                let set = Arc::new(set);
                // Whoever comes late with an old document does not push out the set of a newer one.
                if before.as_ref().is_none_or(|before| before.document.generation < document.generation) {
                    self.set.store(Some(Arc::clone(&set)));
                }
                Some(set)
            }
            // No set that was checked comes here; if one does, its issuer has no keys rather than old ones.
            Err(error) => {
                let error: &(dyn std::error::Error + 'static) = &error;
                tracing::error!(issuer = terms.issuer, error, "the JWK set does not make a verifier");
                None
            }
        }
    }

    pub(super) fn status(&self, terms: &IssuerConfig, issuer: String) -> KeySetStatus {
        let remote = self.remote.status();
        // What is too old to be used is counted all the same: its age is there to be seen.
        let document = self.remote.latest();
        let set = document.and_then(|document| self.set_of(&document, terms));
        KeySetStatus {
            uri: Some(self.remote.uri().clone()),
            age: remote.age,
            next_refresh: remote.next_refresh,
            usable_keys: set.as_ref().map_or(0, |set| set.usable_keys),
            skipped_keys: set.as_ref().map_or(0, |set| set.skipped_keys),
            has_etag: remote.has_etag,
            failures: remote.failures,
            last_error: remote.last_error,
            fetches: remote.fetches,
            ..KeySetStatus::of(issuer)
        }
    }
}

/// Why a set that was checked makes no verifier.
#[derive(Debug, thiserror::Error)]
enum MakeError {
    #[error("the set cannot be read")]
    Set(#[from] sealwright_jose::KeyError),
    #[error("its keys do not go together")]
    Verifier(#[from] BuildError),
}

impl KeySet {
    fn new(
        document: &Arc<Document<()>>,
        terms: &IssuerConfig,
        uri: Url,
        before: Option<&Self>,
    ) -> Result<Self, MakeError> {
        let set = JwkSet::parse(&document.body, &terms.algs)?;
        let (usable, skipped) = (set.keys().len(), set.skipped().len());
        let issuer = terms.issuer.as_str();
        for (index, error) in set.skipped() {
            tracing::debug!(issuer, index, %error, "a key of the JWK set is skipped");
        }
        if usable == 0 {
            tracing::warn!(issuer, skipped, "the JWK set has no usable key, so that no token can pass");
        }
        let (verifier, keys) = match before.filter(|before| before.keys.are(set.keys())) {
            Some(before) => (before.verifier.clone(), Arc::clone(&before.keys)),
            None => (terms.policy().keys(&set).build()?, Arc::new(PublishedKeys(set.keys().to_vec()))),
        };
        Ok(Self {
            verifier,
            keys,
            document: Arc::clone(document),
            uri,
            usable_keys: usable,
            skipped_keys: skipped,
        })
    }
}
