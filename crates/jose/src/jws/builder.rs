//! Collecting a policy, and refusing one that makes no sense or is unsafe.

use std::sync::Arc;

use crate::{
    Alg, JwkSet, MacKey, VerifyingKey,
    header::REGISTERED,
    jws::{
        Limits, Verifier,
        verify::{AnyKey, Policy},
    },
};

/// Collects a policy; [`build`](Self::build) checks it as a whole.
#[derive(Debug)]
pub struct VerifierBuilder {
    policy: Policy,
    has_keys: bool,
    not_allowed: bool,
}

impl VerifierBuilder {
    pub(super) fn new(algs: &[Alg]) -> Self {
        Self {
            policy: Policy {
                algs: algs.to_vec(),
                keys: Vec::new(),
                typ: Vec::new(),
                typ_optional: false,
                understood: Vec::new(),
                limits: Limits::default(),
            },
            has_keys: false,
            not_allowed: false,
        }
    }

    /// Adds a public key. It must be for one of the verifier's algorithms.
    #[must_use]
    pub fn key(self, key: VerifyingKey) -> Self {
        self.add(AnyKey::Public(key))
    }

    /// Adds the keys of a set that are for one of the verifier's algorithms. The set may be empty:
    /// then no token verifies.
    #[must_use]
    pub fn keys(mut self, set: &JwkSet) -> Self {
        let usable = set.keys().iter().filter(|key| self.policy.algs.contains(&key.alg()));
        self.policy.keys.extend(usable.cloned().map(AnyKey::Public));
        self.has_keys = true;
        self
    }

    /// Adds a symmetric key. It must be for one of the verifier's algorithms.
    #[must_use]
    pub fn mac_key(self, key: MacKey) -> Self {
        self.add(AnyKey::Mac(key))
    }

    fn add(mut self, key: AnyKey) -> Self {
        self.not_allowed |= !self.policy.algs.contains(&key.alg());
        self.policy.keys.push(key);
        self.has_keys = true;
        self
    }

    /// Adds an accepted `typ`, compared as RFC 8725bis §3.11 says. If none is named, `typ` is not
    /// looked at.
    #[must_use]
    pub fn typ(mut self, typ: &str) -> Self {
        self.policy.typ.push(typ.to_owned());
        self
    }

    /// Whether a token may leave `typ` out although types are named. Default: no.
    #[must_use]
    pub fn typ_optional(mut self, optional: bool) -> Self {
        self.policy.typ_optional = optional;
        self
    }

    /// Names a critical parameter that the application understands and will process itself.
    #[must_use]
    pub fn understands(mut self, name: &str) -> Self {
        self.policy.understood.push(name.to_owned());
        self
    }

    /// Replaces the default limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.policy.limits = limits;
        self
    }

    /// The verifier.
    ///
    /// # Errors
    ///
    /// A [`BuildError`] if the policy makes no sense or is unsafe.
    pub fn build(mut self) -> Result<Verifier, BuildError> {
        if self.policy.algs.is_empty() {
            return Err(BuildError::NoAlgorithm);
        }
        if !self.has_keys {
            return Err(BuildError::NoKey);
        }
        if self.not_allowed {
            return Err(BuildError::KeyNotAllowed);
        }
        let is_standard = |name: &&String| *name == "b64" || REGISTERED.contains(&name.as_str());
        if let Some(name) = self.policy.understood.iter().find(is_standard) {
            return Err(BuildError::NotAnExtension(name.clone()));
        }
        self.policy.understood.sort();
        self.policy.understood.dedup();
        let mut keys: Vec<AnyKey> = Vec::new();
        for key in std::mem::take(&mut self.policy.keys) {
            check_mac(&key, &keys)?;
            match keys.iter().find(|known| known.alg() == key.alg() && known.kid() == key.kid()) {
                Some(known) if known.same_key(&key) => continue,
                Some(_) if key.kid().is_some() => return Err(BuildError::DuplicateKid),
                _ => keys.push(key),
            }
        }
        self.policy.keys = keys;
        Ok(Verifier(Arc::new(self.policy)))
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

/// Why a policy is no verifier.
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
    /// The `key_ops` of a symmetric key do not include `verify`.
    #[error("the key's `key_ops` forbid verifying")]
    KeyUse,
    /// Two different keys have one `kid` and one algorithm.
    #[error("two different keys have the same `kid`")]
    DuplicateKid,
    /// A secret is the encoding of one of the public keys.
    #[error("the secret of a MAC key is a public key")]
    SecretIsPublic,
    /// The name is a standard parameter, which `crit` must not name, or `b64`, which is not
    /// supported.
    #[error("`{0}` cannot be understood as an extension")]
    NotAnExtension(String),
}
