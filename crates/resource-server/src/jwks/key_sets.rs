//! The key sets that several issuers and authenticators share.

use super::{
    JwksOptions,
    fetch::{self, Fetch, FetchError},
    remote::{Plan, Remote},
};
use crate::{
    UrlFault,
    issuer::discovery::{self, Metadata},
};
use sealwright_jose::{Alg, JwkSet, JwkSetLimits, KeyError};
use std::{
    collections::HashMap,
    error::Error,
    fmt,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use url::Url;

/// The key sets of several authenticators: each address is fetched once, however many of them trust its issuer.
///
/// Cheap to clone; all clones are one. It holds nothing alive: a set goes when the last authenticator goes that uses
/// it. Fetching needs a tokio runtime with I/O and time; building does not.
///
/// # Examples
///
/// ```
/// use sealwright_jose::Alg;
/// use sealwright_resource_server::{Authenticator, IssuerConfig, JwksOptions, KeySets};
///
/// let sets = KeySets::new(JwksOptions::default());
/// let terms = |audience| {
///     IssuerConfig::new("https://id.example.com", audience)
///         .jwks_uri("https://id.example.com/oauth2/jwks".parse().unwrap(), [Alg::Es256])
/// };
/// let orders = Authenticator::builder().issuer(terms("orders")).jwks(sets.clone()).build()?;
/// let stock = Authenticator::builder().issuer(terms("stock")).jwks(sets).build()?;
/// # Ok::<(), sealwright_resource_server::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct KeySets(Arc<Shared>);

struct Shared {
    options: JwksOptions,
    fetch: Arc<dyn Fetch>,
    sets: Mutex<HashMap<Url, Weak<Remote<()>>>>,
    metadata: Mutex<HashMap<String, Weak<Remote<Metadata>>>>,
}

impl KeySets {
    /// No set yet; each comes with the first token that needs it.
    ///
    /// That the options make sense is checked by whoever builds an [`Authenticator`](crate::Authenticator) with it.
    pub fn new(options: JwksOptions) -> Self {
        #[cfg(feature = "fetch")]
        let fetch = Arc::new(fetch::HttpFetch::new(&options));
        #[cfg(not(feature = "fetch"))]
        let fetch = Arc::new(fetch::NoFetch);
        Self::with_fetch(options, fetch)
    }

    /// The same, by a fetcher of the caller's own; the [module](fetch) has an example.
    pub fn with_fetch(options: JwksOptions, fetch: Arc<dyn Fetch>) -> Self {
        Self(Arc::new(Shared { options, fetch, sets: Mutex::default(), metadata: Mutex::default() }))
    }

    /// How they are fetched and kept.
    pub fn options(&self) -> &JwksOptions {
        &self.0.options
    }

    /// Makes ready for that address.
    pub(crate) fn prepare(&self, uri: &Url) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.0.fetch.prepare(uri)
    }

    /// The set that is published there.
    pub(crate) fn set(&self, uri: &Url) -> Arc<Remote<()>> {
        let options = &self.0.options;
        let limits = JwkSetLimits::default();
        let limits = limits.keys(options.max_keys.min(limits.max_keys()));
        shared(&self.0.sets, uri, || {
            let plan = self.plan("the JWK set", vec![uri.clone()], options.set_bounds(), move |body| {
                check_set(body, limits)
            });
            // RFC 7517 §8.5.2; many sources know their sets only as JSON.
            Plan { accept: "application/jwk-set+json, application/json", ..plan }
        })
    }

    /// The metadata of that issuer.
    pub(crate) fn metadata(&self, issuer: &str) -> Result<Arc<Remote<Metadata>>, UrlFault> {
        let options = &self.0.options;
        let url = discovery::issuer_url(issuer, options)?;
        Ok(shared(&self.0.metadata, issuer, || {
            let (options, issuer) = (options.clone(), issuer.to_owned());
            let bounds = options.metadata_bounds();
            self.plan("the issuer's metadata", discovery::places(&url), bounds, move |body| {
                discovery::read(body, &issuer, &url, &options)
            })
        }))
    }

    fn plan<T>(
        &self,
        what: &'static str,
        places: Vec<Url>,
        bounds: super::cache::Bounds,
        read: impl Fn(&str) -> Result<T, FetchError> + Send + Sync + 'static,
    ) -> Plan<T> {
        Plan {
            what,
            // RFC 8414 §3.2 and OpenID Connect Discovery §4.2.
            accept: "application/json",
            places,
            read: Box::new(read),
            bounds,
            timeout: self.0.options.timeout,
            max_bytes: self.0.options.longest_body(),
            background: self.0.options.background,
            fetch: Arc::clone(&self.0.fetch),
        }
    }
}

impl From<JwksOptions> for KeySets {
    fn from(options: JwksOptions) -> Self {
        Self::new(options)
    }
}

impl fmt::Debug for KeySets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySets").field("options", &self.0.options).finish_non_exhaustive()
    }
}

/// The one that somebody uses already, or else a new one.
fn shared<K, Q, T>(
    known: &Mutex<HashMap<K, Weak<Remote<T>>>>,
    key: &Q,
    plan: impl FnOnce() -> Plan<T>,
) -> Arc<Remote<T>>
where
    K: Eq + Hash + std::borrow::Borrow<Q>,
    Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    T: PartialEq + Send + Sync + 'static,
{
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(remote) = known.get(key).and_then(Weak::upgrade) {
        return remote;
    }
    // An issuer that moves its keys every day must not leave a trace for each.
    known.retain(|_, remote| remote.strong_count() > 0);
    let remote = Remote::new(plan());
    known.insert(key.to_owned(), Arc::downgrade(&remote));
    remote
}

/// Whether a body may replace the set at hand: whoever trusts it makes verifiers of it afterwards, each by its own
/// list of algorithms.
///
/// A set that is explicitly empty is its issuer's word: all keys are withdrawn. So is one whose keys are for
/// something else, such as encryption. But if there are keys and none of them can be read, then something on the
/// way is broken, and the keys that worked a minute ago are better evidence than this.
fn check_set(body: &str, limits: JwkSetLimits) -> Result<(), FetchError> {
    let any = JwkSet::parse_with(body, Alg::ALL, limits).map_err(FetchError::JwkSet)?;
    if !any.keys().is_empty() || any.skipped().is_empty() {
        return Ok(());
    }
    // A key without `alg` is looked at only if one algorithm fits it.
    let single = JwkSet::parse_with(body, &ONE_OF_A_KIND, limits).map_err(FetchError::JwkSet)?;
    let mut broken = vec![false; any.skipped().len()];
    for (index, error) in any.skipped().iter().chain(single.skipped()) {
        if let Some(broken) = broken.get_mut(*index) {
            *broken |= is_broken(error);
        }
    }
    if broken.iter().all(|broken| *broken) { Err(FetchError::Garbled { keys: broken.len() }) } else { Ok(()) }
}

/// For each kind of key one algorithm, where several fit.
const ONE_OF_A_KIND: [Alg; 1] = [Alg::Rs256];

/// Whether a key cannot be read, rather than being one for somebody else. A symmetric key is for nobody.
fn is_broken(error: &KeyError) -> bool {
    matches!(
        error,
        KeyError::Secret
            | KeyError::Format { .. }
            | KeyError::Malformed { .. }
            | KeyError::MemberMissing(_)
            | KeyError::Member { .. }
            | KeyError::Invalid(_)
            | KeyError::Size { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn key() -> Value {
        let key = sealwright_jose::SigningKey::generate(Alg::Es256).unwrap().verifying_key();
        serde_json::from_str(&key.to_jwk()).unwrap()
    }

    fn with(name: &str, value: Value) -> Value {
        let mut key = key();
        key[name] = value;
        key
    }

    #[test]
    fn what_is_a_set_and_what_is_garbled() {
        let broken = || with("x", "AAAA".into());
        let garbled = |keys| Err(format!("none of the {keys} keys of the set can be read"));
        let no_set = || Err("the answer is no JWK set".to_owned());
        for (name, body, outcome) in [
            ("a key", json!({"keys": [key()]}), Ok(())),
            ("nothing: all keys are withdrawn", json!({"keys": []}), Ok(())),
            ("a broken key beside a good one", json!({"keys": [broken(), key()]}), Ok(())),
            ("one of an unknown type", json!({"keys": [with("kty", "XYZ".into())]}), Ok(())),
            ("one for encryption", json!({"keys": [with("use", "enc".into())]}), Ok(())),
            (
                "an RSA key without `alg`, too short",
                json!({"keys": [{"kty":"RSA","n":"AQAB","e":"AQAB"}]}),
                garbled(1),
            ),
            ("a broken key", json!({"keys": [broken()]}), garbled(1)),
            ("a key without its number", json!({"keys": [{"kty":"EC","crv":"P-256","x":"AA"}]}), garbled(1)),
            ("broken keys", json!({"keys": [broken(), {}, {"kty": 7}]}), garbled(3)),
            ("no objects", json!({"keys": ["a", 7, null]}), garbled(3)),
            ("a secret", json!({"keys": [{"kty": "oct", "k": "AAAA"}]}), garbled(1)),
            ("keys that are no list", json!({"keys": {}}), no_set()),
            ("no keys", json!({}), no_set()),
            ("a list", json!([key()]), no_set()),
            ("one key alone", key(), no_set()),
            ("too many", json!({"keys": vec![key(); 5]}), no_set()),
        ] {
            let checked = check_set(&body.to_string(), JwkSetLimits::default().keys(4));
            assert_eq!(checked.map_err(|error| error.to_string()), outcome, "{name}");
        }
        for body in ["", "<!doctype html>", "{", r#"{"keys":["#, r#"{"keys":[]"#, r#"{"keys":[],"keys":[]}"#]
        {
            assert!(check_set(body, JwkSetLimits::default()).is_err(), "{body}");
        }
    }
}
