//! Names of signature algorithms in resources.

use schemars::JsonSchema;
use sealwright_jose::Alg;
use serde::Deserialize;

/// An asymmetric algorithm by its IANA name. HMAC is not among them: whoever could verify could also sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
pub(super) enum AlgName {
    #[serde(rename = "RS256")]
    Rs256,
    #[serde(rename = "PS256")]
    Ps256,
    #[serde(rename = "ES256")]
    Es256,
    Ed25519,
}

/// An algorithm in which the server itself makes keys and signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub(super) enum SigningAlgName {
    #[serde(rename = "ES256")]
    Es256,
    #[serde(rename = "RS256")]
    Rs256,
    Ed25519,
}

impl From<AlgName> for Alg {
    fn from(name: AlgName) -> Self {
        match name {
            AlgName::Rs256 => Self::Rs256,
            AlgName::Ps256 => Self::Ps256,
            AlgName::Es256 => Self::Es256,
            AlgName::Ed25519 => Self::Ed25519,
        }
    }
}

impl From<SigningAlgName> for Alg {
    fn from(name: SigningAlgName) -> Self {
        match name {
            SigningAlgName::Es256 => Self::Es256,
            SigningAlgName::Rs256 => Self::Rs256,
            SigningAlgName::Ed25519 => Self::Ed25519,
        }
    }
}
