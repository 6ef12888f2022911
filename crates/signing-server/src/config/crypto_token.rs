//! `CryptoToken`: where a worker's keys come from.

use std::sync::Arc;

use schemars::JsonSchema;
use sealwright_jose::Alg;
use sealwright_service::resource::{Report, Resource};
use serde::Deserialize;

use super::{AuthorityConfig, alg::SigningAlgName, names::Names};

/// `CryptoToken.spec`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CryptoTokenSpec {
    /// `onetime` is the only kind: a key for each signature, destroyed after it.
    #[expect(dead_code, reason = "there is one kind; that it is named is checked while reading")]
    kind: CryptoTokenKind,
    /// The algorithm of the keys.
    key: SigningAlgName,
    /// The `CertificateAuthority` that certifies them.
    ca: String,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum CryptoTokenKind {
    Onetime,
}

/// A one-time token, read.
#[derive(Clone, Debug)]
pub(crate) struct TokenConfig {
    pub(crate) name: String,
    pub(crate) alg: Alg,
    pub(crate) authority: Arc<AuthorityConfig>,
}

pub(super) fn read(
    resource: &Resource,
    authorities: &Names<'_, AuthorityConfig>,
    report: &mut Report,
) -> Option<TokenConfig> {
    let spec: CryptoTokenSpec = resource.spec(report)?;
    let authority = authorities.resolve(&spec.ca, resource, "spec.ca", report)?;
    Some(TokenConfig { name: resource.name.clone(), alg: spec.key.into(), authority })
}
