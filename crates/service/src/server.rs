//! The accept loop: time limits for headers, idle connections and bodies, a cap on connections, graceful shutdown.

mod linger;

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
};
use tower::ServiceExt;
use tower_http::timeout::RequestBodyTimeoutLayer;

use self::linger::LingeringBody;
use crate::shutdown::Shutdown;

/// How long the loop rests when the machine has no file descriptors left.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(500);

/// The largest head of a request: a token in a header fits many times, and a thousand connections stay cheap.
const MAX_HEADER_BYTES: usize = 64 * 1024;

/// The limits of a listener.
///
/// # Examples
///
/// ```
/// use sealwright_service::server::ServeOptions;
///
/// let options = ServeOptions { max_connections: 64, ..ServeOptions::default() };
/// assert_eq!(options.drain.as_secs(), 10);
/// ```
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// From the opening of a connection, or the end of an answer, to the end of the next request's headers; so it also
    /// closes idle connections. Default: 15 s.
    pub header_timeout: Duration,
    /// How long a body may pause; a client that goes on sending may take as long as it needs. Default: 30 s.
    pub body_timeout: Duration,
    /// Connections open at once; more wait in the kernel's queue. Default: 1024.
    pub max_connections: usize,
    /// How long open requests may go on after shutdown has begun. Default: 10 s.
    pub drain: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(15),
            body_timeout: Duration::from_secs(30),
            max_connections: 1024,
            drain: Duration::from_secs(10),
        }
    }
}

/// Serves HTTP/1.1 until shutdown has begun and the open requests are answered, or `drain` is over and they are cut off.
///
/// A request's head may have about 64 KiB; the size of its body is the router's to limit.
/// The peer's address is in each request's extensions as `ConnectInfo<SocketAddr>`. What a handler leaves of a body is
/// read and thrown away for up to 5 seconds, so that an early refusal reaches a client that is still sending.
///
/// # Errors
///
/// When the listener cannot say its address. Failures of single connections are logged and end only themselves.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    options: ServeOptions,
    shutdown: Shutdown,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    let router = router.layer(RequestBodyTimeoutLayer::new(options.body_timeout));
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_timeout)
        .max_buf_size(MAX_HEADER_BYTES);
    let permits = Arc::new(Semaphore::new(options.max_connections));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    tracing::info!(%address, "listening");

    loop {
        let next = async {
            // Before accepting, so that who has to wait does it in the kernel's queue. The error is a closed semaphore.
            let permit = Arc::clone(&permits).acquire_owned().await.ok()?;
            Some((permit, accept(&listener).await))
        };
        let accepted = tokio::select! {
            biased;
            () = shutdown.begun() => None,
            next = next => next,
        };
        let Some((permit, (stream, peer))) = accepted else { break };
        let connection = builder.serve_connection(TokioIo::new(stream), with_peer(router.clone(), peer));
        let connection = graceful.watch(connection);
        while connections.try_join_next().is_some() {}
        connections.spawn(async move {
            if let Err(error) = connection.await {
                // Strangers cause these at will: scans, cut connections, slow headers.
                tracing::debug!(%peer, error = &error as &dyn std::error::Error, "connection ended");
            }
            drop(permit);
        });
    }

    drop(listener);
    match tokio::time::timeout(options.drain, graceful.shutdown()).await {
        Ok(()) => tracing::info!(%address, "stopped, every open request was answered"),
        Err(_) => tracing::warn!(%address, "stopped, open requests were cut off"),
    }
    connections.shutdown().await;
    Ok(())
}

/// The next connection; errors are waited out, since none of them is the listener's end.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Answers are written whole, so waiting for more to send only delays them.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%peer, %error, "TCP_NODELAY cannot be set");
                }
                return (stream, peer);
            }
            // The peer gave up while it was in the queue.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::ConnectionRefused
                        | io::ErrorKind::ConnectionReset
                ) => {}
            Err(error) => {
                tracing::error!(%error, "connections cannot be accepted; trying again");
                tokio::time::sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
}

fn with_peer(
    router: Router,
    peer: SocketAddr,
) -> impl hyper::service::Service<
    http::Request<Incoming>,
    Response = axum::response::Response,
    Error = Infallible,
    Future: Send + 'static,
> + Send {
    service_fn(move |request: http::Request<Incoming>| {
        let (head, body) = request.into_parts();
        let body = LingeringBody::new(&head.headers, body);
        let mut request = http::Request::from_parts(head, axum::body::Body::new(body));
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    })
}
