//! Work that takes long enough to be kept off the async threads.

use crate::KeystoreError;

/// Runs `work` on a thread that may wait for a disk, a token or a prime number.
pub(crate) async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeystoreError> + Send + 'static,
) -> Result<T, KeystoreError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(KeystoreError::Unavailable(e.to_string())))
}
