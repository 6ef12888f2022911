//! The fetcher that is there if nobody brings one along: reqwest.

use super::{Answer, Fetch, FetchError, Hear, Listening, Pending, fresh_for};
use crate::JwksOptions;
use http::{HeaderValue, StatusCode, header};
use reqwest::{Client, Response, redirect};
use std::{error::Error, sync::OnceLock, time::Duration};
use tokio::time::timeout;
use url::Url;

/// An `ETag` that is longer is not kept: it would be sent back with every request.
const MAX_ETAG_BYTES: usize = 256;

/// A stream is opened anew after this time, so that a name which leads elsewhere meanwhile is looked up again.
const STREAM_LIFETIME: Duration = Duration::from_secs(3600);

/// A stream gives a sign of life at least every quarter of a minute; after this time it is given up.
const STREAM_SILENCE: Duration = Duration::from_secs(60);

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
            max_bytes: options.longest_body(),
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
        let client = self.client(uri).map_err(failure)?;
        let mut request = client.get(uri.clone()).header(header::ACCEPT, accept);
        if let Some(etag) = etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        let response = request.send().await.map_err(failure)?;
        let fresh_for = fresh_for(response.headers());
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
        let client = self.client(uri).map_err(failure)?;
        let request = client.get(uri.clone()).header(header::ACCEPT, "text/event-stream");
        let asked = timeout(self.timeout, request.timeout(STREAM_LIFETIME).send()).await;
        let mut response = asked.map_err(|_| FetchError::Timeout)?.map_err(failure)?;
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
                Ok(Err(error)) => return Err(failure(error)),
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
        while let Some(chunk) = response.chunk().await.map_err(failure)? {
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

    fn prepare(&self, uri: &Url) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(self.client(uri).map(drop)?)
    }
}

/// Why a request failed. Its address is nobody's business.
fn failure(error: reqwest::Error) -> FetchError {
    let error = error.without_url();
    if error.is_timeout() {
        FetchError::Timeout
    } else if error.is_connect() {
        FetchError::Connect(error.into())
    } else {
        FetchError::Http(error.into())
    }
}
