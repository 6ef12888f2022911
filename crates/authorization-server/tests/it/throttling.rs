//! Guessing passwords: by account, by address, over both doors.

use http::{Request, StatusCode, header};
use serde_json::json;

use crate::browser::{Browser, code};
use crate::world::{Answer, PASSWORD, World, json_request};

async fn try_from(world: &World, address: &str, username: &str, password: &str) -> Answer {
    let request: Request<_> =
        json_request("/api/v1/auth", &json!({"userName": username, "password": password}));
    world.send_from(address, request).await
}

const ON: &str = "  features: {jsonLogin: {client: default_portal}}";

#[tokio::test]
async fn one_address_guessing_at_one_account_waits_longer_and_longer() {
    let world = World::with(ON).await;
    let home = "192.0.2.1:1";
    for _ in 0..5 {
        assert_eq!(try_from(&world, home, "bob", "wrong").await.status, StatusCode::UNAUTHORIZED);
    }
    let mut waits = Vec::new();
    for _ in 0..4 {
        let refused = try_from(&world, home, "bob", PASSWORD).await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(refused.json()["error"], "too_many_attempts");
        let seconds: u64 = refused.header(header::RETRY_AFTER).parse().unwrap();
        waits.push(seconds);
        world.advance(seconds);
        assert_eq!(try_from(&world, home, "bob", "wrong").await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(waits, [1, 2, 4, 8]);
    // From another address the owner is not kept out.
    assert_eq!(try_from(&world, "198.51.100.9:1", "bob", PASSWORD).await.status, StatusCode::OK);
    assert_eq!(world.refusals().await, json!({"login.throttled": 4, "login.password": 9}));
}

#[tokio::test]
async fn the_pages_and_the_json_login_count_together() {
    let world = World::with(ON).await;
    let mut browser = Browser::new(&world);
    let page = browser.begin(&[]).await;
    for _ in 0..3 {
        browser.submit(&page, &[("username", "bob"), ("password", "wrong")]).await;
    }
    for _ in 0..2 {
        try_from(&world, "192.0.2.1:1", "bob", "wrong").await;
    }
    let answer = browser.password(&page, "bob").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.header(header::RETRY_AFTER), "1");
    assert!(answer.body.contains("Too many attempts. Wait 1 second, then try again."));
    world.advance(1);
    code(&browser.password(&page, "bob").await);
}

#[tokio::test]
async fn accounts_that_do_not_exist_are_slowed_down_alike() {
    let world = World::with(ON).await;
    for _ in 0..5 {
        try_from(&world, "192.0.2.1:1", "nobody", "wrong").await;
    }
    let answer = try_from(&world, "192.0.2.1:1", "nobody", "wrong").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn many_addresses_guessing_at_one_account_wait() {
    let world = World::with(ON).await;
    for i in 1..=10 {
        let answer = try_from(&world, &format!("198.51.100.{i}:1"), "bob", "wrong").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let answer = try_from(&world, "198.51.100.11:1", "bob", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn one_address_guessing_at_many_accounts_waits() {
    let world = World::with(ON).await;
    for i in 0..50 {
        let answer = try_from(&world, "192.0.2.1:1", &format!("user-{i}"), "wrong").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let answer = try_from(&world, "192.0.2.1:2", "bob", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(try_from(&world, "192.0.2.2:1", "bob", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_strangers_type_is_not_kept_readable() {
    let world = World::with(ON).await;
    try_from(&world, "192.0.2.1:1", "my-password-by-mistake", "wrong").await;
    let keys: Vec<String> = sqlx::query_scalar("SELECT key_hash FROM login_throttle")
        .fetch_all(world.server.database().reader())
        .await
        .unwrap();
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| key.len() == 43), "{keys:?}");
}

#[tokio::test]
async fn behind_a_proxy_of_ours_each_person_has_an_address() {
    let world = World::with(&format!("{ON}\n  trustedProxies: [10.0.0.0/8]")).await;
    let attempt = async |peer: &str, forwarded: &str, username: &str, password: &str| {
        let body = json!({"userName": username, "password": password});
        let mut request = json_request("/api/v1/auth", &body);
        request.headers_mut().insert("x-forwarded-for", forwarded.parse().unwrap());
        world.send_from(peer, request).await.status
    };
    for i in 0..50 {
        let status = attempt("10.0.0.1:1", "198.51.100.1", &format!("user-{i}"), "wrong").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    // The guesser cannot become somebody else by writing the header itself, through the proxy or past it.
    let guesser = attempt("10.0.0.1:1", "192.0.2.99, 198.51.100.1", "bob", PASSWORD).await;
    assert_eq!(guesser, StatusCode::TOO_MANY_REQUESTS);
    let past = attempt("198.51.100.1:1", "192.0.2.98", "bob", PASSWORD).await;
    assert_eq!(past, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(attempt("10.0.0.1:1", "192.0.2.99", "bob", PASSWORD).await, StatusCode::OK);
}

#[tokio::test]
async fn more_logins_than_can_be_checked_are_told_to_come_back() {
    let storage = sealwright_testkit::database::sqlite_storage();
    // Dear enough that one check outlasts the arrival of all the others.
    let yaml = crate::world::resources(&storage.yaml(), ON)
        .replace("{m: 8, t: 1, p: 1}}", "{m: 65536, t: 40, p: 1}, maxConcurrent: 1, queueTimeout: 0s}");
    let world = World::of(&yaml, storage).await;
    let (slow, busy) = tokio::join!(
        try_from(&world, "192.0.2.1:1", "nobody", "wrong"),
        try_from(&world, "192.0.2.1:2", "bob", PASSWORD)
    );
    assert_eq!(slow.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        busy.short(),
        r#"503 {"error":"temporarily_unavailable","error_description":"the server has too much to do; try again shortly"}"#
    );
    assert_eq!(busy.header(header::RETRY_AFTER), "1");
    // Nobody's failure: the account is not slowed down by it.
    assert_eq!(try_from(&world, "192.0.2.1:1", "bob", PASSWORD).await.status, StatusCode::OK);
}
