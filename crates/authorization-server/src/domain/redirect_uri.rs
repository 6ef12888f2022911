//! Redirect URIs: what may be registered, and what matches it.

use url::Url;

/// A redirect URI of a client's registration.
///
/// Matching is by characters (RFC 9700 §2.1), with the one exception of RFC 8252 §7.3: where a loopback
/// address is registered, the port may be any, since a native application takes the one it gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RegisteredRedirect {
    text: String,
    /// For a loopback address: what stands before and after the port.
    loopback: Option<(String, String)>,
}

impl RegisteredRedirect {
    /// Reads one entry of `redirectURIs`.
    ///
    /// # Errors
    ///
    /// What the operator should do about it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > 2048
            || !text.bytes().all(|b| b.is_ascii_graphic())
            || text.contains(['"', '<', '>', '\\'])
        {
            return Err("write an absolute URI of at most 2048 ASCII characters, without spaces or quotes");
        }
        if text.contains('#') {
            return Err("a redirect URI must not have a fragment (RFC 6749 §3.1.2)");
        }
        let url = Url::parse(text)
            .map_err(|_| "write an absolute URI such as https://portal.example.com/callback")?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a redirect URI must not carry a user name or a password");
        }
        match url.scheme() {
            "https" => Ok(Self { text: text.to_owned(), loopback: None }),
            "http" => match url.host_str() {
                Some("127.0.0.1" | "[::1]") => {
                    Ok(Self { text: text.to_owned(), loopback: around_port(text) })
                }
                Some("localhost") => Ok(Self { text: text.to_owned(), loopback: None }),
                _ => Err("plain http is for loopback addresses only; use https"),
            },
            // RFC 8252 §7.1: a private-use scheme is a reversed domain name, so it contains a dot.
            scheme if scheme.contains('.') => Ok(Self { text: text.to_owned(), loopback: None }),
            _ => Err(
                "use https, a loopback address, or a private-use scheme such as com.example.app:/callback",
            ),
        }
    }

    /// Whether a request may name `candidate`.
    pub(crate) fn matches(&self, candidate: &str) -> bool {
        if self.text == candidate {
            return true;
        }
        let Some((before, after)) = &self.loopback else { return false };
        candidate
            .strip_prefix(before.as_str())
            .and_then(|rest| rest.strip_suffix(after.as_str()))
            .is_some_and(|port| port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
    }
}

/// Splits `http://127.0.0.1:9999/callback` into what is before and after `:9999`.
fn around_port(text: &str) -> Option<(String, String)> {
    let before = ["http://127.0.0.1", "http://[::1]"].into_iter().find(|b| text.starts_with(b))?;
    let rest = &text[before.len()..];
    let after = match rest.strip_prefix(':') {
        Some(port) => port.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    Some((before.to_owned(), after.to_owned()))
}

fn is_port(text: &str) -> bool {
    !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// A redirect URI that matched a registration; what follows may be sent there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RedirectUri(String);

impl RedirectUri {
    /// Finds `candidate` among the client's registered URIs.
    pub(crate) fn registered(candidate: &str, registered: &[RegisteredRedirect]) -> Option<Self> {
        registered.iter().any(|r| r.matches(candidate)).then(|| Self(candidate.to_owned()))
    }

    /// For what the database gives back: it was matched before it was stored.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The URI with `parameters` added to its query.
    pub(crate) fn with(&self, parameters: &[(&str, &str)]) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let separator = match self.0.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some(_) => "&",
        };
        format!("{}{separator}{query}", self.0)
    }

    /// The source to name in `form-action` of a Content-Security-Policy, so that a browser follows the
    /// redirect that answers a form. A policy has no notation for IPv6 addresses and private-use schemes
    /// have no origin: there the scheme is named.
    pub(crate) fn csp_source(&self) -> String {
        match Url::parse(&self.0) {
            Ok(url) if url.origin().is_tuple() && !url.host_str().is_some_and(|h| h.starts_with('[')) => {
                url.origin().ascii_serialization()
            }
            Ok(url) => format!("{}:", url.scheme()),
            Err(_) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(registered: &str, candidate: &str) -> bool {
        RegisteredRedirect::parse(registered).unwrap().matches(candidate)
    }

    #[test]
    fn other_uris_match_character_by_character() {
        let registered = "https://portal.example.com/callback";
        assert!(matches(registered, registered));
        for other in [
            "https://portal.example.com/callback/",
            "https://portal.example.com/callback?x=1",
            "https://portal.example.com:443/callback",
            "https://PORTAL.example.com/callback",
            "https://portal.example.com/callback#f",
            "https://portal.example.com/callback/../callback",
            "https://portal.example.com.evil.example/callback",
            "http://portal.example.com/callback",
        ] {
            assert!(!matches(registered, other), "{other}");
        }
    }

    #[test]
    fn a_loopback_address_matches_with_any_port() {
        for registered in ["http://127.0.0.1:9999/callback", "http://127.0.0.1/callback"] {
            for port in ["", ":1", ":8080", ":65535"] {
                assert!(
                    matches(registered, &format!("http://127.0.0.1{port}/callback")),
                    "{registered} {port}"
                );
            }
            for other in [
                "http://127.0.0.1:/callback",
                "http://127.0.0.1:0/callback",
                "http://127.0.0.1:080/callback",
                "http://127.0.0.1:65536/callback",
                "http://127.0.0.1:+80/callback",
                "http://127.0.0.1:80/other",
                "http://127.0.0.1:80@evil.example/callback",
                "http://127.0.0.1.evil.example/callback",
                "http://localhost:9999/callback",
                "https://127.0.0.1:9999/callback",
            ] {
                assert!(!matches(registered, other), "{registered} {other}");
            }
        }
        assert!(matches("http://[::1]:1/cb", "http://[::1]:2/cb"));
        assert!(!matches("http://localhost:1/cb", "http://localhost:2/cb"));
    }

    #[test]
    fn unsafe_registrations_are_refused() {
        for wrong in [
            "/callback",
            "http://portal.example.com/callback",
            "https://portal.example.com/callback#f",
            "https://user:pw@portal.example.com/",
            "javascript:alert(1)",
            "myapp:/callback",
            "https://portal.example.com/a b",
        ] {
            assert!(RegisteredRedirect::parse(wrong).is_err(), "{wrong}");
        }
        assert!(RegisteredRedirect::parse("com.example.app:/callback").is_ok());
    }

    #[test]
    fn parameters_are_added_to_the_query_that_is_there() {
        let uri =
            |text: &str| RedirectUri::stored(text.to_owned()).with(&[("code", "a b"), ("iss", "https://i")]);
        assert_eq!(uri("https://c/cb"), "https://c/cb?code=a+b&iss=https%3A%2F%2Fi");
        assert_eq!(uri("https://c/cb?x=1"), "https://c/cb?x=1&code=a+b&iss=https%3A%2F%2Fi");
        assert_eq!(uri("https://c/cb?"), "https://c/cb?code=a+b&iss=https%3A%2F%2Fi");
    }

    #[test]
    fn the_policy_names_the_origin_or_the_scheme() {
        let source = |text: &str| RedirectUri::stored(text.to_owned()).csp_source();
        assert_eq!(source("https://c.example/cb?x"), "https://c.example");
        assert_eq!(source("http://127.0.0.1:9/cb"), "http://127.0.0.1:9");
        assert_eq!(source("http://[::1]:9/cb"), "http:");
        assert_eq!(source("com.example.app:/cb"), "com.example.app:");
    }
}
