//! Each rule of the store, on both databases and under concurrency.

use std::time::Duration;

use sealwright_service::clock::Timestamp;
use sealwright_service::database::Database;
use sealwright_testkit::database::on_both;

use super::code::News;
use super::interaction::{Progress, Try};
use super::pushed_request::{NewPushedRequest, State};
use super::throttle::Limit;
use super::*;
use crate::domain::acr::Factors;
use crate::domain::authorization_details::AuthorizationDetails;
use crate::domain::authorization_request::AuthorizationRequest;
use crate::domain::handle::{Handle, HandleHash};
use crate::domain::pkce::CodeChallenge;
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::scope::Scopes;

const NOW: Timestamp = Timestamp::from_secs(1_795_305_600);

fn later(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

pub(super) fn request() -> AuthorizationRequest {
    let details = serde_json::json!([{
        "type": crate::domain::authorization_details::TYPE_SIGN,
        "documentDigests": [{"hash": base64_simd::STANDARD.encode_to_string([1u8; 32]), "label": "a.md"}],
        "hashAlgorithmOID": "2.16.840.1.101.3.4.2.1",
        "locations": ["https://sign.example.com"],
    }]);
    let audiences = ["https://sign.example.com".to_owned()];
    AuthorizationRequest {
        client_id: "default_portal".into(),
        redirect_uri: RedirectUri::stored("https://portal.example.com/cb".into()),
        state: Some("s".into()),
        code_challenge: CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap(),
        scope: Scopes::parse("openid roles").unwrap(),
        resource: audiences[0].clone(),
        authorization_details: AuthorizationDetails::check(details, &audiences).unwrap(),
        domain: Some("staff".into()),
        login_hint: Some("alice".into()),
        acr_values: vec!["urn:x".into()],
        max_age_s: Some(300),
        consent: true,
        nonce: Some("n-1".into()),
    }
}

/// Runs `work` fifty times at once and counts how often it says yes.
async fn winners<F, Fut>(work: F) -> usize
where
    F: Fn() -> Fut,
    Fut: Future<Output = bool> + Send + 'static,
{
    let tasks: Vec<_> = (0..50).map(|_| tokio::spawn(work())).collect();
    let mut won = 0;
    for task in tasks {
        won += usize::from(task.await.unwrap());
    }
    won
}

async fn account_of(db: &Database) -> String {
    let mut conn = db.writer().acquire().await.unwrap();
    account::upsert(&mut conn, "alice", "staff", "subject-1", NOW).await.unwrap()
}

async fn interaction_of(db: &Database, pushed_id: Option<&str>) -> HandleHash {
    let (id, secret) = (Handle::generate().hash(), Handle::generate().hash());
    let mut conn = db.writer().acquire().await.unwrap();
    interaction::insert(&mut conn, &id, &secret, pushed_id, &request(), later(900)).await.unwrap();
    id
}

async fn code_of(db: &Database) -> HandleHash {
    let code = Handle::generate().hash();
    let id = interaction_of(db, None).await;
    let mut conn = db.writer().acquire().await.unwrap();
    assert!(interaction::authenticated(&mut conn, &id, "subject-1", Factors::Password, NOW).await.unwrap());
    assert!(interaction::end_with_code(&mut conn, &id, &new_code(&code, &request())).await.unwrap());
    code
}

fn new_code<'a>(code: &'a HandleHash, request: &'a AuthorizationRequest) -> code::NewCode<'a> {
    let factors = Factors::Password;
    code::NewCode { code, request, subject: "subject-1", factors, auth_time: NOW, expires_at: later(60) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_redeemed_by_one_of_fifty() {
    on_both(&[&MIGRATOR], async |db| {
        let code = code_of(&db).await;
        let won = winners(|| {
            let (db, code) = (db.clone(), code.clone());
            async move {
                let mut conn = db.writer().acquire().await.unwrap();
                code::redeem(&mut conn, &code, "default_portal", "jti", NOW).await.unwrap().is_some()
            }
        });
        assert_eq!(won.await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_code_is_bound_to_its_client_and_minute_and_seen_when_replayed() {
    on_both(&[&MIGRATOR], async |db| {
        let code = code_of(&db).await;
        let mut conn = db.writer().acquire().await.unwrap();
        assert!(code::redeem(&mut conn, &code, "default_other", "j", NOW).await.unwrap().is_none());
        assert!(code::redeem(&mut conn, &code, "default_portal", "j", later(60)).await.unwrap().is_none());
        assert!(code::first_replay(&mut conn, &code, NOW).await.unwrap().is_none(), "never redeemed");

        let redeemed =
            code::redeem(&mut conn, &code, "default_portal", "j", later(59)).await.unwrap().unwrap();
        assert_eq!(redeemed.request, request());
        assert_eq!(redeemed.subject, "subject-1");
        assert_eq!((redeemed.factors, redeemed.auth_time), (Factors::Password, NOW));

        let replay = code::first_replay(&mut conn, &code, NOW).await.unwrap().unwrap();
        assert_eq!(replay.jti.as_deref(), Some("j"));
        assert_eq!((replay.client_id.as_str(), replay.subject.as_str()), ("default_portal", "subject-1"));
        assert!(code::first_replay(&mut conn, &code, NOW).await.unwrap().is_none(), "the second is no news");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_totp_step_is_used_by_one_of_fifty_and_only_forwards() {
    on_both(&[&MIGRATOR], async |db| {
        let subject = account_of(&db).await;
        let won = winners(|| {
            let (db, subject) = (db.clone(), subject.clone());
            async move {
                let mut conn = db.writer().acquire().await.unwrap();
                account::use_totp_step(&mut conn, &subject, 100).await.unwrap()
            }
        });
        assert_eq!(won.await, 1);
        let mut conn = db.writer().acquire().await.unwrap();
        for (step, fresh) in [(99, false), (100, false), (101, true), (101, false)] {
            assert_eq!(account::use_totp_step(&mut conn, &subject, step).await.unwrap(), fresh, "{step}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_subject_stays_with_its_user_name() {
    on_both(&[&MIGRATOR], async |db| {
        let mut conn = db.writer().acquire().await.unwrap();
        for new_subject in ["s1", "s2"] {
            let subject = account::upsert(&mut conn, "bob", "default", new_subject, NOW).await.unwrap();
            assert_eq!(subject, "s1");
        }
        account::disable(&mut conn, "bob", NOW).await.unwrap();
        assert!(account::enabled(&mut conn).await.unwrap().is_empty());
        assert!(
            !account::use_totp_step(&mut conn, "s1", 7).await.unwrap(),
            "a disabled account has no codes"
        );
        assert_eq!(account::upsert(&mut conn, "bob", "staff", "s3", NOW).await.unwrap(), "s1");
        assert_eq!(account::enabled(&mut conn).await.unwrap(), ["bob"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_uri_opens_once_and_only_for_its_client() {
    on_both(&[&MIGRATOR], async |db| {
        let uri = Handle::generate().hash();
        let mut conn = db.writer().acquire().await.unwrap();
        let new = NewPushedRequest {
            id: "ctx_1",
            uri: &uri,
            backend_id: Some("default_backend"),
            request: &request(),
            expires_at: later(300),
        };
        pushed_request::insert(&mut conn, new).await.unwrap();
        let until = later(900);
        assert!(pushed_request::open(&mut conn, &uri, "default_other", NOW, until).await.unwrap().is_none());
        assert!(
            pushed_request::open(&mut conn, &uri, "default_portal", later(300), until)
                .await
                .unwrap()
                .is_none()
        );
        drop(conn);
        let won = winners(|| {
            let (db, uri) = (db.clone(), uri.clone());
            async move {
                let mut conn = db.writer().acquire().await.unwrap();
                let opened =
                    pushed_request::open(&mut conn, &uri, "default_portal", NOW, until).await.unwrap();
                opened.is_some_and(|(id, opened)| id == "ctx_1" && opened == request())
            }
        });
        assert_eq!(won.await, 1);

        let mut conn = db.writer().acquire().await.unwrap();
        let state = pushed_request::context_state(&mut conn, "ctx_1", "default_backend").await.unwrap();
        assert_eq!(state, Some((State::Pending, until)));
        assert!(pushed_request::context_state(&mut conn, "ctx_1", "default_other").await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn a_run_goes_through_its_steps_in_order_and_ends_once() {
    on_both(&[&MIGRATOR], async |db| {
        let id = interaction_of(&db, None).await;
        let mut conn = db.writer().acquire().await.unwrap();
        let code = Handle::generate().hash();
        let request = request();
        let end = new_code(&code, &request);
        let mfa = Factors::PasswordAndTotp;

        assert!(!interaction::end_with_code(&mut conn, &id, &end).await.unwrap(), "nobody has logged in");
        assert!(!interaction::authenticated(&mut conn, &id, "s", mfa, NOW).await.unwrap(), "no password yet");
        assert_eq!(interaction::take_try(&mut conn, &id).await.unwrap(), Try::Elsewhere, "no password yet");
        assert!(interaction::await_second_factor(&mut conn, &id, "s").await.unwrap());
        assert!(!interaction::await_second_factor(&mut conn, &id, "other").await.unwrap());
        for n in 1..=5 {
            assert!(!interaction::end_exhausted(&mut conn, &id).await.unwrap(), "before try {n}");
            assert_eq!(interaction::take_try(&mut conn, &id).await.unwrap(), Try::Taken, "try {n}");
        }
        assert_eq!(interaction::take_try(&mut conn, &id).await.unwrap(), Try::NoneLeft);
        assert!(
            !interaction::end_with_code(&mut conn, &id, &end).await.unwrap(),
            "the second factor is missing"
        );
        assert!(
            !interaction::authenticated(&mut conn, &id, "other", mfa, NOW).await.unwrap(),
            "somebody else"
        );
        assert!(interaction::authenticated(&mut conn, &id, "s", mfa, NOW).await.unwrap());
        // The fifth try was right: whoever clicked a sixth time has not used up anything.
        assert_eq!(interaction::take_try(&mut conn, &id).await.unwrap(), Try::Elsewhere);
        assert!(!interaction::end_exhausted(&mut conn, &id).await.unwrap());

        let found = interaction::find(&mut conn, &id, NOW).await.unwrap().unwrap();
        let progress = Progress::Approval { subject: "s".into(), factors: mfa, auth_time: NOW };
        assert_eq!(found.progress, progress);
        assert!(interaction::find(&mut conn, &id, later(900)).await.unwrap().is_none(), "expired");

        assert!(interaction::end_with_code(&mut conn, &id, &end).await.unwrap());
        assert!(!interaction::end_with_code(&mut conn, &id, &end).await.unwrap(), "a second click");
        assert!(!interaction::end_denied(&mut conn, &id).await.unwrap(), "a change of mind");
        assert!(interaction::find(&mut conn, &id, NOW).await.unwrap().is_none(), "it is over");
    })
    .await;
}

#[tokio::test]
async fn a_run_that_ends_says_so_to_its_context() {
    on_both(&[&MIGRATOR], async |db| {
        let uri = Handle::generate().hash();
        let mut conn = db.writer().acquire().await.unwrap();
        let new = NewPushedRequest {
            id: "ctx_2",
            uri: &uri,
            backend_id: Some("b"),
            request: &request(),
            expires_at: later(300),
        };
        pushed_request::insert(&mut conn, new).await.unwrap();
        drop(conn);
        let id = interaction_of(&db, Some("ctx_2")).await;
        let mut conn = db.writer().acquire().await.unwrap();
        assert!(interaction::end_denied(&mut conn, &id).await.unwrap());
        let state = pushed_request::context_state(&mut conn, "ctx_2", "b").await.unwrap();
        assert_eq!(state, Some((State::Denied, later(300))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_tries_is_ended_by_one_of_fifty() {
    on_both(&[&MIGRATOR], async |db| {
        let id = interaction_of(&db, None).await;
        let mut conn = db.writer().acquire().await.unwrap();
        assert!(interaction::await_second_factor(&mut conn, &id, "s").await.unwrap());
        drop(conn);
        let tried = winners(|| {
            let (db, id) = (db.clone(), id.clone());
            async move {
                let mut conn = db.writer().acquire().await.unwrap();
                interaction::take_try(&mut conn, &id).await.unwrap() == Try::Taken
            }
        });
        assert_eq!(tried.await, 5);
        let ended = winners(|| {
            let (db, id) = (db.clone(), id.clone());
            async move {
                let mut conn = db.writer().acquire().await.unwrap();
                interaction::end_exhausted(&mut conn, &id).await.unwrap()
            }
        });
        assert_eq!(ended.await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_run_can_start_again() {
    on_both(&[&MIGRATOR], async |db| {
        let id = interaction_of(&db, None).await;
        let mut conn = db.writer().acquire().await.unwrap();
        assert!(interaction::authenticated(&mut conn, &id, "s", Factors::Password, NOW).await.unwrap());
        interaction::restart(&mut conn, &id).await.unwrap();
        let found = interaction::find(&mut conn, &id, NOW).await.unwrap().unwrap();
        assert_eq!(found.progress, Progress::Login);
    })
    .await;
}

const LIMIT: Limit = Limit {
    free: 3,
    first_delay: Duration::from_secs(1),
    longest_delay: Duration::from_secs(4),
    forget_after: Duration::from_secs(100),
};

#[tokio::test]
async fn delays_double_up_to_the_longest_and_are_forgotten() {
    on_both(&[&MIGRATOR], async |db| {
        let key = HandleHash::of("k");
        let mut conn = db.writer().acquire().await.unwrap();
        // Second, whether an attempt is let through, and how long the key is blocked then.
        let script = [
            (0, true, 0),
            (0, true, 0),
            (0, true, 1),
            (0, false, 1),
            (1, true, 2),
            (2, false, 1),
            (3, true, 4),
            (7, true, 4),
            (11, true, 4),
            (14, false, 1),
            (200, true, 0),
            (200, true, 0),
            (200, true, 1),
        ];
        for (i, (at, allowed, blocked)) in script.into_iter().enumerate() {
            let took = throttle::take_attempt(&mut conn, &key, LIMIT, later(at)).await.unwrap();
            assert_eq!(took.is_some(), allowed, "line {i}");
            let left = throttle::blocked_for(&mut conn, &key, later(at)).await.unwrap();
            assert_eq!(left, Duration::from_secs(blocked), "line {i}");
        }
        throttle::forget(&mut conn, &key).await.unwrap();
        assert!(throttle::take_attempt(&mut conn, &key, LIMIT, later(200)).await.unwrap().is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_guesses_at_once_get_no_more_than_the_free_ones() {
    on_both(&[&MIGRATOR], async |db| {
        let won = winners(|| {
            let db = db.clone();
            async move {
                let mut conn = db.writer().acquire().await.unwrap();
                throttle::take_attempt(&mut conn, &HandleHash::of("k"), LIMIT, NOW).await.unwrap().is_some()
            }
        });
        assert_eq!(won.await, 3);
    })
    .await;
}

#[tokio::test]
async fn a_success_gives_back_one_attempt_and_no_more() {
    on_both(&[&MIGRATOR], async |db| {
        let key = HandleHash::of("address");
        let mut conn = db.writer().acquire().await.unwrap();
        let mut last = None;
        for _ in 0..3 {
            last = throttle::take_attempt(&mut conn, &key, LIMIT, NOW).await.unwrap();
        }
        assert_eq!(last, Some(later(1)), "the third blocks");
        throttle::give_back(&mut conn, &key, last.unwrap()).await.unwrap();
        assert!(throttle::take_attempt(&mut conn, &key, LIMIT, NOW).await.unwrap().is_some());
        assert_eq!(throttle::take_attempt(&mut conn, &key, LIMIT, NOW).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn giving_back_lifts_no_block_that_another_attempt_set() {
    on_both(&[&MIGRATOR], async |db| {
        let key = HandleHash::of("address");
        let mut conn = db.writer().acquire().await.unwrap();
        let ours = throttle::take_attempt(&mut conn, &key, LIMIT, NOW).await.unwrap().unwrap();
        for _ in 0..2 {
            assert!(throttle::take_attempt(&mut conn, &key, LIMIT, NOW).await.unwrap().is_some());
        }
        throttle::give_back(&mut conn, &key, ours).await.unwrap();
        assert_eq!(throttle::blocked_for(&mut conn, &key, NOW).await.unwrap(), Duration::from_secs(1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_counts_to_its_bound() {
    on_both(&[&MIGRATOR], async |db| {
        let count = |now| {
            let db = db.clone();
            async move {
                let mut conn = db.writer().acquire().await.unwrap();
                rate::count_use(&mut conn, &HandleHash::of("r"), 5, now).await.unwrap()
            }
        };
        assert_eq!(winners(|| count(NOW)).await, 5);
        assert!(!count(later(59)).await);
        assert!(count(later(60)).await, "a new window");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_continuation_has_five_tries_and_one_success() {
    on_both(&[&MIGRATOR], async |db| {
        let handle = Handle::generate().hash();
        let mut conn = db.writer().acquire().await.unwrap();
        continuation::insert(&mut conn, &handle, "s", "c", later(300)).await.unwrap();
        for (client, at, whose) in [("other", NOW, None), ("c", later(300), None), ("c", NOW, Some("s"))] {
            let subject = continuation::subject(&mut conn, &handle, client, at).await.unwrap();
            assert_eq!(subject.as_deref(), whose);
            let took = continuation::take_try(&mut conn, &handle, client, at).await.unwrap();
            assert_eq!(took, whose.is_some());
        }
        drop(conn);
        let tried = winners(|| {
            let (db, handle) = (db.clone(), handle.clone());
            async move {
                let mut conn = db.writer().acquire().await.unwrap();
                continuation::take_try(&mut conn, &handle, "c", NOW).await.unwrap()
            }
        });
        assert_eq!(tried.await, 4);
        let used = winners(|| {
            let (db, handle) = (db.clone(), handle.clone());
            async move {
                let mut conn = db.writer().acquire().await.unwrap();
                continuation::use_up(&mut conn, &handle, NOW).await.unwrap()
            }
        });
        assert_eq!(used.await, 1);
    })
    .await;
}

#[tokio::test]
async fn the_sweeper_takes_what_is_past_use_and_nothing_else() {
    on_both(&[&MIGRATOR], async |db| {
        code_of(&db).await;
        let mut conn = db.writer().acquire().await.unwrap();
        throttle::take_attempt(&mut conn, &HandleHash::of("k"), LIMIT, NOW).await.unwrap();
        rate::count_use(&mut conn, &HandleHash::of("r"), 5, NOW).await.unwrap();
        for (id, backend_id) in [("par_1", None), ("ctx_1", Some("b"))] {
            let (uri, request) = (Handle::generate().hash(), request());
            let new =
                NewPushedRequest { id, uri: &uri, backend_id, request: &request, expires_at: later(300) };
            pushed_request::insert(&mut conn, new).await.unwrap();
        }
        drop(conn);
        for (at, rows, what) in [
            (60, 0, "nothing"),
            (61, 1, "the rate window"),
            (301, 1, "the client's own request"),
            (901, 1, "the run through the pages"),
            (3600, 0, "nothing"),
            (3661, 2, "the code, whose replay is still told for an hour, and the throttle"),
            (3901, 1, "the context, of which its backend is still told for an hour"),
        ] {
            assert_eq!(sweep::sweep(&db, later(at)).await.unwrap(), rows, "{at} s: {what}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_sweeper_keeps_up_with_many_rows() {
    on_both(&[&MIGRATOR], async |db| {
        let insert = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
            INSERT INTO rate_window (key_hash, started_at, uses) SELECT CAST(i AS TEXT), 0, 1 FROM n";
        sqlx::query(insert).execute(db.writer()).await.unwrap();
        assert_eq!(sweep::sweep(&db, NOW).await.unwrap(), 2500);
    })
    .await;
}

#[tokio::test]
async fn a_code_is_news_until_its_replay_was_noted() {
    on_both(&[&MIGRATOR], async |db| {
        let code = code_of(&db).await;
        let mut conn = db.writer().acquire().await.unwrap();
        let mut news = async |code: &HandleHash, client_id: &str, now: Timestamp| {
            code::news(&mut conn, code, client_id, now).await.unwrap()
        };
        assert_eq!(news(&Handle::generate().hash(), "default_portal", NOW).await, None, "unknown");
        let redemption = Some(News::Redemption(request().scope));
        assert_eq!(news(&code, "default_portal", later(59)).await, redemption);
        assert_eq!(news(&code, "default_portal", later(60)).await, Some(News::Replay), "too late");
        assert_eq!(news(&code, "default_other", NOW).await, Some(News::Replay), "not its own");
        code::redeem(&mut conn, &code, "default_portal", "j", NOW).await.unwrap().unwrap();
        let news = code::news(&mut conn, &code, "default_portal", NOW).await.unwrap();
        assert_eq!(news, Some(News::Replay));
        code::first_replay(&mut conn, &code, NOW).await.unwrap().unwrap();
        assert_eq!(code::news(&mut conn, &code, "default_portal", NOW).await.unwrap(), None);
    })
    .await;
}
