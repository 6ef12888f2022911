//! Keys that live in a PKCS#11 token, with a real one: SoftHSM.

use std::env;
use std::process::{Command, Output};

use sealwright_keystore::{Pkcs11Settings, Pkcs11Token, TokenName};
use sealwright_service::random;
use sealwright_service::secret::Secret;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::*;
use crate::signing_keys::record::{KeyRecord, Ledger};
use crate::store::signing_key::Remains;

const PIN: &str = "4711-user";

/// A new token, logged in to.
pub(super) async fn token() -> KeyProvider {
    token_with(4).await.0
}

/// The same with so many sessions, and its label.
async fn token_with(sessions: u32) -> (KeyProvider, String) {
    let module = env::var_os("SEALWRIGHT_TEST_SOFTHSM").filter(|_| env::var_os("SOFTHSM2_CONF").is_some());
    let module = module.expect(
        "SEALWRIGHT_TEST_SOFTHSM and SOFTHSM2_CONF are not set: `cargo xtask test` sets them, and for single tests \
         `cargo xtask softhsm` prints what to set",
    );
    let label = random::id("t");
    initialise(&label);
    let settings = Pkcs11Settings::new(module, TokenName::Label(label.clone()), Secret::new(PIN))
        .sessions(sessions)
        .unwrap();
    (KeyProvider::pkcs11(Pkcs11Token::open(settings).await.unwrap()), label)
}

/// Makes a token. SoftHSM's program reads the folder of all tokens, in which other tests make and remove some, and gives up when
/// one goes away then.
fn initialise(label: &str) {
    let mut said = String::new();
    for _ in 0..10 {
        let made =
            util(&["--init-token", "--free", "--label", label, "--so-pin", "4711-officer", "--pin", PIN]);
        if made.status.success() {
            return;
        }
        said = String::from_utf8_lossy(&made.stderr).into_owned();
        // It may be half done.
        util(&["--delete-token", "--token", label]);
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{said}");
}

fn util(arguments: &[&str]) -> Output {
    Command::new("softhsm2-util").args(arguments).output().unwrap()
}

/// A new token with one session, in which everything is done one after the other.
async fn narrow_token() -> KeyProvider {
    token_with(1).await.0
}

pub(super) async fn remains(fleet: &Fleet) -> usize {
    let mut conn = fleet.database.reader().acquire().await.unwrap();
    signing_key::remains(&mut conn).await.unwrap().len()
}

impl Member {
    pub(super) fn private(&self, kid: &str) -> Option<String> {
        self.keys.snapshot().ledger.key(kid).and_then(|key| key.private.clone())
    }
}

#[tokio::test]
async fn a_key_in_a_token_rotates_and_is_destroyed_when_nobody_can_sign_with_it_any_more() {
    let provider = token().await;
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let mut member = fleet.replica(&provider).await;
        let old = member.signer().unwrap();
        let text = member.private(&old).unwrap();
        assert!(KeyProvider::is_reference(&text));

        let moment = Duration::from_secs(20);
        for passes in [29 * DAY, DAY - moment, moment] {
            fleet.clock.advance(passes);
            for _ in 0..3 {
                member.turn(&fleet).await;
            }
        }
        let new = member.signer().unwrap();
        assert_ne!(new, old);
        assert_eq!(member.private(&old), None);
        provider.open(&old, &text).await.expect("another replica may have heard nothing yet");
        assert_eq!(remains(&fleet).await, 1);

        fleet.clock.advance(fleet.plan.max_stale + Duration::from_secs(61));
        member.turn(&fleet).await;
        provider.open(&old, &text).await.expect_err("it is gone from the token");
        assert_eq!(remains(&fleet).await, 0);

        // A revoked key goes at once.
        let text = member.private(&new).unwrap();
        let revoke = Change::Revoke { kid: new.clone(), reason: "drill".to_owned() };
        let done = transaction::change(&fleet.database, fleet.clock.now(), |ledger| {
            let is_gone = ledger.key(&new).is_some_and(|key| key.state == KeyState::Revoked);
            if is_gone { vec![] } else { vec![revoke.clone()] }
        });
        done.await.unwrap().unwrap();
        member.turn(&fleet).await;
        provider.open(&new, &text).await.expect_err("it is gone from the token");
        member.signer().unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_replica_whose_token_makes_no_key_goes_on_with_those_that_it_has() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let mut fleet = Fleet::new(database, &[Alg::Es256]).await;
        let mut member = fleet.replica(&provider()).await;
        let kid = member.signer().unwrap();
        // No token makes a key for this one.
        fleet.plan.algorithms.push(Alg::Es256k);
        let provider = token().await;
        drop(member);
        let source = Source::Planned { plan: fleet.plan.clone(), provider: provider.clone() };
        member = fleet.start(source).await.expect("a key signs");
        member.turn(&fleet).await;
        assert_eq!(member.set(), [kid], "it serves the set and beats");

        // Where nothing signs that is an error, which ends a start.
        let revoke = |ledger: &Ledger| {
            let there = ledger.keys.iter().filter(|key| !key.state.is_gone());
            there.map(|key| Change::Revoke { kid: key.kid.clone(), reason: "drill".to_owned() }).collect()
        };
        transaction::change(&fleet.database, fleet.clock.now(), revoke).await.unwrap().unwrap();
        fleet.plan.algorithms = vec![Alg::Es256k];
        let source = Source::Planned { plan: fleet.plan.clone(), provider };
        assert!(fleet.start(source).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_destroyed_is_remembered_until_it_can() {
    let provider = token().await;
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let mut member = fleet.replica(&provider).await;
        let kid = member.signer().unwrap();
        let text = member.private(&kid).unwrap();
        let revoke = Change::Revoke { kid: kid.clone(), reason: "drill".to_owned() };
        let done = transaction::change(&fleet.database, fleet.clock.now(), |ledger| {
            let is_gone = ledger.key(&kid).is_some_and(|key| key.state == KeyState::Revoked);
            if is_gone { vec![] } else { vec![revoke.clone()] }
        });
        done.await.unwrap().unwrap();

        // Somebody whose settings do not name the token.
        let mut other = fleet.replica(&super::provider()).await;
        other.turn(&fleet).await;
        assert_eq!(remains(&fleet).await, 1);
        provider.open(&kid, &text).await.expect("it is there still");
        member.turn(&fleet).await;
        assert_eq!(remains(&fleet).await, 0);
        provider.open(&kid, &text).await.expect_err("it is gone from the token");
    })
    .await;
}

#[tokio::test]
async fn what_was_being_made_is_removed_by_a_replica_that_has_the_token() {
    let provider = token().await;
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let mut member = fleet.replica(&provider).await;
        let kid = random::id("left-");
        let kept = provider.generate(&kid, Alg::Es256).await.unwrap();
        fleet.begun(&provider, &kid).await;

        // Others look first: one with another token, one with none.
        let mut others = [fleet.replica(&token().await).await, fleet.replica(&super::provider()).await];
        for other in &mut others {
            other.turn(&fleet).await;
        }
        assert_eq!(remains(&fleet).await, 1);
        member.turn(&fleet).await;
        provider.open(&kid, &kept.text).await.expect_err("it is gone from the token");
        assert_eq!(remains(&fleet).await, 0);
    })
    .await;
}

impl Fleet {
    /// As a replica leaves it behind that began to make a key, and ended.
    async fn begun(&self, provider: &KeyProvider, kid: &str) {
        let (maker, private) = (Some("gone".to_owned()), provider.place(kid).unwrap());
        let making = Remains { kid: kid.to_owned(), private, since: self.clock.now(), maker };
        let mut conn = self.database.writer().acquire().await.unwrap();
        assert!(signing_key::begin_making(&mut conn, &making).await.unwrap());
    }

    /// Has a replica revoke the key in reserve and begin to make another one, and cancels it when that is made in the token but
    /// not written down; gives its name.
    async fn cancelled_making(&self, member: &mut Member) -> String {
        self.revoke_reserve().await;
        let (turning, gate) = (&mut member.turning, Arc::new(Notify::new()));
        turning.turn(&self.audit).await;
        let kid = turning.delay_making(Arc::clone(&gate));
        // By then there is nothing else to write.
        turning.turn(&self.audit).await;
        let mut tx = self.database.begin_write().await.unwrap();
        signing_key::lock(&mut tx).await.unwrap();
        gate.notify_one();
        assert!(turning.made().await);
        let waited = timeout(Duration::from_secs(1), turning.turn(&self.audit)).await;
        waited.expect_err("it has to wait for the lock");
        kid
    }
}

#[tokio::test]
async fn a_key_whose_making_was_cancelled_does_not_stay_in_the_token() {
    let provider = narrow_token().await;
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let (mut a, mut b) = (fleet.replica(&provider).await, fleet.replica(&provider).await);
        for member in [&mut a, &mut b] {
            member.turn(&fleet).await;
        }
        assert_eq!(remains(&fleet).await, 0, "what is written down is nobody's leavings");
        let is_free = async |kid: &str| {
            let made = provider.generate(kid, Alg::Es256).await;
            if let Ok(kept) = &made {
                provider.destroy(kid, &kept.text).await.unwrap();
            }
            made.is_ok()
        };

        // The look took too long: the same replica cleans up at its next.
        let kid = fleet.cancelled_making(&mut a).await;
        a.turn(&fleet).await;
        assert!(is_free(&kid).await);
        assert_eq!(remains(&fleet).await, 0);
        assert_eq!(fleet.states().await.iter().filter(|state| state.ends_with("staged")).count(), 1);

        // Shutdown: another replica does, and no sooner than that one has left.
        let kid = fleet.cancelled_making(&mut a).await;
        b.turn(&fleet).await;
        assert!(!is_free(&kid).await, "the one who makes it is alive");
        a.turning.leave().await;
        b.turn(&fleet).await;
        assert!(is_free(&kid).await);
        assert_eq!(remains(&fleet).await, 0);

        // Killed: the same, after as long as a look may take and a replica may be silent.
        let mut a = fleet.replica(&provider).await;
        let kid = fleet.cancelled_making(&mut a).await;
        for _ in 0..9 {
            fleet.clock.advance(Duration::from_secs(10));
            b.turn(&fleet).await;
            assert!(!is_free(&kid).await);
        }
        fleet.clock.advance(Duration::from_secs(10));
        b.turn(&fleet).await;
        assert!(is_free(&kid).await);
    })
    .await;
}

#[tokio::test]
async fn what_a_plan_left_in_a_token_is_destroyed_although_keys_are_declared_now() {
    let provider = token().await;
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let mut member = fleet.replica(&provider).await;
        member.turn(&fleet).await;
        let ledger = Arc::clone(&member.keys.snapshot().ledger);
        let kept: Vec<_> = ledger.keys.iter().map(|key| (&key.kid, key.private.as_ref().unwrap())).collect();
        assert_eq!(kept.len(), 2, "one signs, one is in reserve");
        let one = declared::key("key-1");
        let declared = declared::declared(&fleet.plan, Some(&one), &[]);
        member.replace(&fleet, declared.clone()).await.unwrap();
        assert_eq!((member.signer().unwrap(), remains(&fleet).await), ("key-1".to_owned(), 2));
        for (kid, text) in &kept {
            provider.open(kid, text).await.expect("nobody knows what others have heard");
        }
        // Whatever else is changed in between.
        member.replace(&fleet, declared).await.unwrap();
        fleet.clock.advance(fleet.plan.max_stale + Duration::from_secs(61));
        member.turn(&fleet).await;
        assert_eq!(remains(&fleet).await, 0);
        for (kid, text) in &kept {
            provider.open(kid, text).await.expect_err("it is gone from the token");
        }
        member.turn(&fleet).await;
        assert!(!member.turning.has_former(), "no session is held for longer than it is needed");
    })
    .await;
}

#[tokio::test]
async fn what_is_left_in_each_of_several_former_tokens_is_destroyed() {
    let providers = [token().await, token().await];
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let one = declared::key("key-1");
        let declared = declared::declared(&fleet.plan, Some(&one), &[]);
        let mut member = fleet.declare(declared.clone()).await;
        let mut kept = Vec::new();
        for provider in &providers {
            let source = Source::Planned { plan: fleet.plan.clone(), provider: provider.clone() };
            member.go_by(&fleet, source).await.unwrap();
            member.turn(&fleet).await;
            let ledger = Arc::clone(&member.keys.snapshot().ledger);
            let private = |kid: &String| ledger.key(kid).and_then(|key| key.private.clone());
            let there = ledger.keys.iter().filter(|key| !key.declared).map(|key| key.kid.clone());
            kept.extend(there.filter_map(|kid| private(&kid).map(|text| (provider, kid, text))));
            member.replace(&fleet, declared.clone()).await.unwrap();
        }
        assert_eq!((kept.len(), remains(&fleet).await), (4, 4), "one signed, one was in reserve, in each");
        fleet.clock.advance(fleet.plan.max_stale + Duration::from_secs(61));
        member.turn(&fleet).await;
        assert_eq!(remains(&fleet).await, 0);
        for (provider, kid, text) in &kept {
            provider.open(kid, text).await.expect_err("it is gone from the token");
        }
        member.turn(&fleet).await;
        assert!(!member.turning.has_former(), "no session is held for longer than it is needed");
    })
    .await;
}

#[tokio::test]
async fn a_token_that_is_away_delays_no_destruction_in_another() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let ((former, label), provider) = (token_with(4).await, token().await);
        let planned =
            |provider: &KeyProvider| Source::Planned { plan: fleet.plan.clone(), provider: provider.clone() };
        let mut member = fleet.replica(&former).await;
        let one = declared::key("key-1");
        let kid = member.signer().unwrap();
        let text = member.private(&kid).unwrap();
        member.replace(&fleet, declared::declared(&fleet.plan, Some(&one), &[])).await.unwrap();
        member.go_by(&fleet, planned(&provider)).await.unwrap();
        member.turn(&fleet).await;
        assert_eq!(remains(&fleet).await, 1, "in the former token");

        util(&["--delete-token", "--token", &label]);
        former.open(&kid, &text).await.expect_err("from now on its sessions are lost, too");
        fleet.clock.advance(fleet.plan.max_stale + Duration::from_secs(61));
        member.turn(&fleet).await;
        assert_eq!(remains(&fleet).await, 1);
        fleet.clock.advance(Duration::from_secs(1));
        let staged = |key: &&KeyRecord| key.state == KeyState::Staged;
        let ledger = Arc::clone(&member.keys.snapshot().ledger);
        let reserve = ledger.keys.iter().find(staged).unwrap().clone();
        fleet.revoke_reserve().await;
        member.turn(&fleet).await;
        provider.open(&reserve.kid, &reserve.private.unwrap()).await.expect_err("it is gone at once");
    })
    .await;
}

#[tokio::test]
async fn what_no_time_is_left_for_is_destroyed_by_the_next_look() {
    let provider = token().await;
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let mut member = fleet.replica(&provider).await;
        for _ in 0..3 {
            let kid = random::id("left-");
            provider.generate(&kid, Alg::Es256).await.unwrap();
            fleet.begun(&provider, &kid).await;
        }
        let ledger = Arc::clone(&member.keys.snapshot().ledger);
        for left in [2, 1, 0] {
            let looked = member.turning.destroy_remains(&ledger, fleet.clock.now(), Duration::ZERO);
            looked.await.unwrap();
            assert_eq!(remains(&fleet).await, left);
        }
    })
    .await;
}

#[tokio::test]
async fn a_making_that_another_replica_took_over_writes_no_key_down() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let key = crate::signing_keys::simulation::key("k", Alg::Es256, START);
        let making = Remains {
            kid: "k".to_owned(),
            private: r#"{"token":"t"}"#.to_owned(),
            since: START,
            maker: Some("a".to_owned()),
        };
        let mut conn = fleet.database.writer().acquire().await.unwrap();
        assert!(signing_key::begin_making(&mut conn, &making).await.unwrap());
        assert!(signing_key::begin_making(&mut conn, &making).await.unwrap(), "it may be tried again");
        assert!(signing_key::take_over_remains(&mut conn, "k", "a", "b").await.unwrap());
        assert!(
            !signing_key::take_over_remains(&mut conn, "k", "a", "c").await.unwrap(),
            "one of them has it"
        );
        assert!(!signing_key::begin_making(&mut conn, &making).await.unwrap());
        drop(conn);
        let add = |maker| transaction::add(&fleet.database, &key, "key.created", None, Some(maker), |_| true);
        assert!(!add("a").await.unwrap());
        assert!(fleet.states().await.is_empty(), "nothing of it was written down");
        assert!(add("b").await.unwrap());
        assert_eq!(remains(&fleet).await, 0);
    })
    .await;
}

#[tokio::test]
async fn what_a_token_may_make_later_is_looked_for_more_than_once() {
    let provider = narrow_token().await;
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let mut member = fleet.replica(&provider).await;
        let late = random::id("late-");
        fleet.begun(&provider, &late).await;
        member.turn(&fleet).await;
        assert_eq!(remains(&fleet).await, 1, "nothing is there yet");
        let kept = provider.generate(&late, Alg::Es256).await.unwrap();
        fleet.clock.advance(Duration::from_secs(61));
        member.turn(&fleet).await;
        assert_eq!(remains(&fleet).await, 0);
        provider.open(&late, &kept.text).await.expect_err("it is gone from the token");

        // But not for ever.
        fleet.begun(&provider, "never").await;
        for expected in [1, 1, 0] {
            member.turn(&fleet).await;
            assert_eq!(remains(&fleet).await, expected);
            fleet.clock.advance(Duration::from_secs(60 * 8));
        }
    })
    .await;
}
