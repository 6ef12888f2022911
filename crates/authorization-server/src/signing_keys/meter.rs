//! What each key does, counted where it signs: no lock, and nothing to look up while a request waits.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sealwright_jose::jws::{Prepared, SigningInput};
use sealwright_jose::{Alg, VerifyingKey};
use sealwright_keystore::{KeyHandle, RemoteSigner, Signing};

/// The upper bounds of the buckets of durations, in microseconds.
const BOUNDS_US: [u32; 12] =
    [50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 1_000_000, 10_000_000];

/// What one key did in this process.
#[derive(Debug)]
pub(crate) struct Meter {
    pub(crate) kid: String,
    pub(crate) alg: Alg,
    failed: AtomicU64,
    /// By duration; the last is for what took longer than every bound.
    signed: [AtomicU64; BOUNDS_US.len() + 1],
    total_ns: AtomicU64,
}

/// The figures of a [`Meter`] at one moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Figures {
    pub(crate) signed: u64,
    pub(crate) failed: u64,
    pub(crate) total_s: f64,
    /// So many took no longer than so many seconds, and longer than the bound before.
    pub(crate) buckets: Vec<(f64, u64)>,
}

impl Meter {
    pub(crate) fn new(kid: &str, alg: Alg) -> Self {
        let signed = [const { AtomicU64::new(0) }; BOUNDS_US.len() + 1];
        Self { kid: kid.to_owned(), alg, failed: AtomicU64::new(0), signed, total_ns: AtomicU64::new(0) }
    }

    pub(crate) fn figures(&self) -> Figures {
        let bounds = BOUNDS_US.iter().map(|us| f64::from(*us) / 1e6).chain([f64::MAX]);
        let counts = self.signed.iter().map(|count| count.load(Ordering::Relaxed));
        let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
        Figures {
            // Of the same look as the buckets, so that they agree.
            signed: buckets.iter().map(|(_, count)| count).sum(),
            failed: self.failed.load(Ordering::Relaxed),
            total_s: Duration::from_nanos(self.total_ns.load(Ordering::Relaxed)).as_secs_f64(),
            buckets,
        }
    }

    fn record(&self, took: Duration, signed: bool) {
        if !signed {
            self.failed.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let bucket = BOUNDS_US.partition_point(|us| Duration::from_micros(u64::from(*us)) < took);
        self.signed[bucket].fetch_add(1, Ordering::Relaxed);
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.total_ns.fetch_add(ns, Ordering::Relaxed);
    }
}

/// The same key, whose signatures are counted by `meter`.
pub(crate) fn metered(key: KeyHandle, meter: Arc<Meter>) -> KeyHandle {
    Arc::new(Metered { key, meter })
}

struct Metered {
    key: KeyHandle,
    meter: Arc<Meter>,
}

impl Metered {
    fn watch<'a>(&'a self, signing: Signing<'a>) -> Signing<'a> {
        Box::pin(async move {
            let began = Instant::now();
            let signed = signing.await;
            self.meter.record(began.elapsed(), signed.is_ok());
            signed
        })
    }
}

impl fmt::Debug for Metered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key.fmt(f)
    }
}

impl RemoteSigner for Metered {
    fn alg(&self) -> Alg {
        self.key.alg()
    }

    fn kid(&self) -> &str {
        self.key.kid()
    }

    fn verifying_key(&self) -> &VerifyingKey {
        self.key.verifying_key()
    }

    fn takes_digests(&self) -> bool {
        self.key.takes_digests()
    }

    fn sign<'a>(&'a self, input: SigningInput<'a>) -> Signing<'a> {
        self.watch(self.key.sign(input))
    }

    fn sign_prepared<'a>(&'a self, prepared: &'a Prepared) -> Signing<'a> {
        self.watch(self.key.sign_prepared(prepared))
    }

    fn sign_message<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        self.watch(self.key.sign_message(message))
    }
}

#[cfg(test)]
mod tests {
    use sealwright_jose::SigningKey;
    use sealwright_keystore::in_memory;

    use super::*;

    #[test]
    fn a_duration_stands_in_the_bucket_of_the_next_bound() {
        let meter = Meter::new("k", Alg::Es256);
        for us in [1, 50, 51, 2_000, 11_000_000] {
            meter.record(Duration::from_micros(us), true);
        }
        meter.record(Duration::from_micros(1), false);
        let figures = meter.figures();
        assert_eq!((figures.signed, figures.failed), (5, 1));
        let filled: Vec<_> = figures.buckets.into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(filled, [(0.000_05, 2), (0.000_1, 1), (0.002_5, 1), (f64::MAX, 1)]);
        assert!((figures.total_s - 11.002_102).abs() < 1e-9);
    }

    #[tokio::test]
    async fn each_signature_is_counted_once_whichever_way_it_is_asked_for() {
        let meter = Arc::new(Meter::new("k", Alg::Es256));
        let key = in_memory("k", SigningKey::generate(Alg::Es256).unwrap());
        let key = metered(key, Arc::clone(&meter));
        let signature = key.sign_message(b"one").await.unwrap();
        key.verifying_key().verify(b"one", &signature).unwrap();
        key.sign(SigningInput::Message(b"two")).await.unwrap();
        assert_eq!((meter.figures().signed, meter.figures().failed), (2, 0));
    }
}
