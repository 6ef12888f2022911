//! The pages: what they show, what protects them, and what happens to those who come from elsewhere.

use http::{StatusCode, header};
use serde_json::json;

use crate::browser::{Browser, Form, between, code, error};
use crate::world::{PASSWORD, World, details, form, totp};

#[tokio::test]
async fn every_page_is_under_a_strict_policy() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let answer = browser.authorize(&[]).await;
    let page = browser.get(answer.header(header::LOCATION)).await;
    // Chromium applies form-action to the redirect after a form, so the client's origin is in it.
    assert_eq!(
        page.header(header::CONTENT_SECURITY_POLICY),
        "default-src 'none'; style-src 'self'; form-action 'self' http://127.0.0.1:9999; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    assert_eq!(page.header(header::REFERRER_POLICY), "no-referrer");
    assert_eq!(page.header(header::CACHE_CONTROL), "no-store");
    assert_eq!(page.header(header::X_FRAME_OPTIONS), "DENY");
    assert_eq!(page.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    assert_eq!(page.header(header::CONTENT_TYPE), "text/html; charset=utf-8");
    assert!(!page.body.contains("<script") && !page.body.contains("style=\""), "{}", page.body);
}

#[tokio::test]
async fn the_login_page_says_who_asks_and_helps_browsers() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let answer = browser.authorize(&[("domain", "staff"), ("login_hint", "ali\"ce<")]).await;
    let page = browser.get(answer.header(header::LOCATION)).await.body;
    for text in [
        "<html lang=\"en\">",
        "<h1>Sign in to Contract portal</h1>",
        "Account: Example staff",
        "<label for=\"username\">User name</label>",
        "autocomplete=\"username\"",
        "<label for=\"password\">Password</label>",
        "autocomplete=\"current-password\"",
        "value=\"ali&#34;ce&#60;\"",
        "<button class=\"primary\" type=\"submit\">Sign in</button>",
    ] {
        assert!(page.contains(text), "{text} is not in {page}");
    }
}

#[tokio::test]
async fn a_wrong_password_shows_the_form_again_and_tells_nothing() {
    let world = World::new().await;
    let mut bodies = Vec::new();
    // A wrong password, an unknown user, a user of another domain with the right password, an over-long password.
    let long = "x".repeat(1100);
    let cases =
        [("alice", "no-such-password"), ("nobody", PASSWORD), ("bob", PASSWORD), ("alice", long.as_str())];
    for (username, password) in cases {
        let mut browser = Browser::new(&world);
        let page = browser.begin(&[("domain", "staff")]).await;
        let answer = browser.submit(&page, &[("username", username), ("password", password)]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        let again = Form::read(&answer);
        assert_eq!(again.step, "login");
        assert!(answer.body.contains(&format!("value=\"{username}\"")), "the name is kept");
        assert!(!answer.body.contains(password), "the password is not");
        let body = answer.body.replace(&again.csrf, "").replace(&again.interaction, "").replace(username, "");
        bodies.push(body);
    }
    assert!(bodies.iter().all(|body| body == &bodies[0]), "the same page for all");
    assert!(bodies[0].contains("The user name or the password is not right."));
    assert!(bodies[0].contains("<div class=\"error-summary\" role=\"alert\" tabindex=\"-1\" autofocus"));
    assert!(bodies[0].contains("<a href=\"#password\">"));
    assert_eq!(world.refusals().await, json!({"login.password": 4}));
    assert_eq!(world.events().await, ["refusals.summarised"], "strangers are only counted");
    assert_eq!(world.rows("authorization_code").await, 0);
}

#[tokio::test]
async fn empty_fields_are_named() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let page = browser.begin(&[]).await;
    let answer = browser.submit(&page, &[("password", "x")]).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.body.contains("<p class=\"error\" id=\"username-error\">Enter your user name</p>"));
    assert!(answer.body.contains("aria-invalid=\"true\" aria-describedby=\"username-error\""));
    let answer = browser.submit(&page, &[("username", "bob")]).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.body.contains("Enter your password"));
}

#[tokio::test]
async fn a_form_without_the_right_token_does_nothing() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let page = browser.begin(&[]).await;
    let other = Browser::new(&world).begin(&[]).await;
    for csrf in ["", "wrong", &other.csrf] {
        let forged = Form { csrf: csrf.to_owned(), ..page.clone() };
        let answer = browser.password(&forged, "bob").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(answer.body.contains("It did not come from our own page."));
    }
    assert_eq!(world.rows("authorization_code").await, 0);
    assert_eq!(world.refusals().await, json!({"page.request": 3}));
    code(&browser.password(&page, "bob").await);
}

#[tokio::test]
async fn a_form_from_another_site_does_nothing() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let page = browser.begin(&[]).await;
    let fields = [
        ("interaction", page.interaction.as_str()),
        ("csrf", page.csrf.as_str()),
        ("username", "bob"),
        ("password", PASSWORD),
    ];
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "none"),
        ("origin", "https://evil.example"),
        ("origin", "http://127.0.0.1:8081"),
    ] {
        let mut request = form(&page.action, &fields);
        request.headers_mut().insert(name, value.parse().unwrap());
        assert_eq!(browser.send(request).await.status, StatusCode::FORBIDDEN, "{name}: {value}");
    }
    // What a browser sends from a page without referrer.
    let mut request = form(&page.action, &fields);
    request.headers_mut().insert("sec-fetch-site", "same-origin".parse().unwrap());
    request.headers_mut().insert("origin", "null".parse().unwrap());
    code(&browser.send(request).await);
}

#[tokio::test]
async fn a_run_belongs_to_the_browser_that_began_it() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let page = browser.begin(&[]).await;

    let mut thief = Browser::new(&world);
    let address = format!("/login?interaction={}", page.interaction);
    for answer in [thief.get(&address).await, thief.password(&page, "bob").await] {
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(answer.body.contains("began in another browser"), "{}", answer.body);
    }
    // Another run's secret under this run's name is not the secret.
    thief.begin(&[]).await;
    let stolen = thief.cookies.values().next().unwrap().clone();
    let name = browser.cookies.keys().next().unwrap().clone();
    thief.cookies.insert(name, stolen);
    assert_eq!(thief.get(&address).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn two_tabs_do_not_disturb_each_other() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let one = browser.begin(&[("state", "one")]).await;
    let two = browser.begin(&[("state", "two")]).await;
    assert_eq!(browser.cookies.len(), 2);
    let answer = browser.password(&one, "bob").await;
    assert_eq!(crate::browser::returned(&answer)["state"], "one");
    let answer = browser.password(&two, "bob").await;
    assert_eq!(crate::browser::returned(&answer)["state"], "two");
}

#[tokio::test]
async fn an_expired_run_is_over() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let page = browser.begin(&[]).await;
    world.advance(15 * 60);
    let answer = browser.password(&page, "bob").await;
    assert_eq!(answer.status, StatusCode::GONE);
    assert!(answer.body.contains("<h1>This sign-in is over</h1>"));
    assert_eq!(world.refusals().await, json!({"page.request": 1}));
    assert_eq!(world.get("/login").await.status, StatusCode::GONE);
    assert_eq!(world.get("/login?interaction=x").await.status, StatusCode::GONE);
}

#[tokio::test]
async fn a_finished_run_is_over() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let page = browser.begin(&[]).await;
    let cookies = browser.cookies.clone();
    code(&browser.password(&page, "bob").await);
    browser.cookies = cookies;
    assert_eq!(browser.password(&page, "bob").await.status, StatusCode::GONE);
    assert_eq!(world.rows("authorization_code").await, 1);
}

#[tokio::test]
async fn no_page_can_be_skipped() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let details = details().to_string();
    let page = browser.begin(&[("authorization_details", &details)]).await;
    // Each form, sent to where another page would send its own.
    let to = |action: &str| Form { action: action.to_owned(), ..page.clone() };
    for (action, fields, leads_to) in [
        ("/login/code", [("code", totp(0))], "/login?"),
        ("/approve", [("decision", "approve".to_owned())], "/login?"),
    ] {
        let answer = browser.submit(&to(action), &[(fields[0].0, &fields[0].1)]).await;
        assert!(answer.header(header::LOCATION).starts_with(leads_to), "{action}: {}", answer.short());
    }
    browser.password(&page, "alice").await;
    let answer = browser.submit(&to("/approve"), &[("decision", "approve")]).await;
    assert!(answer.header(header::LOCATION).starts_with("/login/code?"), "{}", answer.short());
    let answer = browser.password(&page, "bob").await;
    assert!(answer.header(header::LOCATION).starts_with("/login/code?"), "still Alice: {}", answer.short());
    assert_eq!(world.rows("authorization_code").await, 0);
}

#[tokio::test]
async fn the_approval_shows_what_will_be_signed_and_in_whose_name() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let mut details = details();
    details[0]["documentDigests"][0]["label"] = json!("<b>contract</b>.md");
    let page = browser.begin(&[("authorization_details", &details.to_string())]).await;
    let answer = browser.password(&page, "alice").await;
    let second = browser.follow(&answer).await;
    let answer = browser.submit(&second, &[("code", &totp(0))]).await;
    let page = browser.get(answer.header(header::LOCATION)).await.body;
    let order = [
        "<h1>Approve this signature</h1>",
        "<dt>Asked by</dt>\n<dd>Contract portal</dd>",
        "<dt>To be signed</dt>",
        "&#60;b&#62;contract&#60;/b&#62;.md",
        "48.2 kB",
        "<span>abab</span><wbr><span>abab</span>",
        "<dt>In the name of</dt>\n<dd>Alice Abel <span class=\"quiet\">alice</span></dd>",
        "Password and authenticator code, at 00:00 UTC",
        "Level urn:x:mfa",
        "You can decide until 00:15 UTC.",
        "It must then be done within 6 minutes.",
        "value=\"approve\">Sign 1 document</button>",
        "value=\"deny\">Don\u{2019}t sign</button>",
    ];
    let mut rest = page.as_str();
    for text in order {
        rest = rest.split_once(text).unwrap_or_else(|| panic!("{text} is missing or too early in {page}")).1;
    }
}

#[tokio::test]
async fn a_request_to_check_says_so() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let mut details = details();
    details[0]["type"] = json!("https://sealwright.dev/2026/validate");
    let page = browser.begin(&[("authorization_details", &details.to_string())]).await;
    let answer = browser.password(&page, "bob").await;
    let page = browser.get(answer.header(header::LOCATION)).await.body;
    assert!(page.contains("<h1>Approve this check</h1>") && page.contains("Check 1 document"), "{page}");
}

#[tokio::test]
async fn who_declines_signs_nothing() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let page = browser.begin(&[("authorization_details", &details().to_string())]).await;
    let answer = browser.password(&page, "bob").await;
    let approval = browser.follow(&answer).await;
    assert_eq!(browser.submit(&approval, &[("decision", "")]).await.status, StatusCode::BAD_REQUEST);
    let answer = browser.submit(&approval, &[("decision", "deny")]).await;
    assert_eq!(error(&answer), "access_denied state=st-1");
    assert_eq!(world.rows("authorization_code").await, 0);
    assert_eq!(world.events().await, ["authentication.succeeded", "authorization.denied"]);
}

#[tokio::test]
async fn who_cancels_goes_back_to_the_application() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let page = browser.begin(&[]).await;
    let answer = browser.submit(&page, &[("decision", "cancel")]).await;
    assert_eq!(error(&answer), "access_denied state=st-1");
    let page = browser.begin(&[]).await;
    let answer = browser.password(&page, "alice").await;
    let second = browser.follow(&answer).await;
    let answer = browser.submit(&second, &[("decision", "cancel"), ("code", &totp(0))]).await;
    assert_eq!(error(&answer), "access_denied state=st-1");
    assert_eq!(world.rows("authorization_code").await, 0);
}

#[tokio::test]
async fn a_login_that_got_too_old_on_the_way_is_asked_for_again() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let details = details().to_string();
    let page = browser.begin(&[("authorization_details", &details), ("max_age", "120")]).await;
    let answer = browser.password(&page, "bob").await;
    let approval = browser.follow(&answer).await;
    world.advance(121);
    let answer = browser.submit(&approval, &[("decision", "approve")]).await;
    let again = browser.follow(&answer).await;
    assert_eq!(again.step, "login");
    let answer = browser.password(&again, "bob").await;
    let approval = browser.follow(&answer).await;
    code(&browser.submit(&approval, &[("decision", "approve")]).await);
}

#[tokio::test]
async fn with_https_the_cookie_is_bound_to_the_host() {
    let storage = sealwright_testkit::database::sqlite_storage();
    let yaml = crate::world::resources(&storage.yaml(), "")
        .replace("http://127.0.0.1:8080", "https://id.example.com");
    let world = World::of(&yaml, storage).await;
    let answer = Browser::new(&world).authorize(&[]).await;
    let cookie = answer.header(header::SET_COOKIE);
    assert!(cookie.starts_with("__Host-sealwright-"), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Max-Age=900; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
    assert!(between(cookie, "=", ";").len() == 43);
}

#[tokio::test]
async fn an_over_long_form_is_refused() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let page = browser.begin(&[]).await;
    let long = "x".repeat(70_000);
    let answer = browser.submit(&page, &[("username", "bob"), ("password", &long)]).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}
