//! The shape of `AuthServer.spec.tokenSignature`.

use std::path::PathBuf;

use schemars::JsonSchema;
use sealwright_jose::Alg;
use sealwright_service::resource::DurationField;
use sealwright_service::secret::SecretRef;
use serde::Deserialize;

use super::declared::KeyRef;

/// `AuthServer.spec.tokenSignature`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct TokenSignatureSpec {
    /// Whether the server makes and changes its keys by plan, or uses those that are declared. Default: `declared` where a
    /// key is referred to, else `automatic`.
    pub(in crate::config) mode: Option<Mode>,
    /// One key is active for each; the first signs where nobody asks for another. `automatic` only.
    #[serde(default)]
    pub(in crate::config) algorithms: Vec<String>,
    /// From one activation to the next. Default: `30d`. `automatic` only.
    pub(in crate::config) rotate_every: Option<DurationField>,
    /// How long a key stands in the set before it signs. Default: `24h`. `automatic` only.
    pub(in crate::config) publish_lead: Option<DurationField>,
    /// How wrong the clocks of verifiers may be. Default: `5m`.
    pub(in crate::config) evict_grace: Option<DurationField>,
    /// How long caches may keep the set. Default: `5m`.
    pub(in crate::config) jwks_max_age: Option<DurationField>,
    /// How old a replica's view of the keys may be while it signs. Default: half of `publishLead`, at most `15m`.
    /// `automatic` only.
    pub(in crate::config) max_stale: Option<DurationField>,
    /// How often a replica looks for changes. Default: `5s`. `automatic` only.
    pub(in crate::config) poll: Option<DurationField>,
    /// Whether a key waits until every live replica serves it. Default: `true`. `automatic` only.
    pub(in crate::config) require_replica_ack: Option<bool>,
    /// How long it waits at most. Default: `1h`. `automatic` only.
    pub(in crate::config) ack_timeout: Option<DurationField>,
    /// Where private keys are made and used. Default: `{kind: local}`. `automatic` only.
    pub(in crate::config) provider: Option<ProviderSpec>,
    /// The key that signs. `declared` only, as the following.
    pub(in crate::config) sign_and_verify_key_ref: Option<KeyRef>,
    /// Keys that stand in the set because they will sign later.
    #[serde(default)]
    pub(in crate::config) published_key_refs: Vec<KeyRef>,
    /// Keys that stand in the set because they have signed.
    #[serde(default)]
    pub(in crate::config) extra_verify_key_refs: Vec<KeyRef>,
    /// A folder in which each key has a folder of its name with `key.pem` and `pub.pem`, as Kubernetes mounts Secrets;
    /// relative to the resource's folder.
    pub(in crate::config) keys_from: Option<PathBuf>,
    /// The only algorithm that keys may have.
    #[serde(skip)]
    pub(in crate::config) only: Option<Alg>,
    /// The folder of the sealed keys, made at the first start; relative to the resource's folder. Default: `keys`.
    #[serde(default = "default_keys_dir")]
    pub(in crate::config) keys_dir: PathBuf,
}

fn default_keys_dir() -> PathBuf {
    PathBuf::from("keys")
}

impl TokenSignatureSpec {
    /// The fields that are given and have a meaning in one mode alone, with that mode.
    pub(in crate::config) fn of_one_mode(&self) -> impl Iterator<Item = (&'static str, Mode)> {
        let automatic = [
            ("algorithms", !self.algorithms.is_empty()),
            ("rotateEvery", self.rotate_every.is_some()),
            ("publishLead", self.publish_lead.is_some()),
            ("maxStale", self.max_stale.is_some()),
            ("poll", self.poll.is_some()),
            ("requireReplicaAck", self.require_replica_ack.is_some()),
            ("ackTimeout", self.ack_timeout.is_some()),
            ("provider", self.provider.is_some()),
        ];
        let declared = [
            ("signAndVerifyKeyRef", self.sign_and_verify_key_ref.is_some()),
            ("publishedKeyRefs", !self.published_key_refs.is_empty()),
            ("extraVerifyKeyRefs", !self.extra_verify_key_refs.is_empty()),
            ("keysFrom", self.keys_from.is_some()),
        ];
        let automatic = automatic.into_iter().map(|(field, given)| (field, given, Mode::Automatic));
        let declared = declared.into_iter().map(|(field, given)| (field, given, Mode::Declared));
        automatic.chain(declared).filter(|(_, given, _)| *given).map(|(field, _, mode)| (field, mode))
    }
}

/// Who decides which keys there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::config) enum Mode {
    Automatic,
    Declared,
}

/// `AuthServer.spec.tokenSignature.provider`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub(in crate::config) enum ProviderSpec {
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
        #[schemars(range(min = 1, max = 64))]
        sessions: Option<u32>,
    },
}
