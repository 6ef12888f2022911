//! The layer, the extractor and the plain function: what is theirs alone.

use crate::support::*;
use axum::{Router, body::Body, routing::get};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::Full;
use sealwright_resource_server::{
    AccessToken, AuthLayer, IssuerConfig, Requirements, Token, sender::ClientCertificate,
};
use serde_json::json;
use std::{convert::Infallible, rc::Rc};
use tower::{Layer, Service, ServiceExt, service_fn};

/// What stands between takes the header away: who had to look again would find nothing.
fn forgetful(mut request: Request<Body>) -> Request<Body> {
    request.headers_mut().remove(header::AUTHORIZATION);
    request
}

#[tokio::test]
async fn behind_the_layer_the_extractor_takes_the_token_that_is_there() {
    let authenticator = trusting(terms());
    let api = Router::new()
        .route("/hello", get(async |Token(token): Token| token.subject().to_owned()))
        .layer(tower::util::MapRequestLayer::new(forgetful))
        .layer(AuthLayer::new(authenticator.clone()));
    let shown = ask(api.with_state(authenticator), "/hello", bearer(&good())).await;
    assert!(shown.ends_with("\n\nalice"), "{shown}");
}

#[tokio::test]
async fn the_extractor_takes_no_token_that_only_another_authenticator_let_pass() {
    #[derive(serde::Deserialize)]
    struct Claims {
        sub: String,
    }
    let strict = trusting(IssuerConfig::new(ISSUER, "somebody else").fixed_keys([K1.verifying_key()]));
    let api = Router::new()
        .route("/hello", get(async |Token(token): Token| token.subject().to_owned()))
        .route("/claims", get(async |Token(claims): Token<Claims>| claims.sub))
        .layer(AuthLayer::new(trusting(terms())))
        .with_state(strict);
    let for_both = token(json!({}), json!({"aud": [AUDIENCE, "somebody else"]}));
    for path in ["/hello", "/claims"] {
        let shown = ask(api.clone(), path, bearer(&good())).await;
        assert!(shown.starts_with("401\n"), "{path}: {shown}");
        let shown = ask(api.clone(), path, bearer(&for_both)).await;
        assert!(shown.ends_with("\n\nalice"), "{path}: {shown}");
    }
}

#[tokio::test]
async fn further_in_no_log_shows_the_token() {
    let api = Router::new()
        .route("/hello", get(async |headers: HeaderMap| format!("{headers:?}")))
        .layer(AuthLayer::new(trusting(terms())));
    let shown = ask(api, "/hello", bearer(&good())).await;
    assert!(shown.ends_with(r#"{"authorization": Sensitive}"#), "{shown}");
}

/// A service that knows nothing of axum, whose request body cannot be sent to another thread.
#[tokio::test]
async fn the_layer_stands_before_any_service() {
    let hello = service_fn(async |request: Request<Rc<str>>| {
        let token = request.extensions().get::<AccessToken>().unwrap();
        let text = format!("{} sent {}", token.subject(), request.body());
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(text)))
    });
    let source = Source::start(Answer::Ok(jwk_set(&[&K1]))).await;
    let fetched = builder(source.terms()).build().unwrap();
    for authenticator in [trusting(terms()), fetched] {
        let mut service = AuthLayer::new(authenticator).layer(hello);
        let mut call = async |token: Option<&str>| {
            let mut request = Request::new(Rc::<str>::from("a body"));
            if let Some(token) = token {
                request
                    .headers_mut()
                    .insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
            }
            let response = service.ready().await.unwrap().call(request).await.unwrap();
            let status = response.status();
            (status, show(response.map(Body::new)).await)
        };
        let (status, passed) = call(Some(&good())).await;
        assert_eq!(status, StatusCode::OK);
        assert!(passed.ends_with("alice sent a body"), "{passed}");
        assert_eq!(call(None).await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(call(Some("a.b.c")).await.0, StatusCode::UNAUTHORIZED);
    }
}

/// Tower's contract: only a service that was polled ready may be called, also if the request had to wait.
#[tokio::test]
async fn the_service_that_was_ready_is_the_one_that_is_called() {
    #[derive(Default)]
    struct Picky {
        ready: bool,
    }
    impl Clone for Picky {
        fn clone(&self) -> Self {
            Self::default()
        }
    }
    impl Service<Request<()>> for Picky {
        type Response = Response<Bytes>;
        type Error = Infallible;
        type Future = std::future::Ready<Result<Response<Bytes>, Infallible>>;

        fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
            self.ready = true;
            std::task::Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<()>) -> Self::Future {
            assert!(std::mem::take(&mut self.ready), "not polled ready");
            std::future::ready(Ok(Response::new(Bytes::new())))
        }
    }
    let source = Source::start(Answer::Ok(jwk_set(&[&K1]))).await;
    let authenticator = builder(source.terms()).build().unwrap();
    let mut service = AuthLayer::new(authenticator).layer(Picky::default());
    for turn in ["waits for the keys", "has them"] {
        let mut request = Request::new(());
        *request.headers_mut() = bearer(&good());
        let response = service.ready().await.unwrap().call(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{turn}");
    }
}

#[tokio::test]
async fn a_layer_further_in_asks_for_more_and_authenticates_no_second_time() {
    let authenticator = trusting(terms());
    let admin = Requirements::none().scopes(["admin"]);
    let inner = Router::new()
        .route("/admin", get(async || "admin"))
        .layer(AuthLayer::new(authenticator.clone()).require(admin));
    let api = Router::new()
        .merge(inner)
        .route("/hello", get(async || "hello"))
        .layer(tower::util::MapRequestLayer::new(forgetful))
        .layer(AuthLayer::new(authenticator));
    let scoped = |scope: &str| bearer(&token(json!({}), json!({ "scope": scope })));
    for (path, headers, status) in [
        ("/hello", scoped("user"), "200"),
        ("/admin", scoped("user"), "403"),
        ("/admin", scoped("user admin"), "200"),
        ("/admin", HeaderMap::new(), "401"),
    ] {
        let shown = ask(api.clone(), path, headers).await;
        assert!(shown.starts_with(status), "{path}: {shown}");
    }
}

#[tokio::test]
async fn a_layer_of_another_authenticator_decides_by_itself() {
    let lax =
        builder(terms()).issuer(IssuerConfig::new("b", "b").fixed_keys([STRANGER.verifying_key()])).build();
    let api = Router::new()
        .route("/hello", get(async || "hello"))
        .layer(AuthLayer::new(trusting(terms())))
        .layer(AuthLayer::new(lax.unwrap()));
    let of_b =
        forge(&header().to_string(), &with(claims(), json!({"iss": "b", "aud": "b"})).to_string(), &STRANGER);
    assert!(ask(api.clone(), "/hello", bearer(&of_b)).await.starts_with("401"));
    assert!(ask(api, "/hello", bearer(&good())).await.starts_with("200"));
}

#[tokio::test]
async fn claims_that_do_not_fit_the_handlers_type_are_refused() {
    #[derive(serde::Deserialize)]
    struct Claims {
        sub: String,
        tenant: u32,
    }
    async fn hello(Token(claims): Token<Claims>) -> String {
        format!("{} of {}", claims.sub, claims.tenant)
    }
    let api = Router::new().route("/hello", get(hello)).with_state(trusting(terms()));
    let of = |tenant| bearer(&token(json!({}), json!({ "tenant": tenant })));
    assert!(ask(api.clone(), "/hello", of(json!(7))).await.ends_with("\n\nalice of 7"));
    for tenant in [json!("7"), json!(-7), json!(null), json!([7])] {
        let shown = ask(api.clone(), "/hello", of(tenant.clone())).await;
        assert!(
            shown.starts_with("401\nwww-authenticate: Bearer error=\"invalid_token\""),
            "{tenant}: {shown}"
        );
    }
}

#[test]
fn a_request_is_what_the_server_received() {
    use axum::extract::OriginalUri;
    use sealwright_resource_server::Request as Asked;

    let mut request = Request::post("/orders?secret=1").body(()).unwrap();
    request.extensions_mut().insert(OriginalUri("/v1/orders?secret=1".parse().unwrap()));
    request.extensions_mut().insert(ClientCertificate::from_der(b"a certificate"));
    let asked = Asked::from(&request);
    assert_eq!(asked.uri(), "/v1/orders?secret=1", "what a nested router cut off is there");
    assert_eq!(asked.certificate(), Some(ClientCertificate::from_der(b"a certificate").thumbprint()));
    let shown = format!("{asked:?}");
    assert!(shown.contains("/v1/orders") && !shown.contains("secret"), "{shown}");
    let (parts, ()) = request.into_parts();
    assert_eq!(Asked::from(&parts).uri(), asked_uri());

    fn asked_uri() -> &'static str {
        "/v1/orders?secret=1"
    }
}
