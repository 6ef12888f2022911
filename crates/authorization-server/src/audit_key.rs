//! The key that signs the audit log's checkpoints: one for good, in the sealed store.
//!
//! Its name ends in the beginning of its thumbprint, so no name is ever used for two keys.

use std::fmt::Write as _;

use sealwright_jose::{Alg, KeyError, SigningKey};
use sealwright_keystore::{KeyHandle, KeystoreError, SealedStore};

const PREFIX: &str = "audit-es256-";

/// Why there is no usable key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuditKeyError {
    #[error(transparent)]
    Store(#[from] KeystoreError),
    #[error("a new key could not be made")]
    Generate(#[from] KeyError),
    #[error("several keys begin with `{PREFIX}`: {0}; leave the one that is to sign in the folder")]
    Ambiguous(String),
}

/// Opens the key, or makes it at the first start; whether it is new comes with it.
pub(crate) async fn open(store: &SealedStore) -> Result<(KeyHandle, bool), AuditKeyError> {
    let names = store.list().await?;
    let ours: Vec<&str> = names.iter().map(String::as_str).filter(|name| name.starts_with(PREFIX)).collect();
    match ours.as_slice() {
        [] => {
            let key = SigningKey::generate(Alg::Es256)?;
            let name = format!("{PREFIX}{}", thumbprint_prefix(&key));
            Ok((store.import(&name, key).await?, true))
        }
        [name] => Ok((store.load(name).await?, false)),
        several => Err(AuditKeyError::Ambiguous(several.join(", "))),
    }
}

fn thumbprint_prefix(key: &SigningKey) -> String {
    key.verifying_key().thumbprint().iter().take(8).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
