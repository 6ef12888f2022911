//! Keys that are made beside the loop: a token of hardware takes minutes for one perhaps, and meanwhile this replica looks on.

use std::time::Duration;

use sealwright_jose::Alg;
use sealwright_keystore::{Kept, KeystoreError};
use sealwright_service::clock::Timestamp;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, timeout_at};

use super::process::new_kid;
use super::remains::MAKING_LIMIT;
use super::{KeysError, ReplicaLoop, Source};
use crate::signing_keys::record::{KeyRecord, Ledger};
use crate::signing_keys::{decide, transaction};
use crate::store::signing_key::{self, Remains};

/// A key that is being made.
pub(super) struct Making {
    alg: Alg,
    kid: String,
    /// Where it will be, if that is in a token.
    place: Option<String>,
    since: Instant,
    task: JoinHandle<Result<Kept, KeystoreError>>,
}

/// A key that could not be made.
pub(super) struct Unmade {
    /// Under which name the next attempt is made.
    kid: String,
    at: Timestamp,
    /// Why, so that it is said once.
    pub(super) error: KeystoreError,
}

impl ReplicaLoop {
    /// Makes the keys that the plan wants in reserve, one at a time, and waits `patience` for them; whether any were made. One
    /// that takes longer goes on being made, and a later call writes it down.
    pub(super) async fn make_missing(
        &mut self,
        ledger: &Ledger,
        patience: Duration,
    ) -> Result<bool, KeysError> {
        let Source::Planned { plan, .. } = &self.source else { return Ok(false) };
        let mut missing = decide::missing(plan, ledger);
        self.unmade.retain(|name, _| missing.iter().any(|alg| alg.name() == *name));
        // What failed comes last, so that nothing waits for a key that is never made.
        missing.sort_by_key(|alg| self.unmade.get(alg.name()).map(|unmade| unmade.at));
        let (deadline, mut has_made) = (Instant::now() + patience, false);
        loop {
            if self.making.is_none() && !missing.is_empty() {
                self.making = self.begin_making(missing.remove(0)).await?;
            }
            let Some(making) = &mut self.making else {
                if missing.is_empty() {
                    return Ok(has_made);
                }
                continue;
            };
            // Also where no time is left, what is there is taken.
            let waits = making.task.is_finished() || Instant::now() < deadline;
            let ended = if waits { timeout_at(deadline, &mut making.task).await.ok() } else { None };
            let Some(ended) = ended else {
                if making.since.elapsed() >= MAKING_LIMIT {
                    tracing::error!(
                        kid = making.kid,
                        "this key takes too long to be made; beginning another one"
                    );
                    self.making = None;
                }
                return Ok(has_made);
            };
            if let Some(making) = self.making.take() {
                missing.retain(|alg| *alg != making.alg);
                has_made |= self.write_down(making, ended).await?;
            }
        }
    }

    /// Begins to make a key; `None` if its name is somebody else's by now.
    async fn begin_making(&mut self, alg: Alg) -> sqlx::Result<Option<Making>> {
        let Source::Planned { provider, .. } = &self.source else { return Ok(None) };
        let (provider, now) = (provider.clone(), self.now());
        let again = self.unmade.get(alg.name()).map(|unmade| unmade.kid.clone());
        let kid = again.unwrap_or_else(|| new_kid(alg, now));
        let place = provider.place(&kid);
        if let Some(private) = place.clone() {
            // If this replica ends, or gives up, before the key is written down, what is in the token by then is removed.
            let begun = Remains { kid: kid.clone(), private, since: now, maker: Some(self.me.id.clone()) };
            let mut conn = self.database.writer().acquire().await?;
            if !signing_key::begin_making(&mut conn, &begun).await? {
                self.unmade.remove(alg.name());
                return Ok(None);
            }
        }
        let (name, made) = (kid.clone(), self.made.clone());
        let task = tokio::spawn(async move {
            let kept = provider.generate(&name, alg).await;
            // What failed is tried again, and no sooner than at the next poll.
            if kept.is_ok() {
                made.notify_one();
            }
            kept
        });
        Ok(Some(Making { alg, kid, place, since: Instant::now(), task }))
    }

    /// Writes down what was made, if it is wanted still; whether anything was made.
    async fn write_down(
        &mut self,
        Making { alg, kid, place, .. }: Making,
        ended: Result<Result<Kept, KeystoreError>, JoinError>,
    ) -> Result<bool, KeysError> {
        let kept = match ended.unwrap_or_else(|error| Err(KeystoreError::Unavailable(error.to_string()))) {
            Ok(kept) => kept,
            Err(error) => {
                self.remember_unmade(alg, kid, error);
                return Ok(false);
            }
        };
        self.unmade.remove(alg.name());
        let thumbprint = kept.public.thumbprint_base64url();
        let key = KeyRecord::new(&kid, &kept.public, thumbprint, Some(kept.text), self.now());
        let wanted = |ledger: &Ledger| decide::missing(self.source.plan(), ledger).contains(&alg);
        let maker = place.as_ref().map(|_| self.me.id.as_str());
        // Where another replica was faster, what was made in a token is removed as any other that nobody wrote down.
        transaction::add(&self.database, &key, "key.created", None, maker, wanted).await?;
        Ok(true)
    }

    fn remember_unmade(&mut self, alg: Alg, kid: String, error: KeystoreError) {
        let before = self.unmade.remove(alg.name());
        if before.is_none_or(|before| before.error.to_string() != error.to_string()) {
            tracing::error!(alg = alg.name(), %error, "a signing key could not be made; trying again");
        }
        // The name is free still, unless an attempt that failed has left something behind.
        if !matches!(error, KeystoreError::Exists(_)) {
            self.unmade.insert(alg.name(), Unmade { kid, at: self.now(), error });
        }
    }

    /// Whether this replica is making a key of this name, or will again.
    pub(super) fn makes(&self, kid: &str) -> bool {
        self.making.as_ref().is_some_and(|making| making.kid == kid)
            || self.unmade.values().any(|unmade| unmade.kid == kid)
    }

    /// After a change of the source: a token goes on with what it has begun, if it is that of the new source, too. All else is
    /// given up, as it may be sealed under a key-encryption key that is gone; what is in a token is the next look's to remove.
    pub(super) fn give_up_making(&mut self) {
        self.unmade.clear();
        let place = self.making.as_ref().and_then(|making| making.place.as_ref());
        if !place.is_some_and(|place| self.reaches(place)) {
            self.making = None;
        }
    }

    /// Whether no key begins to sign before others are made, of which none failed to be.
    pub(super) fn awaits_keys(&self, ledger: &Ledger) -> bool {
        let Source::Planned { plan, .. } = &self.source else { return false };
        decide::awaited(plan, ledger, self.now()).iter().any(|alg| !self.unmade.contains_key(alg.name()))
    }

    /// Waits until what is being made is there, or has failed; whether anything is.
    #[cfg(test)]
    pub(in crate::signing_keys) async fn made(&self) -> bool {
        while self.making.as_ref().is_some_and(|making| !making.task.is_finished()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.making.is_some()
    }

    /// Has what is being made take until the gate is opened, as in a slow token; gives its name.
    #[cfg(test)]
    pub(in crate::signing_keys) fn delay_making(
        &mut self,
        gate: std::sync::Arc<tokio::sync::Notify>,
    ) -> String {
        let mut making = self.making.take().expect("a key is being made");
        let task = making.task;
        making.task = tokio::spawn(async move {
            let kept = task.await.expect("it does not panic");
            gate.notified().await;
            kept
        });
        self.making.insert(making).kid.clone()
    }
}
