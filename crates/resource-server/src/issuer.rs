//! One issuer that is trusted: what its configuration says, and whether that makes sense.

pub(crate) mod address;
pub(crate) mod directory;
pub(crate) mod discovery;
mod keys;
pub(crate) mod trusted;

use crate::{ConfigError, JwksOptions, Waived};
use sealwright_jose::{
    Alg, VerifyingKey,
    jws::{Limits, Verifier, VerifierBuilder},
};
use std::{mem, time::Duration};
use url::Url;

/// No token is longer than this; one with an `x5c` header and many claims stays below.
pub(crate) const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// More would not be skew any more: a token must not live on for hours after its `exp`.
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(600);

/// One issuer that is trusted, and on what terms.
///
/// # Examples
///
/// ```
/// use sealwright_jose::Alg;
/// use sealwright_resource_server::IssuerConfig;
///
/// let issuer = IssuerConfig::new("https://id.example.com", "https://api.example.com")
///     .jwks_uri("https://id.example.com/oauth2/jwks".parse()?, [Alg::Es256]);
/// assert_eq!(issuer.typ, ["at+jwt"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct IssuerConfig {
    /// Equals `iss`, byte for byte (after JSON's own escapes).
    pub issuer: String,
    /// Where its keys are.
    pub keys: KeySource,
    /// Where it tells of changes of the keys at its `jwks_uri`, as server-sent events.
    pub jwks_events: Option<Url>,
    /// The algorithms it may use. Never HMAC: whoever can verify that can also sign.
    pub algs: Vec<Alg>,
    /// Accepted `typ`; compared as RFC 8725bis §3.11 says.
    pub typ: Vec<String>,
    /// Whether a token without `typ` passes, too.
    pub typ_optional: bool,
    /// Any of these must be in `aud`. Empty is a configuration error.
    pub audiences: Vec<String>,
    /// How far its clock may be from ours. Default 60 s; more than 600 s is a configuration error.
    pub clock_skew: Duration,
    /// Against `iat`; `None`: not limited.
    pub max_token_age: Option<Duration>,
}

impl IssuerConfig {
    /// The strict terms: RFC 9068 tokens (`typ` is `at+jwt`) for one audience, 60 s of clock skew.
    ///
    /// Where its keys are comes next, by [`jwks_uri`](Self::jwks_uri), [`discovery`](Self::discovery),
    /// [`fixed_keys`](Self::fixed_keys) or [`keys_from`](Self::keys_from). An issuer whose keys are both fixed and
    /// fetched, or fetched from two kinds of places, is refused when the authenticator is built.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            keys: KeySource::Fixed(Vec::new()),
            jwks_events: None,
            algs: Vec::new(),
            typ: vec!["at+jwt".to_owned()],
            typ_optional: false,
            audiences: vec![audience.into()],
            clock_skew: Duration::from_secs(60),
            max_token_age: None,
        }
    }

    /// Its keys are published at `uri`, and it may use `algs`.
    #[must_use]
    pub fn jwks_uri(mut self, uri: Url, algs: impl IntoIterator<Item = Alg>) -> Self {
        self.algs = algs.into_iter().collect();
        self.keys_at(KeySource::JwksUri(uri))
    }

    /// It tells at `uri` when the set at its `jwks_uri` changes: a key that is revoked then goes within a moment, and not
    /// when the set is due.
    ///
    /// Sealwright's authorization server does so at `/oauth2/jwks/events`. An issuer that is discovered says it itself.
    #[must_use]
    pub fn jwks_events(mut self, uri: Url) -> Self {
        self.jwks_events = Some(uri);
        self
    }

    /// Its keys are where its metadata says, and it may use `algs`, whatever the metadata says of that.
    ///
    /// The metadata is looked for at the place of RFC 8414 (`/.well-known/oauth-authorization-server` before the
    /// issuer's path), then at that of OpenID (`/.well-known/openid-configuration` after it): the second is asked
    /// only if the first answers that there is no such document (a status of 3xx or 4xx other than 408 and 429, or
    /// something that is no JSON object of the right kind), and whichever answered last is asked first afterwards.
    /// `issuer` in it must be equal to [`issuer`](Self::issuer), byte for byte; the keys must be on the issuer's own
    /// host and port, or on one of [`JwksOptions::allowed_hosts`].
    ///
    /// # Examples
    ///
    /// ```
    /// use sealwright_jose::Alg;
    /// use sealwright_resource_server::{Authenticator, IssuerConfig, JwksOptions};
    ///
    /// let issuer = IssuerConfig::new("https://id.example.com/realms/one", "orders").discovery([Alg::Rs256]);
    /// let options =
    ///     JwksOptions { allowed_hosts: vec!["keys.example.com".to_owned()], ..JwksOptions::default() };
    /// let authenticator = Authenticator::new(vec![issuer], options)?;
    /// # Ok::<(), sealwright_resource_server::ConfigError>(())
    /// ```
    #[must_use]
    pub fn discovery(mut self, algs: impl IntoIterator<Item = Alg>) -> Self {
        self.algs = algs.into_iter().collect();
        self.keys_at(KeySource::Discovery)
    }

    /// Its keys are in `source`, and it may use those of `algs` that they are for; may be called once for each file.
    ///
    /// `source` is a JWK, a JWK set, PEM, DER, or the base64 of DER without the lines that PEM puts around it; of an
    /// X.509 certificate nothing but the key is looked at. A key that does not name its algorithm must fit exactly
    /// one of `algs`. Keys of a set that fit none are passed over, as long as one fits;
    /// a private or symmetric one makes the whole set refused.
    ///
    /// Only a JWK has a name (`kid`). A key without one is meant by any `kid` that no other key has.
    ///
    /// # Errors
    ///
    /// [`ConfigError::KeyUnreadable`], [`KeyPrivate`](ConfigError::KeyPrivate),
    /// [`KeyAlgAmbiguous`](ConfigError::KeyAlgAmbiguous), [`KeysEmpty`](ConfigError::KeysEmpty),
    /// [`AlgsEmpty`](ConfigError::AlgsEmpty) or [`MacNotAllowed`](ConfigError::MacNotAllowed).
    ///
    /// # Examples
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey};
    /// use sealwright_resource_server::IssuerConfig;
    ///
    /// # let pem = SigningKey::generate(Alg::Es256)?.verifying_key().to_pem()?;
    /// let issuer = IssuerConfig::new("https://id.example.com", "https://api.example.com")
    ///     .keys_from(&pem, [Alg::Es256, Alg::Rs256])?;
    /// assert_eq!(issuer.algs, [Alg::Es256]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn keys_from(
        self,
        source: impl AsRef<[u8]>,
        algs: impl IntoIterator<Item = Alg>,
    ) -> Result<Self, ConfigError> {
        let algs: Vec<_> = algs.into_iter().collect();
        let more = keys::read(&self.issuer, source.as_ref(), &algs)?;
        let mut known = match &self.keys {
            KeySource::Fixed(keys) => keys.clone(),
            _ => Vec::new(),
        };
        known.extend(more);
        Ok(self.fixed_keys(known))
    }

    /// Its keys are these, and it may use their algorithms.
    #[must_use]
    pub fn fixed_keys(mut self, keys: impl IntoIterator<Item = VerifyingKey>) -> Self {
        let keys: Vec<_> = keys.into_iter().collect();
        self.algs.clear();
        for key in &keys {
            if !self.algs.contains(&key.alg()) {
                self.algs.push(key.alg());
            }
        }
        self.keys_at(KeySource::Fixed(keys))
    }

    /// Of two sources of different kinds neither may be forgotten in silence.
    fn keys_at(mut self, source: KeySource) -> Self {
        self.keys = match (self.keys, source) {
            (KeySource::Fixed(none), source) if none.is_empty() => source,
            (before, source) if mem::discriminant(&before) == mem::discriminant(&source) => source,
            _ => KeySource::Contradictory,
        };
        self
    }

    /// Accepts JWTs that follow no profile: `typ` is `JWT` or missing, and the claims that RFC 9068 adds are not
    /// required. `iss`, `sub`, `aud` and `exp` still are.
    ///
    /// Whatever else the issuer signs for this audience passes, too, such as an ID token.
    #[must_use]
    pub fn plain_jwt(mut self) -> Self {
        self.typ = vec!["JWT".to_owned()];
        self.typ_optional = true;
        self
    }

    /// The same terms for tokens that may lack these.
    pub(crate) fn waiving(mut self, waived: &[Waived]) -> Self {
        if waived.contains(&Waived::Typ) {
            self.typ_optional = true;
            if !self.typ.iter().any(|typ| typ.eq_ignore_ascii_case("jwt")) {
                self.typ.push("JWT".to_owned());
            }
        }
        self
    }

    /// Refuses what could never pass a token, or would pass too many.
    pub(crate) fn validate(&self, jwks: &JwksOptions, waived: &[Waived]) -> Result<(), ConfigError> {
        let issuer = || self.issuer.clone();
        if self.issuer.is_empty() {
            return Err(ConfigError::IssuerEmpty);
        }
        // Of two places, one alone may have brought algorithms.
        if self.algs.is_empty() && !matches!(self.keys, KeySource::Contradictory) {
            return Err(ConfigError::AlgsEmpty { issuer: issuer() });
        }
        if let Some(&alg) = self.algs.iter().find(|alg| alg.is_mac()) {
            return Err(ConfigError::MacNotAllowed { issuer: issuer(), alg });
        }
        if self.typ.is_empty() || self.typ.iter().any(String::is_empty) {
            return Err(ConfigError::TypEmpty { issuer: issuer() });
        }
        let for_anybody = self.audiences.is_empty() && !waived.contains(&Waived::Audience);
        if for_anybody || self.audiences.iter().any(String::is_empty) {
            return Err(ConfigError::AudiencesEmpty { issuer: issuer() });
        }
        if self.clock_skew > MAX_CLOCK_SKEW {
            return Err(ConfigError::ClockSkew { issuer: issuer() });
        }
        match &self.keys {
            KeySource::Contradictory => Err(ConfigError::KeySources { issuer: issuer() }),
            KeySource::Fixed(keys) if keys.is_empty() => Err(ConfigError::KeysEmpty { issuer: issuer() }),
            KeySource::Fixed(keys) => match keys.iter().find(|key| !self.algs.contains(&key.alg())) {
                Some(key) => Err(ConfigError::KeyAlgNotAllowed { issuer: issuer(), alg: key.alg() }),
                None => Ok(()),
            },
            KeySource::JwksUri(uri) => std::iter::once(uri)
                .chain(&self.jwks_events)
                .try_for_each(|uri| address::check(uri, jwks.allow_http_loopback))
                .map_err(|fault| ConfigError::JwksUri { issuer: issuer(), fault }),
            KeySource::Discovery => discovery::issuer_url(&self.issuer, jwks)
                .map(drop)
                .map_err(|fault| ConfigError::IssuerUrl { issuer: issuer(), fault }),
        }
    }

    /// A verifier of these terms that has no keys yet.
    pub(crate) fn policy(&self) -> VerifierBuilder {
        let policy = Verifier::builder_from(&self.algs)
            .typ_optional(self.typ_optional)
            .limits(Limits::default().token_bytes(MAX_TOKEN_BYTES));
        self.typ.iter().fold(policy, |policy, typ| policy.typ(typ))
    }
}

/// Where the keys of an issuer are.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// Known beforehand. A new key needs a new configuration.
    Fixed(Vec<VerifyingKey>),
    /// Published as a JWK set (RFC 7517 §5), fetched on first use and kept as [`JwksOptions`] says.
    JwksUri(Url),
    /// Published where the issuer's metadata says: looked up by its URL, which is [`IssuerConfig::issuer`].
    Discovery,
    /// Sources of several kinds were named, which is a configuration error.
    Contradictory,
}
