//! Logs: one subscriber for the process, made by the binary, and one line for each request.
//!
//! A line never holds a query string, a header or a body: codes, tokens and passwords travel there.

use std::{
    any::Any,
    io::IsTerminal,
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use axum::{
    Router,
    extract::{MatchedPath, Request},
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, StatusCode};
use tower::{Service, layer::layer_fn};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;
use tracing_subscriber::{EnvFilter, util::SubscriberInitExt};

use crate::{problem::Problem, random};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people; in colour on a terminal.
    Text,
    /// One JSON object a line, for programs.
    Json,
}

/// The id of the request under way, from its extensions; also in its log lines and the answer's `X-Request-Id`.
#[derive(Clone, Debug)]
pub struct RequestId(String);

impl RequestId {
    /// The id, `req_` and 22 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Sends the process's log to standard error. `filter` is written as `RUST_LOG` is: `info`, `sealwright_service=debug,warn`.
///
/// A filter that cannot be read is reported there and replaced by `info`. If there is a subscriber already, as in tests, it stays.
pub fn init(format: Format, filter: &str) {
    let (filter, unread) = match EnvFilter::builder().parse(filter) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new("info"), Some(error)),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let installed = match format {
        Format::Text => builder.with_ansi(std::io::stderr().is_terminal()).finish().try_init(),
        Format::Json => builder.json().flatten_event(true).finish().try_init(),
    };
    if installed.is_err() {
        tracing::debug!("the log has a subscriber already");
    }
    if let Some(error) = unread {
        tracing::warn!(%error, "the log filter cannot be read; using `info`");
    }
}

/// Gives each request an id, a span, and one line when it is answered: method, route, status, milliseconds.
///
/// The route is the pattern that matched (`/v1/workers/{name}/sign`), not what the client wrote. An `X-Request-Id` that comes in
/// is not believed and not passed on. A handler that panics is answered with a problem `internal_error`, and the line says 500.
/// Put this outside of the routes: `request_layer(router)`.
pub fn request_layer<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    // Both at once: each call boxes what it wraps once more.
    router.layer((layer_fn(Traced), CatchPanicLayer::custom(panicked)))
}

/// What makes the id, the span and the line.
#[derive(Clone)]
struct Traced<S>(S);

impl<S, B> Service<Request> for Traced<S>
where
    S: Service<Request, Response = Response<B>>,
    S::Future: Send + 'static,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let began = Instant::now();
        let id = random::id("req_");
        let header = HeaderValue::from_str(&id).expect("base64url is visible ASCII");
        let span = tracing::info_span!("request", id);
        request.headers_mut().remove(X_REQUEST_ID);
        request.extensions_mut().insert(RequestId(id));

        let method = request.method().clone();
        let route = request.extensions().get::<MatchedPath>().cloned();
        let answer = self.0.call(request);
        Box::pin(
            async move {
                let mut response = answer.await?;
                let route = route.as_ref().map_or("-", MatchedPath::as_str);
                let status = response.status().as_u16();
                let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
                tracing::info!(%method, route, status, ms, "answered");
                response.headers_mut().insert(X_REQUEST_ID, header);
                Ok(response)
            }
            .instrument(span),
        )
    }
}

fn panicked(cause: Box<dyn Any + Send>) -> Response {
    let text = cause.downcast_ref::<&str>().copied();
    let text = text.or_else(|| cause.downcast_ref::<String>().map(String::as_str)).unwrap_or("not a text");
    tracing::error!(panic = text, "a handler panicked");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "The server made a mistake")
        .into_response()
}
