//! Private halves: made, opened, and forgotten.

use std::collections::BTreeMap;
use std::sync::Arc;

use sealwright_keystore::{KeyHandle, KeystoreError, TokenError};

use super::process::new_kid;
use super::{KeysError, ReplicaLoop, Source};
use crate::signing_keys::meter::{Meter, metered};
use crate::signing_keys::record::{KeyRecord, KeyState, Ledger};
use crate::signing_keys::snapshot::KeySnapshot;
use crate::signing_keys::{decide, transaction};
use crate::store::signing_key::{self, Remains};

/// A key that could not be made.
pub(super) struct Unmade {
    /// Under which name the next attempt is made.
    pub(super) kid: String,
    /// Why, so that it is said once.
    said: String,
}

impl ReplicaLoop {
    /// Makes the keys that the plan wants in reserve; whether any were made. A token that makes none is an error only where
    /// nothing signs: the keys that do have months to go, perhaps, and all else must go on.
    pub(super) async fn make_missing(&mut self, ledger: &Ledger) -> Result<bool, KeysError> {
        let Source::Planned { plan, provider } = &self.source else { return Ok(false) };
        let missing = decide::missing(plan, ledger);
        self.unmade.retain(|name, _| missing.iter().any(|alg| alg.name() == *name));
        let mut has_made = false;
        for alg in &missing {
            let now = self.now();
            let (kid, said_before) = match self.unmade.remove(alg.name()) {
                Some(Unmade { kid, said }) => (kid, Some(said)),
                None => (new_kid(*alg, now), None),
            };
            let place = provider.place(&kid);
            let maker = place.as_ref().map(|_| self.me.id.as_str());
            if let Some(private) = place {
                // If this look ends before the key is written down, the next one removes from the token what is there by then.
                let making =
                    Remains { kid: kid.clone(), private, since: now, maker: Some(self.me.id.clone()) };
                let mut conn = self.database.writer().acquire().await?;
                if !signing_key::begin_making(&mut conn, &making).await? {
                    continue;
                }
            }
            let something_signs = ledger.keys.iter().any(|key| !key.declared && key.signs_at(now));
            let kept = match provider.generate(&kid, *alg).await {
                Ok(kept) => kept,
                Err(error) => {
                    let said = error.to_string();
                    if something_signs && said_before.as_ref() != Some(&said) {
                        tracing::error!(alg = alg.name(), %error, "no key can be made for the reserve; trying again");
                    }
                    // The name is free still, unless an attempt that failed has left something behind.
                    if !matches!(error, KeystoreError::Exists(_)) {
                        self.unmade.insert(alg.name(), Unmade { kid, said });
                    }
                    if something_signs {
                        continue;
                    }
                    return Err(error.into());
                }
            };
            has_made = true;
            let thumbprint = kept.public.thumbprint_base64url();
            let key = KeyRecord::new(&kid, &kept.public, thumbprint, Some(kept.text), now);
            let wanted = |ledger: &Ledger| decide::missing(plan, ledger).contains(alg);
            // Where another replica was faster, what was made in a token is removed as any other that nobody wrote down.
            transaction::add(&self.database, &key, "key.created", None, maker, wanted).await?;
        }
        Ok(has_made)
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
                Err(error @ KeystoreError::Token(TokenError::KeyMissing { .. })) => {
                    if self.lost.insert(key.kid.clone()) {
                        tracing::error!(
                            kid = key.kid,
                            %error,
                            "this key in reserve cannot sign when its time comes: revoke it, and another one is made"
                        );
                    }
                }
                // A token may be away for a moment; it is asked again.
                Err(error) => tracing::debug!(kid = key.kid, %error, "a private half could not be looked at"),
            }
        }
        self.sealed = sealed;
    }

    /// Private halves that may not be used any more need not be in memory.
    pub(super) fn forget_what_is_stale(&mut self) {
        let Some(keys) = &self.keys else { return };
        let current = keys.snapshot();
        if !current.is_fresh() && !current.signers.is_empty() {
            tracing::error!(
                "the signing keys are too old: no token is signed until the database answers again"
            );
            let stripped = KeySnapshot { signers: Arc::new([]), ..KeySnapshot::clone(&current) };
            drop(current);
            self.open.clear();
            keys.swap(stripped);
        }
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
                let signing = declared.signing.as_ref().filter(|key| key.kid == kid);
                let private = signing.and_then(|key| key.private.clone());
                private.ok_or_else(|| KeystoreError::NotFound(kid.to_owned()))
            }
        }
    }
}
