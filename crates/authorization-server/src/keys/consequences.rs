//! What an operator's action breaks, and until when: said before it is done.

use std::time::Duration;

use sealwright_jose::Alg;
use sealwright_service::clock::Timestamp;
use serde::Serialize;

use super::words::{duration, moment};
use crate::signing_keys::decide;
use crate::signing_keys::operate::{Action, Refusal, rehearse};
use crate::signing_keys::plan::Plan;
use crate::signing_keys::record::{KeyRecord, KeyState, Ledger, Replica};

/// What follows from an action that is not done yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Consequences {
    /// Whether some verifiers, or somebody with a token, will notice.
    pub disturbs: bool,
    /// Until when, at the latest, verifiers that keep the set for as long as they may refuse tokens of a key that they do
    /// not know yet, or accept those of a key that is gone; `None` if none does.
    pub disturbed_until: Option<Timestamp>,
    /// All of it in sentences, with times.
    pub sentences: Vec<String>,
}

/// What follows from `action`, as the keys are now.
pub(super) fn consequences(
    plan: &Plan,
    by_plan: bool,
    ledger: &Ledger,
    replicas: &[Replica],
    action: &Action,
    now: Timestamp,
) -> Result<Consequences, Refusal> {
    let after = rehearse(plan, by_plan, ledger, replicas, action, now)?;
    let mut text = Text {
        plan,
        now,
        result: Consequences { disturbs: false, disturbed_until: None, sentences: Vec::new() },
    };
    match action {
        Action::Publish { kid } => text.published(&after, kid),
        Action::Revoke { kid } => text.revoked(ledger, &after, kid, replicas),
        Action::Rotate { .. } | Action::Activate { .. } => {
            let changed = |key: &&KeyRecord| ledger.key(&key.kid) != Some(*key) && key.private.is_some();
            for key in after.keys.iter().filter(changed) {
                text.takes_over(ledger, key, replicas);
            }
            text.say("Tokens that are out already stay good.");
        }
    }
    Ok(text.result)
}

/// What panva's `jose` and `PyJWT` wait between two fetches of a set, whatever they meet.
const COOL_DOWN: Duration = Duration::from_secs(30);

struct Text<'a> {
    plan: &'a Plan,
    now: Timestamp,
    result: Consequences,
}

impl Text<'_> {
    fn say(&mut self, sentence: impl Into<String>) {
        self.result.sentences.push(sentence.into());
    }

    fn when(&self, at: Timestamp) -> String {
        moment(at, self.now)
    }

    /// When every cache that does as `Cache-Control` says has a set that was changed at `changed`.
    fn known_by(&self, changed: Timestamp) -> Timestamp {
        let max_age = self.plan.jwks_max_age;
        changed.plus(self.plan.poll + max_age + max_age / 10)
    }

    fn published(&mut self, after: &Ledger, kid: &str) {
        self.say(format!("`{kid}` stands in the set from now on."));
        let planned = after.key(kid).and_then(|key| decide::planned_activation(self.plan, after, key.alg));
        if let Some(planned) = planned {
            self.say(format!("It signs when the plan says so: {}.", self.when(planned)));
        }
        self.say("Nothing breaks.");
    }

    /// A rotation: `key` is announced, and signs from a moment that is agreed on now or soon.
    fn takes_over(&mut self, before: &Ledger, key: &KeyRecord, replicas: &[Replica]) {
        let published = key.published_at.unwrap_or(self.now);
        let old =
            active(before, key.alg).map(|old| format!(", in place of `{}`", old.kid)).unwrap_or_default();
        // What is not agreed on yet is agreed on when the replicas have looked once more.
        let soonest = self.now.plus(if key.activate_at.is_some() {
            Duration::ZERO
        } else {
            self.plan.poll + self.plan.fence()
        });
        let begin = key.activate_at.or(key.wanted_at).unwrap_or(self.now).max(soonest);
        self.say(format!("`{}` signs from {}{old}.", key.kid, self.when(begin)));
        let oldest = self.now.minus(self.plan.replica_timeout());
        let lag = |replica: &&Replica| replica.seen_at >= oldest && replica.epoch < before.epoch;
        let behind: Vec<&str> = replicas.iter().filter(lag).map(|replica| replica.name.as_str()).collect();
        if key.activate_at.is_none() && self.plan.require_replica_ack && !behind.is_empty() {
            self.say(format!(
                "These replicas are behind, and it waits for them, for {} at most: {}.",
                duration(self.plan.ack_timeout),
                behind.join(", ")
            ));
        }
        self.unknown_to_caches(published, begin);
    }

    /// Whether caches may not know a key that was published at `published` when it begins to sign.
    fn unknown_to_caches(&mut self, published: Timestamp, begin: Timestamp) {
        let known_by = self.known_by(published);
        // Some replica may have served the old set for one poll more, and somebody fetched it then.
        let fetched_by = published.plus(self.plan.poll + COOL_DOWN);
        if known_by.max(fetched_by) <= begin {
            let lead = duration(begin.since(published));
            self.say(format!(
                "Nothing breaks: the key is announced for {lead}, and verifiers may keep the set for {} only.",
                duration(self.plan.jwks_max_age)
            ));
            return;
        }
        self.result.disturbs = true;
        self.result.disturbed_until = self.result.disturbed_until.max(Some(known_by.max(fetched_by)));
        if fetched_by <= begin {
            self.say("Verifiers that fetch the set again when they meet an unknown `kid` notice nothing.");
        } else {
            self.say(format!(
                "Verifiers that fetch the set again when they meet an unknown `kid` notice nothing, except those that have just \
                 fetched it and wait before they do so again: for {} in panva's `jose` and `PyJWT`, which may refuse new tokens \
                 until {}.",
                duration(COOL_DOWN),
                self.when(fetched_by)
            ));
        }
        if known_by > begin {
            self.say(format!(
                "Verifiers that do not, such as Envoy, refuse new tokens until they fetch the set again: until {} at the \
                 latest, and longer only where they keep it for longer than its `Cache-Control` allows.",
                self.when(known_by)
            ));
        }
    }

    /// What replicas do that may not hear of a revocation: "at once" is said of those that look at the keys.
    fn not_told(&mut self, before: &Ledger, key: &KeyRecord, replicas: &[Replica]) {
        let may_be_deaf = |replica: &&Replica| {
            !decide::is_live(self.plan, replica, self.now) || replica.epoch < before.epoch
        };
        let deaf: Vec<&Replica> = replicas.iter().filter(may_be_deaf).collect();
        let Some(seen) = deaf.iter().map(|replica| replica.seen_at).max() else { return };
        let names: Vec<&str> = deaf.iter().map(|replica| replica.name.as_str()).collect();
        let signs_until = self.when(seen.plus(self.plan.max_stale).max(self.now));
        let signs = match key.state {
            KeyState::Active => format!(", and signs with it until {signs_until} at the latest"),
            _ => String::new(),
        };
        self.say(format!(
            "These replicas are behind or were not seen lately: {}. One that still runs serves the key until it looks at the \
             keys again{signs}.",
            names.join(", ")
        ));
    }

    fn revoked(&mut self, before: &Ledger, after: &Ledger, kid: &str, replicas: &[Replica]) {
        let Some(key) = before.key(kid) else { return };
        self.say(format!("`{kid}` never signs again, and its private half is erased."));
        let last = key.max_exp_s.map(Timestamp::from_secs).filter(|last| *last > self.now);
        if KeyState::PUBLIC.contains(&key.state) {
            let known_by = self.known_by(self.now);
            self.result.disturbs = true;
            self.result.disturbed_until = Some(known_by);
            self.say(match last {
                Some(last) => format!(
                    "It leaves the set at once. All its tokens, which expire by {}, are refused by every verifier that has \
                     fetched the set again; those that keep a copy go on accepting them until {} at the latest.",
                    self.when(last),
                    self.when(known_by.min(last))
                ),
                None => format!("It leaves the set at once. No token of it is good any more; copies of the set are gone by {}.", self.when(known_by)),
            });
            self.not_told(before, key, replicas);
        } else {
            self.say("It was never in the set, so no verifier notices.");
        }
        if key.state != KeyState::Active {
            return;
        }
        match active(after, key.alg) {
            Some(next) => {
                self.say(format!("`{}` signs at once in its place.", next.kid));
                self.unknown_to_caches(next.published_at.unwrap_or(self.now), self.now);
            }
            None => self.say(format!(
                "Nothing signs {} until a running server has made a new key: requests for tokens are refused with 503 for some \
                 seconds.",
                key.alg.name()
            )),
        }
    }
}

fn active(ledger: &Ledger, alg: Alg) -> Option<&KeyRecord> {
    ledger.keys.iter().find(|key| key.alg == alg && key.state == KeyState::Active)
}
