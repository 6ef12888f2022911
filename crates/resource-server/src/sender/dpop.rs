//! Proofs that the sender of a request has the key that its token is bound to: DPoP (RFC 9449).
//!
//! [`DpopVerifier`] is what the [`Authenticator`](crate::Authenticator) asks, and it serves an authorization
//! server's token endpoint as well, where a proof comes without an access token.
//!
//! # Examples
//!
//! ```
//! use sealwright_resource_server::sender::dpop::{DpopError, DpopOptions, DpopVerifier, Expect};
//!
//! let verifier = DpopVerifier::new(DpopOptions::default())?;
//! let expect = Expect {
//!     method: "GET",
//!     url: "https://api.example.com/orders",
//!     access_token: Some("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"),
//!     now_s: 1_562_262_618,
//! };
//! assert_eq!(verifier.check("not.a.proof", &expect).map(drop), Err(DpopError::Malformed));
//! # Ok::<(), sealwright_resource_server::ConfigError>(())
//! ```

mod error;
mod htu;
mod nonce;
mod replay;

pub use error::DpopError;
pub use nonce::Nonces;

use crate::ConfigError;
use http::{HeaderMap, HeaderName};
use nonce::NonceAge;
use replay::ReplayWindow;
use sealwright_jose::{
    Alg, Digest, Hash, base64url,
    jws::{Limits, PossessionVerifier, Scratch, Unverified},
    jwt::Claims,
};
use serde::Deserialize;
use std::{borrow::Cow, fmt, time::Duration};
use url::Url;

/// The header that a proof comes in.
pub const DPOP: HeaderName = HeaderName::from_static("dpop");
/// The header that a nonce goes out in.
pub const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

const TYP: &str = "dpop+jwt";
/// A proof with the key and signature of ML-DSA-87 has 11 KiB, one with ES256 400 bytes.
const MAX_PROOF_BYTES: usize = 16 * 1024;
const MAX_HEADER_BYTES: usize = 8 * 1024;
/// An `htu` may be long; nothing else is.
const MAX_PAYLOAD_BYTES: usize = 8 * 1024;
/// A UUID has 36 bytes, 96 random bits have 16 (RFC 9449 §4.2 asks for one of those).
const MAX_JTI_BYTES: usize = 256;

/// By which rules proofs are checked.
///
/// # Examples
///
/// ```
/// use sealwright_jose::Alg;
/// use sealwright_resource_server::sender::dpop::DpopOptions;
///
/// let options = DpopOptions { algs: vec![Alg::Es256], ..DpopOptions::default() };
/// ```
#[derive(Clone, Debug)]
pub struct DpopOptions {
    /// The algorithms of proofs; asymmetric ones only. Default: ES256, Ed25519 and PS256, those of FAPI 2.0.
    pub algs: Vec<Alg>,
    /// How long ago `iat` may be. Default 60 s.
    pub max_age: Duration,
    /// How far `iat` may be ahead of our clock. Default 10 s.
    pub clock_skew: Duration,
    /// Requires a nonce of ours in each proof. Default: none, since it costs a client a request more.
    pub nonces: Option<Nonces>,
    /// How many proofs are remembered, of those that were sent within `max_age` and `clock_skew`. They take up to
    /// 20 bytes each, which are not taken before they are needed; when there are so many, requests with new ones
    /// are answered with 503. Default 1,048,576, more than two cores can verify in that time.
    pub replay_entries: usize,
    /// What clients put before the path that this server sees, such as `https://api.example.com` or, behind a
    /// proxy that cuts off a prefix, `https://example.com/api`. Default: the origin of the
    /// [`ProtectedResource`](crate::metadata::ProtectedResource). Never what the `Host` header says.
    pub external_url: Option<Url>,
}

impl Default for DpopOptions {
    fn default() -> Self {
        Self {
            algs: vec![Alg::Es256, Alg::Ed25519, Alg::Ps256],
            max_age: Duration::from_secs(60),
            clock_skew: Duration::from_secs(10),
            nonces: None,
            replay_entries: 1 << 20,
            external_url: None,
        }
    }
}

/// What a proof must be for.
#[derive(Clone, Copy, Debug)]
pub struct Expect<'a> {
    /// The method of the request.
    pub method: &'a str,
    /// The URL of the request as its client knows it; query and fragment do not count.
    pub url: &'a str,
    /// The access token that came with it; `None` at a token endpoint.
    pub access_token: Option<&'a str>,
    /// Seconds since the epoch.
    pub now_s: i64,
}

/// A proof that passed [`DpopVerifier::check`]. That it was not used before is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    jkt: [u8; 32],
    jti: String,
    until_s: i64,
    nonce_age: Option<NonceAge>,
}

impl Proof {
    /// The thumbprint (RFC 7638, SHA-256) of the key that the sender has: what `cnf.jkt` must be.
    pub fn jkt(&self) -> &[u8; 32] {
        &self.jkt
    }

    /// Its own name.
    pub fn jti(&self) -> &str {
        &self.jti
    }

    /// Whether its nonce is about to go out of use, so that the answer should bring the next one.
    pub fn needs_new_nonce(&self) -> bool {
        self.nonce_age == Some(NonceAge::Previous)
    }
}

/// Checks proofs; built once, shared by all requests.
pub struct DpopVerifier {
    options: DpopOptions,
    max_age_s: i64,
    clock_skew_s: i64,
    verifier: PossessionVerifier,
    window: ReplayWindow,
}

impl DpopVerifier {
    /// A verifier by these rules.
    ///
    /// # Errors
    ///
    /// [`ConfigError::DpopAlgs`] if no algorithm is named or a symmetric one is, [`ConfigError::DpopOptionZero`] if
    /// no proof could pass, and [`ConfigError::ExternalUrl`].
    pub fn new(options: DpopOptions) -> Result<Self, ConfigError> {
        let limits = Limits::default()
            .token_bytes(MAX_PROOF_BYTES)
            .header_bytes(MAX_HEADER_BYTES)
            .payload_bytes(MAX_PAYLOAD_BYTES);
        let verifier = PossessionVerifier::new(&options.algs, TYP)
            .map_err(|source| ConfigError::DpopAlgs { source })?
            .limits(limits);
        if options.max_age.is_zero() {
            return Err(ConfigError::DpopOptionZero { option: "max_age" });
        }
        if options.replay_entries == 0 {
            return Err(ConfigError::DpopOptionZero { option: "replay_entries" });
        }
        if let Some(url) = &options.external_url
            && (htu::normal(url.as_str()).is_none() || url.query().is_some() || url.fragment().is_some())
        {
            return Err(ConfigError::ExternalUrl);
        }
        let lifetime = options.max_age.saturating_add(options.clock_skew);
        Ok(Self {
            max_age_s: seconds(options.max_age),
            clock_skew_s: seconds(options.clock_skew),
            window: ReplayWindow::new(options.replay_entries, lifetime),
            verifier,
            options,
        })
    }

    /// The one proof of a request.
    ///
    /// # Errors
    ///
    /// [`DpopError::Missing`], [`DpopError::Several`], and [`DpopError::Malformed`] for one that is not ASCII.
    pub fn proof(headers: &HeaderMap) -> Result<&str, DpopError> {
        let mut values = headers.get_all(DPOP).iter();
        let value = values.next().ok_or(DpopError::Missing)?;
        if values.next().is_some() {
            return Err(DpopError::Several);
        }
        value.to_str().map_err(|_| DpopError::Malformed)
    }

    /// Checks all of RFC 9449 §4.3 but whether the proof was used before, and to what the access token is bound:
    /// the caller compares [`Proof::jkt`], and then asks [`pass_once`](Self::pass_once).
    ///
    /// # Errors
    ///
    /// [`DpopError`], the first thing that is wrong.
    pub fn check(&self, proof: &str, expect: &Expect<'_>) -> Result<Proof, DpopError> {
        let mut scratch = Scratch::new();
        let proof = self.verifier.verify_compact(proof, &mut scratch)?;
        let claims = Claims::parse(proof.payload()).map_err(|_| DpopError::ClaimsMalformed)?;
        let wire: WireClaims<'_> = claims.deserialize().map_err(|_| DpopError::ClaimsMalformed)?;
        let issued_at = claims.iat().ok_or(DpopError::ClaimsMalformed)?;
        if wire.jti.is_empty() || wire.jti.len() > MAX_JTI_BYTES {
            return Err(DpopError::ClaimsMalformed);
        }
        if wire.htm != expect.method {
            return Err(DpopError::MethodMismatch);
        }
        if !htu::same(&wire.htu, expect.url) {
            return Err(DpopError::UrlMismatch);
        }
        if let Some(token) = expect.access_token
            && wire.ath.as_deref() != Some(&*token_digest(token))
        {
            return Err(DpopError::TokenMismatch);
        }
        self.check_time(issued_at, &claims, expect.now_s)?;
        Ok(Proof {
            jkt: proof.key().thumbprint(),
            nonce_age: self.check_nonce(wire.nonce.as_deref(), expect.now_s)?,
            until_s: issued_at.saturating_add(self.max_age_s),
            jti: wire.jti.into_owned(),
        })
    }

    /// Lets each proof pass once. It comes last, so that only proofs that would pass are remembered.
    ///
    /// # Errors
    ///
    /// [`DpopError::Replayed`], and [`DpopError::WindowFull`] where no more can be remembered: passing would open
    /// the door to replays, and forgetting others would, too.
    pub fn pass_once(&self, proof: &Proof, now_s: i64) -> Result<(), DpopError> {
        self.window.pass(&proof.jkt, &proof.jti, proof.until_s, now_s)
    }

    /// What [`pass_once`](Self::pass_once) would say now, without remembering the proof: for who explains decisions.
    ///
    /// It decides nothing. Of two requests with one proof, each could be told that it would pass.
    ///
    /// # Errors
    ///
    /// Those of [`pass_once`](Self::pass_once).
    pub fn would_pass(&self, proof: &Proof, now_s: i64) -> Result<(), DpopError> {
        self.window.look(&proof.jkt, &proof.jti, proof.until_s, now_s)
    }

    /// The nonce for the next proof, to be sent in the [`DPOP_NONCE`] header; `None` if nonces are not required.
    pub fn nonce(&self, now_s: i64) -> Option<String> {
        self.options.nonces.as_ref().map(|nonces| nonces.current(now_s))
    }

    /// Whether the nonce of a proof that passed is that of now; `None` if nonces are not required.
    pub(crate) fn has_current_nonce(&self, proof: &str, now_s: i64) -> Option<bool> {
        let nonces = self.options.nonces.as_ref()?;
        let proof = Unverified::peek_compact(proof).ok()?;
        let wire: WireClaims<'_> = serde_json::from_slice(proof.dangerous_payload()).ok()?;
        Some(nonces.age(wire.nonce.as_deref()?, now_s) == Some(NonceAge::Current))
    }

    /// The accepted algorithms as a challenge names them, with a space between.
    ///
    /// For Ed25519 both names stand there, since clients may know only the older one (RFC 9864).
    pub fn algs(&self) -> String {
        let mut names: Vec<_> = self.options.algs.iter().map(|alg| alg.name()).collect();
        if self.options.algs.contains(&Alg::Ed25519) {
            names.push("EdDSA");
        }
        names.join(" ")
    }

    /// How many proofs are remembered now.
    pub fn remembered(&self) -> usize {
        self.window.len()
    }

    /// `exp` and `nbf` need not be in a proof; where one is, it says what it says in any JWT.
    fn check_time(&self, issued_at: i64, claims: &Claims<'_>, now_s: i64) -> Result<(), DpopError> {
        let latest = now_s.saturating_add(self.clock_skew_s);
        if [Some(issued_at), claims.nbf()].into_iter().flatten().any(|start| start > latest) {
            return Err(DpopError::NotYetValid);
        }
        let is_over = claims.exp().is_some_and(|exp| now_s >= exp.saturating_add(self.clock_skew_s));
        if is_over || now_s > issued_at.saturating_add(self.max_age_s) {
            return Err(DpopError::TooOld);
        }
        Ok(())
    }

    fn check_nonce(&self, nonce: Option<&str>, now_s: i64) -> Result<Option<NonceAge>, DpopError> {
        let Some(nonces) = &self.options.nonces else { return Ok(None) };
        let nonce = nonce.ok_or(DpopError::NonceMissing)?;
        nonces.age(nonce, now_s).map(Some).ok_or(DpopError::NonceStale)
    }
}

impl fmt::Debug for DpopVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DpopVerifier").field("options", &self.options).finish_non_exhaustive()
    }
}

/// The claims of a proof (RFC 9449 §4.2) beside those that [`Claims`] knows.
#[derive(Deserialize)]
struct WireClaims<'a> {
    #[serde(borrow)]
    jti: Cow<'a, str>,
    #[serde(borrow)]
    htm: Cow<'a, str>,
    #[serde(borrow)]
    htu: Cow<'a, str>,
    #[serde(borrow)]
    ath: Option<Cow<'a, str>>,
    #[serde(borrow)]
    nonce: Option<Cow<'a, str>>,
}

/// What `ath` must be.
fn token_digest(token: &str) -> String {
    base64url::encode(Digest::of(Hash::Sha256, token.as_bytes()).as_bytes())
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
