//! Private halves: made, opened, and destroyed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sealwright_keystore::{KeyHandle, KeyProvider, KeystoreError, TokenError};
use sealwright_service::clock::Timestamp;
use tokio::time::timeout;

use super::process::new_kid;
use super::{KeysError, LOOK_LIMIT, ReplicaLoop, Source};
use crate::signing_keys::meter::{Meter, metered};
use crate::signing_keys::record::{KeyRecord, KeyState, Ledger};
use crate::signing_keys::{decide, transaction};
use crate::store::signing_key::{self, Remains};

/// How long after an attempt that failed the next one is made to destroy what is left in a token.
const DESTROY_PAUSE: Duration = Duration::from_secs(60);

/// How long one such attempt is waited for.
const DESTROY_LIMIT: Duration = Duration::from_secs(10);

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
            let kid = new_kid(*alg, now);
            let something_signs = ledger.keys.iter().any(|key| !key.declared && key.signs_at(now));
            let made = match something_signs {
                true => provider.generate_aside(&kid, *alg).await,
                false => provider.generate(&kid, *alg).await,
            };
            let kept = match made {
                Ok(kept) => kept,
                Err(error) if something_signs => {
                    let said = error.to_string();
                    if self.unmade.get(alg.name()) != Some(&said) {
                        tracing::error!(alg = alg.name(), %error, "no key can be made for the reserve; trying again");
                        self.unmade.insert(alg.name(), said);
                    }
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            has_made = true;
            let thumbprint = kept.public.thumbprint_base64url();
            let key = KeyRecord::new(&kid, &kept.public, thumbprint, Some(kept.text.clone()), now);
            let wanted = |ledger: &Ledger| decide::missing(plan, ledger).contains(alg);
            let added = transaction::add(&self.database, &key, "key.created", None, wanted).await;
            let is_ours = match &added {
                Ok(added) => Ok(*added),
                // Whether it was written down nobody knows, unless somebody looks.
                Err(_) => transaction::has(&self.database, &kid).await,
            };
            match is_ours {
                Ok(true) => {}
                // Another replica was faster, or it could not be written: a token must not fill up with keys of nobody.
                Ok(false) => {
                    if let Err(error) = provider.destroy(&kid, &kept.text).await {
                        tracing::error!(kid, %error, "a key that nobody uses is left; remove it with the token's own tool");
                    }
                }
                // It may be in reserve, and then there is no other copy of it.
                Err(_) if KeyProvider::is_reference(&kept.text) => tracing::error!(
                    kid,
                    "whether this new key was written down is not known, since the database went away; if `sealwright key \
                     list` does not show it, remove it with the token's own tool"
                ),
                Err(_) => {}
            }
            added?;
        }
        Ok(has_made)
    }

    /// Destroys private halves in a token whose keys have ended: when no replica can have a view by which they sign, and for
    /// a revoked key now. What fails is tried again, a minute later: an attempt may take its time and disturb who signs in that
    /// token.
    pub(super) async fn destroy_remains(&mut self, ledger: &Ledger, now: Timestamp) -> sqlx::Result<()> {
        if self.destroy_failed_at.is_some_and(|at| now < at.plus(DESTROY_PAUSE)) {
            return Ok(());
        }
        self.destroy_failed_at = None;
        let mut conn = self.database.reader().acquire().await?;
        let remains = signing_key::remains(&mut conn).await?;
        drop(conn);
        for Remains { kid, private, since } in remains {
            let is_revoked = ledger.key(&kid).is_some_and(|key| key.state == KeyState::Revoked);
            if !is_revoked && now < since.plus(self.source.plan().max_stale + LOOK_LIMIT) {
                continue;
            }
            let Source::Planned { provider, .. } = &self.source else {
                // By now a replica that goes by a plan still would have destroyed it.
                if self.undestroyed.insert(kid.clone()) {
                    tracing::warn!(
                        kid,
                        "the private half of this key, which ended, is still in a PKCS#11 token, and servers with declared keys \
                         use none: remove it with the token's own tool"
                    );
                }
                continue;
            };
            let slow = || KeystoreError::Unavailable("the token took too long".to_owned());
            let destroyed = timeout(DESTROY_LIMIT, provider.destroy(&kid, &private)).await;
            match destroyed.unwrap_or_else(|_| Err(slow())) {
                Ok(()) => {
                    let mut conn = self.database.writer().acquire().await?;
                    signing_key::delete_remains(&mut conn, &kid).await?;
                    self.undestroyed.remove(&kid);
                }
                Err(error) => {
                    if self.undestroyed.insert(kid.clone()) {
                        tracing::error!(kid, %error, "the private half of a key that ended is still in its token; trying again");
                    }
                    self.destroy_failed_at = Some(now);
                    // Where the token does not answer, it does so for none.
                    if matches!(error, KeystoreError::Unavailable(_)) {
                        break;
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
