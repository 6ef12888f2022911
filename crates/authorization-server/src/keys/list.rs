//! The keys as operators see them: facts, moments to come, who serves what.

use std::collections::BTreeSet;

use sealwright_jose::Alg;
use sealwright_service::clock::Timestamp;
use serde::Serialize;

use super::forecast::forecast;
use crate::config::token_signature::{Declared, Resolved};
use crate::signing_keys::decide;
use crate::signing_keys::declared::{DeclareError, as_declared, is_surprise, named_elsewhere, refusal};
use crate::signing_keys::plan::Plan;
use crate::signing_keys::record::{Change, KeyRecord, KeyState, Ledger, Replica, Wants};
use crate::signing_keys::replica::Source;

/// All keys of a server at one moment: what `sealwright key list --json` and the admin API give. Times are RFC 3339.
#[derive(Clone, Debug, Serialize)]
pub struct KeyList {
    /// The name of the `AuthServer` resource.
    pub server: String,
    /// The issuer's URL.
    pub issuer: String,
    /// When this was true.
    pub now: Timestamp,
    /// Counts the changes of keys.
    pub epoch: i64,
    /// `automatic` or `declared`.
    pub mode: &'static str,
    /// The timings.
    pub plan: PlanFacts,
    /// Every key that there ever was, by algorithm as the plan has them, then the oldest first.
    pub keys: Vec<KeyFacts>,
    /// The processes that serve this issuer.
    pub replicas: Vec<ReplicaFacts>,
    /// Whether all is as it should be, as Kubernetes writes it.
    pub conditions: Vec<Condition>,
}

/// The plan by which keys come and go, in seconds.
#[derive(Clone, Debug, Serialize)]
pub struct PlanFacts {
    /// The algorithms; the first signs where nobody asks for another.
    pub algorithms: Vec<&'static str>,
    /// From one activation to the next; `None` for declared keys.
    pub rotate_every_s: Option<u64>,
    /// How long a key is announced before it signs; `None` for declared keys.
    pub publish_lead_s: Option<u64>,
    /// How long caches may keep the set.
    pub jwks_max_age_s: u64,
    /// How wrong the clocks of verifiers may be.
    pub evict_grace_s: u64,
    /// The longest that tokens live.
    pub token_lifetime_s: u64,
}

/// One key.
#[derive(Clone, Debug, Serialize)]
pub struct KeyFacts {
    /// Its name, which no other key ever has.
    pub kid: String,
    /// Its algorithm.
    pub alg: &'static str,
    /// `staged`, `published`, `active`, `verifying`, `evicted` or `revoked`, by the clock.
    pub state: &'static str,
    /// Whether resources name it; else it was made by plan, or imported.
    pub declared: bool,
    /// RFC 7638, SHA-256, in base64url.
    pub thumbprint: String,
    /// Since when it is in this state.
    pub since: Timestamp,
    /// When it comes to the next one, as agreed on or planned.
    pub until: Option<Timestamp>,
    /// What it is then.
    pub next: Option<&'static str>,
    /// Whether `until` is agreed on between the replicas; else it is what the plan wants.
    pub agreed: bool,
    /// Its whole life, past and to come.
    pub phases: Vec<Phase>,
    /// No token that it signed lives longer: an upper bound, which is written down before anything is signed.
    pub tokens_expire_by: Option<Timestamp>,
    /// The live replicas that serve it; empty for a key that is not in the set.
    pub served_by: Vec<String>,
    /// The live replicas that do not serve it yet although it is in the set, or cannot sign with it.
    pub missing_at: Vec<String>,
    /// Why it was revoked.
    pub reason: Option<String>,
}

/// One part of the life of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Phase {
    /// `staged`, `published`, `active` or `verifying`.
    pub state: &'static str,
    /// When it begins.
    pub from: Timestamp,
    /// When it ends; `None` if nobody knows.
    pub until: Option<Timestamp>,
}

/// One process that serves the issuer.
#[derive(Clone, Debug, Serialize)]
pub struct ReplicaFacts {
    /// New at every start.
    pub id: String,
    /// Host and process.
    pub name: String,
    /// When it started.
    pub started_at: Timestamp,
    /// Its last sign of life.
    pub seen_at: Timestamp,
    /// The newest set that it serves, and all of whose signing keys it can use.
    pub epoch: i64,
    /// Whether it has given a sign of life lately.
    pub live: bool,
    /// Whether it lives and serves an older set than there is.
    pub behind: bool,
}

/// One condition of the server, such as `Ready`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// What it is about.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// `True` or `False`.
    pub status: &'static str,
    /// In one word, for programs.
    pub reason: &'static str,
    /// In a sentence, for people; empty where there is nothing to say.
    pub message: String,
}

impl Condition {
    fn new(kind: &'static str, problem: Option<(&'static str, String)>) -> Self {
        match problem {
            None => Self { kind, status: "True", reason: "AsExpected", message: String::new() },
            Some((reason, message)) => Self { kind, status: "False", reason, message },
        }
    }

    /// Whether it is as it should be.
    pub fn holds(&self) -> bool {
        self.status == "True"
    }
}

/// Puts the list together.
pub(super) fn list(
    server: &str,
    issuer: &str,
    source: &Source,
    ledger: Ledger,
    replicas: &[Replica],
    now: Timestamp,
) -> KeyList {
    let plan = source.plan();
    let by_plan = matches!(source, Source::Planned { .. });
    let mut refused = None;
    // Of all keys that there ever were, since the one that signed before may be named no more.
    let unannounced = match source {
        Source::Planned { .. } => None,
        Source::Declared(declared) => unannounced(declared, &ledger, now),
    };
    let mut ledger = match source {
        Source::Planned { .. } => ledger,
        Source::Declared(declared) => {
            let named = named_elsewhere(plan, replicas, "", now);
            refused = refusal(&ledger, declared, &named, now);
            // Where no server can take the resources over, or has yet, they do not say how the keys stand.
            let is_taken_over = refused.is_none() && !declared.is_broken && declared.to_make.is_empty();
            if is_taken_over { as_declared(ledger, declared, &named, now) } else { ledger }
        }
    };
    by_the_clock(&mut ledger, now);
    let (ledger, epoch) = (&ledger, ledger.epoch);
    let live = |replica: &Replica| decide::is_live(plan, replica, now);
    let mut sorted: Vec<&KeyRecord> = ledger.keys.iter().collect();
    let place = |alg: Alg| plan.algorithms.iter().position(|known| *known == alg).unwrap_or(usize::MAX);
    sorted.sort_by_key(|key| (place(key.alg), key.created_at, key.activate_at.is_none(), key.activate_at));
    let keys = sorted.into_iter().map(|key| {
        let (missing, served) = replicas
            .iter()
            .filter(|replica| live(replica) && KeyState::PUBLIC.contains(&key.state))
            .partition::<Vec<_>, _>(|replica| replica.epoch < key.published_epoch.unwrap_or(i64::MAX));
        let names = |replicas: Vec<&Replica>| replicas.into_iter().map(|r| r.name.clone()).collect();
        let facts = facts(plan, by_plan, ledger, key, now);
        KeyFacts { served_by: names(served), missing_at: names(missing), ..facts }
    });
    let replica = |replica: &Replica| ReplicaFacts {
        id: replica.id.clone(),
        name: replica.name.clone(),
        started_at: replica.started_at,
        seen_at: replica.seen_at,
        epoch: replica.epoch,
        live: live(replica),
        behind: live(replica) && replica.epoch < epoch,
    };
    let asking = |alg: Alg| {
        let asks = replicas.iter().filter(|replica| live(replica) && replica.wants.signs(alg));
        asks.map(|replica| replica.name.clone()).collect::<Vec<_>>()
    };
    let left_over: Vec<(Alg, Vec<String>)> =
        decide::left_over(plan, ledger).map(|key| (key.alg, asking(key.alg))).collect();
    let facts_of: Vec<ReplicaFacts> = replicas.iter().map(replica).collect();
    let conditions = match source {
        Source::Planned { plan, .. } => planned_conditions(plan, ledger, &facts_of, &left_over),
        Source::Declared(declared) => {
            let others = other_resources(declared, replicas.iter().filter(|replica| live(replica)));
            declared_conditions(declared, refused.as_ref(), unannounced, others)
        }
    };
    let replicas = facts_of;
    KeyList {
        server: server.to_owned(),
        issuer: issuer.to_owned(),
        now,
        epoch,
        mode: if by_plan { "automatic" } else { "declared" },
        plan: plan_facts(plan, by_plan),
        keys: keys.collect(),
        replicas,
        conditions,
    }
}

/// What replicas do by the clock alone, before anybody has written it down.
fn by_the_clock(ledger: &mut Ledger, now: Timestamp) {
    let begun = ledger.keys.iter().filter(|key| key.state == KeyState::Published && key.signs_at(now));
    let mut begun: Vec<(Option<Timestamp>, String)> =
        begun.map(|key| (key.activate_at, key.kid.clone())).collect();
    begun.sort();
    let epoch = ledger.epoch;
    for (_, kid) in begun {
        ledger.apply(&Change::Activate { kid }, now, epoch);
    }
}

fn plan_facts(plan: &Plan, by_plan: bool) -> PlanFacts {
    PlanFacts {
        algorithms: plan.algorithms.iter().copied().map(Alg::name).collect(),
        rotate_every_s: by_plan.then_some(plan.rotate_every.as_secs()),
        publish_lead_s: by_plan.then_some(plan.publish_lead.as_secs()),
        jwks_max_age_s: plan.jwks_max_age.as_secs(),
        evict_grace_s: plan.evict_grace.as_secs(),
        token_lifetime_s: plan.token_lifetime.as_secs(),
    }
}

/// What is to be said about one key, without the replicas.
fn facts(plan: &Plan, by_plan: bool, ledger: &Ledger, key: &KeyRecord, now: Timestamp) -> KeyFacts {
    let life = forecast(plan, by_plan, ledger, key, now);
    let (since, until, next) = match key.state {
        KeyState::Staged => (Some(key.created_at), life.publish, "published"),
        KeyState::Published => (life.publish, life.begin, "active"),
        KeyState::Active => (life.begin, life.end, "verifying"),
        KeyState::Verifying => (life.end.or(life.publish), life.leave, "evicted"),
        KeyState::Evicted | KeyState::Revoked => (life.leave, None, ""),
    };
    let mut phases = Vec::new();
    let moments = [
        ("staged", (!key.declared).then_some(key.created_at)),
        ("published", life.publish),
        ("active", life.begin),
        ("verifying", life.end),
        ("", life.leave),
    ];
    for (i, (state, from)) in moments.iter().enumerate().take(4) {
        let Some(from) = *from else { continue };
        let until = moments[i + 1..].iter().find_map(|(_, at)| *at);
        // A key that was revoked skipped what would have come.
        if until.is_none_or(|until| from < until) && life.leave.is_none_or(|leave| from < leave) {
            phases.push(Phase { state, from, until });
        }
    }
    let is_agreed = key.state == KeyState::Published && key.activate_at.is_some();
    let successor = || {
        let next = decide::next(ledger, key.alg);
        key.state == KeyState::Active && next.is_some_and(|next| next.activate_at.is_some())
    };
    KeyFacts {
        kid: key.kid.clone(),
        alg: key.alg.name(),
        state: key.state.name(),
        declared: key.declared,
        thumbprint: key.thumbprint.clone(),
        since: since.unwrap_or(key.created_at),
        until,
        next: until.map(|_| next),
        agreed: until.is_some() && (is_agreed || successor()),
        phases,
        tokens_expire_by: key.max_exp_s.map(Timestamp::from_secs),
        served_by: Vec::new(),
        missing_at: Vec::new(),
        reason: key.reason.clone(),
    }
}

fn planned_conditions(
    plan: &Plan,
    ledger: &Ledger,
    replicas: &[ReplicaFacts],
    left_over: &[(Alg, Vec<String>)],
) -> Vec<Condition> {
    let signs = |alg: &Alg| ledger.keys.iter().any(|key| key.alg == *alg && key.state == KeyState::Active);
    let silent: Vec<&str> = plan.algorithms.iter().filter(|alg| !signs(alg)).map(|alg| alg.name()).collect();
    let ready = (!silent.is_empty())
        .then(|| ("NoActiveKey", format!("no key signs {}", silent.join(", "))))
        .or_else(|| {
            let nobody = !replicas.iter().any(|replica| replica.live);
            nobody.then(|| ("NoReplica", "no server runs".to_owned()))
        });
    let behind: Vec<&str> = replicas.iter().filter(|r| r.behind).map(|r| r.name.as_str()).collect();
    let current =
        (!behind.is_empty()).then(|| ("Behind", format!("an older set is served by {}", behind.join(", "))));
    let left = left_over.iter().map(|(alg, asking)| {
        let until = if asking.is_empty() {
            "until a key of the plan does".to_owned()
        } else {
            format!(
                "for {}, which went by another plan or has clients that ask for it: restart it with the new resources",
                asking.join(", ")
            )
        };
        format!("{} is not in the plan and signs still, {until}", alg.name())
    });
    let left: Vec<String> = left.collect();
    let planned = (!left.is_empty()).then(|| ("LeftPlan", left.join("; ")));
    vec![
        Condition::new("AlgorithmsPlanned", planned),
        Condition::new("ReplicasCurrent", current),
        Condition::new("Ready", ready),
    ]
}

/// The replicas that name other keys than these resources do, in a sentence.
fn other_resources<'r>(
    declared: &Declared,
    replicas: impl Iterator<Item = &'r Replica>,
) -> Option<(&'static str, String)> {
    let ours: BTreeSet<&str> = declared.names().collect();
    let listed = |names: &BTreeSet<&str>| match names.len() {
        0 => "no key".to_owned(),
        _ => names.iter().copied().collect::<Vec<_>>().join(", "),
    };
    let other = |replica: &Replica| {
        let Wants::Declared(kids) = &replica.wants else { return None };
        let names: BTreeSet<&str> = kids.iter().map(String::as_str).collect();
        (names != ours).then(|| format!("{} goes by resources that name {}", replica.name, listed(&names)))
    };
    let others: Vec<String> = replicas.filter_map(other).collect();
    let message = || format!("{}; these name {}", others.join("; "), listed(&ours));
    (!others.is_empty()).then(|| ("OtherResources", message()))
}

/// The key that signs, if another one did before and verifiers may keep a set without this one still.
fn unannounced(declared: &Declared, ledger: &Ledger, now: Timestamp) -> Option<(&'static str, String)> {
    let row = ledger.key(&declared.signing.as_ref()?.kid)?;
    let floor = declared.plan.lead_floor();
    let known_at = row.published_at.unwrap_or(now).plus(floor);
    (is_surprise(ledger, row, floor) && now < known_at).then(|| {
        let message = format!(
            "`{}` signs without having been announced, and verifiers that keep the set may refuse its tokens until {known_at}; \
             name the next key in `publishedKeyRefs` first",
            row.kid
        );
        ("NotAnnounced", message)
    })
}

/// The names are those of AppSSO; `KeyPrePublished` and `ReplicasCurrent` are ours. `refused` is why no server can take the
/// resources over, `others` which servers have not.
fn declared_conditions(
    declared: &Declared,
    refused: Option<&DeclareError>,
    unannounced: Option<(&'static str, String)>,
    others: Option<(&'static str, String)>,
) -> Vec<Condition> {
    let signing = declared.signing.as_ref();
    let is_signing = |error: &&DeclareError| signing.is_some_and(|key| error.kid() == Some(&key.kid));
    let resolved = |kind, resolved: &Resolved, refused: Option<&DeclareError>| {
        let problem = match (resolved, refused) {
            (Resolved::Yes, None) => None,
            (Resolved::Yes, Some(error)) => Some(("Refused", error.to_string())),
            (Resolved::No(why), _) => Some(("NotResolved", why.clone())),
        };
        Condition::new(kind, problem)
    };
    let ready = if declared.is_broken || refused.is_some() {
        let why = refused.map_or_else(|| "a key is broken".to_owned(), ToString::to_string);
        let message = format!(
            "no server starts with these resources, and one that runs keeps the keys that it has: {why}"
        );
        Some(("Refused", message))
    } else {
        signing.is_none().then(|| ("NoSigningKey", "no token is issued: no key signs".to_owned()))
    };
    let conditions = &declared.conditions;
    vec![
        resolved(
            "SignAndVerifyKeyResolved",
            &conditions.sign_and_verify_key,
            refused.filter(|error| is_signing(error)),
        ),
        resolved(
            "ExtraVerifyKeysResolved",
            &conditions.extra_verify_keys,
            refused.filter(|error| !is_signing(error)),
        ),
        Condition::new("KeyPrePublished", unannounced),
        Condition::new("ReplicasCurrent", others),
        Condition::new("Ready", ready),
    ]
}
