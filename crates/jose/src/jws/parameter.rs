//! Types of header parameters that are the application's own.

use crate::{header::is_url, json::Value};

/// What the value of a header parameter must be; see
/// [`VerifierBuilder::parameter`](super::VerifierBuilder::parameter).
///
/// ```
/// use sealwright_jose::{Alg, MacKey, jws::{ParameterType, Scratch, Signer, Verifier}};
///
/// let key = MacKey::generate(Alg::Hs256)?;
/// let verifier =
///     Verifier::builder([Alg::Hs256]).mac_key(&key).parameter("iat", ParameterType::Integer).build()?;
/// let takes = |iat: serde_json::Value| {
///     let token = Signer::mac(&key).param("iat", iat).sign_compact(b"hello").unwrap();
///     verifier.verify_compact(&token, &mut Scratch::new()).is_ok()
/// };
/// assert!(takes(1764547200.into()));
/// assert!(!takes(1764547200.5.into()), "that would be `Number`");
/// assert!(!takes("2025-12-01".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParameterType {
    /// Any JSON.
    Any,
    /// A string.
    String,
    /// A string that begins with `https://` or `http://`.
    Url,
    /// A number without fraction and exponent.
    Integer,
    /// Any number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// An array of strings, which may be empty.
    Strings,
    /// An object.
    Object,
}

impl ParameterType {
    pub(crate) fn fits(self, value: Value<'_>) -> bool {
        match self {
            Self::Any => true,
            Self::String => value.as_str().is_some(),
            Self::Url => is_url(value),
            Self::Integer => value.as_number().is_some_and(|number| !number.iter().any(is_beyond_integers)),
            Self::Number => value.as_number().is_some(),
            Self::Boolean => matches!(value.raw(), "true" | "false"),
            Self::Strings => value.strings().is_some(),
            Self::Object => value.is_object(),
        }
    }
}

/// Whether no integer is written with this character (RFC 8259 §6).
fn is_beyond_integers(character: &u8) -> bool {
    matches!(character, b'.' | b'e' | b'E')
}
