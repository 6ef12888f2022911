//! Work that takes long enough to be kept off the async threads.

use std::thread;

use tokio::sync::oneshot;

use crate::KeystoreError;

/// Runs `work` on a thread that may wait for a disk, a token or a prime number.
pub(crate) async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeystoreError> + Send + 'static,
) -> Result<T, KeystoreError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(KeystoreError::Unavailable(e.to_string())))
}

/// How nice the thread of [`run_aside`] is: a ninth of the time of those whom it competes with.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// As [`run_blocking`], behind everything else that the processors have to do, where the system has priorities for threads.
///
/// A thread of its own, since none may raise its priority again.
pub(crate) async fn run_aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeystoreError> + Send + 'static,
) -> Result<T, KeystoreError> {
    let (answer, done) = oneshot::channel();
    let aside = move || {
        // On Linux it is that of the calling thread. Where it cannot be changed, the work is done all the same.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::setpriority_process(None, NICENESS);
        // Who no longer waits for it needs no answer.
        let _ = answer.send(work());
    };
    let spawned = thread::Builder::new().name("aside".to_owned()).spawn(aside);
    spawned.map_err(|error| KeystoreError::Unavailable(error.to_string()))?;
    done.await.unwrap_or_else(|_| Err(KeystoreError::Unavailable("the work was cut off".to_owned())))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::getpriority_process;

    use super::{run_aside, run_blocking};

    #[tokio::test]
    async fn what_runs_aside_is_behind_what_runs_otherwise() {
        let niceness = || async { run_blocking(|| Ok(getpriority_process(None).unwrap())).await.unwrap() };
        let before = niceness().await;
        let aside = run_aside(|| Ok(getpriority_process(None).unwrap())).await.unwrap();
        assert!(aside > before || before >= super::NICENESS, "{aside} after {before}");
        assert_eq!(niceness().await, before, "nobody else is");
    }

    #[tokio::test]
    async fn what_panics_aside_is_an_error() {
        let error = run_aside::<()>(|| panic!("on purpose")).await.unwrap_err().to_string();
        assert!(error.contains("the work was cut off"), "{error}");
    }
}
