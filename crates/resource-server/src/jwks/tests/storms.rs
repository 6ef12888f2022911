//! Many at once: whatever they ask, each address is fetched once, and nobody is forgotten.

use super::*;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use tokio::task::JoinSet;

#[tokio::test(start_paused = true)]
async fn a_thousand_cold_tasks_share_one_fetch() {
    let (keys, source) = remote(JwksOptions::default(), [Reply::After(SECOND, set(&["a"]))]);
    let mut tasks = JoinSet::new();
    for _ in 0..1000 {
        let keys = Arc::clone(&keys);
        tasks.spawn(async move { keys.obtain().await.unwrap().usable_keys() });
    }
    assert_eq!(tasks.join_all().await, [1; 1000]);
    assert_eq!(source.calls(), 1);
}

/// The same on four threads and a clock that runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_cold_tasks_on_threads_share_one_fetch() {
    let (keys, source) =
        remote(JwksOptions::default(), [Reply::After(Duration::from_millis(300), set(&["a"]))]);
    let mut tasks = JoinSet::new();
    for _ in 0..1000 {
        let keys = Arc::clone(&keys);
        tasks.spawn(async move { keys.obtain().await.is_some() });
    }
    assert_eq!(tasks.join_all().await, [true; 1000]);
    assert_eq!(source.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_unknown_keys_are_one_fetch() {
    for (answer, seen) in [(Reply::After(SECOND, set(&["a", "b"])), true), (Reply::Status(503), false)] {
        let (keys, source) = remote(JwksOptions::default(), [fresh(&["a"]), answer]);
        let old = keys.obtain().await.unwrap();
        let mut tasks = JoinSet::new();
        for _ in 0..100_000 {
            let (keys, old) = (Arc::clone(&keys), Arc::clone(&old));
            tasks.spawn(async move { keys.newer_than(&old).await.is_ok() });
        }
        let found = tasks.join_all().await;
        assert_eq!(found.iter().filter(|found| **found).count(), if seen { 100_000 } else { 0 });
        assert_eq!(source.calls(), 2, "the first, and one for all");
    }
}

/// A source whose set changes all the time, asked by tasks on several threads, some of which lose their patience:
/// nobody waits for ever, nobody sees a set older than one that was seen before, and never are two fetches under way.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rotation_under_load_forgets_nobody() {
    struct Rotating {
        sets: Vec<String>,
        calls: AtomicUsize,
        busy: AtomicBool,
    }
    impl Fetch for Rotating {
        fn fetch<'a>(&'a self, _: &'a Url, _: &'static str, _: Option<&'a HeaderValue>) -> Pending<'a> {
            Box::pin(async {
                assert!(!self.busy.swap(true, Ordering::SeqCst), "two fetches at once");
                sleep(Duration::from_micros(200)).await;
                let call = self.calls.fetch_add(1, Ordering::SeqCst);
                self.busy.store(false, Ordering::SeqCst);
                let body = self.sets[call % self.sets.len()].clone().into_bytes();
                match call % 7 {
                    3 => Err(FetchError::Timeout),
                    _ => Ok(Answer { body: Some(body), etag: None, fresh_for: None }),
                }
            })
        }
    }
    let kids: Vec<_> = (0..10).map(|kid| kid.to_string()).collect();
    let rotating = Arc::new(Rotating {
        sets: (1..=10)
            .map(|keys| set(&kids[..keys].iter().map(String::as_str).collect::<Vec<_>>()))
            .collect(),
        calls: AtomicUsize::new(0),
        busy: AtomicBool::new(false),
    });
    let options =
        JwksOptions { refresh: Duration::from_nanos(1), cooldown: Duration::ZERO, ..JwksOptions::default() };
    let sets = KeySets::with_fetch(options, Arc::clone(&rotating) as Arc<dyn Fetch>);
    let keys = published_at(KEYS, &sets);
    let newest = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for task in 0..64_u64 {
        let (keys, newest) = (Arc::clone(&keys), Arc::clone(&newest));
        tasks.spawn(async move {
            for round in 0..100_u64 {
                let seen_before = newest.load(Ordering::SeqCst);
                let patience = Duration::from_micros((task * 37 + round * 101) % 900);
                let got = match round % 3 {
                    0 => keys.obtain().await,
                    1 => tokio::time::timeout(patience, keys.obtain()).await.unwrap_or(None),
                    _ => match keys.obtain().await {
                        Some(old) => keys.newer_than(&old).await.ok(),
                        None => None,
                    },
                };
                if let Some(set) = got {
                    assert!(set.generation() >= seen_before, "an older set came back");
                    newest.fetch_max(set.generation(), Ordering::SeqCst);
                }
            }
        });
    }
    let all = tokio::time::timeout(60 * SECOND, tasks.join_all());
    assert_eq!(all.await.expect("somebody waits for ever").len(), 64);
    // Tasks in lockstep share each fetch of theirs: then there is about one a round.
    assert!(rotating.calls.load(Ordering::SeqCst) > 30);
    assert!(newest.load(Ordering::SeqCst) > 20);
}

/// Polled by something that is no tokio runtime: refused, and no panic.
#[test]
fn without_a_runtime_there_are_no_keys() {
    struct Nobody;
    impl std::task::Wake for Nobody {
        fn wake(self: Arc<Self>) {}
    }
    let (keys, source) = remote(JwksOptions::default(), [fresh(&["a"])]);
    let waker = std::task::Waker::from(Arc::new(Nobody));
    let mut obtaining = std::pin::pin!(keys.obtain());
    let polled = obtaining.as_mut().poll(&mut std::task::Context::from_waker(&waker));
    assert!(matches!(polled, std::task::Poll::Ready(None)));
    let status = keys.status();
    assert_eq!(status.last_error.as_deref(), Some("there is no tokio runtime to fetch with"));
    assert_eq!(source.calls(), 0);
}

/// A runtime that nobody drives any more, but that is still there, keeps nobody waiting for its fetch.
#[test]
fn a_runtime_that_stands_still_holds_nobody_up() {
    let options = JwksOptions { timeout: SECOND, ..JwksOptions::default() };
    let (keys, source) = remote(options, [Reply::Never, fresh(&["a"])]);
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (still, other) = (runtime(), runtime());
    still.block_on(async {
        let waiting = tokio::time::timeout(Duration::from_millis(10), keys.obtain());
        assert!(waiting.await.is_err());
    });
    assert!(other.block_on(keys.obtain()).is_none(), "waited as long as a fetch may take, twice");
    assert!(other.block_on(keys.obtain()).is_some());
    assert_eq!(source.calls(), 2);
    drop(still);
    assert_eq!(keys.status().failures, 0, "what the lost fetch reports is not heard");
}
