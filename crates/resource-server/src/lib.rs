//! What an API needs to accept the access tokens of issuers that it trusts.
//!
//! An [`Authenticator`] is built once from the trusted issuers and decides about every request: the token's
//! signature (RFC 7515), its type and claims (RFC 9068, RFC 8725), its time and its audience. The keys of an
//! issuer are fixed, or come from its `jwks_uri` through a cache that is bounded in every direction. On top of
//! it stand the tower layer [`AuthLayer`] and the axum extractor [`Token`], whose answers follow RFC 6750; for
//! what a token must say beyond being valid there are [`rules`] and [`assurance`] (RFC 9470).
//!
//! # Examples
//!
//! An API behind a layer of five lines; with [`Token`] a handler asks for it by itself:
//!
//! ```
//! use axum::{Extension, Router, routing::get};
//! use sealwright_jose::Alg;
//! use sealwright_resource_server::{AccessToken, AuthLayer, Authenticator, IssuerConfig, JwksOptions};
//!
//! async fn hello(Extension(token): Extension<AccessToken>) -> String {
//!     format!("hello {}\n", token.subject())
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let keys = "https://id.example.com/oauth2/jwks".parse()?;
//! let issuer = IssuerConfig::new("https://id.example.com", "https://api.example.com").jwks_uri(keys, [Alg::Es256]);
//! let authenticator = Authenticator::new(vec![issuer], JwksOptions::default())?;
//! let api: Router = Router::new().route("/hello", get(hello)).layer(AuthLayer::new(authenticator));
//! # Ok(())
//! # }
//! ```
//!
//! # What is not here
//!
//! Sender-constrained tokens (DPoP, mTLS) cannot be checked yet, so a token that carries `cnf` is refused.
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
pub use extract::Token;
pub use issuer::{IssuerConfig, KeySource};
pub use jwks::{JwksOptions, KeySetStatus};
pub use layer::{AuthFuture, AuthLayer, AuthService};
pub use refusal::Refusal;
pub use request::Request;
pub use requirements::Requirements;
pub use token::AccessToken;
pub use verified::{Revocation, Revocations, RevocationsFull, VerifiedTokens, VerifiedTokensStatus};
