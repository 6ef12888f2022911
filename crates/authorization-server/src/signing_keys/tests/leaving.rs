//! Algorithms that leave the plan.

use super::*;
use crate::keys::KeyAdmin;
use crate::signing_keys::record::KeyRecord;

const OLD: [Alg; 2] = [Alg::Es256, Alg::Ed25519];
const MINUTE: Duration = Duration::from_secs(60);

impl Fleet {
    fn source(&self, algorithms: &[Alg], asked_for: &[Alg], provider: &KeyProvider) -> Source {
        let plan =
            Plan { algorithms: algorithms.to_vec(), asked_for: asked_for.to_vec(), ..self.plan.clone() };
        Source::Planned { plan, provider: provider.clone() }
    }

    async fn member(&self, source: Source) -> Member {
        self.start(source).await.unwrap()
    }

    /// What `key list` says of algorithms that left the plan; empty if all is as planned.
    async fn complaint(&self, source: &Source) -> String {
        let admin =
            KeyAdmin::with("id", "http://id", source.clone(), self.database.clone(), self.clock.clone());
        let list = admin.list().await.unwrap();
        let planned = list.conditions.iter().find(|condition| condition.kind == "AlgorithmsPlanned").unwrap();
        assert_eq!(planned.holds(), planned.message.is_empty());
        planned.message.clone()
    }
}

impl Member {
    fn signs(&self, alg: Alg) -> bool {
        self.keys.look().signer(Some(alg), self.keys.now().plus(LIFETIME).as_secs()).is_ok()
    }
}

#[tokio::test]
async fn an_algorithm_that_left_the_plan_signs_until_one_of_the_plan_does_and_then_ends() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, provider) = (Fleet::new(database, &[Alg::Es256]).await, provider());
        let mut member = fleet.replica(&provider).await;
        let old = member.signer().unwrap();
        let changed = fleet.source(&[Alg::Ed25519], &[], &provider);
        member.go_by(&fleet, changed.clone()).await.unwrap();
        assert_eq!(member.signer().unwrap(), old);
        assert_eq!(member.set().len(), 2, "the new one is announced");
        let said = fleet.complaint(&changed).await;
        assert_eq!(said, "ES256 is not in the plan and signs still, until a key of the plan does");
        let moment = Duration::from_secs(20);
        member.turn(&fleet).await;
        fleet.clock.advance(DAY - moment);
        member.turn(&fleet).await;
        assert_eq!(member.signer().unwrap(), old, "it signs to the last moment");
        fleet.clock.advance(2 * moment);
        member.turn(&fleet).await;
        assert!(member.signer().unwrap().starts_with("ed25519-"));
        assert!(!member.signs(Alg::Es256));
        assert!(member.set().contains(&old), "its tokens are still good");
        assert_eq!(fleet.complaint(&changed).await, "");
        let ledger = Arc::clone(&member.keys.snapshot().ledger);
        let of_old = ledger.keys.iter().filter(|key| key.alg == Alg::Es256);
        assert!(of_old.clone().all(|key| key.private.is_none()), "what lay in reserve is erased, too");
        fleet.clock.advance(32 * MINUTE);
        member.turn(&fleet).await;
        assert_eq!(member.set(), [member.signer().unwrap()]);
    })
    .await;
}

#[tokio::test]
async fn an_algorithm_signs_for_as_long_as_another_replica_goes_by_the_old_plan() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, provider) = (Fleet::new(database, &OLD).await, provider());
        let mut old = fleet.replica(&provider).await;
        let new = fleet.source(&[Alg::Ed25519], &[], &provider);
        let mut member = fleet.member(new.clone()).await;
        for _ in 0..4 {
            member.turn(&fleet).await;
            old.turn(&fleet).await;
            fleet.clock.advance(Duration::from_secs(10));
        }
        assert!(old.signs(Alg::Es256) && old.signs(Alg::Ed25519));
        assert!(member.signer().unwrap().starts_with("ed25519-"));
        let said = fleet.complaint(&new).await;
        assert!(said.starts_with("ES256 is not in the plan and signs still, for "), "{said}");
        let key = old.signer().unwrap();

        // It is restarted with the new plan; a killed process counts for half a minute.
        drop(old);
        for _ in 0..4 {
            member.turn(&fleet).await;
            fleet.clock.advance(Duration::from_secs(10));
        }
        let mut old = fleet.member(new.clone()).await;
        member.turn(&fleet).await;
        old.turn(&fleet).await;
        for one in [&member, &old] {
            assert!(!one.signs(Alg::Es256) && one.signs(Alg::Ed25519) && one.set().contains(&key));
        }
    })
    .await;
}

#[tokio::test]
async fn an_algorithm_signs_for_clients_that_ask_for_it_until_the_restart() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, provider) = (Fleet::new(database, &OLD).await, provider());
        let mut member = fleet.member(fleet.source(&OLD, &[Alg::Es256], &provider)).await;
        let new = fleet.source(&[Alg::Ed25519], &[], &provider);
        member.go_by(&fleet, new.clone()).await.unwrap();
        member.turn(&fleet).await;
        assert!(member.signs(Alg::Es256), "requests go by the clients as they were");
        assert!(fleet.complaint(&new).await.contains("restart it"));

        member.turning.leave().await;
        let member = fleet.member(new).await;
        assert!(!member.signs(Alg::Es256) && member.signs(Alg::Ed25519));
    })
    .await;
}

#[tokio::test]
async fn a_key_whose_moment_was_agreed_on_is_remembered_when_its_algorithm_leaves() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, provider) = (Fleet::new(database, &OLD).await, provider());
        let mut member = fleet.replica(&provider).await;
        // Two minutes before its moment, which may be heard of by a replica that then loses the database.
        for passes in [29 * DAY, DAY - 2 * MINUTE] {
            fleet.clock.advance(passes);
            for _ in 0..3 {
                member.turn(&fleet).await;
            }
        }
        let ledger = Arc::clone(&member.keys.snapshot().ledger);
        let agreed = |key: &&KeyRecord| key.alg == Alg::Es256 && key.state == KeyState::Published;
        let next = ledger.keys.iter().find(agreed).unwrap().clone();
        assert!(next.activate_at.is_some() && next.max_exp_s.is_some(), "{next:?}");
        let without = fleet.source(&[Alg::Ed25519], &[], &provider);
        member.go_by(&fleet, without).await.unwrap();
        assert!(!member.signs(Alg::Es256));
        assert!(member.set().contains(&next.kid), "who begins with it by the clock signs what others verify");
        fleet.clock.advance(40 * MINUTE);
        member.turn(&fleet).await;
        assert!(!member.set().contains(&next.kid));
    })
    .await;
}

#[tokio::test]
async fn an_algorithm_that_comes_back_is_announced_again() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, provider) = (Fleet::new(database, &OLD).await, provider());
        let mut member = fleet.replica(&provider).await;
        let first = member.signer().unwrap();
        let without = fleet.source(&[Alg::Ed25519], &[], &provider);
        member.go_by(&fleet, without).await.unwrap();
        member.turn(&fleet).await;
        assert!(!member.signs(Alg::Es256));
        fleet.clock.advance(MINUTE);
        member.go_by(&fleet, fleet.source(&OLD, &[], &provider)).await.unwrap();
        member.turn(&fleet).await;
        assert!(member.signer().unwrap().starts_with("ed25519-"), "no verifier knows a key of the other yet");
        fleet.clock.advance(DAY + MINUTE);
        member.turn(&fleet).await;
        let again = member.signer().unwrap();
        assert!(again.starts_with("es256-") && again != first);
    })
    .await;
}
