//! What is kept about one key, and the changes that it goes through.
//!
//! Everything here is arithmetic on values: the store writes down what [`Ledger::apply`] made of them.

use std::collections::BTreeSet;

use sealwright_jose::{Alg, VerifyingKey};
use sealwright_service::clock::Timestamp;

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum KeyState {
    /// Made and tested; nobody outside knows of it.
    Staged,
    /// In the set, so that verifiers learn of it before they need it.
    Published,
    /// In the set, and signs.
    Active,
    /// In the set for the tokens that it signed; its private half is erased.
    Verifying,
    /// Out of the set, since all its tokens have expired.
    Evicted,
    /// Out of the set at once, by an operator.
    Revoked,
}

impl KeyState {
    const ALL: [Self; 6] =
        [Self::Staged, Self::Published, Self::Active, Self::Verifying, Self::Evicted, Self::Revoked];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Staged => "staged",
            Self::Published => "published",
            Self::Active => "active",
            Self::Verifying => "verifying",
            Self::Evicted => "evicted",
            Self::Revoked => "revoked",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// In which a key stands in the published set, in that order.
    pub(crate) const PUBLIC: [Self; 3] = [Self::Active, Self::Published, Self::Verifying];

    /// Whether nothing will change about the key any more.
    pub(crate) fn is_gone(self) -> bool {
        matches!(self, Self::Evicted | Self::Revoked)
    }
}

/// One key. Its `kid` is never used for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyRecord {
    pub(crate) kid: String,
    pub(crate) alg: Alg,
    pub(crate) state: KeyState,
    /// The public half as a JWK, with `kid`, `alg` and `use`.
    pub(crate) public_jwk: String,
    /// RFC 7638, SHA-256, in base64url.
    pub(crate) thumbprint: String,
    /// What the key's provider needs to open the private half: sealed, or a reference. `None` once it is erased.
    pub(crate) private: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) published_at: Option<Timestamp>,
    /// The epoch of the set that the key first stood in.
    pub(crate) published_epoch: Option<i64>,
    /// From when an operator wants the key to sign, in place of the plan's moment.
    pub(crate) wanted_at: Option<Timestamp>,
    /// When the key begins to sign, for every replica by the clock. Agreed on once, and then it stands.
    pub(crate) activate_at: Option<Timestamp>,
    pub(crate) retired_at: Option<Timestamp>,
    /// No token that this key signed expires later than this, in seconds: raised before it signs.
    pub(crate) max_exp_s: Option<i64>,
    /// The operator's "not before" for leaving the set.
    pub(crate) evict_not_before: Option<Timestamp>,
    pub(crate) gone_at: Option<Timestamp>,
    /// Why it was revoked.
    pub(crate) reason: Option<String>,
    /// Whether resources name it; else it was made by plan.
    pub(crate) declared: bool,
}

impl KeyRecord {
    /// A key that nobody knows of yet.
    pub(crate) fn new(
        kid: &str,
        public: &VerifyingKey,
        thumbprint: String,
        private: Option<String>,
        now: Timestamp,
    ) -> Self {
        let public_jwk = public.clone().with_kid(kid).to_jwk();
        Self { public_jwk, thumbprint, private, ..Self::blank(kid, public.alg(), now) }
    }

    /// A name for a key, and nothing else yet.
    pub(super) fn blank(kid: &str, alg: Alg, now: Timestamp) -> Self {
        Self {
            kid: kid.to_owned(),
            alg,
            state: KeyState::Staged,
            public_jwk: String::new(),
            thumbprint: String::new(),
            private: None,
            created_at: now,
            published_at: None,
            published_epoch: None,
            wanted_at: None,
            activate_at: None,
            retired_at: None,
            max_exp_s: None,
            evict_not_before: None,
            gone_at: None,
            reason: None,
            declared: false,
        }
    }

    /// Whether the key signs at `now`: it does, or the moment agreed on has come.
    pub(crate) fn signs_at(&self, now: Timestamp) -> bool {
        self.private.is_some()
            && match self.state {
                KeyState::Active => true,
                KeyState::Published => self.activate_at.is_some_and(|at| at <= now),
                _ => false,
            }
    }
}

/// One replica of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Replica {
    /// New at every start of a process.
    pub(crate) id: String,
    /// Host and process, for people.
    pub(crate) name: String,
    pub(crate) started_at: Timestamp,
    /// Its last sign of life.
    pub(crate) seen_at: Timestamp,
    /// The newest set that it serves, and all of whose signing keys it can use.
    pub(crate) epoch: i64,
    pub(crate) wants: Wants,
}

/// What a replica goes by, so that the others leave it be while it lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wants {
    /// Its version does not say.
    Unknown,
    /// Keys that are made by plan, of these algorithms.
    Planned(Vec<Alg>),
    /// The keys that its resources name.
    Declared(Vec<String>),
}

impl Wants {
    /// Whether it may sign with a key of `alg` that was made by plan.
    pub(crate) fn signs(&self, alg: Alg) -> bool {
        match self {
            Self::Unknown => true,
            Self::Planned(algs) => algs.contains(&alg),
            Self::Declared(_) => false,
        }
    }
}

/// One step in the life of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Staged → published.
    Publish { kid: String },
    /// The moment from which it signs is agreed on.
    Schedule { kid: String, at: Timestamp },
    /// Published → active; what was active until then only verifies, and its private half is erased.
    Activate { kid: String },
    /// A key that nobody signs with any more: active → verifying, and what was to sign later → evicted, unless its moment was
    /// agreed on already, by which a replica that is out of reach goes; either way the private half is erased.
    Retire { kid: String },
    /// Verifying → evicted.
    Evict { kid: String },
    /// An operator asked for something about the key: that it signs from `at` on, or for the change beside this one.
    Request { kid: String, at: Option<Timestamp>, reason: Option<String> },
    /// From anywhere → revoked, with its private half erased; but not from evicted, where nothing is left of it to take back.
    Revoke { kid: String, reason: String },
}

/// What happened to a key, for the audit log and the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) kid: String,
    pub(crate) alg: Alg,
    /// As it stands in the audit log: `key.published`.
    pub(crate) name: &'static str,
    pub(crate) at: Timestamp,
    pub(crate) reason: Option<String>,
}

/// All keys that there ever were, as they stand at one epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ledger {
    pub(crate) epoch: i64,
    pub(crate) keys: Vec<KeyRecord>,
}

impl Ledger {
    pub(crate) fn key(&self, kid: &str) -> Option<&KeyRecord> {
        self.keys.iter().find(|key| key.kid == kid)
    }

    /// The names of the algorithms that tokens are signed with, or will be by a key that is announced.
    pub(crate) fn algorithms(&self) -> BTreeSet<&'static str> {
        let signs = |key: &&KeyRecord| matches!(key.state, KeyState::Active | KeyState::Published);
        self.keys.iter().filter(signs).map(|key| key.alg.name()).collect()
    }

    pub(crate) fn key_mut(&mut self, kid: &str) -> Option<&mut KeyRecord> {
        self.keys.iter_mut().find(|key| key.kid == kid)
    }

    /// Carries a change out, at the epoch that it begins; gives what happened. A change that does not fit the key's state
    /// any more changes nothing.
    pub(crate) fn apply(&mut self, change: &Change, now: Timestamp, epoch: i64) -> Vec<Event> {
        let mut events = Vec::new();
        match change {
            Change::Publish { kid } => {
                let Some(key) = self.key_mut(kid).filter(|key| key.state == KeyState::Staged) else {
                    return events;
                };
                key.state = KeyState::Published;
                key.published_at = Some(now);
                key.published_epoch = Some(epoch);
                events.push(event(key, "key.published", now));
            }
            Change::Schedule { kid, at } => {
                if let Some(key) = self.key_mut(kid).filter(|key| key.state == KeyState::Published) {
                    key.activate_at = Some(*at);
                    events.push(event(key, "key.scheduled", now));
                }
            }
            Change::Activate { kid } => self.activate(kid, now, &mut events),
            Change::Request { kid, at, reason } => {
                if let Some(key) = self.key_mut(kid).filter(|key| !key.state.is_gone()) {
                    key.wanted_at = at.or(key.wanted_at);
                    events.push(Event { reason: reason.clone(), ..event(key, "key.requested", now) });
                }
            }
            Change::Retire { kid } => {
                let Some(key) = self.key_mut(kid) else { return events };
                let is_agreed_on = key.state == KeyState::Published
                    && (key.activate_at.is_some() || key.max_exp_s.is_some());
                let name = match key.state {
                    _ if key.state == KeyState::Active || is_agreed_on => {
                        (key.state, key.retired_at) = (KeyState::Verifying, Some(now));
                        "key.retired"
                    }
                    KeyState::Staged | KeyState::Published => {
                        (key.state, key.gone_at) = (KeyState::Evicted, Some(now));
                        "key.evicted"
                    }
                    _ => return events,
                };
                key.private = None;
                events.push(event(key, name, now));
            }
            Change::Evict { kid } => {
                if let Some(key) = self.key_mut(kid).filter(|key| key.state == KeyState::Verifying) {
                    key.state = KeyState::Evicted;
                    key.gone_at = Some(now);
                    events.push(event(key, "key.evicted", now));
                }
            }
            Change::Revoke { kid, reason } => {
                if let Some(key) = self.key_mut(kid).filter(|key| !key.state.is_gone()) {
                    // A key that signs did not end before it began, whatever the clock of who revokes it says: its end would
                    // count as that of a key which had given way to another before.
                    let began = key.activate_at.filter(|_| key.state == KeyState::Active);
                    key.gone_at = Some(began.map_or(now, |began| began.max(now)));
                    key.state = KeyState::Revoked;
                    key.private = None;
                    key.reason = Some(reason.clone());
                    events.push(event(key, "key.revoked", now));
                }
            }
        }
        events
    }

    fn activate(&mut self, kid: &str, now: Timestamp, events: &mut Vec<Event>) {
        let Some(key) = self.key_mut(kid).filter(|key| key.state == KeyState::Published) else { return };
        key.state = KeyState::Active;
        let (alg, at) = (key.alg, *key.activate_at.get_or_insert(now));
        events.push(event(key, "key.activated", now));
        for old in &mut self.keys {
            let may_end = old.state == KeyState::Active && !old.declared;
            if may_end && old.alg == alg && old.kid != kid {
                old.state = KeyState::Verifying;
                old.private = None;
                old.retired_at = Some(at);
                events.push(event(old, "key.retired", now));
            }
        }
    }
}

fn event(key: &KeyRecord, name: &'static str, at: Timestamp) -> Event {
    Event { kid: key.kid.clone(), alg: key.alg, name, at, reason: key.reason.clone() }
}
