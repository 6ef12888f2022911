//! Every route of the server.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};
use sealwright_service::{health, telemetry};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

use crate::endpoint::{
    admin, approve, assets, authorize, console, contexts, json_login, jwks, jwks_events, login, metadata,
    metrics, next, par, second_factor, token,
};
use crate::error::OAuthError;
use crate::state::App;

/// The largest form or JSON body.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// The longest that a request may take; a login waits for its turn and then hashes.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) fn router(app: App) -> Router {
    let database = app.database.clone();
    let ready = health::check(move || {
        let database = database.clone();
        async move { database.ping().await.map_err(|error| error.to_string()) }
    });
    let keys = Arc::clone(&app.keys);
    let signs = health::check(move || {
        let can_sign = keys.snapshot().can_sign();
        async move { can_sign.map_err(|error| error.to_string()) }
    });
    // What must never be kept by a cache.
    let private = Router::new()
        .route("/oauth2/authorize", get(authorize::authorize).post(authorize::authorize_by_form))
        .route("/oauth2/par", post(par::push))
        .route("/oauth2/token", post(token::token))
        .route(next::LOGIN, get(login::show).post(login::submit))
        .route(next::SECOND_FACTOR, get(second_factor::show).post(second_factor::submit))
        .route(next::APPROVE, get(approve::show).post(approve::submit))
        .route("/api/v1/authentication-contexts", post(contexts::create))
        .route("/api/v1/authentication-contexts/{id}", get(contexts::show))
        .route("/api/v1/auth", post(json_login::password))
        .route("/api/v1/auth/mfa", post(json_login::second_factor))
        .route("/metrics", get(metrics::metrics))
        .route("/admin/api/v1/keys", get(admin::list))
        .route("/admin/api/v1/keys/rotate", post(admin::rotate))
        .route("/admin/api/v1/keys/{kid}/revoke", post(admin::revoke))
        .route(console::KEYS, get(console::keys).post(console::act))
        .route(console::CONFIRM, get(console::confirm))
        .route(console::SIGN_IN, get(console::sign_in))
        .route(console::CALLBACK, get(console::callback))
        .route(console::SIGN_OUT, post(console::sign_out))
        .layer(SetResponseHeaderLayer::overriding(CACHE_CONTROL, HeaderValue::from_static("no-store")));
    let public = Router::new()
        .route("/oauth2/jwks", get(jwks::jwks))
        .route("/oauth2/jwks/events", get(jwks_events::events))
        .route("/.well-known/jwks.json", get(jwks::jwks))
        .route("/.well-known/oauth-authorization-server", get(metadata::metadata))
        .route("/.well-known/openid-configuration", get(metadata::metadata))
        .route("/assets/{name}", get(assets::asset));
    let routes = private
        .merge(public)
        .merge(health::routes(vec![("database", ready), ("signing-keys", signs)]))
        .fallback(async || OAuthError::NotFound)
        .method_not_allowed_fallback(async || OAuthError::Method)
        .layer((
            SetResponseHeaderLayer::overriding(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_TIMEOUT),
            DefaultBodyLimit::max(MAX_BODY_BYTES),
        ));
    telemetry::request_layer(routes).with_state(app)
}
