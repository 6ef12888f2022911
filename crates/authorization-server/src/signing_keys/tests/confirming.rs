//! What a replica confirms, on which the others rely when a key begins to sign.

use super::*;
use crate::signing_keys::record::KeyRecord;

const SECOND: Duration = Duration::from_secs(1);

impl Fleet {
    /// Two replicas, of which only the first has looked since a key was announced.
    async fn announcing(database: Database) -> (Self, Member, Member) {
        let (fleet, provider) = (Self::new(database, &[Alg::Es256]).await, provider());
        let (mut a, mut b) = (fleet.replica(&provider).await, fleet.replica(&provider).await);
        fleet.clock.advance(29 * DAY - 5 * SECOND);
        // Twice, since they were forgotten meanwhile.
        for _ in 0..2 {
            a.turn(&fleet).await;
            b.turn(&fleet).await;
        }
        fleet.clock.advance(5 * SECOND);
        a.turn(&fleet).await;
        assert_eq!((a.set().len(), b.set().len()), (2, 1));
        (fleet, a, b)
    }

    async fn announced(&self) -> KeyRecord {
        let mut conn = self.database.reader().acquire().await.unwrap();
        let ledger = signing_key::load(&mut conn).await.unwrap();
        ledger.keys.into_iter().find(|key| key.state == KeyState::Published).unwrap()
    }

    /// How many replicas have confirmed the key that is announced.
    async fn confirmed(&self) -> usize {
        let since = self.announced().await.published_epoch.unwrap();
        let mut conn = self.database.reader().acquire().await.unwrap();
        let replicas = signing_key::replicas(&mut conn).await.unwrap();
        replicas.iter().filter(|replica| replica.epoch >= since).count()
    }
}

#[tokio::test]
async fn nothing_is_confirmed_before_requests_see_it() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, _a, mut b) = Fleet::announcing(database).await;
        assert_eq!(fleet.confirmed().await, 1);
        // From here on every sign of life is written, and fails after that: an old replica cannot be forgotten.
        let mut conn = fleet.database.writer().acquire().await.unwrap();
        for statement in [
            "CREATE TABLE keeps (id TEXT NOT NULL REFERENCES replica (id))",
            "INSERT INTO replica (id, name, started_at, seen_at, epoch) VALUES ('old', 'old', 0, 0, 0)",
            "INSERT INTO keeps (id) VALUES ('old')",
        ] {
            sqlx::query(statement).execute(&mut *conn).await.unwrap();
        }
        drop(conn);
        fleet.clock.advance(15 * SECOND);
        b.turn(&fleet).await;
        assert_eq!(
            (b.set().len(), fleet.confirmed().await),
            (1, 1),
            "its sign of life failed before it served"
        );
        b.turn(&fleet).await;
        assert_eq!((b.set().len(), fleet.confirmed().await), (2, 2));
    })
    .await;
}

#[tokio::test]
async fn after_an_outage_a_key_waits_for_replicas_that_could_not_be_heard() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, mut a, mut b) = Fleet::announcing(database).await;
        // Nobody could give a sign of life, and both live.
        fleet.clock.advance(45 * SECOND);
        for _ in 0..3 {
            a.turn(&fleet).await;
            assert_eq!(fleet.announced().await.activate_at, None, "the other does not serve the key");
            fleet.clock.advance(5 * SECOND);
        }
        b.turn(&fleet).await;
        a.turn(&fleet).await;
        assert!(fleet.announced().await.activate_at.is_some());
    })
    .await;
}

#[tokio::test]
async fn a_key_does_not_wait_for_a_replica_that_stays_silent_after_an_outage() {
    on_both(&[&MIGRATOR, &sealwright_audit::MIGRATOR], async |database| {
        let (fleet, mut a, b) = Fleet::announcing(database).await;
        drop(b);
        fleet.clock.advance(45 * SECOND);
        for _ in 0..4 {
            a.turn(&fleet).await;
            assert_eq!(fleet.announced().await.activate_at, None);
            fleet.clock.advance(10 * SECOND);
        }
        a.turn(&fleet).await;
        assert!(fleet.announced().await.activate_at.is_some());
    })
    .await;
}
