//! The shape of `AuthServer.spec`.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use sealwright_keystore::KekSpec;
use sealwright_service::database::StorageSpec;
use sealwright_service::resource::DurationField;
use serde::Deserialize;

use crate::config::token_signature::TokenSignatureSpec;

/// `AuthServer.spec`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AuthServerSpec {
    /// The issuer's URL: scheme, host and port.
    #[serde(rename = "issuerURI")]
    pub(super) issuer_uri: String,
    /// Address and port to listen on, such as `127.0.0.1:8080`.
    pub(super) listen: String,
    pub(super) token_signature: TokenSignatureSpec,
    #[serde(default)]
    pub(super) token: TokenSpec,
    #[serde(default)]
    pub(super) session: SessionSpec,
    pub(super) storage: StorageSpec,
    pub(super) secrets: SecretsSpec,
    /// Groups of users. Users without one are in `default`, which always exists.
    #[serde(default)]
    pub(super) domains: Vec<DomainSpec>,
    /// Levels of assurance, the weakest first. Default: none, so tokens carry no `acr`.
    #[serde(default)]
    pub(super) acr: Vec<AcrSpec>,
    #[serde(default)]
    pub(super) passwords: PasswordsSpec,
    #[serde(default)]
    pub(super) features: FeaturesSpec,
    #[serde(default)]
    pub(super) audit: AuditSpec,
    /// Addresses of reverse proxies, such as `10.0.0.0/8`, whose `X-Forwarded-For` is believed. Default: none.
    #[serde(default)]
    pub(super) trusted_proxies: Vec<String>,
    /// Settings that are unsafe and meant: `unsafeIssuerUri` for an issuer without TLS, `unsafeKeyTimings` for a plan of the
    /// signing keys that verifiers cannot follow.
    #[serde(default)]
    pub(super) acknowledge: Vec<Acknowledgement>,
}

/// `AuthServer.spec.token`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TokenSpec {
    #[serde(default)]
    pub(super) access_token: AccessTokenSpec,
}

/// `AuthServer.spec.token.accessToken`: how long what the token endpoint issues lives.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AccessTokenSpec {
    /// Lifetime, as a duration such as `5m`. Default: `5m`.
    pub(super) expiry: DurationField,
}

impl Default for AccessTokenSpec {
    fn default() -> Self {
        Self { expiry: DurationField(Duration::from_secs(5 * 60)) }
    }
}

/// `AuthServer.spec.session`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SessionSpec {
    /// How long a person has from the first page to the last. Default: `15m`.
    pub(super) expiry: DurationField,
}

impl Default for SessionSpec {
    fn default() -> Self {
        Self { expiry: DurationField(Duration::from_secs(15 * 60)) }
    }
}

/// `AuthServer.spec.secrets`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SecretsSpec {
    /// The key-encryption keys: the first seals, all unseal.
    pub(super) kek: Vec<KekSpec>,
}

/// One entry of `AuthServer.spec.domains`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DomainSpec {
    /// As users and authentication contexts name it.
    pub(super) name: String,
    /// What people read. Default: the name.
    pub(super) display_name: Option<String>,
}

/// One entry of `AuthServer.spec.acr`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AcrSpec {
    /// The value of the `acr` claim.
    pub(super) value: String,
    /// What it takes: `password`, `totp`.
    pub(super) requires: Vec<String>,
}

/// `AuthServer.spec.passwords`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PasswordsSpec {
    #[serde(default)]
    pub(super) argon2: Argon2Spec,
    /// How many passwords are checked at the same time. Default: 2.
    #[schemars(range(min = 1, max = 1024))]
    pub(super) max_concurrent: Option<u32>,
    /// How long a login waits for its turn before it is told to come back. Default: `2s`.
    pub(super) queue_timeout: Option<DurationField>,
}

/// `AuthServer.spec.passwords.argon2`: the cost of one hash.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Argon2Spec {
    /// Memory in KiB. Default: 19456.
    pub(super) m: u32,
    /// Passes. Default: 2.
    pub(super) t: u32,
    /// Lanes. Default: 1.
    pub(super) p: u32,
}

impl Default for Argon2Spec {
    fn default() -> Self {
        Self { m: 19_456, t: 2, p: 1 }
    }
}

/// `AuthServer.spec.features`: what is off unless named.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct FeaturesSpec {
    /// Login over JSON for first-party programs without a browser, at `POST /api/v1/auth`.
    pub(super) json_login: Option<JsonLoginSpec>,
}

/// `AuthServer.spec.features.jsonLogin`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct JsonLoginSpec {
    /// The id of the client whose tokens it makes: NAMESPACE_NAME.
    pub(super) client: String,
}

/// `AuthServer.spec.audit`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AuditSpec {
    /// A signed checkpoint after so many entries. Default: 100.
    #[schemars(range(min = 1))]
    pub(super) checkpoint_every: Option<u32>,
    /// The newest checkpoint is also written to this file, relative to the resource's folder.
    pub(super) checkpoint_file: Option<PathBuf>,
}

/// An unsafe setting that is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum Acknowledgement {
    UnsafeIssuerUri,
    UnsafeKeyTimings,
}
