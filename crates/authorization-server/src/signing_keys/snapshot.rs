//! What a request sees of the keys: one value, swapped whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use aws_lc_rs::digest;
use axum::body::Bytes;
use http::HeaderValue;
use sealwright_jose::{Alg, base64url};
use sealwright_keystore::KeyHandle;
use sealwright_service::clock::{Clock, Timestamp};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

use super::meter::Meter;
use super::record::{KeyState, Ledger, Replica};

/// How long who changed keys through this replica waits for it; a look takes some milliseconds, unless a token is slow.
const CATCH_UP: Duration = Duration::from_secs(2);

/// A document that is the same for everybody, with the header fields that go with it.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    pub(crate) body: Bytes,
    pub(crate) etag: HeaderValue,
    pub(crate) cache_control: HeaderValue,
}

/// A key that signs, now or soon.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    pub(crate) handle: KeyHandle,
    /// `None` for one that has begun.
    pub(crate) begins_at: Option<Timestamp>,
    /// No token of it may expire later, in seconds.
    pub(crate) reserved_until_s: i64,
}

impl Signer {
    fn has_begun(&self, now: Timestamp) -> bool {
        self.begins_at.is_none_or(|begins_at| begins_at <= now)
    }
}

/// The keys as one look at the database showed them.
#[derive(Clone, Debug)]
pub(crate) struct KeySnapshot {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) replicas: Arc<[Replica]>,
    /// In the order of preference: by algorithm as the plan has them, then the one that began last.
    pub(crate) signers: Arc<[Signer]>,
    /// What the keys did in this process, of all that are not gone.
    pub(crate) meters: Arc<[Arc<Meter>]>,
    pub(crate) set: Published,
    /// Whether this replica can use every key that signs or will.
    pub(crate) all_open: bool,
    /// Keys that this replica uses or has in reserve, and that it could not open anew: somebody has sealed them under another
    /// key-encryption key.
    pub(crate) sealed_elsewhere: usize,
    /// Whether keys are declared, and none of them signs.
    pub(crate) declares_no_signer: bool,
    /// From then on this is too old to sign by.
    pub(crate) fresh_until: Instant,
}

/// Why nothing can be signed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoSigner {
    #[error("no key of a suitable algorithm is active")]
    NoKey,
    #[error("the resources name no key that signs")]
    NotDeclared,
    #[error("the keys could not be looked at in the database for too long")]
    Stale,
    #[error("the private half of a signing key does not open here")]
    NotOpen,
    #[error("the database did not confirm yet that tokens may live for so long")]
    NotReserved,
}

impl NoSigner {
    pub(crate) const ALL: [Self; 5] =
        [Self::NoKey, Self::NotDeclared, Self::Stale, Self::NotOpen, Self::NotReserved];

    /// In one word, for programs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NoKey => "no_key",
            Self::NotDeclared => "not_declared",
            Self::Stale => "stale",
            Self::NotOpen => "not_open",
            Self::NotReserved => "not_reserved",
        }
    }
}

impl KeySnapshot {
    /// The key that signs a token which expires at `expires_s`; of the algorithm that is wanted, else of the first that has
    /// one.
    pub(crate) fn signer(
        &self,
        wanted: Option<Alg>,
        now: Timestamp,
        expires_s: i64,
    ) -> Result<&KeyHandle, NoSigner> {
        if Instant::now() >= self.fresh_until {
            return Err(NoSigner::Stale);
        }
        if self.declares_no_signer {
            return Err(NoSigner::NotDeclared);
        }
        let suits =
            |signer: &&Signer| wanted.is_none_or(|alg| alg == signer.handle.alg()) && signer.has_begun(now);
        let signer = self.signers.iter().find(suits).ok_or(NoSigner::NoKey)?;
        if signer.reserved_until_s < expires_s { Err(NoSigner::NotReserved) } else { Ok(&signer.handle) }
    }

    /// Whether this replica can do its part; one that is declared without a signing key does it by serving the set.
    pub(crate) fn can_sign(&self) -> Result<(), NoSigner> {
        match self.is_fresh() {
            false => Err(NoSigner::Stale),
            true if !self.all_open => Err(NoSigner::NotOpen),
            true => Ok(()),
        }
    }

    /// Whether the keys were looked at recently enough to sign.
    pub(crate) fn is_fresh(&self) -> bool {
        Instant::now() < self.fresh_until
    }
}

/// The set of the keys that verifiers are to know: active ones first, then those to come, then those of old tokens.
pub(crate) fn publish(ledger: &Ledger, max_age: Duration) -> Published {
    let mut body = String::from(r#"{"keys":["#);
    for state in KeyState::PUBLIC {
        for key in ledger.keys.iter().filter(|key| key.state == state) {
            if !body.ends_with('[') {
                body.push(',');
            }
            body.push_str(&key.public_jwk);
        }
    }
    body.push_str("]}");
    let hash = digest::digest(&digest::SHA256, body.as_bytes());
    let etag = format!("\"{}\"", base64url::encode(&hash.as_ref()[..16]));
    let cache_control =
        format!("public, max-age={}, stale-while-revalidate={}", max_age.as_secs(), max_age.as_secs() / 10);
    Published {
        body: Bytes::from(body),
        etag: HeaderValue::try_from(etag).expect("base64url in quotes is a header value"),
        cache_control: HeaderValue::try_from(cache_control).expect("words and digits are a header value"),
    }
}

/// The keys of the running server.
#[derive(Debug)]
pub(crate) struct Keys {
    current: ArcSwap<KeySnapshot>,
    /// The epoch of `current`, for those who wait for another.
    epoch: watch::Sender<i64>,
    /// Wakes who looks after the keys.
    told: Arc<Notify>,
    clock: Clock,
    /// What must be added to the clock to have the database's time, in milliseconds.
    correction_ms: AtomicI64,
    /// How often nothing could be signed, in the order of [`NoSigner::ALL`].
    refused: [AtomicU64; NoSigner::ALL.len()],
}

impl Keys {
    pub(crate) fn new(first: KeySnapshot, clock: Clock) -> Self {
        let epoch = watch::Sender::new(first.ledger.epoch);
        Self {
            current: ArcSwap::from_pointee(first),
            epoch,
            told: Arc::default(),
            clock,
            correction_ms: AtomicI64::new(0),
            refused: Default::default(),
        }
    }

    pub(crate) fn snapshot(&self) -> arc_swap::Guard<Arc<KeySnapshot>> {
        self.current.load()
    }

    /// The keys as they are now.
    pub(crate) fn look(&self) -> Look<'_> {
        Look { keys: self, snapshot: self.snapshot(), now: self.now() }
    }

    /// How often nothing could be signed, by the reason.
    pub(crate) fn refused(&self) -> impl Iterator<Item = (NoSigner, u64)> {
        NoSigner::ALL.into_iter().zip(self.refused.iter().map(|count| count.load(Ordering::Relaxed)))
    }

    /// The time by which keys come and go: that of the database, which all replicas share.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.now().as_millis() + self.correction_ms.load(Ordering::Relaxed))
    }

    pub(super) fn correct(&self, correction_ms: i64) {
        self.correction_ms.store(correction_ms, Ordering::Relaxed);
    }

    pub(crate) fn swap(&self, snapshot: KeySnapshot) {
        let epoch = snapshot.ledger.epoch;
        self.current.store(Arc::new(snapshot));
        self.epoch.send_if_modified(|known| std::mem::replace(known, epoch) != epoch);
    }

    /// What wakes who looks after the keys, before the next poll.
    pub(super) fn told(&self) -> Arc<Notify> {
        Arc::clone(&self.told)
    }

    /// Has this replica look at the keys, and waits until it serves those of `epoch`, but not for long. So whoever changes keys
    /// through it sees what came of that, and a revoked key is out of the set that they fetch next.
    pub(crate) async fn catch_up(&self, epoch: i64) {
        let mut served = self.changes();
        self.told.notify_one();
        // If it takes longer, they are followed all the same.
        let _ = timeout(CATCH_UP, served.wait_for(|served| *served >= epoch)).await;
    }

    /// Tells whenever the keys have changed.
    pub(crate) fn changes(&self) -> watch::Receiver<i64> {
        self.epoch.subscribe()
    }
}

/// The keys as they were at one moment, for tokens that go together.
pub(crate) struct Look<'a> {
    keys: &'a Keys,
    snapshot: arc_swap::Guard<Arc<KeySnapshot>>,
    now: Timestamp,
}

impl Look<'_> {
    /// The key for a token that expires at `expires_s`, in seconds.
    pub(crate) fn signer(&self, wanted: Option<Alg>, expires_s: i64) -> Result<KeyHandle, NoSigner> {
        let signer = self.snapshot.signer(wanted, self.now, expires_s).cloned();
        signer.inspect_err(|why| {
            self.keys.refused[*why as usize].fetch_add(1, Ordering::Relaxed);
        })
    }

    /// Whether a key of this algorithm signs.
    pub(crate) fn signs(&self, alg: Alg) -> bool {
        self.snapshot.signers.iter().any(|signer| signer.handle.alg() == alg && signer.has_begun(self.now))
    }
}

#[cfg(test)]
impl KeySnapshot {
    /// Of keys with which this replica does not sign.
    pub(crate) fn without_signers(ledger: Ledger) -> Self {
        Self {
            set: publish(&ledger, Duration::from_secs(300)),
            ledger: Arc::new(ledger),
            replicas: Arc::new([]),
            signers: Arc::new([]),
            meters: Arc::new([]),
            all_open: true,
            sealed_elsewhere: 0,
            declares_no_signer: false,
            fresh_until: Instant::now(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Future, poll_fn};
    use std::pin::{Pin, pin};
    use std::task::Poll;

    use super::*;

    fn at_epoch(epoch: i64) -> KeySnapshot {
        KeySnapshot::without_signers(Ledger { epoch, keys: Vec::new() })
    }

    async fn is_over(waiting: &mut Pin<&mut impl Future<Output = ()>>) -> bool {
        poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context).is_ready())).await
    }

    #[tokio::test]
    async fn who_changed_keys_wakes_the_loop_and_waits_for_what_it_then_serves() {
        let keys = Keys::new(at_epoch(3), Clock::fixed(Timestamp::from_secs(1_800_000_000)));
        let told = keys.told();
        let mut waiting = pin!(keys.catch_up(5));
        assert!(!is_over(&mut waiting).await);
        timeout(CATCH_UP / 2, told.notified()).await.expect("the loop is woken before its next poll");
        keys.swap(at_epoch(4));
        assert!(!is_over(&mut waiting).await, "that is not what it waits for");
        keys.swap(at_epoch(6));
        assert!(is_over(&mut waiting).await, "a later one has it, too");
    }

    #[tokio::test]
    async fn what_is_served_already_nobody_waits_for_nor_long_for_what_does_not_come() {
        let keys = Keys::new(at_epoch(3), Clock::fixed(Timestamp::from_secs(1_800_000_000)));
        assert!(is_over(&mut pin!(keys.catch_up(3))).await);
        let began = Instant::now();
        timeout(5 * CATCH_UP, keys.catch_up(4)).await.expect("it is followed all the same");
        assert!(began.elapsed() >= CATCH_UP, "but it had its chance");
    }
}
