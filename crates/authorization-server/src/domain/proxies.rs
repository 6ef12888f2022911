//! Reverse proxies whose word about a request's origin is believed.

use std::net::IpAddr;

use http::HeaderMap;

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// A range of addresses, such as `10.0.0.0/8` or `127.0.0.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

impl Network {
    /// Reads one entry of `trustedProxies`.
    ///
    /// # Errors
    ///
    /// What the operator should do about it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let wrong = "write an address or a range of addresses, such as 10.0.0.7 or 10.0.0.0/8";
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong)?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = match prefix {
            None => all,
            Some(prefix) => prefix.parse().ok().filter(|bits| *bits <= all).ok_or(wrong)?,
        };
        if prefix_bits == 0 {
            return Err("this would believe everybody; name the addresses of your proxies");
        }
        Ok(Self { address, prefix_bits })
    }

    fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                (ours.to_bits() ^ theirs.to_bits()).leading_zeros() >= u32::from(self.prefix_bits)
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                (ours.to_bits() ^ theirs.to_bits()).leading_zeros() >= u32::from(self.prefix_bits)
            }
            _ => false,
        }
    }
}

/// The proxies of this server; usually none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proxies(Vec<Network>);

impl Proxies {
    pub(crate) fn new(networks: Vec<Network>) -> Self {
        Self(networks)
    }

    /// Whether a request seems to come through a proxy that the operator forgot to name.
    pub(crate) fn seems_forgotten(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        let peer = peer.to_canonical();
        let near = match peer {
            IpAddr::V4(address) => address.is_loopback() || address.is_private(),
            IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
        };
        near && headers.contains_key(X_FORWARDED_FOR) && !self.0.iter().any(|network| network.contains(peer))
    }

    /// Where a request comes from, whose connection comes from `peer`.
    ///
    /// `X-Forwarded-For` is believed only as far as our own proxies wrote it (RFC 9700 §4.13): from the right, the first
    /// address that is not one of theirs. Anybody else could choose whose failures they count as.
    pub(crate) fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut origin = peer.to_canonical();
        let forwarded: Vec<&str> = headers
            .get_all(X_FORWARDED_FOR)
            .iter()
            .flat_map(|value| value.to_str().unwrap_or_default().split(','))
            .collect();
        for hop in forwarded.into_iter().rev() {
            if !self.0.iter().any(|network| network.contains(origin)) {
                break;
            }
            // What a proxy wrote and we cannot read is from somewhere behind it; the proxy stands for all of that.
            let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
            origin = address.to_canonical();
        }
        origin
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn origin(proxies: &[&str], peer: &str, forwarded: &[&'static str]) -> String {
        let proxies = Proxies::new(proxies.iter().map(|text| Network::parse(text).unwrap()).collect());
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_static(value));
        }
        proxies.origin(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn without_proxies_nobody_is_believed() {
        assert_eq!(origin(&[], "192.0.2.1", &["198.51.100.1"]), "192.0.2.1");
    }

    #[test]
    fn a_stranger_is_not_believed() {
        assert_eq!(origin(&["10.0.0.0/8"], "192.0.2.1", &["198.51.100.1"]), "192.0.2.1");
    }

    #[test]
    fn the_first_address_from_the_right_that_is_no_proxy_counts() {
        let proxies = ["10.0.0.0/8", "::1"];
        assert_eq!(origin(&proxies, "10.1.2.3", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(origin(&proxies, "10.1.2.3", &["6.6.6.6, 198.51.100.1, 10.9.9.9"]), "198.51.100.1");
        assert_eq!(origin(&proxies, "10.1.2.3", &["6.6.6.6", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(origin(&proxies, "::1", &["2001:db8::1"]), "2001:db8::1");
        assert_eq!(origin(&proxies, "::ffff:10.1.2.3", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(origin(&proxies, "10.1.2.3", &["10.4.4.4"]), "10.4.4.4");
        assert_eq!(origin(&proxies, "10.1.2.3", &["198.51.100.1, unknown"]), "10.1.2.3");
        assert_eq!(origin(&proxies, "10.1.2.3", &[]), "10.1.2.3");
    }

    #[test]
    fn a_near_peer_that_forwards_and_is_not_named_seems_forgotten() {
        let mut forwarded = HeaderMap::new();
        forwarded.append(X_FORWARDED_FOR, HeaderValue::from_static("198.51.100.1"));
        let proxies = Proxies::new(vec![Network::parse("10.0.0.0/8").unwrap()]);
        let forgotten =
            |peer: &str, headers: &HeaderMap| proxies.seems_forgotten(peer.parse().unwrap(), headers);
        for near in ["127.0.0.1", "::1", "192.168.1.1", "172.16.0.1", "fd00::1", "::ffff:127.0.0.1"] {
            assert!(forgotten(near, &forwarded), "{near}");
            assert!(!forgotten(near, &HeaderMap::new()), "{near} forwards nothing");
        }
        for other in ["10.0.0.1", "192.0.2.1", "2001:db8::1"] {
            assert!(!forgotten(other, &forwarded), "{other}");
        }
    }

    #[test]
    fn malformed_ranges_are_refused() {
        for wrong in ["", "proxy", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "0.0.0.0/0", "::/0", "::/129"] {
            assert!(Network::parse(wrong).is_err(), "{wrong}");
        }
    }
}
