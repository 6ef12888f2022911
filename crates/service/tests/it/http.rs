//! The accept loop, health and the request layer, over real sockets.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use axum::{Router, extract::ConnectInfo, routing};
use sealwright_service::{
    health,
    server::{ServeOptions, serve},
    shutdown::Shutdown,
    telemetry,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

struct Server {
    address: SocketAddr,
    shutdown: Shutdown,
    ended: JoinHandle<io::Result<()>>,
}

async fn start(router: Router, options: ServeOptions) -> Server {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = Shutdown::new();
    let ended = tokio::spawn(serve(listener, router, options, shutdown.clone()));
    Server { address, shutdown, ended }
}

fn router() -> Router {
    Router::new()
        .route(
            "/peer",
            routing::get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.ip().to_string()),
        )
        .route(
            "/slow",
            routing::get(async || {
                tokio::time::sleep(Duration::from_millis(300)).await;
                "done"
            }),
        )
        .route("/never", routing::get(async || std::future::pending::<()>().await))
        .route("/refuse", routing::post(async || http::StatusCode::UNAUTHORIZED))
        .route("/length", routing::post(async |body: axum::body::Bytes| body.len().to_string()))
}

impl Server {
    /// Sends `request` and reads until the server closes, for at most five seconds.
    async fn send(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        read_all(&mut stream).await
    }

    async fn get(&self, path: &str) -> String {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await
    }
}

async fn read_all(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
    match read.expect("the server closes the connection") {
        Ok(_) => {}
        // It closed with some of our bytes unread.
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
    }
    String::from_utf8(answer).unwrap()
}

fn status_and_body(answer: &str) -> (&str, &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    (head.lines().next().unwrap_or_default(), body)
}

#[tokio::test]
async fn the_peers_address_is_known() {
    let server = start(router(), ServeOptions::default()).await;
    assert_eq!(status_and_body(&server.get("/peer").await), ("HTTP/1.1 200 OK", "127.0.0.1"));
}

#[tokio::test]
async fn open_requests_are_answered_before_the_end() {
    let server = start(router(), ServeOptions::default()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;

    server.shutdown.begin();
    let answer = read_all(&mut stream).await;
    assert_eq!(status_and_body(&answer), ("HTTP/1.1 200 OK", "done"));
    server.ended.await.unwrap().unwrap();
    let refused = TcpStream::connect(server.address).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn idle_connections_do_not_hold_the_end_up() {
    let server = start(router(), ServeOptions::default()).await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(b"GET /peer HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();

    let began = Instant::now();
    server.shutdown.begin();
    server.ended.await.unwrap().unwrap();
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_request_that_never_ends_is_cut_off_when_the_drain_is_over() {
    let options = ServeOptions { drain: Duration::from_millis(200), ..ServeOptions::default() };
    let server = start(router(), options).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.shutdown.begin();
    tokio::time::timeout(Duration::from_secs(3), server.ended).await.unwrap().unwrap().unwrap();
    assert_eq!(read_all(&mut stream).await, "");
}

#[tokio::test]
async fn slow_headers_and_idle_connections_are_closed() {
    let options = ServeOptions { header_timeout: Duration::from_millis(200), ..ServeOptions::default() };
    let server = start(router(), options).await;
    for beginning in ["", "GET /peer HTTP/1.1\r\nHost: ", "GET /peer HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let began = Instant::now();
        let answer = server.send(beginning).await;
        assert!(began.elapsed() < Duration::from_secs(3), "{beginning:?}");
        assert_eq!(answer.contains("200 OK"), beginning.ends_with("\r\n\r\n"), "{beginning:?} {answer:?}");
    }
}

#[tokio::test]
async fn a_head_of_200_kb_is_refused() {
    let server = start(router(), ServeOptions::default()).await;
    let head = |size: usize| {
        format!("GET /peer HTTP/1.1\r\nHost: x\r\nX: {}\r\nConnection: close\r\n\r\n", "a".repeat(size))
    };
    assert_eq!(status_and_body(&server.send(&head(60_000)).await).0, "HTTP/1.1 200 OK");
    assert_eq!(
        status_and_body(&server.send(&head(200_000)).await).0,
        "HTTP/1.1 431 Request Header Fields Too Large"
    );
}

#[tokio::test]
async fn a_body_may_not_pause_for_long() {
    let options = ServeOptions { body_timeout: Duration::from_millis(200), ..ServeOptions::default() };
    let server = start(router(), options).await;
    let began = Instant::now();
    let answer = server.send("POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf").await;
    assert!(began.elapsed() < Duration::from_secs(3));
    assert!(!answer.contains("200 OK"), "{answer}");
}

/// A byte now and then is no pause, and would hold the connection for weeks.
#[tokio::test]
async fn a_body_must_keep_a_pace() {
    let options = ServeOptions {
        body_timeout: Duration::from_millis(500),
        min_body_rate: 1000,
        ..ServeOptions::default()
    };
    let server = start(router(), options).await;
    let send = async |piece: &'static [u8]| {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let length = piece.len() * 10;
        let head = format!(
            "POST /length HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        for _ in 0..10 {
            // The server may have closed.
            let _ = stream.write_all(piece).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        read_all(&mut stream).await
    };
    let (dripped, sent) = tokio::join!(send(b"a"), send(&[b'a'; 200]));
    assert!(!dripped.contains("200 OK"), "{dripped}");
    assert_eq!(status_and_body(&sent), ("HTTP/1.1 200 OK", "2000"));
}

#[tokio::test]
async fn one_address_cannot_have_every_connection() {
    let options = ServeOptions { max_connections_per_peer: 2, ..ServeOptions::default() };
    let server = start(router(), options).await;
    let first = TcpStream::connect(server.address).await.unwrap();
    let _second = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(server.get("/peer").await, "", "the third is closed");
    drop(first);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(status_and_body(&server.get("/peer").await), ("HTTP/1.1 200 OK", "127.0.0.1"));
}

#[tokio::test]
async fn a_refusal_reaches_a_client_that_is_still_sending() {
    const CHUNK: usize = 1 << 20;
    let server = start(router(), ServeOptions::default()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!("POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", 32 * CHUNK);
    stream.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..32 {
        stream.write_all(&[b'a'; CHUNK]).await.unwrap();
    }
    // The connection goes on: nothing of the body is taken for the next request.
    stream
        .write_all(b"POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc")
        .await
        .unwrap();
    let answers = read_all(&mut stream).await;
    assert!(answers.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{answers}");
    assert_eq!(status_and_body(&answers[answers.rfind("HTTP/1.1").unwrap()..]), ("HTTP/1.1 200 OK", "3"));
}

#[tokio::test]
async fn a_client_that_asks_first_is_not_told_to_send_in_vain() {
    let server = start(router(), ServeOptions::default()).await;
    let head = "POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n";
    let answer = server.send(head).await;
    assert!(answer.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{answer}");
}

#[tokio::test]
async fn more_connections_than_allowed_wait_for_their_turn() {
    let options = ServeOptions { max_connections: 1, ..ServeOptions::default() };
    let server = start(router(), options).await;
    let first = TcpStream::connect(server.address).await.unwrap();
    let mut second = TcpStream::connect(server.address).await.unwrap();
    second.write_all(b"GET /peer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut byte = [0];
    let early = tokio::time::timeout(Duration::from_millis(300), second.read(&mut byte)).await;
    assert!(early.is_err(), "answered while the first was open");
    drop(first);
    assert_eq!(status_and_body(&read_all(&mut second).await), ("HTTP/1.1 200 OK", "127.0.0.1"));
}

#[tokio::test]
async fn waiting_for_a_free_place_does_not_hold_the_end_up() {
    let options =
        ServeOptions { max_connections: 1, drain: Duration::from_millis(100), ..ServeOptions::default() };
    let server = start(router(), options).await;
    let _first = TcpStream::connect(server.address).await.unwrap();
    let _second = TcpStream::connect(server.address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.shutdown.begin();
    tokio::time::timeout(Duration::from_secs(3), server.ended).await.unwrap().unwrap().unwrap();
}

fn headers(answer: &str) -> Vec<&str> {
    let head = answer.split_once("\r\n\r\n").unwrap().0;
    let dull = |line: &&str| !line.starts_with("date:") && !line.starts_with("connection:");
    head.lines().filter(dull).collect()
}

#[tokio::test]
async fn health_and_readiness() {
    let checks =
        vec![("database", health::check(async || Ok(()))), ("signing-key", health::check(async || Ok(())))];
    let server = start(health::routes(checks), ServeOptions::default()).await;
    let answer = server.get("/healthz").await;
    assert_eq!(
        headers(&answer),
        [
            "HTTP/1.1 200 OK",
            "content-type: application/json",
            "cache-control: no-store",
            "content-length: 15"
        ]
    );
    assert_eq!(status_and_body(&answer).1, r#"{"status":"ok"}"#);
    assert_eq!(
        status_and_body(&server.get("/readyz").await),
        ("HTTP/1.1 200 OK", r#"{"checks":{"database":"ok","signing-key":"ok"},"status":"ready"}"#)
    );
}

#[tokio::test]
async fn the_reason_for_being_unready_is_not_told() {
    let checks = vec![
        ("database", health::check(async || Err("password of sealwright is wrong".to_owned()))),
        ("disk", health::check(async || Ok(()))),
        ("hanging", health::check(async || std::future::pending().await)),
        ("panicking", health::check(async || panic!("a check of the test"))),
    ];
    let server = start(health::routes(checks), ServeOptions::default()).await;
    let began = Instant::now();
    let answer = server.get("/readyz").await;
    assert_eq!(
        status_and_body(&answer),
        (
            "HTTP/1.1 503 Service Unavailable",
            r#"{"checks":{"database":"failed","disk":"ok","hanging":"failed","panicking":"failed"},"status":"unready"}"#
        )
    );
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!(status_and_body(&server.get("/healthz").await).0, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn every_answer_has_an_id_of_ours() {
    let router = Router::new()
        .route(
            "/id",
            routing::get(
                async |axum::Extension(id): axum::Extension<telemetry::RequestId>,
                       request: http::HeaderMap| {
                    assert!(!request.contains_key("x-request-id"));
                    id.as_str().to_owned()
                },
            ),
        )
        .route("/panic", routing::get(async || -> &'static str { panic!("a handler of the test") }));
    let server = start(telemetry::request_layer(router), ServeOptions::default()).await;

    let answer =
        server.send("GET /id HTTP/1.1\r\nHost: x\r\nX-Request-Id: forged\r\nConnection: close\r\n\r\n").await;
    let (status, body) = status_and_body(&answer);
    assert_eq!((status, body.len(), &body[..4]), ("HTTP/1.1 200 OK", 26, "req_"));
    assert!(headers(&answer).contains(&format!("x-request-id: {body}").as_str()), "{answer}");

    let answer = server.get("/nothing").await;
    assert_eq!(status_and_body(&answer).0, "HTTP/1.1 404 Not Found");
    assert!(answer.contains("x-request-id: req_"));

    let answer = server.get("/panic").await;
    assert_eq!(
        status_and_body(&answer),
        (
            "HTTP/1.1 500 Internal Server Error",
            r#"{"code":"internal_error","status":500,"title":"The server made a mistake","type":"https://sealwright.dev/problems/internal_error"}"#
        )
    );
    assert!(answer.contains("x-request-id: req_") && answer.contains("cache-control: no-store"), "{answer}");
}
