//! The keys of an issuer whose metadata says where they are.

use super::{
    KeySetStatus, KeySets, MetadataStatus,
    issuer_keys::{KeySet, View},
    remote::{Document, NoNewer, Remote},
};
use crate::{IssuerConfig, issuer::discovery::Metadata};
use arc_swap::ArcSwapOption;
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;
use url::Url;

/// An issuer whose metadata says where its keys are.
pub(super) struct Discovered {
    sets: KeySets,
    metadata: Arc<Remote<Metadata>>,
    /// Where the metadata says that the keys are: the only place that is asked for any.
    place: ArcSwapOption<Place>,
    /// So that whoever finds that the keys have moved does not move them back.
    moving: Mutex<()>,
}

struct Place {
    view: View,
    /// The generation of the newest metadata that named it.
    named_by: AtomicU64,
    /// Where that metadata says that changes are told.
    events: Mutex<Option<Url>>,
    /// What serves until this place gives keys.
    before: Option<Arc<LeftBehind>>,
}

/// A set from a place that the metadata names no longer. Nobody asks there any more, so that whoever has that place
/// now can neither add a key nor make the old ones last.
struct LeftBehind {
    set: Arc<KeySet>,
    since: Instant,
    /// How old the set was then, and how much older it may become.
    age: Duration,
    rest: Duration,
}

impl Discovered {
    pub(super) fn new(sets: KeySets, metadata: Arc<Remote<Metadata>>) -> Self {
        Self { sets, metadata, place: ArcSwapOption::empty(), moving: Mutex::default() }
    }

    pub(super) fn with_set_at_hand<T>(
        &self,
        now: Instant,
        terms: &IssuerConfig,
        look: impl Fn(&Arc<KeySet>) -> T,
    ) -> Option<T> {
        let metadata = self.metadata.at_hand(now);
        let metadata = metadata.as_ref()?;
        let place = self.place.load();
        // What this very document named is where it says, whatever that is.
        let is_named = |place: &&Arc<Place>| place.named_by.load(Ordering::Relaxed) == metadata.generation;
        match place.as_ref().filter(is_named) {
            Some(place) => place.with_set_at_hand(now, terms, look),
            None => self.place(metadata, terms).with_set_at_hand(now, terms, look),
        }
    }

    pub(super) async fn obtain(&self, terms: &IssuerConfig) -> Option<Arc<KeySet>> {
        let metadata = self.metadata.obtain().await?;
        let place = self.place(&metadata, terms);
        place.view.obtain(terms).await.or_else(|| place.before())
    }

    pub(super) async fn newer_than(
        &self,
        old: &KeySet,
        terms: &IssuerConfig,
    ) -> Result<Arc<KeySet>, NoNewer> {
        let metadata = self.metadata.latest().ok_or(NoNewer::NotAsked)?;
        // As long as the place that is named now has given nothing, nobody knows what it has.
        let mut missing = NoNewer::NotAsked;
        let place = self.place(&metadata, terms);
        if place.view.remote.latest().is_some_and(|now| Arc::ptr_eq(&now, &old.document)) {
            missing = match place.view.newer_than(old, terms).await {
                Ok(newer) => return Ok(newer),
                Err(missing) => missing,
            };
            // The key may be where the keys are now, unless the metadata has said just now that they are here: an unknown
            // key costs one fetch then, and not two. The cooldown holds for the metadata as well.
            if !self.is_metadata_fresh()
                && let Err(NoNewer::NotAsked) = self.metadata.newer_than(metadata.generation).await
            {
                missing = NoNewer::NotAsked;
            }
        }
        let set = self.obtain(terms).await.ok_or(NoNewer::NotAsked)?;
        if Arc::ptr_eq(&set.document, &old.document) { Err(missing) } else { Ok(set) }
    }

    /// Whether the metadata is so young that no source could ask for it to be fetched again.
    fn is_metadata_fresh(&self) -> bool {
        self.metadata.age().is_some_and(|age| age < self.sets.options().min_refresh)
    }

    pub(super) fn status(&self, terms: &IssuerConfig, issuer: String) -> KeySetStatus {
        let metadata = Some(MetadataStatus::of(&self.metadata));
        let Some(named) = self.metadata.latest() else {
            return KeySetStatus { metadata, ..KeySetStatus::of(issuer) };
        };
        let place = self.place(&named, terms);
        let status = KeySetStatus { metadata, ..place.view.status(terms, issuer) };
        match place.waiting() {
            None => status,
            Some(before) => KeySetStatus {
                uri: Some(before.set.uri.clone()),
                age: Some(before.age.saturating_add(before.since.elapsed())),
                usable_keys: before.set.usable_keys,
                skipped_keys: before.set.skipped_keys,
                ..status
            },
        }
    }

    /// Where the metadata says that the keys are; the same place until it names another one.
    fn place(&self, metadata: &Arc<Document<Metadata>>, terms: &IssuerConfig) -> Arc<Place> {
        let is_at =
            |place: &Arc<Place>, named: &Document<Metadata>| *place.view.remote.uri() == named.value.jwks_uri;
        if let Some(place) = self.place.load_full().filter(|place| is_at(place, metadata)) {
            if place.named_by.load(Ordering::Relaxed) < metadata.generation {
                self.listen_as_named(&place, metadata);
            }
            return place;
        }
        let _moving = self.moving.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever comes late with an old document finds what the newest one says.
        let newest = self.metadata.latest();
        let newest = newest.as_ref().unwrap_or(metadata);
        let left = self.place.load_full();
        if let Some(place) = left.as_ref().filter(|place| is_at(place, newest)) {
            return Arc::clone(place);
        }
        let before = left.and_then(|left| left.leave(newest.said_since, terms));
        let place = Arc::new(Place {
            view: View::new(self.sets.set(&newest.value.jwks_uri)),
            named_by: AtomicU64::new(newest.generation),
            events: Mutex::default(),
            before,
        });
        place.listen_at(self.events(newest));
        self.place.store(Some(Arc::clone(&place)));
        place
    }

    /// The keys are where they were, but the metadata is new: it may name another address for news of them.
    fn listen_as_named(&self, place: &Place, metadata: &Document<Metadata>) {
        let _moving = self.moving.lock().unwrap_or_else(PoisonError::into_inner);
        if place.named_by.fetch_max(metadata.generation, Ordering::Relaxed) < metadata.generation {
            place.listen_at(self.events(metadata));
        }
    }

    fn events<'m>(&self, metadata: &'m Document<Metadata>) -> Option<&'m Url> {
        metadata.value.jwks_events_uri.as_ref().filter(|_| self.sets.options().events)
    }
}

impl Place {
    fn with_set_at_hand<T>(
        &self,
        now: Instant,
        terms: &IssuerConfig,
        look: impl Fn(&Arc<KeySet>) -> T,
    ) -> Option<T> {
        self.view.with_set_at_hand(now, terms, &look).or_else(|| {
            let before = self.waiting()?;
            self.view.remote.ask();
            Some(look(&before.set))
        })
    }

    /// The set may be shared with others, who know of another address: they are overruled only by news.
    fn listen_at(&self, named: Option<&Url>) {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if events.as_ref() != named {
            *events = named.cloned();
            self.view.remote.listen_at(named);
        }
    }

    /// What is left of this place, which the metadata has not named since that moment.
    fn leave(&self, since: Instant, terms: &IssuerConfig) -> Option<Arc<LeftBehind>> {
        let Some((document, age, rest)) = self.view.remote.remains() else {
            return self.waiting().cloned();
        };
        // What came after the move is not the issuer's word, but that of whoever has the place now. And what it
        // said of old keys since does not make them younger.
        if document.came > since {
            return None;
        }
        let late = since.elapsed().saturating_sub(age);
        let (age, rest) = (age.saturating_add(late), rest.checked_sub(late)?);
        let set = self.view.set_of(&document, terms)?;
        Some(Arc::new(LeftBehind { set, since: Instant::now(), age, rest }))
    }

    /// What serves while nobody has answered here yet.
    fn waiting(&self) -> Option<&Arc<LeftBehind>> {
        let before = self.before.as_ref()?;
        let serves = before.since.elapsed() < before.rest && self.view.remote.latest().is_none();
        serves.then_some(before)
    }

    fn before(&self) -> Option<Arc<KeySet>> {
        self.waiting().map(|before| Arc::clone(&before.set))
    }
}
