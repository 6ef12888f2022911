//! Changes of resources that go from one replica to the next.

use super::declared::{declared, key, old};
use super::*;

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
        fleet.clock.advance(29 * SECOND);
        b.turn(&fleet).await;
        assert_eq!(sorted(b.set()), ["key-1", "key-2"]);
        fleet.clock.advance(2 * SECOND);
        b.turn(&fleet).await;
        assert_eq!(b.set(), ["key-2"]);
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
