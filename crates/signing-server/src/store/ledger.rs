//! Single use: each token counts once, whatever happens at the same time.
//!
//! The rule is in one statement ([`Ledger::reserve`]). A row goes `reserved` → `consumed`, or back to
//! `released` if nothing was signed; a crash in between leaves it `reserved`, which counts as used: after a
//! power cut nobody can know whether a signature left the machine.

use std::time::Duration;

use aws_lc_rs::digest;
use sealwright_jose::base64url;
use sealwright_service::{clock::Timestamp, database::Database};

use crate::config::MAX_CLOCK_SKEW;

/// Rows that one statement of the sweep deletes, so that it never holds the database for long.
const SWEEP_CHUNK: i64 = 500;
/// How long a row outlives its token. A request that was checked just before the token expired may reserve it a
/// moment after, and another worker may allow its issuer more clock skew than the one that wrote the row.
const SWEEP_MARGIN: Duration = Duration::from_secs(MAX_CLOCK_SKEW.as_secs() + 300);

/// The table of used tokens.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    database: Database,
}

/// What may be used once, and for how long that must be remembered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Single<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) jti: &'a str,
    pub(crate) expires_at: Timestamp,
}

/// The right to use a token, held by one operation. To be consumed or released; if it is only dropped, the
/// token stays used.
#[derive(Debug)]
#[must_use = "a reservation that is neither consumed nor released uses the token up"]
pub(crate) struct Reservation(Option<Key>);

#[derive(Debug)]
struct Key {
    issuer: String,
    jti_sha256: String,
    operation: String,
}

impl Ledger {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }

    /// Whether the token was taken already. "No" is only a first impression: [`reserve`](Self::reserve) decides.
    pub(crate) async fn is_used(&self, issuer: &str, jti: &str) -> sqlx::Result<bool> {
        let found: Option<i64> = sqlx::query_scalar(
            "SELECT expires_at FROM used_token
              WHERE issuer = $1 AND jti_sha256 = $2 AND state <> 'released'",
        )
        .bind(issuer)
        .bind(jti_sha256(jti))
        .fetch_optional(self.database.reader())
        .await?;
        Ok(found.is_some())
    }

    /// Takes the token for `operation`; `None` if it was taken before.
    ///
    /// One statement, so of any number of concurrent requests exactly one gets it, on one server or on
    /// several. Only what was released, because nothing was signed, can be taken again.
    pub(crate) async fn reserve(
        &self,
        single: Single<'_>,
        operation: &str,
        worker: &str,
        now: Timestamp,
    ) -> sqlx::Result<Option<Reservation>> {
        let key = Key {
            issuer: single.issuer.to_owned(),
            jti_sha256: jti_sha256(single.jti),
            operation: operation.to_owned(),
        };
        let done = sqlx::query(
            "INSERT INTO used_token (issuer, jti_sha256, state, operation, worker, reserved_at, expires_at)
             VALUES ($1, $2, 'reserved', $3, $4, $5, $6)
             ON CONFLICT (issuer, jti_sha256) DO UPDATE
                SET state = 'reserved', operation = excluded.operation, worker = excluded.worker,
                    reserved_at = excluded.reserved_at, expires_at = excluded.expires_at
              WHERE used_token.state = 'released'",
        )
        .bind(&key.issuer)
        .bind(&key.jti_sha256)
        .bind(&key.operation)
        .bind(worker)
        .bind(now.as_millis())
        .bind(single.expires_at.as_millis())
        .execute(self.database.writer())
        .await?;
        Ok((done.rows_affected() == 1).then_some(Reservation(Some(key))))
    }

    /// A reservation of a token that counts any number of times.
    pub(crate) fn unlimited(&self) -> Reservation {
        Reservation(None)
    }

    /// Marks the token as used for good: something was signed.
    pub(crate) async fn consume(&self, reservation: Reservation) -> sqlx::Result<()> {
        self.finish(reservation, "consumed").await
    }

    /// Gives the token back: nothing was signed.
    pub(crate) async fn release(&self, reservation: Reservation) -> sqlx::Result<()> {
        self.finish(reservation, "released").await
    }

    /// Only the operation that reserved a row may finish it.
    async fn finish(&self, Reservation(key): Reservation, state: &str) -> sqlx::Result<()> {
        let Some(key) = key else {
            return Ok(());
        };
        let done = sqlx::query(
            "UPDATE used_token SET state = $1
              WHERE issuer = $2 AND jti_sha256 = $3 AND operation = $4 AND state = 'reserved'",
        )
        .bind(state)
        .bind(&key.issuer)
        .bind(&key.jti_sha256)
        .bind(&key.operation)
        .execute(self.database.writer())
        .await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
    }

    /// Forgets tokens that have expired, in small bites; says how many.
    pub(crate) async fn sweep(&self, now: Timestamp) -> sqlx::Result<u64> {
        let expired_before = now.minus(SWEEP_MARGIN).as_millis();
        let mut swept = 0;
        loop {
            let done = sqlx::query(
                "DELETE FROM used_token
                  WHERE expires_at < $1
                    AND jti_sha256 IN (SELECT jti_sha256 FROM used_token WHERE expires_at < $1 LIMIT $2)",
            )
            .bind(expired_before)
            .bind(SWEEP_CHUNK)
            .execute(self.database.writer())
            .await?;
            swept += done.rows_affected();
            if done.rows_affected() == 0 {
                return Ok(swept);
            }
        }
    }
}

fn jti_sha256(jti: &str) -> String {
    base64url::encode(digest::digest(&digest::SHA256, jti.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{super::MIGRATOR, *};
    use sealwright_testkit::database::on_both;
    use tokio::task::JoinSet;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn single<'a>(issuer: &'a str, jti: &'a str) -> Single<'a> {
        Single { issuer, jti, expires_at: NOW.plus(Duration::from_secs(360)) }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn of_fifty_concurrent_reservations_one_wins() {
        on_both(&[&MIGRATOR], async |database| {
            let ledger = Ledger::new(database);
            let mut requests = JoinSet::new();
            for index in 0..50 {
                let ledger = ledger.clone();
                requests.spawn(async move {
                    let operation = format!("op_{index}");
                    ledger.reserve(single("https://id", "one"), &operation, "contracts", NOW).await.unwrap()
                });
            }
            let outcomes = requests.join_all().await;
            assert_eq!(outcomes.iter().flatten().count(), 1);
        })
        .await;
    }

    #[tokio::test]
    async fn the_same_jti_of_two_issuers_is_two_tokens() {
        on_both(&[&MIGRATOR], async |database| {
            let ledger = Ledger::new(database);
            for issuer in ["https://a", "https://b"] {
                let reserved = ledger.reserve(single(issuer, "one"), "op_1", "contracts", NOW).await.unwrap();
                assert!(reserved.is_some(), "{issuer}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn only_what_was_released_can_be_taken_again() {
        on_both(&[&MIGRATOR], async |database| {
            let ledger = Ledger::new(database);
            let reserve = async |operation| {
                ledger.reserve(single("https://id", "one"), operation, "contracts", NOW).await.unwrap()
            };
            let first = reserve("op_1").await.expect("nobody has it");
            assert!(reserve("op_2").await.is_none(), "reserved");
            ledger.release(first).await.unwrap();
            let third = reserve("op_3").await.expect("it was given back");
            ledger.consume(third).await.unwrap();
            assert!(reserve("op_4").await.is_none(), "consumed");
        })
        .await;
    }

    #[tokio::test]
    async fn a_reservation_is_finished_by_its_own_operation() {
        on_both(&[&MIGRATOR], async |database| {
            let ledger = Ledger::new(database);
            let first = ledger.reserve(single("https://id", "one"), "op_1", "w", NOW).await.unwrap().unwrap();
            let Reservation(Some(key)) = &first else { panic!("it has a key") };
            let forged = Reservation(Some(Key {
                issuer: key.issuer.clone(),
                jti_sha256: key.jti_sha256.clone(),
                operation: "op_2".into(),
            }));
            assert!(ledger.release(forged).await.is_err());
            ledger.consume(first).await.unwrap();
        })
        .await;
    }

    #[tokio::test]
    async fn the_sweep_forgets_expired_tokens_only() {
        on_both(&[&MIGRATOR], async |database| {
            let ledger = Ledger::new(database);
            for index in 0..1201 {
                let jti = format!("old-{index}");
                let old = Single { issuer: "https://id", jti: &jti, expires_at: NOW };
                let _ = ledger.reserve(old, "op_1", "w", NOW).await.unwrap().unwrap();
            }
            let live = single("https://id", "live");
            let _ = ledger.reserve(live, "op_1", "w", NOW).await.unwrap().unwrap();
            assert_eq!(ledger.sweep(NOW).await.unwrap(), 0, "within the margin");
            let skewed = NOW.plus(MAX_CLOCK_SKEW);
            assert_eq!(ledger.sweep(skewed).await.unwrap(), 0, "still good for another worker");
            let later = NOW.plus(SWEEP_MARGIN).plus(Duration::from_secs(1));
            assert_eq!(ledger.sweep(later).await.unwrap(), 1201);
            assert!(ledger.reserve(live, "op_2", "w", later).await.unwrap().is_none());
        })
        .await;
    }
}
