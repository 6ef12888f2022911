//! `CertificateAuthority`: who certifies the workers' keys, and what the certificates say.

use std::{collections::HashMap, time::Duration};

use schemars::JsonSchema;
use sealwright_jose::Alg;
use sealwright_service::{
    resource::{DurationField, Report, Resource},
    text::check_text,
};
use serde::Deserialize;

use super::{alg::SigningAlgName, names::Names};
use crate::{
    authorizer::ContextName,
    ca::{AltNameTemplate, AttributeKind, AttributeTemplate, Part, SubjectTemplate},
};

/// One-time keys live for minutes; a day is far beyond any signing.
const MAX_VALIDITY: Duration = Duration::from_secs(24 * 3600);
const MAX_BACKDATE: Duration = Duration::from_secs(3600);
/// The name under which the audit log's key is kept.
pub(crate) const AUDIT_KID: &str = "audit";

/// `CertificateAuthority.spec`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CertificateAuthoritySpec {
    /// `internal` is the only kind: the key lies sealed in `keysDir`.
    #[expect(dead_code, reason = "there is one kind; that it is named is checked while reading")]
    kind: AuthorityKind,
    /// The name of its key in `keysDir`; made at the first start.
    key: String,
    /// The algorithm of its key.
    alg: SigningAlgName,
    /// The common name of its own certificate.
    common_name: String,
    /// How long the certificates that it issues are valid.
    validity: DurationField,
    /// How far their validity begins in the past, for clocks that are behind. Default: `60s`.
    #[serde(default = "default_backdate")]
    backdate: DurationField,
    /// The subject, attribute by attribute, in this order.
    subject: Vec<AttributeSpec>,
    /// Alternative names. Default: none.
    #[serde(default)]
    san: Vec<AltNameSpec>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum AuthorityKind {
    Internal,
}

/// One attribute of the subject: `from` the context, or a fixed `value`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AttributeSpec {
    /// The attribute's type.
    r#type: AttributeKind,
    /// A name of the context, or a list of names and texts (such as `" "`) that are joined.
    #[serde(default)]
    from: Option<FromSpec>,
    /// A fixed text.
    #[serde(default)]
    value: Option<String>,
    /// Whether nothing is signed when a value is missing; otherwise the attribute is left out. Default: no.
    #[serde(default)]
    required: bool,
    /// The most characters. Default: the bound of X.520.
    #[serde(default)]
    max: Option<u32>,
}

/// One alternative name.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AltNameSpec {
    /// `rfc822Name`: an e-mail address.
    #[expect(dead_code, reason = "there is one type; that it is named is checked while reading")]
    r#type: AltNameType,
    /// The name of the context that holds it.
    from: String,
    /// Whether nothing is signed when it is missing. Default: no.
    #[serde(default)]
    required: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
enum AltNameType {
    #[serde(rename = "rfc822Name")]
    Rfc822Name,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum FromSpec {
    One(String),
    Many(Vec<String>),
}

fn default_backdate() -> DurationField {
    DurationField(Duration::from_secs(60))
}

/// An authority, read.
#[derive(Clone, Debug)]
pub(crate) struct AuthorityConfig {
    pub(crate) name: String,
    pub(crate) kid: String,
    pub(crate) alg: Alg,
    pub(crate) common_name: String,
    pub(crate) validity: Duration,
    pub(crate) backdate: Duration,
    pub(crate) subject: SubjectTemplate,
}

pub(super) fn read(resource: &Resource, report: &mut Report) -> Option<AuthorityConfig> {
    let spec: CertificateAuthoritySpec = resource.spec(report)?;
    let faults_before = report.faults.len();
    if spec.key == AUDIT_KID {
        resource.fault("spec.key", "must be a name of its own; `audit` is the audit log's key", report);
    }
    if !is_key_name(&spec.key) {
        let message =
            "must be 1 to 128 letters, digits, `.`, `_` and `-`, without a dot in front: it names a file";
        resource.fault("spec.key", message, report);
    }
    if let Err(fault) = check_text(&spec.common_name, 64) {
        resource.fault("spec.commonName", fault.to_string(), report);
    }
    if spec.validity.0 < Duration::from_secs(1) || spec.validity.0 > MAX_VALIDITY {
        resource.fault("spec.validity", "must be from 1s to 24h: the keys are used once", report);
    }
    if spec.backdate.0 > MAX_BACKDATE {
        resource.fault("spec.backdate", "must not be more than 1h", report);
    }
    let subject = read_subject(&spec, resource, report);
    if report.faults.len() > faults_before {
        return None;
    }
    Some(AuthorityConfig {
        name: resource.name.clone(),
        kid: spec.key,
        alg: spec.alg.into(),
        common_name: spec.common_name,
        validity: spec.validity.0,
        backdate: spec.backdate.0,
        subject,
    })
}

fn read_subject(
    spec: &CertificateAuthoritySpec,
    resource: &Resource,
    report: &mut Report,
) -> SubjectTemplate {
    if spec.subject.is_empty() {
        resource.fault("spec.subject", "name at least one attribute", report);
    }
    let mut attributes: Vec<AttributeTemplate> = Vec::new();
    for (index, attribute) in spec.subject.iter().enumerate() {
        let path = format!("spec.subject[{index}]");
        if attributes.iter().any(|other| other.kind == attribute.r#type) {
            resource.fault(&path, "this attribute is already there", report);
        }
        match read_attribute(attribute) {
            Ok(template) => attributes.push(template),
            Err(message) => resource.fault(&path, message, report),
        }
    }
    let mut alt_names = Vec::new();
    for (index, name) in spec.san.iter().enumerate() {
        match ContextName::parse(&name.from) {
            Some(from) => alt_names.push(AltNameTemplate { from, required: name.required }),
            None => {
                let path = format!("spec.san[{index}].from");
                resource.fault(&path, "must be a name of the context such as `signer.email`", report);
            }
        }
    }
    SubjectTemplate { attributes, alt_names }
}

fn read_attribute(spec: &AttributeSpec) -> Result<AttributeTemplate, String> {
    let bound = spec.r#type.upper_bound();
    let max = match spec.max {
        Some(max) if max == 0 || max as usize > bound => {
            return Err(format!("`max` must be from 1 to {bound} for this attribute"));
        }
        Some(max) => max as usize,
        None => bound,
    };
    let parts = match (&spec.from, &spec.value) {
        (Some(FromSpec::One(name)), None) => vec![
            ContextName::parse(name)
                .map(Part::Context)
                .ok_or("`from` must be a name of the context such as `signer.given_name`")?,
        ],
        (Some(FromSpec::Many(parts)), None) => {
            if parts.is_empty() {
                return Err("`from` names nothing".to_owned());
            }
            let parse = |part: &String| match ContextName::parse(part) {
                Some(name) => Part::Context(name),
                None => Part::Text(part.clone()),
            };
            parts.iter().map(parse).collect()
        }
        (None, Some(value)) => {
            check_text(value, max).map_err(|fault| format!("`value` {fault}"))?;
            vec![Part::Text(value.clone())]
        }
        _ => return Err("needs exactly one of `from` and `value`".to_owned()),
    };
    let template = AttributeTemplate { kind: spec.r#type, parts, required: spec.required, max };
    template.check_fixed().map_err(|fault| format!("`value` {fault}"))?;
    Ok(template)
}

/// As the key store wants them.
fn is_key_name(name: &str) -> bool {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=128).contains(&name.len()) && name.bytes().all(safe) && !name.starts_with('.')
}

/// Two authorities on one key would issue under two names with one signature key.
pub(super) fn check_keys(authorities: &Names<'_, AuthorityConfig>, report: &mut Report) {
    let mut owners: HashMap<&str, &str> = HashMap::new();
    for (resource, authority) in authorities.iter() {
        if let Some(owner) = owners.insert(&authority.kid, &authority.name) {
            let message = format!("`{owner}` has the key `{}` already", authority.kid);
            resource.fault("spec.key", message, report);
        }
    }
}
