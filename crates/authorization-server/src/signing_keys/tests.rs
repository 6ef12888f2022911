//! Replicas on real databases, on clocks that the test moves.

mod at_rest;
mod backup;
mod confirming;
mod declared;
mod in_token;
mod leaving;
mod making;
mod operators;
mod resealed;
mod rolling;
mod served;
mod telling;

use std::sync::Arc;
use std::time::Duration;

use sealwright_audit::{AuditLog, AuditOptions};
use sealwright_jose::{Alg, JwkSet, SigningKey};
use sealwright_keystore::{KekRing, KekSpec, KeyProvider, in_memory};
use sealwright_service::clock::{Clock, Timestamp};
use sealwright_service::database::Database;
use sealwright_service::shutdown::Shutdown;
use sealwright_testkit::database::on_both;
use tokio::time::Instant;

use super::plan::{Plan, PlanSpec};
use super::record::{Change, KeyState, Ledger};
use super::replica::{KeysError, ReplicaLoop, Source};
use super::snapshot::{KeySnapshot, Keys, NoSigner};
use super::transaction;
use crate::store::{MIGRATOR, signing_key};

const START: Timestamp = Timestamp::from_secs(1_795_305_600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const LIFETIME: Duration = Duration::from_secs(300);

/// Replicas of one server: one database, one clock, one key-encryption key each.
struct Fleet {
    database: Database,
    clock: Clock,
    audit: AuditLog,
    plan: Plan,
}

impl Fleet {
    async fn new(database: Database, algorithms: &[Alg]) -> Self {
        let clock = Clock::fixed(START);
        let key = in_memory("audit", SigningKey::generate(Alg::Es256).unwrap());
        let options = AuditOptions::default();
        let audit = AuditLog::start(&database, "http://id", key, options, clock.clone(), Shutdown::new());
        let spec =
            PlanSpec { algorithms: algorithms.to_vec(), token_lifetime: LIFETIME, ..PlanSpec::default() };
        Self { audit: audit.await.unwrap(), database, clock, plan: Plan::check(spec).plan }
    }

    async fn replica(&self, provider: &KeyProvider) -> Member {
        self.start(Source::Planned { plan: self.plan.clone(), provider: provider.clone() }).await.unwrap()
    }

    async fn start(&self, source: Source) -> Result<Member, KeysError> {
        let mut turning = ReplicaLoop::new(source, self.database.clone(), self.clock.clone());
        let keys = turning.start(&self.audit).await?;
        Ok(Member { turning, keys })
    }

    /// Has an operator take back all keys in this state.
    async fn revoke(&self, state: KeyState) {
        let revoke = |ledger: &Ledger| {
            let keys = ledger.keys.iter().filter(|key| key.state == state);
            keys.map(|key| Change::Revoke { kid: key.kid.clone(), reason: "drill".to_owned() }).collect()
        };
        transaction::change(&self.database, self.clock.now(), revoke).await.unwrap().unwrap();
    }

    async fn revoke_reserve(&self) {
        self.revoke(KeyState::Staged).await;
    }

    /// The states of all keys, oldest first, as `es256 active`.
    async fn states(&self) -> Vec<String> {
        let mut conn = self.database.reader().acquire().await.unwrap();
        let ledger = signing_key::load(&mut conn).await.unwrap();
        let mut keys = ledger.keys;
        keys.sort_by_key(|key| (std::cmp::Reverse(key.state), key.retired_at));
        keys.iter().map(|key| format!("{} {}", key.alg.name(), key.state.name())).collect()
    }
}

struct Member {
    turning: ReplicaLoop,
    keys: Arc<Keys>,
}

impl Member {
    /// A turn, and those that come when keys that were begun are made.
    async fn turn(&mut self, fleet: &Fleet) {
        self.turning.turn(&fleet.audit).await;
        self.until_made(fleet).await;
    }

    async fn until_made(&mut self, fleet: &Fleet) {
        while self.turning.made().await {
            self.turning.turn(&fleet.audit).await;
        }
    }

    /// Goes by another source, and makes the keys that it wants.
    async fn go_by(&mut self, fleet: &Fleet, source: Source) -> Result<(), KeysError> {
        self.turning.replace(source, &fleet.audit).await?;
        self.until_made(fleet).await;
        Ok(())
    }

    /// The `kid` that would sign a token of the usual lifetime now.
    fn signer(&self) -> Result<String, NoSigner> {
        let expires = self.keys.now().plus(LIFETIME).as_secs();
        self.keys.look().signer(None, expires).map(|key| key.kid().to_owned())
    }

    /// The keys that have a meter.
    fn metered(&self) -> Vec<String> {
        self.keys.snapshot().meters.iter().map(|meter| meter.kid.clone()).collect()
    }

    fn set(&self) -> Vec<String> {
        let snapshot = self.keys.snapshot();
        let set = JwkSet::parse_any(std::str::from_utf8(&snapshot.set.body).unwrap(), Alg::ALL).unwrap();
        set.keys().iter().map(|key| key.kid().unwrap().to_owned()).collect()
    }
}

fn provider() -> KeyProvider {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("kek"), KekRing::generate_text().as_bytes()).unwrap();
    let kek = KekSpec { id: "k1".into(), file: Some("kek".into()), ..KekSpec::default() };
    KeyProvider::sealed(KekRing::read(&[kek], dir.path()).unwrap())
}

#[tokio::test]
async fn a_key_is_announced_then_signs_then_is_remembered_then_gone() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, provider) = (Fleet::new(database, &[Alg::Es256]).await, provider());
        let (mut a, mut b) = (fleet.replica(&provider).await, fleet.replica(&provider).await);
        let first = a.signer().unwrap();
        assert_eq!(b.signer().unwrap(), first);
        assert_eq!(fleet.states().await, ["ES256 active", "ES256 staged"], "one in use, one in reserve");
        assert_eq!(a.set(), std::slice::from_ref(&first));

        // A day before its time the next key is announced, and agreed on when both serve it.
        let moment = Duration::from_secs(20);
        fleet.clock.advance(29 * DAY - moment);
        a.turn(&fleet).await;
        b.turn(&fleet).await;
        fleet.clock.advance(moment);
        a.turn(&fleet).await;
        assert_eq!(a.set().len(), 2);
        assert_eq!(b.set().len(), 1, "it has not looked yet");
        a.turn(&fleet).await;
        let agreed = |member: &Member| {
            let ledger = Arc::clone(&member.keys.snapshot().ledger);
            let announced = ledger.keys.iter().find(|key| key.state == KeyState::Published);
            announced.map(|key| key.activate_at)
        };
        assert_eq!(agreed(&a), Some(None), "the other does not serve the key");
        b.turn(&fleet).await;
        b.turn(&fleet).await;
        assert_eq!(agreed(&b), Some(Some(START.plus(30 * DAY))));
        a.turn(&fleet).await;
        let second = a.set()[1].clone();

        // Both begin to sign with it by the clock, before either has looked.
        fleet.clock.advance(DAY - moment);
        a.turn(&fleet).await;
        b.turn(&fleet).await;
        fleet.clock.advance(moment - Duration::from_millis(1));
        assert_eq!((a.signer().unwrap(), b.signer().unwrap()), (first.clone(), first.clone()));
        fleet.clock.advance(Duration::from_millis(1));
        assert_eq!((a.signer().unwrap(), b.signer().unwrap()), (second.clone(), second.clone()));
        a.turn(&fleet).await;
        b.turn(&fleet).await;
        assert_eq!((a.signer().unwrap(), b.signer().unwrap()), (second.clone(), second.clone()));
        assert_eq!(fleet.states().await[..2], ["ES256 verifying", "ES256 active"]);
        assert_eq!(a.set(), [second.clone(), first.clone()], "its tokens are still good");

        // Its last token may live for a quarter of an hour, a minute and five minutes; then come the caches and the clocks.
        fleet.clock.advance(Duration::from_secs(60 * 32));
        a.turn(&fleet).await;
        b.turn(&fleet).await;
        assert_eq!(fleet.states().await[0], "ES256 evicted");
        assert_eq!(b.set(), [second]);
    })
    .await;
}

#[tokio::test]
async fn of_many_that_start_at_once_one_makes_each_key() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, provider) = (Fleet::new(database, &[Alg::Es256, Alg::Ed25519]).await, provider());
        let (a, b, c) =
            tokio::join!(fleet.replica(&provider), fleet.replica(&provider), fleet.replica(&provider));
        let mut members = [a, b, c];
        for member in &mut members {
            member.turn(&fleet).await;
        }
        let mut states = fleet.states().await;
        states.sort();
        assert_eq!(states, ["ES256 active", "ES256 staged", "Ed25519 active", "Ed25519 staged"]);
        let signers: Vec<_> = members.iter().map(|member| member.signer().unwrap()).collect();
        assert!(signers.iter().all(|kid| *kid == signers[0] && kid.starts_with("es256-")), "{signers:?}");
        assert!(members.iter().all(|member| member.set() == members[0].set()));
    })
    .await;
}

#[tokio::test]
async fn a_replica_that_cannot_open_the_next_key_holds_it_back_but_not_for_ever() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let mut fleet = Fleet::new(database, &[Alg::Es256]).await;
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        fleet.plan.rotate_every = minutes(20);
        fleet.plan.publish_lead = minutes(10);
        fleet.plan.ack_timeout = minutes(15);
        let mut good = fleet.replica(&provider()).await;
        let mut other = fleet.replica(&provider()).await;
        assert_eq!(other.signer(), Err(NoSigner::NoKey), "another key-encryption key opens nothing");
        assert_eq!(other.set(), good.set(), "but it serves the set");

        let agreed = |member: &Member| {
            let ledger = Arc::clone(&member.keys.snapshot().ledger);
            ledger.keys.iter().find(|key| key.state == KeyState::Published).map(|key| key.activate_at)
        };
        let mut minutes_held = 0;
        for _ in 0..60 {
            for _ in 0..3 {
                fleet.clock.advance(Duration::from_secs(20));
                good.turn(&fleet).await;
                other.turn(&fleet).await;
            }
            match agreed(&good) {
                Some(Some(at)) => {
                    // Announced after ten minutes, due after twenty, and held for as long as the plan allows.
                    assert_eq!(minutes_held, 25);
                    assert!(at <= good.keys.now().plus(fleet.plan.fence()));
                    return;
                }
                Some(None) => minutes_held += 1,
                None => {}
            }
        }
        panic!("the key was held back for ever");
    })
    .await;
}

#[tokio::test]
async fn a_revoked_key_leaves_at_once_and_the_reserve_takes_over() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, provider) = (Fleet::new(database.clone(), &[Alg::Es256]).await, provider());
        let mut member = fleet.replica(&provider).await;
        member.turn(&fleet).await;
        let first = member.signer().unwrap();
        let revoke = Change::Revoke { kid: first.clone(), reason: "laptop stolen".to_owned() };
        let revoked = transaction::change(&database, START, |ledger| {
            let gone = ledger.key(&first).is_some_and(|key| key.state == KeyState::Revoked);
            if gone { vec![] } else { vec![revoke.clone()] }
        });
        let revoked = revoked.await.unwrap().unwrap();
        assert!(revoked.ledger.key(&first).is_some_and(|key| key.private.is_none()));
        assert_eq!(member.metered(), std::slice::from_ref(&first));

        member.turn(&fleet).await;
        assert_ne!(member.signer().unwrap(), first);
        assert_eq!(member.metered(), [member.signer().unwrap()], "a key that is gone leaves the metrics");
        assert!(!member.set().contains(&first));
        member.turn(&fleet).await;
        assert_eq!(fleet.states().await, ["ES256 revoked", "ES256 active", "ES256 staged"]);

        fleet.clock.advance(Duration::from_secs(120));
        member.turn(&fleet).await;
        let mut conn = database.reader().acquire().await.unwrap();
        assert!(signing_key::unaudited(&mut conn, fleet.clock.now()).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn who_cannot_look_any_more_stops_signing_and_goes_on_serving_the_set() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database.clone(), &[Alg::Es256]).await;
        let before = Instant::now();
        let mut member = fleet.replica(&provider()).await;
        let after = Instant::now();
        let set = member.set();
        member.signer().unwrap();

        database.close().await;
        member.turn(&fleet).await;
        assert!(member.signer().is_ok(), "what it knows is young enough");
        let refused = |member: &Member| {
            let refused = member.keys.refused().filter(|(_, count)| *count > 0);
            refused.collect::<Vec<_>>()
        };
        assert_eq!(refused(&member), []);
        // As if that time had come already.
        let mut known = KeySnapshot::clone(&member.keys.snapshot());
        let looked_at = known.fresh_until - fleet.plan.max_stale;
        assert!(
            before <= looked_at && looked_at <= after,
            "as long as the plan says, and no look has succeeded since"
        );
        known.fresh_until = Instant::now();
        member.keys.swap(known);
        assert_eq!(member.signer(), Err(NoSigner::Stale));
        assert_eq!(refused(&member), [(NoSigner::Stale, 1)]);
        member.turn(&fleet).await;
        assert!(member.keys.snapshot().signers.is_empty(), "private halves are dropped");
        assert_eq!(member.set(), set);
    })
    .await;
}

#[tokio::test]
async fn private_halves_are_erased_from_the_database_when_signing_ends() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, provider) = (Fleet::new(database.clone(), &[Alg::Es256]).await, provider());
        let mut member = fleet.replica(&provider).await;
        for _ in 0..4 {
            for days in [29, 1, 1] {
                fleet.clock.advance(days * DAY);
                for _ in 0..3 {
                    member.turn(&fleet).await;
                }
            }
        }
        let mut conn = database.reader().acquire().await.unwrap();
        let ledger = signing_key::load(&mut conn).await.unwrap();
        let with_private: Vec<_> = ledger.keys.iter().filter(|key| key.private.is_some()).collect();
        assert!(ledger.keys.len() > 4);
        assert!(with_private.iter().all(|key| matches!(key.state, KeyState::Active | KeyState::Staged)));
        assert_eq!(with_private.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn settings_that_could_not_open_what_signs_are_refused() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, good) = (Fleet::new(database, &[Alg::Es256]).await, provider());
        let mut member = fleet.replica(&good).await;
        let before = (member.signer().unwrap(), member.set());
        let source = Source::Planned { plan: fleet.plan.clone(), provider: provider() };
        let error = member.go_by(&fleet, source).await.unwrap_err();
        assert!(error.to_string().contains("the seal does not open"), "{error}");
        member.turn(&fleet).await;
        assert_eq!((member.signer().unwrap(), member.set()), before);
    })
    .await;
}

#[tokio::test]
async fn shorter_lifetimes_in_changed_settings_do_not_end_signing() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, provider) = (Fleet::new(database, &[Alg::Es256]).await, provider());
        let mut member = fleet.replica(&provider).await;
        let plan = Plan { token_lifetime: Duration::from_secs(5), ..fleet.plan.clone() };
        member.go_by(&fleet, Source::Planned { plan, provider }).await.unwrap();
        for _ in 0..3 {
            fleet.clock.advance(Duration::from_secs(600));
            member.turn(&fleet).await;
            member.signer().unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn after_a_change_keys_are_announced_for_as_long_as_caches_hold_the_sets_of_the_plan_before() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (mut fleet, provider) = (Fleet::new(database, &[Alg::Es256]).await, provider());
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        (fleet.plan.jwks_max_age, fleet.plan.publish_lead) = (hours(20), hours(24));
        let mut member = fleet.replica(&provider).await;
        let lasts = hours(22) + fleet.plan.poll + fleet.plan.evict_grace;
        (fleet.plan.jwks_max_age, fleet.plan.publish_lead) = (hours(0) + LIFETIME, hours(1));
        for (alg, lead) in [(Alg::Ed25519, lasts), (Alg::Rs256, hours(1))] {
            fleet.plan.algorithms.push(alg);
            let source = Source::Planned { plan: fleet.plan.clone(), provider: provider.clone() };
            member.go_by(&fleet, source).await.unwrap();
            member.turn(&fleet).await;
            assert!(member.keys.snapshot().set.cache_control.to_str().unwrap().contains("max-age=300"));
            let announced = |kid| member.keys.snapshot().ledger.key(kid).and_then(|key| key.activate_at);
            let kid = member.set().pop().unwrap();
            assert_eq!(announced(&kid), Some(fleet.clock.now().plus(lead)), "{}", alg.name());
            fleet.clock.advance(lasts);
            member.turn(&fleet).await;
        }
    })
    .await;
}
