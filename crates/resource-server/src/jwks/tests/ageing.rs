//! How long a set is used, what its source may say about that, and the refresher that no request wakes.

use super::*;
use tokio::time::{Instant, advance};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_set_is_refreshed_ahead_without_any_request() {
    let (keys, source) = remote(JwksOptions::default(), [fresh(&["a"]), fresh(&["a", "b"]), fresh(&["b"])]);
    keys.obtain().await.unwrap();
    sleep(239 * SECOND).await;
    assert_eq!((source.calls(), keys.at_hand().unwrap().usable_keys()), (1, 1));
    sleep(2 * SECOND).await;
    assert_eq!((source.calls(), keys.at_hand().unwrap().usable_keys()), (2, 2), "a rotation is seen");
    sleep(240 * SECOND).await;
    assert_eq!((source.calls(), keys.at_hand().unwrap().usable_keys()), (3, 1), "what left the set is gone");
    sleep(10 * 240 * SECOND).await;
    assert_eq!(source.calls(), 13);
}

#[tokio::test(start_paused = true)]
async fn who_comes_late_with_an_old_document_does_not_push_out_the_new_set() {
    let (keys, _) = remote(JwksOptions::default(), [fresh(&["a"]), fresh(&["a", "b"])]);
    let old = keys.obtain().await.unwrap();
    sleep(241 * SECOND).await;
    let new = keys.at_hand().unwrap();
    assert_eq!((old.usable_keys(), new.usable_keys()), (1, 2));
    assert_eq!(keys.late_with(&old.document).unwrap().usable_keys(), 1);
    assert!(Arc::ptr_eq(&keys.at_hand().unwrap(), &new));
}

#[tokio::test(start_paused = true)]
async fn the_refresher_ends_with_the_last_user() {
    let (keys, source) = remote(JwksOptions::default(), [fresh(&["a"])]);
    keys.obtain().await.unwrap();
    settle().await;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    assert_eq!(tasks(), 1);
    drop(keys);
    settle().await;
    assert_eq!(tasks(), 0);
    sleep(60 * MINUTE).await;
    assert_eq!(source.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_runs_in_the_background_if_that_is_not_wanted() {
    let (keys, source) = remote(on_request(), [fresh(&["a"])]);
    keys.obtain().await.unwrap();
    settle().await;
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
    sleep(60 * MINUTE).await;
    assert_eq!(source.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_refresher_goes_on_through_an_outage() {
    let (keys, source) = remote(JwksOptions::default(), [fresh(&["a"]), Reply::Status(503)]);
    keys.obtain().await.unwrap();
    sleep(59 * MINUTE).await;
    let calls = source.calls();
    // 55 minutes of outage and a pause of 30 s, but for the first few.
    assert!((105..120).contains(&calls), "{calls}");
    let status = keys.status();
    assert_eq!(status.failures as usize, calls - 1);
    assert_eq!(status.last_error.as_deref(), Some("the answer has the status 503"));
    assert!(keys.at_hand().is_some());
    sleep(MINUTE).await;
    assert!(keys.at_hand().is_none(), "too old");

    source.now(fresh(&["b"]));
    sleep(30 * SECOND).await;
    assert!(keys.at_hand().is_some(), "back, and nobody waited");
    assert_eq!(keys.status().last_error, None);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_down_at_the_start_is_found_when_it_comes_up() {
    let (keys, source) = remote(JwksOptions::default(), [Reply::Status(503)]);
    assert!(keys.obtain().await.is_none());
    sleep(10 * MINUTE).await;
    let calls = source.calls();
    assert!((20..30).contains(&calls), "{calls}");
    source.now(fresh(&["a"]));
    sleep(30 * SECOND).await;
    assert!(keys.at_hand().is_some());
}

/// Bounds of nothing would let the refresher spin, if it did not pause.
#[tokio::test(start_paused = true)]
async fn the_refresher_never_spins() {
    let nothing = Duration::from_nanos(1);
    let eager = JwksOptions {
        refresh: nothing,
        min_refresh: Duration::ZERO,
        max_refresh: nothing,
        cooldown: Duration::ZERO,
        ..JwksOptions::default()
    };
    for reply in [fresh(&["a"]), Reply::Status(500), Reply::Aged(set(&["a"]), Duration::ZERO), Reply::Panic] {
        let (keys, source) = remote(eager.clone(), [reply]);
        keys.obtain().await;
        sleep(MINUTE).await;
        let calls = source.calls();
        assert!((50..=61).contains(&calls), "{calls}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_source_says_of_ages_counts_within_the_bounds() {
    for (said, fresh_for) in [
        (Duration::ZERO, 60),
        (59 * SECOND, 60),
        (100 * SECOND, 100),
        (900 * SECOND, 900),
        (86_400 * SECOND, 900),
        (Duration::MAX, 900),
    ] {
        let (keys, source) = remote(on_request(), [Reply::Aged(set(&["a"]), said)]);
        keys.obtain().await.unwrap();
        assert_eq!(keys.status().next_refresh, Some(fresh_for * SECOND / 5 * 4), "{said:?}");
        advance(fresh_for * SECOND / 5 * 4 - SECOND).await;
        keys.at_hand().unwrap();
        settle().await;
        assert_eq!(source.calls(), 1, "{said:?}");
        advance(SECOND).await;
        keys.at_hand().unwrap();
        settle().await;
        assert_eq!(source.calls(), 2, "{said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_set_that_did_not_change_is_fresh_again_and_stays_the_same() {
    let tagged = |kids: &[&str], tag| Reply::Tagged(set(kids), tag, 100 * SECOND);
    let (keys, source) = remote(on_request(), [tagged(&["a"], "\"1\"")]);
    let first = keys.obtain().await.unwrap();
    assert!(keys.status().has_etag);
    for round in 1..=5 {
        advance(100 * SECOND).await;
        let again = keys.obtain().await.unwrap();
        assert!(Arc::ptr_eq(&first, &again), "no verifier is made anew");
        assert_eq!((source.calls(), source.unchanged()), (1 + round, round));
        assert_eq!(keys.status().age, Some(Duration::ZERO));
    }
    source.now(tagged(&["b"], "\"2\""));
    advance(100 * SECOND).await;
    let second = keys.obtain().await.unwrap();
    assert!(!Arc::ptr_eq(&first, &second));
    let fetches = keys.status().fetches;
    assert_eq!((fetches.changed, fetches.unchanged, fetches.failed), (2, 5, 0));
}

/// Else a set that was refused would be "not modified" for ever.
#[tokio::test(start_paused = true)]
async fn the_etag_of_a_set_that_was_refused_is_not_sent() {
    let half = r#"{"keys":[{"kty":"EC""#.to_owned();
    let (keys, source) = remote(
        on_request(),
        [
            Reply::Tagged(set(&["a"]), "\"1\"", MINUTE),
            Reply::Tagged(half, "\"2\"", MINUTE),
            Reply::Tagged(set(&["b"]), "\"2\"", MINUTE),
        ],
    );
    keys.obtain().await.unwrap();
    advance(MINUTE).await;
    keys.obtain().await.unwrap();
    assert_eq!(keys.status().last_error.as_deref(), Some("the answer is no JWK set"));
    advance(MINUTE).await;
    keys.obtain().await.unwrap();
    settle().await;
    assert_eq!((source.calls(), source.unchanged(), keys.status().failures), (3, 0, 0));
}

/// The same bytes under no `ETag`: no verifier is made anew, and what was verified with it stays so.
#[tokio::test(start_paused = true)]
async fn the_same_bytes_are_the_same_set() {
    let (keys, source) = remote(on_request(), [fresh(&["a"])]);
    let first = keys.obtain().await.unwrap();
    advance(300 * SECOND).await;
    assert!(Arc::ptr_eq(&first, &keys.obtain().await.unwrap()));
    assert_eq!(source.calls(), 2);
}

/// Whoever fetches: a program's own way to do it may have read more.
#[tokio::test(start_paused = true)]
async fn a_body_that_is_too_long_is_refused_whoever_fetched_it() {
    let exact = set(&["a"]);
    let longer = format!("{exact} ");
    let options = JwksOptions { max_bytes: exact.len(), ..on_request() };
    let (keys, _) = remote(options, [Reply::Body(longer), Reply::Body(exact)]);
    assert!(keys.obtain().await.is_none());
    assert!(keys.status().last_error.unwrap().starts_with("the answer is longer than "));
    advance(MINUTE).await;
    assert!(keys.obtain().await.is_some());
}

/// The wall clock is not looked at; what is, never goes back, and a leap forward is a long quiet time.
#[tokio::test(start_paused = true)]
async fn a_clock_that_leaps_forward_is_a_quiet_time() {
    let (keys, source) = remote(JwksOptions::default(), [fresh(&["a"])]);
    keys.obtain().await.unwrap();
    let start = Instant::now();
    for _ in 0..10 {
        advance(1_000_000 * SECOND).await;
        assert!(keys.obtain().await.is_some());
        settle().await;
    }
    assert!(start.elapsed() >= 10_000_000 * SECOND);
    assert_eq!(source.calls(), 11, "one fetch a leap");
}
