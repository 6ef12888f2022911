//! Which addresses the server may call, and under which it may be called.

use sealwright_service::resource::{Report, Resource};
use url::{Host, Url};

/// Reads an address that the server will call: https, or plain http to this machine itself where the
/// operator acknowledged that (`acknowledged`).
pub(super) fn outgoing(
    text: &str,
    acknowledged: bool,
    resource: &Resource,
    path: &str,
    report: &mut Report,
) -> Option<Url> {
    match check(text, acknowledged) {
        Ok(url) => Some(url),
        Err(message) => {
            resource.fault(path, message, report);
            None
        }
    }
}

fn check(text: &str, acknowledged: bool) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("`{text}` is not a URL: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL must not carry a user name or password".to_owned());
    }
    if url.fragment().is_some() {
        return Err("a URL that is called has no fragment".to_owned());
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if !is_loopback(&url) => {
            Err("plain http is possible to a loopback address only; use https".to_owned())
        }
        "http" if !acknowledged => Err("plain http must be acknowledged: add `unsafeHttp` to \
                                        SigningServer.spec.acknowledge, or use https"
            .to_owned()),
        "http" => Ok(url),
        other => Err(format!("`{other}` is not a scheme that the server can call; use https")),
    }
}

/// The server's own address: scheme, host and port and nothing else, since it is compared byte for byte
/// with `aud`, `resource` and `locations`. Returned without the final slash.
pub(super) fn public(text: &str, acknowledged: bool) -> Result<String, String> {
    let url = check(text, acknowledged)?;
    if url.path() != "/" || url.query().is_some() {
        return Err("the public URL is scheme, host and port only".to_owned());
    }
    Ok(url.origin().ascii_serialization())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_needs_loopback_and_acknowledgement() {
        assert!(check("https://id.example.com/jwks", false).is_ok());
        assert!(check("http://127.0.0.1:8080/jwks", true).is_ok());
        assert!(check("http://[::1]:8080/jwks", true).is_ok());
        assert!(check("http://127.0.0.1:8080/jwks", false).is_err());
        for refused in [
            "http://id.example.com/jwks",
            "http://127.0.0.1.example.com/",
            "http://169.254.169.254/latest",
            "https://user@id.example.com/",
            "https://id.example.com/#x",
            "file:///etc/passwd",
            "id.example.com",
        ] {
            assert!(check(refused, true).is_err(), "{refused}");
        }
    }

    #[test]
    fn the_public_url_is_an_origin() {
        assert_eq!(public("https://sign.example.com/", false).unwrap(), "https://sign.example.com");
        assert_eq!(public("http://127.0.0.1:8081", true).unwrap(), "http://127.0.0.1:8081");
        assert!(public("https://sign.example.com/sign", false).is_err());
        assert!(public("https://sign.example.com/?a", false).is_err());
    }
}
