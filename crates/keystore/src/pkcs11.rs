//! Keys that are made in a PKCS#11 token and never leave it.

mod error;
mod kek;
mod key;
mod module;
mod pool;
mod scheme;
mod signer;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sealwright_jose::Alg;
use sealwright_service::secret::{Secret, SecretRef};

use self::pool::Pool;
use crate::{Kept, KeyHandle, KeystoreError, blocking::run_blocking};

pub use error::TokenError;
pub use kek::KekPkcs11Spec;

pub(crate) use kek::TokenKek;

/// Where a PKCS#11 token is, as a resource declares it.
#[derive(Clone, Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pkcs11Spec {
    /// The token's driver, a shared library. A path with a folder counts from the resource's folder; a name alone is
    /// the system's to find.
    pub module: PathBuf,
    /// The label of the token. Either this or `slot`.
    pub token: Option<String>,
    /// The number of its slot, where labels are not enough.
    pub slot: Option<u64>,
    /// Where the user's PIN is.
    pub pin: SecretRef,
    /// How many sessions are open at most. Default: 4.
    #[schemars(range(min = 1, max = 64))]
    pub sessions: Option<u32>,
}

impl Pkcs11Spec {
    /// Reads the PIN and checks the rest; `base_dir` is the resource's folder. The token is not asked.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::Ring`] with a sentence that says what would be right.
    pub fn read(&self, base_dir: &Path) -> Result<Pkcs11Settings, KeystoreError> {
        let token = match (&self.token, self.slot) {
            (Some(label), None) if !label.is_empty() => TokenName::Label(label.clone()),
            (None, Some(slot)) => TokenName::Slot(slot),
            _ => {
                return Err(KeystoreError::Ring(
                    "a PKCS#11 token is named by exactly one of `token` (its label) and `slot`".into(),
                ));
            }
        };
        let pin = self.pin.read(base_dir).map_err(|e| KeystoreError::Ring(format!("the PIN: {e}")))?;
        let module = resolved(&self.module, base_dir);
        let settings = Pkcs11Settings::new(module, token, pin);
        match self.sessions {
            Some(sessions) => settings.sessions(sessions),
            None => Ok(settings),
        }
    }
}

/// A name without a folder is the system's to find.
fn resolved(module: &Path, base_dir: &Path) -> PathBuf {
    if module.components().count() > 1 { base_dir.join(module) } else { module.to_owned() }
}

/// How a token is told from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenName {
    /// By its label, wherever it is plugged in.
    Label(String),
    /// By the number of its slot.
    Slot(u64),
}

impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(label) => write!(f, "`{label}`"),
            Self::Slot(slot) => write!(f, "in slot {slot}"),
        }
    }
}

/// What [`Pkcs11Token::open`] needs to know.
#[derive(Clone, Debug)]
pub struct Pkcs11Settings {
    module: PathBuf,
    token: TokenName,
    pin: Secret,
    sessions: u32,
    wait: Duration,
}

impl Pkcs11Settings {
    /// A token with 4 sessions, for one of which a caller waits 5 s at most.
    pub fn new(module: impl Into<PathBuf>, token: TokenName, pin: Secret) -> Self {
        Self { module: module.into(), token, pin, sessions: 4, wait: Duration::from_secs(5) }
    }

    /// How many sessions are open at most, so how many signatures are made at once.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::Ring`] unless there are 1 to 64.
    pub fn sessions(mut self, sessions: u32) -> Result<Self, KeystoreError> {
        if !(1..=64).contains(&sessions) {
            return Err(KeystoreError::Ring(format!("{sessions} PKCS#11 sessions; use 1 to 64")));
        }
        self.sessions = sessions;
        Ok(self)
    }

    /// How long a caller waits for a session when all are in use.
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }
}

/// A PKCS#11 token that this process is logged in to. Cheap to clone.
///
/// Its sessions are few and shared. One that is lost, because the token was pulled out or its driver started anew, is
/// opened again, with login and search for the key; what is still away then is [`KeystoreError::Unavailable`].
#[derive(Clone, Debug)]
pub struct Pkcs11Token(Arc<Pool>);

impl Pkcs11Token {
    /// Loads the module, unless this process has it already, finds the token and logs in.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::Token`] with what is wrong: no such module, no such token, a wrong PIN.
    pub async fn open(settings: Pkcs11Settings) -> Result<Self, KeystoreError> {
        run_blocking(move || Self::open_blocking(settings)).await
    }

    pub(crate) fn open_blocking(settings: Pkcs11Settings) -> Result<Self, KeystoreError> {
        Pool::open(settings).map(Arc::new).map(Self)
    }

    /// Makes a key in the token, which tells nobody its private half, and tests it.
    pub(crate) fn generate(&self, kid: &str, alg: Alg) -> Result<Kept, KeystoreError> {
        let _permit = self.0.permit_blocking()?;
        let public = key::generate(&self.0, kid, alg)?;
        Ok(Kept { text: key::TokenKey::text(&self.0, &public)?, public })
    }

    /// Whether a kept text that names this token means this one.
    pub(crate) fn is_named(&self, token: &str) -> bool {
        token == self.0.token()
    }

    /// What [`destroy`](Self::destroy) needs to know of a key that is not made yet.
    pub(crate) fn place(&self, kid: &str) -> String {
        key::place(&self.0, kid)
    }

    /// The key of a text that [`generate`](Self::generate) gave. A signature shows that its halves agree.
    pub(crate) fn key(&self, kid: &str, text: &str) -> Result<KeyHandle, KeystoreError> {
        let _permit = self.0.permit_blocking()?;
        let public = key::TokenKey::parse(kid, text)?;
        let scheme = key::scheme(&self.0, public.alg())?;
        key::test(&self.0, scheme, kid, &public)?;
        Ok(signer::handle(self.0.clone(), scheme, kid, public))
    }

    /// Removes both halves of a key, if they are there; whether the private one was. Of a key that is kept in another token
    /// nothing is known here.
    pub(crate) fn destroy(&self, kid: &str, token: &str) -> Result<bool, KeystoreError> {
        if !self.is_named(token) {
            return Err(KeystoreError::Unsupported {
                kid: kid.to_owned(),
                what: "it is in another PKCS#11 token than the one among the settings; remove it with the token's own tool",
            });
        }
        let _permit = self.0.permit_blocking()?;
        key::destroy(&self.0, kid)
    }
}
