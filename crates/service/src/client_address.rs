//! Where a request comes from: the other end of its connection, or what our own reverse proxies say.

use std::net::{IpAddr, Ipv6Addr};

use http::HeaderMap;

use crate::resource::{Report, Resource};

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// Whose addresses count as one: an IPv6 host has a whole /64 to choose from.
///
/// # Examples
///
/// ```
/// use sealwright_service::client_address::network;
///
/// assert_eq!(network("2001:db8::1:2".parse()?), network("2001:db8::3:4".parse()?));
/// assert_ne!(network("192.0.2.1".parse()?), network("192.0.2.2".parse()?));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address @ IpAddr::V4(_) => address,
    }
}

/// A range of addresses, such as `10.0.0.0/8` or `127.0.0.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

impl Network {
    /// Reads an address, or a range with the length of its prefix.
    ///
    /// # Errors
    ///
    /// What the operator should write.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
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

/// The reverse proxies of a server, whose word about a request's origin is believed; usually none.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Vec<Network>);

impl Proxies {
    /// The proxies in these ranges.
    pub fn new(networks: Vec<Network>) -> Self {
        Self(networks)
    }

    /// Reads the ranges that stand at `path` of `resource`; each wrong one is a fault.
    pub fn read(ranges: &[String], path: &str, resource: &Resource, report: &mut Report) -> Self {
        let mut networks = Vec::with_capacity(ranges.len());
        for (index, range) in ranges.iter().enumerate() {
            match Network::parse(range) {
                Ok(network) => networks.push(network),
                Err(message) => resource.fault(&format!("{path}[{index}]"), message, report),
            }
        }
        Self(networks)
    }

    /// Whether this is one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(address))
    }

    /// Whether a request seems to come through a proxy that the operator forgot to name.
    pub fn seems_forgotten(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        let peer = peer.to_canonical();
        let near = match peer {
            IpAddr::V4(address) => address.is_loopback() || address.is_private(),
            IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
        };
        near && headers.contains_key(X_FORWARDED_FOR) && !self.contains(peer)
    }

    /// Where a request comes from, whose connection comes from `peer`.
    ///
    /// `X-Forwarded-For` is believed only as far as our own proxies wrote it (RFC 9700 §4.13): from the right, the first
    /// address that is not one of theirs. Anybody else could choose whom they count as.
    ///
    /// # Examples
    ///
    /// ```
    /// use http::HeaderMap;
    /// use sealwright_service::client_address::{Network, Proxies};
    ///
    /// let proxies = Proxies::new(vec![Network::parse("10.0.0.0/8")?]);
    /// let mut headers = HeaderMap::new();
    /// headers.insert("x-forwarded-for", "6.6.6.6, 198.51.100.1".parse()?);
    /// assert_eq!(proxies.origin("10.1.2.3".parse()?, &headers).to_string(), "198.51.100.1");
    /// assert_eq!(proxies.origin("192.0.2.1".parse()?, &headers).to_string(), "192.0.2.1");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut origin = peer.to_canonical();
        let forwarded: Vec<&str> = headers
            .get_all(X_FORWARDED_FOR)
            .iter()
            .flat_map(|value| value.to_str().unwrap_or_default().split(','))
            .collect();
        for hop in forwarded.into_iter().rev() {
            if !self.contains(origin) {
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
    fn nobody_but_a_proxy_is_believed() {
        assert_eq!(origin(&[], "192.0.2.1", &["198.51.100.1"]), "192.0.2.1");
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
    fn malformed_ranges_are_refused() {
        for wrong in ["", "proxy", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "0.0.0.0/0", "::/0", "::/129"] {
            assert!(Network::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_network_is_an_ipv4_address_or_64_bits_of_ipv6() {
        let same = |a: &str, b: &str| network(a.parse().unwrap()) == network(b.parse().unwrap());
        assert!(same("2001:db8::1", "2001:db8::ffff:0:0:2"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
        assert!(same("::ffff:192.0.2.1", "192.0.2.1"));
        assert!(!same("192.0.2.1", "192.0.2.2"));
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
}
