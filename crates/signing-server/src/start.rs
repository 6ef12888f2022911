//! From a configuration to a running server.

mod assemble;

use std::{io, net::SocketAddr, time::Duration};

use sealwright_audit::{AuditError, AuditLog, AuditOptions, Entry};
use sealwright_keystore::{KeystoreError, SealedStore};
use sealwright_resource_server::ConfigError;
use sealwright_service::{
    clock::Clock,
    database::{Database, DatabaseError},
    server::{ServeOptions, serve},
    shutdown::Shutdown,
};
use serde_json::json;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    authentication_context::ContextSetupError, ca::AuthorityError, config::Config, router::router,
    state::App, store, validation::CertificateError,
};

/// How often expired tokens are swept out of the ledger.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// Why the server does not start. Its sources say what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address is taken, or not this machine's.
    #[error("cannot listen on {address}")]
    Listen {
        /// The configured address.
        address: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
    /// The database cannot be opened or migrated.
    #[error("the database cannot be opened")]
    Database(#[from] DatabaseError),
    /// A statement failed on a database that opened.
    #[error("the database does not work")]
    Store(#[from] sqlx::Error),
    /// A sealed key cannot be read or written.
    #[error("the keys cannot be opened")]
    Keys(#[from] KeystoreError),
    /// The audit log is not whole, or not this server's.
    #[error("the audit log cannot be opened")]
    Audit(#[from] AuditError),
    /// An authority's key and certificate do not fit each other.
    #[error("the certificate authority `{name}` cannot be used")]
    Authority {
        /// The resource.
        name: String,
        /// Why.
        #[source]
        source: AuthorityFault,
    },
    /// A file beside the keys cannot be written.
    #[error("{path} cannot be written")]
    File {
        /// Which.
        path: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// Trust anchors cannot be read.
    #[error("the trust anchors of the worker `{worker}` cannot be read")]
    Trust {
        /// The resource.
        worker: String,
        /// Why.
        #[source]
        source: AnchorFault,
    },
    /// An issuer cannot be used.
    #[error("the issuers of the authorizer `{authorizer}` cannot be used")]
    Issuer {
        /// The resource.
        authorizer: String,
        /// Why.
        source: ConfigError,
    },
    /// Authentication contexts cannot be asked for.
    #[error("authentication contexts cannot be asked for")]
    Contexts(#[source] ContextsFault),
}

/// Why a certificate authority cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct AuthorityFault(#[from] AuthorityError);

/// Why trust anchors cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct AnchorFault(#[from] CertificateError);

/// Why authentication contexts cannot be asked for.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ContextsFault(#[from] ContextSetupError);

/// A server that answers requests; it stops when the [`Shutdown`] that it was started with begins.
#[derive(Debug)]
pub struct Running {
    /// Where it listens; of interest where the configuration said port 0.
    pub local_addr: SocketAddr,
    /// Scheme, host and port under which clients know it.
    pub public_url: String,
    task: JoinHandle<io::Result<()>>,
}

impl Running {
    /// Waits until the server has stopped, its open requests are answered and its log is closed.
    ///
    /// # Errors
    ///
    /// What the listener said, if it failed.
    ///
    /// # Panics
    ///
    /// If the accept loop did.
    pub async fn join(self) -> io::Result<()> {
        match self.task.await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Ok(()),
            },
        }
    }
}

/// Starts the server: listens, opens the database and the keys (making what is missing), and answers
/// requests until `shutdown` begins.
///
/// # Errors
///
/// [`StartError`]; then nothing listens.
pub async fn start(config: Config, clock: Clock, shutdown: Shutdown) -> Result<Running, StartError> {
    let server = &config.server;
    let listener = TcpListener::bind(server.listen)
        .await
        .map_err(|source| StartError::Listen { address: server.listen, source })?;
    let local_addr =
        listener.local_addr().map_err(|source| StartError::Listen { address: server.listen, source })?;

    let migrators = [&store::MIGRATOR, &sealwright_audit::MIGRATOR];
    let database = Database::open(&server.storage, &server.base_dir, &migrators).await?;
    let keys = SealedStore::open(&server.keys_dir, server.kek.clone())?;
    let audit = open_audit_log(&config, &database, &keys, &clock, &shutdown).await?;
    let app = assemble::assemble(&config, database.clone(), &keys, audit.clone(), clock).await?;
    let details = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "name": server.name,
        "public_url": server.public_url,
        "workers": app.workers.keys().collect::<Vec<_>>(),
    });
    audit.append(Entry { event: "server.started", operation: None, subject: None, details }).await?;

    tokio::spawn(sweep(app.clone(), shutdown.clone()));
    let public_url = server.public_url.clone();
    let options = ServeOptions { proxies: server.proxies.clone(), ..ServeOptions::default() };
    let task = tokio::spawn(async move {
        let served = serve(listener, router(app), options, shutdown).await;
        // After the last answer, so that its entry is covered by the last checkpoint.
        audit.closed().await;
        database.close().await;
        served
    });
    Ok(Running { local_addr, public_url, task })
}

async fn open_audit_log(
    config: &Config,
    database: &Database,
    keys: &SealedStore,
    clock: &Clock,
    shutdown: &Shutdown,
) -> Result<AuditLog, StartError> {
    let server = &config.server;
    let (key, made) = assemble::audit_key(keys).await?;
    let options = AuditOptions {
        checkpoint_every: server.checkpoint_every,
        checkpoint_file: server.checkpoint_file.clone(),
        public_key_file: Some(server.keys_dir.join("audit.pub.jwk")),
        ..AuditOptions::default()
    };
    let origin = &server.public_url;
    let audit = AuditLog::start(database, origin, key, options, clock.clone(), shutdown.clone()).await?;
    if let Some(entry) = made {
        audit.append(entry).await?;
    }
    Ok(audit)
}

/// Forgets used tokens that have expired.
async fn sweep(app: App, shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = shutdown.begun() => return,
            () = tokio::time::sleep(SWEEP_EVERY) => {}
        }
        match app.ledger.sweep(app.clock.now()).await {
            Ok(0) => {}
            Ok(swept) => tracing::debug!(swept, "expired tokens were forgotten"),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the ledger was not swept");
            }
        }
    }
}
