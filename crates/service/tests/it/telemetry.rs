//! What stands in the log, and what never does.

use std::{
    io,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Body, extract::Request, routing};
use sealwright_service::{secret::SecretRef, telemetry};
use sealwright_testkit::temp_dir;
use tower::ServiceExt;
use tracing::subscriber::DefaultGuard;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Takes everything that this thread logs, down to `trace`.
    fn capture() -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .without_time()
            .with_writer(move || writer.clone());
        let guard = tracing::subscriber::set_default(subscriber.finish());
        (log, guard)
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[tokio::test]
async fn a_request_is_one_line_without_query_header_or_body() {
    let (log, _guard) = Log::capture();
    let router = Router::new().route("/callback/{id}", routing::post(async |_: String| "answer-canary"));
    let request = Request::post("/callback/path-canary?code=query-canary")
        .header("authorization", "Bearer header-canary")
        .body(Body::from("body-canary"))
        .unwrap();
    let response = telemetry::request_layer(router).oneshot(request).await.unwrap();
    let id = response.headers()["x-request-id"].to_str().unwrap();
    let text = log.text();
    let (line, rest) = text.split_once('\n').unwrap();
    assert_eq!(rest, "");
    let (line, ms) = line.rsplit_once("ms=").unwrap();
    assert!(ms.parse::<u64>().is_ok(), "{text}");
    assert_eq!(
        line,
        format!(
            " INFO request{{id=\"{id}\"}}: sealwright_service::telemetry: answered method=POST route=\"/callback/{{id}}\" status=200 "
        )
    );
    assert!(!text.contains("canary"), "{text}");
}

#[tokio::test]
async fn what_matched_no_route_is_not_repeated() {
    let (log, _guard) = Log::capture();
    let request = Request::get("/canary?canary").body(Body::empty()).unwrap();
    telemetry::request_layer(Router::<()>::new()).oneshot(request).await.unwrap();
    let text = log.text();
    assert!(text.contains("route=\"-\" status=404"), "{text}");
    assert!(!text.contains("canary"), "{text}");
}

#[cfg(unix)]
#[test]
fn a_secret_that_others_may_read_is_used_with_a_warning() {
    use std::os::unix::fs::PermissionsExt;

    let dir = temp_dir();
    let path = dir.path().join("kek");
    std::fs::write(&path, "canary\n").unwrap();
    for (mode, warns) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let (log, _guard) = Log::capture();
        let secret = SecretRef { file: Some("kek".into()), env: None }.read(dir.path()).unwrap();
        assert_eq!(secret.expose(), "canary");
        let text = log.text();
        assert_eq!(
            text.contains("others than the owner may read this secret; run `chmod 600 "),
            warns,
            "{mode:o} {text}"
        );
        assert!(!text.contains("canary"), "{text}");
    }
}

#[test]
fn a_filter_that_cannot_be_read_is_no_reason_to_stop() {
    telemetry::init(telemetry::Format::Json, "===");
    telemetry::init(telemetry::Format::Text, "info");
}
