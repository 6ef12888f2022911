//! The driver of a token, loaded and initialised once a process.
//!
//! `C_Initialize` and the login are state of the process and not of whoever calls (PKCS#11 v3.1 §5.4, §5.6.8), so
//! that this one place in the crate is a global: two owners of one module would end each other's sessions.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, TryLockError},
    thread,
    time::{Duration, Instant},
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Function, Pkcs11},
    error::{Error, RvError},
};

use super::error::{TokenError, brief};

/// Never unloaded: many drivers have threads of their own, which would run on in unmapped memory.
static MODULES: LazyLock<Mutex<BTreeMap<PathBuf, Arc<Module>>>> = LazyLock::new(Mutex::default);

/// Ending all sessions of the process more often than this would be worse than a token that is away.
const RESTART_AT_MOST_EVERY: Duration = Duration::from_secs(1);
/// How long a restart waits for the calls that are under way.
const RESTART_WAIT: Duration = Duration::from_secs(5);

/// A loaded driver.
#[derive(Debug)]
pub(super) struct Module {
    library: Pkcs11,
    /// Held for reading during every call, for writing during a restart.
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    /// Counts the initialisations: sessions of an earlier one are gone, and their numbers may have been given anew.
    generation: u64,
    since: Instant,
    /// Whether it is ours to end; another library of the process may have initialised it first.
    ours: bool,
}

/// The right to call the module, which is not restarted meanwhile.
pub(super) struct Entered<'m> {
    pub(super) library: &'m Pkcs11,
    pub(super) generation: u64,
    _state: RwLockReadGuard<'m, State>,
}

impl Module {
    /// The driver at this path, loaded and initialised by the first who asks.
    pub(super) fn load(path: &Path) -> Result<Arc<Self>, TokenError> {
        let refused = |what: String| TokenError::Module { path: path.to_owned(), what };
        // A name without a folder is for the system's loader to find.
        let known_as = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let mut modules = lock(&MODULES);
        if let Some(module) = modules.get(&known_as) {
            return Ok(module.clone());
        }
        let library = Pkcs11::new(path).map_err(|error| match error {
            Error::LibraryLoading(error) => refused(error.to_string()),
            error => refused(format!("it is no PKCS#11 module ({})", brief(&error))),
        })?;
        let ours = match initialize(&library) {
            Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => false,
            initialized => initialized.map(|()| true).map_err(|error| refused(brief(&error)))?,
        };
        let state = RwLock::new(State { generation: 0, since: Instant::now(), ours });
        let module = Arc::new(Self { library, state });
        modules.insert(known_as, module.clone());
        Ok(module)
    }

    pub(super) fn enter(&self) -> Entered<'_> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        Entered { library: &self.library, generation: state.generation, _state: state }
    }

    /// Initialises the module anew, for drivers that see no token that came after they were initialised. It ends all
    /// sessions of the process with this module; those who had some open new ones.
    ///
    /// `seen` is the generation that the caller has found unusable. Whether it is another one now.
    pub(super) fn restart(&self, seen: u64) -> bool {
        let rest = {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            if state.generation != seen {
                return true;
            }
            if !state.ours {
                return false;
            }
            RESTART_AT_MOST_EVERY.saturating_sub(state.since.elapsed())
        };
        if seen > 0 {
            thread::sleep(rest);
        }
        let deadline = Instant::now() + RESTART_WAIT;
        let mut state = loop {
            match self.state.try_write() {
                Ok(state) => break state,
                Err(TryLockError::Poisoned(state)) => break state.into_inner(),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    thread::sleep(Duration::from_millis(1));
                }
                Err(TryLockError::WouldBlock) => return false,
            }
        };
        if state.generation != seen {
            return true;
        }
        // Should either fail, then the next call finds the module not initialised, and it is tried again.
        let _ = self.library.clone().finalize();
        let initialized = initialize(&self.library);
        state.generation += 1;
        state.since = Instant::now();
        tracing::warn!(ok = initialized.is_ok(), "the PKCS#11 module was initialised anew");
        initialized.is_ok()
    }
}

fn initialize(library: &Pkcs11) -> cryptoki::error::Result<()> {
    if !library.is_fn_supported(Function::Initialize) {
        return Err(Error::NullFunctionPointer);
    }
    library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
}

/// What a thread left that panicked is as whole as what it found: single values are written.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
