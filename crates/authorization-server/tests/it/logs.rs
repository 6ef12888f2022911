//! No secret in any log line, whatever the level.

use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use crate::browser::{Browser, returned};
use crate::world::{BACKEND_SECRET, PASSWORD, TOTP_SECRET, VERIFIER, World, details, totp};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The line, if need be without the times that sqlx measured.
fn without_elapsed(line: &str, cut: bool) -> String {
    let elapsed = |word: &&str| word.starts_with("elapsed=") || word.starts_with("elapsed_secs=");
    if cut {
        line.split(' ').filter(|word| !elapsed(word)).collect::<Vec<_>>().join(" ")
    } else {
        line.to_owned()
    }
}

#[tokio::test]
async fn a_full_run_logs_no_password_code_token_or_secret() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .without_time()
        .with_writer(lines.clone())
        .finish();
    // For the whole process: tests beside this one log no secrets either, and a subscriber of one thread would miss
    // what others have met first.
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let world = World::with("  features: {jsonLogin: {client: default_portal}}").await;
    let mut browser = Browser::new(&world);
    let page = browser.begin(&[("authorization_details", &details().to_string())]).await;
    browser.submit(&page, &[("username", "alice"), ("password", "a-wrong-password")]).await;
    let answer = browser.password(&page, "alice").await;
    let second = browser.follow(&answer).await;
    browser.submit(&second, &[("code", "918273")]).await;
    let digits = totp(0);
    let answer = browser.submit(&second, &[("code", &digits)]).await;
    let approval = browser.follow(&answer).await;
    let cookie = browser.cookies.values().next().unwrap().clone();
    let answer = browser.submit(&approval, &[("decision", "approve")]).await;
    let code = returned(&answer)["code"].clone();
    let token = world.redeem(&code).await.json()["access_token"].as_str().unwrap().to_owned();
    world.redeem(&code).await;
    let login = serde_json::json!({"userName": "alice", "password": PASSWORD});
    let continuation = world.post_json("/api/v1/auth", &login).await.json()["continuation"].clone();
    let usual = [("client_id", "default_posting"), ("client_secret", "a-wrong-secret")];
    world.post_form("/oauth2/par", &usual).await;
    for _ in 0..2 {
        let mut request = crate::world::json_request("/api/v1/auth", &login);
        request.headers_mut().insert("x-forwarded-for", "198.51.100.1".parse().unwrap());
        world.send_from("127.0.0.1:1", request).await;
    }
    world.shutdown.begin();
    world.server.audit().closed().await;

    let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("/oauth2/token"), "the log was caught: {logged}");
    assert_eq!(logged.matches("came from a proxy that is not in spec.trustedProxies").count(), 1);
    let (_, signature) = token.rsplit_once('.').unwrap();
    for secret in [
        PASSWORD,
        "a-wrong-password",
        TOTP_SECRET,
        &digits,
        "918273",
        &cookie,
        &approval.csrf,
        &code,
        &token,
        signature,
        VERIFIER,
        continuation.as_str().unwrap(),
        BACKEND_SECRET,
        "a-wrong-secret",
        "$argon2id$",
    ] {
        // Six digits may be a part of the time that a statement took.
        let is_code = secret.len() == 6;
        let line = logged.lines().find(|line| without_elapsed(line, is_code).contains(secret));
        assert!(line.is_none(), "{secret} is in the log: {line:?}");
    }
}
