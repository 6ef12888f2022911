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
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, jws::{Scratch, Signer, Verifier}};
    ///
    /// let old = SigningKey::generate(Alg::Ed25519)?.with_kid("2026-10");
    /// let new = SigningKey::generate(Alg::Ed25519)?.with_kid("2026-11");
    /// let verifier =
    ///     Verifier::builder([Alg::Ed25519]).key(old.verifying_key()).key(&new.verifying_key()).build()?;
    /// let mut scratch = Scratch::new();
    /// for key in [old, new] {
    ///     let token = Signer::new(&key).sign_compact(b"hello")?;
    ///     assert_eq!(verifier.verify_compact(&token, &mut scratch)?.key_kid(), key.kid());
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn key(mut self, key: impl Borrow<VerifyingKey>) -> Self {
        self.keys.push(AnyKey::Public(key.borrow().clone()));
        self
    }

    /// Adds the keys of a set that are for one of the verifier's algorithms. The set may be empty:
    /// then no token verifies. It may have several keys under one `kid`: a token that names it is
    /// [ambiguous](crate::VerifyErrorKind::KeyAmbiguous), unless [`try_all`](Self::try_all) says
    /// otherwise.
    ///
    /// ```
    /// use sealwright_jose::{Alg, JwkSet, SigningKey, VerifyErrorKind, jws::{Scratch, Signer, Verifier}};
    ///
    /// // What an issuer publishes may have keys that are not wanted here.
    /// let (ours, other) = (SigningKey::generate(Alg::Ed25519)?, SigningKey::generate(Alg::Es256)?);
    /// let set = JwkSet::from_keys([ours.verifying_key(), other.verifying_key()])?;
    /// let verifier = Verifier::builder([Alg::Ed25519]).keys(&set).build()?;
    /// let verify = |key: &SigningKey| {
    ///     let token = Signer::new(key).sign_compact(b"hello").unwrap();
    ///     verifier.verify_compact(&token, &mut Scratch::new()).map(drop).map_err(|error| error.kind())
    /// };
    /// assert_eq!(verify(&ours), Ok(()));
    /// assert_eq!(verify(&other), Err(VerifyErrorKind::AlgNotAllowed));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn keys(mut self, set: &JwkSet) -> Self {
        let usable = set.keys().iter().filter(|key| self.algs.contains(&key.alg()));
        self.set.extend(usable.cloned().map(AnyKey::Public));
        self.has_set = true;
        self
    }

    /// Adds a symmetric key, lent or given. It must be for one of the verifier's algorithms.
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey, base64url, jws::{BuildError, Scratch, Signer, Verifier}};
    /// # use sealwright_jose::VerifyingKey;
    ///
    /// let secret = MacKey::generate(Alg::Hs256)?;
    /// let token = Signer::mac(&secret).sign_compact(b"hello")?;
    /// let verifier = Verifier::builder([Alg::Hs256]).mac_key(secret).build()?;
    /// assert!(verifier.verify_compact(&token, &mut Scratch::new()).is_ok());
    ///
    /// // A secret that is one of the public keys is none: with it everybody could make tokens.
    /// # let public = VerifyingKey::from_jwk_as(Alg::Ed25519, r#"{"kty":"OKP","crv":"Ed25519",
    /// #     "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#)?;
    /// let x = base64url::decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")?;
    /// let secret = MacKey::from_bytes(Alg::Hs256, &x)?;
    /// let verifier = Verifier::builder([Alg::Ed25519, Alg::Hs256]).key(public).mac_key(secret).build();
    /// assert_eq!(verifier.unwrap_err(), BuildError::SecretIsPublic);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn mac_key(mut self, key: impl Borrow<MacKey>) -> Self {
        self.keys.push(AnyKey::Mac(key.borrow().clone()));
        self
    }

    /// Adds the symmetric keys of a set that are for one of the verifier's algorithms. As with
    /// [`keys`](Self::keys), there may be none, and several may have one `kid`.
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey, VerifyErrorKind, jws::{Scratch, Signer, Verifier}};
    ///
    /// let of_clients =
    ///     [MacKey::generate(Alg::Hs256)?.with_kid("shop"), MacKey::generate(Alg::Hs512)?.with_kid("bank")];
    /// let verifier = Verifier::builder([Alg::Hs512]).mac_keys(&of_clients).build()?;
    /// let mut scratch = Scratch::new();
    ///
    /// let token = Signer::mac(&of_clients[1]).sign_compact(b"hello")?;
    /// assert_eq!(verifier.verify_compact(&token, &mut scratch)?.key_kid(), Some("bank"));
    /// let token = Signer::mac(&of_clients[0]).sign_compact(b"hello")?;
    /// let error = verifier.verify_compact(&token, &mut scratch).unwrap_err();
    /// assert_eq!(error.kind(), VerifyErrorKind::AlgNotAllowed, "a key for HS256 was left out");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Scratch, Signer, Verifier}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// let verifier = Verifier::builder([Alg::Hs256]).mac_key(&key).typ("JWT").typ_optional(true).build()?;
    /// let takes = |signer: Signer| {
    ///     let token = signer.sign_compact(b"{}").unwrap();
    ///     verifier.verify_compact(&token, &mut Scratch::new()).is_ok()
    /// };
    /// assert!(takes(Signer::mac(&key)));
    /// assert!(!takes(Signer::mac(&key).typ("at+jwt")), "where there is one, it must be right");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn typ_optional(mut self, optional: bool) -> Self {
        self.typ_optional = optional;
        self
    }

    /// Declares a header parameter of the application's own. Where it stands it must be of this type: a token in which
    /// it is not is malformed. Under [`Policy::Joserfc`], which refuses parameters that nobody declared, it may stand.
    /// What is said last of a name counts.
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
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, VerifyErrorKind};
    /// # use sealwright_jose::jws::{ParameterType, Scratch, Signer, Verifier};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// let verifier = Verifier::builder([Alg::Hs256])
    ///     .mac_key(&key)
    ///     .required_parameter("nonce", ParameterType::String)
    ///     .build()?;
    /// let mut scratch = Scratch::new();
    /// let signed = Signer::mac(&key).param("nonce", "n-1".into()).sign_flattened(b"hello")?;
    /// assert!(verifier.verify_flattened(&signed, &mut scratch).is_ok());
    /// let added = Signer::mac(&key).unprotected("nonce", "n-1".into()).sign_flattened(b"hello")?;
    /// let error = verifier.verify_flattened(&added, &mut scratch).unwrap_err();
    /// assert_eq!(error.kind(), VerifyErrorKind::ParameterMissing);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn required_parameter(self, name: &str, of: ParameterType) -> Self {
        self.declare(name, of, true)
    }

    fn declare(mut self, name: &str, of: ParameterType, is_required: bool) -> Self {
        self.declared.retain(|declared| declared.name != name);
        self.declared.push(Declared { name: name.to_owned(), of, is_required });
        self
    }

    /// Names a parameter that the application understands and will process itself, so that a token may call it
    /// critical (RFC 7515 §4.1.11). Of what type it is, and
    /// whether it must be there, [`parameter`](Self::parameter) says.
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey, VerifyErrorKind, jws::{Scratch, Signer, Verifier}};
    ///
    /// let key = MacKey::generate(Alg::Hs256)?;
    /// let signer = Signer::mac(&key).param("until", 1764550800.into()).critical("until");
    /// let token = signer.sign_compact(b"hello")?;
    /// let (builder, mut scratch) = (|| Verifier::builder([Alg::Hs256]).mac_key(&key), Scratch::new());
    /// let verifier = builder().build()?;
    /// let error = verifier.verify_compact(&token, &mut scratch).unwrap_err();
    /// assert_eq!(error.kind(), VerifyErrorKind::Critical);
    ///
    /// let verifier = builder().understands("until").build()?;
    /// let verified = verifier.verify_compact(&token, &mut scratch)?;
    /// assert_eq!(verified.header("until"), Some(1764550800.into()), "to be obeyed by the caller");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    /// Default: 1, so that a token must say which key it means; 0 is taken for that.
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
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Limit, Limits, Scratch, Signer, Verifier}};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// let limits = Limits::default().payload_bytes(4);
    /// let verifier = Verifier::builder([Alg::Hs256]).mac_key(&key).limits(limits).build()?;
    /// let token = Signer::mac(&key).sign_compact(b"hello")?;
    /// let error = verifier.verify_compact(&token, &mut Scratch::new()).unwrap_err();
    /// assert_eq!(error.limit(), Some(Limit::Payload));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// The verifier, if what was collected makes sense and is safe.
    ///
    /// # Errors
    ///
    /// [`NoAlgorithm`](BuildError::NoAlgorithm) and [`NoKey`](BuildError::NoKey) if nothing was named;
    /// [`KeyNotAllowed`](BuildError::KeyNotAllowed), [`WeakKey`](BuildError::WeakKey),
    /// [`KeyUse`](BuildError::KeyUse), [`DuplicateKid`](BuildError::DuplicateKid) and
    /// [`SecretIsPublic`](BuildError::SecretIsPublic) for keys that cannot be used, or not together; and
    /// [`NotAnExtension`](BuildError::NotAnExtension) for a parameter that is none of the application's own.
    ///
    /// # Examples
    ///
    /// ```
    /// use sealwright_jose::{Alg, JwkSet, jws::{BuildError, Verifier}};
    ///
    /// assert_eq!(Verifier::builder([Alg::Es256]).build().unwrap_err(), BuildError::NoKey);
    /// let not_fetched_yet = JwkSet::parse(r#"{"keys":[]}"#, &[Alg::Es256])?;
    /// let verifier = Verifier::builder([Alg::Es256]).keys(&not_fetched_yet).build();
    /// assert!(verifier.is_ok(), "it accepts no token");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
///
/// ```
/// use sealwright_jose::{Alg, MacKey, jws::{BuildError, Verifier}};
///
/// let keys = [MacKey::generate(Alg::Hs256)?, MacKey::generate(Alg::Hs256)?].map(|key| key.with_kid("k1"));
/// let [one, other] = &keys;
/// let error = Verifier::builder([Alg::Hs256]).mac_key(one).mac_key(other).build().unwrap_err();
/// assert_eq!(error, BuildError::DuplicateKid);
/// assert_eq!(error.to_string(), "two different keys have the same `kid`");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
