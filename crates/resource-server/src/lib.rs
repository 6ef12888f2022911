//! What an API needs to accept the access tokens of issuers that it trusts.
//!
//! Five lines for an axum service: whose tokens, for whom, by which keys; and a handler that does not compile without
//! asking for one.
//!
//! ```
//! use axum::{Router, routing::get};
//! use sealwright_jose::Alg;
//! use sealwright_resource_server::{Authenticator, IssuerConfig, Token};
//!
//! #[derive(serde::Deserialize)]
//! struct Claims {
//!     sub: String,
//! }
//!
//! async fn hello(Token(claims): Token<Claims>) -> String {
//!     format!("hello {}\n", claims.sub)
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = IssuerConfig::new("https://id.example.com", "https://api.example.com")
//!     .jwks_uri("https://id.example.com/oauth2/jwks".parse()?, [Alg::Es256]);
//! let authenticator = Authenticator::builder().issuer(issuer).build()?;
//! let api: Router = Router::new().route("/hello", get(hello)).with_state(authenticator);
//! # Ok(())
//! # }
//! ```
//!
//! # What decides
//!
//! An [`Authenticator`] is built once from the trusted issuers ([`IssuerConfig`]) and decides about every request: the
//! token's signature (RFC 7515), its type and claims (RFC 9068, RFC 8725), its time, its audience, and whether its
//! sender may use it ([`sender`]). The keys of an issuer are fixed, in any form that an operator may have them, or come
//! from its `jwks_uri`, or from where its metadata says ([`IssuerConfig::discovery`]), through a cache that is bounded in
//! every direction. What a request needs beyond a valid token are
//! [`Requirements`], [`rules`] and [`assurance`] (RFC 9470).
//!
//! # Ways in
//!
//! | for | there is |
//! |---|---|
//! | an axum handler | the extractor [`Token`], of the token or of its claims in a type of the caller's |
//! | all routes of a tower or axum service | the layer [`AuthLayer`], which leaves an [`AccessToken`] among the request's extensions |
//! | anything else that speaks HTTP | [`Authenticator::authorize`] and [`Refusal::into_http`] |
//! | a token that came in another way | [`Authenticator::authenticate_token`] |
//!
//! All of them decide and answer alike: as RFC 6750 says, with an RFC 9457 document in the body that says no more to a
//! stranger than the status does. [`TokenError`] says more, to the log. Clients find out where to get a token by the
//! document of [`metadata`] (RFC 9728), and those that expect the answers of the usual Node tutorial get them from a
//! [`Compat`] profile.
//!
//! # Features
//!
//! All are on, unless default features are turned off:
//!
//! | feature | without it |
//! |---|---|
//! | `axum` | no extractor `Token`, no `ProtectedResource::route`, a [`Refusal`] is sent by [`Refusal::into_http`], and what a nested axum router cut off a path is not known |
//! | `fetch` | no HTTP client: key sets are fetched by a [`Fetch`](fetch::Fetch) of one's own ([`KeySets::with_fetch`]), or are fixed |
//! | `metrics` | no `Authenticator::register_metrics`, and nothing is counted |
//!
//! # What is not here
//!
//! Whether a token was used before (`jti`) is for the application to remember, for as long as
//! [`AccessToken::remember_until`] says.
#![warn(missing_docs)]

// In the order in which a token goes through them.
mod request;

mod issuer;

mod jwks;

pub mod sender;

mod authenticator;
mod token;

mod verified;

pub mod rules;

pub mod assurance;

mod requirements;

mod explain;

#[cfg(feature = "metrics")]
mod metrics;
#[cfg(not(feature = "metrics"))]
#[path = "uncounted.rs"]
mod metrics;

#[cfg(feature = "axum")]
mod extract;
mod layer;

mod challenge;
mod refusal;

mod error;

mod config_error;

mod compat;

pub mod metadata;

pub use authenticator::{Authenticator, AuthenticatorBuilder};
pub use challenge::Challenge;
pub use compat::{Compat, Waived};
pub use config_error::{ConfigError, UrlFault};
pub use error::TokenError;
pub use explain::{Check, Explained, Explanation, Outcome};
#[cfg(feature = "axum")]
pub use extract::Token;
pub use issuer::{IssuerConfig, KeySource};
pub use jwks::{Fetches, JwksOptions, KeySetStatus, KeySets, MetadataStatus, fetch};
pub use layer::{AuthFuture, AuthLayer, AuthService};
pub use refusal::Refusal;
pub use request::{Request, Scheme};
pub use requirements::Requirements;
/// The algorithms that an issuer may use: `sealwright-jose`'s own, so that most need not depend on it.
pub use sealwright_jose::Alg;
pub use token::AccessToken;
pub use verified::{Revocation, Revocations, RevocationsFull, VerifiedTokens, VerifiedTokensStatus};

/// The page for those who protect an API: its examples run as tests.
#[cfg(all(doctest, feature = "axum", feature = "fetch", feature = "metrics"))]
#[doc = include_str!("../../../docs/src/howto/protect-an-api.md")]
mod protect_an_api {}

/// The page on how key sets are kept.
#[cfg(all(doctest, feature = "axum", feature = "fetch", feature = "metrics"))]
#[doc = include_str!("../../../docs/src/explanation/key-sets.md")]
mod how_key_sets_are_kept {}

/// The page on bound tokens and rules: its examples run as tests.
#[cfg(all(doctest, feature = "axum", feature = "fetch", feature = "metrics"))]
#[doc = include_str!("../../../docs/src/howto/sender-and-rules.md")]
mod sender_and_rules {}
