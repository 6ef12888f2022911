//! Passwords, kept as argon2id hashes (RFC 9106).

use std::fmt;
use std::sync::Arc;

use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use sealwright_service::secret::Secret;

/// The scheme prefix of a stored hash, as in `{argon2}$argon2id$v=19$…`.
const PREFIX: &str = "{argon2}";
/// Above this, checking one password would be an attack on our own memory: 1 GiB.
const MAX_MEMORY_KIB: u32 = 1 << 20;
const MAX_PASSES: u32 = 64;
const MAX_LANES: u32 = 64;

/// What a hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordCost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl PasswordCost {
    /// Memory in KiB, passes over it, lanes.
    ///
    /// # Errors
    ///
    /// [`PasswordError::Cost`] when argon2 does not allow these numbers or they are out of all proportion.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, PasswordError> {
        let bounded = memory_kib <= MAX_MEMORY_KIB && passes <= MAX_PASSES && lanes <= MAX_LANES;
        let valid = bounded && Params::new(memory_kib, passes, lanes, None).is_ok();
        valid.then_some(Self { memory_kib, passes, lanes }).ok_or(PasswordError::Cost)
    }

    fn argon2(self) -> Result<Argon2<'static>, PasswordError> {
        let params =
            Params::new(self.memory_kib, self.passes, self.lanes, None).map_err(|_| PasswordError::Cost)?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

impl Default for PasswordCost {
    /// 19 MiB, two passes, one lane, as OWASP recommends.
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1 }
    }
}

/// Why a password cannot be hashed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// The numbers are not possible.
    #[error("argon2 cannot be run with this memory, passes and lanes")]
    Cost,
    /// The password is empty or longer than 1024 bytes.
    #[error("a password has 1 to 1024 bytes")]
    Length,
    /// Hashing failed, for want of memory or randomness.
    #[error("the password could not be hashed")]
    Hash,
}

/// The text that `User.spec.password` refers to, for `password`: `{argon2}$argon2id$…`, at the default cost.
///
/// Takes tens of milliseconds by design.
///
/// # Errors
///
/// [`PasswordError`], if the password is empty or too long, or hashing fails.
///
/// # Examples
///
/// ```
/// use sealwright_authorization_server::hash_password;
/// use sealwright_service::secret::Secret;
///
/// let hash = hash_password(&Secret::new("correct horse battery staple"))?;
/// assert!(hash.starts_with("{argon2}$argon2id$v=19$m=19456,t=2,p=1$"));
/// # Ok::<(), sealwright_authorization_server::PasswordError>(())
/// ```
pub fn hash_password(password: &Secret) -> Result<String, PasswordError> {
    hash_password_at(password, PasswordCost::default())
}

/// As [`hash_password`], for a server whose `passwords.argon2` says another cost.
///
/// # Errors
///
/// [`PasswordError`], as for [`hash_password`].
pub fn hash_password_at(password: &Secret, cost: PasswordCost) -> Result<String, PasswordError> {
    if !is_bounded(password) {
        return Err(PasswordError::Length);
    }
    let hash = cost.argon2()?.hash_password(password.expose().as_bytes()).map_err(|_| PasswordError::Hash)?;
    Ok(format!("{PREFIX}{hash}"))
}

fn is_bounded(password: &Secret) -> bool {
    (1..=1024).contains(&password.expose().len())
}

/// A stored hash, with the cost it was made at.
#[derive(Clone)]
pub(crate) struct PasswordHash(Arc<phc::PasswordHash>);

impl PasswordHash {
    /// Reads `{argon2}$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
    ///
    /// # Errors
    ///
    /// What the operator should do about it.
    pub(crate) fn parse(text: &Secret) -> Result<Self, &'static str> {
        let Some(phc) = text.expose().strip_prefix(PREFIX) else {
            return Err("write a hash that begins with {argon2}$argon2id$, never the password itself");
        };
        let hash = phc::PasswordHash::new(phc).map_err(|_| "the password hash is not a PHC string")?;
        if hash.algorithm.as_str() != "argon2id" || hash.version != Some(19) {
            return Err("the password hash must be argon2id, version 19");
        }
        let too_dear = "the password hash costs more than this server is willing to spend on one login";
        let params =
            Params::try_from(&hash).map_err(|_| "the password hash has parameters that argon2 refuses")?;
        if params.m_cost() > MAX_MEMORY_KIB || params.t_cost() > MAX_PASSES || params.p_cost() > MAX_LANES {
            return Err(too_dear);
        }
        if hash.salt.is_none() || hash.hash.is_none() {
            return Err("the password hash has no salt or no output");
        }
        Ok(Self(Arc::new(hash)))
    }

    /// A hash that no password fits, at `cost`: checking it takes the time of a real one.
    ///
    /// # Errors
    ///
    /// [`PasswordError`], as for [`hash_password`].
    pub(crate) fn dummy(cost: PasswordCost) -> Result<Self, PasswordError> {
        let unknown = Secret::new(super::handle::Handle::generate().expose());
        let text = Secret::new(hash_password_at(&unknown, cost)?);
        Self::parse(&text).map_err(|_| PasswordError::Hash)
    }

    /// Whether checking it costs what `cost` says; another cost would let time tell who exists.
    pub(crate) fn costs(&self, cost: PasswordCost) -> bool {
        Params::try_from(&*self.0)
            .is_ok_and(|p| (p.m_cost(), p.t_cost(), p.p_cost()) == (cost.memory_kib, cost.passes, cost.lanes))
    }

    /// Whether `password` is the one. Slow by design: call it through the pool.
    pub(crate) fn verify(&self, password: &Secret) -> bool {
        // An over-long password is not hashed, but it must still cost the same.
        let bounded = is_bounded(password);
        let bytes = if bounded { password.expose().as_bytes() } else { b"x" };
        let right = Argon2::default().verify_password(bytes, &*self.0).is_ok();
        right && bounded
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash([secret])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap() -> PasswordCost {
        PasswordCost::new(8, 1, 1).unwrap()
    }

    #[test]
    fn the_right_password_fits_its_hash_and_no_other_does() {
        let hash = hash_password_at(&Secret::new("correct horse"), cheap()).unwrap();
        let hash = PasswordHash::parse(&Secret::new(hash)).unwrap();
        assert!(hash.verify(&Secret::new("correct horse")));
        for wrong in ["", "correct hors", "Correct horse", "x", &"x".repeat(2000)] {
            assert!(!hash.verify(&Secret::new(wrong)), "{wrong}");
        }
    }

    #[test]
    fn equal_passwords_have_different_hashes() {
        let hash = || hash_password_at(&Secret::new("pw"), cheap()).unwrap();
        assert_ne!(hash(), hash());
        assert!(hash().starts_with("{argon2}$argon2id$v=19$m=8,t=1,p=1$"));
    }

    #[test]
    fn what_is_no_affordable_argon2id_hash_is_refused() {
        let good = hash_password_at(&Secret::new("pw"), cheap()).unwrap();
        for wrong in [
            "pw".to_owned(),
            "{bcrypt}$2a$10$abc".to_owned(),
            good.replace("{argon2}", ""),
            good.replace("argon2id", "argon2i"),
            good.replace("v=19", "v=16"),
            good.replace("m=8", "m=4000000"),
            good.replace("t=1", "t=1000"),
            good.rsplit_once('$').unwrap().0.to_owned(),
        ] {
            assert!(PasswordHash::parse(&Secret::new(wrong.clone())).is_err(), "{wrong}");
        }
    }

    #[test]
    fn costs_are_told_apart() {
        let dummy = PasswordHash::dummy(cheap()).unwrap();
        assert!(dummy.costs(cheap()));
        assert!(!dummy.costs(PasswordCost::default()));
        assert!(PasswordCost::new(0, 1, 1).is_err());
        assert!(PasswordCost::new(u32::MAX, 1, 1).is_err());
        assert_eq!(format!("{dummy:?}"), "PasswordHash([secret])");
    }
}
