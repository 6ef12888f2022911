//! JWK sets (RFC 7517 §5).

use crate::{
    Alg, KeyError, VerifyingKey,
    json::{self, Value},
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

/// The most that is read of a set: its keys may carry certificate chains.
const MAX_SET_BYTES: usize = 1024 * 1024;
const MAX_KEYS: usize = 256;
const NESTING: usize = 16;

impl JwkSet {
    /// Reads a JWK set.
    ///
    /// A key without `alg` gets the one algorithm of `allowed` that fits it; one that two fit is
    /// passed over, and so is one whose `alg` is not in `allowed`, a private and a symmetric key.
    ///
    /// # Errors
    ///
    /// If the text as a whole is no JWK set, exceeds 1 MiB or 256 keys, or has two different keys
    /// under one `kid`.
    pub fn parse(json: &str, allowed: &[Alg]) -> Result<Self, KeyError> {
        match outline(json)? {
            Outline::Set(keys) => Self::from_values(keys, allowed),
            Outline::Jwk => Err(KeyError::Format { seen: "a single JWK", wanted: "a JWK set" }),
        }
    }

    /// Reads a JWK set or a single public JWK.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse); what is wrong with a single JWK is an error too.
    pub fn parse_any(json: &str, allowed: &[Alg]) -> Result<Self, KeyError> {
        match outline(json)? {
            Outline::Set(keys) => Self::from_values(keys, allowed),
            Outline::Jwk => Self::from_keys([read(json, allowed)?]),
        }
    }

    fn from_values(keys: Vec<Value<'_>>, allowed: &[Alg]) -> Result<Self, KeyError> {
        if keys.len() > MAX_KEYS {
            return Err(KeyError::TooManyKeys(MAX_KEYS));
        }
        let mut set = Self::default();
        for (index, key) in keys.into_iter().enumerate() {
            match read(key.raw, allowed) {
                Ok(key) => set.add(key)?,
                Err(error) => set.skipped.push((index, error)),
            }
        }
        Ok(set)
    }

    /// A set of these keys. A key that is there twice is kept once.
    ///
    /// # Errors
    ///
    /// [`KeyError::DuplicateKid`] if two different keys have one `kid`.
    pub fn from_keys(keys: impl IntoIterator<Item = VerifyingKey>) -> Result<Self, KeyError> {
        let mut set = Self::default();
        for key in keys {
            set.add(key)?;
        }
        Ok(set)
    }

    fn add(&mut self, key: VerifyingKey) -> Result<(), KeyError> {
        let same_kid = |known: &&VerifyingKey| known.kid().is_some() && known.kid() == key.kid();
        if self.keys.iter().filter(same_kid).any(|known| !known.same_key(&key)) {
            return Err(KeyError::DuplicateKid);
        }
        if !self.keys.contains(&key) {
            self.keys.push(key);
        }
        Ok(())
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

enum Outline<'a> {
    Set(Vec<Value<'a>>),
    Jwk,
}

fn outline(json: &str) -> Result<Outline<'_>, KeyError> {
    if json.len() > MAX_SET_BYTES {
        return Err(KeyError::TooLarge(MAX_SET_BYTES));
    }
    if !json.trim_ascii_start().starts_with('{') {
        return Err(KeyError::Format { seen: pem::describe(json.as_bytes()), wanted: "a JWK set" });
    }
    let mut keys = None;
    let mut is_jwk = false;
    json::object(json, NESTING, |name, value| {
        if name.is("keys") {
            keys = Some(value);
        } else if name.is("kty") {
            is_jwk = true;
        }
    })
    .map_err(|error| jwk::malformed("JWK set", error))?;
    match keys {
        Some(keys) => keys
            .elements()
            .map(Outline::Set)
            .ok_or(KeyError::Member { member: "keys", problem: "is not an array" }),
        None if is_jwk => Ok(Outline::Jwk),
        None => Err(KeyError::MemberMissing("keys")),
    }
}

fn read(jwk: &str, allowed: &[Alg]) -> Result<VerifyingKey, KeyError> {
    let jwk = Jwk::parse(jwk)?;
    if jwk.kind()? == Kind::Oct {
        return Err(KeyError::Format { seen: "a symmetric key", wanted: "a public one" });
    }
    let alg = jwk.alg_among(allowed)?;
    VerifyingKey::from_parsed(&jwk, alg)
}
