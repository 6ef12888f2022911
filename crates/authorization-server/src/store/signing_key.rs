//! Signing keys, the replicas that serve them, and what happened to them.

use sealwright_jose::Alg;
use sealwright_service::clock::Timestamp;
use sealwright_service::database::Connection;
use serde_json::{Value, json};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::signing_keys::record::{Event, KeyRecord, KeyState, Ledger, Replica, Wants};

/// Lets one change of keys happen after the other, until the transaction of `conn` ends; gives the epoch.
///
/// On PostgreSQL the row is locked; on SQLite the transaction has the write lock already.
pub(crate) async fn lock(conn: &mut Connection) -> sqlx::Result<i64> {
    sqlx::query_scalar("UPDATE key_epoch SET epoch = epoch WHERE id = 1 RETURNING epoch")
        .fetch_one(conn)
        .await
}

/// Begins a new epoch.
pub(crate) async fn begin_epoch(conn: &mut Connection, epoch: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE key_epoch SET epoch = $1 WHERE id = 1").bind(epoch).execute(conn).await.map(drop)
}

/// All keys with the epoch at which they stand so. One statement, so that both belong together.
pub(crate) async fn load(conn: &mut Connection) -> sqlx::Result<Ledger> {
    let rows = sqlx::query(
        "SELECT e.epoch, k.kid, k.alg, k.state, k.public_jwk, k.thumbprint, k.private, k.created_at, k.published_at,
                k.published_epoch, k.activate_at, k.retired_at, k.max_exp_s, k.evict_not_before, k.gone_at, k.reason,
                k.declared, k.wanted_at
           FROM key_epoch e LEFT JOIN signing_key k ON 1 = 1
          WHERE e.id = 1
          ORDER BY k.created_at, k.kid",
    )
    .fetch_all(conn)
    .await?;
    let mut ledger = Ledger::default();
    for row in &rows {
        ledger.epoch = row.try_get("epoch")?;
        if row.try_get::<Option<&str>, _>("kid")?.is_some() {
            ledger.keys.push(record(row)?);
        }
    }
    Ok(ledger)
}

fn record(row: &AnyRow) -> sqlx::Result<KeyRecord> {
    let time = |name: &str| row.try_get::<Option<i64>, _>(name).map(|ms| ms.map(Timestamp::from_millis));
    let word = |name: &str| row.try_get::<&str, _>(name);
    let strange = |what: &str, value: &str| {
        sqlx::Error::Decode(
            format!("signing_key.{what} holds `{value}`, which this version does not know").into(),
        )
    };
    Ok(KeyRecord {
        kid: row.try_get("kid")?,
        alg: Alg::from_name(word("alg")?).ok_or_else(|| strange("alg", word("alg").unwrap_or_default()))?,
        state: KeyState::from_name(word("state")?)
            .ok_or_else(|| strange("state", word("state").unwrap_or_default()))?,
        public_jwk: row.try_get("public_jwk")?,
        thumbprint: row.try_get("thumbprint")?,
        private: row.try_get("private")?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
        published_at: time("published_at")?,
        published_epoch: row.try_get("published_epoch")?,
        wanted_at: time("wanted_at")?,
        activate_at: time("activate_at")?,
        retired_at: time("retired_at")?,
        max_exp_s: row.try_get("max_exp_s")?,
        evict_not_before: time("evict_not_before")?,
        gone_at: time("gone_at")?,
        reason: row.try_get("reason")?,
        declared: row.try_get::<i64, _>("declared")? != 0,
    })
}

/// Writes a new key down; `false` if its name or its key material was there before, in whatever state.
pub(crate) async fn insert(conn: &mut Connection, key: &KeyRecord) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "INSERT INTO signing_key
                (kid, alg, state, public_jwk, thumbprint, private, created_at, declared, max_exp_s)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT DO NOTHING",
    )
    .bind(&key.kid)
    .bind(key.alg.name())
    .bind(key.state.name())
    .bind(&key.public_jwk)
    .bind(&key.thumbprint)
    .bind(key.private.as_deref())
    .bind(key.created_at.as_millis())
    .bind(i64::from(key.declared))
    .bind(key.max_exp_s)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes down what changed about a key. Only under [`lock`].
///
/// What opens the private half is erased or, where there is nothing, set, but never replaced: it may have been sealed anew since
/// it was read.
pub(crate) async fn update(conn: &mut Connection, key: &KeyRecord) -> sqlx::Result<()> {
    let millis = |at: Option<Timestamp>| at.map(Timestamp::as_millis);
    sqlx::query(
        "UPDATE signing_key SET state = $2,
                private = CASE WHEN $3 IS NULL THEN NULL ELSE COALESCE(private, $3) END,
                published_at = $4, published_epoch = $5, activate_at = $6, retired_at = $7, evict_not_before = $8, gone_at = $9, reason = $10, declared = $11, wanted_at = $12
          WHERE kid = $1",
    )
    .bind(&key.kid)
    .bind(key.state.name())
    .bind(key.private.as_deref())
    .bind(millis(key.published_at))
    .bind(key.published_epoch)
    .bind(millis(key.activate_at))
    .bind(millis(key.retired_at))
    .bind(millis(key.evict_not_before))
    .bind(millis(key.gone_at))
    .bind(key.reason.as_deref())
    .bind(i64::from(key.declared))
    .bind(millis(key.wanted_at))
    .execute(conn)
    .await
    .map(drop)
}

/// Says that tokens of a key may live until `until_s`, in seconds; gives until when they may.
///
/// The condition is in the statement: the mark only rises, and only while the key may still sign. `None` if it may not. A
/// declared key may while other replicas, with other files, have it remembered only.
pub(crate) async fn reserve(conn: &mut Connection, kid: &str, until_s: i64) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar(
        "UPDATE signing_key
            SET max_exp_s = CASE WHEN max_exp_s >= $2 THEN max_exp_s ELSE $2 END
          WHERE kid = $1 AND (state IN ('published', 'active') OR (declared = 1 AND state = 'verifying'))
          RETURNING max_exp_s",
    )
    .bind(kid)
    .bind(until_s)
    .fetch_optional(conn)
    .await
}

/// Replaces what opens the private half by the same thing sealed anew; `false` if it is not what it was any more.
pub(crate) async fn replace_private(
    conn: &mut Connection,
    kid: &str,
    old: &str,
    new: &str,
) -> sqlx::Result<bool> {
    let done = sqlx::query("UPDATE signing_key SET private = $3 WHERE kid = $1 AND private = $2")
        .bind(kid)
        .bind(old)
        .bind(new)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// A private half in a token that no key has: its key ended, or is being made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remains {
    pub(crate) kid: String,
    /// Where it is.
    pub(crate) private: String,
    /// When the key ended, or its making began.
    pub(crate) since: Timestamp,
    /// The replica that is making it, or is removing what one that gave up has made; `None` for a key that ended.
    pub(crate) maker: Option<String>,
}

/// Remembers what is to be destroyed. Only under [`lock`].
pub(crate) async fn insert_remains(conn: &mut Connection, remains: &Remains) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO key_remains (kid, private, since, maker) VALUES ($1, $2, $3, NULL) ON CONFLICT DO NOTHING",
    )
    .bind(&remains.kid)
    .bind(&remains.private)
    .bind(remains.since.as_millis())
    .execute(conn)
    .await
    .map(drop)
}

/// Remembers what is going to be made, or tried once more, before anything is in the token; `false` if somebody else has that
/// name by now.
pub(crate) async fn begin_making(conn: &mut Connection, remains: &Remains) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "INSERT INTO key_remains (kid, private, since, maker) VALUES ($1, $2, $3, $4)
         ON CONFLICT (kid) DO UPDATE SET since = excluded.since, private = excluded.private
           WHERE key_remains.maker = excluded.maker",
    )
    .bind(&remains.kid)
    .bind(&remains.private)
    .bind(remains.since.as_millis())
    .bind(remains.maker.as_deref())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What is to be destroyed still, and what is being made.
pub(crate) async fn remains(conn: &mut Connection) -> sqlx::Result<Vec<Remains>> {
    let rows = sqlx::query("SELECT kid, private, since, maker FROM key_remains ORDER BY since, kid")
        .fetch_all(conn)
        .await?;
    let remains = |row: &AnyRow| {
        Ok(Remains {
            kid: row.try_get("kid")?,
            private: row.try_get("private")?,
            since: Timestamp::from_millis(row.try_get("since")?),
            maker: row.try_get("maker")?,
        })
    };
    rows.iter().map(remains).collect()
}

/// Takes over what `maker` was making, so that it writes no key of it down any more; `false` if it has, or somebody else was
/// faster.
pub(crate) async fn take_over_remains(
    conn: &mut Connection,
    kid: &str,
    maker: &str,
    me: &str,
) -> sqlx::Result<bool> {
    let done = sqlx::query("UPDATE key_remains SET maker = $3 WHERE kid = $1 AND maker = $2")
        .bind(kid)
        .bind(maker)
        .bind(me)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// What `maker` was making is written down as a key from now on; `false` if somebody has taken it over.
pub(crate) async fn made(conn: &mut Connection, kid: &str, maker: &str) -> sqlx::Result<bool> {
    let done = sqlx::query("DELETE FROM key_remains WHERE kid = $1 AND maker = $2")
        .bind(kid)
        .bind(maker)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// It is destroyed.
pub(crate) async fn delete_remains(conn: &mut Connection, kid: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM key_remains WHERE kid = $1").bind(kid).execute(conn).await.map(drop)
}

/// A sign of life of a replica.
pub(crate) async fn beat(conn: &mut Connection, replica: &Replica) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO replica (id, name, started_at, seen_at, epoch, wants) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, epoch = excluded.epoch, wants = excluded.wants",
    )
    .bind(&replica.id)
    .bind(&replica.name)
    .bind(replica.started_at.as_millis())
    .bind(replica.seen_at.as_millis())
    .bind(replica.epoch)
    .bind(wants_text(&replica.wants))
    .execute(conn)
    .await
    .map(drop)
}

/// A replica stops, and nobody needs to wait for it.
pub(crate) async fn leave(conn: &mut Connection, id: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM replica WHERE id = $1").bind(id).execute(conn).await.map(drop)
}

/// Replicas that have given no sign of life since `since` are forgotten.
pub(crate) async fn forget_replicas(conn: &mut Connection, since: Timestamp) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM replica WHERE seen_at < $1")
        .bind(since.as_millis())
        .execute(conn)
        .await
        .map(drop)
}

/// The replicas, oldest first.
pub(crate) async fn replicas(conn: &mut Connection) -> sqlx::Result<Vec<Replica>> {
    let rows = sqlx::query(
        "SELECT id, name, started_at, seen_at, epoch, wants FROM replica ORDER BY started_at, id",
    )
    .fetch_all(conn)
    .await?;
    let replica = |row: &AnyRow| {
        Ok(Replica {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            started_at: Timestamp::from_millis(row.try_get("started_at")?),
            seen_at: Timestamp::from_millis(row.try_get("seen_at")?),
            epoch: row.try_get("epoch")?,
            wants: wants(row.try_get("wants")?),
        })
    };
    rows.iter().map(replica).collect()
}

fn wants_text(wants: &Wants) -> Option<String> {
    match wants {
        Wants::Unknown => None,
        Wants::Planned(algs) => {
            let names: Vec<&str> = algs.iter().copied().map(Alg::name).collect();
            Some(json!({"planned": names}).to_string())
        }
        Wants::Declared(kids) => Some(json!({"declared": kids}).to_string()),
    }
}

/// What another version has written, or none, is not guessed at.
fn wants(text: Option<&str>) -> Wants {
    let names = |value: &Value, field: &str| -> Option<Vec<String>> {
        let names = value.get(field)?.as_array()?.iter();
        names.map(|name| name.as_str().map(str::to_owned)).collect()
    };
    let read = || {
        let value: Value = serde_json::from_str(text?).ok()?;
        if let Some(kids) = names(&value, "declared") {
            return Some(Wants::Declared(kids));
        }
        let algs = names(&value, "planned")?;
        algs.iter().map(|name| Alg::from_name(name)).collect::<Option<_>>().map(Wants::Planned)
    };
    read().unwrap_or(Wants::Unknown)
}

/// Writes down what happened in an epoch. Only under [`lock`].
pub(crate) async fn insert_events(conn: &mut Connection, epoch: i64, events: &[Event]) -> sqlx::Result<()> {
    for (n, event) in (0_i64..).zip(events) {
        sqlx::query(
            "INSERT INTO key_event (epoch, n, kid, alg, event, at, reason) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(epoch)
        .bind(n)
        .bind(&event.kid)
        .bind(event.alg.name())
        .bind(event.name)
        .bind(event.at.as_millis())
        .bind(event.reason.as_deref())
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// An event that does not stand in the audit log yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unaudited {
    pub(crate) epoch: i64,
    pub(crate) n: i64,
    pub(crate) kid: String,
    pub(crate) alg: String,
    pub(crate) name: String,
    pub(crate) at: Timestamp,
    pub(crate) reason: Option<String>,
}

/// Events from before `before` that nobody has brought into the audit log.
pub(crate) async fn unaudited(conn: &mut Connection, before: Timestamp) -> sqlx::Result<Vec<Unaudited>> {
    let rows = sqlx::query(
        "SELECT epoch, n, kid, alg, event, at, reason FROM key_event
          WHERE audited_at IS NULL AND at <= $1
          ORDER BY epoch, n LIMIT 100",
    )
    .bind(before.as_millis())
    .fetch_all(conn)
    .await?;
    let event = |row: &AnyRow| {
        Ok(Unaudited {
            epoch: row.try_get("epoch")?,
            n: row.try_get("n")?,
            kid: row.try_get("kid")?,
            alg: row.try_get("alg")?,
            name: row.try_get("event")?,
            at: Timestamp::from_millis(row.try_get("at")?),
            reason: row.try_get("reason")?,
        })
    };
    rows.iter().map(event).collect()
}

/// An event stands in the audit log now.
pub(crate) async fn audited(conn: &mut Connection, epoch: i64, n: i64, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query("UPDATE key_event SET audited_at = $3 WHERE epoch = $1 AND n = $2")
        .bind(epoch)
        .bind(n)
        .bind(now.as_millis())
        .execute(conn)
        .await
        .map(drop)
}

/// The database's own time, by which replicas correct their clocks.
pub(crate) async fn database_time(conn: &mut Connection) -> sqlx::Result<Timestamp> {
    let ms: i64 = sqlx::query_scalar("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)")
        .fetch_one(conn)
        .await?;
    Ok(Timestamp::from_millis(ms))
}

/// Tells the other replicas that there is a new epoch, when the transaction is committed. Only on PostgreSQL.
pub(crate) async fn notify(conn: &mut Connection, channel: &str, epoch: i64) -> sqlx::Result<()> {
    sqlx::query("SELECT pg_notify($1, $2)")
        .bind(channel)
        .bind(epoch.to_string())
        .execute(conn)
        .await
        .map(drop)
}
