//! The snapshot that requests read, from the configuration and what lies on disk.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::Arc,
};

use sealwright_audit::{AuditLog, Entry};
use sealwright_jose::Alg;
use sealwright_keystore::{KeyHandle, SealedStore};
use sealwright_resource_server::{Authenticator, JwksOptions, KeySets, metadata::ProtectedResource};
use sealwright_service::{clock::Clock, database::Database};
use serde_json::json;

use super::StartError;
use crate::{
    authentication_context::ContextClient,
    authorizer::{Action, Authorizer, Guard},
    ca::{Authority, AuthorityError},
    config::{
        AUDIT_KID, AuthorityConfig, AuthorizerConfig, Config, IssuerSettings, TrustAnchor, WorkerConfig,
        WorkerKind,
    },
    crypto_token::OneTimeToken,
    memory::Memory,
    refusals::Refusals,
    state::{App, Snapshot},
    store::{Ledger, authority_certificate},
    uploads::Uploads,
    validation::{Anchors, CertificateError},
    worker::{JadesWorker, Kind, ValidatorWorker, Worker},
};

/// The parts that several workers may share, by the names of their resources.
struct Assembly<'a> {
    config: &'a Config,
    database: &'a Database,
    keys: &'a SealedStore,
    audit: &'a AuditLog,
    clock: &'a Clock,
    authorities: HashMap<String, Arc<Authority>>,
    authorizers: HashMap<String, Arc<Authorizer>>,
    /// By the names of the issuers, so that authorizers of the same ones share what they remember.
    authenticators: HashMap<Vec<String>, Authenticator>,
    /// Of all issuers: each set is fetched once, however many authenticators trust its issuer.
    key_sets: KeySets,
}

/// Builds everything that the workers need.
pub(super) async fn assemble(
    config: &Config,
    database: Database,
    keys: &SealedStore,
    audit: AuditLog,
    clock: Clock,
) -> Result<App, StartError> {
    let mut assembly = Assembly {
        config,
        database: &database,
        keys,
        audit: &audit,
        clock: &clock,
        authorities: HashMap::new(),
        authorizers: HashMap::new(),
        authenticators: HashMap::new(),
        key_sets: KeySets::new(JwksOptions {
            allow_http_loopback: config.server.unsafe_http,
            ..JwksOptions::default()
        }),
    };
    let mut workers = BTreeMap::new();
    for worker in &config.workers {
        workers.insert(worker.name.clone(), Arc::new(assembly.worker(worker).await?));
    }
    let issuers = issuers(config);
    let contexts =
        issuers.values().filter_map(|issuer| Some((issuer.name.as_str(), issuer.contexts.as_ref()?)));
    let largest = config.workers.iter().map(|worker| worker.max_input_bytes).max();
    let contexts = ContextClient::new(contexts).map_err(|error| StartError::Contexts(error.into()))?;
    let metadata = metadata(config, issuers.values(), workers.values());
    Ok(App::new(Snapshot {
        public_url: config.server.public_url.clone(),
        metadata,
        workers,
        contexts,
        proxies: config.server.proxies.clone(),
        memory: Memory::for_documents(largest.unwrap_or(0)),
        uploads: Uploads::default(),
        ledger: Ledger::new(database.clone()),
        audit,
        refusals: Refusals::default(),
        database,
        clock,
    }))
}

impl Assembly<'_> {
    async fn worker(&mut self, config: &WorkerConfig) -> Result<Worker, StartError> {
        let mut authorizers = Vec::with_capacity(config.authorizers.len());
        for authorizer in &config.authorizers {
            authorizers.push(self.authorizer(authorizer)?);
        }
        let kind = match &config.kind {
            WorkerKind::Jades(jades) => {
                let authority = self.authority(&jades.token.authority).await?;
                let token = Arc::new(OneTimeToken::new(jades.token.alg, authority));
                Kind::Jades(JadesWorker { alg: jades.alg, token })
            }
            WorkerKind::Validator(validator) => {
                let anchors = Arc::new(self.anchors(&config.name, &validator.trust).await?);
                Kind::Validator(ValidatorWorker { anchors })
            }
        };
        Ok(Worker {
            name: config.name.clone(),
            guard: Guard::new(authorizers),
            max_input_bytes: config.max_input_bytes,
            kind,
        })
    }

    fn authorizer(&mut self, config: &Arc<AuthorizerConfig>) -> Result<Arc<Authorizer>, StartError> {
        if let Some(known) = self.authorizers.get(&config.name) {
            return Ok(Arc::clone(known));
        }
        let mut names: Vec<String> = config.issuers.iter().map(|issuer| issuer.name.clone()).collect();
        names.sort_unstable();
        let authenticator = match self.authenticators.get(&names) {
            Some(known) => known.clone(),
            None => {
                let terms = config.issuers.iter().map(|issuer| issuer.terms.clone());
                let made = Authenticator::builder()
                    .issuers(terms)
                    .jwks(self.key_sets.clone())
                    .build()
                    .map_err(|source| StartError::Issuer { authorizer: config.name.clone(), source })?;
                self.authenticators.insert(names, made.clone());
                made
            }
        };
        let authorizer = Arc::new(Authorizer { config: Arc::clone(config), authenticator });
        self.authorizers.insert(config.name.clone(), Arc::clone(&authorizer));
        Ok(authorizer)
    }

    /// The authority with its sealed key and its one certificate, both made at the first start.
    async fn authority(&mut self, config: &Arc<AuthorityConfig>) -> Result<Arc<Authority>, StartError> {
        if let Some(known) = self.authorities.get(&config.name) {
            return Ok(Arc::clone(known));
        }
        let fault = |source: AuthorityError| StartError::Authority {
            name: config.name.clone(),
            source: source.into(),
        };
        let (key, made) = load_or_make(self.keys, &config.kid, config.alg).await?;
        if let Some(entry) = made {
            self.audit.append(entry).await?;
        }
        let now = self.clock.now();
        let stored = authority_certificate(self.database, &config.name, &config.kid, None, now).await?;
        let der = match stored {
            Some(der) => der,
            None => {
                let made = Authority::self_signed(config, &key, now).await.map_err(fault)?;
                let stored =
                    authority_certificate(self.database, &config.name, &config.kid, Some(&made), now).await?;
                stored.unwrap_or(made)
            }
        };
        let authority = Arc::new(Authority::new(Arc::clone(config), key, der).map_err(fault)?);
        let path = self.config.server.keys_dir.join(format!("ca-{}.pem", config.name));
        write(&path, authority.pem()).await?;
        self.authorities.insert(config.name.clone(), Arc::clone(&authority));
        Ok(authority)
    }

    async fn anchors(&mut self, worker: &str, trust: &[TrustAnchor]) -> Result<Anchors, StartError> {
        let fault =
            |source: CertificateError| StartError::Trust { worker: worker.to_owned(), source: source.into() };
        let mut certificates = Vec::new();
        for anchor in trust {
            match anchor {
                TrustAnchor::Authority(config) => {
                    certificates.push(self.authority(config).await?.der().to_vec());
                }
                TrustAnchor::File(path) => {
                    certificates.extend(Anchors::read_file(path).await.map_err(fault)?);
                }
            }
        }
        Anchors::from_der(certificates.iter().map(Vec::as_slice)).map_err(fault)
    }
}

/// The key that signs the audit log's checkpoints, with the entry that says it is new.
pub(super) async fn audit_key(keys: &SealedStore) -> Result<(KeyHandle, Option<Entry>), StartError> {
    load_or_make(keys, AUDIT_KID, Alg::Es256).await
}

async fn load_or_make(
    keys: &SealedStore,
    kid: &str,
    alg: Alg,
) -> Result<(KeyHandle, Option<Entry>), StartError> {
    let known = keys.list().await?.iter().any(|known| known == kid);
    let key = keys.load_or_generate(kid, alg).await?;
    let entry = (!known).then(|| Entry {
        event: "key.created",
        operation: None,
        subject: None,
        details: json!({
            "kid": kid,
            "alg": alg.name(),
            "thumbprint": sealwright_jose::base64url::encode(key.verifying_key().thumbprint()),
        }),
    });
    Ok((key, entry))
}

async fn write(path: &Path, text: &str) -> Result<(), StartError> {
    tokio::fs::write(path, text)
        .await
        .map_err(|source| StartError::File { path: path.display().to_string(), source })
}

/// Every issuer that some worker trusts, by the name of its resource.
fn issuers(config: &Config) -> BTreeMap<&str, &IssuerSettings> {
    let authorizers = config.workers.iter().flat_map(|worker| &worker.authorizers);
    let issuers = authorizers.flat_map(|authorizer| &authorizer.issuers);
    issuers.map(|issuer| (issuer.name.as_str(), issuer.as_ref())).collect()
}

fn metadata<'a>(
    config: &Config,
    issuers: impl Iterator<Item = &'a &'a IssuerSettings>,
    workers: impl Iterator<Item = &'a Arc<Worker>>,
) -> ProtectedResource {
    let mut servers: Vec<&str> = issuers.map(|issuer| issuer.terms.issuer()).collect();
    servers.sort_unstable();
    servers.dedup();
    let mut types: Vec<&str> = workers.map(|worker| Action::detail_type(worker.action())).collect();
    types.sort_unstable();
    types.dedup();
    ProtectedResource::new(config.server.public_url.clone())
        .expect("the public URL was read as an origin")
        .authorization_servers(servers)
        .authorization_details_types_supported(types)
        .resource_name(config.server.name.clone())
}
