//! Which path leads where.

use axum::{
    Router,
    routing::{get, post},
};
use sealwright_service::{health, telemetry};

use crate::{endpoint, state::App};

/// All routes of the server.
pub(crate) fn router(app: App) -> Router {
    let database = app.database.clone();
    let ready = health::check(move || {
        let database = database.clone();
        async move { database.ping().await.map_err(|error| error.to_string()) }
    });
    let router = Router::new()
        .route("/v1/workers/{name}", get(endpoint::worker))
        .route("/v1/workers/{name}/sign", post(endpoint::sign))
        .route("/v1/workers/{name}/validate", post(endpoint::validate))
        .route("/.well-known/oauth-protected-resource", get(endpoint::metadata))
        .merge(health::routes(vec![("database", ready)]))
        .fallback(endpoint::not_found)
        .method_not_allowed_fallback(endpoint::method_not_allowed)
        .with_state(app);
    telemetry::request_layer(router)
}
