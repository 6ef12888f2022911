//! Where an issuer's metadata is, and what is believed of it (RFC 8414, OpenID Connect Discovery 1.0).
//!
//! The document is believed for one thing: where the keys are. What it says of algorithms, scopes or endpoints is
//! not looked at, so that whoever can write it cannot widen what the operator configured.

use super::address;
use crate::{
    UrlFault,
    jwks::{FetchError, JwksOptions},
};
use serde::Deserialize;
use url::Url;

/// What is believed of an issuer's metadata.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) jwks_uri: Url,
    /// Where the issuer tells of changes of its keys. No standard has it; Sealwright's authorization server does.
    pub(crate) jwks_events_uri: Option<Url>,
}

/// The members that are looked at; one that stands twice is refused.
#[derive(Deserialize)]
struct Wire {
    issuer: Option<String>,
    jwks_uri: Option<String>,
    jwks_events_uri: Option<String>,
}

/// Reads the URL of an issuer that is to be discovered.
pub(crate) fn issuer_url(issuer: &str, options: &JwksOptions) -> Result<Url, UrlFault> {
    let url = Url::parse(issuer).map_err(|_| UrlFault::NotAUrl)?;
    address::check(&url, options.allow_http_loopback)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(UrlFault::QueryOrFragment);
    }
    Ok(url)
}

/// Where the metadata may be, in the order in which the places are tried.
///
/// First that of RFC 8414 §3.1, whose name goes between the host and the issuer's path; then that of OpenID, whose
/// name comes after the path (§5 there tells both apart). A slash at the end of the issuer does not count.
pub(crate) fn places(issuer: &Url) -> Vec<Url> {
    let path = issuer.path().trim_end_matches('/');
    let at = |path: &str| {
        let mut uri = issuer.clone();
        uri.set_path(path);
        uri
    };
    vec![
        at(&format!("/.well-known/oauth-authorization-server{path}")),
        at(&format!("{path}/.well-known/openid-configuration")),
    ]
}

/// Reads the metadata of `issuer`, whose URL is `url`.
pub(crate) fn read(
    body: &str,
    issuer: &str,
    url: &Url,
    options: &JwksOptions,
) -> Result<Metadata, FetchError> {
    let wire: Wire = serde_json::from_str(body).map_err(|_| FetchError::NotMetadata)?;
    // RFC 8414 §3.3: identical, else somebody's document could speak for somebody else.
    if wire.issuer.as_deref() != Some(issuer) {
        return Err(FetchError::OtherIssuer);
    }
    let jwks_uri = wire.jwks_uri.ok_or(FetchError::NoJwksUri)?;
    let jwks_uri = Url::parse(&jwks_uri).map_err(|_| FetchError::JwksUri(UrlFault::NotAUrl))?;
    address::check(&jwks_uri, options.allow_http_loopback).map_err(FetchError::JwksUri)?;
    if !address::is_same_host(&jwks_uri, url) && !options.allows_host(&jwks_uri) {
        return Err(FetchError::JwksUri(UrlFault::HostNotAllowed));
    }
    // What only makes things faster is left out where it is not as it should be.
    let events = wire.jwks_events_uri.and_then(|uri| Url::parse(&uri).ok());
    let jwks_events_uri = events.filter(|uri| {
        address::check(uri, options.allow_http_loopback).is_ok() && address::is_same_host(uri, &jwks_uri)
    });
    Ok(Metadata { jwks_uri, jwks_events_uri })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn the_name_goes_before_the_path_or_after_it() {
        for (issuer, rfc8414, openid) in [
            (
                "https://id.example.com",
                "https://id.example.com/.well-known/oauth-authorization-server",
                "https://id.example.com/.well-known/openid-configuration",
            ),
            (
                "https://id.example.com/",
                "https://id.example.com/.well-known/oauth-authorization-server",
                "https://id.example.com/.well-known/openid-configuration",
            ),
            (
                "https://id.example.com:8443/realms/one",
                "https://id.example.com:8443/.well-known/oauth-authorization-server/realms/one",
                "https://id.example.com:8443/realms/one/.well-known/openid-configuration",
            ),
            (
                "https://id.example.com/one/",
                "https://id.example.com/.well-known/oauth-authorization-server/one",
                "https://id.example.com/one/.well-known/openid-configuration",
            ),
            (
                "https://id.example.com/a%2Fb",
                "https://id.example.com/.well-known/oauth-authorization-server/a%2Fb",
                "https://id.example.com/a%2Fb/.well-known/openid-configuration",
            ),
        ] {
            assert_eq!(places(&url(issuer)), [url(rfc8414), url(openid)], "{issuer}");
        }
    }

    #[test]
    fn an_issuer_that_has_no_such_places() {
        let options = JwksOptions { allow_http_loopback: true, ..JwksOptions::default() };
        for (issuer, fault) in [
            ("", UrlFault::NotAUrl),
            ("accounts.example.com", UrlFault::NotAUrl),
            ("http://id.example.com", UrlFault::NotHttps),
            ("urn:issuer:one", UrlFault::NotHttps),
            ("https://me@id.example.com", UrlFault::Credentials),
            ("https://id.example.com?tenant=1", UrlFault::QueryOrFragment),
            ("https://id.example.com/#here", UrlFault::QueryOrFragment),
        ] {
            assert_eq!(issuer_url(issuer, &options), Err(fault), "{issuer}");
        }
        assert!(issuer_url("http://127.0.0.1:1/x", &options).is_ok());
        let strict = JwksOptions::default();
        assert_eq!(issuer_url("http://127.0.0.1:1/x", &strict), Err(UrlFault::LoopbackNotAcknowledged));
    }

    #[test]
    fn what_is_believed_of_a_document() {
        const ISSUER: &str = "https://id.example.com/one";
        let options = JwksOptions {
            allow_http_loopback: true,
            allowed_hosts: vec!["keys.example.net".to_owned(), "cdn.example.net:8443".to_owned()],
            ..JwksOptions::default()
        };
        let at = |uri: &str| format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"{uri}"}}"#);
        for (body, outcome) in [
            (at("https://id.example.com/keys"), Ok("https://id.example.com/keys")),
            (at("https://ID.example.com:443/keys"), Ok("https://id.example.com/keys")),
            (at("https://keys.example.net/k?v=1"), Ok("https://keys.example.net/k?v=1")),
            (at("https://cdn.example.net:8443/k"), Ok("https://cdn.example.net:8443/k")),
            (
                format!(r#"{{"jwks_uri":"https://id.example.com/k","issuer":"{ISSUER}","x":[{{}}]}}"#),
                Ok("https://id.example.com/k"),
            ),
            (
                at("https://cdn.example.net/k"),
                Err("the metadata's `jwks_uri` is on a host that nobody named"),
            ),
            (
                at("https://id.example.com:8443/k"),
                Err("the metadata's `jwks_uri` is on a host that nobody named"),
            ),
            (at("https://evil.example/k"), Err("the metadata's `jwks_uri` is on a host that nobody named")),
            (
                at("https://id.example.com.evil.example/k"),
                Err("the metadata's `jwks_uri` is on a host that nobody named"),
            ),
            (
                at("https://xkeys.example.net/k"),
                Err("the metadata's `jwks_uri` is on a host that nobody named"),
            ),
            (at("http://127.0.0.1/k"), Err("the metadata's `jwks_uri` is on a host that nobody named")),
            (at("http://id.example.com/keys"), Err("the metadata's `jwks_uri` must be https")),
            (at("http://169.254.169.254/latest"), Err("the metadata's `jwks_uri` must be https")),
            (at("file:///etc/passwd"), Err("the metadata's `jwks_uri` must be https")),
            (at("/keys"), Err("the metadata's `jwks_uri` must be a URL")),
            (at(""), Err("the metadata's `jwks_uri` must be a URL")),
            (
                at("https://a:b@id.example.com/k"),
                Err("the metadata's `jwks_uri` must not hold a user name or password"),
            ),
            (format!(r#"{{"issuer":"{ISSUER}"}}"#), Err("the metadata does not say where the keys are")),
            (
                r#"{"issuer":"https://id.example.com/one/","jwks_uri":"https://id.example.com/k"}"#
                    .to_owned(),
                Err("the metadata is that of another issuer"),
            ),
            (
                r#"{"issuer":"HTTPS://id.example.com/one","jwks_uri":"https://id.example.com/k"}"#.to_owned(),
                Err("the metadata is that of another issuer"),
            ),
            (
                r#"{"jwks_uri":"https://id.example.com/k"}"#.to_owned(),
                Err("the metadata is that of another issuer"),
            ),
            (
                format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"https://id.example.com/k","jwks_uri":"x"}}"#),
                Err("the answer is no metadata document"),
            ),
            (format!(r#"{{"issuer":"{ISSUER}","jwks_uri":7}}"#), Err("the answer is no metadata document")),
            ("[]".to_owned(), Err("the answer is no metadata document")),
            ("<!doctype html>".to_owned(), Err("the answer is no metadata document")),
            (at("https://id.example.com/k")[..40].to_owned(), Err("the answer is no metadata document")),
        ] {
            let read = read(&body, ISSUER, &url(ISSUER), &options);
            let read = read.map(|metadata| metadata.jwks_uri).map_err(|error| error.to_string());
            assert_eq!(read, outcome.map(url).map_err(str::to_owned), "{body}");
        }
    }
}
