//! Who waits for a fetch, who starts it, and who goes on with the old set.

use super::*;
use tokio::time::{Instant, advance};

#[tokio::test(start_paused = true)]
async fn nothing_is_fetched_before_the_first_use() {
    let (keys, source) = remote(on_request(), [fresh(&["a"])]);
    advance(1000 * SECOND).await;
    assert!(keys.at_hand().is_none());
    settle().await;
    assert_eq!(source.calls(), 0);
    assert_eq!(keys.obtain().await.unwrap().usable_keys(), 1);
    assert_eq!(source.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn two_hundred_cold_requests_share_one_fetch() {
    let (keys, source) = remote(on_request(), [Reply::After(SECOND, set(&["a"]))]);
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let keys = Arc::clone(&keys);
            tokio::spawn(async move { keys.obtain().await.is_some() })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }
    assert_eq!(source.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn cancelled_requests_take_nothing_with_them() {
    let (keys, source) = remote(on_request(), [Reply::After(2 * SECOND, set(&["a"]))]);
    for _ in 0..50 {
        let waiting = tokio::time::timeout(SECOND / 100, keys.obtain());
        assert!(waiting.await.is_err(), "cancelled while waiting");
    }
    assert!(keys.obtain().await.is_some());
    assert_eq!(source.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_never_answers_costs_the_timeout_and_no_more() {
    let (keys, source) = remote(on_request(), [Reply::Never]);
    let start = Instant::now();
    assert!(keys.obtain().await.is_none());
    assert_eq!(start.elapsed().as_secs(), 5);
    assert!(keys.obtain().await.is_none(), "the pause after a failure: refused at once");
    assert_eq!(start.elapsed().as_secs(), 5);
    assert_eq!(source.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_panics_wakes_those_who_wait() {
    let (keys, source) = remote(on_request(), [Reply::Panic, fresh(&["a"])]);
    assert!(keys.obtain().await.is_none());
    advance(SECOND).await;
    assert!(keys.obtain().await.is_some());
    assert_eq!(source.calls(), 2);
}

#[test]
fn a_runtime_that_ends_during_a_fetch_leaves_no_fetch_behind() {
    let (keys, source) = remote(on_request(), [Reply::Never, fresh(&["a"])]);
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let first = runtime();
    first.block_on(async {
        let waiting = tokio::time::timeout(Duration::from_millis(10), keys.obtain());
        assert!(waiting.await.is_err());
    });
    drop(first);
    assert_eq!(keys.status().failures, 1);
    std::thread::sleep(SECOND);
    assert!(runtime().block_on(keys.obtain()).is_some());
    assert_eq!(source.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_set_is_refreshed_ahead_and_nobody_waits() {
    let (keys, source) = remote(on_request(), [fresh(&["a"]), Reply::After(SECOND, set(&["a", "b"]))]);
    keys.obtain().await.unwrap();
    advance(239 * SECOND).await;
    keys.at_hand().unwrap();
    settle().await;
    assert_eq!(source.calls(), 1);
    advance(SECOND).await;
    for _ in 0..100 {
        assert_eq!(keys.at_hand().unwrap().usable_keys(), 1, "the old set serves meanwhile");
    }
    sleep(2 * SECOND).await;
    assert_eq!(keys.at_hand().unwrap().usable_keys(), 2);
    assert_eq!(source.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn after_a_quiet_time_the_first_request_waits_and_a_removed_key_is_gone() {
    let (keys, source) = remote(on_request(), [fresh(&["a", "b"]), fresh(&["b"])]);
    assert_eq!(keys.obtain().await.unwrap().usable_keys(), 2);
    advance(300 * SECOND).await;
    assert!(keys.at_hand().is_none());
    assert_eq!(keys.obtain().await.unwrap().usable_keys(), 1);
    assert_eq!(source.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_bridged_without_waiting_until_the_set_is_too_old() {
    let (keys, source) = remote(on_request(), [fresh(&["a"]), Reply::Never]);
    keys.obtain().await.unwrap();
    let start = Instant::now();
    for second in (1..3600).step_by(3) {
        tokio::time::sleep_until(start + Duration::from_secs(second)).await;
        assert!(keys.at_hand().is_some(), "{second}");
    }
    let attempts = source.calls();
    // 3360 s of outage, a pause of at most 30 s and a timeout of 5 s between attempts.
    assert!((90..110).contains(&attempts), "{attempts}");
    advance(5 * SECOND).await;
    settle().await;
    assert!(keys.at_hand().is_none());
    assert!(keys.obtain().await.is_none());

    source.now(fresh(&["b"]));
    advance(30 * SECOND).await;
    assert!(keys.obtain().await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_unknown_keys_is_one_fetch_a_cooldown() {
    let (keys, source) = remote(on_request(), [fresh(&["a"]), Reply::After(SECOND, set(&["a", "b"]))]);
    let old = keys.obtain().await.unwrap();
    let tasks: Vec<_> = (0..500)
        .map(|_| {
            let (keys, old) = (Arc::clone(&keys), Arc::clone(&old));
            tokio::spawn(async move { keys.newer_than(&old).await.ok().map(|set| set.usable_keys()) })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Some(2), "rotation seen");
    }
    assert_eq!(source.calls(), 2);

    let newer = keys.at_hand().unwrap();
    for _ in 0..500 {
        assert!(keys.newer_than(&newer).await.is_err());
    }
    assert_eq!(source.calls(), 2, "cooling down");
    advance(30 * SECOND).await;
    assert!(keys.newer_than(&newer).await.is_err(), "looked up, and the set is the same");
    assert_eq!(source.calls(), 3);
}

/// What a source may answer, and what becomes of the set at hand.
#[tokio::test(start_paused = true)]
async fn answers_that_are_no_set_leave_the_old_one_and_sets_replace_it() {
    let good = set(&["b"]);
    let key: serde_json::Value = serde_json::from_str(&key("c").to_jwk()).unwrap();
    let many = serde_json::json!({ "keys": vec![key.clone(); 257] }).to_string();
    let mut foreign = key.clone();
    foreign["kty"] = "XYZ".into();
    let mut broken = key.clone();
    broken["x"] = "AAAA".into();
    let mixed = serde_json::json!({ "keys": [foreign, broken, key] }).to_string();
    for (name, body, kept, usable, skipped) in [
        ("one key", good.as_str(), false, 1, 0),
        ("an empty set: all keys are withdrawn", r#"{"keys":[]}"#, false, 0, 0),
        ("one unknown and one broken key beside a good one", &mixed, false, 1, 2),
        ("HTML", "<!doctype html><title>Log in</title>", true, 1, 0),
        ("nothing", "", true, 1, 0),
        ("no keys", "{}", true, 1, 0),
        ("keys that are no list", r#"{"keys":{}}"#, true, 1, 0),
        ("cut off", &good[..good.len() - 1], true, 1, 0),
        ("too many keys", &many, true, 1, 0),
    ] {
        let (keys, source) = remote(on_request(), [fresh(&["a"]), Reply::Body(body.to_owned())]);
        let old = keys.obtain().await.unwrap();
        let newer = keys.newer_than(&old).await.ok();
        assert_eq!(newer.is_none(), kept, "{name}");
        let status = keys.status();
        assert_eq!((status.usable_keys, status.skipped_keys), (usable, skipped), "{name}");
        assert_eq!(status.failures, u32::from(kept), "{name}");
        assert_eq!(source.calls(), 2);
    }
}

/// A source that sends no set within the time and the bytes that it has: nobody waits for longer, what is at hand goes
/// on, and the next attempt finds a source that is well again.
#[tokio::test(start_paused = true)]
async fn slow_huge_and_redirecting_sources_cost_no_key_and_little_time() {
    let options = JwksOptions { max_bytes: 4096, ..on_request() };
    let huge = format!("{}{}", set(&["b"]), " ".repeat(4096));
    for (name, reply, took, error) in [
        ("slow", Reply::After(6 * SECOND, set(&["b"])), 5, "the fetch took too long"),
        ("silent", Reply::Never, 5, "the fetch took too long"),
        ("huge", Reply::Body(huge), 0, "the answer is longer than 4096 bytes"),
        ("redirecting", Reply::Redirect, 0, "the answer is a redirect, and none is followed"),
    ] {
        let (cold, source) = remote(options.clone(), [reply.clone(), fresh(&["b"])]);
        let start = Instant::now();
        assert!(cold.obtain().await.is_none(), "{name}");
        assert_eq!(start.elapsed().as_secs(), took, "{name}");
        let status = cold.status();
        assert_eq!((status.failures, status.last_error.as_deref()), (1, Some(error)), "{name}");
        advance(SECOND).await;
        assert!(cold.obtain().await.is_some(), "{name}");
        assert_eq!(source.calls(), 2, "{name}");

        // 240 s old: it is refreshed, and serves meanwhile. 300 s old: it is waited for, and serves after all.
        for age in [240, 300] {
            let (warm, source) = remote(options.clone(), [fresh(&["a"]), reply.clone(), fresh(&["b"])]);
            let old = warm.obtain().await.unwrap();
            advance(age * SECOND).await;
            let start = Instant::now();
            assert_eq!(warm.at_hand().is_some(), age == 240, "{name}");
            let kept = warm.obtain().await.unwrap();
            assert!(Arc::ptr_eq(&kept, &old), "{name}: the set is kept");
            assert_eq!(start.elapsed().as_secs(), if age == 240 { 0 } else { took }, "{name}");
            sleep(6 * SECOND).await;
            let status = warm.status();
            assert_eq!((status.failures, status.last_error.as_deref()), (1, Some(error)), "{name}");
            assert_eq!((source.calls(), status.fetches.failed), (2, 1), "{name}");
            assert!(Arc::ptr_eq(&warm.at_hand().unwrap(), &old), "{name}: and serves on");
            settle().await;
            let next = warm.at_hand().unwrap();
            assert!(!Arc::ptr_eq(&next, &old) && warm.status().last_error.is_none(), "{name}");
            assert_eq!(source.calls(), 3, "{name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_set_of_more_keys_than_allowed_is_refused_as_a_whole() {
    let options = JwksOptions { max_keys: 1, ..on_request() };
    let (keys, _) = remote(options, [fresh(&["a", "b"]), fresh(&["a"]), fresh(&["b", "c"])]);
    assert!(keys.obtain().await.is_none());
    assert_eq!(keys.status().last_error.as_deref(), Some("the answer is no JWK set"));
    advance(SECOND).await;
    let one = keys.obtain().await.unwrap();
    assert_eq!(one.usable_keys(), 1);
    assert!(keys.newer_than(&one).await.is_err());
    assert!(Arc::ptr_eq(&keys.at_hand().unwrap(), &one));
    assert_eq!((keys.status().usable_keys, keys.status().failures), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn down_at_the_start_is_tried_again() {
    let (keys, source) = remote(on_request(), [Reply::Status(500), Reply::Status(500), fresh(&["a"])]);
    let start = Instant::now();
    while keys.obtain().await.is_none() {
        advance(SECOND / 10).await;
    }
    assert!(start.elapsed() < 4 * SECOND, "{:?}", start.elapsed());
    assert_eq!(source.calls(), 3);
}

/// That a key is not there and that nobody could look are two things: the first is the token's fault.
#[tokio::test(start_paused = true)]
async fn whether_a_key_is_not_there_or_could_not_be_looked_for() {
    let (keys, source) = remote(on_request(), [fresh(&["a"])]);
    let old = keys.obtain().await.unwrap();
    let same = source.scripts.lock().unwrap()[KEYS].replies[0].clone();
    assert_eq!(keys.newer_than(&old).await.err(), Some(NoNewer::Same));
    source.now(Reply::Status(503));
    assert_eq!(keys.newer_than(&old).await.err(), Some(NoNewer::Same), "it was looked for a moment ago");
    sleep(30 * SECOND).await;
    for _ in 0..2 {
        assert_eq!(keys.newer_than(&old).await.err(), Some(NoNewer::NotAsked));
    }
    assert!(keys.at_hand().is_some(), "the old keys serve");
    source.now(same);
    sleep(30 * SECOND).await;
    assert_eq!(keys.newer_than(&old).await.err(), Some(NoNewer::Same));
}
