//! News of the published keys, as server-sent events: for verifiers that want to hear of a revocation at once.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::{HeaderValue, header};
use sealwright_service::client_address::network;
use sealwright_service::shutdown::Shutdown;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::peer::Peer;
use crate::error::OAuthError;
use crate::signing_keys::snapshot::Keys;
use crate::state::App;

/// So many may listen at a time. They keep a connection each, which others need, too.
const LISTENERS: usize = 128;

/// So many of them from one address (IPv6: one /64), so that nobody takes all places.
const FROM_ADDRESS: usize = 8;

/// Whoever listens for longer connects anew, so that nobody keeps a place for good.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Proxies close connections on which nothing happens; most wait for a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// `GET /oauth2/jwks/events`: the set's entity tag now, and again whenever it changes. The set itself is fetched as ever.
///
/// Who finds no place is told to come back (503 with `Retry-After`).
pub(crate) async fn events(State(app): State<App>, Peer(address): Peer) -> Response {
    let Some(place) = app.key_listeners.place(address) else {
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

/// Who listens, by address. It never grows beyond [`LISTENERS`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Listeners(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A place among the listeners, for as long as it is kept.
#[derive(Debug)]
struct Place {
    listeners: Listeners,
    network: IpAddr,
}

impl Listeners {
    fn place(&self, address: IpAddr) -> Option<Place> {
        let network = network(address);
        let mut taken = self.taken();
        let from_here = taken.get(&network).copied().unwrap_or(0);
        if from_here >= FROM_ADDRESS || taken.values().sum::<usize>() >= LISTENERS {
            return None;
        }
        taken.insert(network, from_here + 1);
        Some(Place { listeners: self.clone(), network })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.listeners.taken();
        match taken.get_mut(&self.network) {
            Some(from_here) if *from_here > 1 => *from_here -= 1,
            _ => _ = taken.remove(&self.network),
        }
    }
}

struct Listener {
    changes: watch::Receiver<i64>,
    keys: Arc<Keys>,
    shutdown: Shutdown,
    /// The entity tag that was told last.
    told: Option<HeaderValue>,
    ends_at: Instant,
    _place: Place,
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
    use tokio::time::timeout;

    use super::*;
    use crate::signing_keys::record::{KeyRecord, KeyState, Ledger};
    use crate::signing_keys::snapshot::KeySnapshot;

    fn snapshot(epoch: i64, kids: &[&str]) -> KeySnapshot {
        let key = SigningKey::generate(Alg::Es256).unwrap().verifying_key();
        let record = |kid: &&str| KeyRecord {
            state: KeyState::Published,
            ..KeyRecord::new(kid, &key, (*kid).to_owned(), None, Timestamp::from_secs(0))
        };
        let ledger = Ledger { epoch, keys: kids.iter().map(record).collect() };
        KeySnapshot::without_signers(ledger)
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
            _place: Listeners::default().place(IpAddr::from([127, 0, 0, 1])).unwrap(),
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

    #[test]
    fn no_address_takes_all_places() {
        let listeners = Listeners::default();
        let from = |address: &str| listeners.place(address.parse().unwrap());
        let mut places: Vec<Place> = (0..FROM_ADDRESS).map(|_| from("192.0.2.1").unwrap()).collect();
        assert!(from("192.0.2.1").is_none());
        assert!(from("::ffff:192.0.2.1").is_none(), "the same in other words");
        places.pop();
        places.push(from("192.0.2.1").unwrap());
        // A home has a whole /64.
        places.extend((0..FROM_ADDRESS).map(|i| from(&format!("2001:db8::{i}")).unwrap()));
        assert!(from("2001:db8::ffff").is_none());
        places.extend((0..LISTENERS - places.len()).map(|i| from(&format!("10.0.{i}.1")).unwrap()));
        assert!(from("198.51.100.1").is_none(), "all places together");
        places.clear();
        assert!(listeners.taken().is_empty());
    }
}
