//! Changes of keys, one after the other, whoever makes them.

use sealwright_audit::{AuditError, AuditLog, Entry};
use sealwright_keystore::KeyProvider;
use sealwright_service::clock::Timestamp;
use sealwright_service::database::{Database, Kind};
use serde_json::json;

use super::record::{Change, Event, KeyRecord, Ledger, Replica};
use crate::store::signing_key::{self, Remains};

/// Where replicas tell each other that there is a new epoch.
pub(crate) const CHANNEL: &str = "sealwright_keys";

/// More than any chain of changes has: published, scheduled, active.
pub(crate) const MAX_ROUNDS: usize = 8;

/// What a transaction did.
#[derive(Debug)]
pub(crate) struct Changed {
    pub(crate) ledger: Ledger,
    pub(crate) events: Vec<Event>,
}

/// Carries out what `decide` wants, again and again until it wants nothing more, in one transaction; `None` if it wanted
/// nothing.
///
/// `decide` sees the keys as they are now, under the lock, so of two replicas that decide the same thing one does it.
pub(crate) async fn change(
    database: &Database,
    now: Timestamp,
    mut decide: impl FnMut(&Ledger) -> Vec<Change>,
) -> sqlx::Result<Option<Changed>> {
    let mut tx = database.begin_write().await?;
    signing_key::lock(&mut tx).await?;
    let before = signing_key::load(&mut tx).await?;
    let (mut ledger, mut events, epoch) = (before.clone(), Vec::new(), before.epoch + 1);
    for _ in 0..MAX_ROUNDS {
        let happened: Vec<Event> =
            decide(&ledger).iter().flat_map(|change| ledger.apply(change, now, epoch)).collect();
        if happened.is_empty() {
            break;
        }
        events.extend(happened);
    }
    if events.is_empty() {
        return Ok(None);
    }
    ledger.epoch = epoch;
    write(&mut tx, &before, &ledger, now).await?;
    finish(database, &mut tx, epoch, &events).await?;
    tx.commit().await?;
    Ok(Some(Changed { ledger, events }))
}

/// Why keys were not rewritten.
#[derive(Debug)]
pub(crate) enum Refused<E> {
    Store(sqlx::Error),
    By(E),
}

impl<E> From<sqlx::Error> for Refused<E> {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error)
    }
}

/// Rewrites the keys under the lock, with the replicas as they are then; gives the keys as they stand. What `rewrite` refuses
/// leaves everything as it was, and where nothing happened there is no new epoch.
pub(crate) async fn rewrite<E>(
    database: &Database,
    now: Timestamp,
    rewrite: impl FnOnce(&mut Ledger, &[Replica], i64) -> Result<Vec<Event>, E>,
) -> Result<Ledger, Refused<E>> {
    let mut tx = database.begin_write().await?;
    signing_key::lock(&mut tx).await?;
    let before = signing_key::load(&mut tx).await?;
    let (mut ledger, epoch) = (before.clone(), before.epoch + 1);
    let replicas = signing_key::replicas(&mut tx).await?;
    let events = rewrite(&mut ledger, &replicas, epoch).map_err(Refused::By)?;
    if ledger.keys == before.keys {
        return Ok(before);
    }
    ledger.epoch = epoch;
    write(&mut tx, &before, &ledger, now).await?;
    finish(database, &mut tx, epoch, &events).await?;
    tx.commit().await?;
    Ok(ledger)
}

/// Writes down the keys that are new or not as they were, and which private halves are still in a token although their keys
/// have ended.
async fn write(
    tx: &mut sqlx::Transaction<'static, sqlx::Any>,
    before: &Ledger,
    after: &Ledger,
    now: Timestamp,
) -> sqlx::Result<()> {
    for key in &after.keys {
        let Some(old) = before.key(&key.kid) else {
            signing_key::insert(tx, key).await?;
            signing_key::update(tx, key).await?;
            continue;
        };
        if old == key {
            continue;
        }
        signing_key::update(tx, key).await?;
        if let (Some(private), None) = (&old.private, &key.private)
            && KeyProvider::is_reference(private)
        {
            let (kid, private) = (key.kid.clone(), private.clone());
            let remains = Remains { kid, private, since: now, maker: None };
            signing_key::insert_remains(tx, &remains).await?;
        }
    }
    Ok(())
}

/// Adds a key, if `wanted` still says so under the lock; `false` if not, if its name or its material was used before, or if it
/// is in a token and `maker` is not its maker any more.
pub(crate) async fn add(
    database: &Database,
    key: &KeyRecord,
    event: &'static str,
    reason: Option<&str>,
    maker: Option<&str>,
    wanted: impl FnOnce(&Ledger) -> bool,
) -> sqlx::Result<bool> {
    let mut tx = database.begin_write().await?;
    signing_key::lock(&mut tx).await?;
    let ledger = signing_key::load(&mut tx).await?;
    if !wanted(&ledger) || !signing_key::insert(&mut tx, key).await? {
        return Ok(false);
    }
    if let Some(maker) = maker
        && !signing_key::made(&mut tx, &key.kid, maker).await?
    {
        return Ok(false);
    }
    let event = Event {
        kid: key.kid.clone(),
        alg: key.alg,
        name: event,
        at: key.created_at,
        reason: reason.map(str::to_owned),
    };
    finish(database, &mut tx, ledger.epoch + 1, &[event]).await?;
    tx.commit().await?;
    Ok(true)
}

/// Writes down what happened, and tells the others when it is committed.
async fn finish(
    database: &Database,
    tx: &mut sqlx::Transaction<'static, sqlx::Any>,
    epoch: i64,
    events: &[Event],
) -> sqlx::Result<()> {
    signing_key::begin_epoch(tx, epoch).await?;
    signing_key::insert_events(tx, epoch, events).await?;
    if database.kind() == Kind::Postgres {
        signing_key::notify(tx, CHANNEL, epoch).await?;
    }
    Ok(())
}

/// Why the audit log lacks an event still.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuditFailed {
    #[error("storage failed")]
    Store(#[from] sqlx::Error),
    #[error("the audit log could not be written")]
    Audit(#[from] AuditError),
}

/// Brings what happened before `before` into the audit log.
///
/// An event that was written down but is not in the log, since a process was killed in between, is brought in by whoever
/// comes next. Two who come at the same moment may both do it: better twice than never.
pub(crate) async fn audit(
    database: &Database,
    log: &AuditLog,
    before: Timestamp,
    now: Timestamp,
) -> Result<(), AuditFailed> {
    loop {
        let mut conn = database.reader().acquire().await.map_err(AuditFailed::Store)?;
        let waiting = signing_key::unaudited(&mut conn, before).await?;
        // The log writes through the same pool.
        drop(conn);
        if waiting.is_empty() {
            return Ok(());
        }
        for event in waiting {
            let details = json!({
                "kid": event.kid, "alg": event.alg, "at": event.at.to_rfc3339(), "reason": event.reason,
                "epoch": event.epoch,
            });
            let name = audit_name(&event.name);
            log.append(Entry { event: name, operation: None, subject: None, details }).await?;
            let mut conn = database.writer().acquire().await.map_err(AuditFailed::Store)?;
            signing_key::audited(&mut conn, event.epoch, event.n, now).await?;
        }
    }
}

/// The names that events have in the audit log.
fn audit_name(name: &str) -> &'static str {
    const NAMES: [&str; 10] = [
        "key.created",
        "key.imported",
        "key.restored",
        "key.published",
        "key.scheduled",
        "key.activated",
        "key.retired",
        "key.evicted",
        "key.revoked",
        "key.requested",
    ];
    NAMES.into_iter().find(|known| *known == name).unwrap_or("key.changed")
}
