//! Keys that resources name: which of them signs, which are announced, which are remembered.
//!
//! Each replica goes by its own resources; the database remembers what was declared, so that no name ever stands for two keys
//! and people see since when a key signs.

use sealwright_service::clock::Timestamp;
use sealwright_service::database::Database;

use super::record::{Event, KeyRecord, KeyState, Ledger};
use super::transaction::{self, Refused};
use crate::config::token_signature::{Declared, DeclaredKey};

/// What stands in place of a private half that the resources hold.
pub(crate) const ELSEWHERE: &str = "declared";

/// Why keys cannot be taken as declared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeclareError {
    #[error(
        "the name `{0}` stood for another key before: verifiers that know the old one would refuse every token; give the new \
         key a new name"
    )]
    NameReused(String),
    #[error("the key `{0}` was revoked; make a new one, under a new name")]
    Revoked(String),
    #[error("the key `{new}` was published under the name `{old}` before; keep that name, or make a new key")]
    Renamed { new: String, old: String },
    #[error("storage failed")]
    Store(#[from] sqlx::Error),
}

/// Writes down what is declared, and gives all keys as they stand then.
pub(crate) async fn record(
    database: &Database,
    declared: &Declared,
    now: Timestamp,
) -> Result<Ledger, DeclareError> {
    let reconciled =
        transaction::rewrite(database, now, |ledger, epoch| reconcile(ledger, declared, now, epoch));
    match reconciled.await {
        Ok(ledger) => Ok(ledger),
        Err(Refused::Store(error)) => Err(error.into()),
        Err(Refused::By(error)) => Err(error),
    }
}

/// Each declared key with the state that it is to have.
fn wanted(declared: &Declared) -> impl Iterator<Item = (&DeclaredKey, KeyState)> {
    let signing = declared.signing.iter().map(|key| (key, KeyState::Active));
    let published = declared.published.iter().map(|key| (key, KeyState::Published));
    let verifying = declared.verifying.iter().map(|key| (key, KeyState::Verifying));
    signing.chain(published).chain(verifying)
}

/// Brings the ledger to what is declared. What is named no longer leaves the set; keys of a plan end, and are remembered.
pub(crate) fn reconcile(
    ledger: &mut Ledger,
    declared: &Declared,
    now: Timestamp,
    epoch: i64,
) -> Result<Vec<Event>, DeclareError> {
    let mut events = Vec::new();
    for (key, state) in wanted(declared) {
        let thumbprint = key.public.thumbprint_base64url();
        if let Some(other) = ledger.keys.iter().find(|other| other.thumbprint == thumbprint)
            && other.kid != key.kid
        {
            return Err(DeclareError::Renamed { new: key.kid.clone(), old: other.kid.clone() });
        }
        match ledger.key_mut(&key.kid) {
            Some(row) if row.thumbprint != thumbprint => {
                return Err(DeclareError::NameReused(key.kid.clone()));
            }
            Some(row) if row.state == KeyState::Revoked => {
                return Err(DeclareError::Revoked(key.kid.clone()));
            }
            Some(row) => move_to(row, state, now, epoch, &mut events),
            None => {
                let mut row = new_row(key, thumbprint, now);
                move_to(&mut row, state, now, epoch, &mut events);
                ledger.keys.push(row);
            }
        }
        if let Some(row) = ledger.key_mut(&key.kid) {
            row.evict_not_before = key.evict_at;
            row.declared = true;
        }
    }
    for row in &mut ledger.keys {
        if wanted(declared).any(|(key, _)| key.kid == row.kid) {
            continue;
        }
        match row.state {
            KeyState::Active if !row.declared => move_to(row, KeyState::Verifying, now, epoch, &mut events),
            KeyState::Verifying if !row.declared => {}
            KeyState::Evicted | KeyState::Revoked => {}
            _ => move_to(row, KeyState::Evicted, now, epoch, &mut events),
        }
    }
    Ok(events)
}

/// When keys are made by plan from now on: what was declared ends, and is remembered like any other key.
pub(crate) fn end(ledger: &mut Ledger, now: Timestamp, epoch: i64) -> Vec<Event> {
    let mut events = Vec::new();
    for row in ledger.keys.iter_mut().filter(|row| row.declared) {
        match row.state {
            KeyState::Active => move_to(row, KeyState::Verifying, now, epoch, &mut events),
            KeyState::Published => move_to(row, KeyState::Evicted, now, epoch, &mut events),
            _ => {}
        }
        row.declared = false;
    }
    events
}

fn new_row(key: &DeclaredKey, thumbprint: String, now: Timestamp) -> KeyRecord {
    KeyRecord { declared: true, ..KeyRecord::new(&key.kid, &key.public, thumbprint, None, now) }
}

fn move_to(row: &mut KeyRecord, state: KeyState, now: Timestamp, epoch: i64, events: &mut Vec<Event>) {
    if row.state == state {
        return;
    }
    let (was, held) = (row.state, row.declared);
    row.state = state;
    row.private =
        (held && matches!(state, KeyState::Active | KeyState::Published)).then(|| ELSEWHERE.to_owned());
    if KeyState::PUBLIC.contains(&state) {
        row.published_at.get_or_insert(now);
        row.published_epoch.get_or_insert(epoch);
        row.gone_at = None;
    } else {
        row.gone_at = Some(now);
    }
    let name = match state {
        KeyState::Active => {
            (row.activate_at, row.retired_at) = (Some(now), None);
            "key.activated"
        }
        KeyState::Verifying if was == KeyState::Active => {
            row.retired_at = Some(now);
            "key.retired"
        }
        KeyState::Evicted => "key.evicted",
        _ => "key.published",
    };
    events.push(Event { kid: row.kid.clone(), alg: row.alg, name, at: now, reason: None });
}

/// The keys as this replica has them: its own resources decide about those that are declared, the database about the others.
pub(crate) fn as_declared(mut ledger: Ledger, declared: &Declared) -> Ledger {
    ledger.keys.retain(|row| !row.declared || wanted(declared).any(|(key, _)| key.kid == row.kid));
    for (key, state) in wanted(declared) {
        if let Some(row) = ledger.key_mut(&key.kid)
            // One that left the set because its time was over stays out.
            && !(row.state == KeyState::Evicted && row.evict_not_before.is_some())
        {
            row.state = state;
            row.private = key.private.as_ref().map(|_| ELSEWHERE.to_owned());
        }
    }
    ledger
}

/// Whether the key that signs stood in the set for `lead_floor` before it began: AppSSO's way changes keys at once, and some
/// verifiers notice.
pub(crate) fn was_announced(row: &KeyRecord, lead_floor: std::time::Duration) -> bool {
    let announced = row.activate_at.zip(row.published_at).map(|(at, published)| at.since(published));
    announced.is_some_and(|lead| lead >= lead_floor)
}
