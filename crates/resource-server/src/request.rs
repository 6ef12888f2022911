//! What a decision needs of an HTTP request, and the token in it (RFC 6750 §2.1).

use crate::{
    TokenError,
    sender::{CertThumbprint, ClientCertificate},
};
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
    /// Looked into when somebody asks: for a token that is bound to its sender, above all.
    extensions: Option<&'a Extensions>,
}

impl<'a> Request<'a> {
    /// A request whose sender showed no certificate. `uri` is as the server received it.
    pub fn new(method: &'a Method, uri: &'a Uri, headers: &'a HeaderMap) -> Self {
        Self { method, uri, headers, client_certificate: None, extensions: None }
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
        Self { extensions: Some(extensions), ..Self::new(method, uri, headers) }
    }

    /// Its method.
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// Its URI, as the server received it.
    pub fn uri(&self) -> &'a Uri {
        #[cfg(feature = "axum")]
        if let Some(original) = self.extensions.and_then(Extensions::get::<axum::extract::OriginalUri>) {
            return &original.0;
        }
        self.uri
    }

    /// Its headers.
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// The certificate that the client showed, if it is known.
    pub fn certificate(&self) -> Option<CertThumbprint> {
        let shown = || self.extensions?.get().map(ClientCertificate::thumbprint);
        self.client_certificate.or_else(shown)
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
            .field("path", &self.uri().path())
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

    fn parse(name: &[u8]) -> Option<Self> {
        let is = |scheme: &Self| scheme.name().as_bytes().eq_ignore_ascii_case(name);
        [Self::Bearer, Self::Dpop].into_iter().find(is)
    }
}

/// The token of a request, about which nothing is known yet.
#[derive(Clone, Copy)]
pub(crate) struct Credentials<'a> {
    pub(crate) scheme: Scheme,
    /// It is looked at as text only if it was not seen before.
    pub(crate) token: &'a [u8],
}

impl<'a> Credentials<'a> {
    /// The one `Authorization` header. The query and the body are not looked at (RFC 6750 §2.2 and §2.3 are
    /// optional, and RFC 9700 §4.3.2 forbids the query).
    ///
    /// Whether the token is of [one piece](Self::of_one_piece) is not looked at.
    pub(crate) fn read(headers: &'a HeaderMap) -> Result<Self, TokenError> {
        let value = authorization(headers)?;
        // As nearly all write it; everything else is looked at below.
        if let Some(token) = value.strip_prefix(b"Bearer ").filter(|token| !token.is_empty()) {
            return Ok(Self { scheme: Scheme::Bearer, token });
        }
        let end = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
        let (scheme, token) = (&value[..end], value.get(end + 1..).unwrap_or_default());
        let scheme = match Scheme::parse(scheme) {
            Some(scheme) => scheme,
            // RFC 6750 §3.1: an unsupported authentication method is as good as none.
            None if value.is_ascii() => return Err(TokenError::Missing),
            None => return Err(TokenError::RequestMalformed),
        };
        if token.is_empty() {
            return Err(TokenError::RequestMalformed);
        }
        Ok(Self { scheme, token })
    }

    /// Refuses what could be no token, whoever reads it: something with a space or a control character in it, or
    /// something that is not ASCII.
    ///
    /// A token that passed is base64url and dots, so that this is only asked about one that did not.
    pub(crate) fn of_one_piece(self) -> Result<Self, TokenError> {
        if is_of_one_piece(self.token) { Ok(self) } else { Err(TokenError::RequestMalformed) }
    }

    /// The whole of the one `Authorization` header is the token.
    pub(crate) fn read_bare(headers: &'a HeaderMap) -> Result<Self, TokenError> {
        match authorization(headers)? {
            b"" => Err(TokenError::Missing),
            token if !token.is_ascii() => Err(TokenError::RequestMalformed),
            token => Ok(Self { scheme: Scheme::Bearer, token }),
        }
    }

    /// The token as text, which it is.
    pub(crate) fn text(&self) -> Result<&'a str, TokenError> {
        str::from_utf8(self.token).map_err(|_| TokenError::RequestMalformed)
    }
}

fn authorization(headers: &HeaderMap) -> Result<&[u8], TokenError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(TokenError::Missing)?;
    if values.next().is_some() { Err(TokenError::RequestMalformed) } else { Ok(value.as_bytes()) }
}

/// Whether all of it is visible ASCII: no space, no tab, nothing above.
///
/// `HeaderValue::to_str` looks at one byte after the other. This finds the largest of many bytes at once, by vector
/// instructions; the bytes that fill no vector are seen with those before them.
pub(crate) fn is_of_one_piece(token: &[u8]) -> bool {
    const VECTOR: usize = 32;
    let largest =
        |bytes: &[u8]| bytes.iter().fold(0, |largest: u8, byte| largest.max(byte.wrapping_sub(b'!')));
    let (whole, _) = token.split_at(token.len() / VECTOR * VECTOR);
    let last = token.last_chunk::<VECTOR>().map_or(token, |last| last.as_slice());
    largest(whole).max(largest(last)) <= b'~' - b'!'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_piece_is_visible_ascii_wherever_it_ends() {
        for len in 1..100 {
            let token = vec![b'a'; len];
            assert!(is_of_one_piece(&token));
            for at in 0..len {
                for byte in 0..=u8::MAX {
                    let mut token = token.clone();
                    token[at] = byte;
                    assert_eq!(is_of_one_piece(&token), byte.is_ascii_graphic(), "{byte} at {at} of {len}");
                }
            }
        }
    }
}
