//! What every request reads: one immutable snapshot, built at the start.

use std::{collections::BTreeMap, ops::Deref, sync::Arc};

use sealwright_audit::AuditLog;
use sealwright_resource_server::metadata::ProtectedResource;
use sealwright_service::{client_address::Proxies, clock::Clock, database::Database};

use crate::{
    authentication_context::ContextClient, memory::Memory, refusals::Refusals, store::Ledger,
    uploads::Uploads, worker::Worker,
};

/// The server's state; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct App(Arc<Snapshot>);

/// What [`App`] lends.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// Scheme, host and port without a final slash; what `aud`, `resource` and `locations` say.
    pub(crate) public_url: String,
    /// What the server says about itself (RFC 9728).
    pub(crate) metadata: ProtectedResource,
    pub(crate) workers: BTreeMap<String, Arc<Worker>>,
    pub(crate) contexts: ContextClient,
    /// Who may say where a request comes from.
    pub(crate) proxies: Proxies,
    /// Room for the documents that are being worked on.
    pub(crate) memory: Memory,
    pub(crate) uploads: Uploads,
    pub(crate) ledger: Ledger,
    pub(crate) audit: AuditLog,
    pub(crate) refusals: Refusals,
    pub(crate) database: Database,
    pub(crate) clock: Clock,
}

impl App {
    pub(crate) fn new(snapshot: Snapshot) -> Self {
        Self(Arc::new(snapshot))
    }
}

impl Deref for App {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        &self.0
    }
}
