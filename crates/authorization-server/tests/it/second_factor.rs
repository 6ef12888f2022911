//! The second factor: asked of everybody who has one, used once, never guessed.

use http::{StatusCode, header};
use sealwright_testkit::database::on_both_storages;
use serde_json::json;

use crate::browser::{Browser, Form, code, error};
use crate::world::{World, all_at_once, details, totp};

async fn second_page<'w>(world: &'w World, others: &[(&str, &str)]) -> (Browser<'w>, Form) {
    let mut browser = Browser::new(world);
    let page = browser.begin(others).await;
    let answer = browser.password(&page, "alice").await;
    let second = browser.follow(&answer).await;
    assert_eq!(second.step, "totp");
    (browser, second)
}

#[tokio::test]
async fn who_has_one_is_always_asked() {
    let world = World::new().await;
    let (mut browser, page) = second_page(&world, &[("acr_values", "urn:x:password")]).await;
    code(&browser.submit(&page, &[("code", &totp(0))]).await);
}

#[tokio::test]
async fn the_page_helps_phones() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let page = browser.begin(&[]).await;
    let answer = browser.password(&page, "alice").await;
    let body = browser.get(answer.header(header::LOCATION)).await.body;
    for text in [
        "inputmode=\"numeric\"",
        "autocomplete=\"one-time-code\"",
        "<label for=\"code\">Six-digit code</label>",
    ] {
        assert!(body.contains(text), "{text} is not in {body}");
    }
}

#[tokio::test]
async fn a_wrong_code_is_refused_and_recorded() {
    let world = World::new().await;
    let (mut browser, page) = second_page(&world, &[]).await;
    // Right two steps ago and in two steps; malformed.
    for wrong in [&totp(-2), &totp(2), "12345", "abcdef"] {
        let answer = browser.submit(&page, &[("code", wrong)]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{wrong}");
        assert_eq!(Form::read(&answer).step, "totp");
        assert!(answer.body.contains("That code is not right."));
    }
    assert_eq!(world.rows("authorization_code").await, 0);
    assert_eq!(world.events().await, ["authentication.failed"; 4]);
    let (_, details) = world.audit().await.pop().unwrap();
    assert_eq!(details, json!({"client_id": "default_portal", "username": "alice", "reason": "wrong_code"}));
}

#[tokio::test]
async fn a_code_one_step_off_is_right() {
    for offset in [-1, 1] {
        let world = World::new().await;
        let (mut browser, page) = second_page(&world, &[]).await;
        code(&browser.submit(&page, &[("code", &totp(offset))]).await);
    }
}

#[tokio::test]
async fn a_code_in_two_groups_is_right() {
    let world = World::new().await;
    let (mut browser, page) = second_page(&world, &[]).await;
    let digits = totp(0);
    let grouped = format!(" {} {}", &digits[..3], &digits[3..]);
    code(&browser.submit(&page, &[("code", &grouped)]).await);
}

#[tokio::test]
async fn a_used_code_is_refused_also_for_another_login() {
    let world = World::new().await;
    let (mut browser, page) = second_page(&world, &[]).await;
    code(&browser.submit(&page, &[("code", &totp(0))]).await);

    let (mut browser, page) = second_page(&world, &[]).await;
    // The used one, and the one before it, which would be right otherwise.
    for used in [0, -1] {
        let answer = browser.submit(&page, &[("code", &totp(used))]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(answer.body.contains("That code has been used. Wait for the next one."));
    }
    code(&browser.submit(&page, &[("code", &totp(1))]).await);
}

#[tokio::test]
async fn one_code_at_two_browsers_at_once_lets_one_in() {
    let world = World::new().await;
    let (mut one, page_one) = second_page(&world, &[]).await;
    let (mut two, page_two) = second_page(&world, &[]).await;
    let digits = totp(0);
    let fields = [("code", digits.as_str())];
    let both = tokio::join!(one.submit(&page_one, &fields), two.submit(&page_two, &fields));
    let mut statuses = [both.0.status, both.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [StatusCode::SEE_OTHER, StatusCode::UNAUTHORIZED]);
    assert_eq!(world.rows("authorization_code").await, 1);
}

#[tokio::test]
async fn who_has_none_cannot_reach_a_level_that_needs_it() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let page = browser.begin(&[("acr_values", "urn:x:mfa")]).await;
    let answer = browser.password(&page, "bob").await;
    assert_eq!(error(&answer), "unmet_authentication_requirements state=st-1");
    assert_eq!(world.rows("authorization_code").await, 0);
    assert_eq!(world.events().await, ["authentication.failed"]);
}

#[tokio::test]
async fn one_of_several_levels_is_enough() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let page = browser.begin(&[("acr_values", "urn:x:mfa urn:unheard-of urn:x:password")]).await;
    code(&browser.password(&page, "bob").await);
}

#[tokio::test]
async fn guessing_ends_the_run_and_then_waits() {
    let world = World::new().await;
    let (mut browser, page) = second_page(&world, &[]).await;
    for _ in 0..5 {
        assert_eq!(browser.submit(&page, &[("code", "000000")]).await.status, StatusCode::UNAUTHORIZED);
    }
    // Being told to wait is no answer to a code, and no end.
    let answer = browser.submit(&page, &[("code", &totp(0))]).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    world.advance(1);
    // The run has had its tries; who has the password may begin another, but must wait.
    assert_eq!(error(&browser.submit(&page, &[("code", &totp(0))]).await), "access_denied state=st-1");
    let (mut browser, page) = second_page(&world, &[]).await;
    let answer = browser.submit(&page, &[("code", &totp(0))]).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.header(header::RETRY_AFTER), "2");
    assert!(answer.body.contains("Too many attempts. Wait 2 seconds, then try again."), "{}", answer.body);
    // However often somebody clicks meanwhile, no try of this run is spent.
    for _ in 0..10 {
        let answer = browser.submit(&page, &[("code", &totp(0))]).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    }
    world.advance(2);
    code(&browser.submit(&page, &[("code", &totp(0))]).await);
    assert_eq!(world.refusals().await, json!({"login.throttled": 12}));
}

#[tokio::test]
async fn fifty_clicks_with_one_right_code_lead_to_the_next_page() {
    on_both_storages(async |storage| {
        let world = World::on(storage, "").await;
        let (browser, page) = second_page(&world, &[("authorization_details", &details().to_string())]).await;
        let digits = totp(0);
        let clicks = (0..50).map(|_| {
            let (mut browser, page, digits) = (browser.clone(), page.clone(), digits.clone());
            async move { browser.submit(&page, &[("code", &digits)]).await }
        });
        for answer in all_at_once(clicks).await {
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
            assert!(answer.header(header::LOCATION).starts_with("/approve?"));
        }
        assert_eq!(world.events().await, ["authentication.succeeded"]);
        assert_eq!(world.refusals().await, json!({}));
    })
    .await;
}

#[tokio::test]
async fn a_double_click_on_the_password_leads_to_the_second_factor() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let page = browser.begin(&[]).await;
    let mut again = browser.clone();
    let both = tokio::join!(browser.password(&page, "alice"), again.password(&page, "alice"));
    for answer in [both.0, both.1] {
        assert!(answer.header(header::LOCATION).starts_with("/login/code?"), "{}", answer.body);
    }
}
