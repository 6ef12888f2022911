//! The issuer identifier: the address that everything else hangs on.

use url::{Host, Url};

/// The issuer's URL (RFC 8414 §2): https, or plain http on a loopback address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Issuer {
    text: String,
    origin: String,
    secure: bool,
}

impl Issuer {
    /// Reads `issuerURI`.
    ///
    /// # Errors
    ///
    /// What the operator should do about it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let url = Url::parse(text).map_err(|_| "write an absolute URL such as https://id.example.com")?;
        let secure = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err("an issuer is an https URL"),
        };
        let origin = url.origin().ascii_serialization();
        if origin != text {
            return Err(
                "write scheme, host and port only, in lower case, without a path, a query or a slash at the end",
            );
        }
        if !secure && !is_loopback(&url) {
            return Err("plain http is for loopback addresses only; use https");
        }
        Ok(Self { text: text.to_owned(), origin, secure })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// What a browser sends as `Origin`.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether browsers reach it by https; decides on cookies.
    pub(crate) fn is_https(&self) -> bool {
        self.secure
    }

    /// The address of an endpoint, whose path begins with a slash.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_and_loopback_http_are_issuers() {
        for good in [
            "https://id.example.com",
            "https://id.example.com:8443",
            "http://127.0.0.1:8080",
            "http://[::1]:1",
        ] {
            assert_eq!(Issuer::parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn everything_else_is_not() {
        for wrong in [
            "",
            "id.example.com",
            "ftp://id.example.com",
            "http://id.example.com",
            "https://id.example.com/",
            "https://id.example.com/tenant",
            "https://id.example.com:443",
            "https://ID.example.com",
            "https://u@id.example.com",
            "https://id.example.com?x",
        ] {
            assert!(Issuer::parse(wrong).is_err(), "{wrong}");
        }
    }
}
