//! The keys that sign: one for tokens an algorithm, one for the audit log's checkpoints.
//!
//! They live in the sealed store, under names that say what they are for: `token-es256-…` and `audit-es256-…`. The rest
//! of the name is the beginning of the key's thumbprint, so no name is ever used for two keys.

pub(crate) mod decide;
pub(crate) mod plan;
pub(crate) mod record;

#[cfg(test)]
mod simulation;

use std::fmt::Write as _;

use aws_lc_rs::digest;
use axum::body::Bytes;
use sealwright_jose::{Alg, JwkSet, KeyError, SigningKey, base64url};
use sealwright_keystore::{KeyHandle, KeystoreError, SealedStore};

use crate::state::Published;

/// Why there are no usable keys.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeysError {
    #[error(transparent)]
    Store(#[from] KeystoreError),
    #[error("a new key could not be made")]
    Generate(#[from] KeyError),
    #[error("several keys begin with `{prefix}`: {names}; leave the one that is to sign in the folder")]
    Ambiguous { prefix: String, names: String },
}

/// The keys of a server, and which of them are new.
pub(crate) struct ServerKeys {
    /// One an algorithm, in the order of the configuration; the first signs.
    pub(crate) token: Vec<KeyHandle>,
    pub(crate) audit: KeyHandle,
    /// Names and algorithms of the keys that were made now.
    pub(crate) created: Vec<(String, Alg)>,
}

/// Opens the keys of a server, and makes those that are missing.
pub(crate) async fn open(store: &SealedStore, algorithms: &[Alg]) -> Result<ServerKeys, KeysError> {
    let mut created = Vec::new();
    let mut token = Vec::with_capacity(algorithms.len());
    for alg in algorithms {
        token.push(load_or_generate(store, "token", *alg, &mut created).await?);
    }
    let audit = load_or_generate(store, "audit", Alg::Es256, &mut created).await?;
    Ok(ServerKeys { token, audit, created })
}

async fn load_or_generate(
    store: &SealedStore,
    purpose: &str,
    alg: Alg,
    created: &mut Vec<(String, Alg)>,
) -> Result<KeyHandle, KeysError> {
    let prefix = format!("{purpose}-{}-", alg.name().to_ascii_lowercase());
    let names = store.list().await?;
    let ours: Vec<&str> = names.iter().map(String::as_str).filter(|name| name.starts_with(&prefix)).collect();
    match ours.as_slice() {
        [] => {
            let key = generate(alg).await?;
            let name = format!("{prefix}{}", thumbprint_prefix(&key));
            let handle = store.import(&name, key).await?;
            created.push((name, alg));
            Ok(handle)
        }
        [name] => Ok(store.load(name).await?),
        several => Err(KeysError::Ambiguous { prefix, names: several.join(", ") }),
    }
}

/// Off the async threads: making an RSA key takes a good part of a second.
async fn generate(alg: Alg) -> Result<SigningKey, KeysError> {
    match tokio::task::spawn_blocking(move || SigningKey::generate(alg)).await {
        Ok(key) => Ok(key?),
        Err(error) => Err(KeystoreError::Unavailable(error.to_string()).into()),
    }
}

fn thumbprint_prefix(key: &SigningKey) -> String {
    key.verifying_key().thumbprint().iter().take(8).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The JWK set of `keys`, ready to be sent.
pub(crate) fn publish(keys: &[KeyHandle]) -> Result<Published, KeyError> {
    let set = JwkSet::from_keys(keys.iter().map(|key| key.verifying_key().clone().with_kid(key.kid())))?;
    let body = Bytes::from(set.to_json());
    let hash = digest::digest(&digest::SHA256, &body);
    Ok(Published { body, etag: format!("\"{}\"", base64url::encode(&hash.as_ref()[..16])) })
}
