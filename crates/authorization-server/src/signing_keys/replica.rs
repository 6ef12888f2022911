//! One replica's loop: look at the keys, do what is due, hold a fresh snapshot, give a sign of life.

mod halves;
mod making;
mod naming;
mod process;
mod remains;
mod served;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use sealwright_audit::AuditLog;
use sealwright_keystore::{KeyHandle, KeyProvider, KeystoreError};
use sealwright_service::clock::{Clock, Timestamp};
use sealwright_service::database::{Database, Kind};
use sealwright_service::random;
use sealwright_service::shutdown::Shutdown;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, timeout};

use self::making::{Making, Unmade};
use self::process::{listen, name, with_jitter};
use self::remains::DESTROY_BUDGET;
use self::served::Hold;
use super::decide;
use super::declared::{self, DeclareError};
use super::meter::Meter;
use super::plan::Plan;
use super::record::{KeyRecord, Ledger, Replica, Wants};
use super::snapshot::{KeySnapshot, Keys, Signer, publish};
use super::transaction::{self, AuditFailed, CHANNEL};
use crate::config::token_signature::Declared;
use crate::store::signing_key;

/// How long a replica waits before it does what another one left undone.
const LEFT_UNDONE: Duration = Duration::from_secs(60);

/// How long one look may take. Keys are opened in it, in a token of hardware perhaps. A start waits as long for the first keys.
const LOOK_LIMIT: Duration = Duration::from_secs(60);

/// How long a start waits for keys in reserve.
const RESERVE_PATIENCE: Duration = Duration::from_secs(5);

const A_YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// Why the keys could not be looked at.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeysError {
    #[error("storage failed")]
    Store(#[from] sqlx::Error),
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    #[error(transparent)]
    Declared(#[from] DeclareError),
    #[error("the database, or the token with the keys, did not answer in time")]
    Slow,
    #[error("changes of keys could not be written into the audit log")]
    Audit(#[from] AuditFailed),
}

/// Where a server's keys come from.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a server has two of them, and plans are the usual case")]
pub(crate) enum Source {
    /// They are made and changed by plan.
    Planned { plan: Plan, provider: KeyProvider },
    /// Resources name them.
    Declared(Box<Declared>),
}

impl Source {
    fn plan_mut(&mut self) -> &mut Plan {
        match self {
            Self::Planned { plan, .. } => plan,
            Self::Declared(declared) => &mut declared.plan,
        }
    }

    pub(crate) fn plan(&self) -> &Plan {
        match self {
            Self::Planned { plan, .. } => plan,
            Self::Declared(declared) => &declared.plan,
        }
    }

    /// What makes keys, where they are not declared.
    fn provider(&self) -> Option<&KeyProvider> {
        match self {
            Self::Planned { provider, .. } => Some(provider),
            Self::Declared(_) => None,
        }
    }

    /// What the other replicas are to know of it.
    pub(crate) fn wants(&self) -> Wants {
        match self {
            Self::Planned { plan, .. } => Wants::Planned(plan.wanted().collect()),
            Self::Declared(declared) => Wants::Declared(declared.kids().map(str::to_owned).collect()),
        }
    }
}

/// A new source for the keys, and who waits to hear whether it was taken.
pub(crate) type Replacement = (Source, oneshot::Sender<Result<(), KeysError>>);

/// What a replica needs to take part.
pub(crate) struct ReplicaLoop {
    source: Source,
    /// What made keys before the source was replaced, one for each token, for as long as something in that is to be destroyed.
    former: Vec<KeyProvider>,
    database: Database,
    clock: Clock,
    me: Replica,
    /// How far the database's clock is ahead, in milliseconds.
    correction_ms: i64,
    /// The private halves that are open, by `kid`.
    open: BTreeMap<String, KeyHandle>,
    /// What each key did that is not gone, by `kid`.
    meters: BTreeMap<String, Arc<Meter>>,
    /// Until when tokens of each key may live, in seconds, as the database confirmed.
    reserved: BTreeMap<String, i64>,
    /// What was said about a key that does not open, so that it is said once.
    complained: BTreeMap<String, String>,
    /// Private halves as they were sealed when they were looked at last, by `kid`, and whether this replica can open them.
    sealed: BTreeMap<String, (String, bool)>,
    /// Keys whose private halves could not be destroyed, so that it is said once.
    undestroyed: BTreeSet<String>,
    /// Where such an attempt failed lately, and when.
    destroy_failed: Vec<(String, Timestamp)>,
    /// When nothing was found of a key that somebody gave up making, by `kid`.
    unfound: BTreeMap<String, Timestamp>,
    /// The key that is being made, and what tells that it is.
    making: Option<Making>,
    made: Arc<Notify>,
    /// The keys that could not be made, by algorithm.
    unmade: BTreeMap<&'static str, Unmade>,
    /// Keys in reserve that are not in their token, so that it is said once.
    lost: BTreeSet<String>,
    /// Keys that sign although their algorithm left the plan, so that it is said once.
    left_over: BTreeSet<String>,
    /// How what signed goes on after a change of the source.
    hold: Option<Hold>,
    /// Since when this replica has looked without a gap, and when it did so last.
    watched: Option<(Timestamp, Timestamp)>,
    /// What the others were told of this replica's source.
    told: Option<Wants>,
    keys: Option<Arc<Keys>>,
    /// Whether there is something of its own that the audit log lacks.
    has_news: bool,
}

impl ReplicaLoop {
    pub(crate) fn new(source: Source, database: Database, clock: Clock) -> Self {
        let now = clock.now();
        let (id, name, wants) = (random::id("rep_"), name(), source.wants());
        let me = Replica { id, name, started_at: now, seen_at: now, epoch: 0, wants };
        Self {
            source,
            former: Vec::new(),
            database,
            clock,
            me,
            correction_ms: 0,
            open: BTreeMap::new(),
            meters: BTreeMap::new(),
            reserved: BTreeMap::new(),
            complained: BTreeMap::new(),
            sealed: BTreeMap::new(),
            undestroyed: BTreeSet::new(),
            destroy_failed: Vec::new(),
            unfound: BTreeMap::new(),
            making: None,
            made: Arc::default(),
            unmade: BTreeMap::new(),
            lost: BTreeSet::new(),
            left_over: BTreeSet::new(),
            hold: None,
            watched: None,
            told: None,
            keys: None,
            has_news: false,
        }
    }

    /// The first look: makes the first keys if there are none, and gives what requests read from then on.
    pub(crate) async fn start(&mut self, audit: &AuditLog) -> Result<Arc<Keys>, KeysError> {
        let first = match self.first_looks().await {
            Ok(first) => first,
            Err(error) => {
                self.leave().await;
                return Err(error);
            }
        };
        transaction::audit(&self.database, audit, self.now(), self.now()).await?;
        let keys = Arc::new(Keys::new(first, self.clock.clone()));
        keys.correct(self.correction_ms);
        self.keys = Some(Arc::clone(&keys));
        self.confirm().await?;
        Ok(keys)
    }

    /// Looks once, and once more when keys were made. Who has a token that takes long for the first ones starts without.
    async fn first_looks(&mut self) -> Result<KeySnapshot, KeysError> {
        let prepared = async {
            self.correct_clock().await?;
            // Before anything is changed, so that the others let be what this replica goes by.
            self.beat(self.now()).await?;
            self.adopt(&self.source.clone()).await
        };
        timeout(LOOK_LIMIT, prepared).await.map_err(|_| KeysError::Slow)??;
        let first = self.look_in_time().await?;
        let is_planned = matches!(self.source, Source::Planned { .. });
        let signs = |key: &KeyRecord| !key.declared && key.signs_at(self.now());
        let nothing_signs = is_planned && !first.ledger.keys.iter().any(signs);
        let patience = if nothing_signs { LOOK_LIMIT } else { RESERVE_PATIENCE };
        let made = timeout(patience + LOOK_LIMIT, self.make_missing(&first.ledger, patience)).await;
        let has_made = made.map_err(|_| KeysError::Slow)??;
        if nothing_signs && let Some((_, unmade)) = self.unmade.pop_first() {
            return Err(unmade.error.into());
        }
        if has_made { self.look_in_time().await } else { Ok(first) }
    }

    /// Looks again and again, until shutdown begins; then takes leave.
    pub(crate) async fn run(
        mut self,
        audit: AuditLog,
        mut replacements: mpsc::Receiver<Replacement>,
        shutdown: Shutdown,
    ) {
        let told = self.keys.as_ref().map_or_else(Arc::default, |keys| keys.told());
        let listening =
            tokio::spawn(listen(self.database.clone(), Arc::clone(&told), self.source.plan().poll));
        loop {
            let replacement = tokio::select! {
                () = shutdown.begun() => break,
                () = told.notified() => None,
                () = self.made.notified() => None,
                () = tokio::time::sleep(self.pause()) => None,
                replacement = replacements.recv(), if !replacements.is_closed() => replacement,
            };
            tokio::select! {
                () = shutdown.begun() => break,
                () = self.step(&audit, replacement) => {}
            }
        }
        listening.abort();
        self.leave().await;
    }

    pub(super) async fn leave(&self) {
        if let Ok(mut conn) = self.database.writer().acquire().await {
            // Without it the others would wait for this replica for half a minute, and then no longer.
            let _ = signing_key::leave(&mut conn, &self.me.id).await;
        }
    }

    async fn step(&mut self, audit: &AuditLog, replacement: Option<Replacement>) {
        match replacement {
            None => self.turn(audit).await,
            Some((source, answer)) => {
                let replaced = self.replace(source, audit).await;
                // That nobody waits for the answer any more changes nothing.
                let _ = answer.send(replaced);
            }
        }
    }

    /// Goes by another source from now on; what is refused leaves the running keys as they are. Once it is taken, what fails is
    /// tried again at the next turn, as always.
    pub(crate) async fn replace(&mut self, mut source: Source, audit: &AuditLog) -> Result<(), KeysError> {
        // Requests go by the old lifetimes and the old clients until the next start.
        source.plan_mut().keep_for_requests(self.source.plan(), self.now());
        self.opens_what_is_open(&source).await?;
        self.adopt(&source).await?;
        if let Source::Planned { provider, .. } = std::mem::replace(&mut self.source, source) {
            self.keep_former(provider);
        }
        // What is open may belong to another key-encryption key or token.
        self.open.clear();
        self.sealed.clear();
        self.undestroyed.clear();
        self.give_up_making();
        self.destroy_failed.clear();
        self.has_news = true;
        self.hold = Some(Hold::new(self.source.plan()));
        self.turn(audit).await;
        Ok(())
    }

    /// Whether another source can use the keys that sign now: one that could not would end signing.
    async fn opens_what_is_open(&self, source: &Source) -> Result<(), KeysError> {
        let Source::Planned { provider, .. } = source else { return Ok(()) };
        // Not as they were at the last look: they may have been sealed anew since.
        let (ledger, _) = self.read().await?;
        let open = ledger.keys.iter().filter(|key| !key.declared && self.open.contains_key(&key.kid));
        for key in open {
            if let Some(private) = &key.private {
                provider.open(&key.kid, private).await?;
            }
        }
        Ok(())
    }

    /// One turn of the loop. What fails is tried again at the next.
    pub(crate) async fn turn(&mut self, audit: &AuditLog) {
        if let Err(error) = self.try_turn(audit).await {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(%error, cause, "the signing keys could not be looked at; trying again");
            self.forget_what_is_stale();
        }
    }

    async fn try_turn(&mut self, audit: &AuditLog) -> Result<(), KeysError> {
        let mut ledger = self.look_and_swap().await?;
        // Only begun, and after what was revoked has left the set; what was begun before is perhaps there by now.
        let made = timeout(LOOK_LIMIT, self.make_missing(&ledger, Duration::ZERO)).await;
        if made.map_err(|_| KeysError::Slow)?? {
            self.has_news = true;
            ledger = self.look_and_swap().await?;
        }
        // What this replica did stands in the log at once; what another left undone, after a while.
        let now = self.now();
        let before = if self.has_news { now } else { now.minus(LEFT_UNDONE) };
        match transaction::audit(&self.database, audit, before, now).await {
            Ok(()) => self.has_news = false,
            Err(error) => {
                tracing::warn!(%error, "changes of signing keys do not stand in the audit log yet; trying again");
            }
        }
        // Last, since nobody waits for it, and a token may let this one wait.
        if let Err(error) = self.destroy_remains(&ledger, self.now(), DESTROY_BUDGET).await {
            tracing::warn!(%error, "what is to be destroyed could not be looked at; trying again");
        }
        Ok(())
    }

    /// Has requests read the keys as they are now; gives them.
    async fn look_and_swap(&mut self) -> Result<Arc<Ledger>, KeysError> {
        let snapshot = self.look_in_time().await?;
        let ledger = Arc::clone(&snapshot.ledger);
        let snapshot = self.hold_back(snapshot);
        if let Some(keys) = &self.keys {
            keys.correct(self.correction_ms);
            keys.swap(snapshot);
        }
        self.confirm().await?;
        Ok(ledger)
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.now().as_millis() + self.correction_ms)
    }

    async fn look_in_time(&mut self) -> Result<KeySnapshot, KeysError> {
        timeout(LOOK_LIMIT, self.look()).await.unwrap_or(Err(KeysError::Slow))
    }

    /// Does what is due, and gives the keys as they are then.
    async fn look(&mut self) -> Result<KeySnapshot, KeysError> {
        // Counted from before the question, since the answer may take its time.
        let asked = Instant::now();
        self.me.wants = self.source.wants();
        self.correct_clock().await?;
        let now = self.now();
        self.source.plan_mut().forget_older_sets(now);
        let (mut ledger, mut replicas) = self.read().await?;
        let watching_since = self.watching_since(self.source.plan(), self.now());
        let named = self.named_elsewhere(&self.source, &replicas, self.now());
        if self.end_strays(&ledger, &named, self.now()).await? {
            self.has_news = true;
            (ledger, replicas) = self.read().await?;
        }
        let now = self.now();
        self.say_what_is_left_over(&ledger);
        if !self.awaits_keys(&ledger) && self.change(&ledger, &replicas, now).await? {
            self.has_news = true;
            // Who names a key that came meanwhile is to be known with it.
            (ledger, replicas) = self.read().await?;
        }
        let fresh_until = match &self.source {
            Source::Planned { plan, .. } => asked + plan.max_stale,
            // The resources are at hand, whether the database answers or not.
            Source::Declared(declared) => {
                let named = self.named_elsewhere(&self.source, &replicas, now);
                ledger = declared::as_declared(ledger, declared, &named, now);
                asked + A_YEAR
            }
        };
        self.reserve(&ledger, now).await?;
        self.meters.retain(|kid, _| ledger.key(kid).is_some_and(|key| !key.state.is_gone()));
        self.notice_other_seals(&ledger).await;
        self.open_signers(&ledger).await;
        // The others know what it goes by before it does; that it serves these keys they hear once it does.
        self.beat(now).await?;
        self.watched = Some((watching_since, self.now()));
        Ok(self.snapshot(ledger, replicas, fresh_until))
    }

    /// Says of each key that signs although its algorithm left the plan that it does, and until when.
    fn say_what_is_left_over(&mut self, ledger: &Ledger) {
        let Source::Planned { plan, .. } = &self.source else { return };
        let mut left_over = BTreeSet::new();
        for key in decide::left_over(plan, ledger) {
            if !self.left_over.contains(&key.kid) {
                tracing::warn!(
                    kid = key.kid,
                    alg = key.alg.name(),
                    "the algorithm of this key is not in the plan any more: the key signs until one of the plan does and \
                     neither another replica nor a client of this one, as it was started, asks for it"
                );
            }
            left_over.insert(key.kid.clone());
        }
        self.left_over = left_over;
    }

    /// Carries out what is due; whether that changed any key.
    async fn change(&self, ledger: &Ledger, replicas: &[Replica], now: Timestamp) -> Result<bool, KeysError> {
        let heard = self.heard(self.source.plan(), replicas, now);
        let due = |ledger: &Ledger| match &self.source {
            Source::Planned { plan, .. } => decide::due(plan, ledger, &heard, now),
            Source::Declared(declared) => decide::due_beside_declared(&declared.plan, ledger, &heard, now),
        };
        if due(ledger).is_empty() {
            return Ok(false);
        }
        let Some(changed) = transaction::change(&self.database, now, due).await? else { return Ok(false) };
        for event in &changed.events {
            tracing::info!(kid = event.kid, alg = event.alg.name(), event = event.name, "signing key");
        }
        Ok(true)
    }

    pub(super) async fn read(&self) -> sqlx::Result<(Ledger, Vec<Replica>)> {
        let mut conn = self.database.reader().acquire().await?;
        let ledger = signing_key::load(&mut conn).await?;
        let mut replicas = signing_key::replicas(&mut conn).await?;
        // What it goes by now may not have been told yet.
        for replica in replicas.iter_mut().filter(|replica| replica.id == self.me.id) {
            replica.wants = self.me.wants.clone();
        }
        Ok((ledger, replicas))
    }

    /// All replicas go by the database's clock. SQLite is on this machine and has the same; a test's clock is right by
    /// definition.
    async fn correct_clock(&mut self) -> sqlx::Result<()> {
        if self.database.kind() != Kind::Postgres || !self.clock.is_system() {
            return Ok(());
        }
        let mut conn = self.database.reader().acquire().await?;
        let asked = self.clock.now().as_millis();
        let theirs = signing_key::database_time(&mut conn).await?.as_millis();
        let answered = self.clock.now().as_millis();
        self.correction_ms = theirs - (asked + (answered - asked) / 2);
        Ok(())
    }

    /// Has the database confirm until when tokens may live, for every key that may sign before the next look but one.
    async fn reserve(&mut self, ledger: &Ledger, now: Timestamp) -> sqlx::Result<()> {
        let plan = self.source.plan();
        let soon = now.plus(plan.max_stale);
        let (needed_s, wanted_s) = decide::reservation_s(plan, now);
        let mut reserved = BTreeMap::new();
        for key in ledger.keys.iter().filter(|key| key.signs_at(soon)) {
            let mut until_s = self.reserved.get(&key.kid).copied().or(key.max_exp_s);
            if until_s.is_none_or(|until_s| until_s < needed_s) {
                let mut conn = self.database.writer().acquire().await?;
                until_s = signing_key::reserve(&mut conn, &key.kid, wanted_s).await?;
            }
            if let Some(until_s) = until_s {
                reserved.insert(key.kid.clone(), until_s);
            }
        }
        self.reserved = reserved;
        Ok(())
    }

    /// Tells the others that requests see the keys of the last look here: on that they rely when a key begins to sign. A replica
    /// that cannot sign with one of them must not count as one that can.
    async fn confirm(&mut self) -> Result<(), KeysError> {
        let epoch = self.keys.as_ref().map(|keys| keys.snapshot().ledger.epoch);
        let Some(epoch) = epoch.filter(|epoch| *epoch != self.me.epoch && self.complained.is_empty()) else {
            return Ok(());
        };
        timeout(LOOK_LIMIT, self.give_sign(epoch, self.now())).await.map_err(|_| KeysError::Slow)??;
        Ok(())
    }

    /// A sign of life, when the others do not know what this one goes by, do not know it at all, or the last is getting old.
    async fn beat(&mut self, now: Timestamp) -> sqlx::Result<()> {
        let known = self
            .keys
            .as_ref()
            .is_some_and(|keys| keys.snapshot().replicas.iter().any(|replica| replica.id == self.me.id));
        let is_news = self.told.as_ref() != Some(&self.me.wants);
        if known && !is_news && now.since(self.me.seen_at) < self.source.plan().replica_timeout() / 3 {
            return Ok(());
        }
        self.give_sign(self.me.epoch, now).await
    }

    async fn give_sign(&mut self, epoch: i64, now: Timestamp) -> sqlx::Result<()> {
        let mut conn = self.database.writer().acquire().await?;
        signing_key::beat(&mut conn, &Replica { seen_at: now, epoch, ..self.me.clone() }).await?;
        (self.me.seen_at, self.me.epoch) = (now, epoch);
        if self.told.as_ref() != Some(&self.me.wants) {
            if self.database.kind() == Kind::Postgres {
                signing_key::notify(&mut conn, CHANNEL, epoch).await?;
            }
            self.told = Some(self.me.wants.clone());
        }
        signing_key::forget_replicas(&mut conn, now.minus(Duration::from_secs(24 * 3600))).await
    }

    fn snapshot(&self, ledger: Ledger, replicas: Vec<Replica>, fresh_until: Instant) -> KeySnapshot {
        let plan = self.source.plan();
        let signer = |candidate: decide::Candidate<'_>| {
            let kid = &candidate.key.kid;
            let reserved_until_s = match self.reserved.get(kid) {
                // Its own resources say when a declared key leaves the set, so no promise to the others is needed.
                _ if candidate.key.declared => i64::MAX,
                Some(until_s) => *until_s,
                None => i64::MIN,
            };
            let handle = self.open.get(kid)?.clone();
            Some(Signer { handle, begins_at: candidate.begins_at, reserved_until_s })
        };
        let signers: Arc<[Signer]> =
            decide::candidates(plan, &ledger).into_iter().filter_map(signer).collect();
        let set = publish(&ledger, plan.jwks_max_age);
        // Who goes by a plan always has a key to sign with, once it has looked.
        let lacks_keys = matches!(self.source, Source::Planned { .. }) && signers.is_empty();
        let all_open = self.complained.is_empty() && !lacks_keys;
        let declares_no_signer =
            matches!(&self.source, Source::Declared(declared) if declared.signing.is_none());
        KeySnapshot {
            ledger: Arc::new(ledger),
            replicas: replicas.into(),
            signers,
            meters: self.meters.values().cloned().collect(),
            set,
            all_open,
            sealed_elsewhere: self.sealed.values().filter(|(_, opens)| !opens).count(),
            declares_no_signer,
            fresh_until,
        }
    }
}
