//! Which addresses may be asked for keys: none but those that the operator named, and none over a connection that
//! somebody else can answer.

use crate::UrlFault;
use url::{Host, Url};

/// Whether an address is one that nobody else can answer for.
pub(crate) fn check(uri: &Url, allow_http_loopback: bool) -> Result<(), UrlFault> {
    if !uri.username().is_empty() || uri.password().is_some() {
        return Err(UrlFault::Credentials);
    }
    match uri.scheme() {
        "https" => Ok(()),
        "http" if !is_loopback(uri) => Err(UrlFault::NotHttps),
        "http" if !allow_http_loopback => Err(UrlFault::LoopbackNotAcknowledged),
        "http" => Ok(()),
        _ => Err(UrlFault::NotHttps),
    }
}

fn is_loopback(uri: &Url) -> bool {
    match uri.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Whether both addresses are on one host and port.
pub(crate) fn is_same_host(one: &Url, other: &Url) -> bool {
    one.host() == other.host() && one.port_or_known_default() == other.port_or_known_default()
}

/// Reads `host` or `host:port` (https's, if it is not said) as an address on that host; `None` if it is anything
/// else.
pub(crate) fn named_host(name: &str) -> Option<Url> {
    let uri = Url::parse(&format!("https://{name}")).ok()?;
    // Whatever the parser took for another part than host and port would change what is allowed. And a pattern
    // would match nothing.
    let is_host_alone =
        uri.path() == "/" && !name.contains(['/', '\\', '@', '?', '#', '\t', '\n', '\r', ' ', '*']);
    is_host_alone.then_some(uri)
}
