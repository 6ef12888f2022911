//! Tokens that are bound to their sender, through every way in: who proves it, who does not, and what they are told.

use crate::support::*;
use axum::{Router, body::Body};
use http::{HeaderMap, Method, Request, StatusCode, Uri, header::AUTHORIZATION};
use sealwright_jose::{Alg, Digest, Hash, SigningKey, base64url};
use sealwright_resource_server::{
    AuthLayer, Authenticator, AuthenticatorBuilder, ConfigError, Requirements, TokenError,
    metadata::ProtectedResource,
    sender::{
        ClientCertificate, SenderConstraint,
        dpop::{DPOP, DPOP_NONCE, DpopError, DpopOptions, Nonces},
    },
};
use serde_json::{Value, json};
use std::{
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tower::ServiceExt;

const URL: &str = "https://api.example.com/hello";
pub(crate) const CERTIFICATE: &[u8] = b"the certificate of the client";

pub(crate) static CLIENT: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Alg::Es256).unwrap());

fn resource() -> ProtectedResource {
    ProtectedResource::new("https://api.example.com").unwrap()
}

pub(crate) fn api() -> AuthenticatorBuilder {
    builder(terms()).resource(resource())
}

pub(crate) fn demanding(constraint: SenderConstraint) -> Authenticator {
    let resource = match constraint {
        SenderConstraint::Dpop => insisting(),
        _ => resource().tls_client_certificate_bound_access_tokens(true),
    };
    api().resource(resource).sender(constraint).build().unwrap()
}

/// The description of an API that takes bound tokens alone, with the algorithms that it takes if it is told nothing else.
fn insisting() -> ProtectedResource {
    let algs = DpopOptions::default().algs;
    resource().dpop_bound_access_tokens_required(true).dpop_signing_alg_values_supported(algs)
}

pub(crate) fn nonces() -> Nonces {
    Nonces::with_secret(Duration::from_secs(60), &[1; 32]).unwrap()
}

pub(crate) fn with_nonces() -> Authenticator {
    api().dpop(DpopOptions { nonces: Some(nonces()), ..DpopOptions::default() }).build().unwrap()
}

/// A token that is bound to the client's key.
pub(crate) fn bound() -> String {
    token(json!({}), json!({"cnf": {"jkt": CLIENT.verifying_key().thumbprint_base64url()}}))
}

pub(crate) fn bound_to_certificate() -> String {
    let x5t = ClientCertificate::from_der(CERTIFICATE).thumbprint().to_string();
    token(json!({}), json!({"cnf": {"x5t#S256": x5t}}))
}

/// A proof of `key` for `token` that passes but for these changes; each has a `jti` of its own.
pub(crate) fn proof_by(key: &SigningKey, token: &str, changes: Value) -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let jwk: Value = serde_json::from_str(&key.verifying_key().to_jwk()).unwrap();
    let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk});
    let claims = json!({
        "jti": format!("p-{}", COUNT.fetch_add(1, Ordering::Relaxed)), "htm": "GET", "htu": URL, "iat": NOW,
        "ath": base64url::encode(Digest::of(Hash::Sha256, token.as_bytes()).as_bytes()),
    });
    forge(&header.to_string(), &with(claims, changes).to_string(), key)
}

pub(crate) fn proof(token: &str, changes: Value) -> String {
    proof_by(&CLIENT, token, changes)
}

pub(crate) fn sent(scheme: &str, token: &str, proofs: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, format!("{scheme} {token}").parse().unwrap());
    for proof in proofs {
        headers.append(DPOP, proof.parse().unwrap());
    }
    headers
}

pub(crate) fn proven(changes: Value) -> HeaderMap {
    let token = bound();
    sent("DPoP", &token, &[&proof(&token, changes)])
}

/// What is decided about a request for [`URL`].
pub(crate) async fn decide(authenticator: &Authenticator, headers: &HeaderMap) -> Result<String, TokenError> {
    decide_at(authenticator, "/hello", headers, NOW).await
}

async fn decide_at(
    authenticator: &Authenticator,
    path: &str,
    headers: &HeaderMap,
    now_s: i64,
) -> Result<String, TokenError> {
    let (method, uri): (_, Uri) = (Method::GET, path.parse().unwrap());
    let request = sealwright_resource_server::Request::new(&method, &uri, headers);
    authenticator.authenticate(&request, now_s).await.map(|token| token.subject().to_owned())
}

/// The answer of every way in, which is the same.
async fn answer(authenticator: &Authenticator, headers: &HeaderMap) -> String {
    let mut request = Request::get("/hello").body(()).unwrap();
    *request.headers_mut() = headers.clone();
    let refusal = authenticator.authorize(&request.into_parts().0).await.unwrap_err();
    let (parts, body) = refusal.into_http().into_parts();
    let plain = show(http::Response::from_parts(parts, Body::from(body))).await;
    for (door, router) in doors(authenticator) {
        assert_eq!(ask(router, "/hello", headers.clone()).await, plain, "{door}");
    }
    plain
}

/// The lines of an answer that tell the client what to do.
fn told(answer: &str) -> Vec<&str> {
    let is_told = |line: &&str| {
        line.starts_with("www-")
            || line.starts_with("dpop-")
            || line.starts_with("retry-")
            || !line.contains(' ')
    };
    answer.lines().filter(is_told).filter(|line| !line.is_empty()).collect()
}

const METADATA: &str = r#"resource_metadata="https://api.example.com/.well-known/oauth-protected-resource""#;
const ALGS: &str = r#"algs="ES256 Ed25519 PS256 EdDSA""#;

#[tokio::test]
async fn whoever_has_the_key_passes_every_way_in() {
    let authenticator = api().build().unwrap();
    for (door, router) in doors(&authenticator) {
        let said = ask(router, "/hello", proven(json!({}))).await;
        assert!(said.starts_with("200") && said.ends_with("hello alice"), "{door}: {said}");
    }
    let mut request = Request::get("https://localhost:8080/hello?a=b").body(()).unwrap();
    *request.headers_mut() = proven(json!({}));
    request.headers_mut().insert("host", "evil.example".parse().unwrap());
    let token = authenticator.authorize(&request.into_parts().0).await.unwrap();
    assert_eq!(token.subject(), "alice");
    for scheme in ["dpop", "DPOP"] {
        let token = bound();
        let headers = sent(scheme, &token, &[&proof(&token, json!({}))]);
        assert_eq!(decide(&authenticator, &headers).await, Ok("alice".into()), "{scheme}");
    }
    // A token that is not bound is a bearer token, with or without a proof that nobody asked for.
    assert_eq!(decide(&authenticator, &sent("Bearer", &good(), &[])).await, Ok("alice".into()));
    let needless = proof(&good(), json!({}));
    assert_eq!(decide(&authenticator, &sent("Bearer", &good(), &[&needless])).await, Ok("alice".into()));
}

/// What a dry run says of a request at a time: the checks of its sender, and the decision.
async fn explained(authenticator: &Authenticator, headers: &HeaderMap, now_s: i64) -> String {
    let (method, uri) = (Method::GET, Uri::from_static("/hello"));
    let request = sealwright_resource_server::Request::new(&method, &uri, headers);
    let explanation = authenticator.explain(&request, &Requirements::none(), now_s).await.to_string();
    let shown = ["sender", "replay", "accepted", "refused"];
    explanation
        .lines()
        .filter(|line| shown.iter().any(|shown| line.starts_with(shown)))
        .collect::<Vec<_>>()
        .join("\n")
}

#[tokio::test]
async fn a_dry_run_knows_used_proofs_and_uses_none_up() {
    let authenticator = api().build().unwrap();
    let headers = proven(json!({}));
    let fresh = "sender      passed\nreplay      passed\naccepted";
    for _ in 0..2 {
        assert_eq!(explained(&authenticator, &headers, NOW).await, fresh);
    }
    assert_eq!(decide(&authenticator, &headers).await, Ok("alice".into()));
    for now_s in [NOW, NOW + 60] {
        assert_eq!(
            explained(&authenticator, &headers, now_s).await,
            "sender      passed\nreplay      FAILED       the proof was used before\nrefused: dpop_replayed"
        );
    }
    assert_eq!(explained(&authenticator, &proven(json!({})), NOW).await, fresh);
    assert_eq!(
        explained(&authenticator, &proven(json!({"ath": null})), NOW).await,
        "sender      FAILED       the proof is for another access token\nreplay      not reached\nrefused: dpop_token_mismatch"
    );
    assert_eq!(
        explained(&authenticator, &bearer(&good()), NOW).await,
        "sender      passed\nreplay      waived       there is no proof\naccepted"
    );
}

#[tokio::test]
async fn a_proof_passes_once_also_where_its_token_is_remembered() {
    let authenticator = api().build().unwrap();
    let (headers, again) = (proven(json!({})), proven(json!({})));
    assert_eq!(decide(&authenticator, &headers).await, Ok("alice".into()));
    for now_s in [NOW, NOW + 1, NOW + 60] {
        let replayed = decide_at(&authenticator, "/hello", &headers, now_s).await;
        assert_eq!(replayed, Err(TokenError::Proof(DpopError::Replayed)), "{now_s}");
    }
    assert_eq!(decide(&authenticator, &again).await, Ok("alice".into()));
    // A proof that did not pass was not used up.
    let elsewhere = proven(json!({"htu": "https://api.example.com/other"}));
    assert_eq!(decide(&authenticator, &elsewhere).await, Err(TokenError::Proof(DpopError::UrlMismatch)));
    assert_eq!(decide_at(&authenticator, "/other", &elsewhere, NOW).await, Ok("alice".into()));
}

#[tokio::test]
async fn nested_layers_and_extractors_see_a_proof_once() {
    use axum::routing::get;
    use sealwright_resource_server::Token;
    async fn hello(Token(one): Token, Token(_): Token) -> String {
        format!("hello {}", one.subject())
    }
    let authenticator = api().build().unwrap();
    let layer = || AuthLayer::new(authenticator.clone());
    let inner = Router::new().route("/there", get(hello)).layer(layer().require(Requirements::none()));
    let router = Router::new().nest("/hello", inner).layer(layer()).with_state(authenticator.clone());
    let headers = proven(json!({"htu": "https://api.example.com/hello/there"}));
    let said = ask(router.clone(), "/hello/there", headers.clone()).await;
    assert!(said.ends_with("hello alice"), "{said}");
    assert!(ask(router, "/hello/there", headers).await.starts_with("401"));
}

#[tokio::test]
async fn each_refusal_names_the_schemes_that_would_do() {
    let (token, lenient) = (bound(), api().build().unwrap());
    let bearer = format!("www-authenticate: Bearer {METADATA}");
    let dpop = format!("www-authenticate: DPoP {ALGS}, {METADATA}");
    let error = |scheme: &str, error: &str, description: &str| {
        let algs = if scheme == "DPoP" { format!(", {ALGS}") } else { String::new() };
        format!(
            r#"www-authenticate: {scheme} error="{error}", error_description="{description}"{algs}, {METADATA}"#
        )
    };
    let invalid = |scheme| error(scheme, "invalid_token", "The access token is not valid");
    let no_proof = error("DPoP", "invalid_dpop_proof", "The DPoP proof is not valid");
    let strict = demanding(SenderConstraint::Dpop);
    for (name, authenticator, headers, expected) in [
        ("nothing sent", &lenient, HeaderMap::new(), vec![bearer.clone(), dpop.clone()]),
        ("nothing sent, DPoP only", &strict, HeaderMap::new(), vec![dpop.clone()]),
        ("no proof", &lenient, sent("DPoP", &token, &[]), vec![no_proof.clone()]),
        ("no proof, DPoP only", &strict, sent("DPoP", &token, &[]), vec![no_proof]),
        ("as Bearer", &lenient, sent("Bearer", &token, &[]), vec![invalid("Bearer"), dpop.clone()]),
        ("as Bearer, DPoP only", &strict, sent("Bearer", &token, &[]), vec![invalid("DPoP")]),
        ("not bound, DPoP only", &strict, sent("Bearer", &good(), &[]), vec![invalid("DPoP")]),
        ("not bound, as DPoP", &lenient, sent("DPoP", &good(), &[]), vec![invalid("DPoP"), bearer.clone()]),
        ("forged, as DPoP", &lenient, sent("DPoP", "a.b.c", &[]), vec![invalid("DPoP")]),
        ("forged, as Bearer", &lenient, sent("Bearer", "a.b.c", &[]), vec![invalid("Bearer")]),
    ] {
        let said = answer(authenticator, &headers).await;
        let shown: Vec<_> = said.lines().filter(|line| line.starts_with("www-")).collect();
        assert_eq!(shown, expected, "{name}");
        assert!(said.starts_with("401\n") && said.contains("\ncache-control: no-store\n"), "{name}: {said}");
    }
}

#[tokio::test]
async fn a_nonce_is_asked_for_and_followed_by_the_next() {
    let authenticator = with_nonces();
    let current = nonces().current(NOW);
    let asks = format!(
        r#"www-authenticate: DPoP error="use_dpop_nonce", error_description="The DPoP proof needs a current nonce", {ALGS}, {METADATA}"#
    );
    let header = format!("dpop-nonce: {current}");
    for (name, headers) in [
        ("none", proven(json!({}))),
        ("an old one", proven(json!({"nonce": nonces().current(NOW - 120)}))),
        ("not ours", proven(json!({"nonce": "n"}))),
    ] {
        let said = answer(&authenticator, &headers).await;
        assert_eq!(told(&said)[..3], ["401", &*asks, &*header], "{name}");
        assert!(said.contains(r#""code":"dpop_nonce_required""#), "{said}");
    }
    // Whoever has to come again anyway is told beforehand.
    for headers in [HeaderMap::new(), proven(json!({"htm": "PUT", "nonce": current}))] {
        assert!(answer(&authenticator, &headers).await.contains(&header));
    }
    let with_current = ask_layer(&authenticator, proven(json!({"nonce": current}))).await;
    assert_eq!(with_current.status(), StatusCode::OK);
    assert!(!with_current.headers().contains_key(DPOP_NONCE));
    let with_previous = ask_layer(&authenticator, proven(json!({"nonce": nonces().current(NOW - 60)}))).await;
    assert_eq!(with_previous.status(), StatusCode::OK);
    assert_eq!(with_previous.headers()[DPOP_NONCE], *current);
    assert_eq!(with_previous.headers()["cache-control"], "no-store");
    let as_bearer = ask_layer(&authenticator, sent("Bearer", &good(), &[])).await;
    assert!(as_bearer.status().is_success() && !as_bearer.headers().contains_key(DPOP_NONCE));
}

async fn ask_layer(authenticator: &Authenticator, headers: HeaderMap) -> http::Response<Body> {
    let [(_, layered), ..] = doors(authenticator);
    let mut request = Request::get("/hello").body(Body::empty()).unwrap();
    *request.headers_mut() = headers;
    layered.oneshot(request).await.unwrap()
}

#[tokio::test]
async fn when_no_more_proofs_can_be_remembered_nobody_is_blamed() {
    let options = DpopOptions { replay_entries: 1, ..DpopOptions::default() };
    let authenticator = api().dpop(options).build().unwrap();
    // A window of one has one place for each shard, which so many proofs fill.
    for _ in 0..500 {
        let _ = decide(&authenticator, &proven(json!({}))).await;
    }
    let mut full = 0;
    for _ in 0..20 {
        let headers = proven(json!({}));
        let foretold = explained(&authenticator, &headers, NOW).await;
        let decided = decide(&authenticator, &headers).await;
        assert_eq!(foretold.ends_with("accepted"), decided.is_ok(), "{foretold}");
        if decided == Err(TokenError::Proof(DpopError::WindowFull)) {
            assert!(foretold.ends_with("refused: dpop_window_full"), "{foretold}");
            let said = answer(&authenticator, &headers).await;
            assert_eq!(told(&said)[..2], ["503", "retry-after: 5"], "{said}");
            assert!(!said.contains("www-authenticate"), "{said}");
            full += 1;
        }
    }
    assert!(full > 0);
}

#[tokio::test]
async fn the_url_is_what_clients_know_and_not_what_the_server_is_called() {
    let options =
        |url: &str| DpopOptions { external_url: Some(url.parse().unwrap()), ..DpopOptions::default() };
    for (external, path, htu, expected) in [
        ("https://api.example.com", "/hello", URL, Ok(())),
        ("https://api.example.com/", "/hello", URL, Ok(())),
        ("https://API.example.com:443", "/hello?x=y", URL, Ok(())),
        ("https://api.example.com", "/a/../hello", URL, Ok(())),
        ("https://api.example.com", "/h%65llo", URL, Ok(())),
        ("https://api.example.com", "/", "https://api.example.com", Ok(())),
        ("https://api.example.com", "/a%2fb", "https://api.example.com/a%2Fb", Ok(())),
        ("https://api.example.com", "/a%2fb", "https://api.example.com/a/b", Err(DpopError::UrlMismatch)),
        ("https://example.com/api", "/hello", "https://example.com/api/hello", Ok(())),
        ("https://example.com/api/", "/hello", "https://example.com/api/hello", Ok(())),
        ("https://example.com/api", "/hello", "https://example.com/hello", Err(DpopError::UrlMismatch)),
        ("http://api.example.com", "/hello", URL, Err(DpopError::UrlMismatch)),
    ] {
        let authenticator = api().dpop(options(external)).build().unwrap();
        let decided = decide_at(&authenticator, path, &proven(json!({"htu": htu})), NOW).await;
        assert_eq!(decided.map(drop), expected.map_err(TokenError::Proof), "{external} {path} {htu}");
    }
}

#[tokio::test]
async fn without_a_url_of_its_own_an_api_accepts_no_proof() {
    let nameless = builder(terms()).build().unwrap();
    assert_eq!(decide(&nameless, &proven(json!({}))).await, Err(TokenError::Missing));
    let as_bearer = sent("Bearer", &bound(), &[]);
    assert_eq!(decide(&nameless, &as_bearer).await, Err(TokenError::SchemeMismatch));
    assert_eq!(decide(&nameless, &sent("Bearer", &good(), &[])).await, Ok("alice".into()));

    let build = builder(terms()).sender(SenderConstraint::Dpop).build();
    assert!(matches!(build, Err(ConfigError::ExternalUrlMissing)));
    let options = DpopOptions { algs: vec![Alg::Hs256], ..DpopOptions::default() };
    assert!(matches!(api().dpop(options).build(), Err(ConfigError::DpopAlgs { .. })));
}

#[test]
fn a_description_that_says_otherwise_is_refused() {
    use SenderConstraint::{Dpop, IfBound, Mtls};
    const ALGS: &str = "dpop_signing_alg_values_supported";
    let one = || [Alg::Es256];
    for (constraint, described, contradicted) in [
        (IfBound, resource(), None),
        (IfBound, resource().dpop_signing_alg_values_supported(DpopOptions::default().algs), None),
        (IfBound, resource().dpop_signing_alg_values_supported(one()), Some(ALGS)),
        (IfBound, resource().tls_client_certificate_bound_access_tokens(true), None),
        // Tokens that are not bound would pass although the description says that none does.
        (IfBound, insisting(), Some("dpop_bound_access_tokens_required")),
        (
            Mtls,
            insisting().tls_client_certificate_bound_access_tokens(true),
            Some("dpop_bound_access_tokens_required"),
        ),
        (Dpop, insisting(), None),
        (Dpop, resource(), Some("dpop_bound_access_tokens_required")),
        (
            Dpop,
            insisting().dpop_bound_access_tokens_required(false),
            Some("dpop_bound_access_tokens_required"),
        ),
        (Dpop, resource().dpop_bound_access_tokens_required(true), Some(ALGS)),
        (Dpop, insisting().dpop_signing_alg_values_supported(one()), Some(ALGS)),
        (
            Dpop,
            insisting().dpop_signing_alg_values_supported([Alg::Es256, Alg::Ed25519, Alg::Rs256]),
            Some(ALGS),
        ),
        (Mtls, resource().tls_client_certificate_bound_access_tokens(true), None),
        (Mtls, resource(), Some("tls_client_certificate_bound_access_tokens")),
    ] {
        let name = format!("{constraint:?} {}", described.to_json());
        let built = api().resource(described).sender(constraint).build();
        let found = match &built {
            Ok(_) => None,
            Err(ConfigError::ResourceContradicted { member }) => Some(*member),
            Err(other) => panic!("{name}: {other}"),
        };
        assert_eq!(found, contradicted, "{name}");
    }
}

#[tokio::test]
async fn a_bound_token_without_its_request_is_refused() {
    let authenticator = api().build().unwrap();
    for (token, expected) in [
        (good(), Ok(())),
        (bound(), Err(TokenError::SenderConstraintFailed)),
        (bound_to_certificate(), Err(TokenError::SenderConstraintFailed)),
        (token(json!({}), json!({"cnf": {"kid": "k"}})), Err(TokenError::SenderConstraintFailed)),
        (token(json!({}), json!({"cnf": {}})), Err(TokenError::SenderConstraintFailed)),
    ] {
        assert_eq!(authenticator.authenticate_token(&token, NOW).await.map(drop), expected, "{token}");
    }
    let strict = demanding(SenderConstraint::Dpop).authenticate_token(&good(), NOW).await;
    assert_eq!(strict.map(drop), Err(TokenError::SenderUnbound));
}

#[test]
fn the_api_says_what_it_asks_for() {
    let api = resource()
        .dpop_signing_alg_values_supported([Alg::Es256, Alg::Ed25519])
        .dpop_bound_access_tokens_required(true)
        .tls_client_certificate_bound_access_tokens(true);
    assert_eq!(
        serde_json::from_str::<Value>(&api.to_json()).unwrap(),
        json!({
            "resource": "https://api.example.com", "bearer_methods_supported": ["header"],
            "dpop_signing_alg_values_supported": ["ES256", "Ed25519"], "dpop_bound_access_tokens_required": true,
            "tls_client_certificate_bound_access_tokens": true,
        })
    );
}
