//! `Authorizer`: what a token must say before a worker works for it.

use std::{collections::BTreeMap, sync::Arc};

use schemars::JsonSchema;
use sealwright_resource_server::{
    assurance::Assurance,
    rules::{Compare, Rule},
};
use sealwright_service::resource::{DurationField, Report, Resource};
use serde::Deserialize;

use super::{
    issuer::IssuerSettings,
    names::Names,
    rules::{self, MatchName, RuleSpec},
};
use crate::authorizer::{ContextMap, ContextName};

/// `Authorizer.spec`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AuthorizerSpec {
    /// `jws` is the only kind.
    #[expect(dead_code, reason = "there is one kind; that it is named is checked while reading")]
    kind: AuthorizerKind,
    /// Names of the `TrustedIssuer`s whose tokens are looked at.
    issuers: Vec<String>,
    /// Whether all rules must hold or any one. Default: `all`.
    #[serde(default)]
    r#match: MatchName,
    /// Rules on claims.
    #[serde(default)]
    rules: Vec<RuleSpec>,
    /// How claims are compared with the values of rules. Default: `typed`.
    #[serde(default)]
    compare: CompareName,
    /// Says that an authorizer without rules is meant. Default: no.
    #[serde(default)]
    allow_any_authenticated: bool,
    /// How sure the issuer must have been of the person.
    #[serde(default)]
    assurance: AssuranceSpec,
    /// Whether the token must name the document.
    #[serde(default)]
    binding: BindingSpec,
    /// Whether a token counts once.
    #[serde(default)]
    replay: ReplaySpec,
    /// The claims that the signing process sees, each with the name that it sees; nothing else crosses.
    #[serde(default)]
    context: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum AuthorizerKind {
    Jws,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum CompareName {
    /// With their types: `42` is not `"42"`.
    #[default]
    Typed,
    /// By their texts, as SignServer's authorizers do, and looking into lists.
    Text,
}

/// `Authorizer.spec.assurance`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AssuranceSpec {
    /// One of these must be `acr`. Default: not looked at.
    #[serde(default)]
    acr_any: Vec<String>,
    /// Classes from the weakest to the strongest: a stronger one will do where a weaker one is asked for.
    /// Default: no class stands for another.
    #[serde(default)]
    acr_order: Vec<String>,
    /// All of these must be in `amr`; needs `acrAny`, by which a client can ask for a login with them. Default: not
    /// looked at.
    #[serde(default)]
    amr_all: Vec<String>,
    /// The longest time since `auth_time`. Default: not looked at.
    #[serde(default)]
    max_auth_age: Option<DurationField>,
}

/// `Authorizer.spec.binding`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BindingSpec {
    /// Default: `required`.
    #[serde(default)]
    mode: BindingMode,
}

/// Whether `authorization_details` must cover the worker, the operation and the document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BindingMode {
    /// Not looked at: the token is good for any document.
    Off,
    /// A token that names documents must name this one.
    Optional,
    /// The token must name this document.
    #[default]
    Required,
}

/// `Authorizer.spec.replay`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ReplaySpec {
    /// Default: `required`.
    #[serde(default)]
    jti: ReplayMode,
}

/// Whether a token counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReplayMode {
    /// Any number of times.
    Off,
    /// Once, if the token has a `jti`.
    IfPresent,
    /// Once, and a token without `jti` is refused.
    #[default]
    Required,
}

/// An authorizer, read.
#[derive(Clone, Debug)]
pub(crate) struct AuthorizerConfig {
    pub(crate) name: String,
    pub(crate) issuers: Vec<Arc<IssuerSettings>>,
    pub(crate) rule: Rule,
    pub(crate) compare: Compare,
    pub(crate) assurance: Assurance,
    pub(crate) binding: BindingMode,
    pub(crate) replay: ReplayMode,
    pub(crate) context: ContextMap,
}

pub(super) fn read(
    resource: &Resource,
    issuers: &Names<'_, IssuerSettings>,
    report: &mut Report,
) -> Option<AuthorizerConfig> {
    let spec: AuthorizerSpec = resource.spec(report)?;
    let issuers = read_issuers(&spec.issuers, resource, issuers, report);
    if spec.rules.is_empty() && !spec.allow_any_authenticated {
        let message = "an authorizer without rules lets everybody in whom the issuer knows; \
                       if that is meant, set `allowAnyAuthenticated: true`";
        resource.fault("spec", message, report);
    }
    if !spec.rules.is_empty() && spec.allow_any_authenticated {
        resource.fault("spec.allowAnyAuthenticated", "contradicts `rules`; leave one of them out", report);
    }
    // No rules is a choice that was spelt out above; "any of none" would refuse everybody.
    let matching = if spec.rules.is_empty() { MatchName::All } else { spec.r#match };
    let rule = matching.of(rules::read(spec.rules, "spec.rules", resource, report));
    let AssuranceSpec { acr_any, amr_all, .. } = &spec.assurance;
    if acr_any.is_empty() && !amr_all.is_empty() {
        let message = "needs `acrAny`: a challenge can ask for classes of logins, and not for methods";
        resource.fault("spec.assurance.amrAll", message, report);
    }
    let context = read_context(&spec.context, resource, report);
    Some(AuthorizerConfig {
        name: resource.name.clone(),
        issuers: issuers?,
        rule,
        compare: match spec.compare {
            CompareName::Typed => Compare::Typed,
            CompareName::Text => Compare::AsText,
        },
        assurance: Assurance {
            acr_any: spec.assurance.acr_any,
            acr_order: spec.assurance.acr_order,
            amr_all: spec.assurance.amr_all,
            max_auth_age: spec.assurance.max_auth_age.map(|age| age.0),
        },
        binding: spec.binding.mode,
        replay: spec.replay.jti,
        context: context?,
    })
}

fn read_issuers(
    names: &[String],
    resource: &Resource,
    declared: &Names<'_, IssuerSettings>,
    report: &mut Report,
) -> Option<Vec<Arc<IssuerSettings>>> {
    if names.is_empty() {
        resource.fault("spec.issuers", "name at least one TrustedIssuer", report);
        return None;
    }
    let resolved: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(index, name)| declared.resolve(name, resource, &format!("spec.issuers[{index}]"), report))
        .collect();
    let resolved = resolved.into_iter().collect::<Option<Vec<_>>>()?;
    for (index, issuer) in resolved.iter().enumerate() {
        if let Some(earlier) =
            resolved[..index].iter().find(|other| other.terms.issuer() == issuer.terms.issuer())
        {
            let message =
                format!("has the same `issuer` as `{}`: one authorizer, one set of terms", earlier.name);
            resource.fault(&format!("spec.issuers[{index}]"), message, report);
        }
    }
    Some(resolved)
}

fn read_context(
    spec: &BTreeMap<String, String>,
    resource: &Resource,
    report: &mut Report,
) -> Option<ContextMap> {
    let mut entries = Vec::with_capacity(spec.len());
    let mut sound = true;
    for (claim, name) in spec {
        let path = format!("spec.context.{claim}");
        let Some(name) = ContextName::parse(name) else {
            let message = "must be a name in lower case such as `subject` or `signer.given_name`";
            resource.fault(&path, message, report);
            sound = false;
            continue;
        };
        if entries.iter().any(|(_, other)| *other == name) {
            resource.fault(&path, format!("a second claim is mapped to `{name}`"), report);
            sound = false;
        }
        entries.push((claim.clone(), name));
    }
    sound.then(|| ContextMap::new(entries))
}
