//! Looks at the keys of a server and changes them, beside the servers that use them.

use std::io;
use std::path::PathBuf;

use sealwright_jose::KeyError;
use sealwright_keystore::KeystoreError;
use sealwright_service::clock::{Clock, Timestamp};
use sealwright_service::database::{Database, DatabaseError, Kind};
use serde::Serialize;

use super::consequences::{Consequences, consequences};
use super::files::KeyFiles;
use super::keeping::Resealed;
use super::list::{KeyList, list};
use crate::config::{Config, FirstStartError};
use crate::signing_keys::decide;
use crate::signing_keys::operate::{self, Action, Refusal};
use crate::signing_keys::record::{Ledger, Replica};
use crate::signing_keys::replica::Source;
use crate::signing_keys::transaction;
use crate::start::source_to_look_at;
use crate::store::{MIGRATOR, signing_key};

/// The longest text that says why an operator does something.
const MAX_REASON_BYTES: usize = 500;

/// Why keys cannot be looked at or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyAdminError {
    /// The database cannot be opened.
    #[error("the database cannot be opened")]
    Database(#[from] DatabaseError),
    /// No server has used this database yet.
    #[error("there are no keys yet: the database is made when the server starts for the first time")]
    NoDatabase,
    /// A statement failed.
    #[error("storage failed")]
    Store(#[from] sqlx::Error),
    /// A private half cannot be opened, sealed or destroyed.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// Some private halves do not open, so the key-encryption keys that they may be under have to stay.
    #[error("{} did not open, so no key-encryption key may go yet ({} sealed anew, {} as they were)", sentences(failed), counts.resealed, counts.unchanged)]
    NotResealed {
        /// What was done all the same.
        counts: Resealed,
        /// Why others were not.
        failed: Vec<KeystoreError>,
    },
    /// A folder cannot be listed.
    #[error("cannot read the folder {}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The folder of the server's state cannot be made.
    #[error(transparent)]
    FirstStart(#[from] FirstStartError),
    /// A public half in the database is no key any more.
    #[error("a key in the database cannot be read")]
    Unreadable(#[source] KeyError),
    /// The key stays as it is.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A backup is none, or not one for this server; the sentence says why.
    #[error("{0}")]
    Backup(String),
    /// The reason is missing, too long or not one line.
    #[error("a reason is one line of at most {MAX_REASON_BYTES} bytes, and a revocation needs one")]
    Reason,
}

/// Of each what is wrong.
fn sentences(failed: &[KeystoreError]) -> String {
    let sentences: Vec<String> = failed.iter().map(ToString::to_string).collect();
    sentences.join("; ")
}

/// The keys of one server, for an operator; cheap to clone.
///
/// # Examples
///
/// ```no_run
/// # async fn example(config: sealwright_authorization_server::Config) -> Result<(), Box<dyn std::error::Error>> {
/// use sealwright_authorization_server::keys::{Action, KeyAdmin};
/// use sealwright_service::clock::Clock;
///
/// let admin = KeyAdmin::open(&config, Clock::system()).await?;
/// let rotate = Action::Rotate { alg: None, now: false };
/// println!("{}", admin.consequences(&rotate).await?.sentences.join("\n"));
/// admin.act(&rotate, Some("a colleague left")).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct KeyAdmin {
    name: String,
    issuer: String,
    pub(super) source: Source,
    pub(super) database: Database,
    /// For who was given the configuration.
    pub(super) files: Option<KeyFiles>,
    clock: Clock,
    /// Whether the plan may be another than the one that running servers go by.
    is_plan_doubtful: bool,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Done {
    /// Counts the changes of keys.
    pub epoch: i64,
    /// What happened, in this order.
    pub events: Vec<Happened>,
}

/// One thing that happened to a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Happened {
    /// The key.
    pub kid: String,
    /// Its algorithm.
    pub alg: &'static str,
    /// What happened, as it stands in the audit log: `key.published`.
    pub event: &'static str,
    /// When.
    pub at: Timestamp,
}

impl KeyAdmin {
    /// Opens the database of the server that `config` describes, whether it runs or not.
    ///
    /// # Errors
    ///
    /// [`KeyAdminError::Database`]; [`KeyAdminError::NoDatabase`] for a SQLite file that is not there.
    pub async fn open(config: &Config, clock: Clock) -> Result<Self, KeyAdminError> {
        if let Some(sqlite) = &config.storage.sqlite
            && !config.base_dir.join(&sqlite.path).exists()
        {
            return Err(KeyAdminError::NoDatabase);
        }
        Self::connect(config, clock).await
    }

    /// As [`open`](Self::open), and makes a database that is not there: to restore keys before the server's first start.
    ///
    /// A token with keys is opened when one of them is needed, which is for [`restore`](Self::restore) alone.
    ///
    /// # Errors
    ///
    /// [`KeyAdminError::Database`]; [`KeyAdminError::FirstStart`] if the folder for it cannot be made;
    /// [`KeyAdminError::Keystore`] if the settings of the token cannot be right.
    pub async fn create(config: &Config, clock: Clock) -> Result<Self, KeyAdminError> {
        config.make_state_dir()?;
        Self::connect(config, clock).await
    }

    async fn connect(config: &Config, clock: Clock) -> Result<Self, KeyAdminError> {
        let migrators = [&MIGRATOR, &sealwright_audit::MIGRATOR];
        let source = source_to_look_at(config).await?;
        let database = Database::open(&config.storage, &config.base_dir, &migrators).await?;
        let admin = Self::with(&config.name, config.issuer.as_str(), source, database, clock);
        Ok(Self { files: Some(KeyFiles::of(config)), ..admin })
    }

    /// For who has the database open.
    pub(crate) fn with(name: &str, issuer: &str, source: Source, database: Database, clock: Clock) -> Self {
        Self {
            name: name.to_owned(),
            issuer: issuer.to_owned(),
            source,
            database,
            files: None,
            clock,
            is_plan_doubtful: false,
        }
    }

    /// For resources with faults: an action does what it says and nothing that the plan wants besides, which is then left to the
    /// servers that run. So a key can be revoked at once, whatever else is wrong.
    #[must_use]
    pub fn without_plan(self) -> Self {
        Self { is_plan_doubtful: true, ..self }
    }

    /// Waits for statements under way and closes the database; only for an admin that opened it.
    pub async fn close(&self) {
        self.database.close().await;
    }

    /// All keys, with what is planned for them, and the replicas.
    ///
    /// # Errors
    ///
    /// [`KeyAdminError::Store`].
    pub async fn list(&self) -> Result<KeyList, KeyAdminError> {
        let (ledger, replicas, now) = self.look().await?;
        Ok(list(&self.name, &self.issuer, &self.source, ledger, &replicas, now))
    }

    /// What `action` would break, and until when. Nothing is done.
    ///
    /// # Errors
    ///
    /// [`KeyAdminError::Refused`] if it would not be done; [`KeyAdminError::Store`].
    pub async fn consequences(&self, action: &Action) -> Result<Consequences, KeyAdminError> {
        self.is_ours_to_change(action)?;
        let (ledger, replicas, now) = self.look().await?;
        let by_plan = self.does_what_is_due();
        Ok(consequences(self.source.plan(), by_plan, &ledger, &replicas, action, now)?)
    }

    /// Carries `action` out, with all that is then due; `reason` stands in the audit log. Running servers follow within one
    /// poll, and bring it into their audit log; they also destroy what is in a token of a key that ended.
    ///
    /// # Errors
    ///
    /// [`KeyAdminError::Refused`] and [`KeyAdminError::Reason`], and nothing is changed; [`KeyAdminError::Store`].
    pub async fn act(&self, action: &Action, reason: Option<&str>) -> Result<Done, KeyAdminError> {
        self.is_ours_to_change(action)?;
        let reason = checked(action, reason)?;
        let (_, replicas, now) = self.look().await?;
        let (plan, by_plan) = (self.source.plan(), self.does_what_is_due());
        let (mut refusal, mut asked) = (None, false);
        let decide = |ledger: &Ledger| {
            if asked {
                return if by_plan { decide::due(plan, ledger, &replicas, now) } else { Vec::new() };
            }
            asked = true;
            operate::changes(plan, ledger, action, reason, now).unwrap_or_else(|refused| {
                refusal = Some(refused);
                Vec::new()
            })
        };
        let changed = transaction::change(&self.database, now, decide).await?;
        if let Some(refusal) = refusal {
            return Err(refusal.into());
        }
        // Whatever is not refused changes something.
        let Some(changed) = changed else { return Ok(Done { epoch: 0, events: Vec::new() }) };
        let happened = changed.events.into_iter().map(|event| Happened {
            kid: event.kid,
            alg: event.alg.name(),
            event: event.name,
            at: event.at,
        });
        Ok(Done { epoch: changed.ledger.epoch, events: happened.collect() })
    }

    fn goes_by_plan(&self) -> bool {
        matches!(self.source, Source::Planned { .. })
    }

    fn does_what_is_due(&self) -> bool {
        self.goes_by_plan() && !self.is_plan_doubtful
    }

    /// Declared keys change by declaration; what is left of a plan can still be revoked.
    fn is_ours_to_change(&self, action: &Action) -> Result<(), Refusal> {
        if self.goes_by_plan() || matches!(action, Action::Revoke { .. }) {
            Ok(())
        } else {
            Err(Refusal::Declared)
        }
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) async fn look(&self) -> sqlx::Result<(Ledger, Vec<Replica>, Timestamp)> {
        let mut conn = self.database.reader().acquire().await?;
        let ledger = signing_key::load(&mut conn).await?;
        let replicas = signing_key::replicas(&mut conn).await?;
        // All replicas go by the database's clock where it may be another machine's.
        let now = if self.database.kind() == Kind::Postgres && self.clock.is_system() {
            signing_key::database_time(&mut conn).await?
        } else {
            self.clock.now()
        };
        Ok((ledger, replicas, now))
    }
}

/// One line that is not too long; a revocation needs one.
pub(crate) fn checked<'r>(
    action: &Action,
    reason: Option<&'r str>,
) -> Result<Option<&'r str>, KeyAdminError> {
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
    let is_fit = |reason: &str| reason.len() <= MAX_REASON_BYTES && !reason.chars().any(char::is_control);
    match reason {
        None if matches!(action, Action::Revoke { .. }) => Err(KeyAdminError::Reason),
        Some(reason) if !is_fit(reason) => Err(KeyAdminError::Reason),
        reason => Ok(reason),
    }
}
