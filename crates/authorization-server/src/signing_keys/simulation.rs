//! A year of three replicas in simulated time: crashes, lost connections, clocks that are wrong by up to five seconds, and
//! operators, in random order. After every step the promises are checked.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use sealwright_jose::Alg;
use sealwright_service::clock::Timestamp;

use super::decide::{candidates, due, evict_at, missing, next, planned_activation, reservation_s};
use super::operate::{Action, rehearse};
use super::plan::{Plan, PlanSpec};
use super::record::{Change, KeyRecord, KeyState, Ledger, Replica, Wants};
use super::snapshot::publish;

const ALGS: [Alg; 2] = [Alg::Rs256, Alg::Es256];
const REPLICAS: usize = 3;
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
const TOKEN_LIFETIME: Duration = Duration::from_secs(12 * 3600);
/// How wrong the clock of a replica is at most.
const CLOCK_ERROR: Duration = Duration::from_secs(5);

/// What happens next.
#[derive(Clone, Debug)]
enum Op {
    /// Time passes, in milliseconds.
    Wait(u32),
    /// Time passes until about the next moment at which something is planned, off by so many milliseconds.
    ToNextMoment(i32),
    /// A process is killed; the next operation on it starts it again.
    Crash(usize),
    /// The database is out of a replica's reach, or within it again.
    Reach(usize, bool),
    /// A replica looks at the database.
    Poll(usize),
    /// A token is signed.
    Sign(usize, usize),
    /// The database is away until about the next moment, for so much less than a view lasts, in milliseconds; all sign until then.
    Outage(u32),
    /// An operator has the next key of an algorithm take over.
    Rotate(usize, bool),
    /// A replica has just looked and loses the database; then a key takes over at once, and all sign so many milliseconds later.
    RotateUnheard(usize, usize, u32),
    /// An operator takes the active key of an algorithm back, or the one that is to be next.
    Revoke(usize, bool),
}

fn op() -> impl Strategy<Value = Op> {
    let (replica, alg) = (0..REPLICAS, 0..ALGS.len());
    prop_oneof![
        3 => (0..20_000_u32).prop_map(Op::Wait),
        2 => (0..172_800_000_u32).prop_map(Op::Wait),
        6 => (-9_000..9_000_i32).prop_map(Op::ToNextMoment),
        1 => replica.clone().prop_map(Op::Crash),
        2 => (replica.clone(), any::<bool>()).prop_map(|(i, reach)| Op::Reach(i, reach)),
        5 => replica.clone().prop_map(Op::Poll),
        8 => (replica.clone(), alg.clone()).prop_map(|(i, alg)| Op::Sign(i, alg)),
        1 => prop_oneof![
            12 => Just(Op::Wait(1)),
            4 => (0..60_000_u32).prop_map(Op::Outage),
            2 => alg.clone().prop_map(|alg| Op::Rotate(alg, false)),
            1 => alg.clone().prop_map(|alg| Op::Rotate(alg, true)),
            2 => (replica, alg.clone(), 0..30_000_u32).prop_map(|(i, alg, ms)| Op::RotateUnheard(i, alg, ms)),
            2 => (alg, any::<bool>()).prop_map(|(alg, next)| Op::Revoke(alg, next)),
        ],
    ]
}

struct Process {
    id: String,
    /// How far its clock is ahead, in milliseconds.
    skew_ms: i64,
    reaches_database: bool,
    view: Option<View>,
}

/// What a replica holds between two looks at the database.
#[derive(Clone)]
struct View {
    ledger: Ledger,
    read_at: Timestamp,
}

impl View {
    /// Whether a key is in the set that the replica serves, ready or not.
    fn serves(&self, kid: &str) -> bool {
        self.ledger.key(kid).is_some_and(|key| KeyState::PUBLIC.contains(&key.state))
    }
}

struct World {
    plan: Plan,
    now: Timestamp,
    database: Ledger,
    rows: Vec<Replica>,
    processes: Vec<Process>,
    made: usize,
    /// The latest expiry of the tokens that each key signed.
    tokens: BTreeMap<String, Timestamp>,
    /// What was served lately, and when for the last time: caches may hold it for `cached_for` from then on.
    served: Vec<(Timestamp, View)>,
    /// How long that is, by the header of the answers.
    cached_for: Duration,
    /// The algorithms whose active key was revoked, and when, until another one is active.
    orphaned: BTreeMap<&'static str, Timestamp>,
    /// Keys that sign without having been announced for long.
    hurried: BTreeMap<String, Hurry>,
}

/// Why a key was not announced for long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hurry {
    /// Nothing signed, as at the first start, or the key before was revoked.
    NothingToLose,
    /// An operator asked for it.
    Asked,
}

impl World {
    fn new(skews_ms: [i64; REPLICAS]) -> Self {
        let spec =
            PlanSpec { algorithms: ALGS.to_vec(), token_lifetime: TOKEN_LIFETIME, ..PlanSpec::default() };
        let processes = skews_ms.iter().enumerate().map(|(i, skew_ms)| Process {
            id: format!("p{i}"),
            skew_ms: *skew_ms,
            reaches_database: true,
            view: None,
        });
        let plan = Plan::check(spec).plan;
        Self {
            cached_for: cached_for(&plan),
            plan,
            now: Timestamp::from_secs(1_800_000_000),
            database: Ledger::default(),
            rows: Vec::new(),
            processes: processes.collect(),
            made: 0,
            tokens: BTreeMap::new(),
            served: Vec::new(),
            orphaned: BTreeMap::new(),
            hurried: BTreeMap::new(),
        }
    }

    fn run(&mut self, op: &Op) {
        match op {
            Op::Wait(ms) => self.wait(Duration::from_millis(u64::from(*ms))),
            Op::ToNextMoment(off_ms) => {
                let moment = self.next_moment().as_millis() + i64::from(*off_ms);
                self.wait(Timestamp::from_millis(moment).since(self.now));
            }
            Op::Crash(i) => {
                self.made += 1;
                self.processes[*i].id = format!("p{i}.{}", self.made);
                self.replace_view(*i, None);
            }
            Op::Reach(i, reach) => self.processes[*i].reaches_database = *reach,
            Op::Poll(i) => self.poll(*i),
            Op::Sign(i, alg) => self.sign(*i, ALGS[*alg]),
            Op::Outage(less_ms) => self.outage(Duration::from_millis(u64::from(*less_ms))),
            Op::Rotate(alg, now) => self.rotate(ALGS[*alg], *now),
            Op::RotateUnheard(i, alg, ms) => {
                self.poll(*i);
                let reached = std::mem::replace(&mut self.processes[*i].reaches_database, false);
                self.rotate(ALGS[*alg], true);
                self.wait(Duration::from_millis(u64::from(*ms)));
                self.all_sign();
                self.processes[*i].reaches_database = reached;
            }
            Op::Revoke(alg, next) => self.revoke(ALGS[*alg], *next),
        }
    }

    /// Time passes, and those that reach the database have looked at it in the meantime.
    fn wait(&mut self, for_: Duration) {
        self.now = self.now.plus(for_);
        let (now, cached_for) = (self.now, self.cached_for);
        self.served.retain(|(until, _)| until.plus(cached_for) > now);
        if for_ > self.plan.poll {
            for i in 0..REPLICAS {
                self.poll(i);
            }
        }
    }

    /// The database is away from shortly before the next moment on, so that what was promised of tokens before is all that there is.
    fn outage(&mut self, less: Duration) {
        let away = self.plan.max_stale.saturating_sub(less);
        self.wait(self.next_moment().minus(away).since(self.now));
        (0..REPLICAS).for_each(|i| self.poll(i));
        let reached: Vec<bool> = self.processes.iter().map(|process| process.reaches_database).collect();
        self.processes.iter_mut().for_each(|process| process.reaches_database = false);
        self.wait(away.saturating_sub(CLOCK_ERROR));
        self.all_sign();
        self.wait(CLOCK_ERROR);
        self.all_sign();
        for (process, reached) in self.processes.iter_mut().zip(reached) {
            process.reaches_database = reached;
        }
    }

    fn all_sign(&mut self) {
        for i in 0..REPLICAS {
            ALGS.into_iter().for_each(|alg| self.sign(i, alg));
        }
    }

    /// The clock of a process, as wrong as it is.
    fn clock(&self, i: usize) -> Timestamp {
        Timestamp::from_millis(self.now.as_millis() + self.processes[i].skew_ms)
    }

    /// What the loop of a replica does: transitions that are due, the reservation, and a fresh view.
    fn poll(&mut self, i: usize) {
        if !self.processes[i].reaches_database {
            return;
        }
        let now = self.clock(i);
        let before = self.database.clone();
        // Each pass is one transaction.
        for alg in missing(&self.plan, &self.database) {
            self.made += 1;
            self.database.keys.push(key(&format!("k{}", self.made), alg, now));
        }
        loop {
            let changes = due(&self.plan, &self.database, &self.rows, now);
            if changes.is_empty() {
                break;
            }
            self.database.epoch += 1;
            for change in &changes {
                let epoch = self.database.epoch;
                assert!(!self.database.apply(change, now, epoch).is_empty(), "{change:?} changed nothing");
            }
        }
        self.note_successors(&before, now);
        for alg in ALGS.map(Alg::name) {
            let keys: Vec<_> = self.database.keys.iter().filter(|key| key.alg.name() == alg).collect();
            assert!(!self.was_orphaned_lately(alg, now), "nobody took over at {now}: {keys:?}");
        }
        let (needed, wanted) = reservation_s(&self.plan, now);
        let soon = now.plus(self.plan.max_stale);
        for key in self.database.keys.iter_mut().filter(|key| key.signs_at(soon)) {
            if key.max_exp_s.is_none_or(|reserved| reserved < needed) {
                key.max_exp_s = Some(wanted);
            }
        }
        let ledger = self.database.clone();
        let row = Replica {
            id: self.processes[i].id.clone(),
            name: String::new(),
            started_at: now,
            seen_at: now,
            epoch: ledger.epoch,
            wants: Wants::Planned(ALGS.to_vec()),
        };
        self.rows.retain(|other| other.id != row.id);
        self.rows.push(row);
        self.replace_view(i, Some(View { ledger, read_at: self.now }));
    }

    /// Which of the keys that became active since `before` had no time to be announced; their algorithms are orphaned no more.
    fn note_successors(&mut self, before: &Ledger, now: Timestamp) {
        let is_active = |key: &KeyRecord| key.state == KeyState::Active;
        let nothing_signed = !before.keys.iter().any(is_active);
        for i in 0..self.database.keys.len() {
            let key = &self.database.keys[i];
            if is_active(key) && !before.key(&key.kid).is_some_and(is_active) {
                let (kid, alg) = (key.kid.clone(), key.alg.name());
                if nothing_signed || self.was_orphaned_lately(alg, now) {
                    self.hurried.insert(kid, Hurry::NothingToLose);
                }
                self.orphaned.remove(alg);
            }
        }
    }

    /// Whether the active key of `alg` was revoked so lately that its successor is not announced.
    fn was_orphaned_lately(&self, alg: &str, now: Timestamp) -> bool {
        self.orphaned.get(alg).is_some_and(|at| now < at.plus(self.plan.publish_lead))
    }

    /// Until this moment caches may have fetched what is replaced.
    fn replace_view(&mut self, i: usize, view: Option<View>) {
        if let Some(old) = std::mem::replace(&mut self.processes[i].view, view) {
            self.served.push((self.now, old));
        }
    }

    fn is_ready(&self, i: usize) -> bool {
        let view = self.processes[i].view.as_ref();
        view.is_some_and(|view| self.now.since(view.read_at) <= self.plan.max_stale)
    }

    fn sign(&mut self, i: usize, alg: Alg) {
        if !self.is_ready(i) {
            return;
        }
        let now = self.clock(i);
        let Some(view) = &self.processes[i].view else { return };
        let Some(key) = signer(&self.plan, &view.ledger, alg, now) else { return };
        let expires = now.plus(TOKEN_LIFETIME);
        if key.max_exp_s.is_none_or(|reserved| reserved < expires.as_secs()) {
            return;
        }
        self.every_live_replica_serves(key);
        let latest = self.tokens.entry(key.kid.clone()).or_insert(expires);
        *latest = (*latest).max(expires);
    }

    /// However much an operator hurries, who lived when the moment was agreed on had confirmed the key.
    fn every_live_replica_serves(&self, key: &KeyRecord) {
        let is_revoked = self.database.key(&key.kid).is_none_or(|key| key.state == KeyState::Revoked);
        if is_revoked || self.hurried.get(&key.kid) != Some(&Hurry::Asked) {
            return;
        }
        let alive = self.plan.replica_timeout() - 2 * CLOCK_ERROR;
        for (i, process) in self.processes.iter().enumerate() {
            let Some(view) = process.view.as_ref().filter(|view| self.now.since(view.read_at) < alive) else {
                continue;
            };
            assert!(
                view.serves(&key.kid),
                "{} signs at {}, and replica {i} does not serve it",
                key.kid,
                self.now
            );
        }
    }

    /// What `sealwright key rotate` does. It may come to nothing, as when the next key was just revoked.
    fn rotate(&mut self, alg: Alg, now: bool) {
        let action = Action::Rotate { alg: Some(alg), now };
        if let Ok(after) = rehearse(&self.plan, true, &self.database, &self.rows, &action, self.now) {
            if let Some(next) = next(&self.database, alg).filter(|_| now) {
                self.hurried.insert(next.kid.clone(), Hurry::Asked);
            }
            let after = Ledger { epoch: self.database.epoch + 1, ..after };
            let before = std::mem::replace(&mut self.database, after);
            // It does all that is due besides.
            self.note_successors(&before, self.now);
        }
    }

    /// What `sealwright key revoke` does, before any replica has looked.
    fn revoke(&mut self, alg: Alg, the_next: bool) {
        let signs = signer(&self.plan, &self.database, alg, self.now);
        let Some(key) = (if the_next { next(&self.database, alg) } else { signs }) else { return };
        let (kid, was_active) = (key.kid.clone(), key.state == KeyState::Active);
        self.database.epoch += 1;
        let revoke = Change::Revoke { kid: kid.clone(), reason: "lost".to_owned() };
        let epoch = self.database.epoch;
        self.database.apply(&revoke, self.now, epoch);
        self.tokens.remove(&kid);
        if was_active {
            self.orphaned.insert(alg.name(), self.now);
        }
    }

    /// The next moment at which the plan wants something.
    fn next_moment(&self) -> Timestamp {
        let mut moments = Vec::new();
        for alg in ALGS {
            if let Some(planned) = planned_activation(&self.plan, &self.database, alg) {
                moments.extend([planned.minus(self.plan.publish_lead), planned]);
            }
            moments.extend(next(&self.database, alg).and_then(|key| key.activate_at));
        }
        let verifying = self.database.keys.iter().filter(|key| key.state == KeyState::Verifying);
        moments.extend(verifying.map(|key| evict_at(&self.plan, key)));
        let later = moments.into_iter().filter(|moment| *moment > self.now.plus(Duration::from_secs(10)));
        later.min().unwrap_or(self.now)
    }

    fn check(&self) {
        let mut kids = BTreeSet::new();
        for key in &self.database.keys {
            assert!(kids.insert(&key.kid), "{} is there twice", key.kid);
            let may_hold = matches!(key.state, KeyState::Staged | KeyState::Published | KeyState::Active);
            assert_eq!(key.private.is_some(), may_hold, "the private half of {key:?}");
        }
        for alg in ALGS {
            let of_alg = self.database.keys.iter().filter(|key| key.alg == alg);
            let active = of_alg.filter(|key| key.state == KeyState::Active).count();
            assert!(active <= 1, "{active} active keys of {}", alg.name());
            if !self.rows.is_empty() && !self.orphaned.contains_key(alg.name()) {
                assert_eq!(active, 1, "no active key of {}", alg.name());
            }
        }
        // For every clock of a verifier, and for as long as caches may hold what was fetched for them.
        let memory = self.plan.evict_grace + self.cached_for - CLOCK_ERROR;
        let alive: Vec<_> =
            self.tokens.iter().filter(|(_, expires)| self.now < expires.plus(memory)).collect();
        let cached = self.served.iter().map(|(until, view)| (*until, view));
        let current = self.processes.iter().filter_map(|process| process.view.as_ref());
        for (fetched_at, view) in cached.chain(current.map(|view| (self.now, view))) {
            for (kid, expires) in alive.iter().filter(|(kid, _)| !view.serves(kid)) {
                let excused = self.database.key(kid).is_none_or(|key| {
                    let is_unheard = key.published_epoch.is_none_or(|epoch| view.ledger.epoch < epoch);
                    // A set is good for as long as keys are announced, whoever serves it.
                    let good_until = view.read_at.plus(self.plan.publish_lead).minus(CLOCK_ERROR);
                    let is_too_old = key.activate_at.is_some_and(|at| at >= good_until);
                    let is_hurried = self.hurried.contains_key(*kid);
                    key.state == KeyState::Revoked || (is_unheard && (is_hurried || is_too_old))
                });
                assert!(
                    excused,
                    "at {} the set fetched at {fetched_at} lacks {kid}, whose tokens live until {expires}: {:?}",
                    self.now,
                    (self.database.key(kid), self.hurried.get(*kid), view.read_at, view.ledger.epoch)
                );
            }
        }
    }
}

/// How long caches may hold a set, by the header that says it (RFC 9111 §5.2.2.1, RFC 5861 §3).
fn cached_for(plan: &Plan) -> Duration {
    let published = publish(&Ledger::default(), plan.jwks_max_age);
    let header = published.cache_control.to_str().unwrap();
    let seconds = header.split(", ").filter_map(|directive| directive.split_once('=')?.1.parse::<u64>().ok());
    Duration::from_secs(seconds.sum())
}

fn signer<'a>(plan: &Plan, ledger: &'a Ledger, alg: Alg, now: Timestamp) -> Option<&'a KeyRecord> {
    let candidates = candidates(plan, ledger);
    let mut begun = candidates.iter().filter(|candidate| candidate.begins_at.is_none_or(|at| at <= now));
    begun.find(|candidate| candidate.key.alg == alg).map(|candidate| candidate.key)
}

pub(super) fn key(kid: &str, alg: Alg, now: Timestamp) -> KeyRecord {
    KeyRecord { private: Some("sealed".to_owned()), ..KeyRecord::blank(kid, alg, now) }
}

fn play(skews_ms: [i64; REPLICAS], ops: &[Op]) -> World {
    let mut world = World::new(skews_ms);
    let end = world.now.plus(YEAR);
    for op in ops {
        world.run(op);
        world.check();
    }
    // What is left of the year is quiet.
    for i in 0..REPLICAS {
        world.processes[i].reaches_database = true;
    }
    while world.now < end {
        world.run(&Op::ToNextMoment(0));
        world.run(&Op::Wait(6_000));
        world.all_sign();
        world.check();
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_year_of_rotations_harms_no_verifier(
        skews_ms in [-5_000..=5_000_i64, -5_000..=5_000_i64, -5_000..=5_000_i64],
        ops in vec(op(), 200..1_500),
    ) {
        play(skews_ms, &ops);
    }
}

/// The active key is revoked, and all replicas are away until nobody can rely on the algorithm any more. So its next key is
/// announced; that one is revoked, too, before it began, and the one after it must be announced as well.
#[test]
fn what_is_revoked_before_it_signed_has_a_successor_that_is_announced() {
    let es256 = 1;
    play(
        [0; REPLICAS],
        &[
            Op::Reach(0, false),
            Op::Reach(1, false),
            Op::Poll(2),
            Op::Reach(2, false),
            Op::Revoke(es256, false),
            Op::Reach(1, true),
            Op::ToNextMoment(6_619),
            Op::Revoke(es256, true),
        ],
    );
}

#[test]
fn a_quiet_year_has_twelve_rotations_and_forgets_what_is_over() {
    let world = play([0; REPLICAS], &[]);
    for alg in ALGS {
        let of_alg = || world.database.keys.iter().filter(move |key| key.alg == alg);
        let count = |state| of_alg().filter(|key| key.state == state).count();
        // Twelve times thirty days are over; the thirteenth key is the one in use, the next one lies in reserve.
        assert_eq!(count(KeyState::Evicted), 12);
        assert_eq!((count(KeyState::Active), count(KeyState::Verifying)), (1, 0));
        assert_eq!(count(KeyState::Staged) + count(KeyState::Published), 1);
    }
}
