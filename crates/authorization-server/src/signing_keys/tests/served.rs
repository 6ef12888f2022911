//! A key that came with other resources signs once the other replicas serve it.

use super::declared::{declared, key, old};
use super::*;
use crate::config::token_signature::DeclaredKey;
use crate::signing_keys::record::Ledger;

const POLL: Duration = Duration::from_millis(150);
/// Two polls, and what a busy machine needs beyond.
const FENCE: Duration = Duration::from_millis(320);

impl Fleet {
    /// With polls so short that a test can wait for two.
    async fn quick(database: Database) -> Self {
        let mut fleet = Self::new(database, &[Alg::Es256]).await;
        fleet.plan.poll = POLL;
        fleet
    }

    /// With polls so long that nothing but a confirmation ends the wait.
    async fn slow(database: Database) -> Self {
        let mut fleet = Self::new(database, &[Alg::Es256]).await;
        fleet.plan.poll = Duration::from_secs(50);
        fleet
    }
}

impl Fleet {
    /// Two replicas of which the first named a second key, and names it no more.
    async fn without_the_second(&self, one: &DeclaredKey, two: &DeclaredKey) -> (Member, Member) {
        let mut a = self.declare(declared(&self.plan, Some(one), &[old(two)])).await;
        let mut b = self.declare(declared(&self.plan, Some(one), &[])).await;
        a.replace(self, declared(&self.plan, Some(one), &[])).await.unwrap();
        b.turn(self).await;
        assert_eq!(b.set(), ["key-1"], "nobody names the other one any more");
        (a, b)
    }
}

fn names(mut set: Vec<String>) -> String {
    set.sort();
    set.join(" ")
}

#[tokio::test]
async fn a_new_signing_key_waits_until_every_live_replica_serves_it() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::slow(database).await;
        let (one, two) = (key("key-1"), key("key-2"));
        let mut a = fleet.declare(declared(&fleet.plan, Some(&one), &[])).await;
        let mut b = fleet.declare(declared(&fleet.plan, Some(&one), &[])).await;
        let mut c = fleet.declare(declared(&fleet.plan, Some(&one), &[])).await;
        let left = fleet.declare(declared(&fleet.plan, Some(&one), &[])).await;
        left.turning.leave().await;
        for member in [&mut a, &mut b, &mut c] {
            member.turn(&fleet).await;
        }
        a.replace(&fleet, declared(&fleet.plan, Some(&two), &[old(&one)])).await.unwrap();
        for other in [&mut b, &mut c] {
            a.turn(&fleet).await;
            assert_eq!((a.signer().unwrap(), names(a.set())), ("key-1".into(), "key-1 key-2".into()));
            assert_eq!(other.set(), ["key-1"]);
            other.turn(&fleet).await;
            assert_eq!(names(other.set()), "key-1 key-2");
        }
        a.turn(&fleet).await;
        assert_eq!((a.signer().unwrap(), names(a.set())), ("key-2".into(), "key-1 key-2".into()));
        // The others change later, and nobody has to wait for what is served already.
        b.replace(&fleet, declared(&fleet.plan, Some(&two), &[old(&one)])).await.unwrap();
        assert_eq!(b.signer().unwrap(), "key-2");
    })
    .await;
}

#[tokio::test]
async fn nobody_waits_for_ever_for_a_replica_that_is_silent() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::quick(database).await;
        let (one, two) = (key("key-1"), key("key-2"));
        let mut a = fleet.declare(declared(&fleet.plan, Some(&one), &[])).await;
        let silent = fleet.declare(declared(&fleet.plan, Some(&one), &[])).await;
        a.turn(&fleet).await;
        a.replace(&fleet, declared(&fleet.plan, Some(&two), &[old(&one)])).await.unwrap();
        assert_eq!(a.signer().unwrap(), "key-1");
        tokio::time::sleep(FENCE).await;
        a.turn(&fleet).await;
        assert_eq!(a.signer().unwrap(), "key-2");
        drop(silent);
    })
    .await;
}

#[tokio::test]
async fn where_what_signed_leaves_the_set_or_nothing_did_there_is_no_time_to_lose() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::slow(database).await;
        let (one, two, three) = (key("key-1"), key("key-2"), key("key-3"));
        let mut a = fleet.declare(declared(&fleet.plan, Some(&one), &[])).await;
        let other = fleet.declare(declared(&fleet.plan, None, &[])).await;
        a.turn(&fleet).await;
        a.replace(&fleet, declared(&fleet.plan, Some(&two), &[])).await.unwrap();
        assert_eq!((a.signer().unwrap(), a.set()), ("key-2".into(), vec!["key-2".into()]));
        a.replace(&fleet, declared(&fleet.plan, None, &[old(&two)])).await.unwrap();
        assert_eq!(a.signer(), Err(NoSigner::NotDeclared), "nor does an old key go on where none is to sign");
        a.replace(&fleet, declared(&fleet.plan, Some(&three), &[old(&two)])).await.unwrap();
        assert_eq!(a.signer().unwrap(), "key-3");
        drop(other);
    })
    .await;
}

#[tokio::test]
async fn a_key_that_comes_back_waits_as_a_new_one_does() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::slow(database).await;
        let (one, two) = (key("key-1"), key("key-2"));
        let (mut a, mut b) = fleet.without_the_second(&one, &two).await;
        a.replace(&fleet, declared(&fleet.plan, Some(&two), &[old(&one)])).await.unwrap();
        assert_eq!(a.signer().unwrap(), "key-1");
        b.turn(&fleet).await;
        a.turn(&fleet).await;
        assert_eq!((a.signer().unwrap(), names(b.set())), ("key-2".into(), "key-1 key-2".into()));
    })
    .await;
}

#[tokio::test]
async fn from_a_plan_to_declared_keys_and_back_the_first_key_waits_for_the_others() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, provider) = (Fleet::slow(database).await, provider());
        let (mut a, mut b) = (fleet.replica(&provider).await, fleet.replica(&provider).await);
        a.turn(&fleet).await;
        b.turn(&fleet).await;
        let planned = a.signer().unwrap();
        let one = key("key-1");
        a.replace(&fleet, declared(&fleet.plan, Some(&one), &[])).await.unwrap();
        assert_eq!(a.signer().unwrap(), planned);
        assert!(names(a.set()).ends_with("key-1"));
        b.turn(&fleet).await;
        a.turn(&fleet).await;
        assert_eq!((a.signer().unwrap(), names(b.set())), ("key-1".into(), names(a.set())));

        // Both have changed, and change back.
        b.replace(&fleet, declared(&fleet.plan, Some(&one), &[])).await.unwrap();
        a.turn(&fleet).await;
        let source = Source::Planned { plan: fleet.plan.clone(), provider: provider.clone() };
        a.go_by(&fleet, source).await.unwrap();
        assert_eq!(a.signer().unwrap(), "key-1");
        b.turn(&fleet).await;
        a.turn(&fleet).await;
        let again = a.signer().unwrap();
        assert!(again.starts_with("es256-") && again != planned);
        assert!(b.set().contains(&again));
    })
    .await;
}

#[tokio::test]
async fn a_server_that_starts_with_another_key_answers_once_the_others_serve_it() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::slow(database).await;
        let (one, two) = (key("key-1"), key("key-2"));
        let mut a = fleet.declare(declared(&fleet.plan, Some(&one), &[])).await;
        a.turn(&fleet).await;
        let mut same = fleet.declare(declared(&fleet.plan, Some(&one), &[])).await;
        let at_once = Duration::from_secs(20);
        let waited = tokio::time::timeout(at_once, same.turning.until_served(&fleet.audit)).await;
        waited.expect("its key is served by all");

        let mut new = fleet.declare(declared(&fleet.plan, Some(&two), &[old(&one)])).await;
        let follow = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            assert_eq!(a.set(), ["key-1"]);
            same.turn(&fleet).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
            a.turn(&fleet).await;
        };
        let began = Instant::now();
        let (waited, ()) =
            tokio::join!(tokio::time::timeout(at_once, new.turning.until_served(&fleet.audit)), follow);
        waited.expect("they follow");
        assert!(began.elapsed() >= Duration::from_millis(600), "it waits for both");
        assert_eq!(names(a.set()), "key-1 key-2");

        // One that died is waited for, too, but not for long.
        new.turning.leave().await;
        let quick = Fleet::quick(fleet.database.clone()).await;
        let mut last = quick.declare(declared(&quick.plan, Some(&key("key-3")), &[old(&two)])).await;
        let began = Instant::now();
        last.turning.until_served(&quick.audit).await;
        assert!(began.elapsed() >= 2 * POLL);
        assert_eq!(last.signer().unwrap(), "key-3");
    })
    .await;
}

#[tokio::test]
async fn what_was_refused_is_told_to_nobody() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::slow(database).await;
        let (one, two) = (key("key-1"), key("key-2"));
        let (mut a, mut b) = fleet.without_the_second(&one, &two).await;
        let other = key("key-2");
        a.replace(&fleet, declared(&fleet.plan, Some(&one), &[old(&other)])).await.unwrap_err();
        b.turn(&fleet).await;
        assert_eq!(b.set(), ["key-1"], "the old key of that name does not come back");
        let mut conn = fleet.database.reader().acquire().await.unwrap();
        let ledger: Ledger = signing_key::load(&mut conn).await.unwrap();
        assert_eq!(ledger.key("key-2").map(|key| key.state), Some(KeyState::Evicted));
    })
    .await;
}
