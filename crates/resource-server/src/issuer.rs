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
/// use std::time::Duration;
///
/// let issuer = IssuerConfig::new("https://id.example.com", "https://api.example.com")
///     .audience("urn:example:orders")
///     .clock_skew(Duration::from_secs(10))
///     .max_token_age(Duration::from_secs(3600))
///     .jwks_uri("https://id.example.com/oauth2/jwks".parse()?, [Alg::Es256]);
/// assert_eq!((issuer.issuer(), issuer.algs()), ("https://id.example.com", &[Alg::Es256][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nobody is trusted until an authenticator is told"]
pub struct IssuerConfig {
    /// Equals `iss`, byte for byte (after JSON's own escapes).
    pub(crate) issuer: String,
    pub(crate) keys: KeySource,
    /// Sources of several kinds were named, of which neither may be forgotten in silence.
    has_several_sources: bool,
    pub(crate) jwks_events: Option<Url>,
    /// Never HMAC: whoever can verify that can also sign.
    pub(crate) algs: Vec<Alg>,
    typ: Vec<String>,
    typ_optional: bool,
    pub(crate) audiences: Vec<String>,
    pub(crate) clock_skew: Duration,
    pub(crate) max_token_age: Option<Duration>,
}

impl IssuerConfig {
    /// The strict terms: RFC 9068 tokens (`typ` is `at+jwt`) for one audience, 60 s of clock skew. `issuer` equals `iss`,
    /// byte for byte, and `audience` is in `aud`.
    ///
    /// Where its keys are comes next, by [`jwks_uri`](Self::jwks_uri), [`discovery`](Self::discovery),
    /// [`fixed_keys`](Self::fixed_keys) or [`keys_from`](Self::keys_from). An issuer whose keys are both fixed and
    /// fetched, or fetched from two kinds of places, is refused when the authenticator is built.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            keys: KeySource::Fixed(Vec::new()),
            has_several_sources: false,
            jwks_events: None,
            algs: Vec::new(),
            typ: vec!["at+jwt".to_owned()],
            typ_optional: false,
            audiences: vec![audience.into()],
            clock_skew: Duration::from_secs(60),
            max_token_age: None,
        }
    }

    /// Or this one: any of the audiences must be in `aud`.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// How far its clock may be from ours. 60 s if not said; more than 600 s is a configuration error.
    pub fn clock_skew(self, clock_skew: Duration) -> Self {
        Self { clock_skew, ..self }
    }

    /// How long ago a token may have been issued (`iat`); not limited, if not said or `None`.
    pub fn max_token_age(self, max_token_age: impl Into<Option<Duration>>) -> Self {
        Self { max_token_age: max_token_age.into(), ..self }
    }

    /// The accepted `typ`, compared as RFC 8725bis §3.11 says; `at+jwt` if not said.
    pub fn typ<T: Into<String>>(mut self, accepted: impl IntoIterator<Item = T>) -> Self {
        self.typ = accepted.into_iter().map(Into::into).collect();
        self
    }

    /// Whether a token without `typ` passes, too; it does not, if not said.
    pub fn typ_optional(self, typ_optional: bool) -> Self {
        Self { typ_optional, ..self }
    }

    /// Its keys are published at `uri`, and it may use `algs`.
    pub fn jwks_uri(self, uri: Url, algs: impl IntoIterator<Item = Alg>) -> Self {
        self.keys(KeySource::JwksUri(uri), algs)
    }

    /// Its keys are in `source`, and it may use `algs`: for who reads from a file which kind of source it is.
    ///
    /// Fixed keys must be for some of `algs`; [`fixed_keys`](Self::fixed_keys) need not be told.
    pub fn keys(mut self, source: KeySource, algs: impl IntoIterator<Item = Alg>) -> Self {
        let is_first = matches!(&self.keys, KeySource::Fixed(none) if none.is_empty());
        self.has_several_sources |= !is_first && mem::discriminant(&self.keys) != mem::discriminant(&source);
        self.keys = source;
        self.algs = algs.into_iter().collect();
        self
    }

    /// It tells at `uri` when the set at its `jwks_uri` changes: a key that is revoked then goes within a moment, and not
    /// when the set is due.
    ///
    /// Sealwright's authorization server does so at `/oauth2/jwks/events`. An issuer that is discovered says it itself.
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
    /// `issuer` in it must be equal to [`issuer`](Self::issuer()), byte for byte; the keys must be on the issuer's own
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
    /// let authenticator = Authenticator::builder().issuer(issuer).jwks(options).build()?;
    /// # Ok::<(), sealwright_resource_server::ConfigError>(())
    /// ```
    pub fn discovery(self, algs: impl IntoIterator<Item = Alg>) -> Self {
        self.keys(KeySource::Discovery, algs)
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
    /// assert_eq!(issuer.algs(), [Alg::Es256]);
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
    pub fn fixed_keys(self, keys: impl IntoIterator<Item = VerifyingKey>) -> Self {
        let keys: Vec<_> = keys.into_iter().collect();
        let mut algs = Vec::new();
        for key in &keys {
            if !algs.contains(&key.alg()) {
                algs.push(key.alg());
            }
        }
        self.keys(KeySource::Fixed(keys), algs)
    }

    /// Accepts JWTs that follow no profile: `typ` is `JWT` or missing, and the claims that RFC 9068 adds are not
    /// required. `iss`, `sub`, `aud` and `exp` still are.
    ///
    /// Whatever else the issuer signs for this audience passes, too, such as an ID token.
    pub fn plain_jwt(self) -> Self {
        self.typ(["JWT"]).typ_optional(true)
    }

    /// The issuer's name.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The algorithms that it may use.
    pub fn algs(&self) -> &[Alg] {
        &self.algs
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
    pub(crate) fn validate(&self, jwks: &JwksOptions) -> Result<(), ConfigError> {
        let issuer = || self.issuer.clone();
        if self.issuer.is_empty() {
            return Err(ConfigError::IssuerEmpty);
        }
        if self.has_several_sources {
            return Err(ConfigError::KeySources { issuer: issuer() });
        }
        if self.algs.is_empty() {
            return Err(ConfigError::AlgsEmpty { issuer: issuer() });
        }
        if let Some(&alg) = self.algs.iter().find(|alg| alg.is_mac()) {
            return Err(ConfigError::MacNotAllowed { issuer: issuer(), alg });
        }
        if self.typ.is_empty() || self.typ.iter().any(String::is_empty) {
            return Err(ConfigError::TypEmpty { issuer: issuer() });
        }
        if self.audiences.iter().any(String::is_empty) {
            return Err(ConfigError::AudiencesEmpty { issuer: issuer() });
        }
        if self.clock_skew > MAX_CLOCK_SKEW {
            return Err(ConfigError::ClockSkew { issuer: issuer() });
        }
        match &self.keys {
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
#[non_exhaustive]
pub enum KeySource {
    /// Known beforehand. A new key needs a new configuration.
    Fixed(Vec<VerifyingKey>),
    /// Published as a JWK set (RFC 7517 §5), fetched on first use and kept as [`JwksOptions`] says.
    JwksUri(Url),
    /// Published where the issuer's metadata says: looked up by its URL, which is [`IssuerConfig::issuer`].
    Discovery,
}
