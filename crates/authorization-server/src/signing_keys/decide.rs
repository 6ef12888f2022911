//! What is to be done now, by the plan: a function of the keys, the replicas and the time.
//!
//! Every replica asks it, and whoever is first writes the answer down; there is no leader. The moment at which a key begins
//! to sign is agreed on ahead, once every live replica serves that key, so that at the moment itself nobody has to hear of
//! anything: the clock decides.

use std::time::Duration;

use sealwright_jose::Alg;
use sealwright_service::clock::Timestamp;

use super::plan::Plan;
use super::record::{Change, KeyRecord, KeyState, Ledger, Replica};

/// Algorithms of the plan that have no key in reserve. One is made long before it is needed, never while somebody waits.
pub(crate) fn missing(plan: &Plan, ledger: &Ledger) -> Vec<Alg> {
    let in_reserve = |alg: &Alg| {
        let waiting = |key: &&KeyRecord| matches!(key.state, KeyState::Staged | KeyState::Published);
        planned(ledger).filter(waiting).any(|key| key.alg == *alg && key.private.is_some())
    };
    plan.algorithms.iter().copied().filter(|alg| !in_reserve(alg)).collect()
}

/// The algorithms without whose keys none is to begin: where nothing signs, those of the plan begin together, and one that came
/// later would have to be announced first. Not so one that lost its key to a revocation.
pub(crate) fn awaited(plan: &Plan, ledger: &Ledger, now: Timestamp) -> Vec<Alg> {
    if planned(ledger).any(|key| key.signs_at(now)) {
        return Vec::new();
    }
    let missing = missing(plan, ledger).into_iter();
    missing.filter(|alg| !is_orphaned(plan, ledger, *alg, now)).collect()
}

/// The changes that are due.
pub(crate) fn due(plan: &Plan, ledger: &Ledger, replicas: &[Replica], now: Timestamp) -> Vec<Change> {
    let mut changes = Vec::new();
    for alg in &plan.algorithms {
        changes.extend(announce(plan, ledger, *alg, replicas, now));
    }
    changes.extend(activations(ledger, now));
    changes.extend(retirements(plan, ledger, replicas, now));
    changes.extend(evictions(plan, ledger, now));
    changes
}

/// The keys that have begun to sign by the clock.
fn activations(ledger: &Ledger, now: Timestamp) -> impl Iterator<Item = Change> {
    let begun = planned(ledger).filter(move |key| key.state == KeyState::Published && key.signs_at(now));
    begun.map(|key| Change::Activate { kid: key.kid.clone() })
}

/// Keys that sign although their algorithm left the plan.
pub(crate) fn left_over<'a>(plan: &Plan, ledger: &'a Ledger) -> impl Iterator<Item = &'a KeyRecord> {
    let active = planned(ledger).filter(|key| key.state == KeyState::Active);
    active.filter(|key| !plan.algorithms.contains(&key.alg))
}

/// The changes that are due where keys are declared: what is left of a plan ends once no live replica goes by one.
pub(crate) fn due_beside_declared(
    plan: &Plan,
    ledger: &Ledger,
    replicas: &[Replica],
    now: Timestamp,
) -> Vec<Change> {
    let mut changes: Vec<Change> = activations(ledger, now).collect();
    changes.extend(endings(ledger, |alg| is_signed_with(plan, alg, replicas, now), now));
    changes.extend(evictions(plan, ledger, now));
    changes
}

/// The keys of algorithms that left the plan, once nobody signs with them any more: a key of the plan signs, and neither a live
/// replica nor a client of this one asks for the old algorithm.
fn retirements(plan: &Plan, ledger: &Ledger, replicas: &[Replica], now: Timestamp) -> Vec<Change> {
    if !plan.algorithms.iter().any(|alg| active(ledger, *alg).is_some()) {
        return Vec::new();
    }
    let is_wanted =
        |alg: Alg| plan.wanted().any(|wanted| wanted == alg) || is_signed_with(plan, alg, replicas, now);
    endings(ledger, is_wanted, now)
}

/// Whether a live replica may sign with keys of `alg` that were made by plan.
fn is_signed_with(plan: &Plan, alg: Alg, replicas: &[Replica], now: Timestamp) -> bool {
    replicas.iter().any(|replica| is_live(plan, replica, now) && replica.wants.signs(alg))
}

/// Ends the keys of algorithms that are not wanted.
fn endings(ledger: &Ledger, is_wanted: impl Fn(Alg) -> bool, now: Timestamp) -> Vec<Change> {
    let with_private = planned(ledger).filter(|key| key.private.is_some());
    let over = with_private.filter(|key| match key.state {
        KeyState::Staged | KeyState::Active => !is_wanted(key.alg),
        // One that has begun by the clock becomes active first.
        KeyState::Published => !key.signs_at(now) && !is_wanted(key.alg),
        _ => false,
    });
    over.map(|key| Change::Retire { kid: key.kid.clone() }).collect()
}

/// The keys that were made by plan. Those that resources name, of another replica perhaps, are none of its business.
fn planned(ledger: &Ledger) -> impl Iterator<Item = &KeyRecord> {
    ledger.keys.iter().filter(|key| !key.declared)
}

/// Whether a replica has given a sign of life lately.
pub(crate) fn is_live(plan: &Plan, replica: &Replica, now: Timestamp) -> bool {
    replica.seen_at >= now.minus(plan.replica_timeout())
}

/// The keys that have been remembered for long enough. One that is declared leaves when it is declared no longer, unless its
/// declaration says when.
pub(crate) fn evictions(plan: &Plan, ledger: &Ledger, now: Timestamp) -> Vec<Change> {
    let over = |key: &&KeyRecord| {
        key.state == KeyState::Verifying
            && (!key.declared || key.evict_not_before.is_some())
            && evict_at(plan, key) < now
    };
    ledger.keys.iter().filter(over).map(|key| Change::Evict { kid: key.kid.clone() }).collect()
}

/// The next step of the key of `alg` that is to sign next.
fn announce(plan: &Plan, ledger: &Ledger, alg: Alg, replicas: &[Replica], now: Timestamp) -> Option<Change> {
    let next = next(ledger, alg)?;
    let (planned, urgent) = (planned_activation(plan, ledger, alg), is_urgent(plan, ledger, alg, now));
    match (next.state, next.activate_at) {
        (KeyState::Staged, _) => {
            let announced = planned.is_none_or(|at| at.minus(plan.lead()) <= now);
            (announced || urgent).then(|| Change::Publish { kid: next.kid.clone() })
        }
        (KeyState::Published, at) if urgent => {
            at.is_none_or(|at| at > now).then(|| Change::Schedule { kid: next.kid.clone(), at: now })
        }
        (KeyState::Published, None) => {
            let announced = next.published_at.unwrap_or(now).plus(plan.lead());
            let by_plan = planned.map_or(announced, |planned| planned.max(announced));
            let wanted = next.wanted_at.unwrap_or(by_plan);
            if !is_served(plan, next, replicas, now) && now < wanted.plus(plan.ack_timeout) {
                return None;
            }
            Some(Change::Schedule { kid: next.kid.clone(), at: wanted.max(now.plus(plan.fence())) })
        }
        _ => None,
    }
}

/// The key of `alg` that will sign next: the one that is announced, else the one in reserve.
pub(crate) fn next(ledger: &Ledger, alg: Alg) -> Option<&KeyRecord> {
    let waiting = |state| {
        let of_alg = planned(ledger).filter(move |key| key.alg == alg && key.private.is_some());
        of_alg.filter(move |key| key.state == state).min_by_key(|key| key.created_at)
    };
    waiting(KeyState::Published).or_else(|| waiting(KeyState::Staged))
}

/// When the next key of `alg` is to begin by the plan; `None` while none is active.
pub(crate) fn planned_activation(plan: &Plan, ledger: &Ledger, alg: Alg) -> Option<Timestamp> {
    active(ledger, alg)?.activate_at.map(|at| at.plus(plan.rotate_every))
}

fn active(ledger: &Ledger, alg: Alg) -> Option<&KeyRecord> {
    planned(ledger).find(|key| key.alg == alg && key.state == KeyState::Active)
}

/// Whether a key is needed at once, announced or not, since verifiers have nothing to lose by it: nothing signs at all, as at the
/// very first start, or the active key of this algorithm was revoked. An algorithm that is new to a running server, or comes back
/// to it, is announced.
fn is_urgent(plan: &Plan, ledger: &Ledger, alg: Alg, now: Timestamp) -> bool {
    let nothing_signs = || planned(ledger).all(|key| key.state != KeyState::Active);
    active(ledger, alg).is_none() && (nothing_signs() || is_orphaned(plan, ledger, alg, now))
}

/// Whether the last key that signed with `alg` was revoked while it did, and not so long ago that its successor could have been
/// announced since: after that nobody has been signing with `alg`, as when it had left the plan.
fn is_orphaned(plan: &Plan, ledger: &Ledger, alg: Alg, now: Timestamp) -> bool {
    // One that was to sign next, and had not begun, leaves nobody without.
    let had_begun = |key: &KeyRecord| key.activate_at.is_some() && key.activate_at <= key.gone_at;
    let ended = planned(ledger).filter(|key| key.alg == alg).filter_map(|key| match key.state {
        _ if key.retired_at.is_some() => Some((key.retired_at, false)),
        KeyState::Revoked if had_begun(key) => Some((key.gone_at, true)),
        _ => None,
    });
    let is_recent = |at: Option<Timestamp>| at.is_some_and(|at| now < at.plus(plan.lead()));
    ended.max().is_some_and(|(at, was_revoked)| was_revoked && is_recent(at))
}

/// Whether every live replica serves the key, and can sign with it.
pub(crate) fn is_served(plan: &Plan, key: &KeyRecord, replicas: &[Replica], now: Timestamp) -> bool {
    !plan.require_replica_ack || behind(plan, key, replicas, now).next().is_none()
}

/// The live replicas that do not serve the key yet.
pub(crate) fn behind<'a>(
    plan: &Plan,
    key: &KeyRecord,
    replicas: &'a [Replica],
    now: Timestamp,
) -> impl Iterator<Item = &'a Replica> {
    let published = key.published_epoch.unwrap_or(i64::MAX);
    let live = replicas.iter().filter(move |replica| is_live(plan, replica, now));
    live.filter(move |replica| replica.epoch < published)
}

/// When a key that no longer signs leaves the set: its last token has expired for every clock, no cache holds a set that was
/// fetched for it, and the operator's own moment has passed.
pub(crate) fn evict_at(plan: &Plan, key: &KeyRecord) -> Timestamp {
    let last_token = key.max_exp_s.map(Timestamp::from_secs);
    // A key that never signed is remembered from the moment at which it could have.
    let last = last_token.or(key.retired_at).unwrap_or(key.created_at);
    let by_plan = last.plus(plan.memory());
    key.evict_not_before.map_or(by_plan, |not_before| by_plan.max(not_before))
}

/// Until when tokens may live that are signed at `now` or before the view of the keys is too old: what a replica writes down
/// before it signs, in seconds. Renewed when less is left than it needs; a minute more saves most of the writing.
pub(crate) fn reservation_s(plan: &Plan, now: Timestamp) -> (i64, i64) {
    const SPARE: Duration = Duration::from_secs(60);
    let needed = now.plus(plan.max_stale + plan.token_lifetime);
    (needed.as_secs() + 1, needed.plus(SPARE).as_secs() + 1)
}

/// A key that signs, now or from a moment that is agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate<'a> {
    pub(crate) key: &'a KeyRecord,
    /// `None` for one that has begun.
    pub(crate) begins_at: Option<Timestamp>,
}

/// The keys that sign, now or soon: by algorithm as the plan prefers them, then the one that begins last. The first that has
/// begun is the one to sign with, so the clock alone decides when the next one takes over.
pub(crate) fn candidates<'a>(plan: &Plan, ledger: &'a Ledger) -> Vec<Candidate<'a>> {
    let mut candidates = Vec::new();
    for alg in &plan.algorithms {
        let of_alg = ledger.keys.iter().filter(|key| key.alg == *alg && key.private.is_some());
        let mut of_alg: Vec<Candidate<'a>> = of_alg
            .filter_map(|key| match key.state {
                KeyState::Active => Some(Candidate { key, begins_at: None }),
                KeyState::Published => key.activate_at.map(|at| Candidate { key, begins_at: Some(at) }),
                _ => None,
            })
            .collect();
        of_alg.sort_by_key(|candidate| std::cmp::Reverse(candidate.key.activate_at));
        candidates.extend(of_alg);
    }
    // An algorithm that left the plan signs until one of the plan does.
    let others = ledger.keys.iter().filter(|key| {
        key.state == KeyState::Active && key.private.is_some() && !plan.algorithms.contains(&key.alg)
    });
    candidates.extend(others.map(|key| Candidate { key, begins_at: None }));
    candidates
}

#[cfg(test)]
mod tests {
    use super::super::plan::PlanSpec;
    use super::super::simulation::key;
    use super::*;

    #[test]
    fn a_key_revoked_by_a_clock_that_is_behind_has_a_successor_as_well() {
        let algorithms = vec![Alg::Ed25519, Alg::Es256];
        let plan = Plan::check(PlanSpec { algorithms, ..PlanSpec::default() }).plan;
        let at = Timestamp::from_secs(1_800_000_000);
        let active =
            |kid, alg| KeyRecord { state: KeyState::Active, activate_at: Some(at), ..key(kid, alg, at) };
        let before = KeyRecord {
            state: KeyState::Verifying,
            private: None,
            retired_at: Some(at),
            ..active("a", Alg::Es256)
        };
        let keys = vec![before, active("b", Alg::Es256), active("c", Alg::Ed25519), key("d", Alg::Es256, at)];
        let mut ledger = Ledger { epoch: 1, keys };
        let revoke = Change::Revoke { kid: "b".to_owned(), reason: "lost".to_owned() };
        ledger.apply(&revoke, at.minus(Duration::from_secs(1)), 2);
        assert_eq!(due(&plan, &ledger, &[], at), [Change::Publish { kid: "d".to_owned() }]);
    }

    #[test]
    fn after_a_revocation_the_next_key_signs_unannounced_but_not_when_it_was_long_ago() {
        let algorithms = vec![Alg::Ed25519, Alg::Es256];
        let plan = Plan::check(PlanSpec { algorithms, ..PlanSpec::default() }).plan;
        let at = Timestamp::from_secs(1_800_000_000);
        let state = |kid, alg, state| KeyRecord { state, activate_at: Some(at), ..key(kid, alg, at) };
        let revoked =
            KeyRecord { gone_at: Some(at), private: None, ..state("a", Alg::Es256, KeyState::Revoked) };
        let signs = state("b", Alg::Ed25519, KeyState::Active);
        let keys = vec![revoked, signs, key("c", Alg::Es256, at), key("d", Alg::Ed25519, at)];
        for (passed, signs) in [(Duration::ZERO, true), (plan.publish_lead, false)] {
            let (mut ledger, now) = (Ledger { epoch: 1, keys: keys.clone() }, at.plus(passed));
            for _ in 0..4 {
                let due = due(&plan, &ledger, &[], now);
                due.iter().for_each(|change| _ = ledger.apply(change, now, 2));
            }
            let (state, begins) = ledger.key("c").map(|key| (key.state, key.activate_at)).unwrap();
            assert_eq!((state == KeyState::Active, begins == Some(now)), (signs, signs), "{state:?}");
        }
    }
}
