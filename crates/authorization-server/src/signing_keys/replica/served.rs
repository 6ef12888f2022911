//! Keys that come with other resources sign once the other replicas serve them, where there are any.
//!
//! Keys of a plan agree on their moment ahead. A key that resources name is there all of a sudden, and so is the first one after a
//! change from a plan to declared keys or back: without this, a token would meet the old set of another replica for up to a poll.

use std::time::Duration;

use sealwright_audit::AuditLog;
use sealwright_service::clock::Timestamp;
use tokio::time::Instant;

use super::{LOOK_LIMIT, ReplicaLoop, with_jitter};
use crate::signing_keys::decide;
use crate::signing_keys::plan::Plan;
use crate::signing_keys::record::{KeyState, Replica};
use crate::signing_keys::snapshot::{KeySnapshot, Signer};

/// How often it is asked whether the others have followed, where a poll is longer.
const SOON: Duration = Duration::from_millis(200);

/// How what signed goes on after a change of the source.
pub(super) struct Hold {
    /// Until when keys of the new one wait for the other replicas.
    until: Instant,
    /// Until when the old ones go on while the first keys of the new one are made.
    made_by: Instant,
}

impl Hold {
    pub(super) fn new(plan: &Plan) -> Self {
        let now = Instant::now();
        // Of tokens beyond `max_stale` nobody has said how long they live.
        Self { until: now + plan.fence(), made_by: now + LOOK_LIMIT.min(plan.max_stale) }
    }
}

impl ReplicaLoop {
    /// Before the first request: looks until every live replica serves what this one signs with, for two polls at most. One that
    /// died without leaving is waited for as well, for as long as it counts as alive.
    pub(crate) async fn until_served(&mut self, audit: &AuditLog) {
        let deadline = Instant::now() + self.source.plan().fence();
        while self.is_ahead() && Instant::now() < deadline {
            tokio::time::sleep(SOON.min(self.source.plan().poll)).await;
            self.turn(audit).await;
        }
    }

    fn is_ahead(&self) -> bool {
        let Some(keys) = &self.keys else { return false };
        let (snapshot, now) = (keys.snapshot(), self.now());
        begun(&snapshot, now).any(|signer| self.is_unserved(&snapshot, signer, now))
    }

    /// Whether another replica that lives does not serve this key yet.
    fn is_unserved(&self, snapshot: &KeySnapshot, signer: &Signer, now: Timestamp) -> bool {
        let others: Vec<Replica> =
            snapshot.replicas.iter().filter(|replica| replica.id != self.me.id).cloned().collect();
        let key = snapshot.ledger.key(signer.handle.kid());
        key.is_some_and(|key| !decide::is_served(self.source.plan(), key, &others, now))
    }

    /// For two polls at most after a change of the source: has what signed before go on, while it stands in the set, until the
    /// others serve what is to sign from now on; those polls are counted from when that is made, but not for ever. Where nothing
    /// signs, or what does has left the set, there is no time to lose.
    pub(super) fn hold_back(&mut self, mut snapshot: KeySnapshot) -> KeySnapshot {
        let (Some(mut hold), Some(keys)) = (self.hold.take(), &self.keys) else { return snapshot };
        let (before, now) = (keys.snapshot(), self.now());
        let was_there =
            |signer: &Signer| before.signers.iter().any(|old| old.handle.kid() == signer.handle.kid());
        let is_early = |signer: &Signer| !was_there(signer) && self.is_unserved(&snapshot, signer, now);
        let stays = |signer: &Signer| {
            let key = snapshot.ledger.key(signer.handle.kid());
            key.is_some_and(|key| KeyState::PUBLIC.contains(&key.state))
        };
        let goes_on = begun(&before, now).next().is_some() && begun(&before, now).all(stays);
        let now_here = Instant::now();
        let is_unmade = now_here < hold.made_by && self.awaits_keys(&snapshot.ledger);
        if is_unmade {
            hold.until = now_here + self.source.plan().fence();
        }
        let waits = is_unmade || (now_here < hold.until && begun(&snapshot, now).any(is_early));
        if goes_on && waits {
            snapshot.signers = before.signers.clone();
            drop(before);
            self.hold = Some(hold);
        }
        snapshot
    }

    /// How long to wait for the next look.
    pub(super) fn pause(&self) -> Duration {
        let poll = with_jitter(self.source.plan().poll);
        if self.hold.is_some() { poll.min(SOON) } else { poll }
    }
}

/// The keys that sign by now.
fn begun(snapshot: &KeySnapshot, now: Timestamp) -> impl Iterator<Item = &Signer> {
    snapshot.signers.iter().filter(move |signer| signer.begins_at.is_none_or(|at| at <= now))
}
