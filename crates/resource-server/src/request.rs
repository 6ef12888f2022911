//! What a decision needs of an HTTP request, and the token in it (RFC 6750 §2.1).

use crate::{
    TokenError,
    sender::{CertThumbprint, ClientCertificate},
};
use axum::extract::OriginalUri;
use http::{Extensions, HeaderMap, Method, Uri, header, request::Parts};
use std::fmt;

/// What a decision needs of an HTTP request, borrowed from it.
///
/// The certificate that the client showed in TLS is only known if whoever terminates TLS left a
/// [`ClientCertificate`] among the request's extensions. Inside of a nested axum router the URI is the one that
/// the server received.
///
/// # Examples
///
/// ```
/// use sealwright_resource_server::Request;
///
/// let (parts, ()) = http::Request::get("/orders").body(())?.into_parts();
/// let request = Request::from(&parts);
/// assert_eq!((request.method().as_str(), request.uri().path()), ("GET", "/orders"));
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Request<'a> {
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    client_certificate: Option<CertThumbprint>,
}

impl<'a> Request<'a> {
    /// A request whose sender showed no certificate. `uri` is as the server received it.
    pub fn new(method: &'a Method, uri: &'a Uri, headers: &'a HeaderMap) -> Self {
        Self { method, uri, headers, client_certificate: None }
    }

    /// The same request over a connection in which the client showed this certificate.
    #[must_use]
    pub fn client_certificate(self, thumbprint: CertThumbprint) -> Self {
        Self { client_certificate: Some(thumbprint), ..self }
    }

    fn with_extensions(
        method: &'a Method,
        uri: &'a Uri,
        headers: &'a HeaderMap,
        extensions: &'a Extensions,
    ) -> Self {
        let certificate = extensions.get::<ClientCertificate>();
        Self {
            method,
            uri: extensions.get::<OriginalUri>().map_or(uri, |original| &original.0),
            headers,
            client_certificate: certificate.map(ClientCertificate::thumbprint),
        }
    }

    /// Its method.
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// Its URI, as the server received it.
    pub fn uri(&self) -> &'a Uri {
        self.uri
    }

    /// Its headers.
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// The certificate that the client showed, if it is known.
    pub fn certificate(&self) -> Option<CertThumbprint> {
        self.client_certificate
    }
}

impl<'a> From<&'a Parts> for Request<'a> {
    fn from(parts: &'a Parts) -> Self {
        Self::with_extensions(&parts.method, &parts.uri, &parts.headers, &parts.extensions)
    }
}

impl<'a, B> From<&'a http::Request<B>> for Request<'a> {
    fn from(request: &'a http::Request<B>) -> Self {
        Self::with_extensions(request.method(), request.uri(), request.headers(), request.extensions())
    }
}

impl fmt::Debug for Request<'_> {
    /// Headers and query may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.uri.path())
            .finish_non_exhaustive()
    }
}

/// The scheme under which a token is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// `Bearer` (RFC 6750): whoever has the token may use it, unless it is bound to a certificate.
    Bearer,
    /// `DPoP` (RFC 9449 §7.1): the sender proves the key that the token is bound to.
    Dpop,
}

impl Scheme {
    /// Its name in headers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Bearer, Self::Dpop].into_iter().find(|scheme| scheme.name().eq_ignore_ascii_case(name))
    }
}

/// The token of a request, about which nothing is known yet.
#[derive(Clone, Copy)]
pub(crate) struct Credentials<'a> {
    pub(crate) scheme: Scheme,
    pub(crate) token: &'a str,
}

impl<'a> Credentials<'a> {
    /// The one `Authorization` header. The query and the body are not looked at (RFC 6750 §2.2 and §2.3 are
    /// optional, and RFC 9700 §4.3.2 forbids the query).
    pub(crate) fn read(headers: &'a HeaderMap) -> Result<Self, TokenError> {
        let value = authorization(headers)?;
        let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
        // RFC 6750 §3.1: an unsupported authentication method is as good as none.
        let scheme = Scheme::parse(scheme).ok_or(TokenError::Missing)?;
        if token.is_empty() || has_gap(token) {
            return Err(TokenError::RequestMalformed);
        }
        Ok(Self { scheme, token })
    }

    /// The whole of the one `Authorization` header is the token.
    pub(crate) fn read_bare(headers: &'a HeaderMap) -> Result<Self, TokenError> {
        match authorization(headers)? {
            "" => Err(TokenError::Missing),
            token => Ok(Self { scheme: Scheme::Bearer, token }),
        }
    }
}

fn authorization(headers: &HeaderMap) -> Result<&str, TokenError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(TokenError::Missing)?;
    if values.next().is_some() {
        return Err(TokenError::RequestMalformed);
    }
    // As `HeaderValue::to_str`, which looks at one byte after the other: a token has many, and these take them by blocks.
    match str::from_utf8(value.as_bytes()) {
        Ok(value) if value.is_ascii() => Ok(value),
        _ => Err(TokenError::RequestMalformed),
    }
}

/// Whether there is a space or a tab; without leaving early, so that it becomes vector instructions.
fn has_gap(token: &str) -> bool {
    token.bytes().fold(false, |found, byte| found | (byte == b' ') | (byte == b'\t'))
}
