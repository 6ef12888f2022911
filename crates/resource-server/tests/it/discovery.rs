//! An issuer on this machine that is found by its URL, and what HTTP says of the age of its keys.

use crate::support::*;
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use sealwright_jose::Alg;
use sealwright_resource_server::{
    Authenticator, ConfigError, IssuerConfig, JwksOptions, KeySets, TokenError,
};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

const RFC8414: &str = "/.well-known/oauth-authorization-server/one";
const OPENID: &str = "/one/.well-known/openid-configuration";

async fn serve(router: impl FnOnce(&str) -> Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let router = router(&origin);
    tokio::spawn(async move { axum::serve(listener, router).await });
    origin
}

fn metadata(issuer: &str, jwks_uri: &str) -> String {
    json!({"issuer": issuer, "jwks_uri": jwks_uri, "response_types_supported": ["code"]}).to_string()
}

fn document(body: String) -> axum::routing::MethodRouter {
    get(move || async move { ([(header::CONTENT_TYPE, "application/json")], body) })
}

fn discover(issuer: &str, sets: impl Into<KeySets>) -> Result<Authenticator, ConfigError> {
    let terms = IssuerConfig::new(issuer, AUDIENCE).discovery([Alg::Es256]);
    Authenticator::builder().issuer(terms).jwks(sets).clock(|| NOW).build()
}

async fn decide_at(authenticator: &Authenticator, issuer: &str) -> Result<(), TokenError> {
    authenticator.authenticate_token(&token(json!({}), json!({"iss": issuer})), NOW).await.map(drop)
}

/// How the error of the metadata's last fetch begins.
fn metadata_error(authenticator: &Authenticator) -> String {
    authenticator.key_sets().remove(0).metadata.unwrap().last_error.unwrap_or_default()
}

#[tokio::test]
async fn an_issuer_is_found_by_its_url_at_either_place() {
    for (place, other) in [(RFC8414, OPENID), (OPENID, RFC8414)] {
        let elsewhere = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&elsewhere);
        let trap = serve(|_| {
            Router::new()
                .fallback(get(move || async move { counted.fetch_add(1, Ordering::SeqCst).to_string() }))
        })
        .await;
        let origin = serve(|origin| {
            let issuer = format!("{origin}/one");
            Router::new()
                .route(place, document(metadata(&issuer, &format!("{origin}/keys"))))
                .route(other, get(move || async move { Redirect::temporary(&trap) }))
                .route("/keys", document(jwk_set(&[&K1])))
        })
        .await;
        let issuer = format!("{origin}/one");
        let authenticator = discover(&issuer, loopback()).unwrap();
        assert_eq!(decide_at(&authenticator, &issuer).await, Ok(()), "{place}");
        assert_eq!(decide_at(&authenticator, ISSUER).await, Err(TokenError::IssuerUnknown));
        let status = authenticator.key_sets().remove(0);
        assert_eq!(status.uri.unwrap().as_str(), format!("{origin}/keys"));
        assert_eq!(status.metadata.unwrap().uri.as_str(), format!("{origin}{place}"));
        assert_eq!(elsewhere.load(Ordering::SeqCst), 0, "the redirect was not followed");
    }
}

/// Sources that serve several kinds of documents under one address choose by this header.
#[tokio::test]
async fn each_document_is_asked_for_by_its_type() {
    let answered = |accept: &'static str, body: String| {
        get(async move |headers: HeaderMap| {
            let named: Vec<_> = headers.get_all(header::ACCEPT).iter().collect();
            if named == [accept] { body.into_response() } else { StatusCode::NOT_ACCEPTABLE.into_response() }
        })
    };
    let origin = serve(|origin| {
        let metadata = metadata(&format!("{origin}/one"), &format!("{origin}/keys"));
        Router::new()
            .route(RFC8414, answered("application/json", metadata))
            .route("/keys", answered("application/jwk-set+json, application/json", jwk_set(&[&K1])))
    })
    .await;
    let issuer = format!("{origin}/one");
    let authenticator = discover(&issuer, loopback()).unwrap();
    assert_eq!(decide_at(&authenticator, &issuer).await, Ok(()), "{}", metadata_error(&authenticator));
}

#[tokio::test]
async fn keys_on_another_host_need_its_name() {
    let keys = serve(|_| Router::new().route("/keys", document(jwk_set(&[&K1])))).await;
    // The same machine under another name, and another port of it.
    let port = keys.rsplit(':').next().unwrap();
    let named = format!("localhost:{port}");
    let jwks_uri = format!("http://{named}/keys");
    let origin =
        serve(|origin| Router::new().route(RFC8414, document(metadata(&format!("{origin}/one"), &jwks_uri))))
            .await;
    let issuer = format!("{origin}/one");
    for (allowed, passes) in [
        (vec![], false),
        (vec!["localhost".to_owned()], false),
        (vec![format!("127.0.0.1:{port}")], false),
        (vec!["keys.example.com".to_owned(), named], true),
    ] {
        let authenticator =
            discover(&issuer, JwksOptions { allowed_hosts: allowed.clone(), ..loopback() }).unwrap();
        let decided = decide_at(&authenticator, &issuer).await;
        assert_eq!(decided.is_ok(), passes, "{allowed:?}");
        if !passes {
            assert_eq!(decided, Err(TokenError::KeysUnavailable));
            assert_eq!(
                metadata_error(&authenticator),
                "the metadata's `jwks_uri` is on a host that nobody named"
            );
        }
    }
}

#[tokio::test]
async fn metadata_that_speaks_for_somebody_else_is_not_believed() {
    let origin = serve(|origin| {
        let keys = format!("{origin}/keys");
        Router::new()
            .route(RFC8414, document(metadata(&format!("{origin}/one/"), &keys)))
            .route(OPENID, document(metadata(&format!("{origin}/one"), &keys)))
            .route("/keys", document(jwk_set(&[&K1])))
    })
    .await;
    let issuer = format!("{origin}/one");
    let authenticator = discover(&issuer, loopback()).unwrap();
    assert_eq!(decide_at(&authenticator, &issuer).await, Err(TokenError::KeysUnavailable));
    assert_eq!(metadata_error(&authenticator), "the metadata is that of another issuer");
}

#[test]
fn an_issuer_that_cannot_be_discovered_is_refused_at_the_start() {
    for (issuer, reason) in [
        ("accounts", "issuer `accounts` cannot be discovered: its URL must be a URL"),
        (
            "http://id.example.com",
            "issuer `http://id.example.com` cannot be discovered: its URL must be https",
        ),
        (
            "https://id.example.com/?a",
            "issuer `https://id.example.com/?a` cannot be discovered: its URL must not have a query or a fragment",
        ),
    ] {
        assert_eq!(discover(issuer, loopback()).map(drop).unwrap_err().to_string(), reason);
    }
    let refused = |options| discover(ISSUER, options).map(drop).unwrap_err().to_string();
    for host in [
        "",
        "https://keys.example.com",
        "keys.example.com/path",
        "me@keys.example.com",
        "a b",
        "h:99999",
        "*.example.com",
    ] {
        let options = JwksOptions { allowed_hosts: vec![host.to_owned()], ..loopback() };
        assert_eq!(
            refused(options),
            format!("the allowed host `{host}` must be a host, or a host and a port")
        );
    }
    let crossed = JwksOptions { min_refresh: Duration::from_secs(901), ..loopback() };
    assert_eq!(refused(crossed), "`min_refresh` of the JWK set options must not be more than `max_refresh`");
}

/// What a source saw of its clients.
#[derive(Clone, Default)]
struct Seen {
    requests: Arc<AtomicUsize>,
    conditional: Arc<AtomicUsize>,
}

async fn tagged(State(seen): State<Seen>, headers: HeaderMap) -> Response {
    seen.requests.fetch_add(1, Ordering::SeqCst);
    let age = [(header::ETAG, "W/\"v1\""), (header::CACHE_CONTROL, "public, max-age=7200")];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag == "W/\"v1\"") {
        seen.conditional.fetch_add(1, Ordering::SeqCst);
        return (StatusCode::NOT_MODIFIED, age).into_response();
    }
    (age, jwk_set(&[&K1])).into_response()
}

#[tokio::test]
async fn a_set_that_did_not_change_is_not_sent_again() {
    let seen = Seen::default();
    let state = seen.clone();
    let origin = serve(|_| Router::new().route("/keys", get(tagged)).with_state(state)).await;
    let terms =
        IssuerConfig::new(ISSUER, AUDIENCE).jwks_uri(format!("{origin}/keys").parse().unwrap(), [Alg::Es256]);
    let options =
        JwksOptions { cooldown: Duration::ZERO, max_refresh: Duration::from_secs(600), ..loopback() };
    let sets = KeySets::new(options);
    let authenticators = [(); 3].map(|()| {
        let builder = Authenticator::builder().issuer(terms.clone()).jwks(sets.clone());
        builder.clock(|| NOW).build().unwrap()
    });
    for authenticator in &authenticators {
        authenticator.authenticate_token(&good(), NOW).await.unwrap();
    }
    assert_eq!(seen.requests.load(Ordering::SeqCst), 1, "one fetch for all");
    let status = authenticators[0].key_sets().remove(0);
    assert!(status.has_etag);
    let next = status.next_refresh.unwrap();
    assert!(Duration::from_secs(470) < next && next <= Duration::from_secs(480), "{next:?}");

    let unknown = token(json!({"kid": "x"}), json!({}));
    for _ in 0..3 {
        let decided = authenticators[1].authenticate_token(&unknown, NOW).await;
        assert_eq!(decided.map(drop), Err(TokenError::KeyUnknown));
    }
    assert_eq!(seen.conditional.load(Ordering::SeqCst), 3);
    let fetches = authenticators[2].key_sets().remove(0).fetches;
    assert_eq!((fetches.changed, fetches.unchanged, fetches.failed), (1, 3, 0));
    authenticators[2].authenticate_token(&good(), NOW).await.unwrap();
}
