//! Where a request comes from.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use http::request::Parts;

use crate::state::App;

/// The address that a request's failures count for: the other end of the connection, or what our own proxies say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

impl FromRequestParts<App> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let connection = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        // Without an address all requests share one, so limits hold all the more.
        let connection = connection.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let proxies = &app.snapshot.proxies;
        if proxies.seems_forgotten(connection, &parts.headers) {
            app.forgotten_proxy.call_once(|| {
                tracing::warn!(
                    peer = %connection,
                    "a request with X-Forwarded-For came from a proxy that is not in spec.trustedProxies, so everybody \
                     behind it counts as one: one guesser makes all of them wait; add its address there"
                );
            });
        }
        Ok(Self(proxies.origin(connection, &parts.headers)))
    }
}
