//! A tower layer that lets nobody through without a valid token.

use crate::Authenticator;
use axum::response::{IntoResponse, Response};
use http::{Request, header};
use std::{
    mem,
    pin::Pin,
    task::{Context, Poll},
};
use tower::{Layer, Service};

/// Authenticates every request before the service sees it.
///
/// The service finds the [`AccessToken`](crate::AccessToken) among the request's extensions (or asks for
/// [`Token`](crate::Token)). Everybody else gets the [`Refusal`](crate::Refusal) of RFC 6750, and the service is
/// not called. The `Authorization` header is marked as sensitive, so that no log further in shows it.
///
/// # Examples
///
/// See the [front page](crate).
#[derive(Clone, Debug)]
pub struct AuthLayer {
    authenticator: Authenticator,
}

impl AuthLayer {
    /// A layer that decides as `authenticator` does, at the time that its clock says.
    pub fn new(authenticator: Authenticator) -> Self {
        Self { authenticator }
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = AuthService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AuthService { authenticator: self.authenticator.clone(), inner }
    }
}

/// What [`AuthLayer`] makes of a service.
#[derive(Clone, Debug)]
pub struct AuthService<S> {
    authenticator: Authenticator,
    inner: S,
}

impl<S, B> Service<Request<B>> for AuthService<S>
where
    S: Service<Request<B>, Response = Response> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The service that was polled ready goes with this request, and its clone stays for the next.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let authenticator = self.authenticator.clone();
        Box::pin(async move {
            match authenticator.admit(request.headers()).await {
                Ok(token) => {
                    if let Some(value) = request.headers_mut().get_mut(header::AUTHORIZATION) {
                        value.set_sensitive(true);
                    }
                    request.extensions_mut().insert(token);
                    inner.call(request).await
                }
                Err(refusal) => Ok(refusal.into_response()),
            }
        })
    }
}
