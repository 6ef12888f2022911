//! A throw-away issuer: one key, its JWK set over loopback HTTP, and tokens.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use http::{StatusCode, header};
use sealwright_jose::{Alg, JwkSet, SigningKey, VerifyingKey, jws::Signer};
use sealwright_service::{
    server::{ServeOptions, serve},
    shutdown::Shutdown,
};
use serde_json::Value;
use tokio::net::TcpListener;

/// An authorization server as a resource server sees one: metadata (RFC 8414), a JWK set at `/oauth2/jwks`, and tokens from
/// nowhere.
///
/// It stops when dropped. Its keys can rotate, and it can be slow or down.
#[derive(Debug)]
pub struct Issuer {
    address: SocketAddr,
    state: Arc<Shared>,
    shutdown: Shutdown,
}

struct Shared {
    keys: Mutex<Keys>,
    fetches: AtomicUsize,
    behaviour: Mutex<Behaviour>,
}

struct Keys {
    alg: Alg,
    current: SigningKey,
    published: Vec<VerifyingKey>,
    made: usize,
}

#[derive(Clone, Copy, Default)]
struct Behaviour {
    delay: Duration,
    down: bool,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("fetches", &self.fetches).finish_non_exhaustive()
    }
}

impl Issuer {
    /// Starts one on a free loopback port, with a fresh key whose `kid` is `key-1`.
    ///
    /// # Panics
    ///
    /// If no key can be made for `alg` or no port is free; outside of a tokio runtime.
    pub async fn start(alg: Alg) -> Self {
        let current = key(alg, 1);
        let published = vec![current.verifying_key()];
        let state = Arc::new(Shared {
            keys: Mutex::new(Keys { alg, current, published, made: 1 }),
            fetches: AtomicUsize::new(0),
            behaviour: Mutex::default(),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("there is a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let metadata = serde_json::json!({
            "issuer": format!("http://{address}"),
            "jwks_uri": format!("http://{address}/oauth2/jwks"),
        });
        let router = Router::new()
            .route("/oauth2/jwks", get(jwks))
            .route("/.well-known/oauth-authorization-server", get(async move || axum::Json(metadata)))
            .with_state(Arc::clone(&state));

        let shutdown = Shutdown::new();
        let options = ServeOptions { drain: Duration::ZERO, ..ServeOptions::default() };
        tokio::spawn(serve(listener, router, options, shutdown.clone()));
        Self { address, state, shutdown }
    }

    /// Its issuer identifier, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where its JWK set is.
    pub fn jwks_uri(&self) -> String {
        format!("http://{}/oauth2/jwks", self.address)
    }

    /// The JWK set that it publishes now.
    ///
    /// # Panics
    ///
    /// If `jose` cannot write the keys that it made.
    pub fn jwks(&self) -> String {
        self.state.jwks()
    }

    /// The key that signs now.
    pub fn key(&self) -> SigningKey {
        lock(&self.state.keys).current.clone()
    }

    /// Signs `claims` as they are with the current key, under `typ` `at+jwt` and its `kid`.
    ///
    /// # Panics
    ///
    /// If signing fails.
    pub fn token(&self, claims: Value) -> String {
        let payload = claims.to_string();
        Signer::new(&self.key()).typ("at+jwt").sign_compact(payload.as_bytes()).expect("a fresh key signs")
    }

    /// Makes a new current key (`key-2`, …) and publishes it beside the old ones.
    ///
    /// # Panics
    ///
    /// If no key can be made.
    pub fn rotate(&self) {
        let mut keys = lock(&self.state.keys);
        keys.made += 1;
        keys.current = key(keys.alg, keys.made);
        let public = keys.current.verifying_key();
        keys.published.push(public);
    }

    /// Publishes the current key alone from now on.
    pub fn withdraw_old(&self) {
        let mut keys = lock(&self.state.keys);
        keys.published = vec![keys.current.verifying_key()];
    }

    /// How often the JWK set was asked for, also while down.
    pub fn fetches(&self) -> usize {
        self.state.fetches.load(Ordering::SeqCst)
    }

    /// Answers `delay` later from now on.
    pub fn be_slow(&self, delay: Duration) {
        lock(&self.state.behaviour).delay = delay;
    }

    /// Answers 500 from now on, or works again.
    pub fn be_down(&self, down: bool) {
        lock(&self.state.behaviour).down = down;
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.shutdown.begin();
    }
}

impl Shared {
    fn jwks(&self) -> String {
        let keys = lock(&self.keys).published.clone();
        JwkSet::from_keys(keys).expect("keys of our own").to_json()
    }
}

async fn jwks(State(state): State<Arc<Shared>>) -> impl IntoResponse {
    state.fetches.fetch_add(1, Ordering::SeqCst);
    let behaviour = *lock(&state.behaviour);
    tokio::time::sleep(behaviour.delay).await;
    if behaviour.down {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    ([(header::CONTENT_TYPE, "application/jwk-set+json")], state.jwks()).into_response()
}

fn key(alg: Alg, number: usize) -> SigningKey {
    SigningKey::generate(alg)
        .expect("aws-lc makes keys for every algorithm")
        .with_kid(format!("key-{number}"))
}

/// A test that panicked in another thread has said enough.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
