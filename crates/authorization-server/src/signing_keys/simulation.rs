//! A year of three replicas in simulated time: crashes, lost connections, clocks that are wrong by up to five seconds, and
//! operators, in random order. After every step the promises are checked.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use sealwright_jose::Alg;
use sealwright_service::clock::Timestamp;

use super::decide::{candidates, due, evict_at, missing, next, planned_activation, reservation_s};
use super::operate::{Action, rehearse};
use super::plan::{Plan, PlanSpec};
use super::record::{Change, KeyRecord, KeyState, Ledger, Replica, Wants};

const ALGS: [Alg; 2] = [Alg::Rs256, Alg::Es256];
const REPLICAS: usize = 3;
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
const TOKEN_LIFETIME: Duration = Duration::from_secs(12 * 3600);

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
    /// An operator has the next key of an algorithm take over.
    Rotate(usize, bool),
    /// An operator takes the active key of an algorithm back.
    Revoke(usize),
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
        8 => (replica, alg.clone()).prop_map(|(i, alg)| Op::Sign(i, alg)),
        1 => prop_oneof![
            15 => Just(Op::Wait(1)),
            2 => alg.clone().prop_map(|alg| Op::Rotate(alg, false)),
            1 => alg.clone().prop_map(|alg| Op::Rotate(alg, true)),
            1 => alg.prop_map(Op::Revoke),
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
struct View {
    ledger: Ledger,
    read_at: Timestamp,
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
    /// What was served lately, and until when: what caches may hold.
    served: VecDeque<(Timestamp, BTreeSet<String>)>,
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
        Self {
            plan: Plan::check(spec).plan,
            now: Timestamp::from_secs(1_800_000_000),
            database: Ledger::default(),
            rows: Vec::new(),
            processes: processes.collect(),
            made: 0,
            tokens: BTreeMap::new(),
            served: VecDeque::new(),
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
                self.processes[*i].view = None;
            }
            Op::Reach(i, reach) => self.processes[*i].reaches_database = *reach,
            Op::Poll(i) => self.poll(*i),
            Op::Sign(i, alg) => self.sign(*i, ALGS[*alg]),
            Op::Rotate(alg, now) => self.rotate(ALGS[*alg], *now),
            Op::Revoke(alg) => self.revoke(ALGS[*alg]),
        }
    }

    /// Time passes, and those that reach the database have looked at it in the meantime.
    fn wait(&mut self, for_: Duration) {
        self.now = self.now.plus(for_);
        if for_ > self.plan.poll {
            for i in 0..REPLICAS {
                self.poll(i);
            }
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
        self.remember_what_is_served(i);
        self.processes[i].view = Some(View { ledger, read_at: self.now });
        self.remember_what_is_served(i);
    }

    fn is_ready(&self, i: usize) -> bool {
        let view = self.processes[i].view.as_ref();
        view.is_some_and(|view| self.now.since(view.read_at) <= self.plan.max_stale)
    }

    fn served_by(&self, i: usize) -> Option<BTreeSet<String>> {
        let view = self.processes[i].view.as_ref().filter(|_| self.is_ready(i))?;
        let public = view.ledger.keys.iter().filter(|key| KeyState::PUBLIC.contains(&key.state));
        Some(public.map(|key| key.kid.clone()).collect())
    }

    /// A cache somewhere has just fetched the set of this replica.
    fn remember_what_is_served(&mut self, i: usize) {
        if let Some(set) = self.served_by(i) {
            self.served.push_back((self.now, set));
        }
        let oldest = self.now.minus(self.plan.jwks_max_age);
        self.served.retain(|(at, _)| *at >= oldest);
    }

    fn sign(&mut self, i: usize, alg: Alg) {
        if !self.is_ready(i) {
            return;
        }
        self.remember_what_is_served(i);
        let now = self.clock(i);
        let Some(view) = &self.processes[i].view else { return };
        let Some(key) = signer(&self.plan, &view.ledger, alg, now) else { return };
        let expires = now.plus(TOKEN_LIFETIME);
        if key.max_exp_s.is_none_or(|reserved| reserved < expires.as_secs()) {
            return;
        }
        let kid = key.kid.clone();
        let now_revoked = self.database.key(&kid).is_none_or(|key| key.state == KeyState::Revoked);
        if !self.was_urgent(key) && !now_revoked {
            for (at, set) in &self.served {
                assert!(
                    set.contains(&kid),
                    "{kid} signs at {}, and a cache of {at} does not know it",
                    self.now
                );
            }
        }
        let latest = self.tokens.entry(kid).or_insert(expires);
        *latest = (*latest).max(expires);
    }

    /// Whether a key had to sign before it was announced for long: the first one ever, and after a revocation.
    fn was_urgent(&self, key: &KeyRecord) -> bool {
        let lead = key.activate_at.zip(key.published_at).map(|(at, published)| at.since(published));
        lead.is_none_or(|lead| lead < self.plan.publish_lead)
    }

    /// What `sealwright key rotate` does. It may come to nothing, as when the next key was just revoked.
    fn rotate(&mut self, alg: Alg, now: bool) {
        let action = Action::Rotate { alg: Some(alg), now };
        if let Ok(after) = rehearse(&self.plan, true, &self.database, &self.rows, &action, self.now) {
            self.database = Ledger { epoch: self.database.epoch + 1, ..after };
        }
    }

    /// What `sealwright key revoke` does.
    fn revoke(&mut self, alg: Alg) {
        let Some(key) = signer(&self.plan, &self.database, alg, self.now) else { return };
        let kid = key.kid.clone();
        self.database.epoch += 1;
        let revoke = Change::Revoke { kid: kid.clone(), reason: "lost".to_owned() };
        let epoch = self.database.epoch;
        self.database.apply(&revoke, self.now, epoch);
        self.tokens.remove(&kid);
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
            let active = of_alg.clone().filter(|key| key.state == KeyState::Active).count();
            assert!(active <= 1, "{active} active keys of {}", alg.name());
            let was_revoked = of_alg.clone().any(|key| key.state == KeyState::Revoked);
            if !self.rows.is_empty() && !was_revoked {
                assert_eq!(active, 1, "no active key of {}", alg.name());
            }
        }
        for (kid, expires) in &self.tokens {
            let skewed = expires.plus(self.plan.evict_grace);
            for i in 0..REPLICAS {
                let Some(set) = self.served_by(i).filter(|_| skewed > self.now) else { continue };
                let excused = self.database.key(kid).is_none_or(|key| {
                    // In an emergency a replica that does not reach the database cannot know the new key yet.
                    let heard =
                        self.processes[i].view.as_ref().map(|view| view.ledger.epoch) >= key.published_epoch;
                    key.state == KeyState::Revoked || (self.was_urgent(key) && !heard)
                });
                assert!(
                    excused || set.contains(kid),
                    "at {} the set of replica {i} lacks {kid}, whose tokens live until {expires}",
                    self.now
                );
            }
        }
    }
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
        for i in 0..REPLICAS {
            ALGS.iter().enumerate().for_each(|(alg, _)| world.sign(i, ALGS[alg]));
        }
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
