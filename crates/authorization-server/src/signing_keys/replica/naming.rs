//! The keys that resources name: told to the other replicas, and ended when none of them names them any more.

use std::convert::Infallible;

use sealwright_service::clock::Timestamp;

use super::{KeysError, ReplicaLoop, Source};
use crate::signing_keys::declared::{self, Elsewhere};
use crate::signing_keys::plan::Plan;
use crate::signing_keys::record::{Ledger, Replica};
use crate::signing_keys::transaction::{self, Refused};

impl ReplicaLoop {
    /// Brings the database to where this source can go on.
    pub(super) async fn adopt(&mut self, source: &Source) -> Result<(), KeysError> {
        let Source::Declared(declared) = source else { return Ok(()) };
        let (now, (mut ledger, replicas)) = (self.now(), self.read().await?);
        let elsewhere = self.named_elsewhere(source, &replicas, now);
        // What will be refused nobody needs to hear of.
        declared::reconcile(&mut ledger, declared, &elsewhere, now, 0)?;
        // The others serve what this replica names: by the time that they see a new key they know who names it.
        self.me.wants = source.wants();
        if self.told.as_ref() != Some(&self.me.wants) {
            self.beat(now).await?;
        }
        let named = |replicas: &[Replica]| self.named_elsewhere(source, replicas, now);
        let ledger = declared::record(&self.database, declared, named, now).await?;
        let signing = declared.signing.as_ref().and_then(|key| ledger.key(&key.kid));
        if let Some(key) =
            signing.filter(|key| declared::is_surprise(&ledger, key, declared.plan.lead_floor()))
        {
            tracing::warn!(
                kid = key.kid,
                "this key signs without having been announced: verifiers that keep the set refuse its tokens until they fetch \
                 it again; name the next one in `publishedKeyRefs` first"
            );
        }
        Ok(())
    }

    pub(super) fn named_elsewhere(&self, source: &Source, replicas: &[Replica], now: Timestamp) -> Elsewhere {
        declared::named_elsewhere(source.plan(), &self.heard(source.plan(), replicas, now), &self.me.id, now)
    }

    /// Since when this replica would have heard the others: signs of life come every half `replica_timeout` at the latest, so
    /// that in a gap of a third of it nobody who lives was missed.
    pub(super) fn watching_since(&self, plan: &Plan, now: Timestamp) -> Timestamp {
        match self.watched {
            Some((since, last)) if now.since(last) <= plan.replica_timeout() / 3 => since,
            _ => now,
        }
    }

    /// The replicas with the moments until which they may have lived. After an outage of the database they all are silent for
    /// long, and the first that is back must not take the others for dead: their silence counts from when it could hear them.
    pub(super) fn heard(&self, plan: &Plan, replicas: &[Replica], now: Timestamp) -> Vec<Replica> {
        let since = self.watching_since(plan, now);
        let heard = |replica: &Replica| Replica { seen_at: replica.seen_at.max(since), ..replica.clone() };
        replicas.iter().map(heard).collect()
    }

    /// Ends declared keys that nobody names any more; whether there seemed to be any. Who names which is asked once more under the
    /// lock: a replica says so first, and only then looks whether its keys are there.
    pub(in crate::signing_keys) async fn end_strays(
        &self,
        ledger: &Ledger,
        elsewhere: &Elsewhere,
        now: Timestamp,
    ) -> sqlx::Result<bool> {
        let has_strays = match &self.source {
            Source::Declared(declared) => declared::has_strays(ledger, declared, elsewhere),
            Source::Planned { .. } => ledger.keys.iter().any(|key| declared::ends(key, elsewhere)),
        };
        if !has_strays {
            return Ok(false);
        }
        let end = |ledger: &mut Ledger, replicas: &[Replica], epoch| {
            let elsewhere = self.named_elsewhere(&self.source, replicas, now);
            Ok::<_, Infallible>(match &self.source {
                Source::Declared(declared) => declared::forget(ledger, declared, &elsewhere, now, epoch),
                Source::Planned { .. } => declared::end(ledger, &elsewhere, now, epoch),
            })
        };
        match transaction::rewrite(&self.database, now, end).await {
            Ok(_) => Ok(true),
            Err(Refused::Store(error)) => Err(error),
            Err(Refused::By(never)) => match never {},
        }
    }
}
