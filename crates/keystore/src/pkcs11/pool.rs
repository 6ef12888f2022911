//! Sessions with one token: so many at most, logged in, and opened again when they were lost.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use cryptoki::{
    error::{Error, RvError},
    mechanism::MechanismType,
    object::{Attribute, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    slot::Slot,
    types::AuthPin,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    Pkcs11Settings, TokenName,
    error::{Remedy, TokenError, remedy},
    module::{Entered, Module, lock},
};
use crate::KeystoreError;

/// The sessions with one token.
pub(super) struct Pool {
    module: Arc<Module>,
    name: TokenName,
    /// For errors.
    said: String,
    pin: AuthPin,
    /// A PIN that was refused is not sent again: after a few attempts tokens lock.
    pin_refused: AtomicBool,
    mechanisms: Mutex<Vec<MechanismType>>,
    permits: Arc<Semaphore>,
    wait: Duration,
    idle: Mutex<Vec<Held>>,
}

/// A session that is logged in.
pub(super) struct Held {
    pub(super) session: Session,
    generation: u64,
    /// Handles of objects by their kind and label; they are good for this session.
    objects: HashMap<(Kind, String), ObjectHandle>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Private,
    Public,
    Secret,
}

/// For how long, and how often, what is asked of a token at the start is tried again.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(50);

/// How much later the one more attempt comes after an error that says nothing: SoftHSM has it while others write, too.
const MOMENT: Duration = Duration::from_millis(250);

/// Does what several processes do when they start at once, in which some drivers disturb each other: while one process
/// writes, SoftHSM shows others no token, or an object twice. What passes is waited for; a login that was refused is not
/// tried again and again, since tokens lock.
pub(super) fn patiently<T>(work: impl Fn() -> Result<T, KeystoreError>) -> Result<T, KeystoreError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let refused = match work() {
            Err(KeystoreError::Token(error @ (TokenError::Missing { .. } | TokenError::Key { .. }))) => error,
            done => return done,
        };
        if Instant::now() >= deadline {
            return Err(refused.into());
        }
        thread::sleep(PAUSE);
    }
}

/// Why something did not work with a session.
pub(super) enum Failure {
    /// The module said so; it may work with another session.
    Module(Error),
    /// There is no such token, at the moment.
    Missing(Vec<String>),
    /// It is no use.
    Final(KeystoreError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Module(error)
    }
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        Self::Final(error.into())
    }
}

impl Pool {
    /// Loads the module, finds the token and logs in once, so that what is wrong shows at the start.
    pub(super) fn open(settings: Pkcs11Settings) -> Result<Self, KeystoreError> {
        let module = Module::load(&settings.module)?;
        let pool = Self {
            module,
            said: settings.token.to_string(),
            name: settings.token,
            pin: AuthPin::from(settings.pin.expose().to_owned()),
            pin_refused: AtomicBool::new(false),
            mechanisms: Mutex::default(),
            permits: Arc::new(Semaphore::new(settings.sessions as usize)),
            wait: settings.wait,
            idle: Mutex::default(),
        };
        patiently(|| pool.run(|_| Ok(())))?;
        Ok(pool)
    }

    pub(super) fn token(&self) -> &str {
        &self.said
    }

    /// Whether the token said that it can do this.
    pub(super) fn has(&self, mechanism: MechanismType) -> bool {
        lock(&self.mechanisms).contains(&mechanism)
    }

    /// The right to one session, waited for as long as is allowed.
    pub(super) async fn permit(&self) -> Result<OwnedSemaphorePermit, KeystoreError> {
        match tokio::time::timeout(self.wait, self.permits.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(self.busy()),
        }
    }

    /// As [`permit`](Self::permit), on a thread that may wait, with or without a runtime.
    pub(super) fn permit_blocking(&self) -> Result<OwnedSemaphorePermit, KeystoreError> {
        let deadline = Instant::now() + self.wait;
        loop {
            match self.permits.clone().try_acquire_owned() {
                Ok(permit) => return Ok(permit),
                Err(_) if Instant::now() < deadline => thread::sleep(Duration::from_millis(2)),
                Err(_) => return Err(self.busy()),
            }
        }
    }

    fn busy(&self) -> KeystoreError {
        KeystoreError::Unavailable(format!(
            "all sessions with the PKCS#11 token {} were in use for {} ms",
            self.said,
            self.wait.as_millis()
        ))
    }

    /// Does `work` with a session. If that was lost, once more with a new one; and if the token itself was, once more
    /// after the module was initialised anew. So `work` must be able to run again from its start.
    pub(super) fn run<T>(&self, work: impl Fn(&mut Held) -> Result<T, Failure>) -> Result<T, KeystoreError> {
        const LAST: u32 = 2;
        for attempt in 0..=LAST {
            let entered = self.module.enter();
            let generation = entered.generation;
            let kept = if attempt == 0 { self.take_idle(generation) } else { None };
            let failure = match kept.map_or_else(|| self.open_session(&entered), Ok) {
                Err(failure) => failure,
                Ok(mut held) => match work(&mut held) {
                    Ok(done) => {
                        lock(&self.idle).push(held);
                        return Ok(done);
                    }
                    // Something may be half done in it.
                    Err(failure) => {
                        let _ = held.session.close();
                        failure
                    }
                },
            };
            let mut pause = Duration::ZERO;
            let error = match failure {
                Failure::Final(error) => return Err(error),
                Failure::Missing(there) => {
                    KeystoreError::from(TokenError::Missing { wanted: self.said.clone(), there })
                }
                Failure::Module(error) => match remedy(&error, &self.said) {
                    Remedy::None(refused) => {
                        if matches!(
                            refused,
                            KeystoreError::Token(TokenError::Pin(_) | TokenError::PinLocked(_))
                        ) {
                            self.pin_refused.store(true, Ordering::Relaxed);
                        }
                        return Err(refused);
                    }
                    Remedy::Reconnect(error) => error,
                    Remedy::Retry(error) if attempt == 0 => {
                        pause = MOMENT;
                        error.into()
                    }
                    Remedy::Retry(error) => return Err(error.into()),
                },
            };
            for held in lock(&self.idle).drain(..).filter(|held| held.generation == generation) {
                let _ = held.session.close();
            }
            drop(entered);
            thread::sleep(pause);
            if attempt == LAST || (attempt > 0 && !self.module.restart(generation)) {
                return Err(error);
            }
        }
        Err(KeystoreError::Unavailable(format!("the PKCS#11 token {} does not answer", self.said)))
    }

    /// A kept session; those that a restart of the module has ended are dropped, without closing what may be
    /// another's session by now.
    fn take_idle(&self, generation: u64) -> Option<Held> {
        let mut idle = lock(&self.idle);
        idle.retain(|held| held.generation == generation);
        idle.pop()
    }

    fn open_session(&self, entered: &Entered<'_>) -> Result<Held, Failure> {
        if self.pin_refused.load(Ordering::Relaxed) {
            return Err(TokenError::Pin(self.said.clone()).into());
        }
        let slot = self.slot(entered)?;
        // Closed by hand: a session that is dropped after a restart of the module must not close another's.
        let session = entered.library.open_rw_session_no_drop(slot)?;
        match session.login(UserType::User, Some(&self.pin)) {
            // The login is one for all sessions of the process.
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(error) => {
                let _ = session.close();
                return Err(error.into());
            }
        }
        let mechanisms = entered.library.get_mechanism_list(slot)?;
        *lock(&self.mechanisms) = mechanisms;
        Ok(Held { session, generation: entered.generation, objects: HashMap::new() })
    }

    fn slot(&self, entered: &Entered<'_>) -> Result<Slot, Failure> {
        let mut there = Vec::new();
        let mut found = Vec::new();
        for slot in entered.library.get_slots_with_token()? {
            // A token may go away between the two calls; then it is not there.
            let Ok(token) = entered.library.get_token_info(slot) else { continue };
            let is_it = match &self.name {
                TokenName::Label(label) => token.token_initialized() && token.label() == label,
                TokenName::Slot(id) => slot.id() == *id,
            };
            if is_it {
                found.push(slot);
            }
            if token.token_initialized() {
                there.push(token.label().to_owned());
            }
        }
        match (&found[..], &self.name) {
            ([slot], _) => Ok(*slot),
            ([_, ..], TokenName::Label(label)) => Err(TokenError::Ambiguous(label.clone()).into()),
            _ => Err(Failure::Missing(there)),
        }
    }
}

impl Held {
    /// The one object of this kind, id and label, if there is one.
    pub(super) fn find(
        &mut self,
        kind: Kind,
        id: &str,
        label: &str,
        token: &str,
    ) -> Result<Option<ObjectHandle>, Failure> {
        if let Some(handle) = self.objects.get(&(kind, label.to_owned())) {
            return Ok(Some(*handle));
        }
        let label_is = Attribute::Label(label.as_bytes().to_vec());
        match self.search(kind, id, Some(label_is))?[..] {
            [] => Ok(None),
            [handle] => {
                self.objects.insert((kind, label.to_owned()), handle);
                Ok(Some(handle))
            }
            _ => Err(TokenError::Key {
                token: token.to_owned(),
                kid: id.to_owned(),
                what: "there are several of this name, so that none of them can be meant".into(),
            }
            .into()),
        }
    }

    /// All objects of this kind and id.
    pub(super) fn all(&self, kind: Kind, id: &str) -> Result<Vec<ObjectHandle>, Failure> {
        self.search(kind, id, None)
    }

    /// All objects of this kind, id and label.
    pub(super) fn labelled(&self, kind: Kind, id: &str, label: &str) -> Result<Vec<ObjectHandle>, Failure> {
        self.search(kind, id, Some(Attribute::Label(label.as_bytes().to_vec())))
    }

    fn search(&self, kind: Kind, id: &str, more: Option<Attribute>) -> Result<Vec<ObjectHandle>, Failure> {
        let class = match kind {
            Kind::Private => ObjectClass::PRIVATE_KEY,
            Kind::Public => ObjectClass::PUBLIC_KEY,
            Kind::Secret => ObjectClass::SECRET_KEY,
        };
        let mut template =
            vec![Attribute::Class(class), Attribute::Token(true), Attribute::Id(id.as_bytes().to_vec())];
        template.extend(more);
        Ok(self.session.find_objects(&template)?)
    }

    /// Forgets where objects were.
    pub(super) fn forget(&mut self) {
        self.objects.clear();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let entered = self.module.enter();
        for held in lock(&self.idle).drain(..).filter(|held| held.generation == entered.generation) {
            let _ = held.session.close();
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("token", &self.said).finish_non_exhaustive()
    }
}
