//! `AuthServer`: the server itself.

pub(super) mod spec;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use sealwright_audit::AuditOptions;
use sealwright_keystore::KekRing;
use sealwright_service::client_address::Proxies;
use sealwright_service::resource::{APPSSO_API_VERSION, DurationField, Report, Resource};

use self::spec::{Acknowledgement, AcrSpec, AuthServerSpec, DomainSpec, PasswordsSpec};
use super::secrets::Secrets;
use super::{Config, PasswordPolicy, appsso, token_signature};
use crate::domain::acr::{AcrLevel, AcrPolicy, Factor};
use crate::domain::issuer::Issuer;
use crate::domain::password::PasswordCost;
use crate::domain::user::DEFAULT_DOMAIN;

/// What other resources lean on, also when the server itself is too broken to start. `None` where that part is broken.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) domains: Option<BTreeMap<String, String>>,
    pub(super) password_cost: Option<PasswordCost>,
    /// The namespaces of which clients may register; `None` for all.
    pub(super) client_namespaces: Option<BTreeSet<String>>,
    /// Where secrets of clients are made that have none; `None` where clients name theirs.
    pub(super) state_dir: Option<PathBuf>,
}

/// Reads one `AuthServer`.
pub(super) fn read(
    resource: &Resource,
    secrets: &Secrets<'_>,
    report: &mut Report,
) -> (Option<Config>, Known) {
    if resource.api_version == APPSSO_API_VERSION {
        return appsso::auth_server::read(resource, secrets, report);
    }
    if resource.labels.is_empty() {
        let message = "give it at least one label, by which registrations select it";
        resource.fault("metadata.labels", message, report);
    }
    match resource.spec::<AuthServerSpec>(report) {
        Some(spec) => resolve(resource, spec, secrets, report),
        None => (None, Known::default()),
    }
}

/// From a spec to a configuration.
pub(super) fn resolve(
    resource: &Resource,
    spec: AuthServerSpec,
    secrets: &Secrets<'_>,
    report: &mut Report,
) -> (Option<Config>, Known) {
    let domains = domains(resource, &spec.domains, report);
    let passwords = passwords(resource, &spec.passwords, report);
    let password_cost = passwords.map(|policy| policy.cost);
    let known = Known { domains: Some(domains.clone()), password_cost, ..Known::default() };
    (config(resource, spec, domains, passwords, secrets, report), known)
}

fn config(
    resource: &Resource,
    spec: AuthServerSpec,
    domains: BTreeMap<String, String>,
    passwords: Option<PasswordPolicy>,
    secrets: &Secrets<'_>,
    report: &mut Report,
) -> Option<Config> {
    // Each part is read before the first `?`, so that one report has all faults.
    let issuer = issuer(resource, &spec, report);
    let listen: Option<SocketAddr> = spec.listen.parse().ok();
    if listen.is_none() {
        let message = "write an IP address and a port, such as 127.0.0.1:8080 or [::]:8443";
        resource.fault("spec.listen", message, report);
    }
    if let (Some(issuer), Some(listen)) = (&issuer, listen)
        && !issuer.is_https()
        && !listen.ip().to_canonical().is_loopback()
    {
        let message = "with a plain http issuer, listen on a loopback address such as 127.0.0.1; for others, give it an \
                       https issuer and a proxy that ends TLS";
        resource.fault("spec.listen", message, report);
    }
    let unsafe_timings = spec.acknowledge.contains(&Acknowledgement::UnsafeKeyTimings);
    let signature = token_signature::read(resource, spec.token_signature, unsafe_timings, secrets, report);
    let base_dir = resource.base_dir().to_owned();
    let kek = match spec.secrets.made {
        Some(ring) => Some(ring),
        None => KekRing::read(&spec.secrets.kek, &base_dir)
            .map_err(|error| resource.fault("spec.secrets.kek", error.to_string(), report))
            .ok(),
    };
    let access_token_expiry =
        expiry(resource, "spec.token.accessToken.expiry", spec.token.access_token.expiry, 1, report);
    let id_token_expiry =
        expiry(resource, "spec.token.idToken.expiry", spec.token.id_token.expiry, 1, report);
    let session_expiry = expiry(resource, "spec.session.expiry", spec.session.expiry, 60, report);
    let acr = acr(resource, &spec.acr, report);
    let proxies = Proxies::read(&spec.trusted_proxies, "spec.trustedProxies", resource, report);

    let token_signature::Read { token_signature, keys_dir } = signature?;
    let defaults = AuditOptions::default();
    let audit = AuditOptions {
        checkpoint_every: spec.audit.checkpoint_every.unwrap_or(defaults.checkpoint_every),
        checkpoint_file: spec.audit.checkpoint_file.map(|file| base_dir.join(file)),
        public_key_file: Some(keys_dir.join("audit.pub.jwk")),
        ..defaults
    };
    Some(Config {
        name: resource.name.clone(),
        issuer: issuer?,
        listen: listen?,
        algorithms: token_signature.plan().algorithms.clone(),
        token_signature,
        keys_dir,
        kek: kek?,
        access_token_expiry,
        id_token_expiry,
        session_expiry,
        storage: spec.storage,
        base_dir,
        domains,
        acr,
        passwords: passwords?,
        // Of the roles of our own `User`s, the one that has a meaning here.
        admin_role: Some("admin".to_owned()),
        json_login: spec.features.json_login.map(|login| login.client),
        audit,
        proxies,
        first_start: spec.first_start,
        clients: BTreeMap::new(),
        users: Vec::new(),
    })
}

/// A lifetime from `min_s` seconds to a day.
fn expiry(
    resource: &Resource,
    path: &str,
    field: DurationField,
    min_s: u64,
    report: &mut Report,
) -> Duration {
    let bounds = Duration::from_secs(min_s)..=Duration::from_secs(24 * 3600);
    if !bounds.contains(&field.0) {
        let least = if min_s == 1 { "1 second".to_owned() } else { format!("{min_s} seconds") };
        resource.fault(path, format!("write a duration from {least} to 24 hours"), report);
    }
    field.0
}

fn issuer(resource: &Resource, spec: &AuthServerSpec, report: &mut Report) -> Option<Issuer> {
    match Issuer::parse(&spec.issuer_uri) {
        Ok(issuer) => {
            if !issuer.is_https() && !spec.acknowledge.contains(&Acknowledgement::UnsafeIssuerUri) {
                let how = match resource.api_version.as_str() {
                    APPSSO_API_VERSION => format!("the annotation `{}`", appsso::ALLOW_UNSAFE_ISSUER_URI),
                    _ => "`acknowledge: [unsafeIssuerUri]`".to_owned(),
                };
                let message = format!("passwords would cross the network readable: use https, or add {how}");
                resource.fault("spec.issuerURI", message, report);
            }
            Some(issuer)
        }
        Err(message) => {
            resource.fault("spec.issuerURI", message, report);
            None
        }
    }
}

fn domains(resource: &Resource, specs: &[DomainSpec], report: &mut Report) -> BTreeMap<String, String> {
    let mut domains = BTreeMap::new();
    for (i, spec) in specs.iter().enumerate() {
        let path = format!("spec.domains[{i}].name");
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        if spec.name.is_empty() || spec.name.len() > 64 || !spec.name.chars().all(plain) {
            resource.fault(&path, "a domain's name has 1 to 64 letters, digits, `-`, `.` or `_`", report);
        }
        let shown = spec.display_name.clone().unwrap_or_else(|| spec.name.clone());
        if domains.insert(spec.name.clone(), shown).is_some() {
            resource.fault(&path, "this domain stands there twice", report);
        }
    }
    domains.entry(DEFAULT_DOMAIN.to_owned()).or_insert_with(|| DEFAULT_DOMAIN.to_owned());
    domains
}

fn acr(resource: &Resource, specs: &[AcrSpec], report: &mut Report) -> AcrPolicy {
    let mut levels: Vec<AcrLevel> = Vec::new();
    for (i, spec) in specs.iter().enumerate() {
        let path = format!("spec.acr[{i}]");
        if spec.value.is_empty()
            || spec.value.len() > 256
            || !spec.value.bytes().all(|b| b.is_ascii_graphic())
        {
            resource.fault(
                &format!("{path}.value"),
                "an acr value is ASCII without spaces, at most 256 characters",
                report,
            );
        }
        if levels.iter().any(|level| level.value == spec.value) {
            resource.fault(&format!("{path}.value"), "this acr value stands there twice", report);
        }
        if spec.requires.is_empty() {
            resource.fault(&format!("{path}.requires"), "a level requires something: password, totp", report);
        }
        let mut requires = Vec::new();
        for (j, name) in spec.requires.iter().enumerate() {
            match Factor::from_name(name) {
                Some(factor) => requires.push(factor),
                None => resource.fault(
                    &format!("{path}.requires[{j}]"),
                    format!(
                        "`{name}` is not something that people can log in with here; use password or totp"
                    ),
                    report,
                ),
            }
        }
        levels.push(AcrLevel { value: spec.value.clone(), requires });
    }
    AcrPolicy::new(levels)
}

fn passwords(resource: &Resource, spec: &PasswordsSpec, report: &mut Report) -> Option<PasswordPolicy> {
    let cost = PasswordCost::new(spec.argon2.m, spec.argon2.t, spec.argon2.p)
        .map_err(|error| resource.fault("spec.passwords.argon2", error.to_string(), report))
        .ok();
    let max_concurrent = spec.max_concurrent.unwrap_or(2);
    if !(1..=1024).contains(&max_concurrent) {
        resource.fault("spec.passwords.maxConcurrent", "write a number from 1 to 1024", report);
    }
    Some(PasswordPolicy {
        cost: cost?,
        max_concurrent: usize::try_from(max_concurrent).ok()?,
        queue_timeout: spec.queue_timeout.map_or(Duration::from_secs(2), |field| field.0),
    })
}
