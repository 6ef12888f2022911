//! An issuer that signs anything, an API behind each of the two doors, and a raw HTTP source of key sets.

use axum::{
    Extension, Router,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, Request, header, request::Parts};
use http_body_util::BodyExt;
use sealwright_jose::{Alg, JwkSet, SigningKey, base64url};
use sealwright_resource_server::{
    AccessToken, AuthLayer, Authenticator, AuthenticatorBuilder, IssuerConfig, JwksOptions, Token,
    TokenError, sender::dpop::DPOP_NONCE,
};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower::ServiceExt;

pub(crate) const ISSUER: &str = "https://id.example.com";
pub(crate) const AUDIENCE: &str = "https://api.example.com";
/// The time of all tests, unless they say otherwise.
pub(crate) const NOW: i64 = 1_800_000_000;

/// The two keys of the issuer, and one that is not its own.
pub(crate) static K1: LazyLock<SigningKey> = LazyLock::new(|| key("k1"));
pub(crate) static K2: LazyLock<SigningKey> = LazyLock::new(|| key("k2"));
pub(crate) static STRANGER: LazyLock<SigningKey> = LazyLock::new(|| key("k1"));

pub(crate) fn key(kid: &str) -> SigningKey {
    SigningKey::generate(Alg::Es256).unwrap().with_kid(kid)
}

pub(crate) fn jwk_set(keys: &[&SigningKey]) -> String {
    JwkSet::from_keys(keys.iter().map(|key| key.verifying_key())).unwrap().to_json()
}

/// A header that passes.
pub(crate) fn header() -> Value {
    json!({"alg": "ES256", "typ": "at+jwt", "kid": "k1"})
}

/// Claims that pass at [`NOW`].
pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "alice", "aud": AUDIENCE, "client_id": "portal", "jti": "t-1",
        "iat": NOW - 10, "exp": NOW + 290,
    })
}

/// `object` with some members replaced, or removed by `null`.
pub(crate) fn with(mut object: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(name);
        } else {
            object[name] = value.clone();
        }
    }
    object
}

/// Signs whatever header and payload say, true or not.
pub(crate) fn forge(header: &str, payload: &str, key: &SigningKey) -> String {
    let input = format!("{}.{}", base64url::encode(header), base64url::encode(payload));
    let signature = base64url::encode(key.sign(input.as_bytes()).unwrap());
    format!("{input}.{signature}")
}

/// A token with a header and claims that pass but for these changes.
pub(crate) fn token(header_changes: Value, claim_changes: Value) -> String {
    let header = with(header(), header_changes).to_string();
    forge(&header, &with(claims(), claim_changes).to_string(), &K1)
}

pub(crate) fn good() -> String {
    token(json!({}), json!({}))
}

pub(crate) fn terms() -> IssuerConfig {
    let keys = [K1.verifying_key(), K2.verifying_key()];
    IssuerConfig::new(ISSUER, AUDIENCE).fixed_keys(keys).max_token_age(Duration::from_secs(600))
}

pub(crate) fn builder(terms: IssuerConfig) -> AuthenticatorBuilder {
    Authenticator::builder().issuer(terms).jwks(loopback()).clock(|| NOW)
}

pub(crate) fn trusting(terms: IssuerConfig) -> Authenticator {
    builder(terms).build().unwrap()
}

/// Options for key sets of this machine, which may be busy.
pub(crate) fn loopback() -> JwksOptions {
    JwksOptions { allow_http_loopback: true, timeout: Duration::from_secs(20), ..JwksOptions::default() }
}

/// Decides about one token at [`NOW`].
pub(crate) async fn decide(terms: IssuerConfig, token: &str) -> Result<AccessToken, TokenError> {
    trusting(terms).authenticate_token(token, NOW).await
}

/// The same API behind the layer, with a handler that asks for the token by itself or for its claims, and with one that
/// calls the plain function.
pub(crate) fn doors(authenticator: &Authenticator) -> [(&'static str, Router); 4] {
    #[derive(serde::Deserialize)]
    struct Claims {
        sub: Option<String>,
    }
    async fn layered(Extension(token): Extension<AccessToken>) -> String {
        format!("hello {}", token.subject())
    }
    async fn extracted(Token(token): Token) -> String {
        format!("hello {}", token.subject())
    }
    async fn typed(Token(claims): Token<Claims>) -> String {
        format!("hello {}", claims.sub.unwrap_or_default())
    }
    async fn plain(State(authenticator): State<Authenticator>, request: Request<Body>) -> Response {
        match authenticator.authorize(&request.into_parts().0).await {
            Ok(token) => format!("hello {}", token.subject()).into_response(),
            Err(refusal) => refusal.into_http().map(Body::from),
        }
    }
    let layer = AuthLayer::new(authenticator.clone());
    let by_itself = |handler| Router::new().route("/hello", handler).with_state(authenticator.clone());
    [
        ("layer", Router::new().route("/hello", get(layered)).layer(layer)),
        ("extractor", by_itself(get(extracted))),
        ("typed extractor", by_itself(get(typed))),
        ("plain function", by_itself(get(plain))),
    ]
}

/// The head of a request with these headers.
pub(crate) fn request_with(headers: HeaderMap) -> Parts {
    let mut request = Request::get("/hello").body(()).unwrap();
    *request.headers_mut() = headers;
    request.into_parts().0
}

/// The whole answer to a request with these headers, as text.
pub(crate) async fn ask(door: Router, path: &str, headers: HeaderMap) -> String {
    let mut request = Request::get(path).body(Body::empty()).unwrap();
    *request.headers_mut() = headers;
    show(door.oneshot(request).await.unwrap()).await
}

pub(crate) async fn show(response: Response) -> String {
    let mut text = response.status().as_u16().to_string();
    for name in [
        header::WWW_AUTHENTICATE,
        DPOP_NONCE,
        header::RETRY_AFTER,
        header::CONTENT_TYPE,
        header::CACHE_CONTROL,
    ] {
        for value in response.headers().get_all(&name) {
            text.push_str(&format!("\n{name}: {}", value.to_str().unwrap()));
        }
    }
    let body = response.into_body().collect().await.unwrap().to_bytes();
    text.push_str(&format!("\n\n{}", std::str::from_utf8(&body).unwrap()));
    text
}

pub(crate) fn bearer(token: &str) -> HeaderMap {
    HeaderMap::from_iter([(header::AUTHORIZATION, format!("Bearer {token}").try_into().unwrap())])
}

/// What a source of key sets answers.
#[derive(Clone)]
pub(crate) enum Answer {
    /// 200 with this body.
    Ok(String),
    /// These bytes, from the status line on.
    Raw(String),
    /// 200, and chunks for as long as anybody reads.
    Endless,
    /// 200, and a byte every now and then.
    Drip,
    /// Nothing, ever.
    Silence,
}

/// A server on a loopback port that answers every request in the same way, until told otherwise.
pub(crate) struct Source {
    address: std::net::SocketAddr,
    answer: Arc<Mutex<Answer>>,
    requests: Arc<AtomicUsize>,
}

impl Source {
    pub(crate) async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let source = Self {
            address: listener.local_addr().unwrap(),
            answer: Arc::new(Mutex::new(answer)),
            requests: Arc::default(),
        };
        let (answer, requests) = (Arc::clone(&source.answer), Arc::clone(&source.requests));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                requests.fetch_add(1, Ordering::SeqCst);
                let answer = answer.lock().unwrap().clone();
                // The client hangs up on most of these answers, which is what it should do.
                tokio::spawn(async move { serve(stream, answer).await.ok() });
            }
        });
        source
    }

    pub(crate) fn answer(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    pub(crate) fn uri(&self) -> String {
        format!("http://{}/oauth2/jwks", self.address)
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn terms(&self) -> IssuerConfig {
        IssuerConfig::new(ISSUER, AUDIENCE).jwks_uri(self.uri().parse().unwrap(), [Alg::Es256])
    }
}

async fn serve(mut stream: TcpStream, answer: Answer) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    match answer {
        Answer::Ok(body) => {
            let head =
                format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all((head + &body).as_bytes()).await
        }
        Answer::Raw(bytes) => stream.write_all(bytes.as_bytes()).await,
        Answer::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
            let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
            loop {
                stream.write_all(chunk.as_bytes()).await?;
            }
        }
        Answer::Drip => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n").await?;
            loop {
                stream.write_all(b" ").await?;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Answer::Silence => std::future::pending().await,
    }
}
