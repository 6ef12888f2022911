//! From a request's headers to an [`AccessToken`], or the reason why not.

use crate::{
    AccessToken, ConfigError, IssuerConfig, JwksOptions, KeySetStatus, KeySource, Refusal, TokenError,
    issuer::MAX_TOKEN_BYTES, jwks::RemoteKeys,
};
use http::{HeaderMap, header};
use sealwright_jose::{
    JwkSet, base64url,
    jws::{Scratch, Verifier},
    jwt::Claims,
};
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::{
    borrow::Cow,
    collections::HashMap,
    fmt,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use url::Url;

/// Decides about tokens; built once, shared by all requests, cheap to clone.
#[derive(Clone)]
pub struct Authenticator {
    issuers: Arc<HashMap<String, Issuer>>,
    resource_metadata: Option<Arc<str>>,
    clock: Arc<dyn Fn() -> i64 + Send + Sync>,
}

struct Issuer {
    terms: IssuerConfig,
    keys: Keys,
}

enum Keys {
    Fixed(Verifier),
    Remote(Remote),
}

struct Remote {
    uri: Url,
    keys: Arc<RemoteKeys>,
    /// The issuer's terms without any key: refuses what no key could save.
    keyless: Verifier,
}

impl Authenticator {
    /// An authenticator that trusts these issuers and nobody else.
    ///
    /// Nothing is fetched yet: the keys of an issuer come with the first token that names it.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] where the terms of an issuer could never pass a token, would pass too many, or would fetch
    /// keys from an address that cannot be trusted.
    pub fn new(issuers: Vec<IssuerConfig>, jwks: JwksOptions) -> Result<Self, ConfigError> {
        if issuers.is_empty() {
            return Err(ConfigError::NoIssuers);
        }
        jwks.validate()?;
        let mut trusted = HashMap::with_capacity(issuers.len());
        for terms in issuers {
            terms.validate(&jwks)?;
            let name = terms.issuer.clone();
            let issuer = Issuer::new(terms, &jwks)?;
            if trusted.insert(name.clone(), issuer).is_some() {
                return Err(ConfigError::IssuerDuplicate { issuer: name });
            }
        }
        Ok(Self { issuers: Arc::new(trusted), resource_metadata: None, clock: Arc::new(system_clock) })
    }

    /// Every challenge names the document that describes this API (RFC 9728 §5.1).
    #[must_use]
    pub fn resource_metadata(mut self, url: &str) -> Self {
        self.resource_metadata = Some(url.into());
        self
    }

    /// Where the layer and the extractor get the time from, in seconds since the epoch; the system, if not said.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Reads the one `Authorization: Bearer` header and decides. `now_s`: seconds since the epoch.
    ///
    /// # Errors
    ///
    /// [`TokenError::Missing`] without the header, or with one of another scheme; [`TokenError::RequestMalformed`]
    /// with two of them or an unreadable one; otherwise as [`authenticate_token`](Self::authenticate_token).
    pub async fn authenticate(&self, headers: &HeaderMap, now_s: i64) -> Result<AccessToken, TokenError> {
        let decided = match bearer(headers) {
            Ok(token) => self.decide(token, now_s).await,
            Err(error) => Err(error),
        };
        if let Err(error) = &decided {
            tracing::debug!(code = error.code(), "request refused");
        }
        decided
    }

    /// Decides about a token that came in another way than in a header.
    ///
    /// Its signature is verified by the keys of the issuer that it names, if that is trusted; then its type, time,
    /// audience and claims are checked.
    ///
    /// # Errors
    ///
    /// [`TokenError`], the first thing that is wrong in this order.
    pub async fn authenticate_token(&self, token: &str, now_s: i64) -> Result<AccessToken, TokenError> {
        let decided = self.decide(token, now_s).await;
        if let Err(error) = &decided {
            tracing::debug!(code = error.code(), "token refused");
        }
        decided
    }

    /// The remote key sets, by issuer: for a health page.
    pub fn key_sets(&self) -> Vec<KeySetStatus> {
        let mut sets: Vec<_> = self
            .issuers
            .values()
            .filter_map(|issuer| match &issuer.keys {
                Keys::Fixed(_) => None,
                Keys::Remote(remote) => Some(remote.keys.status(&remote.uri)),
            })
            .collect();
        sets.sort_by(|a, b| a.issuer.cmp(&b.issuer));
        sets
    }

    /// As [`authenticate`](Self::authenticate), now, with the answer ready to be sent.
    pub(crate) async fn admit(&self, headers: &HeaderMap) -> Result<AccessToken, Refusal> {
        self.authenticate(headers, (self.clock)()).await.map_err(|error| {
            let refusal = Refusal::from(error);
            match &self.resource_metadata {
                None => refusal,
                Some(url) => refusal.param("resource_metadata", url),
            }
        })
    }

    async fn decide(&self, token: &str, now_s: i64) -> Result<AccessToken, TokenError> {
        let issuer = self.issuers.get(&*unverified_issuer(token)?).ok_or(TokenError::IssuerUnknown)?;
        match &issuer.keys {
            Keys::Fixed(verifier) => issuer.check(token, verifier, now_s),
            Keys::Remote(remote) => issuer.check_remotely(token, remote, now_s).await,
        }
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator")
            .field("issuers", &self.issuers.keys())
            .field("resource_metadata", &self.resource_metadata)
            .finish_non_exhaustive()
    }
}

impl Issuer {
    fn new(terms: IssuerConfig, jwks: &JwksOptions) -> Result<Self, ConfigError> {
        let unusable = |source| ConfigError::Verifier { issuer: terms.issuer.clone(), source };
        let keys = match &terms.keys {
            KeySource::Fixed(keys) => {
                let policy = keys.iter().fold(terms.policy(), |policy, key| policy.key(key.clone()));
                Keys::Fixed(policy.build().map_err(unusable)?)
            }
            KeySource::JwksUri(uri) => Keys::Remote(Remote {
                uri: uri.clone(),
                keys: RemoteKeys::over_http(terms.clone(), uri, jwks)?,
                keyless: terms.policy().keys(&JwkSet::default()).build().map_err(unusable)?,
            }),
        };
        Ok(Self { terms, keys })
    }

    async fn check_remotely(
        &self,
        token: &str,
        remote: &Remote,
        now_s: i64,
    ) -> Result<AccessToken, TokenError> {
        let keys = &remote.keys;
        let set = match keys.at_hand() {
            Some(set) => set,
            None => {
                // A token that no key could save makes nobody wait, and makes us fetch nothing.
                match self.check(token, &remote.keyless, now_s) {
                    Err(TokenError::KeyUnknown) => keys.obtain().await.ok_or(TokenError::KeysUnavailable)?,
                    refused => return refused,
                }
            }
        };
        match self.check(token, set.verifier(), now_s) {
            Err(TokenError::KeyUnknown) => match keys.newer_than(&set).await {
                Some(newer) => self.check(token, newer.verifier(), now_s),
                None => Err(TokenError::KeyUnknown),
            },
            decided => decided,
        }
    }

    fn check(&self, token: &str, verifier: &Verifier, now_s: i64) -> Result<AccessToken, TokenError> {
        let mut scratch = Scratch::new();
        let verified = verifier.verify_compact(token, &mut scratch).map_err(|error| error.kind())?;
        let claims = Claims::parse(verified.payload()).map_err(|_| TokenError::ClaimsMalformed)?;
        // The issuer was chosen by what was not verified yet; now it is, and must still be the same.
        if claims.iss() != Some(self.terms.issuer.as_str()) {
            return Err(TokenError::IssuerUnknown);
        }
        AccessToken::validate(claims, verified.typ(), &self.terms, now_s)
    }
}

/// The token of a request (RFC 6750 §2.1). The query and the body are not looked at (§2.2 and §2.3 are optional,
/// and RFC 9700 §4.3.2 forbids the query).
fn bearer(headers: &HeaderMap) -> Result<&str, TokenError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(TokenError::Missing)?;
    if values.next().is_some() {
        return Err(TokenError::RequestMalformed);
    }
    let value = value.to_str().map_err(|_| TokenError::RequestMalformed)?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        // RFC 6750 §3.1: an unsupported authentication method is as good as none.
        return Err(TokenError::Missing);
    }
    if token.is_empty() || token.contains([' ', '\t']) {
        return Err(TokenError::RequestMalformed);
    }
    Ok(token)
}

/// `iss` of a token about which nothing is known yet: good for choosing whose keys to try, and for nothing more.
fn unverified_issuer(token: &str) -> Result<String, TokenError> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(TokenError::Malformed);
    }
    let mut parts = token.split('.');
    let (Some(_), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(TokenError::Malformed);
    };
    let payload = base64url::decode(payload).map_err(|_| TokenError::Malformed)?;
    let Peeked { iss } = serde_json::from_slice(&payload).map_err(|_| TokenError::Malformed)?;
    iss.ok_or(TokenError::IssuerUnknown)
}

/// The one claim that is read before verification. A second `iss` is refused here already (also one that is
/// spelt with escapes), so that no two parsers can see different issuers.
struct Peeked {
    iss: Option<String>,
}

impl<'de> Deserialize<'de> for Peeked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PeekedVisitor)
    }
}

struct PeekedVisitor;

impl<'de> Visitor<'de> for PeekedVisitor {
    type Value = Peeked;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a claims set")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Peeked, A::Error> {
        let mut iss = None;
        while let Some(Name(name)) = map.next_key()? {
            if name != "iss" {
                map.next_value::<IgnoredAny>()?;
            } else if iss.replace(map.next_value()?).is_some() {
                return Err(de::Error::duplicate_field("iss"));
            }
        }
        Ok(Peeked { iss })
    }
}

/// A member's name, borrowed unless there are escapes in it.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

fn system_clock() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        // Before 1970: no token is valid yet.
        Err(_) => 0,
    }
}
