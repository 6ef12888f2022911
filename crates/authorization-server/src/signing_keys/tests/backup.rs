//! Keys that are brought to another machine.

use sealwright_testkit::database::{Fresh, fresh_sqlite};

use super::*;
use crate::keys::{KeyAdmin, KeyAdminError};

pub(super) fn admin(fleet: &Fleet, provider: &KeyProvider) -> KeyAdmin {
    let source = Source::Planned { plan: fleet.plan.clone(), provider: provider.clone() };
    KeyAdmin::with("id", "http://id", source, fleet.database.clone(), fleet.clock.clone())
}

async fn fresh() -> Fresh {
    fresh_sqlite(&[&MIGRATOR, &sealwright_audit::MIGRATOR]).await
}

/// The server goes on elsewhere: the same key signs, the set is the same to the last byte, and tokens live as long.
#[tokio::test]
async fn a_backup_is_restored_on_another_machine() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, provider) = (Fleet::new(database, &[Alg::Es256, Alg::Rs256]).await, provider());
        let mut member = fleet.replica(&provider).await;
        let moment = Duration::from_secs(20);
        for passes in [29 * DAY, DAY - moment, moment] {
            fleet.clock.advance(passes);
            for _ in 0..3 {
                member.turn(&fleet).await;
            }
        }
        let text = admin(&fleet, &provider).backup().await.unwrap();
        assert_eq!(member.set().len(), 4, "two sign, two are remembered");

        let other = fresh().await;
        let elsewhere = Fleet {
            clock: fleet.clock.clone(),
            ..Fleet::new(other.clone(), &[Alg::Es256, Alg::Rs256]).await
        };
        let restored = admin(&elsewhere, &provider).restore(&text).await.unwrap();
        assert_eq!((restored.keys, restored.opened), (6, 4));
        let moved = elsewhere.replica(&provider).await;
        assert_eq!(moved.signer().unwrap(), member.signer().unwrap());
        assert_eq!(moved.keys.snapshot().set.body, member.keys.snapshot().set.body);
        assert_eq!(elsewhere.states().await, fleet.states().await);
        let known = |member: &Member| -> Vec<_> {
            let ledger = Arc::clone(&member.keys.snapshot().ledger);
            ledger.keys.iter().map(|key| (key.kid.clone(), key.max_exp_s, key.activate_at)).collect()
        };
        let (mut here, mut there) = (known(&member), known(&moved));
        here.sort();
        there.sort();
        assert_eq!(here, there);
        assert_eq!(admin(&elsewhere, &provider).backup().await.unwrap(), text);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_backup_of_this_server_changes_nothing() {
    let (first, second) = (fresh().await, fresh().await);
    let (fleet, own) = (Fleet::new(first.clone(), &[Alg::Es256]).await, provider());
    fleet.replica(&own).await;
    let text = admin(&fleet, &own).backup().await.unwrap();
    let empty = Fleet::new(second.clone(), &[Alg::Es256]).await;
    let said = async |provider: &KeyProvider, text: &str| match admin(&empty, provider).restore(text).await {
        Err(KeyAdminError::Backup(sentence)) => sentence,
        other => format!("{other:?}"),
    };
    for (change, expected) in [
        (("\"version\": 1", "\"version\": 3"), "version 3 of backups is not known here; 1 and 2 are"),
        (
            ("\"version\": 1", "\"version\": 3, \"more\": {}"),
            "version 3 of backups is not known here; 1 and 2 are",
        ),
        (("http://id", "http://other"), "it is a backup of `http://other`, and this is `http://id`"),
        (
            ("\"state\": \"active\"", "\"state\": \"verifying\""),
            "has ended and has a private half all the same",
        ),
        (("\"state\": \"active\"", "\"state\": \"new\""), "has a state that is not known here"),
        (("\"declared\": false", "\"declared\": false, \"more\": 1"), "unknown field `more`"),
        (("\"kid\": \"es256-", "\"kid\": \"es384-"), "has another name than its public half"),
    ] {
        let changed = text.replacen(change.0, change.1, 1);
        assert_ne!(changed, text, "{change:?}");
        let sentence = said(&own, &changed).await;
        assert!(sentence.contains(expected), "{change:?}: {sentence}");
    }
    assert!(said(&own, &text[..text.len() / 2]).await.starts_with("this is no backup of keys"));
    assert!(said(&own, "").await.starts_with("this is no backup of keys"));
    let foreign = said(&provider(), &text).await;
    assert!(
        foreign.contains("Seal") && !foreign.contains("sealed\":"),
        "another key-encryption key: {foreign}"
    );
    assert!(empty.states().await.is_empty(), "nothing was written");

    admin(&empty, &own).restore(&text).await.unwrap();
    let again = said(&own, &text).await;
    assert_eq!(again, "the database has keys already; restore into a new one, before its server starts");
}
