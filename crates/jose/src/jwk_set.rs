//! JWK sets (RFC 7517 §5).

mod select;

pub use select::{SelectError, Selection};

use std::collections::HashMap;

use crate::{
    Alg, KeyError, VerifyingKey,
    json::{self, Name, Parts, Value},
    jwk::{self, Jwk},
    jws::MAX_NESTING,
    key::pem,
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
pub struct JwkSetLimits {
    bytes: usize,
    keys: usize,
    nesting: usize,
}

impl Default for JwkSetLimits {
    fn default() -> Self {
        Self { bytes: 1024 * 1024, keys: 256, nesting: 16 }
    }
}

impl JwkSetLimits {
    /// The same limits with this many bytes of the whole text. Default: 1 MiB, since keys may carry
    /// certificate chains.
    ///
    /// ```
    /// use sealwright_jose::{Alg, JwkSet, JwkSetLimits, KeyError};
    ///
    /// let limits = JwkSetLimits::default().bytes(16);
    /// let error = JwkSet::parse_with(r#"{"keys":[],"x":0}"#, &[Alg::Es256], limits).unwrap_err();
    /// assert_eq!(error, KeyError::TooLarge(16), "there are 17");
    /// ```
    #[must_use]
    pub fn bytes(self, bytes: usize) -> Self {
        Self { bytes, ..self }
    }

    /// The same limits with this many keys, usable or not. Default: 256.
    ///
    /// ```
    /// use sealwright_jose::{Alg, JwkSet, JwkSetLimits};
    ///
    /// let limits = JwkSetLimits::default().keys(2);
    /// let set = JwkSet::parse_with(r#"{"keys":[{},7]}"#, &[Alg::Es256], limits)?;
    /// assert_eq!(set.skipped().len(), 2, "what is no key counts, too");
    /// assert!(JwkSet::parse_with(r#"{"keys":[{},7,{}]}"#, &[Alg::Es256], limits).is_err());
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    #[must_use]
    pub fn keys(self, keys: usize) -> Self {
        Self { keys, ..self }
    }

    /// The same limits with this depth of objects and arrays in each other, at most 64. Default: 16.
    ///
    /// ```
    /// use sealwright_jose::{Alg, JwkSet, JwkSetLimits};
    ///
    /// let json = r#"{"keys":[{"x5c":[]}]}"#;
    /// let parse = |limits| JwkSet::parse_with(json, &[Alg::Es256], limits);
    /// assert!(parse(JwkSetLimits::default().nesting(4)).is_ok());
    /// let error = parse(JwkSetLimits::default().nesting(3)).unwrap_err();
    /// assert_eq!(error.to_string(), "malformed JWK set: nested too deeply");
    /// ```
    #[must_use]
    pub fn nesting(self, nesting: usize) -> Self {
        Self { nesting: nesting.min(MAX_NESTING), ..self }
    }

    /// How many bytes are read at most.
    ///
    /// ```
    /// use sealwright_jose::JwkSetLimits;
    ///
    /// // For the buffer that a set is fetched into.
    /// assert_eq!(JwkSetLimits::default().max_bytes(), 1024 * 1024);
    /// ```
    pub fn max_bytes(&self) -> usize {
        self.bytes
    }

    /// How many keys are read at most.
    ///
    /// ```
    /// use sealwright_jose::JwkSetLimits;
    ///
    /// assert_eq!(JwkSetLimits::default().max_keys(), 256);
    /// assert_eq!(JwkSetLimits::default().bytes(4096).max_keys(), 256, "each limit is set alone");
    /// ```
    pub fn max_keys(&self) -> usize {
        self.keys
    }

    /// How deep objects and arrays may stand in each other; the set itself is the first.
    ///
    /// ```
    /// use sealwright_jose::JwkSetLimits;
    ///
    /// assert_eq!(JwkSetLimits::default().max_nesting(), 16);
    /// assert_eq!(JwkSetLimits::default().nesting(1000).max_nesting(), 64, "no more can be asked for");
    /// ```
    pub fn max_nesting(&self) -> usize {
        self.nesting
    }
}

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
    /// If the text as a whole is no JWK set: [`KeyError::Format`] for another format, also for a single JWK,
    /// [`KeyError::Malformed`] for JSON that is not strict or nested too deeply, [`KeyError::MemberMissing`]
    /// and [`KeyError::Member`] without an array `keys`; [`KeyError::TooLarge`] and
    /// [`KeyError::TooManyKeys`] if it exceeds the default [`JwkSetLimits`].
    ///
    /// # Examples
    ///
    /// ```
    /// use sealwright_jose::{Alg, JwkSet, KeyError, SigningKey};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?.with_kid("a").verifying_key();
    /// let json = format!(r#"{{"keys":[{},{{"kty":"oct","k":"AAAA"}}]}}"#, key.to_jwk());
    /// let set = JwkSet::parse(&json, &[Alg::Es256])?;
    /// assert_eq!((set.keys(), set.skipped()), (&[key][..], &[(1, KeyError::Secret)][..]));
    /// assert!(JwkSet::parse(r#"{"keys":7}"#, &[Alg::Es256]).is_err());
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn parse(json: &str, allowed: &[Alg]) -> Result<Self, KeyError> {
        Self::parse_with(json, allowed, JwkSetLimits::default())
    }

    /// As [`parse`](Self::parse), with other limits.
    ///
    /// ```
    /// use sealwright_jose::{Alg, JwkSet, JwkSetLimits, SigningKey};
    ///
    /// // An issuer of our own has two keys at a time, and they are small.
    /// let limits = JwkSetLimits::default().bytes(2048).keys(2);
    /// let json = JwkSet::from_keys([SigningKey::generate(Alg::Ed25519)?.verifying_key()])?.to_json();
    /// assert_eq!(JwkSet::parse_with(&json, &[Alg::Ed25519], limits)?.keys().len(), 1);
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse), by these limits.
    pub fn parse_with(json: &str, allowed: &[Alg], limits: JwkSetLimits) -> Result<Self, KeyError> {
        match scan(json, allowed, limits)? {
            Outline::Set(set) => Ok(set),
            Outline::Jwk => Err(KeyError::Format { seen: "a single JWK", wanted: "a JWK set" }),
        }
    }

    /// Reads a JWK set or a single public JWK, of which it makes a set of one key.
    ///
    /// ```
    /// use sealwright_jose::{Alg, JwkSet, KeyError, SigningKey};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?.verifying_key();
    /// assert_eq!(JwkSet::parse_any(&key.to_jwk(), &[Alg::Es256])?.keys(), [key]);
    /// // In a set a private key is skipped; alone it is all that there is.
    /// let private = SigningKey::generate(Alg::Es256)?.to_jwk()?;
    /// assert_eq!(JwkSet::parse_any(&private, &[Alg::Es256]).unwrap_err(), KeyError::Secret);
    /// # Ok::<(), KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse); for a single JWK, what would be among a set's [`skipped`](Self::skipped).
    pub fn parse_any(json: &str, allowed: &[Alg]) -> Result<Self, KeyError> {
        Self::parse_any_with(json, allowed, JwkSetLimits::default())
    }

    /// As [`parse_any`](Self::parse_any), with other limits. A single JWK has one of its own, 64 KiB, too.
    ///
    /// ```
    /// use sealwright_jose::{Alg, JwkSet, JwkSetLimits, KeyError, SigningKey};
    ///
    /// let jwk = SigningKey::generate(Alg::Es256)?.verifying_key().to_jwk();
    /// let limits = JwkSetLimits::default().bytes(100);
    /// assert_eq!(JwkSet::parse_any_with(&jwk, &[Alg::Es256], limits).unwrap_err(), KeyError::TooLarge(100));
    /// # Ok::<(), KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`parse_any`](Self::parse_any), by these limits.
    pub fn parse_any_with(json: &str, allowed: &[Alg], limits: JwkSetLimits) -> Result<Self, KeyError> {
        match scan(json, allowed, limits)? {
            Outline::Set(set) => Ok(set),
            Outline::Jwk => Self::from_keys([read(&Jwk::parse(json)?, allowed)?]),
        }
    }

    /// A set of these keys, to be published. A key that is there twice is kept once.
    ///
    /// ```
    /// use sealwright_jose::{Alg, JwkSet, KeyError, SigningKey};
    ///
    /// let key = SigningKey::generate(Alg::Ed25519)?.with_kid("2026-11").verifying_key();
    /// let other = SigningKey::generate(Alg::Ed25519)?.with_kid("2026-11").verifying_key();
    /// assert_eq!(JwkSet::from_keys([key.clone(), key.clone()])?.keys().len(), 1);
    /// assert_eq!(JwkSet::from_keys([key, other]).unwrap_err(), KeyError::DuplicateKid);
    /// # Ok::<(), KeyError>(())
    /// ```
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

    /// The keys that can be used, in the order in which they were given.
    ///
    /// ```
    /// use sealwright_jose::{Alg, JwkSet, SigningKey};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?.with_kid("a").verifying_key();
    /// let json = JwkSet::from_keys([key.clone(), key.with_kid("b")])?.to_json();
    /// let set = JwkSet::parse(&json, &[Alg::Es256])?;
    /// let kids: Vec<_> = set.keys().iter().filter_map(|key| key.kid()).collect();
    /// assert_eq!(kids, ["a", "b"], "in the order of the text; one key can have two names");
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn keys(&self) -> &[VerifyingKey] {
        &self.keys
    }

    /// The others: where each stood in the array, and why it is not used.
    ///
    /// ```
    /// use sealwright_jose::{Alg, JwkSet};
    ///
    /// let json = r#"{"keys":[{"kty":"EC","crv":"P-256"},{"kty":"RSA"},{"kty":"EC","crv":"P-224"}]}"#;
    /// let set = JwkSet::parse(json, &[Alg::Es256])?;
    /// let why: Vec<_> = set.skipped().iter().map(|(at, error)| format!("{at}: {error}")).collect();
    /// assert_eq!(why[0], "0: the JWK has no member `x`");
    /// assert_eq!(why[1], "1: the key is for none of the allowed algorithms");
    /// assert!(why[2].starts_with("2: a curve (`crv`) other than P-256, "));
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn skipped(&self) -> &[(usize, KeyError)] {
        &self.skipped
    }

    /// The set as JSON, to be published. It can hold nothing secret.
    ///
    /// ```
    /// use sealwright_jose::{Alg, JwkSet, VerifyingKey};
    ///
    /// let jwk = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    /// let key = VerifyingKey::from_jwk_as(Alg::Ed25519, jwk)?;
    /// assert_eq!(JwkSet::from_keys([key.clone()])?.to_json(), format!(r#"{{"keys":[{}]}}"#, key.to_jwk()));
    /// assert_eq!(JwkSet::default().to_json(), r#"{"keys":[]}"#);
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn to_json(&self) -> String {
        let keys: Vec<_> = self.keys.iter().map(VerifyingKey::to_jwk).collect();
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }
}

/// These keys as somebody else published them: two different ones under one `kid` both stay, as in
/// [`JwkSet::parse`]. For keys of one's own there is [`JwkSet::from_keys`].
impl FromIterator<VerifyingKey> for JwkSet {
    fn from_iter<I: IntoIterator<Item = VerifyingKey>>(keys: I) -> Self {
        Self { keys: distinct(keys), skipped: Vec::new() }
    }
}

/// Each key once, where it stands first.
///
/// Keys are sorted to find those that are there twice, since nobody can choose keys that make that slow.
/// A mark of 64 bits tells most of them apart before they are looked at.
fn distinct(keys: impl IntoIterator<Item = VerifyingKey>) -> Vec<VerifyingKey> {
    let mut keys: Vec<_> = keys.into_iter().collect();
    if have_other_bits(keys.iter().map(VerifyingKey::mark)) {
        return keys;
    }
    let mut sorted: Vec<_> = keys.iter().map(VerifyingKey::mark).zip(0..).collect();
    let same_mark = |(_, a): (u64, usize), (_, b): (u64, usize)| keys[a].order().cmp(&keys[b].order());
    sorted.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| same_mark(*a, *b)).then(a.1.cmp(&b.1)));
    let mut is_again = vec![false; keys.len()];
    for pair in sorted.windows(2).filter(|pair| pair[0].0 == pair[1].0 && same_mark(pair[0], pair[1]).is_eq())
    {
        is_again[pair[1].1] = true;
    }
    let mut is_again = is_again.into_iter();
    keys.retain(|_| is_again.next() == Some(false));
    keys
}

/// Whether each of the marks has a bit of its own in a table, so that no two are the same. Of a hundred different
/// ones they mostly have.
fn have_other_bits(marks: impl Iterator<Item = u64>) -> bool {
    const BITS: u32 = 15;
    let mut table = [0_u64; 1 << (BITS - 6)];
    for mark in marks {
        // The top bits of a product depend on all bits of its factors.
        let bit = (mark.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - BITS)) as usize;
        let word = &mut table[bit / 64];
        if *word >> (bit % 64) & 1 == 1 {
            return false;
        }
        *word |= 1 << (bit % 64);
    }
    true
}

enum Outline {
    Set(JwkSet),
    Jwk,
}

/// Reads a set in one pass over its text, or two if it is long. Keys of a text that turns out to be malformed have
/// been checked for nothing: no more of them than the limit.
fn scan(json: &str, allowed: &[Alg], limits: JwkSetLimits) -> Result<Outline, KeyError> {
    if json.len() > limits.bytes {
        return Err(KeyError::TooLarge(limits.bytes));
    }
    if !json.trim_ascii_start().starts_with('{') {
        return Err(KeyError::Format { seen: pem::describe(json.as_bytes()), wanted: "a JWK set" });
    }
    let most = count_keys(json, limits)?;
    let mut reader = Reader {
        allowed,
        limit: limits.keys,
        jwk: Jwk::new(),
        keys: Vec::with_capacity(most),
        skipped: Vec::new(),
        seen: 0,
        array: None,
        is_jwk: false,
    };
    json::object_of_objects(json, limits.nesting, "keys", &mut reader)
        .map_err(|error| jwk::malformed("JWK set", error))?;
    match reader.array {
        Some(array) if !array.is_array() => {
            Err(KeyError::Member { member: "keys", problem: "is not an array" })
        }
        Some(_) if reader.seen > limits.keys => Err(KeyError::TooManyKeys(limits.keys)),
        Some(_) => Ok(Outline::Set(JwkSet { keys: distinct(reader.keys), skipped: reader.skipped })),
        None if reader.is_jwk => Ok(Outline::Jwk),
        None => Err(KeyError::MemberMissing("keys")),
    }
}

/// How many keys a set has at most, never more than the limit. One with too many is refused before the first of them is
/// looked at. That most sets have few enough, their braces tell, without a second look at their text: the set has one,
/// and each key.
fn count_keys(json: &str, limits: JwkSetLimits) -> Result<usize, KeyError> {
    // Up to 255 at a time fit a byte, so that the processor counts many bytes at once.
    let braces = |bytes: &[u8]| bytes.iter().map(|byte| u8::from(*byte == b'{')).sum::<u8>();
    let all: usize = json.as_bytes().chunks(255).map(|bytes| usize::from(braces(bytes))).sum();
    if all <= limits.keys {
        return Ok(all.saturating_sub(1));
    }
    let mut array: Option<Value<'_>> = None;
    let scanned = json::object(json, limits.nesting, |name, value| {
        if name.is("keys") {
            array = Some(value);
        }
    });
    let mut count = 0;
    if let (Ok(()), Some(array)) = (scanned, array) {
        array.for_each_element(&mut |_| count += 1);
    }
    if count > limits.keys { Err(KeyError::TooManyKeys(limits.keys)) } else { Ok(count) }
}

/// What has been read of a set.
struct Reader<'r, 'a> {
    allowed: &'r [Alg],
    limit: usize,
    /// The key whose members are being shown.
    jwk: Jwk<'a>,
    keys: Vec<VerifyingKey>,
    skipped: Vec<(usize, KeyError)>,
    seen: usize,
    array: Option<Value<'a>>,
    is_jwk: bool,
}

impl<'a> Parts<'a> for Reader<'_, 'a> {
    fn member(&mut self, name: Name<'a>, value: Value<'a>) {
        if name.is("keys") {
            self.array = Some(value);
        }
        self.is_jwk |= name.is("kty");
    }

    fn element(&mut self, element: Value<'a>) {
        // Elements that are no objects were not counted.
        if self.seen < self.limit {
            match self.jwk.check_scanned(element.raw()).and_then(|()| read(&self.jwk, self.allowed)) {
                Ok(key) => self.keys.push(key),
                Err(error) => self.skipped.push((self.seen, error)),
            }
        }
        self.jwk.clear();
        self.seen += 1;
    }

    #[inline]
    fn element_member(&mut self, name: Name<'a>, value: Value<'a>) {
        self.jwk.add(name, value);
    }
}

fn read(jwk: &Jwk<'_>, allowed: &[Alg]) -> Result<VerifyingKey, KeyError> {
    // Before anything else is: whoever reads the reasons must find each secret, of whatever type and algorithm.
    if jwk.is_secret() {
        return Err(KeyError::Secret);
    }
    let (alg, kind) = jwk.alg_among(allowed)?;
    VerifyingKey::from_public(jwk, alg, kind)
}
