//! The shape of `AuthServer.spec.tokenSignature`.

use std::path::PathBuf;

use schemars::JsonSchema;
use sealwright_service::resource::DurationField;
use sealwright_service::secret::SecretRef;
use serde::Deserialize;

/// `AuthServer.spec.tokenSignature`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct TokenSignatureSpec {
    /// Whether the server makes and changes its keys by plan, or uses those that are declared. Default: `declared` where a
    /// key is referred to, else `automatic`.
    pub(super) mode: Option<Mode>,
    /// One key is active for each; the first signs where nobody asks for another. `automatic` only.
    #[serde(default)]
    pub(super) algorithms: Vec<String>,
    /// From one activation to the next. Default: `30d`. `automatic` only.
    pub(super) rotate_every: Option<DurationField>,
    /// How long a key stands in the set before it signs. Default: `24h`. `automatic` only.
    pub(super) publish_lead: Option<DurationField>,
    /// How wrong the clocks of verifiers may be. Default: `5m`.
    pub(super) evict_grace: Option<DurationField>,
    /// How long caches may keep the set. Default: `5m`.
    pub(super) jwks_max_age: Option<DurationField>,
    /// How old a replica's view of the keys may be while it signs. Default: half of `publishLead`, at most `15m`.
    /// `automatic` only.
    pub(super) max_stale: Option<DurationField>,
    /// How often a replica looks for changes. Default: `5s`. `automatic` only.
    pub(super) poll: Option<DurationField>,
    /// Whether a key waits until every live replica serves it. Default: `true`. `automatic` only.
    pub(super) require_replica_ack: Option<bool>,
    /// How long it waits at most. Default: `1h`. `automatic` only.
    pub(super) ack_timeout: Option<DurationField>,
    /// Where private keys are made and used. Default: `{kind: local}`. `automatic` only.
    pub(super) provider: Option<ProviderSpec>,
    /// The folder of the sealed keys, made at the first start; relative to the resource's folder. Default: `keys`.
    #[serde(default = "default_keys_dir")]
    pub(super) keys_dir: PathBuf,
}

fn default_keys_dir() -> PathBuf {
    PathBuf::from("keys")
}

/// Who decides which keys there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum Mode {
    Automatic,
}

/// `AuthServer.spec.tokenSignature.provider`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum ProviderSpec {
    /// In this process; at rest sealed under the key-encryption key.
    Local {},
    /// In a PKCS#11 token, which they never leave.
    Pkcs11 {
        /// The token's driver, a shared library.
        module: PathBuf,
        /// The label of the token.
        token: String,
        /// Where the user's PIN is.
        pin: SecretRef,
        /// How many sessions are kept open at most. Default: 8.
        #[schemars(range(min = 1, max = 1024))]
        sessions: Option<u32>,
    },
}
