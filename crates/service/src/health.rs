//! `/healthz`, which says that the process answers, and `/readyz`, which says whether it can do its work.

use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

/// How long a check may take; one that hangs is one that failed.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// Asks one part whether it can work. The reason in `Err` goes to the log, never to the client.
pub type Check = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// Makes a [`Check`] of an async closure.
///
/// # Examples
///
/// ```
/// use sealwright_service::{database::Database, health};
///
/// fn routes(db: Database) -> axum::Router {
///     let database = health::check(move || {
///         let db = db.clone();
///         async move { db.ping().await.map_err(|error| error.to_string()) }
///     });
///     health::routes(vec![("database", database)])
/// }
/// ```
pub fn check<F, Fut>(ask: F) -> Check
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), String>> + Send + 'static,
{
    Arc::new(move || Box::pin(ask()))
}

/// The routes `GET /healthz` and `GET /readyz`; the checks run one beside the other, each for at most two seconds.
///
/// `/healthz` is always 200 `{"status":"ok"}`. `/readyz` is 200 `{"status":"ready","checks":{"database":"ok"}}`, or 503 with
/// `unready` and `failed` for the checks that did not pass.
pub fn routes<S: Clone + Send + Sync + 'static>(checks: Vec<(&'static str, Check)>) -> Router<S> {
    let checks: Arc<[(&'static str, Check)]> = checks.into();
    Router::new()
        .route("/healthz", get(async || no_store(Json(json!({"status": "ok"})))))
        .route("/readyz", get(move || ready(Arc::clone(&checks))))
}

async fn ready(checks: Arc<[(&'static str, Check)]>) -> Response {
    let mut running = tokio::task::JoinSet::new();
    for (name, check) in checks.iter() {
        let (name, asked) = (*name, check());
        running.spawn(async move { (name, passed(name, asked).await) });
    }
    let mut results: BTreeMap<&str, &str> = checks.iter().map(|(name, _)| (*name, "failed")).collect();
    while let Some(done) = running.join_next().await {
        match done {
            Ok((name, true)) => _ = results.insert(name, "ok"),
            Ok((_, false)) => {}
            Err(error) => tracing::error!(%error, "a readiness check panicked"),
        }
    }
    let all = results.values().all(|result| *result == "ok");
    let (status, word) =
        if all { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "unready") };
    no_store((status, Json(json!({"status": word, "checks": results}))))
}

async fn passed(name: &str, asked: impl Future<Output = Result<(), String>>) -> bool {
    match tokio::time::timeout(CHECK_TIMEOUT, asked).await {
        Ok(Ok(())) => true,
        Ok(Err(reason)) => {
            tracing::warn!(check = name, reason, "not ready");
            false
        }
        Err(_) => {
            tracing::warn!(check = name, reason = "no answer in time", "not ready");
            false
        }
    }
}

fn no_store(answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
