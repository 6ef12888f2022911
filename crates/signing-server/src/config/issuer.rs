//! `TrustedIssuer`: whose tokens count, under which terms, and where users of that issuer sign in.

use std::time::Duration;

use schemars::JsonSchema;
use sealwright_jose::{Alg, JwkSet, VerifyingKey};
use sealwright_resource_server::{IssuerConfig, KeySource};
use sealwright_service::{
    resource::{DurationField, Report, Resource},
    secret::{Secret, SecretRef},
};
use serde::Deserialize;
use url::Url;

use super::{alg::AlgName, uri};

pub(crate) const MAX_CLOCK_SKEW: Duration = Duration::from_secs(600);

/// `TrustedIssuer.spec`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TrustedIssuerSpec {
    /// Equals `iss`, byte for byte.
    issuer: String,
    /// Whether the issuer's metadata says where its keys are (RFC 8414, OpenID Connect Discovery): looked up by `issuer`,
    /// which is an https URL then, and believed for keys on that host and port. Or `jwksURI`, or `keys`. Default: no.
    #[serde(default)]
    discovery: bool,
    /// Where the issuer publishes its keys; or `discovery`, or `keys`.
    #[serde(rename = "jwksURI", default)]
    jwks_uri: Option<String>,
    /// Where it tells of changes of the keys at `jwksURI`, as Sealwright's authorization server does at
    /// `/oauth2/jwks/events`. With `discovery` the metadata says that. Default: nobody listens.
    #[serde(rename = "jwksEventsURI", default)]
    jwks_events_uri: Option<String>,
    /// Fixed keys; or `jwksURI`, or `discovery`.
    #[serde(default)]
    keys: Option<Vec<KeySpec>>,
    /// The algorithms that its tokens may have.
    algs: Vec<AlgName>,
    /// Accepted `typ` values. Default: `at+jwt`.
    #[serde(default = "default_typ")]
    typ: Vec<String>,
    /// Whether a token without `typ` passes. Default: no.
    #[serde(default)]
    typ_optional: bool,
    /// One of these must be in `aud`.
    audiences: Vec<String>,
    /// Tolerance on times. Default: `60s`.
    #[serde(default = "default_clock_skew")]
    clock_skew: DurationField,
    /// The oldest token, counted from `iat`. Default: no limit but `exp`.
    #[serde(default)]
    max_token_age: Option<DurationField>,
    /// Where the server may ask for authentication contexts in a client's name.
    #[serde(default)]
    authentication_contexts: Option<ContextsSpec>,
}

/// One fixed key: `jwk`, or `spki` with what a JWK would say.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct KeySpec {
    /// The key id that tokens name. Default: none.
    #[serde(default)]
    kid: Option<String>,
    /// Base64 of the DER SubjectPublicKeyInfo, without PEM armour.
    #[serde(default)]
    spki: Option<String>,
    /// The key's algorithm. Default: the issuer's only one.
    #[serde(default)]
    alg: Option<AlgName>,
    /// A public JWK.
    #[serde(default)]
    jwk: Option<serde_json::Map<String, serde_json::Value>>,
}

/// `TrustedIssuer.spec.authenticationContexts`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ContextsSpec {
    /// The endpoint of the authorization server.
    uri: String,
    /// The id of this signing server there.
    #[serde(rename = "clientID")]
    client_id: String,
    /// Its secret there.
    client_secret: SecretRef,
}

fn default_typ() -> Vec<String> {
    vec!["at+jwt".to_owned()]
}

fn default_clock_skew() -> DurationField {
    DurationField(Duration::from_secs(60))
}

/// An issuer, read.
#[derive(Clone, Debug)]
pub(crate) struct IssuerSettings {
    pub(crate) name: String,
    pub(crate) terms: IssuerConfig,
    pub(crate) contexts: Option<ContextsConfig>,
}

/// How to ask an issuer for authentication contexts.
#[derive(Clone, Debug)]
pub(crate) struct ContextsConfig {
    pub(crate) uri: Url,
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
}

pub(super) fn read(resource: &Resource, unsafe_http: bool, report: &mut Report) -> Option<IssuerSettings> {
    let spec: TrustedIssuerSpec = resource.spec(report)?;
    let algs: Vec<Alg> = spec.algs.iter().copied().map(Alg::from).collect();
    check_lists(&spec, resource, report);
    let keys = key_source(&spec, &algs, unsafe_http, resource, report);
    let events = spec.jwks_events_uri.as_deref();
    let jwks_events =
        events.and_then(|uri| uri::outgoing(uri, unsafe_http, resource, "spec.jwksEventsURI", report));
    if spec.jwks_events_uri.is_some() && spec.jwks_uri.is_none() {
        resource.fault("spec.jwksEventsURI", "news are of the keys at `jwksURI`; name that, too", report);
    }
    let contexts = spec.authentication_contexts.as_ref().map(|contexts| ContextsConfigParts {
        secret: contexts
            .client_secret
            .read(resource.base_dir())
            .map_err(|error| {
                let path = "spec.authenticationContexts.clientSecret";
                resource.fault(path, error.to_string(), report);
            })
            .ok(),
        uri: uri::outgoing(&contexts.uri, unsafe_http, resource, "spec.authenticationContexts.uri", report),
        spec: contexts,
    });
    let contexts = match contexts {
        Some(parts) => Some(parts.complete()?),
        None => None,
    };
    let mut audiences = spec.audiences.into_iter();
    let terms = IssuerConfig::new(spec.issuer, audiences.next()?)
        .keys(keys?, algs)
        .typ(spec.typ)
        .typ_optional(spec.typ_optional)
        .clock_skew(spec.clock_skew.0)
        .max_token_age(spec.max_token_age.map(|age| age.0));
    let terms = audiences.fold(terms, IssuerConfig::audience);
    let terms = jwks_events.into_iter().fold(terms, IssuerConfig::jwks_events);
    Some(IssuerSettings { name: resource.name.clone(), terms, contexts })
}

struct ContextsConfigParts<'s> {
    uri: Option<Url>,
    secret: Option<Secret>,
    spec: &'s ContextsSpec,
}

impl ContextsConfigParts<'_> {
    fn complete(self) -> Option<ContextsConfig> {
        Some(ContextsConfig {
            uri: self.uri?,
            client_id: self.spec.client_id.clone(),
            client_secret: self.secret?,
        })
    }
}

fn check_lists(spec: &TrustedIssuerSpec, resource: &Resource, report: &mut Report) {
    if spec.issuer.is_empty() {
        resource.fault("spec.issuer", "must not be empty", report);
    }
    if spec.algs.is_empty() {
        resource.fault("spec.algs", "name at least one algorithm", report);
    }
    if spec.audiences.is_empty() {
        resource.fault(
            "spec.audiences",
            "name at least one audience: a token for anybody is for nobody",
            report,
        );
    }
    if spec.typ.is_empty() && !spec.typ_optional {
        resource.fault("spec.typ", "name at least one type, or set `typOptional: true`", report);
    }
    if spec.clock_skew.0 > MAX_CLOCK_SKEW {
        resource.fault("spec.clockSkew", "must not be more than 600s", report);
    }
}

fn key_source(
    spec: &TrustedIssuerSpec,
    algs: &[Alg],
    unsafe_http: bool,
    resource: &Resource,
    report: &mut Report,
) -> Option<KeySource> {
    match (spec.discovery, &spec.jwks_uri, &spec.keys) {
        (true, None, None) => {
            let url = uri::outgoing(&spec.issuer, unsafe_http, resource, "spec.issuer", report)?;
            if url.query().is_some() {
                let why = "an issuer that is discovered has no query: its metadata is at a path of its own";
                resource.fault("spec.issuer", why, report);
                return None;
            }
            Some(KeySource::Discovery)
        }
        (false, Some(text), None) => {
            uri::outgoing(text, unsafe_http, resource, "spec.jwksURI", report).map(KeySource::JwksUri)
        }
        (false, None, Some(keys)) if keys.is_empty() => {
            resource.fault("spec.keys", "name at least one key", report);
            None
        }
        (false, None, Some(keys)) => {
            let read = keys.iter().enumerate().map(|(index, key)| {
                fixed_key(key, algs)
                    .map_err(|message| resource.fault(&format!("spec.keys[{index}]"), message, report))
            });
            // Not `collect::<Result>` at once: that would stop at the first fault.
            let read: Vec<Result<VerifyingKey, ()>> = read.collect();
            read.into_iter().collect::<Result<Vec<_>, ()>>().ok().map(KeySource::Fixed)
        }
        _ => {
            resource.fault("spec", "needs exactly one of `discovery`, `jwksURI` and `keys`", report);
            None
        }
    }
}

fn fixed_key(spec: &KeySpec, algs: &[Alg]) -> Result<VerifyingKey, String> {
    let named = spec.alg.map(Alg::from);
    if let Some(alg) = named
        && !algs.contains(&alg)
    {
        return Err(format!("its algorithm {} is not in `algs`", alg.name()));
    }
    let candidates = named.map_or_else(|| algs.to_vec(), |alg| vec![alg]);
    let key = match (&spec.spki, &spec.jwk) {
        (Some(spki), None) => {
            let [alg] = candidates[..] else {
                return Err("`alg` is needed, since the issuer has several".to_owned());
            };
            let der = base64_simd::STANDARD
                .decode_to_vec(spki)
                .map_err(|_| "`spki` is not base64 of a DER public key".to_owned())?;
            VerifyingKey::from_spki_der(alg, &der).map_err(|error| format!("`spki`: {error}"))?
        }
        (None, Some(jwk)) => {
            let set = serde_json::json!({ "keys": [jwk] }).to_string();
            let set = JwkSet::parse(&set, &candidates).map_err(|error| format!("`jwk`: {error}"))?;
            match (set.keys(), set.skipped()) {
                ([key], _) => key.clone(),
                (_, [(_, error), ..]) => return Err(format!("`jwk`: {error}")),
                _ => return Err("`jwk` is not a key that can be used".to_owned()),
            }
        }
        _ => return Err("needs exactly one of `spki` and `jwk`".to_owned()),
    };
    if !algs.contains(&key.alg()) {
        return Err(format!("its algorithm {} is not in `algs`", key.alg().name()));
    }
    Ok(match &spec.kid {
        Some(kid) => key.with_kid(kid),
        None => key,
    })
}
