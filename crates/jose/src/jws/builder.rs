//! Collecting a policy, and refusing one that makes no sense or is unsafe.

use std::{borrow::Borrow, sync::Arc};

use crate::{
    Alg, JwkSet, MacKey, VerifyingKey, base64url,
    header::{Declared, HeaderRules, REGISTERED},
    jws::{
        Limits, ParameterType, Policy, Verifier,
        remembered::Remembered,
        rules::{AnyKey, Rules},
    },
};

/// Collects what a verifier accepts; [`build`](Self::build) checks it as a whole.
///
/// ```
/// use sealwright_jose::{Alg, MacKey, SigningKey, jws::{BuildError, Limits, Verifier}};
///
/// let key = SigningKey::generate(Alg::Es256)?.verifying_key();
/// let verifier = Verifier::builder([Alg::Es256])
///     .key(key.clone())
///     .typ("at+jwt")
///     .understands("nonce")
///     .limits(Limits::default().token_bytes(8 * 1024))
///     .build()?;
///
/// let error = Verifier::builder([Alg::Ed25519]).key(key).build().unwrap_err();
/// assert_eq!(error, BuildError::KeyNotAllowed);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct VerifierBuilder {
    policy: Policy,
    algs: Vec<Alg>,
    /// Keys named one by one.
    keys: Vec<AnyKey>,
    /// Keys of sets.
    set: Vec<AnyKey>,
    has_set: bool,
    typ: Vec<String>,
    typ_optional: bool,
    understood: Vec<String>,
    declared: Vec<Declared>,
    unencoded: bool,
    try_all: usize,
    limits: Option<Limits>,
}

impl VerifierBuilder {
    pub(super) fn new(algs: &[Alg]) -> Self {
        Self {
            policy: Policy::default(),
            algs: algs.to_vec(),
            keys: Vec::new(),
            set: Vec::new(),
            has_set: false,
            typ: Vec::new(),
            typ_optional: false,
            understood: Vec::new(),
            declared: Vec::new(),
            unencoded: false,
            try_all: 1,
            limits: None,
        }
    }

    /// Adds a public key, lent or given. It must be for one of the verifier's algorithms.
    #[must_use]
    pub fn key(mut self, key: impl Borrow<VerifyingKey>) -> Self {
        self.keys.push(AnyKey::Public(key.borrow().clone()));
        self
    }

    /// Adds the keys of a set that are for one of the verifier's algorithms. The set may be empty:
    /// then no token verifies. It may have several keys under one `kid`: a token that names it is
    /// [ambiguous](crate::VerifyErrorKind::KeyAmbiguous), unless [`try_all`](Self::try_all) says
    /// otherwise.
    #[must_use]
    pub fn keys(mut self, set: &JwkSet) -> Self {
        let usable = set.keys().iter().filter(|key| self.algs.contains(&key.alg()));
        self.set.extend(usable.cloned().map(AnyKey::Public));
        self.has_set = true;
        self
    }

    /// Adds a symmetric key, lent or given. It must be for one of the verifier's algorithms.
    #[must_use]
    pub fn mac_key(mut self, key: impl Borrow<MacKey>) -> Self {
        self.keys.push(AnyKey::Mac(key.borrow().clone()));
        self
    }

    /// Adds the symmetric keys of a set that are for one of the verifier's algorithms. As with
    /// [`keys`](Self::keys), there may be none, and several may have one `kid`.
    #[must_use]
    pub fn mac_keys(mut self, keys: impl IntoIterator<Item = impl Borrow<MacKey>>) -> Self {
        for key in keys {
            let key: &MacKey = key.borrow();
            if self.algs.contains(&key.alg()) {
                self.set.push(AnyKey::Mac(key.clone()));
            }
        }
        self.has_set = true;
        self
    }

    /// Adds an accepted `typ`, compared as RFC 8725bis §3.11 says. If none is named, `typ` is not
    /// looked at.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, VerifyErrorKind, jws::{Scratch, Signer, Verifier}};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?;
    /// let verifier = Verifier::builder([Alg::Es256]).key(key.verifying_key()).typ("at+jwt").build()?;
    /// let verify = |signer: Signer| {
    ///     let token = signer.sign_compact(b"{}").unwrap();
    ///     verifier.verify_compact(&token, &mut Scratch::new()).map(drop).map_err(|error| error.kind())
    /// };
    /// assert_eq!(verify(Signer::new(&key).typ("application/AT+jwt")), Ok(()));
    /// assert_eq!(verify(Signer::new(&key).typ("JWT")), Err(VerifyErrorKind::TypMismatch));
    /// assert_eq!(verify(Signer::new(&key)), Err(VerifyErrorKind::TypMismatch));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn typ(mut self, typ: &str) -> Self {
        self.typ.push(typ.to_owned());
        self
    }

    /// Whether a token may leave `typ` out although types are named. Default: no.
    #[must_use]
    pub fn typ_optional(mut self, optional: bool) -> Self {
        self.typ_optional = optional;
        self
    }

    /// Declares a header parameter of the application's own. Where it stands it must be of this type: a token in which
    /// it is not is malformed. Under [`Policy::Joserfc`], which refuses parameters that nobody declared, it may stand.
    ///
    /// That alone does not [understand](Self::understands) it: a token that calls it critical is still refused.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, VerifyErrorKind};
    /// use sealwright_jose::jws::{ParameterType, Scratch, Signer, Verifier};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?;
    /// let verifier = Verifier::builder([Alg::Es256])
    ///     .key(key.verifying_key())
    ///     .parameter("level", ParameterType::Integer)
    ///     .required_parameter("nonce", ParameterType::String)
    ///     .build()?;
    /// let mut scratch = Scratch::new();
    /// let token = Signer::new(&key).param("nonce", "n-1".into());
    /// assert!(verifier.verify_compact(&token.sign_compact(b"hello")?, &mut scratch).is_ok());
    ///
    /// let wrong = token.param("level", "high".into()).sign_compact(b"hello")?;
    /// let error = verifier.verify_compact(&wrong, &mut scratch).unwrap_err();
    /// assert_eq!(error.kind(), VerifyErrorKind::Malformed);
    /// let without = Signer::new(&key).sign_compact(b"hello")?;
    /// let error = verifier.verify_compact(&without, &mut scratch).unwrap_err();
    /// assert_eq!(error.kind(), VerifyErrorKind::ParameterMissing);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn parameter(self, name: &str, of: ParameterType) -> Self {
        self.declare(name, of, false)
    }

    /// As [`parameter`](Self::parameter), and each token must have it, in its protected header;
    /// [`Policy::Joserfc`] also takes it from the unprotected one.
    #[must_use]
    pub fn required_parameter(self, name: &str, of: ParameterType) -> Self {
        self.declare(name, of, true)
    }

    /// What was said last of a parameter counts.
    fn declare(mut self, name: &str, of: ParameterType, is_required: bool) -> Self {
        self.declared.retain(|declared| declared.name != name);
        self.declared.push(Declared { name: name.to_owned(), of, is_required });
        self
    }

    /// Names a critical parameter that the application understands and will process itself. Of what type it is, and
    /// whether it must be there, [`parameter`](Self::parameter) says.
    #[must_use]
    pub fn understands(mut self, name: &str) -> Self {
        self.understood.push(name.to_owned());
        self
    }

    /// Understands `b64` (RFC 7797): a token may say, in its protected header and as critical, that
    /// its payload was signed as it is and not in base64url.
    ///
    /// Default: only where the [policy](Self::policy) is not [`Policy::Strict`], since a payload that
    /// can be read in two ways is a risk where nobody needs it.
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey, jws::{Scratch, Verifier}};
    ///
    /// // RFC 7797 §4.2, with the key of RFC 7515 A.1.
    /// let key = MacKey::from_jwk_as(Alg::Hs256, r#"{"kty":"oct",
    ///     "k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#)?;
    /// let token = "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19..A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY";
    ///
    /// let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).unencoded().build()?;
    /// let mut scratch = Scratch::new();
    /// let verified = verifier.verify_detached(token, b"$.02", &mut scratch)?;
    /// assert!(verified.is_unencoded());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn unencoded(mut self) -> Self {
        self.unencoded = true;
        self
    }

    /// Tries up to `max` keys where several fit a token, in the order in which they were added.
    /// Default: 1, so that a token must say which key it means.
    ///
    /// Each try costs as much as a verification, and a stranger can ask for all of them.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, VerifyErrorKind, jws::{Scratch, Signer, Verifier}};
    ///
    /// let (old, new) = (SigningKey::generate(Alg::Es256)?, SigningKey::generate(Alg::Es256)?);
    /// let token = Signer::new(&old).sign_compact(b"it names no key")?;
    /// let both = || Verifier::builder([Alg::Es256]).key(new.verifying_key()).key(old.verifying_key());
    ///
    /// let error = both().build()?.verify_compact(&token, &mut Scratch::new()).map(drop).unwrap_err();
    /// assert_eq!(error.kind(), VerifyErrorKind::KeyAmbiguous);
    /// assert!(both().try_all(2).build()?.verify_compact(&token, &mut Scratch::new()).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn try_all(mut self, max: usize) -> Self {
        self.try_all = max.max(1);
        self
    }

    /// How much latitude is left to whoever made the token. Default: [`Policy::Strict`].
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, base64url, jws::{Policy, Scratch, Verifier}};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?;
    /// let input = format!("{}.", base64url::encode(r#"{"alg":"none","alg":"ES256"}"#));
    /// let token = format!("{input}.{}", base64url::encode(key.sign(input.as_bytes())?));
    ///
    /// let takes = |policy| {
    ///     let verifier = Verifier::builder([Alg::Es256]).key(key.verifying_key()).policy(policy).build();
    ///     verifier.is_ok_and(|verifier| verifier.verify_compact(&token, &mut Scratch::new()).is_ok())
    /// };
    /// assert!(!takes(Policy::Strict), "two readers could read two algorithms");
    /// assert!(takes(Policy::Rfc), "the last one counts");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Replaces the [default limits](Policy::limits).
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// The verifier.
    ///
    /// # Errors
    ///
    /// A [`BuildError`] if what was collected makes no sense or is unsafe.
    pub fn build(mut self) -> Result<Verifier, BuildError> {
        if self.algs.is_empty() {
            return Err(BuildError::NoAlgorithm);
        }
        if self.keys.is_empty() && !self.has_set {
            return Err(BuildError::NoKey);
        }
        if self.keys.iter().any(|key| !self.algs.contains(&key.alg())) {
            return Err(BuildError::KeyNotAllowed);
        }
        let is_weak = |key: &AnyKey| matches!(key, AnyKey::Mac(mac) if mac.is_weak());
        if self.policy != Policy::Joserfc && self.keys.iter().chain(&self.set).any(is_weak) {
            return Err(BuildError::WeakKey);
        }
        let is_standard = |name: &&String| *name == "b64" || REGISTERED.contains(&name.as_str());
        let mut own = self.understood.iter().chain(self.declared.iter().map(|declared| &declared.name));
        if let Some(name) = own.find(is_standard) {
            return Err(BuildError::NotAnExtension(name.clone()));
        }
        self.understood.sort();
        self.understood.dedup();
        let lone_key = !self.has_set;
        let keys = self.merge_keys()?;
        let limits = self.limits.unwrap_or_else(|| self.policy.limits());
        let header = HeaderRules {
            understood: self.understood,
            declared: self.declared,
            unencoded: self.unencoded || self.policy != Policy::Strict,
            ..HeaderRules::new(self.policy, &limits)
        };
        let signature_len = keys.iter().map(AnyKey::signature_len).max();
        Ok(Verifier(Arc::new(Rules {
            header,
            algs: self.algs,
            lone_key: lone_key && keys.len() == 1,
            signature_len: base64url::encoded_len(signature_len.unwrap_or_default()),
            keys,
            typ: self.typ,
            typ_optional: self.typ_optional,
            try_all: self.try_all,
            limits,
            remembered: Remembered::new(),
        })))
    }

    /// The keys, each once. Only the publisher of a set may give two of them one `kid`: whoever
    /// names keys one by one has made a mistake.
    fn merge_keys(&mut self) -> Result<Vec<AnyKey>, BuildError> {
        let named = self.keys.len();
        let all: Vec<_> = self.keys.drain(..).chain(self.set.drain(..)).collect();
        let mut keys: Vec<AnyKey> = Vec::new();
        for (n, key) in all.into_iter().enumerate() {
            check_mac(&key, &keys)?;
            let is_twin = |known: &&AnyKey| known.alg() == key.alg() && known.kid() == key.kid();
            let mut twins = keys.iter().filter(is_twin);
            if twins.any(|known| known.same_key(&key)) {
                continue;
            }
            if n < named && key.kid().is_some() && keys.iter().any(|known| is_twin(&known)) {
                return Err(BuildError::DuplicateKid);
            }
            keys.push(key);
        }
        Ok(keys)
    }
}

/// Refuses a secret that may not verify, and one that is a public key of the same verifier in
/// disguise.
fn check_mac(key: &AnyKey, others: &[AnyKey]) -> Result<(), BuildError> {
    if matches!(key, AnyKey::Mac(mac) if !mac.may_verify()) {
        return Err(BuildError::KeyUse);
    }
    let clash = others.iter().any(|other| match (key, other) {
        (AnyKey::Mac(mac), AnyKey::Public(public)) | (AnyKey::Public(public), AnyKey::Mac(mac)) => {
            public.is_encoded_as(mac.secret())
        }
        _ => false,
    });
    if clash { Err(BuildError::SecretIsPublic) } else { Ok(()) }
}

/// Why there is no verifier of that kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The list of algorithms is empty.
    #[error("no algorithm is allowed")]
    NoAlgorithm,
    /// There is neither a key nor a key set.
    #[error("there is no key")]
    NoKey,
    /// A key is for an algorithm that is not in the list.
    #[error("a key is for an algorithm that is not allowed")]
    KeyNotAllowed,
    /// A secret is [shorter](MacKey::is_weak) than its hash, and the policy is not
    /// [`Policy::Joserfc`].
    #[error("the secret of a MAC key is too short")]
    WeakKey,
    /// The `key_ops` of a symmetric key do not include `verify`.
    #[error("the key's `key_ops` forbid verifying")]
    KeyUse,
    /// Two different keys have one `kid` and one algorithm.
    #[error("two different keys have the same `kid`")]
    DuplicateKid,
    /// A secret is the encoding of one of the public keys.
    #[error("the secret of a MAC key is a public key")]
    SecretIsPublic,
    /// A [`PossessionVerifier`](super::PossessionVerifier) for a symmetric algorithm: a key that a token
    /// shows is no secret.
    #[error("a symmetric key in a token proves nothing")]
    MacProvesNothing,
    /// The name that is to be understood or declared is a standard parameter, which `crit` must not name and whose type
    /// is fixed, or `b64`, for which there is [`VerifierBuilder::unencoded`].
    #[error("`{0}` is a standard header parameter, and none of the application's own")]
    NotAnExtension(String),
}
