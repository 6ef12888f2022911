//! News of the published keys, as server-sent events: for verifiers that want to hear of a revocation at once.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::{HeaderValue, header};
use sealwright_service::shutdown::Shutdown;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep_until};

use crate::error::OAuthError;
use crate::signing_keys::snapshot::Keys;
use crate::state::App;

/// So many may listen at a time. They keep a connection each, which others need, too.
pub(crate) const LISTENERS: usize = 128;

/// Whoever listens for longer connects anew, so that nobody keeps a place for good.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Proxies close connections on which nothing happens; most wait for a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// `GET /oauth2/jwks/events`: the set's entity tag now, and again whenever it changes. The set itself is fetched as ever.
pub(crate) async fn events(State(app): State<App>) -> Response {
    let Ok(place) = Arc::clone(&app.key_listeners).try_acquire_owned() else {
        return OAuthError::Busy.into_response();
    };
    let listener = Listener {
        changes: app.keys.changes(),
        keys: Arc::clone(&app.keys),
        shutdown: app.shutdown.clone(),
        told: None,
        ends_at: Instant::now() + LIFETIME,
        _place: place,
    };
    let events = stream::unfold(listener, async |mut listener| {
        let event = listener.next().await?;
        Some((Ok::<_, Infallible>(event), listener))
    });
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

struct Listener {
    changes: watch::Receiver<i64>,
    keys: Arc<Keys>,
    shutdown: Shutdown,
    /// The entity tag that was told last.
    told: Option<HeaderValue>,
    ends_at: Instant,
    _place: OwnedSemaphorePermit,
}

impl Listener {
    /// The next piece of news; `None` when the server stops or it was long enough.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let epoch = *self.changes.borrow_and_update();
            let etag = self.keys.snapshot().set.etag.clone();
            if self.told.as_ref() != Some(&etag) {
                let text = etag.to_str().unwrap_or_default();
                let data = json!({"epoch": epoch, "etag": text}).to_string();
                self.told = Some(etag);
                return Some(Event::default().event("keys").id(epoch.to_string()).data(data));
            }
            tokio::select! {
                () = self.shutdown.begun() => return None,
                () = sleep_until(self.ends_at) => return None,
                changed = self.changes.changed() => changed.ok()?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sealwright_jose::{Alg, SigningKey};
    use sealwright_service::clock::{Clock, Timestamp};
    use tokio::sync::Semaphore;
    use tokio::time::timeout;

    use super::*;
    use crate::signing_keys::record::{KeyRecord, KeyState, Ledger};
    use crate::signing_keys::snapshot::{KeySnapshot, publish};

    fn snapshot(epoch: i64, kids: &[&str]) -> KeySnapshot {
        let key = SigningKey::generate(Alg::Es256).unwrap().verifying_key();
        let record = |kid: &&str| KeyRecord {
            state: KeyState::Published,
            ..KeyRecord::new(kid, &key, (*kid).to_owned(), None, Timestamp::from_secs(0))
        };
        let ledger = Ledger { epoch, keys: kids.iter().map(record).collect() };
        KeySnapshot {
            set: publish(&ledger, Duration::from_secs(300)),
            ledger: Arc::new(ledger),
            replicas: Arc::new([]),
            signers: Arc::new([]),
            meters: Arc::new([]),
            all_open: true,
            fresh_until: Instant::now(),
        }
    }

    /// What is told within a moment; `None` if nothing is.
    async fn told(listener: &mut Listener) -> Option<Option<Event>> {
        timeout(Duration::from_millis(50), listener.next()).await.ok()
    }

    #[tokio::test]
    async fn a_listener_hears_of_the_set_now_and_of_each_other_one() {
        let first = snapshot(1, &["a"]);
        let keys = Arc::new(Keys::new(first.clone(), Clock::fixed(Timestamp::from_secs(0))));
        let shutdown = Shutdown::new();
        let mut listener = Listener {
            changes: keys.changes(),
            keys: Arc::clone(&keys),
            shutdown: shutdown.clone(),
            told: None,
            ends_at: Instant::now() + LIFETIME,
            _place: Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap(),
        };
        let shown = |event: Option<Option<Event>>| format!("{:?}", event.unwrap().unwrap());
        let etag = first.set.etag.to_str().unwrap().trim_matches('"').to_owned();
        assert!(shown(told(&mut listener).await).contains(&etag));
        assert!(told(&mut listener).await.is_none());

        keys.swap(KeySnapshot {
            ledger: Arc::new(Ledger { epoch: 2, ..Ledger::clone(&first.ledger) }),
            ..first
        });
        assert!(told(&mut listener).await.is_none(), "a new epoch with the same set is no news");
        let second = snapshot(3, &[]);
        let etag = second.set.etag.to_str().unwrap().trim_matches('"').to_owned();
        keys.swap(second);
        assert!(shown(told(&mut listener).await).contains(&etag));

        shutdown.begin();
        assert!(matches!(told(&mut listener).await, Some(None)));
    }
}
