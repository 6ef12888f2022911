//! What an API needs to accept tokens. CONTRACT SKELETON (bodies follow).
#![allow(missing_docs, unused_variables, clippy::todo, clippy::missing_errors_doc, dead_code)]
use sealwright_jose::{jwt::Claims, Alg, VerifyingKey};
use std::{sync::Arc, time::Duration};

/// One issuer that is trusted, and on what terms.
#[derive(Clone, Debug)]
pub struct IssuerConfig {
    /// Equals `iss`, byte for byte.
    pub issuer: String,
    pub keys: KeySource,
    pub algs: Vec<Alg>,
    /// Accepted `typ`; compared as RFC 8725bis §3.11 says.
    pub typ: Vec<String>,
    pub typ_optional: bool,
    /// Any of these must be in `aud`. Empty is a configuration error.
    pub audiences: Vec<String>,
    /// Default 60 s.
    pub clock_skew: Duration,
    /// Against `iat`; `None`: not limited.
    pub max_token_age: Option<Duration>,
}
#[derive(Clone, Debug)]
pub enum KeySource { Fixed(Vec<VerifyingKey>), JwksUri(url::Url) }

/// How key sets from afar are fetched and kept.
#[derive(Clone, Debug)]
pub struct JwksOptions { pub refresh: Duration, pub max_stale: Duration, pub cooldown: Duration, pub timeout: Duration, pub max_bytes: usize, pub max_keys: usize,
    /// Plain http is refused unless the host is loopback and this is set.
    pub allow_http_loopback: bool }
impl Default for JwksOptions { fn default() -> Self { todo!() } }

/// Decides about tokens; built once, shared by all requests.
#[derive(Clone, Debug)]
pub struct Authenticator(());
impl Authenticator {
    pub fn new(issuers: Vec<IssuerConfig>, jwks: JwksOptions) -> Result<Self, ConfigError> { todo!() }
    /// Reads exactly one `Authorization: Bearer` header and decides. `now_s`: seconds since the epoch.
    pub async fn authenticate(&self, headers: &http::HeaderMap, now_s: i64) -> Result<AccessToken, TokenError> { todo!() }
    pub async fn authenticate_token(&self, token: &str, now_s: i64) -> Result<AccessToken, TokenError> { todo!() }
}
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError { #[error("…")] Todo }

/// A token that passed: signature, issuer, typ, time, audience.
#[derive(Clone, Debug)]
pub struct AccessToken(Arc<()>);
impl AccessToken {
    pub fn issuer(&self) -> &str { todo!() }
    pub fn subject(&self) -> &str { todo!() }
    pub fn client_id(&self) -> Option<&str> { todo!() }
    pub fn jti(&self) -> Option<&str> { todo!() }
    /// Seconds since the epoch, without skew.
    pub fn expires_at(&self) -> i64 { todo!() }
    /// When the clock skew that its issuer is granted is over, too: how long `jti` must be remembered.
    pub fn remember_until(&self) -> i64 { todo!() }
    pub fn acr(&self) -> Option<&str> { todo!() }
    pub fn amr(&self) -> Vec<&str> { todo!() }
    pub fn auth_time(&self) -> Option<i64> { todo!() }
    pub fn authorization_details(&self) -> &[serde_json::Value] { todo!() }
    pub fn claims(&self) -> &Claims { todo!() }
}

/// Why a token did not pass. Strangers see only [`TokenError::challenge`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    #[error("no token was sent")] Missing,
    /// Two headers, another scheme, unreadable.
    #[error("the request is malformed")] RequestMalformed,
    #[error("the token is malformed")] Malformed,
    #[error("the issuer is unknown")] IssuerUnknown,
    #[error("the algorithm is not allowed")] AlgNotAllowed,
    #[error("a critical parameter is unknown")] CriticalUnknown,
    #[error("the type does not match")] TypMismatch,
    #[error("the key is unknown")] KeyUnknown,
    #[error("the signature is not valid")] SignatureInvalid,
    #[error("the token has expired")] Expired,
    #[error("the token is not valid yet")] NotYetValid,
    #[error("the token is too old")] TooOld,
    #[error("the audience does not match")] AudienceMismatch,
    #[error("a required claim is missing or malformed")] ClaimsMalformed,
    #[error("the issuer's keys are not available")] KeysUnavailable,
}
impl TokenError {
    /// Stable name for logs and counters, e.g. `signature_invalid` (the codes of the signing server's reference).
    pub fn code(&self) -> &'static str { todo!() }
    /// RFC 6750 §3.1 status and `WWW-Authenticate`; everything wrong with a token looks the same.
    pub fn challenge(&self) -> Challenge { todo!() }
}

/// A `WWW-Authenticate: Bearer …` value under construction, with its status.
#[derive(Clone, Debug)]
pub struct Challenge(());
impl Challenge {
    /// 401 without `error`: nothing was presented.
    pub fn bare() -> Self { todo!() }
    pub fn invalid_request() -> Self { todo!() }
    pub fn invalid_token() -> Self { todo!() }
    /// RFC 9470 §3.
    pub fn insufficient_user_authentication(acr_values: &[String], max_age_s: Option<u64>) -> Self { todo!() }
    pub fn insufficient_scope(scope: &str) -> Self { todo!() }
    #[must_use]
    pub fn param(self, name: &'static str, value: &str) -> Self { todo!() }
    pub fn status(&self) -> http::StatusCode { todo!() }
    pub fn header_value(&self) -> http::HeaderValue { todo!() }
}

pub mod rules {
    //! Rules on claims.
    use super::*;
    /// A path into the claims: `groups`, or `["realm_access", "roles"]`.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ClaimPath(Vec<String>);
    impl ClaimPath { pub fn new(parts: impl IntoIterator<Item = String>) -> Self { todo!() }
        pub fn lookup<'c>(&self, claims: &'c Claims) -> Option<&'c serde_json::Value> { todo!() } }
    #[derive(Clone, Debug)]
    #[non_exhaustive]
    pub enum Op { Equals(serde_json::Value), Contains(serde_json::Value) }
    #[derive(Clone, Debug)]
    pub struct Rule { pub claim: ClaimPath, pub op: Op }
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Match { All, Any }
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum RuleError { Missing { claim: String }, Mismatch { claim: String } }
    pub fn check(rules: &[Rule], how: Match, claims: &Claims) -> Result<(), RuleError> { todo!() }
}
pub mod assurance {
    //! `acr`, `amr`, `auth_time` (RFC 9470).
    use super::*;
    #[derive(Clone, Debug, Default)]
    pub struct Assurance { pub acr_any: Vec<String>, pub amr_all: Vec<String>, pub max_auth_age: Option<Duration> }
    /// Passes, or gives the challenge to answer with.
    pub fn check(required: &Assurance, token: &AccessToken, now_s: i64) -> Result<(), Challenge> { todo!() }
}
// layer.rs: `AuthLayer` (tower), extract.rs: `Token` (axum FromRequestParts) come on top.
