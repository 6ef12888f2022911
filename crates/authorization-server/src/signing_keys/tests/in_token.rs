//! Keys that live in a PKCS#11 token, with a real one: SoftHSM.

use std::env;
use std::process::Command;

use sealwright_keystore::{Pkcs11Settings, Pkcs11Token, TokenName};
use sealwright_service::random;
use sealwright_service::secret::Secret;

use super::*;

const PIN: &str = "4711-user";

/// A new token, logged in to.
async fn token() -> KeyProvider {
    let module = env::var_os("SEALWRIGHT_TEST_SOFTHSM").filter(|_| env::var_os("SOFTHSM2_CONF").is_some());
    let module = module.expect(
        "SEALWRIGHT_TEST_SOFTHSM and SOFTHSM2_CONF are not set: `cargo xtask test` sets them, and for single tests \
         `cargo xtask softhsm` prints what to set",
    );
    let label = random::id("t");
    initialise(&label);
    let settings = Pkcs11Settings::new(module, TokenName::Label(label), Secret::new(PIN));
    KeyProvider::pkcs11(Pkcs11Token::open(settings).await.unwrap())
}

/// Makes a token. SoftHSM's program reads the folder of all tokens, in which other tests make and remove some, and gives up when
/// one goes away then.
fn initialise(label: &str) {
    let mut said = String::new();
    for _ in 0..10 {
        let made = Command::new("softhsm2-util")
            .args(["--init-token", "--free", "--label", label, "--so-pin", "4711-officer", "--pin", PIN])
            .output()
            .unwrap();
        if made.status.success() {
            return;
        }
        said = String::from_utf8_lossy(&made.stderr).into_owned();
        // It may be half done.
        Command::new("softhsm2-util").args(["--delete-token", "--token", label]).output().unwrap();
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{said}");
}

async fn remains(fleet: &Fleet) -> usize {
    let mut conn = fleet.database.reader().acquire().await.unwrap();
    signing_key::remains(&mut conn).await.unwrap().len()
}

impl Member {
    fn private(&self, kid: &str) -> Option<String> {
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
        let mut turning = ReplicaLoop::new(source, fleet.database.clone(), fleet.clock.clone());
        let keys = turning.start(&fleet.audit).await.expect("a key signs");
        member = Member { turning, keys };
        member.turn(&fleet).await;
        assert_eq!(member.set(), [kid], "it serves the set and beats");

        // Where nothing signs that is an error, which ends a start.
        let revoke = |ledger: &crate::signing_keys::record::Ledger| {
            let there = ledger.keys.iter().filter(|key| !key.state.is_gone());
            there.map(|key| Change::Revoke { kid: key.kid.clone(), reason: "drill".to_owned() }).collect()
        };
        transaction::change(&fleet.database, fleet.clock.now(), revoke).await.unwrap().unwrap();
        fleet.plan.algorithms = vec![Alg::Es256k];
        let source = Source::Planned { plan: fleet.plan.clone(), provider };
        let mut turning = ReplicaLoop::new(source, fleet.database.clone(), fleet.clock.clone());
        assert!(turning.start(&fleet.audit).await.is_err());
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
