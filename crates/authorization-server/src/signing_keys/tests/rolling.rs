//! Changes of resources that go from one replica to the next.

use super::declared::{declared, key, old};
use super::*;
use crate::config::token_signature::DeclaredKey;
use crate::signing_keys::declared::Elsewhere;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

fn sorted(mut set: Vec<String>) -> Vec<String> {
    set.sort();
    set
}

impl Fleet {
    async fn state(&self, kid: &str) -> (&'static str, bool) {
        let mut conn = self.database.reader().acquire().await.unwrap();
        let ledger = signing_key::load(&mut conn).await.unwrap();
        let key = ledger.key(kid).unwrap();
        (key.state.name(), key.private.is_some())
    }
}

#[tokio::test]
async fn a_key_that_any_live_replica_names_is_served_by_all() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let (one, two) = (key("key-1"), key("key-2"));
        // As careless as it can be: no file names a key of the other.
        let mut a = fleet.declare(declared(&fleet.plan, Some(&one), &[])).await;
        let mut b = fleet.declare(declared(&fleet.plan, Some(&two), &[])).await;
        a.turn(&fleet).await;
        assert_eq!((a.signer().unwrap(), b.signer().unwrap()), ("key-1".into(), "key-2".into()));
        assert_eq!(sorted(a.set()), ["key-1", "key-2"]);
        assert_eq!(sorted(b.set()), ["key-1", "key-2"]);
        assert!(
            a.keys.snapshot().can_sign().is_ok(),
            "the private half of the other is none of its business"
        );

        // A start with the old file does not take the new key from anybody.
        a.turning.leave().await;
        let mut a = fleet.declare(declared(&fleet.plan, Some(&one), &[])).await;
        b.turn(&fleet).await;
        assert_eq!(
            (sorted(a.set()), sorted(b.set())),
            (sorted(b.set()), vec!["key-1".into(), "key-2".into()])
        );

        a.replace(&fleet, declared(&fleet.plan, Some(&two), &[])).await.unwrap();
        b.turn(&fleet).await;
        assert_eq!(
            (a.set(), b.set()),
            (vec!["key-2".into()], vec!["key-2".into()]),
            "nobody names it any more"
        );
        assert_eq!(fleet.state("key-1").await, ("evicted", false));
    })
    .await;
}

#[tokio::test]
async fn what_only_a_dead_replica_names_leaves_when_it_counts_as_dead() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let (one, two) = (key("key-1"), key("key-2"));
        let a = fleet.declare(declared(&fleet.plan, Some(&one), &[])).await;
        let mut b = fleet.declare(declared(&fleet.plan, Some(&two), &[])).await;
        drop(a);
        for seconds in [10, 10, 9] {
            fleet.clock.advance(seconds * SECOND);
            b.turn(&fleet).await;
            assert_eq!(sorted(b.set()), ["key-1", "key-2"]);
        }
        fleet.clock.advance(2 * SECOND);
        b.turn(&fleet).await;
        assert_eq!(b.set(), ["key-2"]);
    })
    .await;
}

#[tokio::test]
async fn after_an_outage_the_first_that_is_back_does_not_take_the_others_for_dead() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let (one, two) = (key("key-1"), key("key-2"));
        let mut a = fleet.declare(declared(&fleet.plan, Some(&one), &[])).await;
        let mut b = fleet.declare(declared(&fleet.plan, Some(&two), &[])).await;
        let all = ["key-1", "key-2"];
        // Nobody could give a sign of life, and both went on signing.
        fleet.clock.advance(300 * SECOND);
        b.turn(&fleet).await;
        assert_eq!(sorted(b.set()), all);
        assert_eq!(fleet.state("key-1").await.0, "active");
        a.turn(&fleet).await;
        assert_eq!(sorted(a.set()), all);

        // Nor does one that was started anew meanwhile; but one that stays silent counts as dead in the end.
        fleet.clock.advance(300 * SECOND);
        let mut c = fleet.declare(declared(&fleet.plan, Some(&two), &[])).await;
        assert_eq!(sorted(c.set()), all);
        assert_eq!(fleet.state("key-1").await.0, "active");
        for _ in 0..4 {
            fleet.clock.advance(10 * SECOND);
            c.turn(&fleet).await;
        }
        assert_eq!(c.set(), ["key-2"]);
    })
    .await;
}

#[tokio::test]
async fn a_key_that_a_replica_names_while_another_is_about_to_end_it_stays() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, provider) = (Fleet::new(database, &[Alg::Es256]).await, provider());
        let (one, two) = (key("key-1"), key("key-2"));
        let named = || fleet.declare(declared(&fleet.plan, Some(&one), &[]));
        let mut named_by = named().await;
        let other = fleet.declare(declared(&fleet.plan, Some(&two), &[])).await;
        for about_to in [other, fleet.replica(&provider).await] {
            named_by.turning.leave().await;
            let (ledger, _) = about_to.turning.read().await.unwrap();
            named_by = named().await;
            let now = fleet.clock.now();
            about_to.turning.end_strays(&ledger, &Elsewhere::default(), now).await.unwrap();
            assert_eq!(fleet.state("key-1").await.0, "active");
            let (since, _) = about_to.turning.read().await.unwrap();
            assert_eq!(since.epoch, ledger.epoch, "nothing says that it was named anew");
        }
    })
    .await;
}

#[tokio::test]
async fn a_key_with_a_moment_to_leave_comes_back_with_who_names_it() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let (one, two) = (key("key-1"), key("key-2"));
        let ends = DeclaredKey { evict_at: Some(START.plus(HOUR)), ..old(&one) };
        let mut a = fleet.declare(declared(&fleet.plan, Some(&two), &[ends])).await;
        let mut b = fleet.declare(declared(&fleet.plan, Some(&two), &[])).await;
        // It is silent for so long that it counts as dead.
        for _ in 0..4 {
            fleet.clock.advance(10 * SECOND);
            b.turn(&fleet).await;
        }
        assert_eq!((b.set(), fleet.state("key-1").await.0), (vec!["key-2".into()], "evicted"));
        a.turn(&fleet).await;
        b.turn(&fleet).await;
        for member in [&a, &b] {
            assert_eq!(sorted(member.set()), ["key-1", "key-2"]);
        }
        fleet.clock.advance(HOUR);
        for member in [&mut a, &mut b] {
            member.turn(&fleet).await;
            assert_eq!(member.set(), ["key-2"]);
        }
    })
    .await;
}

#[tokio::test]
async fn a_replica_of_a_version_that_does_not_say_what_it_names_loses_no_key() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let (one, two, three) = (key("key-1"), key("key-2"), key("key-3"));
        let of_old_version = fleet.declare(declared(&fleet.plan, Some(&one), &[])).await;
        let mut a = fleet.declare(declared(&fleet.plan, Some(&two), &[])).await;
        let mut conn = fleet.database.writer().acquire().await.unwrap();
        let silent = "UPDATE replica SET wants = NULL WHERE wants LIKE '%key-1%'";
        assert_eq!(sqlx::query(silent).execute(&mut *conn).await.unwrap().rows_affected(), 1);
        drop(conn);
        let b = fleet.declare(declared(&fleet.plan, Some(&three), &[])).await;
        a.turn(&fleet).await;
        for member in [&a, &b] {
            assert_eq!(sorted(member.set()), ["key-1", "key-2", "key-3"]);
        }
        of_old_version.turning.leave().await;
        a.turn(&fleet).await;
        assert_eq!(sorted(a.set()), ["key-2", "key-3"]);
    })
    .await;
}

#[tokio::test]
async fn a_key_that_one_replica_signs_with_stays_whatever_moment_another_names_for_it() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let (one, two) = (key("key-1"), key("key-2"));
        let mut a = fleet.declare(declared(&fleet.plan, Some(&one), &[])).await;
        let ends = DeclaredKey { evict_at: Some(START), ..old(&one) };
        let mut b = fleet.declare(declared(&fleet.plan, Some(&two), &[ends])).await;
        for _ in 0..20 {
            fleet.clock.advance(300 * SECOND);
            a.turn(&fleet).await;
            b.turn(&fleet).await;
            assert_eq!(a.signer().unwrap(), "key-1");
            for member in [&a, &b] {
                assert_eq!(sorted(member.set()), ["key-1", "key-2"]);
            }
        }
        a.turning.leave().await;
        fleet.clock.advance(HOUR);
        b.turn(&fleet).await;
        assert_eq!(b.set(), ["key-2"], "nobody signs with it any more");
    })
    .await;
}

#[tokio::test]
async fn from_a_plan_to_declared_keys_one_replica_after_the_other() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, provider) = (Fleet::new(database, &[Alg::Es256]).await, provider());
        let mut planned = fleet.replica(&provider).await;
        planned.turn(&fleet).await;
        let kid = planned.signer().unwrap();
        let one = key("key-1");
        let mut new = fleet.declare(declared(&fleet.plan, Some(&one), &[])).await;
        for _ in 0..3 {
            planned.turn(&fleet).await;
            new.turn(&fleet).await;
            assert_eq!((planned.signer().unwrap(), new.signer().unwrap()), (kid.clone(), "key-1".into()));
            assert!(planned.keys.snapshot().can_sign().is_ok() && new.keys.snapshot().can_sign().is_ok());
            assert_eq!(sorted(planned.set()), sorted(vec![kid.clone(), "key-1".into()]));
            assert_eq!(sorted(new.set()), sorted(planned.set()));
            fleet.clock.advance(5 * SECOND);
        }
        planned.turning.leave().await;
        new.turn(&fleet).await;
        assert_eq!(fleet.state(&kid).await, ("verifying", false), "signing by plan has ended");
        assert_eq!(sorted(new.set()), sorted(vec![kid, "key-1".into()]), "its tokens are still good");
        assert!(!fleet.states().await.iter().any(|state| state.ends_with("staged")));
        fleet.clock.advance(HOUR);
        new.turn(&fleet).await;
        assert_eq!(new.set(), ["key-1"]);
    })
    .await;
}

#[tokio::test]
async fn from_declared_keys_to_a_plan_one_replica_after_the_other() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, provider) = (Fleet::new(database, &[Alg::Es256]).await, provider());
        let (zero, one) = (key("key-0"), key("key-1"));
        let mut named = fleet.declare(declared(&fleet.plan, Some(&one), &[old(&zero)])).await;
        let mut planned = fleet.replica(&provider).await;
        let kid = planned.signer().unwrap();
        assert!(kid.starts_with("es256-"));
        let all = sorted(vec![kid.clone(), "key-0".into(), "key-1".into()]);
        for _ in 0..3 {
            named.turn(&fleet).await;
            planned.turn(&fleet).await;
            assert_eq!((named.signer().unwrap(), planned.signer().unwrap()), ("key-1".into(), kid.clone()));
            assert!(planned.keys.snapshot().can_sign().is_ok() && named.keys.snapshot().can_sign().is_ok());
            assert_eq!((sorted(named.set()), sorted(planned.set())), (all.clone(), all.clone()));
            fleet.clock.advance(5 * SECOND);
        }
        named.turning.leave().await;
        planned.turn(&fleet).await;
        assert_eq!((fleet.state("key-1").await, sorted(planned.set())), (("verifying", false), all));
        fleet.clock.advance(HOUR);
        planned.turn(&fleet).await;
        assert_eq!(planned.set(), [kid]);
    })
    .await;
}
