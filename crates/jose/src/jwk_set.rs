//! JWK sets (RFC 7517 §5).

mod select;

pub use select::{SelectError, Selection};

use std::{
    collections::{HashMap, HashSet},
    mem,
};

use crate::{
    Alg, KeyError, VerifyingKey,
    json::{self, Part},
    jwk::{self, Jwk},
    key::{kind::Kind, pem},
};

/// The public keys of a JWK set. A key that cannot be used is passed over and listed, so that one
/// of a new kind does not lock everybody out.
///
/// ```
/// use sealwright_jose::{Alg, JwkSet, SigningKey};
///
/// let ours = SigningKey::generate(Alg::Es256)?.with_kid("a").verifying_key();
/// let json = format!(r#"{{"keys":[{},{{"kty":"AKP","alg":"ML-DSA-44","pub":"AAAA"}}]}}"#, ours.to_jwk());
/// let set = JwkSet::parse(&json, &[Alg::Es256])?;
/// assert_eq!(set.keys(), [ours]);
/// assert_eq!(set.skipped()[0].0, 1, "the second one");
/// # Ok::<(), sealwright_jose::KeyError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct JwkSet {
    keys: Vec<VerifyingKey>,
    skipped: Vec<(usize, KeyError)>,
}

/// How much of a stranger's set is read.
///
/// ```
/// use sealwright_jose::{Alg, JwkSet, JwkSetLimits, KeyError};
///
/// let limits = JwkSetLimits::default().keys(1);
/// let error = JwkSet::parse_with(r#"{"keys":[{},{}]}"#, &[Alg::Es256], limits).unwrap_err();
/// assert_eq!(error, KeyError::TooManyKeys(1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JwkSetLimits {
    /// Bytes of the whole text. Default: 1 MiB, since keys may carry certificate chains.
    pub bytes: usize,
    /// Keys, usable or not. Default: 256.
    pub keys: usize,
}

impl Default for JwkSetLimits {
    fn default() -> Self {
        Self { bytes: 1024 * 1024, keys: 256 }
    }
}

impl JwkSetLimits {
    /// The same limits with this many bytes.
    #[must_use]
    pub fn bytes(self, bytes: usize) -> Self {
        Self { bytes, ..self }
    }

    /// The same limits with this many keys.
    #[must_use]
    pub fn keys(self, keys: usize) -> Self {
        Self { keys, ..self }
    }
}

const NESTING: usize = 16;

impl JwkSet {
    /// Reads a JWK set.
    ///
    /// A key without `alg` gets the one algorithm of `allowed` that fits it; one that two fit is
    /// passed over, and so is one whose `alg` is not in `allowed`, a private and a symmetric key.
    ///
    /// Two different keys under one `kid` both stay: a token that names it is ambiguous, the others
    /// are not.
    ///
    /// # Errors
    ///
    /// If the text as a whole is no JWK set, or exceeds the default [`JwkSetLimits`].
    pub fn parse(json: &str, allowed: &[Alg]) -> Result<Self, KeyError> {
        Self::parse_with(json, allowed, JwkSetLimits::default())
    }

    /// As [`parse`](Self::parse), with other limits.
    ///
    /// # Errors
    ///
    /// If the text as a whole is no JWK set, or exceeds the limits.
    pub fn parse_with(json: &str, allowed: &[Alg], limits: JwkSetLimits) -> Result<Self, KeyError> {
        match outline(json, limits)? {
            Outline::Set(keys) => Ok(Self::from_elements(keys, allowed)),
            Outline::Jwk => Err(KeyError::Format { seen: "a single JWK", wanted: "a JWK set" }),
        }
    }

    /// Reads a JWK set or a single public JWK.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse); what is wrong with a single JWK is an error too.
    pub fn parse_any(json: &str, allowed: &[Alg]) -> Result<Self, KeyError> {
        let limits = JwkSetLimits::default();
        match outline(json, limits)? {
            Outline::Set(keys) => Ok(Self::from_elements(keys, allowed)),
            Outline::Jwk => Self::from_keys([read(&Jwk::parse(json)?, allowed)?]),
        }
    }

    fn from_elements(keys: Vec<Element<'_>>, allowed: &[Alg]) -> Self {
        let mut skipped = Vec::new();
        let read = |(index, key): (usize, Element<'_>)| {
            let key = key.jwk.of_scanned(key.text).and_then(|jwk| read(&jwk, allowed));
            key.map_err(|error| skipped.push((index, error))).ok()
        };
        let keys = distinct(keys.into_iter().enumerate().filter_map(read));
        Self { keys, skipped }
    }

    /// A set of these keys, to be published. A key that is there twice is kept once.
    ///
    /// # Errors
    ///
    /// [`KeyError::DuplicateKid`] if two different keys have one `kid`, which nobody wants to
    /// publish.
    pub fn from_keys(keys: impl IntoIterator<Item = VerifyingKey>) -> Result<Self, KeyError> {
        let keys = distinct(keys);
        let mut named: HashMap<&str, &VerifyingKey> = HashMap::with_capacity(keys.len());
        for key in &keys {
            let known = key.kid().and_then(|kid| named.insert(kid, key));
            if known.is_some_and(|known| !known.same_key(key)) {
                return Err(KeyError::DuplicateKid);
            }
        }
        Ok(Self { keys, skipped: Vec::new() })
    }

    /// The keys that can be used.
    pub fn keys(&self) -> &[VerifyingKey] {
        &self.keys
    }

    /// The others: where each stood in the array, and why it is not used.
    pub fn skipped(&self) -> &[(usize, KeyError)] {
        &self.skipped
    }

    /// The set as JSON, to be published. It can hold nothing secret.
    pub fn to_json(&self) -> String {
        let keys: Vec<_> = self.keys.iter().map(VerifyingKey::to_jwk).collect();
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }
}

/// Each key once, where it stands first.
fn distinct(keys: impl IntoIterator<Item = VerifyingKey>) -> Vec<VerifyingKey> {
    let keys: Vec<_> = keys.into_iter().collect();
    let mut seen = HashSet::with_capacity(keys.len());
    let is_first: Vec<_> =
        keys.iter().map(|key| seen.insert((key.alg(), key.kid(), key.material()))).collect();
    keys.into_iter().zip(is_first).filter_map(|(key, is_first)| is_first.then_some(key)).collect()
}

enum Outline<'a> {
    Set(Vec<Element<'a>>),
    Jwk,
}

/// An element of the array and, if it is an object, its members.
struct Element<'a> {
    text: &'a str,
    jwk: Jwk<'a>,
}

fn outline(json: &str, limits: JwkSetLimits) -> Result<Outline<'_>, KeyError> {
    if json.len() > limits.bytes {
        return Err(KeyError::TooLarge(limits.bytes));
    }
    if !json.trim_ascii_start().starts_with('{') {
        return Err(KeyError::Format { seen: pem::describe(json.as_bytes()), wanted: "a JWK set" });
    }
    let mut keys = None;
    let mut is_jwk = false;
    let mut elements = Vec::new();
    let mut jwk = Jwk::default();
    let mut too_many = false;
    json::object_of_objects(json, NESTING, "keys", |part| match part {
        Part::ElementMember(name, value) => jwk.add(name, value),
        Part::Element(_) if elements.len() == limits.keys => too_many = true,
        Part::Element(element) => elements.push(Element { text: element.raw(), jwk: mem::take(&mut jwk) }),
        Part::Member(name, value) if name.is("keys") => keys = Some(value),
        Part::Member(name, _) => is_jwk |= name.is("kty"),
    })
    .map_err(|error| jwk::malformed("JWK set", error))?;
    match keys {
        Some(keys) if !keys.is_array() => {
            Err(KeyError::Member { member: "keys", problem: "is not an array" })
        }
        Some(_) if too_many => Err(KeyError::TooManyKeys(limits.keys)),
        Some(_) => Ok(Outline::Set(elements)),
        None if is_jwk => Ok(Outline::Jwk),
        None => Err(KeyError::MemberMissing("keys")),
    }
}

fn read(jwk: &Jwk<'_>, allowed: &[Alg]) -> Result<VerifyingKey, KeyError> {
    if jwk.kind()? == Kind::Oct {
        return Err(KeyError::Format { seen: "a symmetric key", wanted: "a public one" });
    }
    let alg = jwk.alg_among(allowed)?;
    VerifyingKey::from_parsed(jwk, alg)
}
