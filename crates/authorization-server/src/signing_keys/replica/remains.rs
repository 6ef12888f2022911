//! Private halves in a token that no key has any more, or never had: destroyed.

use std::time::Duration;

use sealwright_keystore::{KeyProvider, KeystoreError};
use sealwright_service::clock::Timestamp;
use tokio::time::{Instant, timeout};

use super::{LOOK_LIMIT, ReplicaLoop};
use crate::signing_keys::record::{KeyState, Ledger, Replica};
use crate::store::signing_key::{self, Remains};

/// How long after an attempt that failed the next one is made to destroy what is left in a token.
const DESTROY_PAUSE: Duration = Duration::from_secs(60);

/// How long one such attempt is waited for.
const DESTROY_LIMIT: Duration = Duration::from_secs(10);

/// After so long no further attempt is made in the same look: the others hear nothing of this replica meanwhile.
pub(super) const DESTROY_BUDGET: Duration = Duration::from_secs(5);

/// Longer than any token takes to make a key: who gave up on one cannot stop the token, so that it may be there later.
pub(super) const MAKING_LIMIT: Duration = Duration::from_secs(15 * 60);

/// So many tokens of earlier settings are known at most; what is in older ones is told of, and theirs to remove.
const FORMER_LIMIT: usize = 4;

impl ReplicaLoop {
    /// Destroys private halves in a token whose keys have ended: when no replica can have a view by which they sign, and for
    /// a revoked key now. So it does with those of keys that were made, perhaps, and never written down. What fails is tried
    /// again, a minute later: an attempt may take its time and disturb who signs in that token. What no time is left for in
    /// `budget` is for the next look.
    pub(in crate::signing_keys) async fn destroy_remains(
        &mut self,
        ledger: &Ledger,
        now: Timestamp,
        budget: Duration,
    ) -> sqlx::Result<()> {
        self.destroy_failed.retain(|(_, at)| now < at.plus(DESTROY_PAUSE));
        // The tokens of these are left alone.
        let mut failed: Vec<String> =
            self.destroy_failed.iter().map(|(private, _)| private.clone()).collect();
        let began = Instant::now();
        let mut conn = self.database.reader().acquire().await?;
        let mut remains = signing_key::remains(&mut conn).await?;
        // Read after them: whoever makes a key has given a sign of life before.
        let is_making = remains.iter().any(|remains| remains.maker.is_some());
        let replicas = if is_making { signing_key::replicas(&mut conn).await? } else { Vec::new() };
        drop(conn);
        let replicas = self.heard(self.source.plan(), &replicas, now);
        let in_use = ledger.keys.iter().filter_map(|key| key.private.as_ref());
        let places = in_use.chain(remains.iter().map(|remains| &remains.private));
        let elsewhere: Vec<&String> = places.filter(|private| !self.reaches(private)).collect();
        self.former.retain(|provider| elsewhere.iter().any(|private| provider.reaches(private)));
        self.unfound.retain(|kid, _| remains.iter().any(|remains| remains.kid == *kid));
        // What failed before comes last, so that nothing waits for it for ever.
        remains.sort_by_key(|remains| self.undestroyed.contains(&remains.kid));
        for remains in remains {
            if !self.is_due(&remains, ledger, &replicas, now) {
                continue;
            }
            let Remains { kid, private, since, maker } = remains;
            let Some(provider) = self.destroyer(&private).cloned() else {
                // Nor is it taken over: a replica that has the token would wait for this one to remove it.
                if self.undestroyed.insert(kid.clone()) {
                    tracing::warn!(
                        kid,
                        "the private half of this key, which nobody uses any more, is still in a PKCS#11 token that is not among \
                         the settings of this server: a replica that has it removes it; where none has, its own tool does"
                    );
                }
                continue;
            };
            if failed.iter().any(|private| provider.reaches(private)) {
                continue;
            }
            if let Some(maker) = &maker {
                let mut conn = self.database.writer().acquire().await?;
                if !signing_key::take_over_remains(&mut conn, &kid, maker, &self.me.id).await? {
                    continue;
                }
            }
            let slow = || KeystoreError::Unavailable("the token took too long".to_owned());
            let destroyed = timeout(DESTROY_LIMIT, provider.destroy(&kid, &private)).await;
            match destroyed.unwrap_or_else(|_| Err(slow())) {
                Ok(false) if maker.is_some() && now < since.plus(MAKING_LIMIT) => {
                    self.unfound.insert(kid, now);
                }
                Ok(_) => {
                    let mut conn = self.database.writer().acquire().await?;
                    signing_key::delete_remains(&mut conn, &kid).await?;
                    self.undestroyed.remove(&kid);
                }
                Err(error) => {
                    if self.undestroyed.insert(kid.clone()) {
                        tracing::error!(
                            kid,
                            %error,
                            "the private half of a key that nobody uses any more is still in its token; trying again"
                        );
                    }
                    // Where the token does not answer, it does so for none.
                    if matches!(error, KeystoreError::Unavailable(_)) {
                        failed.push(private.clone());
                    }
                    self.destroy_failed.push((private, now));
                }
            }
            if began.elapsed() >= budget {
                break;
            }
        }
        Ok(())
    }

    /// Keeps what made keys until now, after the source was replaced. Settings may change again before the last key of a token
    /// is destroyed, a while after signing with it has ended, so there may be several; a token has one, which was opened last.
    pub(super) fn keep_former(&mut self, provider: KeyProvider) {
        let Some(place) = provider.place("any") else { return };
        self.former.retain(|former| !former.reaches(&place));
        if !self.reaches(&place) {
            self.former.push(provider);
        }
        if self.former.len() > FORMER_LIMIT {
            self.former.remove(0);
        }
    }

    #[cfg(test)]
    pub(in crate::signing_keys) fn has_former(&self) -> bool {
        !self.former.is_empty()
    }

    /// What can destroy this private half: what makes keys now, if it is in the same token, else what did before, if it is in that.
    fn destroyer(&self, private: &str) -> Option<&KeyProvider> {
        let mut providers = self.source.provider().into_iter().chain(&self.former);
        providers.find(|provider| provider.reaches(private))
    }

    /// Whether what makes keys now is in the same token.
    pub(super) fn reaches(&self, private: &str) -> bool {
        self.source.provider().is_some_and(|provider| provider.reaches(private))
    }

    /// Whether this private half is to be destroyed now.
    fn is_due(&self, remains: &Remains, ledger: &Ledger, replicas: &[Replica], now: Timestamp) -> bool {
        let (kid, plan) = (&remains.kid, self.source.plan());
        let Some(maker) = &remains.maker else {
            let is_revoked = ledger.key(kid).is_some_and(|key| key.state == KeyState::Revoked);
            return is_revoked || now >= remains.since.plus(plan.max_stale + LOOK_LIMIT);
        };
        // Another gives no sign of life for as long as a look may take.
        let gave_up = if *maker == self.me.id {
            !self.makes(kid)
        } else {
            let limit = plan.replica_timeout() + LOOK_LIMIT;
            let maker = replicas.iter().find(|replica| replica.id == *maker);
            maker.is_none_or(|maker| maker.seen_at.plus(limit) < now)
        };
        gave_up && self.unfound.get(kid).is_none_or(|at| now >= at.plus(DESTROY_PAUSE))
    }
}
