//! How the bytes of key sets and metadata are fetched: by an HTTP client of the crate's own (feature `fetch`), or by a
//! [`Fetch`] that a program brings along with [`KeySets::with_fetch`](crate::KeySets::with_fetch).
//!
//! # Examples
//!
//! A set that is handed over by other means, such as a file that the platform keeps up to date:
//!
//! ```
//! use sealwright_jose::{Alg, JwkSet, SigningKey, jws::Signer};
//! use sealwright_resource_server::{Authenticator, IssuerConfig, JwksOptions, KeySets};
//! use sealwright_resource_server::fetch::{Answer, Fetch, FetchError, Pending};
//! use std::{path::PathBuf, sync::Arc};
//!
//! struct File(PathBuf);
//!
//! impl Fetch for File {
//!     fn fetch<'a>(&'a self, _: &'a url::Url, _: &'static str, _: Option<&'a http::HeaderValue>) -> Pending<'a> {
//!         Box::pin(async {
//!             let body = tokio::fs::read(&self.0).await.map_err(|error| FetchError::Http(error.into()))?;
//!             Ok(Answer { body: Some(body), etag: None, fresh_for: None })
//!         })
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let path = std::env::temp_dir().join(format!("sealwright-{}.jwks", std::process::id()));
//! # let key = SigningKey::generate(Alg::Es256)?;
//! # std::fs::write(&path, JwkSet::from_keys([key.verifying_key()])?.to_json())?;
//! # let file = path.clone();
//! let sets = KeySets::with_fetch(JwksOptions::default(), Arc::new(File(path)));
//! let issuer = IssuerConfig::new("https://id.example.com", "https://api.example.com")
//!     .jwks_uri("https://id.example.com/oauth2/jwks".parse()?, [Alg::Es256]);
//! let authenticator = Authenticator::builder().issuer(issuer).jwks(sets).build()?;
//! # let claims = br#"{"iss":"https://id.example.com","sub":"alice","aud":"https://api.example.com",
//! #     "client_id":"portal","jti":"1","iat":1800000000,"exp":1800000300}"#;
//! # let token = Signer::new(&key).typ("at+jwt").sign_compact(claims)?;
//! # assert_eq!(authenticator.authenticate_token(&token, 1_800_000_000).await?.subject(), "alice");
//! # std::fs::remove_file(file)?;
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "fetch")]
mod http;

#[cfg(feature = "fetch")]
pub(crate) use self::http::HttpFetch;

use super::freshness;
use crate::UrlFault;
use ::http::{HeaderMap, HeaderValue, StatusCode};
use sealwright_jose::KeyError;
use std::{error::Error, pin::Pin, time::Duration};
use url::Url;

/// What a source answered.
#[derive(Debug)]
pub struct Answer {
    /// The bytes; `None` if they are still those of the `ETag` that was sent (304).
    pub body: Option<Vec<u8>>,
    /// The `ETag` of these bytes, to be sent back with the next request.
    pub etag: Option<HeaderValue>,
    /// For how long it is fresh, if the source says so: see [`fresh_for`].
    pub fresh_for: Option<Duration>,
}

/// A document on its way.
pub type Pending<'a> = Pin<Box<dyn Future<Output = Result<Answer, FetchError>> + Send + 'a>>;

/// Takes the next bytes of a stream; `false` if it wants no more.
pub type Hear<'a> = dyn FnMut(&[u8]) -> bool + Send + 'a;

/// An event stream that is listened to.
pub type Listening<'a> = Pin<Box<dyn Future<Output = Result<(), FetchError>> + Send + 'a>>;

/// Where the bytes of documents come from.
///
/// Which addresses are asked, and when, is decided before: whoever implements it follows no redirects, since that would let
/// a source choose whom we ask next, and stops to read after
/// [`JwksOptions::max_bytes`](crate::JwksOptions::max_bytes): what is longer is refused. How long a fetch may take is limited by its caller, who drops it.
pub trait Fetch: Send + Sync {
    /// Gets the document in one of the types that `accept` names, unless it is still the one of `etag`.
    fn fetch<'a>(&'a self, uri: &'a Url, accept: &'static str, etag: Option<&'a HeaderValue>) -> Pending<'a>;

    /// Passes what comes from an event stream on to `hear`, until it has enough or the stream ends. Whoever does not
    /// implement it hears of no changes, and fetches when a document is due.
    fn listen<'a>(&'a self, _uri: &'a Url, _hear: &'a mut Hear<'_>) -> Listening<'a> {
        Box::pin(async { Err(FetchError::Status(StatusCode::NOT_FOUND)) })
    }

    /// Makes ready for that address, so that what is missing on this machine is told at the start.
    ///
    /// # Errors
    ///
    /// What is missing; it becomes [`ConfigError::HttpClient`](crate::ConfigError::HttpClient).
    fn prepare(&self, _uri: &Url) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }
}

/// For how long an answer with these headers is fresh, counted from now; `None` if it does not say (RFC 9111 §4.2).
pub fn fresh_for(headers: &HeaderMap) -> Option<Duration> {
    freshness::lifetime(headers)
}

/// Fetches nothing, and says so when an authenticator is built.
#[cfg(not(feature = "fetch"))]
pub(crate) struct NoFetch;

#[cfg(not(feature = "fetch"))]
impl Fetch for NoFetch {
    fn fetch<'a>(&'a self, _: &'a Url, _: &'static str, _: Option<&'a HeaderValue>) -> Pending<'a> {
        Box::pin(async { Err(FetchError::CutOff) })
    }

    fn prepare(&self, _: &Url) -> Result<(), Box<dyn Error + Send + Sync>> {
        Err("the feature `fetch` is off, and no `KeySets::with_fetch` was given".into())
    }
}

/// Why there is no new document. What it displays is safe to show to operators: no address, nothing that the source
/// sent. The causes are for the log only, since they may name addresses of our own network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// There was no connection.
    #[error("the connection could not be made")]
    Connect(#[source] Box<dyn Error + Send + Sync>),
    /// The request, or reading its answer, failed.
    #[error("the request failed")]
    Http(#[source] Box<dyn Error + Send + Sync>),
    /// It took too long.
    #[error("the fetch took too long")]
    Timeout,
    /// It ended without a result: its task was dropped, or panicked.
    #[error("the fetch was cut off")]
    CutOff,
    /// Nobody was there to do it.
    #[error("there is no tokio runtime to fetch with")]
    NoRuntime,
    /// The status is not 200, nor 304 where that was asked for.
    #[error("the answer has the status {}", .0.as_u16())]
    Status(StatusCode),
    /// The source sent on to another address.
    #[error("the answer is a redirect, and none is followed")]
    Redirect,
    /// There are more bytes than are read.
    #[error("the answer is longer than {max} bytes")]
    TooLarge {
        /// How many are.
        max: usize,
    },
    /// `Content-Encoding` is there, and was not asked for.
    #[error("the answer is compressed, which was not asked for")]
    Compressed,
    /// It is not UTF-8.
    #[error("the answer is no text")]
    NotText,
    /// It is no JWK set (RFC 7517 §5).
    #[error("the answer is no JWK set")]
    JwkSet(#[source] KeyError),
    /// It is a set of keys that are all broken.
    #[error("none of the {keys} keys of the set can be read")]
    Garbled {
        /// How many there are.
        keys: usize,
    },
    /// It is no metadata document (RFC 8414, OpenID).
    #[error("the answer is no metadata document")]
    NotMetadata,
    /// The metadata names another issuer.
    #[error("the metadata is that of another issuer")]
    OtherIssuer,
    /// The metadata has no `jwks_uri`.
    #[error("the metadata does not say where the keys are")]
    NoJwksUri,
    /// The metadata names an address that is not asked.
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
}
