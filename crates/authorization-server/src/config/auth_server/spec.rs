//! The shape of `AuthServer.spec`.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use sealwright_keystore::{KekRing, KekSpec};
use sealwright_service::database::StorageSpec;
use sealwright_service::resource::DurationField;
use serde::Deserialize;

use crate::config::first_start::FirstStart;
use crate::config::token_signature::TokenSignatureSpec;

/// `AuthServer.spec`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct AuthServerSpec {
    /// The issuer's URL: scheme, host and port.
    #[serde(rename = "issuerURI")]
    pub(in crate::config) issuer_uri: String,
    /// Address and port to listen on, such as `127.0.0.1:8080`.
    pub(in crate::config) listen: String,
    pub(in crate::config) token_signature: TokenSignatureSpec,
    #[serde(default)]
    pub(in crate::config) token: TokenSpec,
    #[serde(default)]
    pub(in crate::config) session: SessionSpec,
    pub(in crate::config) storage: StorageSpec,
    pub(in crate::config) secrets: SecretsSpec,
    /// Groups of users. Users without one are in `default`, which always exists.
    #[serde(default)]
    pub(in crate::config) domains: Vec<DomainSpec>,
    /// Levels of assurance, the weakest first. Default: none, so tokens carry no `acr`.
    #[serde(default)]
    pub(in crate::config) acr: Vec<AcrSpec>,
    #[serde(default)]
    pub(in crate::config) passwords: PasswordsSpec,
    #[serde(default)]
    pub(in crate::config) features: FeaturesSpec,
    #[serde(default)]
    pub(in crate::config) audit: AuditSpec,
    /// Addresses of reverse proxies, such as `10.0.0.0/8`, whose `X-Forwarded-For` is believed. Default: none.
    #[serde(default)]
    pub(in crate::config) trusted_proxies: Vec<String>,
    /// Settings that are unsafe and meant: `unsafeIssuerUri` for an issuer without TLS, `unsafeKeyTimings` for a plan of the
    /// signing keys that verifiers cannot follow.
    #[serde(default)]
    pub(in crate::config) acknowledge: Vec<Acknowledgement>,
    /// What is made at the first start.
    #[serde(skip)]
    pub(in crate::config) first_start: FirstStart,
}

/// `AuthServer.spec.token`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct TokenSpec {
    #[serde(default)]
    pub(in crate::config) access_token: AccessTokenSpec,
    #[serde(default)]
    pub(in crate::config) id_token: IdTokenSpec,
}

/// `AuthServer.spec.token.accessToken`: how long what the token endpoint issues lives.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct AccessTokenSpec {
    /// Lifetime, as a duration such as `5m`. Default: `5m`.
    pub(in crate::config) expiry: DurationField,
}

impl Default for AccessTokenSpec {
    fn default() -> Self {
        Self { expiry: DurationField(Duration::from_secs(5 * 60)) }
    }
}

/// `AuthServer.spec.token.idToken`: how long a client may believe what it says of a login.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct IdTokenSpec {
    /// Lifetime, as a duration such as `5m`. Default: `5m`.
    pub(in crate::config) expiry: DurationField,
}

impl Default for IdTokenSpec {
    fn default() -> Self {
        Self { expiry: DurationField(Duration::from_secs(5 * 60)) }
    }
}

/// `AuthServer.spec.session`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct SessionSpec {
    /// How long a person has from the first page to the last. Default: `15m`.
    pub(in crate::config) expiry: DurationField,
}

impl Default for SessionSpec {
    fn default() -> Self {
        Self { expiry: DurationField(Duration::from_secs(15 * 60)) }
    }
}

/// `AuthServer.spec.secrets`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct SecretsSpec {
    /// The key-encryption keys: the first seals, all unseal.
    pub(in crate::config) kek: Vec<KekSpec>,
    /// A ring that is written at the first start, in place of `kek`.
    #[serde(skip)]
    pub(in crate::config) made: Option<KekRing>,
}

/// One entry of `AuthServer.spec.domains`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct DomainSpec {
    /// As users and authentication contexts name it.
    pub(in crate::config) name: String,
    /// What people read. Default: the name.
    pub(in crate::config) display_name: Option<String>,
}

/// One entry of `AuthServer.spec.acr`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct AcrSpec {
    /// The value of the `acr` claim.
    pub(in crate::config) value: String,
    /// What it takes: `password`, `totp`.
    pub(in crate::config) requires: Vec<String>,
}

/// `AuthServer.spec.passwords`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct PasswordsSpec {
    #[serde(default)]
    pub(in crate::config) argon2: Argon2Spec,
    /// How many passwords are checked at the same time. Default: 2.
    #[schemars(range(min = 1, max = 1024))]
    pub(in crate::config) max_concurrent: Option<u32>,
    /// How long a login waits for its turn before it is told to come back. Default: `2s`.
    pub(in crate::config) queue_timeout: Option<DurationField>,
}

/// `AuthServer.spec.passwords.argon2`: the cost of one hash.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct Argon2Spec {
    /// Memory in KiB. Default: 19456.
    pub(in crate::config) m: u32,
    /// Passes. Default: 2.
    pub(in crate::config) t: u32,
    /// Lanes. Default: 1.
    pub(in crate::config) p: u32,
}

impl Default for Argon2Spec {
    fn default() -> Self {
        Self { m: 19_456, t: 2, p: 1 }
    }
}

/// `AuthServer.spec.features`: what is off unless named.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct FeaturesSpec {
    /// Login over JSON for first-party programs without a browser, at `POST /api/v1/auth`.
    pub(in crate::config) json_login: Option<JsonLoginSpec>,
}

/// `AuthServer.spec.features.jsonLogin`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct JsonLoginSpec {
    /// The id of the client whose tokens it makes: NAMESPACE_NAME.
    pub(in crate::config) client: String,
}

/// `AuthServer.spec.audit`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct AuditSpec {
    /// A signed checkpoint after so many entries. Default: 100.
    #[schemars(range(min = 1))]
    pub(in crate::config) checkpoint_every: Option<u32>,
    /// The newest checkpoint is also written to this file, relative to the resource's folder.
    pub(in crate::config) checkpoint_file: Option<PathBuf>,
}

/// An unsafe setting that is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::config) enum Acknowledgement {
    UnsafeIssuerUri,
    UnsafeKeyTimings,
}
