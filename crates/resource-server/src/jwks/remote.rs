//! One document from afar, fetched and kept: [`cache`](super::cache) decides, [`fetch`](super::fetch) does what it
//! decided, and here the two are joined.
//!
//! The document at hand is immutable, behind an `ArcSwap`, so that a request that finds it fresh takes no lock. A
//! fetch runs in a task of its own: a request that is cancelled while it waits takes nothing with it. The lock
//! guards single steps of the state machine in functions that are not `async`, so that it cannot be held across an
//! `.await`.

use super::{
    Fetches,
    cache::{AttemptId, Bounds, Cache, Moment, Step, Tick},
    events,
    fetch::{Answer, Fetch, FetchError},
};
use arc_swap::{ArcSwapOption, Guard};
use http::HeaderValue;
use std::{
    error::Error,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::{Notify, watch},
    task::AbortHandle,
    time::{Instant, sleep, timeout},
};
use url::Url;

/// A document as it was fetched.
#[derive(Debug)]
pub(crate) struct Document<T> {
    pub(crate) body: String,
    pub(crate) value: T,
    pub(crate) generation: u64,
    /// When it came; that it was found unchanged since does not count.
    pub(crate) came: Instant,
    /// Since when all documents have had this value.
    pub(crate) said_since: Instant,
    /// Which of the places it came from.
    place: usize,
}

/// Makes a value of a body, or says why it is none.
pub(crate) type Read<T> = Box<dyn Fn(&str) -> Result<T, FetchError> + Send + Sync>;

/// What a document is, where it may be, and how it is kept.
pub(crate) struct Plan<T> {
    /// For the log.
    pub(crate) what: &'static str,
    /// The media types that are asked for.
    pub(crate) accept: &'static str,
    /// In the order in which they are tried: the next one if the source says that there is nothing at this one.
    pub(crate) places: Vec<Url>,
    pub(crate) read: Read<T>,
    pub(crate) bounds: Bounds,
    /// How long a fetch may take.
    pub(crate) timeout: Duration,
    /// How long the body may be, whoever fetches it.
    pub(crate) max_bytes: usize,
    /// Whether it is also refreshed without a request.
    pub(crate) background: bool,
    pub(crate) fetch: Arc<dyn Fetch>,
}

/// What is known of a document: for whoever looks after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) age: Option<Duration>,
    pub(crate) next_refresh: Option<Duration>,
    pub(crate) has_etag: bool,
    pub(crate) failures: u32,
    pub(crate) last_error: Option<String>,
    pub(crate) fetches: Fetches,
}

/// Why there is no newer document than the one at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoNewer {
    /// Its source has none.
    Same,
    /// Its source could not be asked, so that nobody knows.
    NotAsked,
}

/// The document, and whatever must be done to have it.
pub(crate) struct Remote<T> {
    plan: Plan<T>,
    current: ArcSwapOption<Document<T>>,
    /// From when on (nanoseconds since `origin`) a request asks the cache whether to fetch again.
    ask_at: AtomicU64,
    state: Mutex<State>,
    /// Counts the attempts that have ended, to wake those who wait for one.
    ended: watch::Sender<u64>,
    /// Wakes the refresher.
    news: Arc<Notify>,
    /// Where the cache's time starts. It is the monotonic clock, because turning the wall clock must neither
    /// keep an old document alive nor start a storm of fetches.
    origin: Instant,
}

struct State {
    cache: Cache,
    /// That of the document at hand.
    etag: Option<HeaderValue>,
    last_error: Option<String>,
    fetches: Fetches,
    refresher: Option<AbortHandle>,
    listener: Option<AbortHandle>,
    /// Where its source tells of changes: as whoever configured it said, or else as metadata says now.
    configured_events: Option<Url>,
    named_events: Option<Url>,
}

impl State {
    fn events(&self) -> Option<&Url> {
        self.configured_events.as_ref().or(self.named_events.as_ref())
    }
}

/// How an attempt went that did not fail.
struct Fetched<T> {
    /// The body, what it means, and which place it came from; `None`: what is at hand is still what there is.
    new: Option<(String, T, usize)>,
    etag: Option<HeaderValue>,
    fresh_for: Option<Duration>,
}

impl<T> fmt::Debug for Remote<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("places", &self.plan.places).finish_non_exhaustive()
    }
}

impl<T: PartialEq + Send + Sync + 'static> Remote<T> {
    pub(crate) fn new(plan: Plan<T>) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                cache: Cache::new(plan.bounds),
                etag: None,
                last_error: None,
                fetches: Fetches::default(),
                refresher: None,
                listener: None,
                configured_events: None,
                named_events: None,
            }),
            plan,
            current: ArcSwapOption::empty(),
            ask_at: AtomicU64::new(0),
            ended: watch::Sender::new(0),
            news: Arc::default(),
            origin: Instant::now(),
        })
    }

    /// Where the document at hand came from, or else where it is looked for first.
    pub(crate) fn uri(&self) -> &Url {
        let place = self.current.load().as_ref().map_or(0, |document| document.place);
        &self.plan.places[place]
    }

    /// The document, if one is at hand that may be used without waiting. The first fetch is not begun here.
    pub(crate) fn at_hand(self: &Arc<Self>, now: Instant) -> Guard<Option<Arc<Document<T>>>> {
        let document = self.current.load();
        let ask_at = Duration::from_nanos(self.ask_at.load(Ordering::Acquire));
        if document.is_none() || now.duration_since(self.origin) < ask_at {
            return document;
        }
        if self.ask().may_use() { document } else { Guard::from_inner(None) }
    }

    /// What a request has to do now; if that is a fetch, it is begun.
    pub(crate) fn ask(self: &Arc<Self>) -> Step {
        let (step, attempt) = {
            let mut state = self.state();
            (state.cache.request(self.now()), state.cache.attempt())
        };
        self.begin(step, attempt);
        step
    }

    /// The document; waits for it if it must. `None`: there is none that may be used.
    pub(crate) async fn obtain(self: &Arc<Self>) -> Option<Arc<Document<T>>> {
        self.follow(Cache::request).await;
        self.usable()
    }

    /// A newer one than that of `generation`, in which a token's key was not found.
    pub(crate) async fn newer_than(self: &Arc<Self>, generation: u64) -> Result<Arc<Document<T>>, NoNewer> {
        let ended = self.follow(|cache, now| cache.unknown_key(now, generation)).await;
        let newer = self.current.load_full().filter(|document| document.generation > generation);
        newer.ok_or_else(|| {
            let is_down = !ended || self.state().cache.failures() > 0;
            if is_down { NoNewer::NotAsked } else { NoNewer::Same }
        })
    }

    /// The document at hand, if it is not too old.
    pub(crate) fn usable(&self) -> Option<Arc<Document<T>>> {
        self.state().cache.may_use(self.now()).then(|| self.current.load_full()).flatten()
    }

    /// The document at hand, if it is not too old, with its age and how much older it may become.
    pub(crate) fn remains(&self) -> Option<(Arc<Document<T>>, Duration, Duration)> {
        let state = self.state();
        let now = self.now();
        let (age, rest) = (state.cache.age(now)?, state.cache.rest(now)?);
        Some((self.current.load_full()?, age, rest))
    }

    /// How old the document at hand is.
    pub(crate) fn age(&self) -> Option<Duration> {
        self.state().cache.age(self.now())
    }

    /// The document that came last, however old it is: not to be used for tokens.
    pub(crate) fn latest(&self) -> Option<Arc<Document<T>>> {
        self.current.load_full()
    }

    pub(crate) fn status(&self) -> Status {
        let now = self.now();
        let state = self.state();
        Status {
            age: state.cache.age(now),
            next_refresh: state.cache.due(now).map(|due| due.saturating_sub(now)),
            has_etag: state.etag.is_some(),
            failures: state.cache.failures(),
            last_error: state.last_error.clone(),
            fetches: state.fetches,
        }
    }

    /// Does the step that the cache decides on, and waits if that says so. `false`: it has waited in vain.
    async fn follow(self: &Arc<Self>, decide: impl FnOnce(&mut Cache, Moment) -> Step) -> bool {
        // The receiver is made in the same critical section as the step, so that the end of the fetch to wait for
        // cannot be missed.
        let (step, attempt, mut ended) = {
            let mut state = self.state();
            let step = decide(&mut state.cache, self.now());
            (step, state.cache.attempt(), self.ended.subscribe())
        };
        self.begin(step, attempt);
        if !step.must_wait() {
            return true;
        }
        // The fetch has its own limit of time; this one is for a fetch whose runtime stands still.
        let limit = self.plan.timeout.saturating_mul(2);
        match Handle::try_current() {
            Ok(_) => timeout(limit, ended.changed()).await.is_ok(),
            Err(_) => ended.changed().await.is_ok(),
        }
    }

    fn begin(self: &Arc<Self>, step: Step, attempt: AttemptId) {
        if !step.must_fetch() {
            return;
        }
        let mut attempt = Attempt { remote: Arc::clone(self), id: attempt, ended: false };
        match Handle::try_current() {
            Ok(runtime) => {
                self.refresh_in_background(&runtime);
                runtime.spawn(attempt.run());
            }
            Err(_) => attempt.end(Err(FetchError::NoRuntime)),
        }
    }

    /// Starts the refresher, unless there is one or none is wanted. One that ended with its runtime is replaced.
    fn refresh_in_background(self: &Arc<Self>, runtime: &Handle) {
        if !self.plan.background {
            return;
        }
        let mut state = self.state();
        if state.refresher.as_ref().is_none_or(AbortHandle::is_finished) {
            let task = refresh(Arc::downgrade(self), self.ended.subscribe(), Arc::clone(&self.news));
            state.refresher = Some(runtime.spawn(task).abort_handle());
        }
    }

    /// Starts to listen, unless somebody does or there is nothing to listen to. Called by the refresher, which has a runtime.
    fn listen(self: &Arc<Self>) {
        let mut state = self.state();
        if let Some(uri) = state.events().cloned()
            && state.listener.as_ref().is_none_or(AbortHandle::is_finished)
        {
            let task = events::listen(Arc::downgrade(self), Arc::clone(&self.plan.fetch), uri);
            state.listener = Some(tokio::spawn(task).abort_handle());
        }
    }

    /// The source tells of changes there, whatever metadata says: this was configured.
    pub(crate) fn listen_always_at(&self, uri: &Url) {
        self.change_events(|state| state.configured_events = Some(uri.clone()));
    }

    /// Metadata says that the source tells of changes there from now on.
    pub(crate) fn listen_at(&self, uri: Option<&Url>) {
        self.change_events(|state| state.named_events = uri.cloned());
    }

    fn change_events(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        let before = state.events().cloned();
        change(&mut state);
        if state.events() != before.as_ref() {
            if let Some(listener) = state.listener.take() {
                listener.abort();
            }
            // The refresher listens anew. Who asks here may have no runtime.
            self.news.notify_one();
        }
    }

    /// The source says that the document's entity tag is this one now.
    pub(crate) fn heard_of(&self, etag: &str) {
        let mut state = self.state();
        if state.etag.as_ref().is_none_or(|known| known.as_bytes() != etag.as_bytes()) {
            state.cache.news();
            self.news.notify_one();
        }
    }

    fn now(&self) -> Moment {
        self.origin.elapsed()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No step of the state machine panics halfway, so that a poisoned lock guards a sound state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch(&self) -> Result<Fetched<T>, FetchError> {
        let known = self.current.load_full();
        let etag = self.state().etag.clone();
        let first = known.as_ref().map_or(0, |known| known.place);
        let places = self.plan.places.len();
        let mut absence = FetchError::CutOff;
        for place in (first..places).chain(0..first) {
            // An `ETag` is that of one place.
            let etag = etag.as_ref().filter(|_| place == first);
            let fetched = match self.plan.fetch.fetch(&self.plan.places[place], self.plan.accept, etag).await
            {
                Ok(answer) => self.read(answer, place, known.as_deref()),
                Err(error) => Err(error),
            };
            match fetched {
                Err(error) if error.is_absence() => absence = error,
                fetched => return fetched,
            }
        }
        Err(absence)
    }

    fn read(
        &self,
        answer: Answer,
        place: usize,
        known: Option<&Document<T>>,
    ) -> Result<Fetched<T>, FetchError> {
        let Answer { body, etag, fresh_for } = answer;
        let Some(body) = body else {
            return Ok(Fetched { new: None, etag, fresh_for });
        };
        if body.len() > self.plan.max_bytes {
            return Err(FetchError::TooLarge { max: self.plan.max_bytes });
        }
        let body = String::from_utf8(body).map_err(|_| FetchError::NotText)?;
        if known.is_some_and(|known| known.place == place && known.body == body) {
            return Ok(Fetched { new: None, etag, fresh_for });
        }
        let value = (self.plan.read)(&body)?;
        Ok(Fetched { new: Some((body, value, place)), etag, fresh_for })
    }

    /// Replaces the document as a whole, so that a key that its issuer removed drops out.
    fn store(&self, attempt: AttemptId, fetched: Fetched<T>) {
        let mut state = self.state();
        let changed = fetched.new.is_some();
        let Some(generation) = state.cache.fetched(self.now(), attempt, fetched.fresh_for, changed) else {
            return;
        };
        if let Some((body, value, place)) = fetched.new {
            let came = Instant::now();
            let known = self.current.load();
            let same = known.as_ref().filter(|known| known.value == value);
            let said_since = same.map_or(came, |known| known.said_since);
            let document = Document { body, value, generation, came, said_since, place };
            self.current.store(Some(Arc::new(document)));
        }
        state.etag = fetched.etag;
        state.last_error = None;
        let count = if changed { &mut state.fetches.changed } else { &mut state.fetches.unchanged };
        *count += 1;
        let ask_at = state.cache.ask_at().unwrap_or_default();
        self.ask_at.store(ask_at.as_nanos().try_into().unwrap_or(u64::MAX), Ordering::Release);
        self.wake(&state);
    }

    fn failed(&self, attempt: AttemptId, error: &FetchError) -> Option<u32> {
        let mut state = self.state();
        let failures = state.cache.failed(self.now(), attempt)?;
        state.last_error = Some(error.to_string());
        state.fetches.failed += 1;
        self.wake(&state);
        Some(failures)
    }

    /// Under the lock, so that whoever asks the cache after this attempt is not woken by it.
    fn wake(&self, _locked: &MutexGuard<'_, State>) {
        self.ended.send_modify(|ended| *ended = ended.wrapping_add(1));
    }
}

/// Refreshes the document ahead of its age, until nobody uses it any more.
///
/// It holds no `Arc` while it waits; when the last one goes, the sender of `ended` goes with it, and that wakes it.
async fn refresh<T: PartialEq + Send + Sync + 'static>(
    remote: Weak<Remote<T>>,
    mut ended: watch::Receiver<u64>,
    news: Arc<Notify>,
) {
    loop {
        let pause = {
            let Some(remote) = remote.upgrade() else { return };
            remote.listen();
            let (tick, id, now) = {
                let (mut state, now) = (remote.state(), remote.now());
                (state.cache.tick(now), state.cache.attempt(), now)
            };
            let patience = remote.plan.timeout.saturating_mul(2);
            match tick {
                Tick::Fetch => {
                    // In a task of its own, which may panic.
                    tokio::spawn(Attempt { remote, id, ended: false }.run());
                    patience
                }
                // The end of a fetch that is under way is heard; one that is lost takes its time.
                Tick::Wait => patience,
                Tick::At(moment) => moment.saturating_sub(now),
            }
        };
        tokio::select! {
            () = sleep(pause) => {}
            () = news.notified() => {}
            changed = ended.changed() => if changed.is_err() { return },
        }
    }
}

/// One fetch. However it ends (done, failed, panicked, or dropped with its runtime), the cache hears of it and
/// those who wait are woken, because `Drop` says so.
struct Attempt<T: PartialEq + Send + Sync + 'static> {
    remote: Arc<Remote<T>>,
    id: AttemptId,
    ended: bool,
}

impl<T: PartialEq + Send + Sync + 'static> Attempt<T> {
    async fn run(mut self) {
        let fetched = match timeout(self.remote.plan.timeout, self.remote.fetch()).await {
            Ok(fetched) => fetched,
            Err(_) => Err(FetchError::Timeout),
        };
        self.end(fetched);
    }

    fn end(&mut self, fetched: Result<Fetched<T>, FetchError>) {
        self.ended = true;
        let remote = &*self.remote;
        match fetched {
            Ok(fetched) => {
                let changed = fetched.new.is_some();
                remote.store(self.id, fetched);
                tracing::debug!(uri = %remote.uri(), changed, "{} fetched", remote.plan.what);
            }
            Err(error) => {
                let Some(failures) = remote.failed(self.id, &error) else { return };
                let error: &(dyn Error + 'static) = &error;
                tracing::warn!(uri = %remote.uri(), failures, error, "{} could not be fetched", remote.plan.what);
            }
        }
    }
}

impl<T> Drop for Remote<T> {
    /// The refresher is woken by the end of the attempts; a listener may wait for its source for long.
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(listener) = &state.listener {
            listener.abort();
        }
    }
}

impl<T: PartialEq + Send + Sync + 'static> Drop for Attempt<T> {
    fn drop(&mut self) {
        if !self.ended {
            self.end(Err(FetchError::CutOff));
        }
    }
}
