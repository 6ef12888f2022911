//! How much of documents may be in memory at once.
//!
//! A token is used up only after its document was read, so one token could otherwise have any number of large
//! uploads going. Those that find no room wait a while for those before them.

use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is counted together, so that a semaphore can count it.
const UNIT: u64 = 64 * 1024;
/// Room beside the two largest documents, for everybody with small ones.
const EXTRA: u64 = 64 << 20;
/// How long a request waits for room.
const PATIENCE: Duration = Duration::from_secs(30);

/// Room for documents; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    room: Arc<Semaphore>,
    units: u32,
}

/// Room that was taken; given back when dropped.
#[derive(Debug)]
pub(crate) struct Room {
    _permit: OwnedSemaphorePermit,
}

impl Memory {
    /// Room for two documents of `largest` bytes and some small ones. Signing holds a document a few times
    /// over, so the process needs several times as much.
    pub(crate) fn for_documents(largest: u64) -> Self {
        let units = units(largest.saturating_mul(2).saturating_add(EXTRA));
        Self { room: Arc::new(Semaphore::new(units as usize)), units }
    }

    /// Takes room for `bytes`, waiting for it if it must; `None` if there is none in time.
    pub(crate) async fn take(&self, bytes: u64) -> Option<Room> {
        self.take_within(bytes, PATIENCE).await
    }

    async fn take_within(&self, bytes: u64, patience: Duration) -> Option<Room> {
        let wanted = units(bytes).clamp(1, self.units);
        let permit = Arc::clone(&self.room).acquire_many_owned(wanted);
        match tokio::time::timeout(patience, permit).await {
            Ok(Ok(permit)) => Some(Room { _permit: permit }),
            Ok(Err(_)) | Err(_) => None,
        }
    }
}

fn units(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).min(Semaphore::MAX_PERMITS as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_does_not_fit_waits_and_then_gives_up() {
        let memory = Memory::for_documents(100 << 20);
        let first = memory.take(100 << 20).await.unwrap();
        let second = memory.take(100 << 20).await.unwrap();
        let small = memory.take(1000).await.unwrap();
        let patience = Duration::from_millis(20);
        assert!(memory.take_within(100 << 20, patience).await.is_none(), "no room within the time");
        drop(first);
        assert!(memory.take(100 << 20).await.is_some());
        drop((second, small));
        assert!(memory.take(u64::MAX).await.is_some(), "more than there is takes all");
    }
}
