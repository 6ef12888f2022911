//! `Worker`: what can be asked for, and who may ask.

use std::{path::PathBuf, sync::Arc};

use schemars::JsonSchema;
use sealwright_jose::Alg;
use sealwright_service::resource::{Report, Resource};
use serde::Deserialize;

use super::{AuthorityConfig, AuthorizerConfig, TokenConfig, alg::SigningAlgName, names::Names};

/// What every worker's `kind` says; the rest of the spec depends on it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
struct AnyWorkerSpec {
    /// `jades` or `validator`.
    kind: KindName,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum KindName {
    Jades,
    Validator,
}

/// `Worker.spec` of kind `jades`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct JadesSpec {
    #[expect(dead_code, reason = "read before as `AnyWorkerSpec`")]
    kind: KindName,
    /// The `CryptoToken` that gives the keys.
    token: String,
    /// The `Authorizer`s; one of them must let the token pass.
    authorizers: Vec<String>,
    /// The signature level. Default and only value: `B-B`.
    #[serde(default)]
    #[expect(dead_code, reason = "one value so far")]
    level: Level,
    /// The signature algorithm; that of the token.
    alg: SigningAlgName,
    /// Default and only value: `attached`.
    #[serde(default)]
    #[expect(dead_code, reason = "one value so far")]
    packaging: Packaging,
    /// Default and only value: `flattened`.
    #[serde(default)]
    #[expect(dead_code, reason = "one value so far")]
    serialization: Serialization,
    /// The largest document in bytes. Default: the server's `maxBodyBytes`.
    #[serde(default)]
    max_input_bytes: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
enum Level {
    #[default]
    #[serde(rename = "B-B")]
    BB,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Packaging {
    #[default]
    Attached,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Serialization {
    #[default]
    Flattened,
}

/// `Worker.spec` of kind `validator`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ValidatorSpec {
    #[expect(dead_code, reason = "read before as `AnyWorkerSpec`")]
    kind: KindName,
    /// The `Authorizer`s; one of them must let the token pass.
    authorizers: Vec<String>,
    /// Whose certificates are believed.
    trust: Vec<TrustSpec>,
    /// The largest document in bytes. Default: the server's `maxBodyBytes`.
    #[serde(default)]
    max_input_bytes: Option<u64>,
}

/// A trust anchor: one of our authorities, or certificates in a PEM file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TrustSpec {
    /// The name of a `CertificateAuthority`.
    #[serde(default)]
    certificate_authority: Option<String>,
    /// A file of PEM certificates.
    #[serde(default)]
    file: Option<PathBuf>,
}

/// A worker, read.
#[derive(Clone, Debug)]
pub(crate) struct WorkerConfig {
    pub(crate) name: String,
    pub(crate) authorizers: Vec<Arc<AuthorizerConfig>>,
    pub(crate) max_input_bytes: u64,
    pub(crate) kind: WorkerKind,
}

#[derive(Clone, Debug)]
pub(crate) enum WorkerKind {
    Jades(JadesConfig),
    Validator(ValidatorConfig),
}

#[derive(Clone, Debug)]
pub(crate) struct JadesConfig {
    pub(crate) token: Arc<TokenConfig>,
    pub(crate) alg: Alg,
}

#[derive(Clone, Debug)]
pub(crate) struct ValidatorConfig {
    pub(crate) trust: Vec<TrustAnchor>,
}

#[derive(Clone, Debug)]
pub(crate) enum TrustAnchor {
    Authority(Arc<AuthorityConfig>),
    File(PathBuf),
}

/// What a worker's references are looked up in.
pub(super) struct Scope<'s, 'r> {
    pub(super) authorizers: &'s Names<'r, AuthorizerConfig>,
    pub(super) authorities: &'s Names<'r, AuthorityConfig>,
    pub(super) tokens: &'s Names<'r, TokenConfig>,
    /// `None` if the server's own document could not be read.
    pub(super) max_body_bytes: Option<u64>,
}

pub(super) fn read(resource: &Resource, scope: &Scope<'_, '_>, report: &mut Report) -> Option<WorkerConfig> {
    let any: AnyWorkerSpec = resource.spec(report)?;
    match any.kind {
        KindName::Jades => read_jades(resource, scope, report),
        KindName::Validator => read_validator(resource, scope, report),
    }
}

fn read_jades(resource: &Resource, scope: &Scope<'_, '_>, report: &mut Report) -> Option<WorkerConfig> {
    let spec: JadesSpec = resource.spec(report)?;
    let authorizers = read_authorizers(&spec.authorizers, resource, scope, report);
    let max_input_bytes = read_limit(spec.max_input_bytes, resource, scope, report);
    let token = scope.tokens.resolve(&spec.token, resource, "spec.token", report);
    let alg = Alg::from(spec.alg);
    if let Some(token) = &token
        && token.alg != alg
    {
        let message = format!("the keys of the token `{}` are for {}", token.name, token.alg.name());
        resource.fault("spec.alg", message, report);
    }
    Some(WorkerConfig {
        name: resource.name.clone(),
        authorizers: authorizers?,
        max_input_bytes: max_input_bytes?,
        kind: WorkerKind::Jades(JadesConfig { token: token?, alg }),
    })
}

fn read_validator(resource: &Resource, scope: &Scope<'_, '_>, report: &mut Report) -> Option<WorkerConfig> {
    let spec: ValidatorSpec = resource.spec(report)?;
    let authorizers = read_authorizers(&spec.authorizers, resource, scope, report);
    let max_input_bytes = read_limit(spec.max_input_bytes, resource, scope, report);
    if spec.trust.is_empty() {
        resource.fault("spec.trust", "name at least one trust anchor", report);
    }
    let mut trust = Vec::new();
    for (index, anchor) in spec.trust.into_iter().enumerate() {
        let path = format!("spec.trust[{index}]");
        match (anchor.certificate_authority, anchor.file) {
            (Some(name), None) => {
                let authority = scope.authorities.resolve(&name, resource, &path, report);
                trust.extend(authority.map(TrustAnchor::Authority));
            }
            (None, Some(file)) => trust.push(TrustAnchor::File(resource.base_dir().join(file))),
            _ => resource.fault(&path, "needs exactly one of `certificateAuthority` and `file`", report),
        }
    }
    Some(WorkerConfig {
        name: resource.name.clone(),
        authorizers: authorizers?,
        max_input_bytes: max_input_bytes?,
        kind: WorkerKind::Validator(ValidatorConfig { trust }),
    })
}

fn read_authorizers(
    names: &[String],
    resource: &Resource,
    scope: &Scope<'_, '_>,
    report: &mut Report,
) -> Option<Vec<Arc<AuthorizerConfig>>> {
    if names.is_empty() {
        let message = "a worker without an authorizer would work for anybody; name one";
        resource.fault("spec.authorizers", message, report);
        return None;
    }
    let resolved: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(index, name)| {
            scope.authorizers.resolve(name, resource, &format!("spec.authorizers[{index}]"), report)
        })
        .collect();
    resolved.into_iter().collect()
}

fn read_limit(
    max_input_bytes: Option<u64>,
    resource: &Resource,
    scope: &Scope<'_, '_>,
    report: &mut Report,
) -> Option<u64> {
    let path = "spec.maxInputBytes";
    match (max_input_bytes, scope.max_body_bytes) {
        (Some(0), _) => {
            resource.fault(path, "must be at least 1", report);
            None
        }
        (Some(own), Some(server)) if own > server => {
            let message = format!("is more than SigningServer.spec.maxBodyBytes ({server})");
            resource.fault(path, message, report);
            None
        }
        (own, server) => own.or(server),
    }
}

/// Each name that a certificate's subject is made from must be filled by every authorizer through which a
/// request can reach the authority; a typing error would else show at the first signature.
pub(super) fn check_subject_names(
    workers: &Names<'_, WorkerConfig>,
    authorities: &Names<'_, AuthorityConfig>,
    report: &mut Report,
) {
    let mut reported = std::collections::BTreeSet::new();
    for (_, worker) in workers.iter() {
        let WorkerKind::Jades(jades) = &worker.kind else {
            continue;
        };
        let authority = &jades.token.authority;
        let Some(resource) = authorities.resource(&authority.name) else {
            continue;
        };
        for authorizer in &worker.authorizers {
            for (path, name) in authority.subject.context_names() {
                if authorizer.context.fills(name) || !reported.insert((path.clone(), &authorizer.name)) {
                    continue;
                }
                let message = format!(
                    "`{name}` is not known: the authorizer `{}` of the worker `{}` maps no claim to it",
                    authorizer.name, worker.name
                );
                resource.fault(&path, message, report);
            }
        }
    }
}
