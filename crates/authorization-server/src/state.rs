//! What every request can see.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Once};
use std::time::Duration;

use arc_swap::ArcSwap;
use sealwright_audit::AuditLog;
use sealwright_service::client_address::Proxies;
use sealwright_service::clock::{Clock, Timestamp};
use sealwright_service::database::Database;
use sealwright_service::shutdown::Shutdown;

use crate::domain::acr::AcrPolicy;
use crate::domain::client::Client;
use crate::domain::issuer::Issuer;
use crate::domain::user::User;
use crate::endpoint::jwks_events::Listeners;
use crate::endpoint::metadata::Metadata;
use crate::flow::buckets::Buckets;
use crate::flow::passwords::PasswordPool;
use crate::flow::turns::Turns;
use crate::keys::KeyAdmin;
use crate::signing_keys::replica::Source;
use crate::signing_keys::snapshot::Keys;

/// How long a code may wait to be redeemed (RFC 6749 §4.1.2 recommends at most ten minutes).
pub(crate) const CODE_LIFETIME: Duration = Duration::from_secs(60);
/// How long a pushed request may wait to be opened (RFC 9126 §2.2).
pub(crate) const REQUEST_URI_LIFETIME: Duration = Duration::from_secs(5 * 60);
/// How long a login over JSON waits for its second factor.
pub(crate) const CONTINUATION_LIFETIME: Duration = Duration::from_secs(5 * 60);

/// The application's state; cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) snapshot: Snapshot,
    /// The keys that sign tokens; they change while requests are served.
    pub(crate) keys: Arc<Keys>,
    /// Where the keys come from, as it was read last.
    pub(crate) key_source: Arc<ArcSwap<Source>>,
    /// Places for those who wait for news of the keys.
    pub(crate) key_listeners: Listeners,
    pub(crate) database: Database,
    pub(crate) audit: AuditLog,
    pub(crate) passwords: PasswordPool,
    pub(crate) turns: Turns,
    /// Requests by strangers, by client.
    pub(crate) strangers: Buckets,
    /// Refusals that become entries of the audit log, by client.
    pub(crate) refusal_entries: Buckets,
    /// A proxy that is not trusted is warned of once.
    pub(crate) forgotten_proxy: Once,
    pub(crate) clock: Clock,
    pub(crate) shutdown: Shutdown,
}

/// What does not change while requests are served, so that they read it without a lock or a database.
pub(crate) struct Snapshot {
    /// The name of the `AuthServer` resource.
    pub(crate) name: String,
    pub(crate) issuer: Issuer,
    pub(crate) clients: BTreeMap<String, Arc<Client>>,
    pub(crate) users: Users,
    pub(crate) proxies: Proxies,
    pub(crate) domains: BTreeMap<String, String>,
    pub(crate) acr: AcrPolicy,
    pub(crate) metadata: Metadata,
    pub(crate) access_token_expiry: Duration,
    pub(crate) id_token_expiry: Duration,
    pub(crate) session_expiry: Duration,
    /// The role of people who may administer the server; `None` if nobody may.
    pub(crate) admin_role: Option<String>,
    pub(crate) json_login: Option<Arc<Client>>,
}

/// The people of this server, by user name and by subject.
pub(crate) struct Users {
    by_username: HashMap<String, Arc<User>>,
    by_subject: HashMap<String, Arc<User>>,
}

impl Users {
    pub(crate) fn new(users: impl IntoIterator<Item = User>) -> Self {
        let users: Vec<Arc<User>> = users.into_iter().map(Arc::new).collect();
        Self {
            by_username: users.iter().map(|u| (u.declared.username.clone(), Arc::clone(u))).collect(),
            by_subject: users.iter().map(|u| (u.subject.clone(), Arc::clone(u))).collect(),
        }
    }

    pub(crate) fn named(&self, username: &str) -> Option<&Arc<User>> {
        self.by_username.get(username)
    }

    /// `None` for somebody who has been taken out of the configuration since.
    pub(crate) fn subject(&self, subject: &str) -> Option<&Arc<User>> {
        self.by_subject.get(subject)
    }
}

impl App {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    pub(crate) fn client(&self, id: &str) -> Option<&Arc<Client>> {
        self.snapshot.clients.get(id)
    }

    /// The keys, for an operator.
    pub(crate) fn key_admin(&self) -> KeyAdmin {
        let source = Source::clone(&self.key_source.load());
        let (name, issuer) = (&self.snapshot.name, self.snapshot.issuer.as_str());
        KeyAdmin::with(name, issuer, source, self.database.clone(), self.clock.clone())
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The lifetime of tokens for `client`.
    pub(crate) fn token_lifetime(&self, client: &Client) -> Duration {
        client.access_token_expiry.unwrap_or(self.snapshot.access_token_expiry)
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
