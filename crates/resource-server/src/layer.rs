//! A tower layer that lets nobody through without a valid token.

use crate::{
    AccessToken, Authenticator, Refusal, Request, Requirements,
    authenticator::decision_span,
    issuer::trusted::{Fetched, Step},
    sender::dpop::DPOP_NONCE,
};
use bytes::Bytes;
use http::{HeaderValue, Response, header};
use pin_project_lite::pin_project;
use std::{
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tower::{Layer, Service};
use tracing::Span;

/// Authenticates every request before the service sees it.
///
/// The service finds the [`AccessToken`] among the request's extensions (or asks for [`Token`](crate::Token)).
/// Everybody else gets the [`Refusal`] of RFC 6750, and the service is not called. The `Authorization` header is
/// marked as sensitive, so that no log further in shows it.
///
/// It stands before any service whose response body can be made of [`Bytes`]. Several layers of one authenticator may
/// stand behind each other, to [require](Self::require) more of some routes than of others: the first one
/// authenticates.
///
/// # Examples
///
/// ```
/// use axum::{Extension, Router, routing::get};
/// use sealwright_resource_server::{AccessToken, AuthLayer, Authenticator, Requirements};
///
/// async fn orders(Extension(token): Extension<AccessToken>) -> String {
///     format!("the orders of {}\n", token.subject())
/// }
///
/// fn api(authenticator: Authenticator) -> Router {
///     let read = Requirements::none().scopes(["orders:read"]);
///     Router::new().route("/orders", get(orders)).layer(AuthLayer::new(authenticator).require(read))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct AuthLayer {
    authenticator: Authenticator,
    requirements: Arc<Requirements>,
}

impl AuthLayer {
    /// A layer that decides as `authenticator` does, at the time that its clock says.
    pub fn new(authenticator: Authenticator) -> Self {
        Self { authenticator, requirements: Arc::default() }
    }

    /// The same layer for requests that need more than a valid token.
    #[must_use]
    pub fn require(self, requirements: Requirements) -> Self {
        Self { requirements: Arc::new(requirements), ..self }
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = AuthService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AuthService { layer: self.clone(), inner }
    }
}

/// What [`AuthLayer`] makes of a service.
#[derive(Clone, Debug)]
pub struct AuthService<S> {
    layer: AuthLayer,
    inner: S,
}

impl<S, B, R> Service<http::Request<B>> for AuthService<S>
where
    S: Service<http::Request<B>, Response = Response<R>> + Clone,
    R: From<Bytes>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = AuthFuture<S, B>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<B>) -> Self::Future {
        let now_s = self.layer.authenticator.now_s();
        let (decided, span) = match self.layer.found(&request) {
            Some(met) => (Step::Done(met), Span::none()),
            None => {
                let span = decision_span();
                (self.layer.decide(&request, now_s, None, &span), span)
            }
        };
        let state = match decided {
            Step::Done(Ok(token)) => {
                let nonce = self.layer.next_nonce(&request, now_s);
                admit(&mut request, token);
                State::Passed { future: self.inner.call(request), nonce }
            }
            Step::Done(Err(refusal)) => State::Refused { refusal: Some(refusal) },
            Step::Wait(wait) => {
                // The service that was polled ready goes with this request, and its clone stays for the next.
                let clone = self.inner.clone();
                let inner = mem::replace(&mut self.inner, clone);
                let waiting = Waiting { layer: self.layer.clone(), inner, request, span };
                State::Waiting { keys: Box::pin(wait.finish()), waiting: Some(Box::new(waiting)) }
            }
        };
        AuthFuture { state }
    }
}

impl AuthLayer {
    /// What a layer further out has found. To look again would be to see a DPoP proof twice.
    fn found<B>(&self, request: &http::Request<B>) -> Option<Result<AccessToken, Refusal>> {
        let token = request.extensions().get::<AccessToken>();
        let token = token.filter(|token| self.authenticator.admitted(token))?;
        Some(self.authenticator.check(token, &self.requirements).map(|()| token.clone()))
    }

    fn decide<B>(
        &self,
        request: &http::Request<B>,
        now_s: i64,
        fetched: Option<Fetched>,
        span: &Span,
    ) -> Step<Result<AccessToken, Refusal>> {
        self.authenticator.admit(&Request::from(request), &self.requirements, now_s, fetched, span)
    }

    fn next_nonce<B>(&self, request: &http::Request<B>, now_s: i64) -> Option<HeaderValue> {
        // Most have no proofs to look for.
        let knows_dpop = self.authenticator.knows_dpop();
        knows_dpop.then(|| self.authenticator.next_nonce(&Request::from(request), now_s)).flatten()
    }
}

/// An answer with a nonce must not be kept, since whoever got it from a cache would get an old one (RFC 9449 §8.2).
fn add_nonce<R>(answer: &mut Response<R>, nonce: HeaderValue) {
    answer.headers_mut().insert(DPOP_NONCE, nonce);
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// Leaves the token with the request, for whoever is further in.
fn admit<B>(request: &mut http::Request<B>, token: AccessToken) {
    if let Some(value) = request.headers_mut().get_mut(header::AUTHORIZATION) {
        value.set_sensitive(true);
    }
    request.extensions_mut().insert(token);
}

pin_project! {
    /// The answer of [`AuthService`]: the service's own, or the refusal.
    #[must_use = "futures do nothing unless polled"]
    pub struct AuthFuture<S, B>
    where
        S: Service<http::Request<B>>,
    {
        #[pin]
        state: State<S, B, S::Future>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, F> {
        Passed { #[pin] future: F, nonce: Option<HeaderValue> },
        Refused { refusal: Option<Refusal> },
        // Boxed, because it is rare: a request waits when an issuer's keys are fetched for the first time, or again.
        Waiting { keys: Pin<Box<dyn Future<Output = Fetched> + Send>>, waiting: Option<Box<Waiting<S, B>>> },
    }
}

/// A request whose token cannot be decided about yet.
struct Waiting<S, B> {
    layer: AuthLayer,
    inner: S,
    request: http::Request<B>,
    /// The one that was begun when the request came.
    span: Span,
}

impl<S, B, R> Future for AuthFuture<S, B>
where
    S: Service<http::Request<B>, Response = Response<R>>,
    R: From<Bytes>,
{
    type Output = Result<Response<R>, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Passed { future, nonce } => {
                    let mut answer = ready!(future.poll(context));
                    if let Some(nonce) = nonce.take()
                        && let Ok(answer) = &mut answer
                    {
                        add_nonce(answer, nonce);
                    }
                    return Poll::Ready(answer);
                }
                StateProjection::Refused { refusal } => {
                    let refusal = refusal.take().expect("a future is not polled after it is done");
                    return Poll::Ready(Ok(refusal.into_http().map(R::from)));
                }
                StateProjection::Waiting { keys, waiting } => {
                    let fetched = ready!(keys.as_mut().poll(context));
                    let mut decided = *waiting.take().expect("it is there until the keys are");
                    // Meanwhile the token may have expired.
                    let now_s = decided.layer.authenticator.now_s();
                    match decided.layer.decide(&decided.request, now_s, Some(fetched), &decided.span) {
                        Step::Done(Ok(token)) => {
                            let nonce = decided.layer.next_nonce(&decided.request, now_s);
                            admit(&mut decided.request, token);
                            State::Passed { future: decided.inner.call(decided.request), nonce }
                        }
                        Step::Done(Err(refusal)) => State::Refused { refusal: Some(refusal) },
                        Step::Wait(wait) => {
                            State::Waiting { keys: Box::pin(wait.finish()), waiting: Some(Box::new(decided)) }
                        }
                    }
                }
            };
            state.set(next);
        }
    }
}
