//! Keys whose making takes long, as in a token of hardware.

use tokio::sync::Notify;

use super::declared::{declared, key};
use super::in_token::{remains, token};
use super::*;

const SECOND: Duration = Duration::from_secs(1);

impl Member {
    /// One look, in which a key is begun that is not made before the gate is opened; gives its name.
    async fn begin_slowly(&mut self, fleet: &Fleet) -> (String, Arc<Notify>) {
        self.look(fleet).await;
        self.delay_making()
    }

    /// The key that was begun is not made before the gate is opened.
    fn delay_making(&mut self) -> (String, Arc<Notify>) {
        let gate = Arc::new(Notify::new());
        (self.turning.delay_making(Arc::clone(&gate)), gate)
    }

    /// One look, whatever it has begun to make.
    async fn look(&mut self, fleet: &Fleet) {
        self.turning.turn(&fleet.audit).await;
    }

    fn reserve(&self) -> Vec<String> {
        let ledger = Arc::clone(&self.keys.snapshot().ledger);
        let staged = ledger.keys.iter().filter(|key| key.state == KeyState::Staged);
        staged.map(|key| key.kid.clone()).collect()
    }
}

#[tokio::test]
async fn a_replica_looks_on_while_a_key_is_made_for_minutes() {
    let provider = token().await;
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let mut member = fleet.replica(&provider).await;
        let (kid, gate) = member.begin_slowly(&fleet).await;
        for _ in 0..20 {
            fleet.clock.advance(10 * SECOND);
            member.look(&fleet).await;
            let (_, replicas) = member.turning.read().await.unwrap();
            assert!(replicas[0].seen_at >= fleet.clock.now().minus(10 * SECOND), "it gives signs of life");
            assert_eq!((member.reserve().len(), remains(&fleet).await), (0, 1), "it makes that one still");
        }
        gate.notify_one();
        member.until_made(&fleet).await;
        assert_eq!((member.reserve(), remains(&fleet).await), (vec![kid], 0));
    })
    .await;
}

#[tokio::test]
async fn a_key_that_another_replica_made_sooner_is_not_kept() {
    let provider = token().await;
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let mut slow = fleet.replica(&provider).await;
        let (kid, gate) = slow.begin_slowly(&fleet).await;
        let mut quick = fleet.replica(&provider).await;
        quick.turn(&fleet).await;
        let reserve = quick.reserve();
        gate.notify_one();
        slow.until_made(&fleet).await;
        assert_eq!((slow.reserve(), remains(&fleet).await), (reserve, 0));
        provider.generate(&kid, Alg::Es256).await.expect("the token has nothing of this name");
    })
    .await;
}

#[tokio::test]
async fn a_token_goes_on_with_a_key_for_changed_settings_that_name_it_and_for_no_others() {
    let provider = token().await;
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let mut member = fleet.replica(&provider).await;
        let (kid, gate) = member.begin_slowly(&fleet).await;
        let same = Source::Planned { plan: fleet.plan.clone(), provider: provider.clone() };
        member.turning.replace(same, &fleet.audit).await.unwrap();
        gate.notify_one();
        member.until_made(&fleet).await;
        assert_eq!(member.reserve(), [kid]);

        fleet.revoke_reserve().await;
        let (kid, gate) = member.begin_slowly(&fleet).await;
        gate.notify_one();
        assert!(member.turning.made().await, "in the token");
        member.replace(&fleet, declared(&fleet.plan, Some(&key("key-1")), &[])).await.unwrap();
        provider.generate(&kid, Alg::Es256).await.expect("the token has nothing of this name any more");
    })
    .await;
}

#[tokio::test]
async fn a_revoked_key_leaves_the_set_before_another_one_is_made() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, provider) = (Fleet::new(database, &[Alg::Es256]).await, provider());
        let mut member = fleet.replica(&provider).await;
        member.turn(&fleet).await;
        let (first, second) = (member.signer().unwrap(), member.reserve());
        fleet.revoke(KeyState::Active).await;
        let (third, gate) = member.begin_slowly(&fleet).await;
        assert_eq!((member.set(), member.reserve()), (second.clone(), vec![]));
        assert_ne!(member.signer().unwrap(), first);

        // Nor does it matter that there is nothing in reserve.
        fleet.revoke(KeyState::Active).await;
        member.look(&fleet).await;
        assert_eq!((member.set(), member.signer()), (vec![], Err(NoSigner::NoKey)));
        gate.notify_one();
        member.until_made(&fleet).await;
        assert_eq!((member.set(), member.signer()), (vec![third.clone()], Ok(third)));
    })
    .await;
}

#[tokio::test]
async fn the_first_keys_of_a_plan_begin_together_and_until_then_what_was_declared_signs() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, provider) = (Fleet::new(database, &[Alg::Es256, Alg::Ed25519]).await, provider());
        let mut member = fleet.declare(declared(&fleet.plan, Some(&key("key-1")), &[])).await;
        let source = Source::Planned { plan: fleet.plan.clone(), provider };
        member.turning.replace(source, &fleet.audit).await.unwrap();
        for alg in ["es256-", "ed25519-"] {
            let (kid, gate) = member.delay_making();
            assert!(kid.starts_with(alg), "{kid}");
            member.look(&fleet).await;
            assert_eq!((member.signer(), member.set()), (Ok("key-1".into()), vec!["key-1".into()]));
            gate.notify_one();
            assert!(member.turning.made().await);
            member.look(&fleet).await;
        }
        member.until_made(&fleet).await;
        assert!(member.signer().unwrap().starts_with("es256-"));
        let active = fleet.states().await.into_iter().filter(|state| state.ends_with(" active"));
        assert_eq!(active.count(), 2);
    })
    .await;
}
