//! The plan by which keys come and go: how often, how long announced, how long remembered.

use std::time::Duration;

use sealwright_jose::Alg;
use sealwright_service::clock::Timestamp;

/// What a resource may say about the plan; what it leaves out has a default.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlanSpec {
    pub(crate) algorithms: Vec<Alg>,
    pub(crate) rotate_every: Option<Duration>,
    pub(crate) publish_lead: Option<Duration>,
    pub(crate) evict_grace: Option<Duration>,
    pub(crate) jwks_max_age: Option<Duration>,
    pub(crate) max_stale: Option<Duration>,
    pub(crate) poll: Option<Duration>,
    pub(crate) require_replica_ack: Option<bool>,
    pub(crate) ack_timeout: Option<Duration>,
    /// The longest that any client's tokens live.
    pub(crate) token_lifetime: Duration,
    /// Whether timings that verifiers out there could not follow are meant, as in a rehearsal.
    pub(crate) unsafe_timings: bool,
}

/// A plan that cannot harm a verifier: the only way to one is [`Plan::new`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// One key is active for each. The first that has one signs where nobody asks for another.
    pub(crate) algorithms: Vec<Alg>,
    /// From one activation to the next.
    pub(crate) rotate_every: Duration,
    /// How long a key stands in the set before it signs.
    pub(crate) publish_lead: Duration,
    /// How wrong the clocks of verifiers may be.
    pub(crate) evict_grace: Duration,
    /// How long caches may keep the set.
    pub(crate) jwks_max_age: Duration,
    /// How old a replica's view of the keys may be while it signs.
    pub(crate) max_stale: Duration,
    /// How often a replica looks for changes.
    pub(crate) poll: Duration,
    /// Whether a key waits until every live replica serves it.
    pub(crate) require_replica_ack: bool,
    /// How long it waits at most, beyond the time at which it would have become active.
    pub(crate) ack_timeout: Duration,
    /// The longest that any client's tokens live.
    pub(crate) token_lifetime: Duration,
    /// The algorithms that clients ask for by name; after a change of the plan, some that it does not have any more.
    pub(crate) asked_for: Vec<Alg>,
    /// How long caches may keep sets that were served by plans before this one, and until when they do.
    pub(crate) older_sets: Vec<(Duration, Timestamp)>,
}

/// Something about a plan that is wrong or worth a look: the field, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remark {
    /// The name of the field, as it stands under `spec.tokenSignature`.
    pub(crate) field: &'static str,
    pub(crate) message: String,
}

/// What is right for a plan, or what is wrong with it.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) plan: Plan,
    pub(crate) faults: Vec<Remark>,
    pub(crate) warnings: Vec<Remark>,
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The shortest announcement: the slowest of the verifiers that are known well keeps a set for ten minutes.
const LEAD_FLOOR: Duration = Duration::from_secs(10 * 60);

/// What must be between the last moment at which something is agreed on and the moment at which it holds, so that every
/// replica has heard of it twice over.
const FENCE_POLLS: u32 = 2;

impl Plan {
    /// Fills in the defaults and checks the timings against each other. The plan may be used only if there are no faults.
    pub(crate) fn check(spec: PlanSpec) -> Checked {
        let jwks_max_age = spec.jwks_max_age.unwrap_or(5 * MINUTE);
        let publish_lead = spec.publish_lead.unwrap_or(DAY);
        let plan = Self {
            algorithms: spec.algorithms,
            rotate_every: spec.rotate_every.unwrap_or(30 * DAY),
            publish_lead,
            evict_grace: spec.evict_grace.unwrap_or(5 * MINUTE),
            jwks_max_age,
            max_stale: spec.max_stale.unwrap_or((publish_lead / 2).min(15 * MINUTE)),
            poll: spec.poll.unwrap_or(5 * SECOND),
            require_replica_ack: spec.require_replica_ack.unwrap_or(true),
            ack_timeout: spec.ack_timeout.unwrap_or(HOUR),
            token_lifetime: spec.token_lifetime,
            asked_for: Vec::new(),
            older_sets: Vec::new(),
        };
        let mut remarks = Remarks::default();
        plan.bounds(&mut remarks);
        plan.announcement(spec.unsafe_timings, &mut remarks);
        Checked { plan, faults: remarks.faults, warnings: remarks.warnings }
    }

    /// The algorithms that may be signed with: those of the plan, and those that a client still asks for.
    pub(crate) fn wanted(&self) -> impl Iterator<Item = Alg> {
        let more = self.asked_for.iter().filter(|alg| !self.algorithms.contains(alg));
        self.algorithms.iter().chain(more).copied()
    }

    /// Takes over what requests that were prepared by the plan before may need, and caches that hold a set from before `now`.
    pub(crate) fn keep_for_requests(&mut self, before: &Self, now: Timestamp) {
        self.token_lifetime = self.token_lifetime.max(before.token_lifetime);
        for alg in &before.asked_for {
            if !self.asked_for.contains(alg) {
                self.asked_for.push(*alg);
            }
        }
        let kept = cached_for(before.jwks_max_age);
        let older = before.older_sets.iter().copied().chain([(kept, now.plus(kept))]);
        let own = cached_for(self.jwks_max_age);
        self.older_sets = older.filter(|(kept, until)| *kept > own && *until > now).collect();
    }

    /// Lets go of what caches hold no longer at `now`.
    pub(crate) fn forget_older_sets(&mut self, now: Timestamp) {
        self.older_sets.retain(|(_, until)| *until > now);
    }

    /// How long a key is announced before it signs: what is asked for, or longer for caches that hold a set of a plan before.
    pub(crate) fn lead(&self) -> Duration {
        if self.older_sets.is_empty() { self.publish_lead } else { self.publish_lead.max(self.lead_floor()) }
    }

    /// Numbers that would be wrong in any plan.
    fn bounds(&self, remarks: &mut Remarks) {
        let mut within = |field, value: Duration, least: Duration, most: Duration, text: &str| {
            if !(least..=most).contains(&value) {
                remarks.fault(field, format!("write a duration from {text}"));
            }
        };
        within("rotateEvery", self.rotate_every, SECOND, 3 * 365 * DAY, "1s to 1095d");
        within("publishLead", self.publish_lead, SECOND, 365 * DAY, "1s to 365d");
        within("evictGrace", self.evict_grace, Duration::ZERO, DAY, "0s to 24h");
        within("jwksMaxAge", self.jwks_max_age, SECOND, DAY, "1s to 24h");
        within("maxStale", self.max_stale, SECOND, DAY, "1s to 24h");
        within("poll", self.poll, Duration::from_millis(100), MINUTE, "100ms to 1m");
        within("ackTimeout", self.ack_timeout, SECOND, 30 * DAY, "1s to 30d");
    }

    /// Whether verifiers and replicas can follow.
    fn announcement(&self, unsafe_timings: bool, remarks: &mut Remarks) {
        let (lead, fence) = (self.publish_lead, self.fence());
        if self.rotate_every <= lead + fence {
            let message = format!(
                "a key would have to be announced before the one before it is active: with `publishLead` {} write more than {}",
                shown(lead),
                shown(lead + fence)
            );
            remarks.fault("rotateEvery", message);
        } else if !unsafe_timings && self.rotate_every < 2 * lead {
            let message = format!(
                "write at least twice `publishLead`, which is {}; or add `acknowledge: [unsafeKeyTimings]`",
                shown(2 * lead)
            );
            remarks.fault("rotateEvery", message);
        }
        let floor = self.lead_floor();
        if !unsafe_timings && lead < floor {
            let message = format!(
                "verifiers keep the set for a while and some never ask again before that is over: write at least {}; or add \
                 `acknowledge: [unsafeKeyTimings]`",
                shown(floor)
            );
            remarks.fault("publishLead", message);
        } else if lead < HOUR {
            let message = "some verifiers keep a set for an hour without asking again; 24h is the default";
            remarks.warning("publishLead", message.to_owned());
        }
        if self.max_stale < 2 * self.poll || self.max_stale >= lead {
            let message = format!(
                "a replica that hears nothing for so long stops signing: write at least twice `poll` ({}) and less than \
                 `publishLead` ({})",
                shown(2 * self.poll),
                shown(lead)
            );
            remarks.fault("maxStale", message);
        }
    }

    /// The shortest announcement that loses no verifier: what caches may keep, what a replica may not have heard of yet, and
    /// wrong clocks; never less than ten minutes.
    pub(crate) fn lead_floor(&self) -> Duration {
        (self.cached_for() + self.poll + self.evict_grace).max(LEAD_FLOOR)
    }

    /// How long before it holds a moment must be agreed on.
    pub(crate) fn fence(&self) -> Duration {
        FENCE_POLLS * self.poll
    }

    /// How long a replica counts as alive after its last sign of life.
    pub(crate) fn replica_timeout(&self) -> Duration {
        (6 * self.poll).max(30 * SECOND)
    }

    /// How long after its last token has expired the key of that token must stay in the set.
    pub(crate) fn memory(&self) -> Duration {
        self.evict_grace + self.cached_for()
    }

    /// How long a cache may show a set.
    pub(crate) fn cached_for(&self) -> Duration {
        let older = self.older_sets.iter().map(|(kept, _)| *kept).max().unwrap_or_default();
        cached_for(self.jwks_max_age).max(older)
    }
}

/// For its age, and while the cache fetches the next one.
fn cached_for(jwks_max_age: Duration) -> Duration {
    jwks_max_age + jwks_max_age / 10
}

#[derive(Default)]
struct Remarks {
    faults: Vec<Remark>,
    warnings: Vec<Remark>,
}

impl Remarks {
    fn fault(&mut self, field: &'static str, message: String) {
        self.faults.push(Remark { field, message });
    }

    fn warning(&mut self, field: &'static str, message: String) {
        self.warnings.push(Remark { field, message });
    }
}

/// A duration as a resource would write it.
fn shown(duration: Duration) -> String {
    let (secs, millis) = (duration.as_secs(), duration.subsec_millis());
    match (secs, millis) {
        (_, 1..) => format!("{}ms", duration.as_millis()),
        (0, 0) => "0s".to_owned(),
        (s, 0) if s % 86_400 == 0 => format!("{}d", s / 86_400),
        (s, 0) if s % 3600 == 0 => format!("{}h", s / 3600),
        (s, 0) if s % 60 == 0 => format!("{}m", s / 60),
        (s, 0) => format!("{s}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut PlanSpec)) -> Checked {
        let mut spec =
            PlanSpec { algorithms: vec![Alg::Es256], token_lifetime: 5 * MINUTE, ..PlanSpec::default() };
        change(&mut spec);
        Plan::check(spec)
    }

    fn faults(change: impl FnOnce(&mut PlanSpec)) -> Vec<&'static str> {
        check(change).faults.iter().map(|remark| remark.field).collect()
    }

    #[test]
    fn the_defaults_are_sound() {
        let checked = check(|_| {});
        assert!(checked.faults.is_empty() && checked.warnings.is_empty(), "{checked:?}");
        assert_eq!(checked.plan.rotate_every, 30 * DAY);
        assert_eq!(checked.plan.publish_lead, DAY);
        assert_eq!(checked.plan.max_stale, 15 * MINUTE);
    }

    #[test]
    fn timings_that_verifiers_cannot_follow_are_refused() {
        assert_eq!(faults(|s| s.publish_lead = Some(5 * MINUTE)), ["publishLead"]);
        assert_eq!(
            faults(|s| {
                s.jwks_max_age = Some(2 * HOUR);
                s.publish_lead = Some(2 * HOUR);
            }),
            ["publishLead"],
            "a cache may keep the set for longer than the key is announced"
        );
        assert_eq!(faults(|s| s.rotate_every = Some(36 * HOUR)), ["rotateEvery"], "not twice the lead");
        assert_eq!(faults(|s| s.rotate_every = Some(12 * HOUR)), ["rotateEvery"], "shorter than the lead");
        assert_eq!(faults(|s| s.max_stale = Some(24 * HOUR)), ["maxStale"]);
        assert_eq!(faults(|s| s.max_stale = Some(5 * SECOND)), ["maxStale"]);
        assert_eq!(faults(|s| s.poll = Some(2 * MINUTE)), ["poll"]);
        assert_eq!(faults(|s| s.evict_grace = Some(2 * DAY)), ["evictGrace", "publishLead"]);
    }

    #[test]
    fn a_rehearsal_may_be_fast_but_not_impossible() {
        let fast = |s: &mut PlanSpec| {
            s.unsafe_timings = true;
            s.rotate_every = Some(40 * SECOND);
            s.publish_lead = Some(32 * SECOND);
            s.poll = Some(SECOND);
            s.jwks_max_age = Some(5 * SECOND);
            s.evict_grace = Some(2 * SECOND);
        };
        assert!(check(fast).faults.is_empty());
        let impossible = |s: &mut PlanSpec| {
            fast(s);
            s.rotate_every = Some(33 * SECOND);
        };
        assert_eq!(faults(impossible), ["rotateEvery"]);
    }

    #[test]
    fn caches_that_hold_an_older_set_are_waited_for_and_then_no_longer() {
        let plan = |max_age, lead| {
            let checked = check(|s| (s.jwks_max_age, s.publish_lead) = (Some(max_age), Some(lead)));
            assert!(checked.faults.is_empty(), "{checked:?}");
            checked.plan
        };
        let now = Timestamp::from_secs(1_800_000_000);
        let (long, middle, short) = (plan(20 * HOUR, DAY), plan(10 * HOUR, DAY), plan(5 * MINUTE, HOUR));
        let after = |mut plan: Plan, before: &Plan, now| {
            plan.keep_for_requests(before, now);
            plan
        };
        let changed = after(short.clone(), &long, now);
        assert_eq!(changed.cached_for(), 22 * HOUR);
        assert_eq!(changed.lead(), 22 * HOUR + 5 * SECOND + 5 * MINUTE);
        assert_eq!(changed.memory(), 22 * HOUR + 5 * MINUTE);

        // Each for its own length, however often the plan changes meanwhile.
        let again = after(short.clone(), &after(middle, &long, now), now.plus(15 * HOUR));
        for (passed, kept) in [(21, 22 * HOUR), (22, 11 * HOUR), (25, 11 * HOUR), (26, short.cached_for())] {
            let mut plan = again.clone();
            plan.forget_older_sets(now.plus(passed * HOUR));
            assert_eq!(plan.cached_for(), kept, "after {passed} hours");
        }
        let same = after(short.clone(), &short, now);
        assert_eq!((same.lead(), same), (HOUR, short.clone()), "nothing is older");
        let mut changed = changed;
        changed.forget_older_sets(now.plus(22 * HOUR));
        assert_eq!((changed.lead(), changed), (HOUR, short));
    }

    #[test]
    fn an_announcement_below_an_hour_is_worth_a_look() {
        let checked = check(|s| s.publish_lead = Some(30 * MINUTE));
        assert!(checked.faults.is_empty());
        assert_eq!(checked.warnings[0].field, "publishLead");
    }

    #[test]
    fn durations_are_shown_as_they_are_written() {
        for (duration, text) in [
            (DAY, "1d"),
            (36 * HOUR, "36h"),
            (90 * SECOND, "90s"),
            (10 * MINUTE, "10m"),
            (Duration::from_millis(1500), "1500ms"),
            (Duration::ZERO, "0s"),
        ] {
            assert_eq!(shown(duration), text);
        }
    }
}
