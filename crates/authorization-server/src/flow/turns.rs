//! One request at a time for each run through the pages.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OwnedMutexGuard;

use crate::domain::handle::HandleHash;

/// Who is being served, by run.
///
/// A second click waits for the first and then finds the run where that left it. This spares people refusals that nobody
/// earned; what must hold is in the statements of the store, also for requests that reach several replicas at once.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<HashMap<HandleHash, Weak<tokio::sync::Mutex<()>>>>);

impl Turns {
    /// Waits until nobody else is served for the run `id`; the turn ends when what is returned is dropped.
    pub(crate) async fn take(&self, id: &HandleHash) -> OwnedMutexGuard<()> {
        self.of(id).lock_owned().await
    }

    fn of(&self, id: &HandleHash) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(id).and_then(Weak::upgrade) {
            return turn;
        }
        // What is left are the runs that are served now: no more than there are connections.
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::default();
        turns.insert(id.clone(), Arc::downgrade(&turn));
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_run_waits_and_others_do_not() {
        let turns = Turns::default();
        let (one, two) = (HandleHash::of("one"), HandleHash::of("two"));
        let first = turns.take(&one).await;
        assert!(turns.of(&one).try_lock().is_err());
        let other = turns.take(&two).await;
        drop(first);
        drop(turns.take(&one).await);
        drop(other);
        drop(turns.take(&HandleHash::of("three")).await);
        assert_eq!(turns.0.lock().unwrap().len(), 1, "those that are over are forgotten");
    }
}
