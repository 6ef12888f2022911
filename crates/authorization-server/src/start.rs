//! From a configuration to a running server.

mod reload;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Once};
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;
use sealwright_audit::{AuditError, AuditLog, Entry};
use sealwright_jose::Alg;
use sealwright_keystore::{KeyHandle, SealedStore};
use sealwright_service::clock::Clock;
use sealwright_service::database::{Database, DatabaseError};
use sealwright_service::random;
use sealwright_service::server::{ServeOptions, serve};
use sealwright_service::shutdown::Shutdown;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::audit_key;
use crate::config::{Config, FirstStartError};
use crate::domain::user::{Declared, User};
use crate::endpoint::console;
use crate::endpoint::jwks_events::Listeners;
use crate::endpoint::metadata::Metadata;
use crate::flow::passwords::PasswordPool;
use crate::flow::rate;
use crate::flow::turns::Turns;
use crate::router;
use crate::signing_keys::replica::{Replacement, ReplicaLoop, Source};
use crate::state::{App, Parts, Snapshot, Users};
use crate::store::{MIGRATOR, account};
use crate::task;

pub use self::reload::{ReloadError, Reloader};
pub(crate) use self::reload::{source, source_to_look_at};

/// How long a replica may take to say that it leaves.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(2);

/// Why a server did not start. The text says what to do; the cause is the error's source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A secret that nobody has given cannot be made at the first start.
    #[error("what the first start makes cannot be made")]
    FirstStart(#[from] FirstStartError),
    /// The signing keys cannot be opened or made.
    #[error("the signing keys cannot be opened")]
    Keys(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database cannot be opened or brought up to date.
    #[error("the database cannot be opened")]
    Database(#[from] DatabaseError),
    /// A statement failed while the users were being brought up to date.
    #[error("the users cannot be stored")]
    Store(#[from] sqlx::Error),
    /// The audit log cannot be opened, or is not whole.
    #[error("the audit log cannot be opened")]
    Audit(#[from] AuditError),
    /// A password cannot be hashed at the configured cost.
    #[error("passwords cannot be hashed")]
    Passwords(#[from] crate::PasswordError),
    /// The address is in use, or not this machine's.
    #[error("cannot listen on {address}; is another server running there?")]
    Bind {
        /// The address of the configuration.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
}

/// A server that runs until its shutdown begins.
#[derive(Debug)]
pub struct Running {
    /// Where it listens; the port that was given, where the configuration says 0.
    pub local_addr: SocketAddr,
    /// The issuer's URL.
    pub issuer: String,
    serving: JoinHandle<io::Result<()>>,
    sweeping: JoinHandle<()>,
    turning: JoinHandle<()>,
    replacements: mpsc::Sender<Replacement>,
    key_source: Arc<ArcSwap<Source>>,
    audit: AuditLog,
    database: Database,
}

/// Why a server stopped other than it should.
#[derive(Debug, thiserror::Error)]
#[error("the authorization server stopped serving")]
pub struct RunError(#[source] io::Error);

impl Running {
    /// Waits until shutdown has begun, all requests are answered, and the audit log is closed with a checkpoint.
    ///
    /// # Errors
    ///
    /// When the server could not go on accepting connections.
    pub async fn join(mut self) -> Result<(), RunError> {
        let served = self.serving.await.unwrap_or_else(|error| Err(io::Error::other(error)));
        // Ends by itself once shutdown has begun; where serving failed before that, it must not keep the database.
        self.sweeping.abort();
        if timeout(LEAVE_TIMEOUT, &mut self.turning).await.is_err() {
            self.turning.abort();
        }
        self.audit.closed().await;
        self.database.close().await;
        served.map_err(RunError)
    }
}

/// A server that is ready to answer but does not listen: for tests, and for embedding into another listener.
pub struct Assembled {
    app: App,
    key_loop: ReplicaLoop,
}

impl Assembled {
    /// All routes. Requests should have `axum::extract::ConnectInfo<SocketAddr>` in their extensions; without it all
    /// callers count as one.
    pub fn router(&self) -> Router {
        router::router(self.app.clone())
    }

    /// The audit log.
    pub fn audit(&self) -> &AuditLog {
        &self.app.audit
    }

    /// The database.
    pub fn database(&self) -> &Database {
        &self.app.database
    }
}

/// Opens keys, database and audit log, and brings the users up to date; everything but the listener.
///
/// # Errors
///
/// [`StartError`], as for [`start`], except `Bind`.
pub async fn assemble(mut config: Config, clock: Clock, shutdown: Shutdown) -> Result<Assembled, StartError> {
    config.make_missing().await?;
    let (audit_key, audit_key_is_new) = open_audit_key(&config).await?;
    let database =
        Database::open(&config.storage, &config.base_dir, &[&MIGRATOR, &sealwright_audit::MIGRATOR]).await?;
    let origin = config.issuer.as_str();
    let audit_kid = audit_key.kid().to_owned();
    let audit =
        AuditLog::start(&database, origin, audit_key, config.audit.clone(), clock.clone(), shutdown.clone())
            .await?;
    if audit_key_is_new {
        append(&audit, "key.created", json!({"kid": audit_kid, "alg": Alg::Es256.name()})).await?;
    }
    let source = source(&config).await.map_err(|error| StartError::Keys(error.into()))?;
    let key_source = Arc::new(ArcSwap::from_pointee(source.clone()));
    let mut key_loop = ReplicaLoop::new(source, database.clone(), clock.clone());
    let keys = key_loop.start(&audit).await.map_err(|error| StartError::Keys(error.into()))?;
    tokio::select! {
        () = shutdown.begun() => {}
        () = key_loop.until_served(&audit) => {}
    }
    let users = bring_up_to_date(&database, config.users, &clock).await?;
    let (clients, user_count) = (config.clients, users.len());
    let algorithms: Vec<&str> = config.algorithms.iter().copied().map(Alg::name).collect();
    let details = json!({
        "server": config.name, "issuer": origin, "clients": clients.len(), "users": user_count,
        "algorithms": algorithms, "version": env!("CARGO_PKG_VERSION"),
    });
    append(&audit, "server.started", details).await?;

    let metadata = Metadata::new(&config.issuer, clients.values(), &config.acr);
    let console = config.admin_role.as_ref().and_then(|_| console::client(&config.issuer));
    let console = console.map(|client| (client.id.clone(), client));
    let clients = clients.into_iter().chain(console);
    let clients: BTreeMap<_, _> = clients.map(|(id, client)| (id, Arc::new(client))).collect();
    let snapshot = Snapshot {
        name: config.name,
        admin_role: config.admin_role,
        json_login: config.json_login.and_then(|id| clients.get(&id).cloned()),
        issuer: config.issuer,
        clients,
        users: Users::new(users),
        proxies: config.proxies,
        domains: config.domains,
        acr: config.acr,
        metadata,
        access_token_expiry: config.access_token_expiry,
        id_token_expiry: config.id_token_expiry,
        session_expiry: config.session_expiry,
    };
    let policy = config.passwords;
    // Making the dummy hash takes as long as a login, so not on the async threads.
    let passwords = tokio::task::spawn_blocking(move || PasswordPool::new(policy))
        .await
        .map_err(|_| crate::PasswordError::Hash)??;
    Ok(Assembled {
        key_loop,
        app: App::new(Parts {
            snapshot,
            keys,
            key_source,
            key_listeners: Listeners::default(),
            database,
            audit,
            passwords,
            turns: Turns::default(),
            strangers: rate::strangers(),
            refusal_entries: rate::refusal_entries(),
            forgotten_proxy: Once::new(),
            clock,
            shutdown,
        }),
    })
}

/// Starts the server that `config` describes; when this returns it accepts connections.
///
/// # Errors
///
/// [`StartError`]: keys, database or audit log cannot be opened, or the address is taken.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use sealwright_service::{clock::Clock, resource, shutdown::Shutdown};
///
/// let mut report = resource::Report::default();
/// let resources = resource::load(&["auth.yaml".into()], &mut report);
/// let configs = sealwright_authorization_server::configure(&resources, &mut report);
/// assert!(report.is_empty(), "{report}");
/// let shutdown = Shutdown::on_signals();
/// for config in configs {
///     let running = sealwright_authorization_server::start(config, Clock::system(), shutdown.clone()).await?;
///     println!("{} listens on {}", running.issuer, running.local_addr);
///     running.join().await?;
/// }
/// # Ok(()) }
/// ```
pub async fn start(config: Config, clock: Clock, shutdown: Shutdown) -> Result<Running, StartError> {
    let address = config.listen;
    let issuer = config.issuer.as_str().to_owned();
    // Taken before anything else is opened, so that a second start of the same server changes nothing.
    let bound = |source| StartError::Bind { address, source };
    let listener = TcpListener::bind(address).await.map_err(bound)?;
    let local_addr = listener.local_addr().map_err(bound)?;

    let assembled = assemble(config, clock, shutdown.clone()).await?;
    let router = assembled.router();
    let (audit, database) = (assembled.app.audit.clone(), assembled.app.database.clone());
    let options = ServeOptions { proxies: assembled.app.snapshot.proxies.clone(), ..ServeOptions::default() };
    let serving = tokio::spawn(serve(listener, router, options, shutdown.clone()));
    let (replacements, wanted) = mpsc::channel(1);
    let key_source = Arc::clone(&assembled.app.key_source);
    let turning = tokio::spawn(assembled.key_loop.run(audit.clone(), wanted, shutdown.clone()));
    let sweeping = tokio::spawn(task::sweep(assembled.app, shutdown));
    tracing::info!(%issuer, %local_addr, "authorization server started");
    Ok(Running { local_addr, issuer, serving, sweeping, turning, replacements, key_source, audit, database })
}

async fn open_audit_key(config: &Config) -> Result<(KeyHandle, bool), StartError> {
    let store = SealedStore::open(&config.keys_dir, config.kek.clone())
        .map_err(|error| StartError::Keys(error.into()))?;
    audit_key::open(&store).await.map_err(|error| StartError::Keys(error.into()))
}

/// Stores who is declared, disables who is not any more, and gives everybody their subject.
async fn bring_up_to_date(
    database: &Database,
    declared: Vec<Declared>,
    clock: &Clock,
) -> Result<Vec<User>, sqlx::Error> {
    let names: BTreeSet<&str> = declared.iter().map(|user| user.username.as_str()).collect();
    let now = clock.now();
    let mut tx = database.begin_write().await?;
    for username in account::enabled(&mut tx).await? {
        if !names.contains(username.as_str()) {
            account::disable(&mut tx, &username, now).await?;
        }
    }
    let mut users = Vec::with_capacity(declared.len());
    for user in declared {
        let subject = account::upsert(&mut tx, &user.username, &user.domain, &new_subject(), now).await?;
        users.push(User { subject, declared: Arc::new(user) });
    }
    tx.commit().await?;
    Ok(users)
}

/// 128 random bits in hexadecimal: fits into every identifier that others put a subject into, such as the serial number
/// of a certificate's subject, and is never the id of a client (RFC 9700 §4.15).
fn new_subject() -> String {
    random::bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn append(audit: &AuditLog, event: &'static str, details: serde_json::Value) -> Result<(), AuditError> {
    audit.append(Entry { event, operation: None, subject: None, details }).await.map(drop)
}
