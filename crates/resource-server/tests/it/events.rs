//! News of a key set, as server-sent events over real HTTP.

use std::{net::SocketAddr, time::Duration};

use sealwright_jose::{Alg, JwkSet, SigningKey, jws::Signer};
use sealwright_resource_server::{Authenticator, IssuerConfig, JwksOptions};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{Instant, sleep},
};

/// Serves the set that `set` holds at `/jwks`, and news of it at `/events`.
async fn serve(set: watch::Receiver<(u32, String)>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, set.clone()));
        }
    });
    address
}

async fn answer(mut stream: TcpStream, mut set: watch::Receiver<(u32, String)>) {
    let mut head = vec![0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut head).await {
        if !head[..length].starts_with(b"GET /events") {
            let (version, body) = set.borrow().clone();
            let text = format!(
                "HTTP/1.1 200 OK\r\netag: \"{version}\"\r\ncache-control: max-age=900\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(text.as_bytes()).await.unwrap();
            continue;
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n").await.unwrap();
        loop {
            let version = set.borrow_and_update().0;
            let event = format!("event: keys\ndata: {{\"etag\":\"\\\"{version}\\\"\"}}\n\n");
            if stream.write_all(event.as_bytes()).await.is_err() || set.changed().await.is_err() {
                return;
            }
        }
    }
}

fn key(kid: &str) -> SigningKey {
    SigningKey::generate(Alg::Es256).unwrap().with_kid(kid)
}

fn published(keys: &[&SigningKey]) -> String {
    JwkSet::from_keys(keys.iter().map(|key| key.verifying_key())).unwrap().to_json()
}

#[tokio::test]
async fn a_revoked_key_goes_when_its_issuer_says_so_and_not_when_the_set_is_due() {
    let (old, new) = (key("old"), key("new"));
    let set = watch::Sender::new((1, published(&[&old, &new])));
    let address = serve(set.subscribe()).await;
    let issuer = IssuerConfig::new("https://id.example.com", "api")
        .jwks_uri(format!("http://{address}/jwks").parse().unwrap(), [Alg::Es256])
        .jwks_events(format!("http://{address}/events").parse().unwrap());
    let options = JwksOptions { allow_http_loopback: true, ..JwksOptions::default() };
    let authenticator = Authenticator::builder().issuer(issuer).jwks(options).build().unwrap();

    let now_s = 1_800_000_000;
    let claims = json!({
        "iss": "https://id.example.com", "aud": "api", "sub": "alice", "client_id": "c", "jti": "1",
        "iat": now_s, "exp": now_s + 600,
    });
    let token = |key: &SigningKey| {
        Signer::new(key).typ("at+jwt").sign_compact(claims.to_string().as_bytes()).unwrap()
    };
    let (with_old, with_new) = (token(&old), token(&new));
    authenticator.authenticate_token(&with_old, now_s).await.unwrap();

    // A fetch is made at most once a second.
    sleep(Duration::from_millis(1200)).await;
    set.send_replace((2, published(&[&new])));
    let said = Instant::now();
    while authenticator.authenticate_token(&with_old, now_s).await.is_ok() {
        assert!(said.elapsed() < Duration::from_secs(10), "the set would be due in twelve minutes");
        sleep(Duration::from_millis(20)).await;
    }
    authenticator.authenticate_token(&with_new, now_s).await.unwrap();
    let fetches = authenticator.key_sets()[0].fetches;
    // The first, one for news that came before its answer, one for the change, and one for the key that is unknown now.
    assert!(fetches.changed + fetches.unchanged <= 4, "{fetches:?}");
}
