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

/// Opens the key, or makes it at the first start; whether it is new comes with it. Of processes that share the folder and start
/// at once, one makes it.
pub(crate) async fn open(store: &SealedStore) -> Result<(KeyHandle, bool), AuditKeyError> {
    if let Some(name) = find(store).await? {
        return Ok((store.load(&name).await?, false));
    }
    let _lock = store.lock().await?;
    if let Some(name) = find(store).await? {
        return Ok((store.load(&name).await?, false));
    }
    let key = SigningKey::generate(Alg::Es256)?;
    let name = format!("{PREFIX}{}", thumbprint_prefix(&key));
    Ok((store.import(&name, key).await?, true))
}

/// The name of the key, if it was made.
async fn find(store: &SealedStore) -> Result<Option<String>, AuditKeyError> {
    let mut ours = store.list().await?;
    ours.retain(|name| name.starts_with(PREFIX));
    match ours.as_slice() {
        [] | [_] => Ok(ours.pop()),
        several => Err(AuditKeyError::Ambiguous(several.join(", "))),
    }
}

fn thumbprint_prefix(key: &SigningKey) -> String {
    key.verifying_key().thumbprint().iter().take(8).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use sealwright_keystore::{KekRing, KekSpec};
    use tokio::task::JoinSet;

    use super::*;

    /// As processes do that share a folder, each by a store of its own.
    #[tokio::test(flavor = "multi_thread")]
    async fn those_that_start_at_once_have_one_key() {
        let dir = sealwright_testkit::temp_dir();
        std::fs::write(dir.path().join("kek"), KekRing::generate_text().as_bytes()).unwrap();
        let kek = KekSpec { id: "k1".into(), file: Some("kek".into()), ..KekSpec::default() };
        let ring = KekRing::read(&[kek], dir.path()).unwrap();
        let mut starts = JoinSet::new();
        for _ in 0..8 {
            let store = SealedStore::open(&dir.path().join("keys"), ring.clone()).unwrap();
            starts.spawn(async move {
                let (key, is_new) = open(&store).await.unwrap();
                (key.kid().to_owned(), is_new)
            });
        }
        let mut opened = starts.join_all().await;
        assert_eq!(opened.iter().filter(|(_, is_new)| *is_new).count(), 1);
        opened.dedup_by(|a, b| a.0 == b.0);
        assert_eq!(opened.len(), 1, "{opened:?}");
    }
}
