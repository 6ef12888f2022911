//! Keys that resources name: which of them signs, which are announced, which are remembered.
//!
//! Each replica signs by its own resources, and serves what any live replica names: while a change goes from one to the next, a
//! token meets no set without its key. The database remembers what was declared, so that no name ever stands for two keys and
//! people see since when a key signs.

use std::collections::BTreeSet;

use sealwright_service::clock::Timestamp;
use sealwright_service::database::Database;

use super::decide;
use super::plan::Plan;
use super::record::{Event, KeyRecord, KeyState, Ledger, Replica, Wants};
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

impl DeclareError {
    /// The declared key that is refused.
    pub(crate) fn kid(&self) -> Option<&str> {
        match self {
            Self::NameReused(kid) | Self::Revoked(kid) | Self::Renamed { new: kid, .. } => Some(kid),
            Self::Store(_) => None,
        }
    }
}

/// What the other replicas name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Elsewhere {
    /// The keys that they are known to name.
    pub(crate) kids: BTreeSet<String>,
    /// Whether one of them is of a version that does not say, so that it may name any other key.
    pub(crate) is_silent: bool,
}

impl Elsewhere {
    fn may_name(&self, row: &KeyRecord) -> bool {
        self.kids.contains(&row.kid) || (self.is_silent && !row.state.is_gone())
    }
}

/// The keys that live replicas but `me` name.
pub(crate) fn named_elsewhere(plan: &Plan, replicas: &[Replica], me: &str, now: Timestamp) -> Elsewhere {
    let mut named = Elsewhere::default();
    for replica in replicas.iter().filter(|other| other.id != me && decide::is_live(plan, other, now)) {
        match &replica.wants {
            Wants::Declared(kids) => named.kids.extend(kids.iter().cloned()),
            Wants::Planned(_) => {}
            Wants::Unknown => named.is_silent = true,
        }
    }
    named
}

/// Writes down what is declared, and gives all keys as they stand then; `elsewhere` says what the replicas of that moment name.
pub(crate) async fn record(
    database: &Database,
    declared: &Declared,
    elsewhere: impl Fn(&[Replica]) -> Elsewhere,
    now: Timestamp,
) -> Result<Ledger, DeclareError> {
    let reconcile = |ledger: &mut Ledger, replicas: &[Replica], epoch| {
        reconcile(ledger, declared, &elsewhere(replicas), now, epoch)
    };
    match transaction::rewrite(database, now, reconcile).await {
        Ok(ledger) => Ok(ledger),
        Err(Refused::Store(error)) => Err(error.into()),
        Err(Refused::By(error)) => Err(error),
    }
}

/// Why no replica can take over what is declared, as the keys stand now; nothing is done.
pub(crate) fn refusal(
    ledger: &Ledger,
    declared: &Declared,
    elsewhere: &Elsewhere,
    now: Timestamp,
) -> Option<DeclareError> {
    reconcile(&mut ledger.clone(), declared, elsewhere, now, ledger.epoch + 1).err()
}

/// Each declared key with the state that it is to have.
fn wanted(declared: &Declared) -> impl Iterator<Item = (&DeclaredKey, KeyState)> {
    let signing = declared.signing.iter().map(|key| (key, KeyState::Active));
    let published = declared.published.iter().map(|key| (key, KeyState::Published));
    let verifying = declared.verifying.iter().map(|key| (key, KeyState::Verifying));
    signing.chain(published).chain(verifying)
}

/// Brings the ledger to what is declared. What nobody names any more leaves the set; keys of a plan are not its business.
pub(crate) fn reconcile(
    ledger: &mut Ledger,
    declared: &Declared,
    elsewhere: &Elsewhere,
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
            // It left the set because its time was over, and that was said.
            Some(row) if state == KeyState::Verifying && is_over(row, key, &declared.plan, now) => {}
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
    events.extend(forget(ledger, declared, elsewhere, now, epoch));
    Ok(events)
}

/// Whether a key left the set and its declaration does not call it back.
fn is_over(row: &KeyRecord, key: &DeclaredKey, plan: &Plan, now: Timestamp) -> bool {
    let as_declared = KeyRecord { evict_not_before: key.evict_at, ..row.clone() };
    row.state == KeyState::Evicted && key.evict_at.is_some() && decide::evict_at(plan, &as_declared) < now
}

/// The declared keys that nobody names any more and that are not gone.
fn is_stray(row: &KeyRecord, declared: &Declared, elsewhere: &Elsewhere) -> bool {
    let is_named = || elsewhere.may_name(row) || declared.kids().any(|kid| kid == row.kid);
    row.declared && !row.state.is_gone() && !is_named()
}

/// Whether there is something to [`forget`].
pub(crate) fn has_strays(ledger: &Ledger, declared: &Declared, elsewhere: &Elsewhere) -> bool {
    ledger.keys.iter().any(|row| is_stray(row, declared, elsewhere))
}

/// Takes keys out of the set that neither these resources name nor those of another live replica.
pub(crate) fn forget(
    ledger: &mut Ledger,
    declared: &Declared,
    elsewhere: &Elsewhere,
    now: Timestamp,
    epoch: i64,
) -> Vec<Event> {
    let mut events = Vec::new();
    for row in ledger.keys.iter_mut().filter(|row| is_stray(row, declared, elsewhere)) {
        move_to(row, KeyState::Evicted, now, epoch, &mut events);
    }
    events
}

/// Whether a declared key is to [`end`].
pub(crate) fn ends(row: &KeyRecord, elsewhere: &Elsewhere) -> bool {
    row.declared && !elsewhere.is_silent && !elsewhere.kids.contains(&row.kid)
}

/// When keys are made by plan from now on: what was declared and no live replica names ends, and is remembered like any other
/// key.
pub(crate) fn end(ledger: &mut Ledger, elsewhere: &Elsewhere, now: Timestamp, epoch: i64) -> Vec<Event> {
    let mut events = Vec::new();
    for row in ledger.keys.iter_mut().filter(|row| ends(row, elsewhere)) {
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
        if was.is_gone() {
            // It was in no set meanwhile, and who confirmed an earlier one says nothing of this.
            (row.published_at, row.published_epoch) = (None, None);
        }
        row.published_at.get_or_insert(now);
        row.published_epoch.get_or_insert(epoch);
        row.gone_at = None;
    } else {
        row.gone_at = Some(now);
    }
    let name = match state {
        // It is to sign later, whatever it did before.
        KeyState::Published => {
            row.activate_at = None;
            "key.published"
        }
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

/// The keys as this replica has them: its own resources decide about those that it names, those of the others about the rest, and
/// the database about keys of a plan.
pub(crate) fn as_declared(
    mut ledger: Ledger,
    declared: &Declared,
    elsewhere: &Elsewhere,
    now: Timestamp,
) -> Ledger {
    let own: BTreeSet<&str> = declared.kids().collect();
    let is_own = |row: &KeyRecord| own.contains(row.kid.as_str());
    // One that left the set because its time was over stays out; not so one that left since nobody seemed to name it.
    let has_ended =
        |row: &KeyRecord| row.evict_not_before.is_some() && decide::evict_at(&declared.plan, row) < now;
    ledger.keys.retain(|row| !row.declared || is_own(row) || elsewhere.may_name(row));
    for row in ledger.keys.iter_mut().filter(|row| row.declared && !is_own(row)) {
        row.private = None;
        if row.state == KeyState::Evicted && !has_ended(row) {
            row.state = KeyState::Verifying;
        }
    }
    for (key, state) in wanted(declared) {
        if let Some(row) = ledger.key_mut(&key.kid)
            && !(state == KeyState::Verifying && is_over(row, key, &declared.plan, now))
        {
            row.state = state;
            row.private = key.private.as_ref().map(|_| ELSEWHERE.to_owned());
            row.declared = true;
        }
    }
    ledger
}

/// Whether verifiers that keep the set were not told in time of `row`, the key that signs. Before the first key of all there
/// was nothing to verify, so nobody is surprised by that one.
pub(crate) fn is_surprise(ledger: &Ledger, row: &KeyRecord, lead_floor: std::time::Duration) -> bool {
    let signed_before = |other: &KeyRecord| {
        other.kid != row.kid
            && other.activate_at.is_some_and(|at| row.activate_at.is_none_or(|ours| at <= ours))
    };
    ledger.keys.iter().any(signed_before) && !was_announced(row, lead_floor)
}

/// Whether the key that signs stood in the set for `lead_floor` before it began: AppSSO's way changes keys at once, and some
/// verifiers notice.
pub(super) fn was_announced(row: &KeyRecord, lead_floor: std::time::Duration) -> bool {
    let announced = row.activate_at.zip(row.published_at).map(|(at, published)| at.since(published));
    announced.is_some_and(|lead| lead >= lead_floor)
}
