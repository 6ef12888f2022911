//! Operators beside replicas that run.

use super::backup::admin;
use super::*;
use crate::keys::{Action, KeyAdmin, KeyAdminError, KeyList, Refusal};

/// Each key with its state, when it comes to the next, and whether that is agreed on.
fn shown(list: &KeyList) -> Vec<String> {
    let shown = list.keys.iter().map(|key| {
        let until = key.until.map(|until| crate::keys::relative(until, list.now));
        let agreed = if key.agreed { " agreed" } else { "" };
        format!("{} {}{agreed}", key.state, until.unwrap_or_else(|| "-".to_owned()))
    });
    shown.collect()
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_rotation_is_followed_by_replicas_that_run() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, provider) = (Fleet::new(database, &[Alg::Es256]).await, provider());
        let (mut a, mut b) = (fleet.replica(&provider).await, fleet.replica(&provider).await);
        let admin = admin(&fleet, &provider);
        // Both look once more, and the keys in reserve are made.
        a.turn(&fleet).await;
        b.turn(&fleet).await;
        let first = a.signer().unwrap();
        let list = admin.list().await.unwrap();
        assert_eq!(shown(&list), ["active in 30 d", "staged in 29 d"]);
        assert!(list.conditions.iter().all(crate::keys::Condition::holds), "{:?}", list.conditions);

        let rotate = Action::Rotate { alg: None, now: false };
        assert!(!admin.consequences(&rotate).await.unwrap().disturbs);
        assert_eq!(shown(&admin.list().await.unwrap()), shown(&list), "it was only asked");
        let done = admin.act(&rotate, Some("drill")).await.unwrap();
        let events: Vec<&str> = done.events.iter().map(|happened| happened.event).collect();
        assert_eq!(events, ["key.requested", "key.published"], "nobody has confirmed yet");
        assert_eq!(admin.list().await.unwrap().keys[1].missing_at.len(), 2);
        for _ in 0..2 {
            a.turn(&fleet).await;
            b.turn(&fleet).await;
        }
        let list = admin.list().await.unwrap();
        assert_eq!(shown(&list), ["active in 1 d agreed", "published in 1 d agreed"]);
        assert_eq!((list.keys[1].served_by.len(), list.keys[1].missing_at.len()), (2, 0));
        let again = admin.act(&rotate, None).await.unwrap_err();
        assert!(matches!(again, KeyAdminError::Refused(Refusal::Agreed { .. })), "{again}");

        fleet.clock.advance(DAY - SECOND);
        a.turn(&fleet).await;
        assert_eq!(a.signer().unwrap(), first);
        fleet.clock.advance(SECOND);
        // By the clock alone, in the list as in the replica.
        assert_eq!(shown(&admin.list().await.unwrap())[0], "verifying in 31 min 30 s");
        a.turn(&fleet).await;
        assert_ne!(a.signer().unwrap(), first);
    })
    .await;
}

#[tokio::test]
async fn in_an_emergency_a_key_signs_within_seconds() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, provider) = (Fleet::new(database, &[Alg::Es256]).await, provider());
        let mut a = fleet.replica(&provider).await;
        a.turn(&fleet).await;
        let admin = admin(&fleet, &provider);
        let first = a.signer().unwrap();
        let rotate = Action::Rotate { alg: Some(Alg::Es256), now: true };
        let consequences = admin.consequences(&rotate).await.unwrap();
        assert!(consequences.disturbs);
        let until = consequences.disturbed_until.unwrap();
        assert_eq!(until.since(START), Duration::from_secs(335), "a poll, five minutes, a tenth more");
        let cool_down = "for 30 s in panva's `jose` and `PyJWT`, which may refuse new tokens until 2026-11-22 00:00:35 UTC (in 35 s).";
        let told = |sentence: &String| sentence.ends_with(cool_down);
        assert!(consequences.sentences.iter().any(told), "{consequences:?}");
        admin.act(&rotate, None).await.unwrap();
        a.turn(&fleet).await;
        a.turn(&fleet).await;
        fleet.clock.advance(Duration::from_secs(9));
        assert_eq!(a.signer().unwrap(), first);
        fleet.clock.advance(SECOND);
        assert_ne!(a.signer().unwrap(), first);
    })
    .await;
}

#[tokio::test]
async fn of_replicas_that_may_not_hear_of_a_revocation_it_is_said() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, provider) = (Fleet::new(database, &[Alg::Es256]).await, provider());
        let mut a = fleet.replica(&provider).await;
        let mut b = fleet.replica(&provider).await;
        for _ in 0..2 {
            a.turn(&fleet).await;
            b.turn(&fleet).await;
        }
        let admin = admin(&fleet, &provider);
        let revoke = Action::Revoke { kid: a.signer().unwrap() };
        let said = async || admin.consequences(&revoke).await.unwrap().sentences.join("\n");
        let deaf = "These replicas are behind or were not seen lately: ";
        assert!(!said().await.contains(deaf));
        fleet.clock.advance(Duration::from_secs(60));
        a.turn(&fleet).await;
        let said = said().await;
        assert_eq!(
            said.split(deaf).nth(1).unwrap().split(". ").next().unwrap().matches(", ").count(),
            0,
            "{said}"
        );
        // It was last seen a minute ago, and signs for `maxStale`.
        let until = "signs with it until 2026-11-22 00:15:00 UTC (in 14 min) at the latest.";
        assert!(said.contains(until), "{said}");
    })
    .await;
}

#[tokio::test]
async fn what_was_revoked_leaves_with_the_next_look() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, provider) = (Fleet::new(database, &[Alg::Es256]).await, provider());
        let mut a = fleet.replica(&provider).await;
        a.turn(&fleet).await;
        let admin = admin(&fleet, &provider);
        let first = a.signer().unwrap();
        let revoke = Action::Revoke { kid: first.clone() };
        for reason in [None, Some("  "), Some("two\nlines")] {
            let refused = admin.act(&revoke, reason).await.unwrap_err();
            assert!(matches!(refused, KeyAdminError::Reason), "{refused}");
        }
        let consequences = admin.consequences(&revoke).await.unwrap();
        insta::assert_snapshot!(
            "revocation",
            consequences
                .sentences
                .join("\n")
                .replace(&first, "OLD")
                .replace(a_reserve(&admin).await.as_str(), "NEW")
        );
        fleet.clock.advance(SECOND);
        admin.act(&revoke, Some("seen by others")).await.unwrap();
        a.turn(&fleet).await;
        assert_ne!(a.signer().unwrap(), first);
        assert!(!a.set().contains(&first));
        a.turn(&fleet).await;
        let list = admin.list().await.unwrap();
        assert_eq!(list.keys[0].reason.as_deref(), Some("seen by others"));
        assert_eq!(shown(&list), ["revoked -", "active in 30 d", "staged in 29 d"]);
        let again = admin.act(&revoke, Some("x")).await.unwrap_err();
        assert_eq!(again.to_string(), "the key is revoked, and this is for a key that is not gone");
        // And it stands in the audit log, with the reason.
        let mut conn = fleet.database.reader().acquire().await.unwrap();
        assert!(signing_key::unaudited(&mut conn, fleet.clock.now()).await.unwrap().is_empty());
        let details: String =
            sqlx::query_scalar("SELECT details FROM audit_entry WHERE event = 'key.revoked'")
                .fetch_one(&mut *conn)
                .await
                .unwrap();
        assert!(details.contains("seen by others"), "{details}");
    })
    .await;
}

async fn a_reserve(admin: &KeyAdmin) -> String {
    let list = admin.list().await.unwrap();
    list.keys.into_iter().find(|key| key.state == "staged").unwrap().kid
}

#[tokio::test]
async fn declared_keys_are_changed_by_their_declaration() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let one = declared::key("one");
        let source = Source::Declared(Box::new(declared::declared(&fleet.plan, Some(&one), &[])));
        fleet.start(source.clone()).await.unwrap();
        let admin = KeyAdmin::with("id", "http://id", source, fleet.database.clone(), fleet.clock.clone());
        let rotate = Action::Rotate { alg: None, now: true };
        let refused = admin.consequences(&rotate).await.unwrap_err();
        assert!(matches!(refused, KeyAdminError::Refused(Refusal::Declared)), "{refused}");
        let kinds: Vec<String> = admin
            .list()
            .await
            .unwrap()
            .conditions
            .iter()
            .map(|c| format!("{}={}", c.kind, c.status))
            .collect();
        assert_eq!(shown(&admin.list().await.unwrap()), ["active -"]);
        assert_eq!(
            kinds,
            [
                "SignAndVerifyKeyResolved=True",
                "ExtraVerifyKeysResolved=True",
                "KeyPrePublished=True",
                "ReplicasCurrent=True",
                "Ready=True"
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn a_key_from_elsewhere_waits_its_turn_and_is_taken_once() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, provider) = (Fleet::new(database, &[Alg::Es256]).await, provider());
        let _a = fleet.replica(&provider).await;
        let admin = admin(&fleet, &provider);
        let key = SigningKey::generate(Alg::Es256).unwrap();
        let other = SigningKey::generate(Alg::Es256).unwrap();
        admin.import("old-server", key.clone(), Some("moved")).await.unwrap();
        for (kid, key) in [("old-server", other.clone()), ("new-name", key)] {
            let refused = admin.import(kid, key, None).await.unwrap_err();
            assert!(matches!(refused, KeyAdminError::Refused(Refusal::Used)), "{kid}: {refused}");
        }
        let wrong = admin.import("rsa", SigningKey::generate(Alg::Ed25519).unwrap(), None).await.unwrap_err();
        assert!(matches!(wrong, KeyAdminError::Refused(Refusal::Algorithm(Alg::Ed25519))), "{wrong}");
        assert_eq!(admin.public_keys(None).await.unwrap().keys().len(), 1, "it is not in the set yet");
        assert!(admin.public_keys(Some("old-server")).await.is_err());
        admin.act(&Action::Publish { kid: "old-server".to_owned() }, None).await.unwrap();
        assert_eq!(admin.public_keys(Some("old-server")).await.unwrap().keys()[0].kid(), Some("old-server"));
    })
    .await;
}

#[tokio::test]
async fn after_sealing_anew_the_old_key_encryption_key_can_go() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let dir = tempfile::tempdir().unwrap();
        let specs = ["k1", "k2"].map(|id| {
            std::fs::write(dir.path().join(id), KekRing::generate_text().as_bytes()).unwrap();
            KekSpec { id: id.into(), file: Some(id.into()), ..KekSpec::default() }
        });
        let ring = |order: &[usize]| {
            let specs: Vec<KekSpec> = order.iter().map(|i| specs[*i].clone()).collect();
            KeyProvider::sealed(KekRing::read(&specs, dir.path()).unwrap())
        };
        let fleet = Fleet::new(database, &[Alg::Es256]).await;
        let mut a = fleet.replica(&ring(&[0])).await;
        a.turn(&fleet).await;
        let first = a.signer().unwrap();
        assert!(admin(&fleet, &ring(&[1])).reseal().await.is_err(), "nothing opens without the old one");
        let both = admin(&fleet, &ring(&[1, 0]));
        let counts = both.reseal().await.unwrap();
        assert_eq!((counts.resealed, counts.unchanged), (2, 0));
        let counts = both.reseal().await.unwrap();
        assert_eq!((counts.resealed, counts.unchanged), (0, 2));
        let b = fleet.replica(&ring(&[1])).await;
        assert_eq!(b.signer().unwrap(), first);
    })
    .await;
}
