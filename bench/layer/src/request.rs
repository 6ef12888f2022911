//! A request that goes through a service again and again.

use std::{
    cell::Cell,
    convert::Infallible,
    future::{Ready, ready},
    hint::black_box,
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{Request, Response, header};
use sealwright_resource_server::AccessToken;
use tower::Service;

/// What a server finds among the extensions of every request before a layer sees it.
#[derive(Clone)]
struct FromTheConnection;

/// The service at the end: it looks at the token, if there is one, and keeps the request for the next time.
#[derive(Clone, Default)]
pub struct Endpoint(Rc<Cell<Option<Request<()>>>>);

impl Service<Request<()>> for Endpoint {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        black_box(request.extensions().get::<AccessToken>());
        self.0.set(Some(request));
        ready(Ok(Response::new(Bytes::new())))
    }
}

impl Endpoint {
    /// The request that the endpoint got, as it was before a layer saw it.
    pub(crate) fn take(&self) -> Request<()> {
        let mut request = self.0.take().expect("it reached the endpoint");
        request.extensions_mut().remove::<AccessToken>();
        request
    }
}

/// A request with that token, as a server would hand it to a layer.
pub fn request(token: &str) -> Request<()> {
    let mut request = Request::get("https://api.example.com/orders")
        .header(header::HOST, "api.example.com")
        .header(header::ACCEPT, "application/json")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(())
        .expect("a request");
    request.extensions_mut().insert(FromTheConnection);
    request
}

/// Sends `request` and gives it back. It must pass, and at once.
pub fn send<S>(service: &mut S, endpoint: &Endpoint, request: Request<()>) -> Request<()>
where
    S: Service<Request<()>, Response = Response<Bytes>, Error = Infallible>,
{
    let mut context = Context::from_waker(Waker::noop());
    assert!(matches!(service.poll_ready(&mut context), Poll::Ready(Ok(()))));
    let answer = pin!(service.call(request)).poll(&mut context);
    let Poll::Ready(Ok(answer)) = answer else { panic!("it had to wait") };
    assert_eq!(answer.status(), 200);
    endpoint.take()
}
