//! Issuers whose metadata says where their keys are.

use super::*;
use tokio::time::advance;

const RFC8414: &str = "https://id.example.com/.well-known/oauth-authorization-server";
const OPENID: &str = "https://id.example.com/.well-known/openid-configuration";
const MOVED: &str = "https://id.example.com/moved";

fn metadata(jwks_uri: &str) -> String {
    format!(
        r#"{{"issuer":"{ISSUER}","jwks_uri":"{jwks_uri}","id_token_signing_alg_values_supported":["none"]}}"#
    )
}

/// The issuer, whose metadata and keys have these answers.
fn discovered(
    options: JwksOptions,
    scripts: impl IntoIterator<Item = (&'static str, Reply)>,
) -> (Arc<RemoteKeys>, Arc<Source>) {
    let (sets, source) = network(options);
    for (uri, reply) in scripts {
        source.script(uri, [reply]);
    }
    let terms = IssuerConfig::new(ISSUER, "api").discovery([Alg::Es256]);
    (RemoteKeys::new(&terms, &sets).unwrap().unwrap(), source)
}

fn at(jwks_uri: &str) -> Reply {
    Reply::Body(metadata(jwks_uri))
}

#[tokio::test(start_paused = true)]
async fn the_keys_are_where_the_metadata_says() {
    let (keys, source) = discovered(on_request(), [(RFC8414, at(KEYS)), (KEYS, fresh(&["a"]))]);
    assert!(keys.at_hand().is_none());
    settle().await;
    assert_eq!(source.calls_of(RFC8414), 0, "nothing before the first use");
    assert_eq!(keys.status().uri, None);
    assert_eq!(keys.obtain().await.unwrap().usable_keys(), 1);
    assert!(keys.at_hand().is_some());
    assert_eq!((source.calls_of(RFC8414), source.calls_of(OPENID), source.calls()), (1, 0, 1));
    let status = keys.status();
    assert_eq!(status.uri.as_ref().map(Url::as_str), Some(KEYS));
    assert_eq!(status.metadata.unwrap().uri.as_str(), RFC8414);
}

/// Which answers send us to the second place, and which do not.
#[tokio::test(start_paused = true)]
async fn the_second_place_is_asked_if_there_is_nothing_at_the_first() {
    let other = r#"{"issuer":"https://evil.example","jwks_uri":"https://evil.example/k"}"#;
    let nowhere = format!(r#"{{"issuer":"{ISSUER}"}}"#);
    let foreign = metadata("https://evil.example/k");
    for (name, first, goes_on, error) in [
        ("404", Reply::Status(404), true, None),
        ("403", Reply::Status(403), true, None),
        ("401", Reply::Status(401), true, None),
        ("HTML under 200", Reply::Body("<!doctype html>".into()), true, None),
        ("half a document", Reply::Body(metadata(KEYS)[..30].to_owned()), true, None),
        ("a list", Reply::Body("[]".into()), true, None),
        ("500", Reply::Status(500), false, Some("the answer has the status 500")),
        ("503", Reply::Status(503), false, Some("the answer has the status 503")),
        ("429", Reply::Status(429), false, Some("the answer has the status 429")),
        ("408", Reply::Status(408), false, Some("the answer has the status 408")),
        ("silence", Reply::Never, false, Some("the fetch took too long")),
        ("another issuer", Reply::Body(other.into()), false, Some("the metadata is that of another issuer")),
        ("no keys", Reply::Body(nowhere), false, Some("the metadata does not say where the keys are")),
        (
            "keys elsewhere",
            Reply::Body(foreign),
            false,
            Some("the metadata's `jwks_uri` is on a host that nobody named"),
        ),
    ] {
        let scripts = [(RFC8414, first), (OPENID, at(KEYS)), (KEYS, fresh(&["a"]))];
        let (keys, source) = discovered(on_request(), scripts);
        assert_eq!(keys.obtain().await.is_some(), goes_on, "{name}");
        assert_eq!(source.calls_of(OPENID), usize::from(goes_on), "{name}");
        let metadata = keys.status().metadata.unwrap();
        assert_eq!(metadata.last_error.as_deref(), error, "{name}");
        assert_eq!(metadata.uri.as_str(), if goes_on { OPENID } else { RFC8414 }, "{name}");
        assert_eq!(source.calls_of("https://evil.example/k"), 0, "{name}");
    }
    let (keys, source) = discovered(on_request(), []);
    assert!(keys.obtain().await.is_none());
    assert_eq!((source.calls_of(RFC8414), source.calls_of(OPENID)), (1, 1));
    assert_eq!(keys.status().metadata.unwrap().last_error.as_deref(), Some("the answer has the status 404"));
}

#[tokio::test(start_paused = true)]
async fn the_place_that_answered_is_asked_first_and_the_other_one_if_it_goes() {
    let (keys, source) = discovered(on_request(), [(OPENID, at(KEYS)), (KEYS, fresh(&["a"]))]);
    keys.obtain().await.unwrap();
    advance(3600 * SECOND).await;
    keys.obtain().await.unwrap();
    assert_eq!((source.calls_of(RFC8414), source.calls_of(OPENID)), (1, 2));
    source.script(OPENID, [Reply::Status(404)]);
    source.script(RFC8414, [at(KEYS)]);
    advance(3600 * SECOND).await;
    keys.obtain().await.unwrap();
    assert_eq!((source.calls_of(RFC8414), source.calls_of(OPENID)), (2, 3));
    assert_eq!(keys.status().metadata.unwrap().uri.as_str(), RFC8414);
}

/// Two places may name different documents in one way.
#[tokio::test(start_paused = true)]
async fn an_etag_is_sent_to_the_place_that_it_came_from() {
    let tagged = |jwks_uri| Reply::Tagged(metadata(jwks_uri), "\"1\"", 900 * SECOND);
    let (keys, source) = discovered(
        on_request(),
        [(RFC8414, tagged(KEYS)), (KEYS, fresh(&["a"])), (MOVED, fresh(&["a", "b"]))],
    );
    keys.obtain().await.unwrap();
    advance(900 * SECOND).await;
    keys.obtain().await.unwrap();
    assert_eq!(keys.status().metadata.unwrap().fetches.unchanged, 1, "it is sent there");
    source.script(RFC8414, [Reply::Status(404)]);
    source.script(OPENID, [tagged(MOVED)]);
    advance(900 * SECOND).await;
    assert_eq!(keys.obtain().await.unwrap().usable_keys(), 2);
    assert_eq!(keys.status().metadata.unwrap().uri.as_str(), OPENID);
}

#[tokio::test(start_paused = true)]
async fn keys_that_move_are_followed_and_nobody_waits() {
    let scripts =
        [(RFC8414, at(KEYS)), (KEYS, fresh(&["a"])), (MOVED, Reply::After(SECOND, set(&["a", "b"])))];
    let (keys, source) = discovered(JwksOptions::default(), scripts);
    keys.obtain().await.unwrap();
    source.script(RFC8414, [at(MOVED)]);
    sleep(2881 * SECOND).await;
    assert_eq!(source.calls_of(RFC8414), 2, "the metadata is read again by itself");
    assert_eq!(keys.at_hand().unwrap().usable_keys(), 1, "the old keys serve until the new ones are there");
    sleep(2 * SECOND).await;
    assert_eq!(keys.at_hand().unwrap().usable_keys(), 2);
    assert_eq!(keys.status().uri.unwrap().as_str(), MOVED);
    settle().await;
    let before = source.calls();
    sleep(900 * SECOND).await;
    assert_eq!(source.calls(), before, "nobody asks at the old place any more");
}

#[tokio::test(start_paused = true)]
async fn the_old_keys_serve_while_the_new_place_is_down_but_not_for_ever() {
    let scripts = [(RFC8414, at(KEYS)), (KEYS, fresh(&["a"])), (MOVED, Reply::Status(503))];
    let (keys, source) = discovered(on_request(), scripts);
    keys.obtain().await.unwrap();
    source.script(RFC8414, [at(MOVED)]);
    advance(3000 * SECOND).await;
    keys.obtain().await.unwrap();
    settle().await;
    assert_eq!(source.calls_of(RFC8414), 2);
    advance(3598 * SECOND).await;
    assert!(keys.obtain().await.is_some(), "the old set is 3598 s old");
    assert!(source.calls_of(MOVED) > 0);
    advance(2 * SECOND).await;
    assert!(keys.at_hand().is_none());
    assert!(keys.obtain().await.is_none());
    source.script(MOVED, [fresh(&["b"])]);
    advance(30 * SECOND).await;
    assert!(keys.obtain().await.is_some());
}

/// Whoever has the old place now, by whatever means, is not asked: neither by the refresher nor for an unknown key.
#[tokio::test(start_paused = true)]
async fn nobody_asks_at_a_place_that_the_metadata_names_no_longer() {
    let scripts = [(RFC8414, at(KEYS)), (KEYS, fresh(&["a"])), (MOVED, Reply::Status(503))];
    let (keys, source) = discovered(JwksOptions::default(), scripts);
    keys.obtain().await.unwrap();
    source.script(RFC8414, [at(MOVED)]);
    sleep(2881 * SECOND).await;
    let old = keys.at_hand().unwrap();
    settle().await;
    source.now(fresh(&["a", "evil"]));
    let before = source.calls();
    sleep(3500 * SECOND).await;
    assert!(keys.newer_than(&old).await.is_err());
    assert!(Arc::ptr_eq(&keys.at_hand().unwrap(), &old));
    assert_eq!(source.calls(), before);
    let status = keys.status();
    assert_eq!(status.uri.unwrap().as_str(), KEYS, "the place whose keys serve");
    assert_eq!((status.usable_keys, status.last_error.is_some()), (1, true));
    assert!(status.age.unwrap() > 3500 * SECOND);
    sleep(100 * SECOND).await;
    assert!(keys.at_hand().is_none(), "an outage of the new place is bridged for so long");
    assert!(keys.obtain().await.is_none());
    assert_eq!(source.calls(), before);
    source.script(MOVED, [fresh(&["b"])]);
    sleep(30 * SECOND).await;
    assert!(keys.at_hand().is_some());
}

/// Nobody notices the move before the next request, but what the old place says meanwhile does not count.
#[tokio::test(start_paused = true)]
async fn keys_that_came_from_the_old_place_after_the_move_do_not_serve() {
    for (name, after, at_s, serves) in [
        ("another set", Some(fresh(&["evil"])), 3600, false),
        ("the same one", None, 3600, true),
        ("the same one, for too long", None, 2881 + 3600, false),
    ] {
        let scripts = [(RFC8414, at(KEYS)), (KEYS, fresh(&["a"])), (MOVED, Reply::Status(503))];
        let (keys, source) = discovered(JwksOptions::default(), scripts);
        keys.obtain().await.unwrap();
        source.script(RFC8414, [at(MOVED)]);
        sleep(2881 * SECOND).await;
        if let Some(after) = after {
            source.now(after);
        }
        sleep((at_s - 2881) * SECOND).await;
        assert_eq!(keys.at_hand().is_some(), serves, "{name}");
        assert_eq!(keys.obtain().await.is_some(), serves, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_move_that_is_taken_back_leaves_nothing() {
    let scripts = [(RFC8414, at(KEYS)), (KEYS, fresh(&["a"])), (MOVED, Reply::Status(503))];
    let (keys, source) = discovered(JwksOptions::default(), scripts);
    keys.obtain().await.unwrap();
    source.script(RFC8414, [at(MOVED)]);
    sleep(2881 * SECOND).await;
    keys.at_hand().unwrap();
    settle().await;
    assert_eq!(source.calls_of(MOVED), 1);
    source.script(RFC8414, [at(KEYS)]);
    sleep(2881 * SECOND).await;
    assert!(keys.at_hand().is_some());
    settle().await;
    let before = source.calls_of(MOVED);
    sleep(900 * SECOND).await;
    assert_eq!(source.calls_of(MOVED), before, "nobody asks at the place that never answered");
    let status = keys.status();
    assert_eq!((status.uri.unwrap().as_str(), status.usable_keys), (KEYS, 1));
    assert!(status.age.unwrap() < 300 * SECOND);
}

/// A request that has waited at the old place for longer than the move took does not move the keys back.
#[tokio::test(start_paused = true)]
async fn an_answer_from_the_old_place_that_comes_late_changes_nothing() {
    let options = JwksOptions { metadata_refresh: SECOND, min_refresh: SECOND, ..on_request() };
    let late = Reply::After(4 * SECOND, set(&["a"]));
    let (keys, source) =
        discovered(options, [(RFC8414, at(KEYS)), (KEYS, late), (MOVED, fresh(&["b", "c"]))]);
    let waiting = tokio::spawn({
        let keys = Arc::clone(&keys);
        async move { keys.obtain().await }
    });
    settle().await;
    source.script(RFC8414, [at(MOVED)]);
    advance(SECOND).await;
    assert_eq!(keys.obtain().await.unwrap().usable_keys(), 2);
    let moved = keys.at_hand().unwrap();
    waiting.await.unwrap();
    source.script(MOVED, [Reply::Status(503)]);
    keys.obtain().await.unwrap();
    assert!(Arc::ptr_eq(&keys.at_hand().unwrap(), &moved));
    assert_eq!(keys.status().uri.unwrap().as_str(), MOVED);
    assert_eq!(source.calls_of(MOVED), 1);
}

/// An unknown key may be at a place that the metadata names since. It is looked at only if it is older than any source
/// could ask for: before that an unknown key costs one fetch a cooldown, and after that one of each.
#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_looked_for_where_the_keys_are_now() {
    let (keys, source) =
        discovered(on_request(), [(RFC8414, at(KEYS)), (KEYS, fresh(&["a"])), (MOVED, fresh(&["b"]))]);
    let old = keys.obtain().await.unwrap();
    for _ in 0..1000 {
        assert!(keys.newer_than(&old).await.is_err());
    }
    assert_eq!((source.calls_of(RFC8414), source.calls()), (1, 2));

    source.script(RFC8414, [at(MOVED)]);
    advance(59 * SECOND).await;
    for _ in 0..1000 {
        assert!(keys.newer_than(&old).await.is_err());
    }
    assert_eq!((source.calls_of(RFC8414), source.calls()), (1, 3));
    advance(30 * SECOND).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..1000 {
        let (keys, old) = (Arc::clone(&keys), Arc::clone(&old));
        tasks.spawn(async move { keys.newer_than(&old).await.is_ok() });
    }
    assert_eq!(tasks.join_all().await, [true; 1000]);
    assert_eq!((source.calls_of(RFC8414), source.calls(), source.calls_of(MOVED)), (2, 4, 1));
}

/// Whoever sends tokens with keys that nobody knows makes us ask for the set once a cooldown, and for the metadata no more
/// often than that, nor than once in `min_refresh`.
#[tokio::test(start_paused = true)]
async fn a_storm_of_unknown_keys_asks_for_metadata_within_bounds() {
    for (min_refresh, cooldown, sets, metadata) in
        [(60, 30, 21, 11), (10, 30, 21, 21), (0, 60, 11, 11), (600, 30, 21, 2)]
    {
        let options = JwksOptions {
            min_refresh: min_refresh * SECOND,
            cooldown: cooldown * SECOND,
            refresh: 900 * SECOND,
            ..on_request()
        };
        let (keys, source) = discovered(options, [(RFC8414, at(KEYS)), (KEYS, fresh(&["a"]))]);
        let old = keys.obtain().await.unwrap();
        for _ in 0..600 {
            advance(SECOND).await;
            assert!(keys.newer_than(&old).await.is_err());
        }
        let asked = (source.calls(), source.calls_of(RFC8414));
        assert_eq!(asked, (sets, metadata), "{min_refresh} {cooldown}");
    }
}

#[tokio::test(start_paused = true)]
async fn metadata_that_is_down_is_bridged_by_what_is_known() {
    let (keys, source) = discovered(JwksOptions::default(), [(RFC8414, at(KEYS)), (KEYS, fresh(&["a"]))]);
    keys.obtain().await.unwrap();
    source.script(RFC8414, [Reply::Status(503)]);
    for _ in 0..23 {
        sleep(3600 * SECOND).await;
        assert!(keys.at_hand().is_some());
    }
    assert!(keys.status().metadata.unwrap().failures > 100);
    sleep(3600 * SECOND).await;
    assert!(keys.at_hand().is_none(), "nobody has said for a day where the keys are");
    assert!(keys.obtain().await.is_none());
}

/// A metadata document of one issuer that two authenticators use is one, and so are the keys.
#[tokio::test(start_paused = true)]
async fn what_is_discovered_is_shared() {
    let (sets, source) = network(JwksOptions::default());
    source.script(RFC8414, [at(KEYS)]);
    source.now(fresh(&["a"]));
    let terms = IssuerConfig::new(ISSUER, "api").discovery([Alg::Es256]);
    let one = RemoteKeys::new(&terms, &sets).unwrap().unwrap();
    let two = RemoteKeys::new(&terms, &sets).unwrap().unwrap();
    let three = published_at(KEYS, &sets);
    for keys in [one, two, three] {
        keys.obtain().await.unwrap();
    }
    assert_eq!((source.calls_of(RFC8414), source.calls()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn news_are_listened_to_where_the_newest_metadata_says() {
    let telling = |events: &str| {
        let named = format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"{KEYS}","jwks_events_uri":"{events}"}}"#);
        Reply::Body(named)
    };
    let (first, second) = ("https://id.example.com/events", "https://id.example.com/news");
    let (keys, source) =
        discovered(JwksOptions::default(), [(RFC8414, telling(first)), (KEYS, fresh(&["a"]))]);
    let listened = || source.listened.lock().unwrap().clone();
    keys.obtain().await.unwrap();
    settle().await;
    assert_eq!(listened(), [first]);
    for (named, expected) in
        [(second, vec![second]), ("https://evil.example/events", vec![]), (first, vec![first])]
    {
        source.script(RFC8414, [telling(named)]);
        advance(2 * 3600 * SECOND).await;
        settle().await;
        keys.obtain().await.unwrap();
        settle().await;
        keys.at_hand();
        settle().await;
        assert_eq!(listened(), expected, "{named}");
    }
}
