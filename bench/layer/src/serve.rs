//! One endpoint, guarded in different ways.

use std::sync::Arc;

use axum::{Extension, Router, http::HeaderMap, routing::get};
use house::Fixture;
use http::{StatusCode, header};
use sealwright_jose::{
    JwkSet,
    jws::{Scratch, Verifier},
};
use sealwright_resource_server::{AccessToken, AuthLayer, VerifiedTokens};
use tokio::net::TcpListener;

use crate::issuer::{alg, authenticator, verifying_key};

const NAME: &str = "ES256";

/// Serves on a loopback port that it prints, until it is killed:
///
/// | path | guarded by |
/// |---|---|
/// | `/header` | nothing: it reads the header |
/// | `/signature` | the bare check of the signature, of each token anew |
/// | `/layer` | the layer as it is by default |
/// | `/jwks` | the public key, for other people's servers |
pub fn http(fixture: &Fixture) {
    let verifier = Verifier::builder([alg(NAME)]).key(verifying_key(NAME, fixture)).build();
    let verifier = Arc::new(verifier.expect("a policy that makes sense"));
    let layer = AuthLayer::new(authenticator(NAME, fixture, VerifiedTokens::default()));
    let set = JwkSet::from_keys([verifying_key(NAME, fixture)]).expect("one key").to_json();
    let api = Router::new()
        .route("/header", get(header_only))
        .route("/signature", get(signature).layer(Extension(verifier)))
        .route("/layer", get(behind_the_layer).layer(layer))
        .route("/jwks", get(async || set));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        println!("{}", listener.local_addr().expect("it is bound").port());
        axum::serve(listener, api).await.expect("it serves until it is killed");
    });
}

const HELLO: &str = "hello 248289761001\n";

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

async fn header_only(headers: HeaderMap) -> Result<&'static str, StatusCode> {
    bearer(&headers).map(|_| HELLO).ok_or(StatusCode::UNAUTHORIZED)
}

async fn signature(
    Extension(verifier): Extension<Arc<Verifier>>,
    headers: HeaderMap,
) -> Result<&'static str, StatusCode> {
    let token = bearer(&headers).ok_or(StatusCode::UNAUTHORIZED)?;
    let mut scratch = Scratch::new();
    verifier.verify_compact(token, &mut scratch).map(|_| HELLO).map_err(|_| StatusCode::UNAUTHORIZED)
}

async fn behind_the_layer(Extension(token): Extension<AccessToken>) -> &'static str {
    // Something must ask for it, as a handler would.
    if token.subject().is_empty() { "" } else { HELLO }
}
