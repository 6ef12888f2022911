//! Private halves: made, opened, and destroyed.

use std::collections::BTreeMap;
use std::sync::Arc;

use sealwright_keystore::{KeyHandle, KeystoreError};
use sealwright_service::clock::Timestamp;

use super::process::new_kid;
use super::{KeysError, LOOK_LIMIT, ReplicaLoop, Source};
use crate::signing_keys::meter::{Meter, metered};
use crate::signing_keys::record::{KeyRecord, KeyState, Ledger};
use crate::signing_keys::{decide, transaction};
use crate::store::signing_key::{self, Remains};

impl ReplicaLoop {
    /// Makes the keys that the plan wants in reserve; whether there were any to make.
    pub(super) async fn make_missing(&self, ledger: &Ledger) -> Result<bool, KeysError> {
        let Source::Planned { plan, provider } = &self.source else { return Ok(false) };
        let missing = decide::missing(plan, ledger);
        for alg in &missing {
            let now = self.now();
            let kid = new_kid(*alg, now);
            let kept = provider.generate(&kid, *alg).await?;
            let thumbprint = kept.public.thumbprint_base64url();
            let key = KeyRecord::new(&kid, &kept.public, thumbprint, Some(kept.text.clone()), now);
            let wanted = |ledger: &Ledger| decide::missing(plan, ledger).contains(alg);
            let added = transaction::add(&self.database, &key, "key.created", None, wanted).await;
            let is_ours = match &added {
                Ok(added) => *added,
                // Whether it was written down nobody knows, unless somebody looks.
                Err(_) => self.read().await.is_ok_and(|(ledger, _)| ledger.key(&kid).is_some()),
            };
            if !is_ours {
                // Another replica was faster, or nothing can be written: a token must not fill up with keys of nobody.
                if let Err(error) = provider.destroy(&kid, &kept.text).await {
                    tracing::error!(kid, %error, "a key that nobody uses is left; remove it with the token's own tool");
                }
            }
            added?;
        }
        Ok(!missing.is_empty())
    }

    /// Destroys private halves in a token whose keys have ended: when no replica can have a view by which they sign, and for
    /// a revoked key now. What fails is tried again.
    pub(super) async fn destroy_remains(&mut self, ledger: &Ledger, now: Timestamp) -> sqlx::Result<()> {
        let Source::Planned { plan, provider } = &self.source else { return Ok(()) };
        let mut conn = self.database.reader().acquire().await?;
        let remains = signing_key::remains(&mut conn).await?;
        drop(conn);
        for Remains { kid, private, since } in remains {
            let is_revoked = ledger.key(&kid).is_some_and(|key| key.state == KeyState::Revoked);
            if !is_revoked && now < since.plus(plan.max_stale + LOOK_LIMIT) {
                continue;
            }
            match provider.destroy(&kid, &private).await {
                Ok(()) => {
                    let mut conn = self.database.writer().acquire().await?;
                    signing_key::delete_remains(&mut conn, &kid).await?;
                    self.undestroyed.remove(&kid);
                }
                Err(error) => {
                    if self.undestroyed.insert(kid.clone()) {
                        tracing::error!(kid, %error, "the private half of a key that ended is still in its token; trying again");
                    }
                }
            }
        }
        Ok(())
    }

    /// Looks whether private halves that were sealed anew still open here, and says what to do where they do not, long before
    /// they are needed: this replica goes on with those that it has open, but a new start could not open them.
    pub(super) async fn notice_other_seals(&mut self, ledger: &Ledger) {
        let Source::Planned { provider, .. } = &self.source else { return };
        let mut sealed = BTreeMap::new();
        for key in ledger.keys.iter().filter(|key| !key.declared) {
            let Some(private) = &key.private else { continue };
            if key.state != KeyState::Staged && !self.open.contains_key(&key.kid) {
                // What cannot be opened when it must be is said then.
                continue;
            }
            if let Some(known) = self.sealed.get(&key.kid).filter(|(text, _)| text == private) {
                sealed.insert(key.kid.clone(), known.clone());
                continue;
            }
            match provider.open(&key.kid, private).await {
                Ok(_) => _ = sealed.insert(key.kid.clone(), (private.clone(), true)),
                Err(error @ (KeystoreError::KekUnknown { .. } | KeystoreError::Seal { .. })) => {
                    tracing::error!(
                        kid = key.kid,
                        %error,
                        "this key was sealed anew, and this server could not open it again after a restart: put the \
                         key-encryption key into its `secrets.kek`, and it is taken over at once"
                    );
                    sealed.insert(key.kid.clone(), (private.clone(), false));
                }
                // A token may be away for a moment; it is asked again.
                Err(error) => tracing::debug!(kid = key.kid, %error, "a private half could not be looked at"),
            }
        }
        self.sealed = sealed;
    }

    /// Opens the private halves of keys that sign or will; `false` if one of them does not open.
    pub(super) async fn open_signers(&mut self, ledger: &Ledger) -> bool {
        // What was made in the other way is for other replicas to sign with, while the way is being changed.
        let is_declared = matches!(self.source, Source::Declared(_));
        let signs = |key: &&KeyRecord| {
            matches!(key.state, KeyState::Active | KeyState::Published) && key.declared == is_declared
        };
        let (mut open, mut complaints) = (BTreeMap::new(), BTreeMap::new());
        for key in ledger.keys.iter().filter(signs) {
            let Some(private) = &key.private else { continue };
            let handle = match self.open.get(&key.kid) {
                Some(handle) => Ok(handle.clone()),
                None => self.open(&key.kid, private).await.map(|handle| {
                    let new = || Arc::new(Meter::new(&key.kid, key.alg));
                    let meter = self.meters.entry(key.kid.clone()).or_insert_with(new);
                    metered(handle, Arc::clone(meter))
                }),
            };
            match handle {
                Ok(handle) => _ = open.insert(key.kid.clone(), handle),
                Err(error) => {
                    let complaint = error.to_string();
                    if self.complained.get(&key.kid) != Some(&complaint) {
                        tracing::error!(kid = key.kid, %error, "this replica cannot sign with a signing key");
                    }
                    complaints.insert(key.kid.clone(), complaint);
                }
            }
        }
        (self.open, self.complained) = (open, complaints);
        self.complained.is_empty()
    }

    async fn open(&self, kid: &str, private: &str) -> Result<KeyHandle, KeystoreError> {
        match &self.source {
            Source::Planned { provider, .. } => provider.open(kid, private).await,
            Source::Declared(declared) => {
                let mut keys = declared.signing.iter().chain(&declared.published);
                let private = keys.find(|key| key.kid == kid).and_then(|key| key.private.clone());
                private.ok_or_else(|| KeystoreError::NotFound(kid.to_owned()))
            }
        }
    }
}
