//! Gets the bytes of a document, and no more bytes than it may have.

use super::{JwksOptions, freshness};
use crate::UrlFault;
use http::{HeaderValue, StatusCode, header};
use reqwest::{Client, Response, redirect};
use sealwright_jose::KeyError;
use std::{pin::Pin, sync::OnceLock, time::Duration};
use tokio::time::timeout;
use url::Url;

/// An `ETag` that is longer is not kept: it would be sent back with every request.
const MAX_ETAG_BYTES: usize = 256;

/// No body is longer, whatever the options say.
const MOST_BYTES: usize = 1 << 20;

/// A stream is opened anew after this time, so that a name which leads elsewhere meanwhile is looked up again.
const STREAM_LIFETIME: Duration = Duration::from_secs(3600);

/// A stream gives a sign of life at least every quarter of a minute; after this time it is given up.
const STREAM_SILENCE: Duration = Duration::from_secs(60);

/// What a source answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The bytes; `None` if they are still those of the `ETag` that was sent (304).
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) etag: Option<HeaderValue>,
    /// For how long it is fresh, if the source says so.
    pub(crate) fresh_for: Option<Duration>,
}

pub(crate) type Pending<'a> = Pin<Box<dyn Future<Output = Result<Answer, FetchError>> + Send + 'a>>;

/// Takes the next bytes of a stream; `false` if it wants no more.
pub(crate) type Hear<'a> = dyn FnMut(&[u8]) -> bool + Send + 'a;

pub(crate) type Listening<'a> = Pin<Box<dyn Future<Output = Result<(), FetchError>> + Send + 'a>>;

/// Where the bytes come from; the clock of the caller limits how long it may take.
pub(crate) trait Fetch: Send + Sync {
    /// Gets the document in one of the types that `accept` names, unless it is still the one of `etag`.
    fn fetch<'a>(&'a self, uri: &'a Url, accept: &'static str, etag: Option<&'a HeaderValue>) -> Pending<'a>;

    /// Passes what comes from an event stream on to `hear`, until it has enough or the stream ends.
    fn listen<'a>(&'a self, _uri: &'a Url, _hear: &'a mut Hear<'_>) -> Listening<'a> {
        Box::pin(async { Err(FetchError::Status(StatusCode::NOT_FOUND)) })
    }

    /// Makes ready for that address, so that what is missing on this machine is told at the start.
    fn prepare(&self, _uri: &Url) -> Result<(), reqwest::Error> {
        Ok(())
    }
}

/// Why there is no new document. What it displays is safe to show to operators: no address, nothing that the source
/// sent. The causes are for the log only, since they may name addresses of our own network.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("the connection could not be made")]
    Connect(#[source] reqwest::Error),
    #[error("the request failed")]
    Http(#[source] reqwest::Error),
    #[error("the fetch took too long")]
    Timeout,
    #[error("the fetch was cut off")]
    CutOff,
    #[error("there is no tokio runtime to fetch with")]
    NoRuntime,
    #[error("the answer has the status {}", .0.as_u16())]
    Status(StatusCode),
    #[error("the answer is a redirect, and none is followed")]
    Redirect,
    #[error("the answer is longer than {max} bytes")]
    TooLarge { max: usize },
    #[error("the answer is compressed, which was not asked for")]
    Compressed,
    #[error("the answer is no text")]
    NotText,
    #[error("the answer is no JWK set")]
    JwkSet(#[source] KeyError),
    #[error("none of the {keys} keys of the set can be read")]
    Garbled { keys: usize },
    #[error("the answer is no metadata document")]
    NotMetadata,
    #[error("the metadata is that of another issuer")]
    OtherIssuer,
    #[error("the metadata does not say where the keys are")]
    NoJwksUri,
    #[error("the metadata's `jwks_uri` {0}")]
    JwksUri(UrlFault),
}

impl FetchError {
    /// Whether the source says that there is no such document, rather than failing to say anything: then another
    /// place may have it. Whoever is overloaded or broken is not asked twice.
    pub(crate) fn is_absence(&self) -> bool {
        match self {
            Self::Status(status) => {
                status.is_client_error()
                    && !matches!(*status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
            }
            Self::Redirect | Self::NotText | Self::NotMetadata => true,
            _ => false,
        }
    }

    fn of(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if error.is_timeout() {
            Self::Timeout
        } else if error.is_connect() {
            Self::Connect(error)
        } else {
            Self::Http(error)
        }
    }
}

/// `GET` over HTTP/1.1. Over https it trusts what this machine trusts, and goes through the proxy that the
/// environment names. Which addresses are asked is decided before: see [`UrlFault`].
#[derive(Debug)]
pub(crate) struct HttpFetch {
    tls: OnceLock<Client>,
    plain: OnceLock<Client>,
    timeout: Duration,
    max_bytes: usize,
}

impl HttpFetch {
    pub(crate) fn new(options: &JwksOptions) -> Self {
        Self {
            tls: OnceLock::new(),
            plain: OnceLock::new(),
            timeout: options.timeout,
            max_bytes: options.max_bytes.min(MOST_BYTES),
        }
    }

    fn client(&self, uri: &Url) -> Result<&Client, reqwest::Error> {
        let is_tls = uri.scheme() == "https";
        let cell = if is_tls { &self.tls } else { &self.plain };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let builder = Client::builder()
            // A redirect would let whoever answers choose whom we ask next (SSRF).
            .redirect(redirect::Policy::none())
            .referer(false)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            // A small body that unpacks to a huge one is refused, not unpacked, whatever features another crate
            // of the program has turned on.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .timeout(self.timeout)
            .pool_max_idle_per_host(1);
        let builder = if is_tls {
            builder.https_only(true)
        } else {
            // To this machine: through no proxy, and without looking for certificates that nobody needs.
            builder.no_proxy().tls_certs_only([])
        };
        let made = builder.build()?;
        Ok(cell.get_or_init(|| made))
    }

    async fn get(
        &self,
        uri: &Url,
        accept: &'static str,
        etag: Option<&HeaderValue>,
    ) -> Result<Answer, FetchError> {
        let client = self.client(uri).map_err(FetchError::of)?;
        let mut request = client.get(uri.clone()).header(header::ACCEPT, accept);
        if let Some(etag) = etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        let response = request.send().await.map_err(FetchError::of)?;
        let fresh_for = freshness::lifetime(response.headers());
        match response.status() {
            StatusCode::OK => {
                let etag = response.headers().get(header::ETAG);
                let etag = etag.filter(|etag| etag.len() <= MAX_ETAG_BYTES).cloned();
                Ok(Answer { body: Some(self.body(response).await?), etag, fresh_for })
            }
            StatusCode::NOT_MODIFIED if etag.is_some() => {
                Ok(Answer { body: None, etag: etag.cloned(), fresh_for })
            }
            status if status.is_redirection() && status != StatusCode::NOT_MODIFIED => {
                Err(FetchError::Redirect)
            }
            status => Err(FetchError::Status(status)),
        }
    }

    async fn stream(&self, uri: &Url, hear: &mut Hear<'_>) -> Result<(), FetchError> {
        let client = self.client(uri).map_err(FetchError::of)?;
        let request = client.get(uri.clone()).header(header::ACCEPT, "text/event-stream");
        let asked = timeout(self.timeout, request.timeout(STREAM_LIFETIME).send()).await;
        let mut response = asked.map_err(|_| FetchError::Timeout)?.map_err(FetchError::of)?;
        let kind = response.headers().get(header::CONTENT_TYPE);
        if response.status() != StatusCode::OK
            || !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
        {
            return Err(FetchError::Status(response.status()));
        }
        loop {
            match timeout(STREAM_SILENCE, response.chunk()).await {
                Ok(Ok(Some(bytes))) if hear(&bytes) => {}
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(error)) => return Err(FetchError::of(error)),
                Err(_) => return Err(FetchError::Timeout),
            }
        }
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, FetchError> {
        let encodings = response.headers().get_all(header::CONTENT_ENCODING);
        if encodings.iter().any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(FetchError::Compressed);
        }
        let too_large = FetchError::TooLarge { max: self.max_bytes };
        let announced = response.content_length().unwrap_or(0);
        if announced > self.max_bytes as u64 {
            return Err(too_large);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(FetchError::of)? {
            if chunk.len() > self.max_bytes - body.len() {
                return Err(too_large);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

impl Fetch for HttpFetch {
    fn fetch<'a>(&'a self, uri: &'a Url, accept: &'static str, etag: Option<&'a HeaderValue>) -> Pending<'a> {
        Box::pin(self.get(uri, accept, etag))
    }

    fn listen<'a>(&'a self, uri: &'a Url, hear: &'a mut Hear<'_>) -> Listening<'a> {
        Box::pin(self.stream(uri, hear))
    }

    fn prepare(&self, uri: &Url) -> Result<(), reqwest::Error> {
        self.client(uri).map(drop)
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
            assert_eq!(HttpFetch::new(&options).max_bytes, granted);
        }
    }
}
