//! Keys moved in and out, and sealed anew.

use sealwright_jose::{Alg, JwkSet, SigningKey};
use sealwright_keystore::KeyProvider;
use serde::Serialize;

use super::admin::{Done, Happened, KeyAdmin, KeyAdminError, checked};
use crate::signing_keys::operate::{Action, Refusal};
use crate::signing_keys::record::{KeyRecord, KeyState, Ledger};
use crate::signing_keys::replica::Source;
use crate::signing_keys::transaction;
use crate::store::signing_key;

/// What sealing anew came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Resealed {
    /// Keys that are sealed under the first key-encryption key now, and were not before.
    pub resealed: usize,
    /// Keys that were already, or are in a token.
    pub unchanged: usize,
}

impl KeyAdmin {
    /// Takes over a private key that was made elsewhere: it lies in reserve under the name `kid`, until the plan or
    /// [`Action::Publish`] calls it.
    ///
    /// # Errors
    ///
    /// [`Refusal::Used`] if a key ever had this name or this material, [`Refusal::Algorithm`] if the plan does not have the
    /// key's algorithm, [`Refusal::Declared`]; [`KeyAdminError::Keystore`] if it cannot be kept, [`KeyAdminError::Store`].
    pub async fn import(
        &self,
        kid: &str,
        key: SigningKey,
        reason: Option<&str>,
    ) -> Result<Done, KeyAdminError> {
        let Source::Planned { plan, provider } = &self.source else { return Err(Refusal::Declared.into()) };
        let reason = checked(&Action::Publish { kid: kid.to_owned() }, reason)?;
        let alg = key.alg();
        if !plan.algorithms.contains(&alg) {
            return Err(Refusal::Algorithm(alg).into());
        }
        let (ledger, _, now) = self.look().await?;
        let thumbprint = key.verifying_key().thumbprint_base64url();
        let is_new = |ledger: &Ledger| {
            !ledger.keys.iter().any(|known| known.kid == kid || known.thumbprint == thumbprint)
        };
        // Asked before the key is taken into a token.
        if !is_new(&ledger) {
            return Err(Refusal::Used.into());
        }
        let kept = provider.import(kid, key).await?;
        let row = KeyRecord::new(kid, &kept.public, thumbprint.clone(), Some(kept.text.clone()), now);
        if !transaction::add(&self.database, &row, "key.imported", reason, None, is_new).await? {
            return Err(Refusal::Used.into());
        }
        let event = Happened { kid: kid.to_owned(), alg: alg.name(), event: "key.imported", at: now };
        Ok(Done { epoch: ledger.epoch + 1, events: vec![event] })
    }

    /// The public keys that verifiers are to know, as they are published.
    ///
    /// # Errors
    ///
    /// [`KeyAdminError::Store`]; [`KeyAdminError::Refused`] if `kid` is named and no key of that name is in the set.
    pub async fn public_keys(&self, kid: Option<&str>) -> Result<JwkSet, KeyAdminError> {
        let (ledger, _, _) = self.look().await?;
        let public =
            |key: &&KeyRecord| KeyState::PUBLIC.contains(&key.state) && kid.is_none_or(|kid| key.kid == kid);
        let keys: Vec<&str> = ledger.keys.iter().filter(public).map(|key| key.public_jwk.as_str()).collect();
        if keys.is_empty() && kid.is_some() {
            return Err(Refusal::Unknown.into());
        }
        let set = format!(r#"{{"keys":[{}]}}"#, keys.join(","));
        JwkSet::parse_any(&set, Alg::ALL).map_err(KeyAdminError::Unreadable)
    }

    /// Seals every private half under the first key-encryption key of the configuration: those in the database, the audit
    /// log's, and those of `RSAKey`s. Each is opened for it; after that the other key-encryption keys can go.
    ///
    /// # Errors
    ///
    /// [`KeyAdminError::NotResealed`] if some do not open; the others are sealed anew. [`KeyAdminError::Keystore`] and
    /// [`KeyAdminError::Folder`] if files cannot be looked at, [`KeyAdminError::Store`]. [`Refusal::Declared`] for an admin of
    /// a running server with declared keys, which has no files at hand.
    pub async fn reseal(&self) -> Result<Resealed, KeyAdminError> {
        let provider = match (&self.source, &self.files) {
            (Source::Planned { provider, .. }, _) => provider.clone(),
            (Source::Declared(_), Some(files)) => KeyProvider::sealed(files.ring.clone()),
            (Source::Declared(_), None) => return Err(Refusal::Declared.into()),
        };
        let (mut counts, mut failed) = (Resealed::default(), Vec::new());
        if let Some(files) = &self.files {
            counts = files.reseal(&mut failed).await?;
        }
        let (ledger, _, _) = self.look().await?;
        // The resources hold the private halves of those that they name.
        for key in ledger.keys.iter().filter(|key| !key.declared) {
            let Some(old) = &key.private else { continue };
            let new = match provider.reseal(old).await {
                Ok(new) => new,
                Err(error) => {
                    failed.push(error);
                    continue;
                }
            };
            let replaced = match &new {
                Some(new) => {
                    let mut conn = self.database.writer().acquire().await?;
                    // If it is not what it was, a server has erased it in between.
                    signing_key::replace_private(&mut conn, &key.kid, old, new).await?
                }
                None => false,
            };
            if replaced { counts.resealed += 1 } else { counts.unchanged += 1 }
        }
        if failed.is_empty() { Ok(counts) } else { Err(KeyAdminError::NotResealed { counts, failed }) }
    }
}
