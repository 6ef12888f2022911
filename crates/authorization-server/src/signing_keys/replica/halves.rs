//! Private halves: opened, and forgotten.

use std::collections::BTreeMap;
use std::sync::Arc;

use sealwright_keystore::{KeyHandle, KeystoreError, TokenError};

use super::{ReplicaLoop, Source};
use crate::signing_keys::meter::{Meter, metered};
use crate::signing_keys::record::{KeyRecord, KeyState, Ledger};
use crate::signing_keys::snapshot::KeySnapshot;

impl ReplicaLoop {
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

    /// Opens the private halves of keys that sign or will, and complains of those that do not open.
    pub(super) async fn open_signers(&mut self, ledger: &Ledger) {
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
