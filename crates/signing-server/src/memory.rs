//! How much of documents may be in memory at once.
//!
//! A token is used up only after its document was read, so one token could otherwise have any number of large
//! uploads going. Those that find no room wait a while for those before them.

use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is counted together, so that a semaphore can count it.
const UNIT: u64 = 64 * 1024;
/// The largest of the small documents, which have room of their own: they do not wait behind the large ones.
const SMALL: u64 = 1 << 20;
/// Room for small documents.
const ROOM_FOR_SMALL: u64 = 64 << 20;
/// How long a request waits for room.
const PATIENCE: Duration = Duration::from_secs(30);

/// Room for documents; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    small: Pool,
    large: Pool,
}

#[derive(Clone, Debug)]
struct Pool {
    room: Arc<Semaphore>,
    units: u32,
}

/// Room that was taken; given back when dropped.
#[derive(Debug)]
pub(crate) struct Room {
    _permit: OwnedSemaphorePermit,
}

impl Memory {
    /// Room for two documents of `largest` bytes, and for small ones. Signing holds a document a few times
    /// over, so the process needs several times as much.
    pub(crate) fn for_documents(largest: u64) -> Self {
        Self { small: Pool::new(ROOM_FOR_SMALL), large: Pool::new(largest.saturating_mul(2)) }
    }

    /// Takes room for `bytes`, waiting for it if it must; `None` if there is none in time.
    pub(crate) async fn take(&self, bytes: u64) -> Option<Room> {
        self.take_within(bytes, PATIENCE).await
    }

    async fn take_within(&self, bytes: u64, patience: Duration) -> Option<Room> {
        let pool = if bytes <= SMALL { &self.small } else { &self.large };
        let wanted = units(bytes).clamp(1, pool.units);
        let permit = Arc::clone(&pool.room).acquire_many_owned(wanted);
        match tokio::time::timeout(patience, permit).await {
            Ok(Ok(permit)) => Some(Room { _permit: permit }),
            Ok(Err(_)) | Err(_) => None,
        }
    }
}

impl Pool {
    fn new(bytes: u64) -> Self {
        let units = units(bytes).max(1);
        Self { room: Arc::new(Semaphore::new(units as usize)), units }
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
        let patience = Duration::from_millis(20);
        assert!(memory.take_within(100 << 20, patience).await.is_none(), "no room within the time");
        drop(first);
        assert!(memory.take(100 << 20).await.is_some());
        drop(second);
        assert!(memory.take(u64::MAX).await.is_some(), "more than there is takes all");
    }

    #[tokio::test]
    async fn small_documents_do_not_queue_behind_large_ones() {
        let memory = Memory::for_documents(100 << 20);
        let _all = (memory.take(100 << 20).await, memory.take(100 << 20).await);
        let waiting = memory.take(100 << 20);
        tokio::pin!(waiting);
        let patience = Duration::from_millis(20);
        assert!(tokio::time::timeout(patience, waiting.as_mut()).await.is_err());
        assert!(memory.take_within(1000, patience).await.is_some());
    }
}
