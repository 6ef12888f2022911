//! How key sets from afar are fetched and kept.

use super::cache::Bounds;
use crate::{ConfigError, issuer::address};
use std::time::Duration;
use url::Url;

/// How key sets from afar are fetched and kept.
///
/// What a source says of the age of its answers (`Cache-Control: max-age`, less `Age`) is respected between
/// [`min_refresh`](Self::min_refresh) and [`max_refresh`](Self::max_refresh); `no-store` and `no-cache` count as no
/// time at all, which makes it `min_refresh`.
///
/// # Examples
///
/// ```
/// use sealwright_resource_server::JwksOptions;
/// use std::time::Duration;
///
/// let options = JwksOptions { refresh: Duration::from_secs(60), ..JwksOptions::default() };
/// ```
#[derive(Clone, Debug)]
pub struct JwksOptions {
    /// How old a set may become before it is fetched again, if its source does not say. The fetch starts a little
    /// earlier, in the background, so that requests need not wait for it. Default 300 s.
    pub refresh: Duration,
    /// The least that a source can say. Default 60 s.
    pub min_refresh: Duration,
    /// The most that a source can say, and `refresh` too: a key that its issuer removed stops working after this
    /// time at the latest, unless fetching fails; then it works for [`max_stale`](Self::max_stale) at most. Default
    /// 900 s.
    pub max_refresh: Duration,
    /// How old a set may become while fetching it again fails. Default 3600 s.
    pub max_stale: Duration,
    /// How old the metadata of an issuer that is [discovered](crate::IssuerConfig::discovery) may become before it
    /// is fetched again; its source can say less, but not less than `min_refresh`. Default 3600 s.
    pub metadata_refresh: Duration,
    /// How old the metadata may become while fetching it again fails. Default 86400 s.
    pub metadata_max_stale: Duration,
    /// How long after a refresh because of an unknown key no other such refresh is made, and the longest pause
    /// between attempts while they fail. Default 30 s.
    pub cooldown: Duration,
    /// How long one fetch may take, from the name's lookup to the last byte. Default 5 s.
    pub timeout: Duration,
    /// How long the body may be; never more than 1 MiB. Default 256 KiB.
    pub max_bytes: usize,
    /// How many keys a set may have, usable or not; never more than 256, which is also the default.
    pub max_keys: usize,
    /// Whether sets are also refreshed while no request asks, by a task that ends with their last user. Without it
    /// the first request after a quiet time waits for a fetch. Default `true`.
    pub background: bool,
    /// Whether to listen for news of a set where its source offers that, as Sealwright's authorization server does: a
    /// key that is revoked then goes within a moment. Only together with `background`. Default `true`.
    pub events: bool,
    /// The hosts, as `host` or `host:port` (443 if it is not said), on which the metadata of an issuer may say that
    /// its keys are, apart from the issuer's own. Nothing matches but the whole name. Default: none.
    ///
    /// A name is the operator's word that whatever it resolves to may be asked: addresses are not looked at.
    pub allowed_hosts: Vec<String>,
    /// Plain http is refused unless the host is loopback and this is set. Default `false`.
    pub allow_http_loopback: bool,
}

/// No body is longer, whatever the options say.
const MOST_BYTES: usize = 1 << 20;

impl Default for JwksOptions {
    fn default() -> Self {
        Self {
            refresh: Duration::from_secs(300),
            min_refresh: Duration::from_secs(60),
            max_refresh: Duration::from_secs(900),
            max_stale: Duration::from_secs(3600),
            metadata_refresh: Duration::from_secs(3600),
            metadata_max_stale: Duration::from_secs(86_400),
            cooldown: Duration::from_secs(30),
            timeout: Duration::from_secs(5),
            max_bytes: 256 * 1024,
            max_keys: 256,
            background: true,
            events: true,
            allowed_hosts: Vec::new(),
            allow_http_loopback: false,
        }
    }
}

impl JwksOptions {
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        // A cooldown of zero is no mistake: tests and small installations may want every unknown key looked up.
        let zero = [
            ("refresh", self.refresh.is_zero()),
            ("max_refresh", self.max_refresh.is_zero()),
            ("max_stale", self.max_stale.is_zero()),
            ("metadata_refresh", self.metadata_refresh.is_zero()),
            ("metadata_max_stale", self.metadata_max_stale.is_zero()),
            ("timeout", self.timeout.is_zero()),
            ("max_bytes", self.max_bytes == 0),
            ("max_keys", self.max_keys == 0),
        ];
        if let Some((option, _)) = zero.into_iter().find(|(_, zero)| *zero) {
            return Err(ConfigError::OptionZero { option });
        }
        if self.min_refresh > self.max_refresh {
            return Err(ConfigError::RefreshBounds);
        }
        match self.allowed_hosts.iter().find(|host| address::named_host(host).is_none()) {
            Some(host) => Err(ConfigError::AllowedHost { host: host.clone() }),
            None => Ok(()),
        }
    }

    /// How long a body may be.
    pub(crate) fn longest_body(&self) -> usize {
        self.max_bytes.min(MOST_BYTES)
    }

    /// Whether the operator named the host of that address.
    pub(crate) fn allows_host(&self, uri: &Url) -> bool {
        let mut named = self.allowed_hosts.iter().filter_map(|host| address::named_host(host));
        named.any(|named| address::is_same_host(&named, uri))
    }

    /// How key sets are kept.
    pub(crate) fn set_bounds(&self) -> Bounds {
        Bounds {
            refresh: self.refresh,
            min_refresh: self.min_refresh,
            max_refresh: self.max_refresh,
            max_stale: self.max_stale,
            cooldown: self.cooldown,
            attempt: self.timeout,
        }
    }

    /// How metadata is kept.
    pub(crate) fn metadata_bounds(&self) -> Bounds {
        Bounds {
            refresh: self.metadata_refresh,
            max_refresh: self.metadata_refresh,
            max_stale: self.metadata_max_stale,
            ..self.set_bounds()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_option_makes_a_body_longer_than_a_mebibyte() {
        for (asked, granted) in [(1, 1), (1 << 20, 1 << 20), ((1 << 20) + 1, 1 << 20), (usize::MAX, 1 << 20)]
        {
            let options = JwksOptions { max_bytes: asked, ..JwksOptions::default() };
            assert_eq!(options.longest_body(), granted);
        }
    }
}
