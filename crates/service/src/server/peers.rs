//! How many connections each peer has, so that one of them cannot have all.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use crate::client_address::{Proxies, network};

/// The connections of each network; cheap to clone.
#[derive(Clone)]
pub(super) struct Peers {
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
    most: usize,
    /// All clients come from these, so they are not counted.
    proxies: Arc<Proxies>,
}

/// A connection that is counted, until it is dropped.
pub(super) struct Counted(Option<(Peers, IpAddr)>);

impl Peers {
    pub(super) fn new(most: usize, proxies: Proxies) -> Self {
        Self { open: Arc::default(), most, proxies: Arc::new(proxies) }
    }

    /// Counts one more connection of `peer`; `None` if it has as many as it may.
    pub(super) fn admit(&self, peer: IpAddr) -> Option<Counted> {
        if self.proxies.contains(peer) {
            return Some(Counted(None));
        }
        let peer = network(peer);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(peer).or_insert(0);
        if *count >= self.most {
            if *count == 0 {
                open.remove(&peer);
            }
            return None;
        }
        *count += 1;
        Some(Counted(Some((self.clone(), peer))))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let Some((peers, peer)) = self.0.take() else { return };
        let mut open = peers.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&peer) {
            *count -= 1;
            if *count == 0 {
                open.remove(&peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_address::Network;

    #[test]
    fn each_network_has_its_own_count_and_proxies_have_none() {
        let peers = Peers::new(2, Proxies::new(vec![Network::parse("10.0.0.0/8").unwrap()]));
        let admit = |text: &str| peers.admit(text.parse().unwrap());
        let first = admit("2001:db8::1").unwrap();
        let _second = admit("2001:db8::2").unwrap();
        assert!(admit("2001:db8::3").is_none(), "one host has all addresses of its network");
        assert!(admit("2001:db8:0:1::1").is_some());
        drop(first);
        assert!(admit("2001:db8::3").is_some());
        let of_the_proxy: Vec<_> = (0..10).map(|_| admit("10.1.1.1")).collect();
        assert!(of_the_proxy.iter().all(Option::is_some));
        assert_eq!(peers.open.lock().unwrap().len(), 1, "who has gone is forgotten");
    }
}
