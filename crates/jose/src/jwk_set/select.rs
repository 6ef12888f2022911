//! The one key of a set that is meant.

use crate::{Alg, JwkSet, VerifyingKey};

/// What is known of the key that is looked for. What is not named does not matter.
/// `use` and `key_ops` (RFC 7517 §4.2, §4.3) need not be named: a key that they forbid to verify is none of a set's.
///
/// ```
/// use sealwright_jose::{Alg, JwkSet, Selection, SigningKey};
///
/// // What is named must all fit.
/// let key = SigningKey::generate(Alg::Es256)?.with_kid("a").verifying_key();
/// let set = JwkSet::from_keys([key])?;
/// assert!(set.select(&Selection::new().kid("a").alg(Alg::Es256)).is_ok());
/// assert!(set.select(&Selection::new().kid("a").alg(Alg::Ed25519)).is_err());
/// # Ok::<(), sealwright_jose::KeyError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Selection<'a> {
    kid: Option<&'a str>,
    alg: Option<Alg>,
    thumbprint: Option<[u8; 32]>,
}

impl<'a> Selection<'a> {
    /// Nothing is known.
    ///
    /// ```
    /// use sealwright_jose::{Alg, JwkSet, Selection, SigningKey};
    ///
    /// // Of a set of one key nothing need be known.
    /// let key = SigningKey::generate(Alg::Ed25519)?.verifying_key();
    /// assert_eq!(JwkSet::from_keys([key.clone()])?.select(&Selection::new()), Ok(&key));
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// A token names this `kid`.
    ///
    /// ```
    /// use sealwright_jose::{Alg, JwkSet, Selection, SigningKey};
    ///
    /// // A key without a `kid` is meant by each that no other key has.
    /// let nameless = SigningKey::generate(Alg::Es256)?.verifying_key();
    /// let named = SigningKey::generate(Alg::Es256)?.with_kid("a").verifying_key();
    /// let set = JwkSet::from_keys([nameless.clone(), named.clone()])?;
    /// assert_eq!(set.select(&Selection::new().kid("a")), Ok(&named));
    /// assert_eq!(set.select(&Selection::new().kid("b")), Ok(&nameless));
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    #[must_use]
    pub fn kid(self, kid: &'a str) -> Self {
        Self { kid: Some(kid), ..self }
    }

    /// The key must be for this algorithm.
    ///
    /// ```
    /// use sealwright_jose::{Alg, JwkSet, Selection, SigningKey};
    ///
    /// let old = SigningKey::generate(Alg::Es256)?.verifying_key();
    /// let new = SigningKey::generate(Alg::Ed25519)?.verifying_key();
    /// let set = JwkSet::from_keys([old, new.clone()])?;
    /// assert_eq!(set.select(&Selection::new().alg(Alg::Ed25519)), Ok(&new));
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    #[must_use]
    pub fn alg(self, alg: Alg) -> Self {
        Self { alg: Some(alg), ..self }
    }

    /// The key must have this [thumbprint](VerifyingKey::thumbprint) (RFC 7638, SHA-256).
    ///
    /// ```
    /// use sealwright_jose::{Alg, JwkSet, Selection, SigningKey, base64url};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?.verifying_key();
    /// let set = JwkSet::from_keys([key.clone(), SigningKey::generate(Alg::Es256)?.verifying_key()])?;
    /// // As a token says it, in `cnf.jkt` (RFC 9449 §6.1).
    /// let jkt = base64url::encode(key.thumbprint());
    /// assert_eq!(set.select(&Selection::new().thumbprint(base64url::decode_exact(&jkt)?))?, &key);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn thumbprint(self, thumbprint: [u8; 32]) -> Self {
        Self { thumbprint: Some(thumbprint), ..self }
    }

    fn fits(&self, key: &VerifyingKey) -> bool {
        self.alg.is_none_or(|alg| key.alg() == alg)
            && self.thumbprint.is_none_or(|thumbprint| key.thumbprint() == thumbprint)
    }
}

/// Why there is not exactly one key.
///
/// ```
/// use sealwright_jose::{Alg, JwkSet, SelectError, Selection, SigningKey};
///
/// let key = |kid: &str| SigningKey::generate(Alg::Es256).map(|key| key.with_kid(kid).verifying_key());
/// let set = JwkSet::from_keys([key("one")?, key("two")?])?;
/// let Err(SelectError::Several(fitting)) = set.select(&Selection::new()) else { panic!("there are two") };
/// let names: Vec<_> = fitting.iter().filter_map(|key| key.kid()).collect();
/// assert_eq!(names, ["one", "two"], "which to ask for");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectError {
    /// No key of the set fits.
    #[error("no key of the set fits")]
    None,
    /// Several fit, at least two. Which one is meant cannot be guessed. A few may be tried, as
    /// [`VerifierBuilder::try_all`](crate::jws::VerifierBuilder::try_all) does it within a bound.
    #[error("{} keys of the set fit", .0.len())]
    Several(Vec<VerifyingKey>),
}

impl JwkSet {
    /// The only key that fits.
    ///
    /// A key with a `kid` is meant by that `kid` only; one without by a `kid` that no other key has,
    /// as a [`Verifier`](crate::jws::Verifier) does it. A key whose `use` or `key_ops` forbid
    /// verifying is never among [`keys`](Self::keys), so it is never selected.
    ///
    /// ```
    /// use sealwright_jose::{Alg, JwkSet, SelectError, Selection, SigningKey};
    ///
    /// let key = |kid| Ok::<_, sealwright_jose::KeyError>(SigningKey::generate(Alg::Es256)?.with_kid(kid).verifying_key());
    /// let set = JwkSet::from_keys([key("a")?, key("b")?])?;
    /// assert_eq!(set.select(&Selection::new().kid("b"))?, &set.keys()[1]);
    /// assert_eq!(set.select(&Selection::new().kid("c")), Err(SelectError::None));
    /// match set.select(&Selection::new().alg(Alg::Es256)) {
    ///     Err(SelectError::Several(keys)) => assert_eq!(keys.len(), 2),
    ///     other => panic!("{other:?}"),
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SelectError::None`] or [`SelectError::Several`], which lists them.
    pub fn select(&self, selection: &Selection<'_>) -> Result<&VerifyingKey, SelectError> {
        let fitting = || self.keys().iter().filter(|key| selection.fits(key));
        let Some(kid) = selection.kid else {
            return only(fitting());
        };
        match only(fitting().filter(|key| key.kid() == Some(kid))) {
            Err(SelectError::None) => only(fitting().filter(|key| key.kid().is_none())),
            result => result,
        }
    }
}

fn only<'s>(mut keys: impl Iterator<Item = &'s VerifyingKey>) -> Result<&'s VerifyingKey, SelectError> {
    let first = keys.next().ok_or(SelectError::None)?;
    match keys.next() {
        None => Ok(first),
        Some(second) => Err(SelectError::Several([first, second].into_iter().chain(keys).cloned().collect())),
    }
}
