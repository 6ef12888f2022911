//! Resources → one resolved, immutable configuration, or every fault at once.
//!
//! [`configure`] reads the secrets that the documents name, so that a missing one is a fault like any other. The
//! database, sealed keys and anchor files are opened by [`crate::start`].

mod alg;
mod authority;
mod authorizer;
mod crypto_token;
mod issuer;
mod names;
mod rules;
mod server;
mod uri;
mod worker;

use std::sync::Arc;

use sealwright_service::resource::{Report, Resource};

pub(crate) use authority::{AUDIT_KID, AuthorityConfig};
pub(crate) use authorizer::{AuthorizerConfig, BindingMode, ReplayMode};
pub(crate) use crypto_token::TokenConfig;
pub(crate) use issuer::{ContextsConfig, IssuerSettings, MAX_CLOCK_SKEW};
pub(crate) use server::ServerConfig;
pub(crate) use worker::{TrustAnchor, WorkerConfig, WorkerKind};

use names::Names;

/// The kinds of resources that this server reads.
pub const KINDS: &[&str] =
    &["SigningServer", "TrustedIssuer", "Authorizer", "CryptoToken", "CertificateAuthority", "Worker"];

/// A signing server with everything that it refers to; made by [`configure`], started by
/// [`start`](crate::start).
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) server: ServerConfig,
    pub(crate) workers: Vec<Arc<WorkerConfig>>,
}

/// Resolves the signing server that `resources` declare; empty if they declare none.
///
/// Documents of other kinds are passed over. Everything wrong is in `report` afterwards, each fault with
/// file and line; what is returned is usable only if there is none.
///
/// ```
/// use sealwright_service::resource::{self, Report};
///
/// let mut report = Report::default();
/// let text = "
/// apiVersion: sealwright.dev/v1alpha1
/// kind: Worker
/// metadata: {name: contracts}
/// spec: {kind: jades, token: onetime, alg: ES256, authorizers: []}
/// ";
/// let resources = resource::parse("sign.yaml".as_ref(), text, &mut report);
/// assert!(sealwright_signing_server::configure(&resources, &mut report).is_empty());
/// assert!(report.to_string().contains("a worker without an authorizer"));
/// ```
pub fn configure(resources: &[Resource], report: &mut Report) -> Vec<Config> {
    let faults_before = report.faults.len();
    let server = server::read(resources, report);
    let unsafe_http = server.unsafe_http;
    let issuers = Names::collect("TrustedIssuer", resources, report, |resource, report| {
        issuer::read(resource, unsafe_http, report)
    });
    let authorizers = Names::collect("Authorizer", resources, report, |resource, report| {
        authorizer::read(resource, &issuers, report)
    });
    let authorities = Names::collect("CertificateAuthority", resources, report, authority::read);
    authority::check_keys(&authorities, report);
    let tokens = Names::collect("CryptoToken", resources, report, |resource, report| {
        crypto_token::read(resource, &authorities, report)
    });
    let scope = worker::Scope {
        authorizers: &authorizers,
        authorities: &authorities,
        tokens: &tokens,
        max_body_bytes: server.max_body_bytes,
    };
    let workers = Names::collect("Worker", resources, report, |resource, report| {
        worker::read(resource, &scope, report)
    });
    worker::check_subject_names(&workers, &authorities, report);

    match server.config {
        Some(server) if report.faults.len() == faults_before => {
            vec![Config { server, workers: workers.into_values() }]
        }
        _ => Vec::new(),
    }
}
