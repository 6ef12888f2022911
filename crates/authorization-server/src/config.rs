//! From resources to one checked configuration for each authorization server.
//!
//! Nothing is opened, bound or made here, so `check` and `serve` see the same faults. Secrets are read, because a
//! server whose secret is missing must not start.

mod appsso;
mod auth_server;
mod client_registration;
pub(crate) mod first_start;
mod secrets;
pub(crate) mod token_signature;
mod user;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use sealwright_audit::AuditOptions;
use sealwright_jose::Alg;
use sealwright_keystore::KekRing;
use sealwright_service::client_address::Proxies;
use sealwright_service::database::StorageSpec;
use sealwright_service::resource::{Report, Resource};

pub use self::appsso::annotated_kek_files;
use self::first_start::FirstStart;
pub use self::first_start::FirstStartError;
use self::secrets::Secrets;
use self::token_signature::TokenSignature;
use crate::domain::acr::AcrPolicy;
use crate::domain::client::{Client, ClientAuthentication};
use crate::domain::issuer::Issuer;
use crate::domain::password::PasswordCost;
use crate::domain::user::Declared;

/// The kinds of resource that this server reads.
pub const KINDS: &[&str] = &["AuthServer", "ClientRegistration", "User", "Secret", "RSAKey"];

/// All that one authorization server needs, with every reference resolved.
#[derive(Debug)]
pub struct Config {
    pub(crate) name: String,
    pub(crate) issuer: Issuer,
    pub(crate) listen: SocketAddr,
    pub(crate) token_signature: TokenSignature,
    /// The first is the one that signs where nothing else is asked for.
    pub(crate) algorithms: Vec<Alg>,
    pub(crate) keys_dir: PathBuf,
    pub(crate) kek: KekRing,
    pub(crate) access_token_expiry: Duration,
    pub(crate) id_token_expiry: Duration,
    pub(crate) session_expiry: Duration,
    pub(crate) storage: StorageSpec,
    pub(crate) base_dir: PathBuf,
    /// What people read, by name.
    pub(crate) domains: BTreeMap<String, String>,
    pub(crate) acr: AcrPolicy,
    pub(crate) passwords: PasswordPolicy,
    /// The role of people who may administer the server; `None` if nobody may.
    pub(crate) admin_role: Option<String>,
    /// The client for which `POST /api/v1/auth` makes tokens, where that is enabled.
    pub(crate) json_login: Option<String>,
    pub(crate) audit: AuditOptions,
    pub(crate) proxies: Proxies,
    /// What is made at the first start.
    pub(crate) first_start: FirstStart,
    pub(crate) clients: BTreeMap<String, Client>,
    pub(crate) users: Vec<Declared>,
}

/// How passwords are hashed, and how many at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PasswordPolicy {
    pub(crate) cost: PasswordCost,
    pub(crate) max_concurrent: usize,
    pub(crate) queue_timeout: Duration,
}

impl Config {
    /// The name of the `AuthServer` resource.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The issuer's URL.
    pub fn issuer(&self) -> &str {
        self.issuer.as_str()
    }

    /// References to signing keys that lead nowhere, a sentence each. A server may start with them; a running one should
    /// not be told to forget its keys for them.
    pub fn unresolved(&self) -> Vec<&str> {
        match &self.token_signature {
            TokenSignature::Automatic(_) => Vec::new(),
            TokenSignature::Declared(declared) => declared.unresolved.iter().map(String::as_str).collect(),
        }
    }

    /// Where the server will listen.
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }
}

/// One `AuthServer` while the resources that refer to it are read.
struct Declaration<'r> {
    resource: &'r Resource,
    /// `None` when it is too broken to start, which is no reason to leave others' faults unsaid.
    config: Option<Config>,
    known: auth_server::Known,
    usernames: BTreeSet<String>,
}

/// The authorization servers that `resources` declare, each with its clients and users.
///
/// Everything that is wrong goes into `report`, with file and line; where a server is too broken to go on with, it is left
/// out. Start what comes back only if the report has no faults. Resources of other kinds are passed over.
pub fn configure(resources: &[Resource], report: &mut Report) -> Vec<Config> {
    let of_kind = |kind| resources.iter().filter(move |r: &&Resource| r.kind == kind);
    let secrets = Secrets::read(resources, report);
    let mut servers: Vec<Declaration<'_>> = Vec::new();
    for resource in of_kind("AuthServer") {
        let (config, known) = auth_server::read(resource, &secrets, report);
        let users = config.iter().flat_map(|config: &Config| &config.users);
        let usernames = users.map(|user| user.username.clone()).collect();
        servers.push(Declaration { resource, config, known, usernames });
    }
    let labelled: Vec<&Resource> = servers.iter().map(|server| server.resource).collect();

    // A registration that is broken inside must not make those that refer to it look broken too.
    let registered: BTreeSet<String> =
        of_kind("ClientRegistration").map(client_registration::client_id).collect();
    for resource in of_kind("ClientRegistration") {
        let read = client_registration::read(resource, &servers, &secrets, &registered, report);
        let Some(client_registration::Registered { server, client, new_secret }) = read else { continue };
        if let Some(Declaration { config: Some(config), .. }) = servers.get_mut(server) {
            client_registration::check_signing_algs(resource, &config.algorithms, report);
            client_registration::check_usual_alg(resource, &client, &config.algorithms, report);
            config.clients.insert(client.id.clone(), client);
            config.first_start.files.extend(new_secret);
        }
    }
    for resource in of_kind("User") {
        let Some((selected, spec)) = user::select(resource, &labelled, report) else { continue };
        let Some(server) = servers.get_mut(selected) else { continue };
        let read = user::read(resource, spec, &server.known, &mut server.usernames, report);
        if let (Some(user), Some(config)) = (read, &mut server.config) {
            config.users.push(user);
        }
    }
    for server in &mut servers {
        if let Some(config) = &mut server.config {
            let (longest, asked_for) = needs(config);
            config.token_signature.set_needs(longest, asked_for);
            check_json_login(server.resource, config, &registered, report);
        }
    }
    servers.into_iter().filter_map(|server| server.config).collect()
}

/// How long the tokens of a server live at most, and the algorithms that its clients ask for.
fn needs(config: &Config) -> (Duration, Vec<Alg>) {
    let mut longest = config.access_token_expiry;
    let mut asked_for = Vec::new();
    for client in config.clients.values() {
        longest = longest.max(client.access_token_expiry.unwrap_or_default());
        asked_for.extend(client.access_token_signing_alg);
        if client.may_get_id_tokens() {
            longest = longest.max(config.id_token_expiry);
            asked_for.extend(client.id_token_alg(|alg| config.algorithms.contains(&alg)));
        }
    }
    (longest, asked_for)
}

/// What can be checked only when the clients are known.
fn check_json_login(
    resource: &Resource,
    config: &Config,
    registered: &BTreeSet<String>,
    report: &mut Report,
) {
    let Some(id) = &config.json_login else { return };
    let path = "spec.features.jsonLogin.client";
    match config.clients.get(id) {
        // A registration that is there but broken has its faults in the report already.
        None if registered.contains(id) && !report.is_empty() => {}
        None => {
            let message =
                format!("there is no client `{id}` at this server; a client's id is NAMESPACE_NAME");
            resource.fault(path, message, report);
        }
        Some(client) if !matches!(client.authentication, ClientAuthentication::None) => {
            let message = format!(
                "client `{id}` has a secret, which a login over JSON would go around; name one with \
                 clientAuthenticationMethod: none"
            );
            resource.fault(path, message, report);
        }
        Some(client) if client.audiences.is_empty() => {
            let message = format!("client `{id}` has no audiences, so its tokens would be for nobody");
            resource.fault(path, message, report);
        }
        Some(_) => {}
    }
}

/// The one of `servers` whose labels contain all of `wanted`; more or fewer is a fault at `path`.
fn select(
    wanted: &BTreeMap<String, String>,
    servers: &[&Resource],
    resource: &Resource,
    path: &str,
    report: &mut Report,
) -> Option<usize> {
    let fits = |server: &Resource| wanted.iter().all(|(name, value)| server.labels.get(name) == Some(value));
    let found: Vec<usize> = (0..servers.len()).filter(|i| fits(servers[*i])).collect();
    match found.as_slice() {
        [one] => Some(*one),
        [] => {
            resource.fault(path, "no AuthServer has these labels", report);
            None
        }
        several => {
            let names: Vec<&str> = several.iter().map(|i| servers[*i].name.as_str()).collect();
            resource.fault(
                path,
                format!("these labels select several AuthServers: {}", names.join(", ")),
                report,
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use sealwright_service::resource;

    use super::*;

    /// How long tokens live, and what is asked for, at a server with these algorithms and this client.
    fn needed(algorithms: &str, client: &str) -> (u64, Vec<Alg>) {
        let dir = sealwright_testkit::temp_dir();
        std::fs::write(dir.path().join("kek"), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8").unwrap();
        let yaml = format!(
            "apiVersion: sealwright.dev/v1alpha1
kind: AuthServer
metadata: {{name: main, labels: {{env: test}}}}
spec:
  issuerURI: https://id.example.com
  listen: 127.0.0.1:0
  tokenSignature: {{algorithms: [{algorithms}]}}
  token: {{accessToken: {{expiry: 10m}}, idToken: {{expiry: 1h}}}}
  storage: {{sqlite: {{path: auth.db}}}}
  secrets: {{kek: [{{id: k1, file: kek}}]}}
---
apiVersion: sealwright.dev/v1alpha1
kind: ClientRegistration
metadata: {{name: portal}}
spec:
  authServerSelector: {{matchLabels: {{env: test}}}}
  clientAuthenticationMethod: none
  audiences: [\"https://api.example.com\"]
  {client}
"
        );
        let mut report = Report::default();
        let resources = resource::parse(&dir.path().join("auth.yaml"), &yaml, &mut report);
        let configs = configure(&resources, &mut report);
        assert!(report.faults.is_empty(), "{report}");
        let plan = configs[0].token_signature.plan();
        (plan.token_lifetime.as_secs(), plan.asked_for.clone())
    }

    #[test]
    fn the_plan_is_told_of_id_tokens_where_somebody_may_get_them() {
        let codes = "redirectURIs: [\"https://portal.example.com/\"]";
        let openid = format!("{codes}\n  scopes: [{{name: openid}}]");
        for (algorithms, client, lifetime_s, asked_for) in [
            ("ES256, RS256", codes.to_owned(), 600, &[][..]),
            ("ES256, RS256", "scopes: [{name: openid}]".to_owned(), 600, &[]),
            // What clients expect that name none.
            ("ES256, RS256", openid.clone(), 3600, &[Alg::Rs256]),
            ("ES256, ES384", openid.clone(), 3600, &[]),
            ("ES256, RS256", format!("{openid}\n  idTokenSignedResponseAlg: ES256"), 3600, &[Alg::Es256]),
            (
                "ES256, ES384, RS256",
                format!("{openid}\n  accessTokenExpiry: 2h\n  accessTokenSigningAlg: ES384"),
                7200,
                &[Alg::Es384, Alg::Rs256],
            ),
        ] {
            let needed = needed(algorithms, &client);
            assert_eq!(needed, (lifetime_s, asked_for.to_vec()), "{algorithms}: {client}");
        }
    }
}
