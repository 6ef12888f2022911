//! Gets the bytes of a JWK set, and no more bytes than it may have.

use super::JwksOptions;
use http::{StatusCode, header};
use sealwright_jose::{KeyError, jws::BuildError};
use std::pin::Pin;
use url::Url;

/// Where the bytes come from; the clock of the caller limits how long it may take.
pub(crate) trait Fetch: Send + Sync {
    fn fetch(&self) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, FetchError>> + Send + '_>>;
}

/// Why there is no new set. For the log only: it may name addresses of our own network.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("the request failed")]
    Http(#[from] reqwest::Error),
    #[error("the fetch took too long")]
    Timeout,
    #[error("the answer has the status {0}")]
    Status(StatusCode),
    #[error("the answer is longer than {max} bytes")]
    TooLarge { max: usize },
    #[error("the answer is no JWK set")]
    NotAJwkSet,
    #[error("the answer is no JWK set")]
    JwkSet(#[source] KeyError),
    #[error("the set has more than {max} keys")]
    TooManyKeys { max: usize },
    #[error("the keys do not make a verifier")]
    Verifier(#[source] BuildError),
}

/// `GET` of one address, over and over. Over https it trusts what this machine trusts, and goes through the proxy
/// that the environment names.
#[derive(Debug)]
pub(crate) struct HttpFetch {
    client: reqwest::Client,
    uri: Url,
    max_bytes: usize,
}

impl HttpFetch {
    pub(crate) fn new(uri: Url, options: &JwksOptions) -> Result<Self, reqwest::Error> {
        let builder = reqwest::Client::builder()
            // A redirect would let whoever answers choose whom we ask next (SSRF).
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .timeout(options.timeout)
            .pool_max_idle_per_host(1);
        let builder = if uri.scheme() == "https" {
            builder.https_only(true)
        } else {
            // To this machine: through no proxy, and without looking for certificates that nobody needs.
            builder.no_proxy().tls_certs_only([])
        };
        Ok(Self { client: builder.build()?, uri, max_bytes: options.max_bytes })
    }

    async fn get(&self) -> Result<Vec<u8>, FetchError> {
        let mut response = self
            .client
            .get(self.uri.clone())
            .header(header::ACCEPT, "application/jwk-set+json, application/json")
            .send()
            .await
            .map_err(reqwest::Error::without_url)?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status()));
        }
        let too_large = FetchError::TooLarge { max: self.max_bytes };
        let announced = response.content_length().unwrap_or(0);
        if announced > self.max_bytes as u64 {
            return Err(too_large);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
            if chunk.len() > self.max_bytes - body.len() {
                return Err(too_large);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

impl Fetch for HttpFetch {
    fn fetch(&self) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, FetchError>> + Send + '_>> {
        Box::pin(self.get())
    }
}
