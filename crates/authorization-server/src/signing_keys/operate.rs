//! What operators ask for, as changes: functions of the keys and the time, as `decide` is, so that the same rules hold.

use sealwright_jose::Alg;
use sealwright_service::clock::Timestamp;

use super::decide;
use super::plan::Plan;
use super::record::{Change, KeyRecord, KeyState, Ledger, Replica};

/// What an operator wants to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The next key of an algorithm takes over, of every algorithm of the plan where none is named.
    Rotate {
        /// The algorithm, or `None` for all.
        alg: Option<Alg>,
        /// Whether it takes over as soon as all replicas can follow, instead of after having been announced for as long as
        /// the plan says.
        now: bool,
    },
    /// A key in reserve stands in the set from now on.
    Publish {
        /// The key.
        kid: String,
    },
    /// A published key signs as soon as all replicas have heard of it twice over, whether they confirmed it or not.
    Activate {
        /// The key.
        kid: String,
    },
    /// A key leaves the set at once and never signs again.
    Revoke {
        /// The key.
        kid: String,
    },
}

/// Why a key stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// No key has this name, and none ever had.
    #[error("there is no key of this name")]
    Unknown,
    /// The key is at another point of its life.
    #[error("the key is {is}, and this is for a key that is {needs}")]
    State {
        /// Where it is.
        is: &'static str,
        /// Where it would have to be.
        needs: &'static str,
    },
    /// There is no key to take over.
    #[error("no key of {} is in reserve; a running server makes one within seconds", .0.name())]
    NoReserve(Alg),
    /// The next key of the algorithm takes over as early as this would make it.
    #[error("{kid} takes over at {at} already")]
    Agreed {
        /// The next key.
        kid: String,
        /// When it begins to sign.
        at: Timestamp,
    },
    /// The plan has no such algorithm.
    #[error("this server does not sign with {}", .0.name())]
    Algorithm(Alg),
    /// A key had this name or this material before, in whatever state it is now.
    #[error("a key had this name, or this very key was here before: neither is ever used again")]
    Used,
    /// Which keys there are is said in the resource files.
    #[error("this server's keys are declared: change the resource files, and they change with them")]
    Declared,
}

/// The changes that `action` comes to.
///
/// # Errors
///
/// Why it comes to nothing.
pub(crate) fn changes(
    plan: &Plan,
    ledger: &Ledger,
    action: &Action,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<Vec<Change>, Refusal> {
    let reason = || reason.map(str::to_owned);
    match action {
        Action::Rotate { alg, now: urgent } => {
            let mut changes = Vec::new();
            for alg in algorithms(plan, *alg)? {
                let begin = rotation(plan, ledger, alg, *urgent, now)?;
                let kid = || begin.key.kid.clone();
                let wanted = Some(begin.wanted);
                changes.push(Change::Request { kid: kid(), at: wanted, reason: reason() });
                if begin.key.state == KeyState::Staged {
                    changes.push(Change::Publish { kid: kid() });
                } else if begin.key.activate_at.is_some() {
                    changes.push(Change::Schedule { kid: kid(), at: begin.earliest });
                }
            }
            Ok(changes)
        }
        Action::Publish { kid } => {
            let key = in_state(ledger, kid, KeyState::Staged)?;
            let kid = || key.kid.clone();
            Ok(vec![
                Change::Request { kid: kid(), at: None, reason: reason() },
                Change::Publish { kid: kid() },
            ])
        }
        Action::Activate { kid } => {
            let key = in_state(ledger, kid, KeyState::Published)?;
            let at = now.plus(plan.fence());
            if let Some(agreed) = key.activate_at.filter(|agreed| *agreed <= at) {
                return Err(Refusal::Agreed { kid: kid.clone(), at: agreed });
            }
            let kid = || key.kid.clone();
            Ok(vec![
                Change::Request { kid: kid(), at: Some(at), reason: reason() },
                Change::Schedule { kid: kid(), at },
            ])
        }
        Action::Revoke { kid } => {
            let key = ledger.key(kid).ok_or(Refusal::Unknown)?;
            if key.declared {
                return Err(Refusal::Declared);
            }
            if key.state.is_gone() {
                return Err(Refusal::State { is: key.state.name(), needs: "not gone" });
            }
            Ok(vec![Change::Revoke { kid: kid.clone(), reason: reason().unwrap_or_default() }])
        }
    }
}

/// How the next key of an algorithm is to begin.
pub(crate) struct Begin<'a> {
    pub(crate) key: &'a KeyRecord,
    /// From when it is to sign.
    pub(crate) wanted: Timestamp,
    /// The same, but no earlier than replicas can have heard of it.
    pub(crate) earliest: Timestamp,
}

/// The next key of `alg`, and when a rotation lets it begin.
pub(crate) fn rotation<'a>(
    plan: &Plan,
    ledger: &'a Ledger,
    alg: Alg,
    urgent: bool,
    now: Timestamp,
) -> Result<Begin<'a>, Refusal> {
    let key = decide::next(ledger, alg).ok_or(Refusal::NoReserve(alg))?;
    let wanted = if urgent { now } else { key.published_at.unwrap_or(now).plus(plan.lead()) };
    let earliest = wanted.max(now.plus(plan.fence()));
    match key.activate_at.filter(|agreed| *agreed <= earliest) {
        Some(at) => Err(Refusal::Agreed { kid: key.kid.clone(), at }),
        None => Ok(Begin { key, wanted, earliest }),
    }
}

/// The algorithms that a rotation is about.
pub(crate) fn algorithms(plan: &Plan, alg: Option<Alg>) -> Result<Vec<Alg>, Refusal> {
    match alg {
        None => Ok(plan.algorithms.clone()),
        Some(alg) if plan.algorithms.contains(&alg) => Ok(vec![alg]),
        Some(alg) => Err(Refusal::Algorithm(alg)),
    }
}

fn in_state<'a>(ledger: &'a Ledger, kid: &str, state: KeyState) -> Result<&'a KeyRecord, Refusal> {
    let key = ledger.key(kid).ok_or(Refusal::Unknown)?;
    if key.state == state {
        Ok(key)
    } else {
        Err(Refusal::State { is: key.state.name(), needs: state.name() })
    }
}

/// How the keys are once `action` is carried out, with everything that is then due; for saying what would happen.
pub(crate) fn rehearse(
    plan: &Plan,
    by_plan: bool,
    ledger: &Ledger,
    replicas: &[Replica],
    action: &Action,
    now: Timestamp,
) -> Result<Ledger, Refusal> {
    let mut after = ledger.clone();
    let epoch = ledger.epoch + 1;
    let mut next = changes(plan, ledger, action, None, now)?;
    // As many rounds as a transaction has.
    for _ in 0..super::transaction::MAX_ROUNDS {
        if next.iter().flat_map(|change| after.apply(change, now, epoch)).count() == 0 {
            break;
        }
        next = if by_plan { decide::due(plan, &after, replicas, now) } else { Vec::new() };
    }
    Ok(after)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::plan::PlanSpec;
    use super::super::record::Wants;
    use super::super::simulation;
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    const HOUR: Duration = Duration::from_secs(3600);
    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn plan() -> Plan {
        let spec = PlanSpec { algorithms: vec![Alg::Es256], token_lifetime: HOUR, ..PlanSpec::default() };
        Plan::check(spec).plan
    }

    fn key(kid: &str, state: KeyState) -> KeyRecord {
        let mut key = simulation::key(kid, Alg::Es256, NOW.minus(10 * DAY));
        let public = state != KeyState::Staged;
        key.state = state;
        key.published_at = public.then(|| NOW.minus(10 * DAY));
        key.published_epoch = public.then_some(1);
        key.activate_at = (public && state != KeyState::Published).then(|| NOW.minus(10 * DAY));
        key.private = (!state.is_gone() && state != KeyState::Verifying).then(|| "sealed".to_owned());
        key
    }

    fn ledger() -> Ledger {
        let keys = [("old", KeyState::Evicted), ("one", KeyState::Active), ("two", KeyState::Staged)];
        Ledger { epoch: 1, keys: keys.map(|(kid, state)| key(kid, state)).to_vec() }
    }

    fn replica(epoch: i64) -> Replica {
        let id = "r".to_owned();
        let wants = Wants::Planned(vec![Alg::Es256]);
        Replica { name: id.clone(), id, started_at: NOW, seen_at: NOW, epoch, wants }
    }

    fn after(action: &Action) -> Result<Vec<String>, Refusal> {
        let ledger = rehearse(&plan(), true, &ledger(), &[], action, NOW)?;
        let shown = |key: &KeyRecord| {
            let begins = key.activate_at.filter(|at| *at >= NOW).map(|at| at.since(NOW).as_secs());
            format!("{} {} {begins:?}", key.kid, key.state.name())
        };
        Ok(ledger.keys.iter().map(shown).collect())
    }

    const KEPT: &str = "old evicted None";

    #[test]
    fn a_rotation_announces_the_next_key_for_as_long_as_the_plan_says() {
        let rotate = Action::Rotate { alg: None, now: false };
        assert_eq!(after(&rotate).unwrap(), [KEPT, "one active None", "two published Some(86400)"]);
        let named = Action::Rotate { alg: Some(Alg::Es256), now: false };
        assert_eq!(after(&named), after(&rotate));
    }

    #[test]
    fn a_rotation_at_once_waits_for_two_polls() {
        let rotate = Action::Rotate { alg: None, now: true };
        assert_eq!(after(&rotate).unwrap(), [KEPT, "one active None", "two published Some(10)"]);
        // And for a replica that does not serve the key yet.
        let waiting = rehearse(&plan(), true, &ledger(), &[replica(1)], &rotate, NOW).unwrap();
        let two = waiting.key("two").unwrap();
        assert_eq!((two.state, two.activate_at), (KeyState::Published, None));
        let soon = NOW.plus(Duration::from_secs(5));
        let due = decide::due(&plan(), &waiting, &[replica(2)], soon);
        assert_eq!(due, [Change::Schedule { kid: "two".to_owned(), at: NOW.plus(Duration::from_secs(15)) }]);
    }

    #[test]
    fn what_is_agreed_on_can_only_be_moved_to_earlier() {
        let rotate = Action::Rotate { alg: None, now: false };
        let announced = rehearse(&plan(), true, &ledger(), &[], &rotate, NOW).unwrap();
        let later = NOW.plus(HOUR);
        let again = changes(&plan(), &announced, &rotate, None, later);
        assert_eq!(again, Err(Refusal::Agreed { kid: "two".to_owned(), at: NOW.plus(DAY) }));
        let at_once =
            rehearse(&plan(), true, &announced, &[], &Action::Rotate { alg: None, now: true }, later);
        let at = later.plus(Duration::from_secs(10));
        assert_eq!(at_once.unwrap().key("two").unwrap().activate_at, Some(at));
    }

    #[test]
    fn after_a_revocation_the_key_in_reserve_signs_at_once() {
        let revoke = Action::Revoke { kid: "one".to_owned() };
        assert_eq!(after(&revoke).unwrap(), [KEPT, "one revoked None", "two active Some(0)"]);
    }

    #[test]
    fn a_key_that_is_published_early_waits_for_its_moment() {
        let publish = Action::Publish { kid: "two".to_owned() };
        assert_eq!(after(&publish).unwrap(), [KEPT, "one active None", "two published Some(1728000)"]);
    }

    #[test]
    fn an_activation_waits_for_nobody() {
        let mut ledger = ledger();
        ledger.keys[2] = key("two", KeyState::Published);
        let activate = Action::Activate { kid: "two".to_owned() };
        let after = rehearse(&plan(), true, &ledger, &[replica(0)], &activate, NOW).unwrap();
        assert_eq!(after.key("two").unwrap().activate_at, Some(NOW.plus(Duration::from_secs(10))));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let kid = |kid: &str| kid.to_owned();
        for (action, refusal) in [
            (Action::Rotate { alg: Some(Alg::Rs256), now: true }, "this server does not sign with RS256"),
            (Action::Publish { kid: kid("three") }, "there is no key of this name"),
            (Action::Publish { kid: kid("one") }, "the key is active, and this is for a key that is staged"),
            (
                Action::Activate { kid: kid("two") },
                "the key is staged, and this is for a key that is published",
            ),
            (
                Action::Activate { kid: kid("old") },
                "the key is evicted, and this is for a key that is published",
            ),
            (
                Action::Revoke { kid: kid("old") },
                "the key is evicted, and this is for a key that is not gone",
            ),
            (Action::Revoke { kid: kid("three") }, "there is no key of this name"),
        ] {
            assert_eq!(after(&action).unwrap_err().to_string(), refusal, "{action:?}");
        }
        let mut bare = ledger();
        bare.keys.pop();
        let rotate = Action::Rotate { alg: None, now: true };
        let refused = rehearse(&plan(), true, &bare, &[], &rotate, NOW).unwrap_err();
        assert_eq!(refused, Refusal::NoReserve(Alg::Es256));
    }
}
