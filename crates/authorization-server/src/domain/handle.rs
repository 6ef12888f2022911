//! Random handles that somebody else keeps, and the hashes of them that we keep.

use std::fmt;

use aws_lc_rs::{constant_time, digest, hmac};
use sealwright_jose::base64url;
use sealwright_service::random;
use zeroize::Zeroizing;

/// 256 random bits as text: a code, a request URI's reference, a cookie, a continuation.
///
/// Whoever shows it may do what it stands for, so it is never stored and never printed; the database
/// knows its [`HandleHash`].
#[derive(Clone)]
pub(crate) struct Handle(Zeroizing<String>);

impl Handle {
    pub(crate) fn generate() -> Self {
        Self(Zeroizing::new(base64url::encode(random::bytes::<32>())))
    }

    /// Reads what somebody sent; `None` when no handle of ours looks like that.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        base64url::decode_exact::<32>(text).ok().map(|_| Self(Zeroizing::new(text.to_owned())))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    pub(crate) fn hash(&self) -> HandleHash {
        HandleHash::of(&self.0)
    }

    /// A value that only a holder of this handle can name, for `purpose`.
    pub(crate) fn derive(&self, purpose: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_bytes());
        base64url::encode(hmac::sign(&key, purpose.as_bytes()))
    }

    /// Whether `presented` is what [`Handle::derive`] gives; takes the same time either way.
    pub(crate) fn derived(&self, purpose: &str, presented: &str) -> bool {
        let expected = self.derive(purpose);
        constant_time::verify_slices_are_equal(expected.as_bytes(), presented.as_bytes()).is_ok()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle([secret])")
    }
}

/// The SHA-256 of a handle, as the database keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct HandleHash(String);

impl HandleHash {
    /// The hash of any text: also of names typed by strangers, which are not to be kept readable.
    pub(crate) fn of(text: &str) -> Self {
        Self(base64url::encode(digest::digest(&digest::SHA256, text.as_bytes())))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// For what the database gives back.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// Compares in constant time.
    pub(crate) fn is(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(self.0.as_bytes(), other.0.as_bytes()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_never_prints() {
        let handle = Handle::generate();
        assert_eq!(format!("{handle:?}"), "Handle([secret])");
    }

    #[test]
    fn only_43_canonical_characters_are_a_handle() {
        assert!(Handle::parse(Handle::generate().expose()).is_some());
        for wrong in ["", "short", &"A".repeat(44), &format!("{}=", "A".repeat(42)), &"é".repeat(22)] {
            assert!(Handle::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_derived_value_is_bound_to_handle_and_purpose() {
        let (one, two) = (Handle::generate(), Handle::generate());
        let value = one.derive("csrf:a");
        assert!(one.derived("csrf:a", &value));
        assert!(!one.derived("csrf:b", &value));
        assert!(!two.derived("csrf:a", &value));
        assert!(!one.derived("csrf:a", ""));
    }
}
