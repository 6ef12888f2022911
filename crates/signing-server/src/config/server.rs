//! `SigningServer`: where it listens, and where it keeps its state.

use std::{net::SocketAddr, path::PathBuf};

use schemars::JsonSchema;
use sealwright_keystore::{KekRing, KekSpec};
use sealwright_service::{
    client_address::Proxies,
    database::StorageSpec,
    resource::{Report, Resource},
};
use serde::Deserialize;

use super::uri;

/// The largest `maxBodyBytes`: a document is held in memory a few times over while it is signed.
const MAX_BODY_CEILING: u64 = 1 << 30;

/// `SigningServer.spec`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SigningServerSpec {
    /// Address and port to listen on, such as `127.0.0.1:8081`; port 0 takes any free one.
    listen: String,
    /// Scheme, host and port under which clients reach the server; what tokens name in `aud`.
    #[serde(rename = "publicURL")]
    public_url: String,
    /// The database for the single-use ledger and the audit log.
    storage: StorageSpec,
    /// The keys that seal the private keys on disk.
    secrets: SecretsSpec,
    /// The folder of sealed key files. Default: `keys`.
    #[serde(default = "default_keys_dir")]
    keys_dir: PathBuf,
    /// The largest document in bytes. Default: 104857600.
    #[serde(default = "default_max_body_bytes")]
    max_body_bytes: u64,
    /// The audit log.
    #[serde(default)]
    audit: AuditSpec,
    /// Addresses of reverse proxies, such as `10.0.0.0/8`, whose `X-Forwarded-For` is believed. Default: none.
    #[serde(default)]
    trusted_proxies: Vec<String>,
    /// Unsafe settings that the operator knows about. Default: none.
    #[serde(default)]
    acknowledge: Vec<Acknowledgement>,
}

/// `SigningServer.spec.secrets`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SecretsSpec {
    /// Key-encryption keys: the first seals, all unseal.
    kek: Vec<KekSpec>,
}

/// `SigningServer.spec.audit`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AuditSpec {
    /// A signed checkpoint after so many entries. Default: 100.
    #[serde(default = "default_checkpoint_every")]
    checkpoint_every: u32,
    /// A file for the newest checkpoint, outside the database. Default: none.
    #[serde(default)]
    checkpoint_file: Option<PathBuf>,
}

impl Default for AuditSpec {
    fn default() -> Self {
        Self { checkpoint_every: default_checkpoint_every(), checkpoint_file: None }
    }
}

/// What `acknowledge` can list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
enum Acknowledgement {
    /// Plain http on this machine's loopback addresses.
    #[serde(rename = "unsafeHttp")]
    UnsafeHttp,
}

fn default_keys_dir() -> PathBuf {
    PathBuf::from("keys")
}

fn default_max_body_bytes() -> u64 {
    100 << 20
}

fn default_checkpoint_every() -> u32 {
    100
}

/// The server itself, read.
#[derive(Clone, Debug)]
pub(crate) struct ServerConfig {
    pub(crate) name: String,
    pub(crate) listen: SocketAddr,
    /// Without a final slash.
    pub(crate) public_url: String,
    pub(crate) storage: StorageSpec,
    /// From where relative paths count.
    pub(crate) base_dir: PathBuf,
    pub(crate) kek: KekRing,
    pub(crate) keys_dir: PathBuf,
    pub(crate) checkpoint_every: u32,
    pub(crate) checkpoint_file: Option<PathBuf>,
    pub(crate) proxies: Proxies,
    /// Whether plain http to loopback addresses was acknowledged.
    pub(crate) unsafe_http: bool,
}

/// What was read of the server's document. The rest of the configuration is compared with it even where it
/// has a fault of its own.
pub(super) struct ServerRead {
    pub(super) config: Option<ServerConfig>,
    /// Assumed where it could not be read, so that nothing else is blamed.
    pub(super) unsafe_http: bool,
    pub(super) max_body_bytes: Option<u64>,
}

/// Reads the one `SigningServer`.
pub(super) fn read(resources: &[Resource], report: &mut Report) -> ServerRead {
    let mut servers = resources.iter().filter(|resource| resource.kind == "SigningServer");
    let first = servers.next();
    match (first, resources.iter().find(|resource| resource.kind == "Worker")) {
        (None, Some(worker)) => {
            worker.fault("kind", "there is no SigningServer that would run this worker", report);
        }
        (Some(server), None) => {
            server.fault("kind", "no Worker is declared, so the server would have nothing to do", report);
        }
        _ => {}
    }
    for second in servers {
        let message = "there is a signing server already; run a second one from files of its own";
        second.fault("kind", message, report);
    }
    let spec = first.and_then(|resource| Some((resource, resource.spec::<SigningServerSpec>(report)?)));
    match spec {
        Some((resource, spec)) => ServerRead {
            unsafe_http: spec.acknowledge.contains(&Acknowledgement::UnsafeHttp),
            max_body_bytes: Some(spec.max_body_bytes),
            config: check(spec, resource, report),
        },
        None => ServerRead { config: None, unsafe_http: true, max_body_bytes: None },
    }
}

fn check(spec: SigningServerSpec, resource: &Resource, report: &mut Report) -> Option<ServerConfig> {
    let unsafe_http = spec.acknowledge.contains(&Acknowledgement::UnsafeHttp);
    let listen = spec.listen.parse().map_err(|_| {
        resource.fault("spec.listen", "not an address and port such as `127.0.0.1:8081`", report);
    });
    let public_url = uri::public(&spec.public_url, unsafe_http)
        .map_err(|message| resource.fault("spec.publicURL", message, report));
    check_ranges(&spec, resource, report);
    if let (Ok(listen), Ok(url)) = (&listen, &public_url) {
        check_listen(listen, url, resource, report);
    }
    let kek = KekRing::read(&spec.secrets.kek, resource.base_dir())
        .map_err(|error| resource.fault("spec.secrets.kek", error.to_string(), report));
    let proxies = Proxies::read(&spec.trusted_proxies, "spec.trustedProxies", resource, report);

    Some(ServerConfig {
        name: resource.name.clone(),
        listen: listen.ok()?,
        public_url: public_url.ok()?,
        storage: spec.storage,
        base_dir: resource.base_dir().to_path_buf(),
        kek: kek.ok()?,
        keys_dir: resource.base_dir().join(spec.keys_dir),
        checkpoint_every: spec.audit.checkpoint_every,
        checkpoint_file: spec.audit.checkpoint_file.map(|file| resource.base_dir().join(file)),
        proxies,
        unsafe_http,
    })
}

/// Plain http is for this machine alone, so nobody else may reach it.
fn check_listen(listen: &SocketAddr, public_url: &str, resource: &Resource, report: &mut Report) {
    if public_url.starts_with("http:") && !listen.ip().is_loopback() {
        let message = "other machines could reach a plain http server here: listen on a loopback address, or \
                       put a proxy with TLS in front and name its https URL in `publicURL`";
        resource.fault("spec.listen", message, report);
    }
}

fn check_ranges(spec: &SigningServerSpec, resource: &Resource, report: &mut Report) {
    if spec.storage.sqlite.is_some() == spec.storage.postgres.is_some() {
        resource.fault("spec.storage", "needs exactly one of `sqlite` and `postgres`", report);
    }
    if !(1..=MAX_BODY_CEILING).contains(&spec.max_body_bytes) {
        let message = format!("must be from 1 to {MAX_BODY_CEILING}");
        resource.fault("spec.maxBodyBytes", message, report);
    }
    if spec.audit.checkpoint_every == 0 {
        resource.fault("spec.audit.checkpointEvery", "must be at least 1", report);
    }
}
