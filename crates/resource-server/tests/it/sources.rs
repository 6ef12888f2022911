//! Key sets from a real HTTP server, which may be down, slow, huge, lost or hostile.

use crate::support::*;
use sealwright_resource_server::{Authenticator, JwksOptions, TokenError};
use serde_json::json;
use std::time::{Duration, Instant};

const UNAVAILABLE: &str = r#"503
retry-after: 5
content-type: application/problem+json
cache-control: no-store

{"code":"authorization_server_unavailable","status":503,"title":"Service Unavailable","type":"about:blank"}"#;

/// Options under which a test may look keys up as often as it likes, and nobody else does.
fn eager() -> JwksOptions {
    JwksOptions { cooldown: Duration::ZERO, background: false, ..loopback() }
}

fn trust(source: &Source, options: JwksOptions) -> Authenticator {
    Authenticator::builder().issuer(source.terms()).jwks(options).clock(|| NOW).build().unwrap()
}

fn signed_by(key: &sealwright_jose::SigningKey) -> String {
    forge(&with(header(), json!({"kid": key.kid()})).to_string(), &claims().to_string(), key)
}

#[tokio::test]
async fn nothing_is_fetched_for_a_token_that_cannot_pass() {
    let source = Source::start(Answer::Ok(jwk_set(&[&K1]))).await;
    let authenticator = trust(&source, loopback());
    let unsigned = token(json!({"alg": "none"}), json!({}));
    for (token, error) in [
        ("a.b.c".to_owned(), TokenError::Malformed),
        (token(json!({}), json!({"iss": "https://evil.example.com"})), TokenError::IssuerUnknown),
        (unsigned, TokenError::AlgNotAllowed),
    ] {
        assert_eq!(authenticator.authenticate_token(&token, NOW).await.map(drop), Err(error));
    }
    assert_eq!(source.requests(), 0);
    authenticator.authenticate_token(&good(), NOW).await.unwrap();
    assert_eq!(source.requests(), 1);
}

/// The answer to a malformed request is known without any key, also if the token in it names one that nobody has yet.
#[tokio::test]
async fn nothing_is_fetched_for_a_malformed_request() {
    let source = Source::start(Answer::Ok(jwk_set(&[&K1]))).await;
    let authenticator = trust(&source, loopback());
    let (method, uri) = (http::Method::GET, http::Uri::from_static("/"));
    for header in [format!("Bearer {} x", signed_by(&K1)), format!("Bearer {}, x", signed_by(&K2))] {
        let headers = http::HeaderMap::from_iter([(
            http::header::AUTHORIZATION,
            http::HeaderValue::try_from(header).unwrap(),
        )]);
        let request = sealwright_resource_server::Request::new(&method, &uri, &headers);
        let decided = authenticator.authenticate(&request, NOW).await.map(drop);
        assert_eq!(decided, Err(TokenError::RequestMalformed));
    }
    assert_eq!(source.requests(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_cold_requests_share_one_fetch() {
    let source = Source::start(Answer::Ok(jwk_set(&[&K1]))).await;
    let authenticator = trust(&source, loopback());
    let token = good();
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let (authenticator, token) = (authenticator.clone(), token.clone());
            tokio::spawn(async move { authenticator.authenticate_token(&token, NOW).await.map(drop) })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(source.requests(), 1);
}

#[tokio::test]
async fn a_rotation_is_seen_at_once_and_a_removed_key_drops_out() {
    let source = Source::start(Answer::Ok(jwk_set(&[&K1]))).await;
    let authenticator = trust(&source, loopback());
    authenticator.authenticate_token(&signed_by(&K1), NOW).await.unwrap();

    source.answer(Answer::Ok(jwk_set(&[&K2])));
    authenticator.authenticate_token(&signed_by(&K1), NOW).await.unwrap();
    authenticator.authenticate_token(&signed_by(&K2), NOW).await.unwrap();
    let gone = authenticator.authenticate_token(&signed_by(&K1), NOW).await;
    assert_eq!(gone.map(drop), Err(TokenError::KeyUnknown));
    assert_eq!(source.requests(), 2, "the removed key was not looked up again while cooling down");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_storm_of_unknown_keys_is_one_fetch() {
    let source = Source::start(Answer::Ok(jwk_set(&[&K1]))).await;
    let authenticator = trust(&source, loopback());
    authenticator.authenticate_token(&good(), NOW).await.unwrap();
    let tasks: Vec<_> = (0..500)
        .map(|number| {
            let authenticator = authenticator.clone();
            let token = token(json!({"kid": format!("storm-{number}")}), json!({}));
            tokio::spawn(async move { authenticator.authenticate_token(&token, NOW).await.map(drop) })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Err(TokenError::KeyUnknown));
    }
    assert_eq!(source.requests(), 2);
}

#[tokio::test]
async fn a_wall_clock_that_jumps_causes_no_fetch() {
    let source = Source::start(Answer::Ok(jwk_set(&[&K1]))).await;
    let authenticator = trust(&source, loopback());
    for now in [NOW, 0, NOW + 100_000_000, i64::MIN, i64::MAX, NOW] {
        let decided = authenticator.authenticate_token(&good(), now).await;
        assert_eq!(decided.is_ok(), now == NOW, "{now}");
    }
    assert_eq!(source.requests(), 1);
}

/// Sources that give no set: cold, nothing passes and every door says that it is not the token's fault.
#[tokio::test]
async fn sources_that_fail_are_no_fault_of_the_token() {
    let elsewhere = Source::start(Answer::Ok(jwk_set(&[&K1]))).await;
    let redirect = |status: &str| {
        Answer::Raw(format!(
            "HTTP/1.1 {status}\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n",
            elsewhere.uri()
        ))
    };
    let good_set = jwk_set(&[&K1]);
    let padded = format!("{good_set}{}", " ".repeat(256 * 1024));
    let with = |header: &str, body: &str| {
        Answer::Raw(format!("HTTP/1.1 200 OK\r\n{header}\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
    };
    // The first bytes of a file of gzip, whatever is in it: nobody unpacks it.
    let packed = "\u{1f}\u{8}\u{0}\u{0}";
    for (name, answer, why) in [
        ("500", Answer::Raw("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n".into()), "status 500"),
        ("404", Answer::Raw("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n".into()), "status 404"),
        ("204", Answer::Raw("HTTP/1.1 204 Empty\r\n\r\n".into()), "status 204"),
        ("304, unasked", Answer::Raw("HTTP/1.1 304 Same\r\nETag: \"1\"\r\n\r\n".into()), "status 304"),
        (
            "a set under 206",
            Answer::Raw(format!("HTTP/1.1 206 Part\r\nContent-Length: {}\r\n\r\n{good_set}", good_set.len())),
            "status 206",
        ),
        ("301", redirect("301 Moved"), "redirect"),
        ("302", redirect("302 Found"), "redirect"),
        ("303", redirect("303 See"), "redirect"),
        ("307", redirect("307 Away"), "redirect"),
        ("308", redirect("308 Gone"), "redirect"),
        ("HTML", Answer::Ok("<!doctype html><title>Please log in</title>".into()), "no JWK set"),
        ("nothing", Answer::Ok(String::new()), "no JWK set"),
        ("half a set", Answer::Ok(good_set[..good_set.len() / 2].to_owned()), "no JWK set"),
        (
            "half a set, and half the bytes that were announced",
            Answer::Raw(format!("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{good_set}")),
            "request failed",
        ),
        ("a set of broken keys", Answer::Ok(r#"{"keys":[{"kty":"EC"},{}]}"#.into()), "none of the 2 keys"),
        ("gzip", with("Content-Encoding: gzip", packed), "compressed"),
        ("a good set that says it is brotli", with("Content-Encoding: br", &good_set), "compressed"),
        ("no HTTP", Answer::Raw("SSH-2.0-OpenSSH\r\n".into()), "request failed"),
        ("hangs up", Answer::Raw(String::new()), "request failed"),
        (
            "huge, announced",
            Answer::Raw("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n".into()),
            "longer than 262144 bytes",
        ),
        ("huge, and a good set in front", Answer::Ok(padded), "longer than 262144 bytes"),
        ("huge, in chunks without end", Answer::Endless, "longer than 262144 bytes"),
        ("slow", Answer::Drip, "took too long"),
        ("silent", Answer::Silence, "took too long"),
    ] {
        let source = Source::start(answer).await;
        // Those who take too long are not waited for as long as the others may take.
        let timeout = if why == "took too long" { Duration::from_secs(1) } else { eager().timeout };
        let authenticator = trust(&source, JwksOptions { timeout, ..eager() });
        let start = Instant::now();
        for (door, router) in doors(&authenticator) {
            assert_eq!(ask(router, "/hello", bearer(&good())).await, UNAVAILABLE, "{name} at the {door}");
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{name} took {:?}", start.elapsed());
        assert_eq!(source.requests(), 4, "{name}");
        let status = authenticator.key_sets().remove(0);
        let error = status.last_error.unwrap();
        assert!(error.contains(why), "{name}: {error}");
        assert!(!error.contains("127.0.0.1"), "{name}: {error}");
        assert_eq!((status.failures, status.fetches.failed, status.age), (4, 4, None), "{name}");
    }
    assert_eq!(elsewhere.requests(), 0, "no redirect was followed");
}

#[tokio::test]
async fn a_source_that_nobody_serves_is_down() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("http://{}/jwks", listener.local_addr().unwrap());
    drop(listener);
    let terms = sealwright_resource_server::IssuerConfig::new(ISSUER, AUDIENCE)
        .jwks_uri(uri.parse().unwrap(), [sealwright_jose::Alg::Es256]);
    let decided = trusting(terms).authenticate_token(&good(), NOW).await;
    assert_eq!(decided.map(drop), Err(TokenError::KeysUnavailable));
}

#[tokio::test]
async fn one_bad_key_does_not_spoil_the_set_and_an_empty_set_withdraws_all() {
    let mut set: serde_json::Value = serde_json::from_str(&jwk_set(&[&K1])).unwrap();
    let keys = set["keys"].as_array_mut().unwrap();
    keys.insert(0, json!({"kty": "AKP", "alg": "ML-DSA-65", "kid": "pq", "pub": "AAAA"}));
    keys.insert(0, json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}));
    let source = Source::start(Answer::Ok(set.to_string())).await;
    let authenticator = trust(&source, eager());
    authenticator.authenticate_token(&good(), NOW).await.unwrap();
    let status = &authenticator.key_sets()[0];
    assert_eq!((status.usable_keys, status.skipped_keys, status.failures), (1, 2, 0));

    source.answer(Answer::Ok(r#"{"keys":[]}"#.into()));
    let unknown = token(json!({"kid": "x"}), json!({}));
    for token in [unknown, good()] {
        let decided = authenticator.authenticate_token(&token, NOW).await;
        assert_eq!(decided.map(drop), Err(TokenError::KeyUnknown));
    }
    let unsigned = token(json!({"alg": "none"}), json!({}));
    let decided = authenticator.authenticate_token(&unsigned, NOW).await;
    assert_eq!(decided.map(drop), Err(TokenError::AlgNotAllowed));
}

#[tokio::test]
async fn two_keys_of_one_name_spoil_that_name_alone() {
    let keys: Vec<serde_json::Value> =
        [&K1, &STRANGER, &K2].map(|key| serde_json::from_str(&key.verifying_key().to_jwk()).unwrap()).into();
    let source = Source::start(Answer::Ok(json!({"keys": keys}).to_string())).await;
    let authenticator = trust(&source, loopback());
    authenticator.authenticate_token(&signed_by(&K2), NOW).await.unwrap();
    for key in [&K1, &STRANGER] {
        let decided = authenticator.authenticate_token(&signed_by(key), NOW).await;
        assert_eq!(decided.map(drop), Err(TokenError::KeyUnknown));
    }
    // Nor do they both vouch for a token that names none of them.
    let nameless = token(json!({"kid": null}), json!({}));
    let decided = authenticator.authenticate_token(&nameless, NOW).await;
    assert_eq!(decided.map(drop), Err(TokenError::KeyUnknown));
}

#[tokio::test]
async fn a_source_that_goes_down_is_not_noticed() {
    let source = Source::start(Answer::Ok(jwk_set(&[&K1]))).await;
    // Due at once, so that every request of this test asks the cache.
    let authenticator = trust(&source, JwksOptions { refresh: Duration::from_nanos(1), ..eager() });
    authenticator.authenticate_token(&good(), NOW).await.unwrap();
    source.answer(Answer::Raw("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n".into()));
    for _ in 0..20 {
        authenticator.authenticate_token(&good(), NOW).await.unwrap();
    }
    assert!(authenticator.key_sets()[0].failures > 0);

    source.answer(Answer::Ok(jwk_set(&[&K2])));
    // A fetch that was under way when the source came back may still fail.
    let mut attempts = 0;
    while authenticator.authenticate_token(&signed_by(&K2), NOW).await.is_err() {
        attempts += 1;
        assert!(attempts < 100, "the source is back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
