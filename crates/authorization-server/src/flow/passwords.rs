//! The pool in which passwords are checked.

use std::sync::Arc;

use sealwright_service::secret::Secret;
use tokio::sync::Semaphore;

use crate::config::PasswordPolicy;
use crate::domain::password::{PasswordError, PasswordHash};

/// Checks passwords, a few at a time.
///
/// A check takes tens of megabytes and milliseconds by design, so without a bound a burst of logins would take all
/// memory and all cores from everything else.
#[derive(Debug)]
pub(crate) struct PasswordPool {
    permits: Arc<Semaphore>,
    policy: PasswordPolicy,
    /// Stands in for people who do not exist, so that time does not tell.
    dummy: PasswordHash,
}

/// Nobody came to check it in time.
#[derive(Debug, thiserror::Error)]
#[error("too many logins at once")]
pub(crate) struct Busy;

impl PasswordPool {
    /// Makes the dummy hash, which takes as long as checking one.
    pub(crate) fn new(policy: PasswordPolicy) -> Result<Self, PasswordError> {
        let permits = Arc::new(Semaphore::new(policy.max_concurrent));
        Ok(Self { permits, policy, dummy: PasswordHash::dummy(policy.cost)? })
    }

    /// Whether `password` fits `hash`; never, but as slowly, where there is no hash.
    pub(crate) async fn verify(&self, hash: Option<&PasswordHash>, password: Secret) -> Result<bool, Busy> {
        let waiting = Arc::clone(&self.permits).acquire_owned();
        let permit = match tokio::time::timeout(self.policy.queue_timeout, waiting).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) | Err(_) => return Err(Busy),
        };
        let exists = hash.is_some();
        let hash = hash.unwrap_or(&self.dummy).clone();
        let checked = tokio::task::spawn_blocking(move || {
            // The permit goes with the work: a request that is cancelled does not stop the hash, so it must not make
            // room for another one either.
            let _permit = permit;
            hash.verify(&password)
        });
        checked.await.map(|right| right && exists).map_err(|_| Busy)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::password::{PasswordCost, hash_password_at};

    fn pool(max_concurrent: usize) -> PasswordPool {
        let cost = PasswordCost::new(8, 1, 1).unwrap();
        PasswordPool::new(PasswordPolicy { cost, max_concurrent, queue_timeout: Duration::from_millis(50) })
            .unwrap()
    }

    #[tokio::test]
    async fn only_an_existing_hash_can_fit() {
        let cost = PasswordCost::new(8, 1, 1).unwrap();
        let hash = hash_password_at(&Secret::new("pw"), cost).unwrap();
        let hash = PasswordHash::parse(&Secret::new(hash)).unwrap();
        let pool = pool(2);
        assert!(pool.verify(Some(&hash), Secret::new("pw")).await.unwrap());
        assert!(!pool.verify(Some(&hash), Secret::new("other")).await.unwrap());
        assert!(!pool.verify(None, Secret::new("pw")).await.unwrap());
    }

    #[tokio::test]
    async fn who_waits_too_long_is_told_so() {
        let pool = pool(1);
        let held = Arc::clone(&pool.permits).acquire_owned().await.unwrap();
        assert!(pool.verify(None, Secret::new("pw")).await.is_err());
        drop(held);
        assert!(!pool.verify(None, Secret::new("pw")).await.unwrap());
    }
}
