//! Keys that resources name.

use std::time::Duration;

use sealwright_jose::{Alg, SigningKey};
use sealwright_keystore::in_memory;
use sealwright_testkit::database::on_both;

use super::{Fleet, Member, START, provider};
use crate::config::token_signature::{Conditions, Declared, DeclaredKey, Resolved};
use crate::keys::KeyAdmin;
use crate::signing_keys::declared::{is_surprise, was_announced};
use crate::signing_keys::plan::Plan;
use crate::signing_keys::replica::Source;
use crate::signing_keys::snapshot::NoSigner;
use crate::store::MIGRATOR;

const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn key(kid: &str) -> DeclaredKey {
    let private = SigningKey::generate(Alg::Es256).unwrap();
    let public = private.verifying_key();
    let private = Some(in_memory(kid, private));
    DeclaredKey { kid: kid.to_owned(), alg: Alg::Es256, private, public, evict_at: None }
}

/// Only the public half, as an extra key has it.
pub(super) fn old(key: &DeclaredKey) -> DeclaredKey {
    DeclaredKey { private: None, ..key.clone() }
}

pub(super) fn declared(plan: &Plan, signing: Option<&DeclaredKey>, verifying: &[DeclaredKey]) -> Declared {
    Declared {
        plan: plan.clone(),
        signing: signing.cloned(),
        published: Vec::new(),
        verifying: verifying.to_vec(),
        to_make: Vec::new(),
        is_broken: false,
        unresolved: Vec::new(),
        conditions: Conditions { sign_and_verify_key: Resolved::Yes, extra_verify_keys: Resolved::Yes },
    }
}

impl Fleet {
    pub(super) async fn declare(&self, declared: Declared) -> Member {
        self.start(Source::Declared(Box::new(declared))).await.unwrap()
    }
}

impl Member {
    pub(super) async fn replace(&mut self, fleet: &Fleet, declared: Declared) -> Result<(), String> {
        let source = Source::Declared(Box::new(declared));
        self.go_by(fleet, source).await.map_err(|error| error.to_string())
    }
}

#[tokio::test]
async fn a_change_of_declared_keys_holds_at_once() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let (one, two) = (key("key-1"), key("key-2"));
        let mut member = fleet.declare(declared(&fleet.plan, Some(&one), &[])).await;
        assert_eq!((member.signer().unwrap(), member.set()), ("key-1".into(), vec!["key-1".into()]));
        let ledger = std::sync::Arc::clone(&member.keys.snapshot().ledger);
        let first = ledger.key("key-1").unwrap();
        assert!(!is_surprise(&ledger, first, fleet.plan.lead_floor()), "there was nothing to verify before");

        fleet.clock.advance(HOUR);
        member.replace(&fleet, declared(&fleet.plan, Some(&two), &[old(&one)])).await.unwrap();
        assert_eq!(member.signer().unwrap(), "key-2");
        assert_eq!(member.set(), ["key-2", "key-1"]);
        let ledger = std::sync::Arc::clone(&member.keys.snapshot().ledger);
        assert_eq!(ledger.key("key-1").unwrap().retired_at, Some(START.plus(HOUR)));
        let floor = fleet.plan.lead_floor();
        assert!(!was_announced(ledger.key("key-2").unwrap(), floor));
        assert!(is_surprise(&ledger, ledger.key("key-2").unwrap(), floor));

        member.replace(&fleet, declared(&fleet.plan, None, &[old(&two)])).await.unwrap();
        assert_eq!(member.signer(), Err(NoSigner::NotDeclared), "the set is served, nothing is issued");
        assert_eq!(member.set(), ["key-2"]);
    })
    .await;
}

#[tokio::test]
async fn that_a_key_was_not_announced_is_said_until_caches_know_it() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let (one, two) = (key("key-1"), key("key-2"));
        let condition = async |signing: &DeclaredKey| {
            let source = Source::Declared(Box::new(declared(&fleet.plan, Some(signing), &[])));
            let (database, clock) = (fleet.database.clone(), fleet.clock.clone());
            let list = KeyAdmin::with("id", "http://id", source, database, clock).list().await.unwrap();
            let found = list.conditions.into_iter().find(|condition| condition.kind == "KeyPrePublished");
            found.map(|condition| (condition.status, condition.reason)).unwrap()
        };
        let mut member = fleet.declare(declared(&fleet.plan, Some(&one), &[])).await;
        assert_eq!(condition(&one).await, ("True", "AsExpected"), "there was nothing to verify before");
        fleet.clock.advance(HOUR);
        member.replace(&fleet, declared(&fleet.plan, Some(&two), &[])).await.unwrap();
        assert_eq!(member.set(), ["key-2"], "nobody names the one before any more");
        assert_eq!(condition(&two).await, ("False", "NotAnnounced"));
        fleet.clock.advance(fleet.plan.lead_floor() - Duration::from_millis(1));
        assert_eq!(condition(&two).await, ("False", "NotAnnounced"));
        fleet.clock.advance(Duration::from_millis(1));
        assert_eq!(condition(&two).await, ("True", "AsExpected"));
    })
    .await;
}

#[tokio::test]
async fn a_name_never_stands_for_two_keys_and_a_refused_change_changes_nothing() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let (one, two) = (key("key-1"), key("key-2"));
        let mut member = fleet.declare(declared(&fleet.plan, Some(&one), &[])).await;
        let error =
            member.replace(&fleet, declared(&fleet.plan, Some(&two), &[old(&key("key-1"))])).await.unwrap_err();
        assert_eq!(
            error,
            "the name `key-1` stood for another key before: verifiers that know the old one would refuse every token; give \
             the new key a new name"
        );
        let renamed = DeclaredKey { kid: "key-3".into(), ..one.clone() };
        let error = member.replace(&fleet, declared(&fleet.plan, Some(&renamed), &[])).await.unwrap_err();
        assert_eq!(
            error,
            "the key `key-3` was published under the name `key-1` before; keep that name, or make a new key"
        );
        member.turn(&fleet).await;
        assert_eq!((member.signer().unwrap(), member.set()), ("key-1".into(), vec!["key-1".into()]));

        // Also not after it was gone for long.
        member.replace(&fleet, declared(&fleet.plan, Some(&two), &[])).await.unwrap();
        fleet.clock.advance(1000 * HOUR);
        let other = declared(&fleet.plan, Some(&key("key-1")), &[]);
        assert!(member.replace(&fleet, other).await.unwrap_err().starts_with("the name `key-1` stood for"));
        member.replace(&fleet, declared(&fleet.plan, Some(&one), &[])).await.unwrap();
        assert_eq!(member.signer().unwrap(), "key-1", "the key itself may come back");
    })
    .await;
}

#[tokio::test]
async fn an_extra_key_leaves_by_itself_only_when_its_time_is_named() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let (one, two, three) = (key("key-1"), key("key-2"), key("key-3"));
        let mut member = fleet.declare(declared(&fleet.plan, Some(&one), &[])).await;
        let ends = DeclaredKey { evict_at: Some(START.plus(48 * HOUR)), ..old(&one) };
        member.replace(&fleet, declared(&fleet.plan, Some(&two), &[ends, old(&three)])).await.unwrap();
        fleet.clock.advance(47 * HOUR);
        member.turn(&fleet).await;
        assert_eq!(member.set().len(), 3);
        fleet.clock.advance(2 * HOUR);
        member.turn(&fleet).await;
        assert_eq!(member.set(), ["key-2", "key-3"]);
        fleet.clock.advance(10_000 * HOUR);
        member.turn(&fleet).await;
        assert_eq!(member.set(), ["key-2", "key-3"]);
    })
    .await;
}

#[tokio::test]
async fn that_a_key_has_left_is_said_once_however_often_servers_start() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let (one, two) = (key("key-1"), key("key-2"));
        let ends = |at| DeclaredKey { evict_at: Some(at), ..old(&one) };
        let declared = |at| declared(&fleet.plan, Some(&two), &[ends(at)]);
        let member = fleet.declare(declared(START.plus(HOUR))).await;
        member.turning.leave().await;
        fleet.clock.advance(2 * HOUR);
        for _ in 0..3 {
            let member = fleet.declare(declared(START.plus(HOUR))).await;
            assert_eq!(member.set(), ["key-2"]);
            member.turning.leave().await;
        }
        let events = "SELECT event FROM key_event WHERE kid = 'key-1' ORDER BY epoch, n";
        let mut conn = fleet.database.reader().acquire().await.unwrap();
        let events: Vec<String> = sqlx::query_scalar(events).fetch_all(&mut *conn).await.unwrap();
        assert_eq!(events, ["key.published", "key.evicted"]);
        drop(conn);
        let member = fleet.declare(declared(START.plus(48 * HOUR))).await;
        assert_eq!(member.set(), ["key-2", "key-1"], "a later moment calls it back");
    })
    .await;
}

#[tokio::test]
async fn replicas_with_different_files_each_go_by_their_own() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let (one, two) = (key("key-1"), key("key-2"));
        let mut a = fleet.declare(declared(&fleet.plan, Some(&one), &[old(&two)])).await;
        let mut b = fleet.declare(declared(&fleet.plan, Some(&two), &[old(&one)])).await;
        for _ in 0..3 {
            a.turn(&fleet).await;
            b.turn(&fleet).await;
        }
        assert_eq!((a.signer().unwrap(), b.signer().unwrap()), ("key-1".into(), "key-2".into()));
        assert_eq!((a.set().len(), b.set().len()), (2, 2));
    })
    .await;
}

#[tokio::test]
async fn from_a_plan_to_declared_keys_and_back_old_tokens_stay_good() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let provider = provider();
        let mut member = fleet.replica(&provider).await;
        let planned = member.signer().unwrap();
        let one = key("key-1");
        member.replace(&fleet, declared(&fleet.plan, Some(&one), &[])).await.unwrap();
        assert_eq!(member.signer().unwrap(), "key-1");
        assert_eq!(member.set(), ["key-1".to_owned(), planned.clone()]);

        let source = Source::Planned { plan: fleet.plan.clone(), provider };
        member.go_by(&fleet, source).await.unwrap();
        let signer = member.signer().unwrap();
        assert!(signer.starts_with("es256-") && signer != planned);
        let mut set = member.set();
        set.sort();
        let mut expected = vec![signer, planned, "key-1".to_owned()];
        expected.sort();
        assert_eq!(set, expected);
    })
    .await;
}

#[tokio::test]
async fn how_long_tokens_of_a_declared_key_live_is_known_for_as_long_as_it_signs() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let (one, two) = (key("key-1"), key("key-2"));
        let mut member = fleet.declare(declared(&fleet.plan, Some(&one), &[])).await;
        fleet.clock.advance(24 * HOUR);
        member.turn(&fleet).await;
        let known = member.keys.snapshot().ledger.key("key-1").unwrap().max_exp_s;
        assert!(known.is_some(), "it was written down at the first look");
        fleet.clock.advance(HOUR);
        member.turn(&fleet).await;
        // A moment ago it signed a token; it must not leave before that one does, whatever its declaration says.
        let ends = DeclaredKey { evict_at: Some(START), ..old(&one) };
        member.replace(&fleet, declared(&fleet.plan, Some(&two), &[ends])).await.unwrap();
        member.turn(&fleet).await;
        assert_eq!(member.set(), ["key-2", "key-1"]);
        fleet.clock.advance(HOUR);
        member.turn(&fleet).await;
        assert_eq!(member.set(), ["key-2"]);
    })
    .await;
}
