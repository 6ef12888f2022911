//! The accept loop: time limits for headers, idle connections and bodies, caps on connections, graceful shutdown.

mod linger;
mod pace;
mod peers;

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

use self::{
    linger::LingeringBody,
    pace::{Pace, PacedBody},
    peers::Peers,
};
use crate::{client_address::Proxies, shutdown::Shutdown};

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
    /// How long a body may pause, and how long it may take on top of what [`min_body_rate`](Self::min_body_rate) gives
    /// it. Default: 30 s.
    pub body_timeout: Duration,
    /// Bytes of a body that earn it a second more. Default: 64 KiB.
    pub min_body_rate: u32,
    /// Connections open at once; more wait in the kernel's queue. Default: 1024.
    pub max_connections: usize,
    /// Connections that one address (of IPv6: one /64) may have open at once; more are closed. Default: 256.
    pub max_connections_per_peer: usize,
    /// Addresses that may have as many as there are, because everybody comes from them. Default: none.
    pub proxies: Proxies,
    /// How long open requests may go on after shutdown has begun. Default: 10 s.
    pub drain: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(15),
            body_timeout: Duration::from_secs(30),
            min_body_rate: 64 * 1024,
            max_connections: 1024,
            max_connections_per_peer: 256,
            proxies: Proxies::default(),
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
    let pace = Pace { patience: options.body_timeout, bytes_per_s: options.min_body_rate };
    let peers = Peers::new(options.max_connections_per_peer, options.proxies);
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
        let Some(counted) = peers.admit(peer.ip()) else {
            tracing::debug!(%peer, "connection closed, its address has as many as it may");
            continue;
        };
        let service = with_peer(router.clone(), pace, peer);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        while connections.try_join_next().is_some() {}
        connections.spawn(async move {
            if let Err(error) = connection.await {
                // Strangers cause these at will: scans, cut connections, slow headers.
                tracing::debug!(%peer, error = &error as &dyn std::error::Error, "connection ended");
            }
            drop((permit, counted));
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
    pace: Pace,
    peer: SocketAddr,
) -> impl hyper::service::Service<
    http::Request<Incoming>,
    Response = axum::response::Response,
    Error = Infallible,
    Future: Send + 'static,
> + Send {
    service_fn(move |request: http::Request<Incoming>| {
        let (head, body) = request.into_parts();
        let body = PacedBody::new(LingeringBody::new(&head.headers, body), pace);
        let mut request = http::Request::from_parts(head, axum::body::Body::new(body));
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    })
}
