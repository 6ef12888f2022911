//! Strict base64url without padding (RFC 7515 §2): only the URL-safe alphabet, no whitespace, no
//! `=`, and the unused bits of the last character are zero. So each byte string has exactly one
//! encoding, and a signed text cannot be changed without changing what it says.
//!
//! ```
//! use sealwright_jose::base64url;
//!
//! assert_eq!(base64url::encode(b"hello"), "aGVsbG8");
//! assert_eq!(base64url::decode("aGVsbG8")?, b"hello");
//! assert!(base64url::decode("aGVsbG8=").is_err(), "padding");
//! assert!(base64url::decode("aGVsbG9").is_err(), "an unused bit is set");
//! # Ok::<(), base64url::DecodeError>(())
//! ```

mod stream;

use base64_simd::{AsOut, URL_SAFE_NO_PAD};

pub(crate) use stream::StreamEncoder;

/// The text is not canonical base64url. It says nothing more, because the text may be a secret.
///
/// ```
/// use sealwright_jose::base64url::{self, DecodeError};
///
/// assert_eq!(base64url::decode("secret?"), Err(DecodeError));
/// assert_eq!(DecodeError.to_string(), "not base64url");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not base64url")]
pub struct DecodeError;

/// The base64url text of `bytes`: four characters for every three, and two or three for what is left.
///
/// ```
/// use sealwright_jose::base64url;
///
/// assert_eq!(base64url::encode([0xFB, 0xFF]), "-_8");
/// assert_eq!(base64url::encode(""), "");
/// ```
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// The bytes that `text` stands for.
///
/// ```
/// use sealwright_jose::base64url;
///
/// assert_eq!(base64url::decode("-_8"), Ok(vec![0xFB, 0xFF]));
/// assert!(base64url::decode("+/8").is_err(), "the alphabet of base64");
/// assert!(base64url::decode("-_8\n").is_err(), "whitespace");
/// ```
///
/// # Errors
///
/// [`DecodeError`] if the text is not the one that [`encode`] writes.
pub fn decode(text: &str) -> Result<Vec<u8>, DecodeError> {
    URL_SAFE_NO_PAD.decode_to_vec(text).map_err(|_| DecodeError)
}

/// The `N` bytes that `text` stands for, such as a digest or a challenge (RFC 7636 §4.2).
///
/// ```
/// use sealwright_jose::{Digest, Hash, base64url};
///
/// // The verifier and the challenge of RFC 7636 appendix B.
/// let verifier = Digest::of(Hash::Sha256, b"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
/// let challenge: [u8; 32] = base64url::decode_exact("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")?;
/// assert_eq!(challenge, verifier.as_bytes());
/// assert!(base64url::decode_exact::<32>("E9Melhoa").is_err(), "six bytes");
/// # Ok::<(), base64url::DecodeError>(())
/// ```
///
/// # Errors
///
/// [`DecodeError`] if the text is not base64url, or stands for more or fewer bytes.
pub fn decode_exact<const N: usize>(text: &str) -> Result<[u8; N], DecodeError> {
    let mut bytes = [0; N];
    if text.len() != encoded_len(N) {
        return Err(DecodeError);
    }
    decode_into(text, &mut bytes)?;
    Ok(bytes)
}

/// How many characters `len` bytes become.
pub(crate) const fn encoded_len(len: usize) -> usize {
    len / 3 * 4 + (len % 3 * 8).div_ceil(6)
}

/// How many bytes `len` characters stand for, if they are base64url at all.
pub(crate) const fn decoded_len(len: usize) -> usize {
    len / 4 * 3 + len % 4 * 6 / 8
}

/// Decodes to the start of `out`, which has room for at least [`decoded_len`] bytes.
#[inline]
pub(crate) fn decode_into<'o>(text: &str, out: &'o mut [u8]) -> Result<&'o [u8], DecodeError> {
    if out.len() < decoded_len(text.len()) {
        return Err(DecodeError);
    }
    match URL_SAFE_NO_PAD.decode(text.as_bytes(), out.as_out()) {
        Ok(bytes) => Ok(bytes),
        Err(_) => Err(DecodeError),
    }
}

/// Writes the base64url text of `bytes` to `out`, which has exactly [`encoded_len`] bytes.
pub(crate) fn encode_into(bytes: &[u8], out: &mut [u8]) {
    debug_assert_eq!(out.len(), encoded_len(bytes.len()));
    let _ = URL_SAFE_NO_PAD.encode(bytes, out.as_out());
}

/// Appends the base64url text of `bytes`.
pub(crate) fn encode_to(bytes: &[u8], out: &mut String) {
    URL_SAFE_NO_PAD.encode_append(bytes, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_short_text_is_refused_or_the_only_one_of_its_bytes() {
        let mut accepted = 0;
        for first in 0..=127_u8 {
            for second in 0..=127_u8 {
                let text = String::from_utf8(vec![first, second]).unwrap();
                if let Ok(bytes) = decode(&text) {
                    assert_eq!(encode(&bytes), text);
                    accepted += 1;
                }
                let text = String::from_utf8(vec![b'A', first, second]).unwrap();
                if let Ok(bytes) = decode(&text) {
                    assert_eq!(encode(&bytes), text);
                    accepted += 1;
                }
            }
        }
        // One byte has 256 values; with the first six bits zero, two bytes have 1024.
        assert_eq!(accepted, 256 + 1024);
    }

    #[test]
    fn what_is_not_base64url_is_refused_at_every_length() {
        // Long enough for the vector code as well as for the tail.
        for len in 0..200 {
            let good = encode(vec![0xA5; len]);
            assert_eq!(decode(&good).unwrap(), vec![0xA5; len]);
            assert_eq!(good.len(), encoded_len(len));
            assert_eq!(decoded_len(good.len()), len);
            for bad in ["=", "==", "\n", " ", "A=", "\0", "+", "/", "é"] {
                assert!(decode(&format!("{good}{bad}")).is_err(), "{len} {bad:?}");
                assert!(decode(&format!("{bad}{good}")).is_err(), "{len} {bad:?}");
                if len > 4 {
                    assert!(decode(&format!("{}{bad}{}", &good[..4], &good[4..])).is_err(), "{len} {bad:?}");
                }
            }
        }
    }

    #[test]
    fn an_exact_length_is_exact() {
        assert_eq!(decode_exact::<5>("aGVsbG8"), Ok(*b"hello"));
        assert_eq!(decode_exact::<4>("aGVsbG8"), Err(DecodeError));
        assert_eq!(decode_exact::<6>("aGVsbG8"), Err(DecodeError));
        assert_eq!(decode_exact::<0>(""), Ok([]));
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { cases: 200, failure_persistence: None, ..Default::default() })]

        #[test]
        fn every_byte_string_has_exactly_one_text(
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300),
            at in proptest::prelude::any::<proptest::sample::Index>(),
            other in 0..128_u8,
        ) {
            let text = encode(&bytes);
            proptest::prop_assert_eq!(&decode(&text).unwrap(), &bytes);
            let mut room = vec![0xA5; bytes.len()];
            proptest::prop_assert_eq!(decode_into(&text, &mut room), Ok(&bytes[..]));
            let mut appended = "x".to_owned();
            encode_to(&bytes, &mut appended);
            proptest::prop_assert_eq!(&appended[1..], &text);
            // One character changed: refused, or other bytes whose only text that is.
            let mut changed = text.clone().into_bytes();
            if !changed.is_empty() {
                let at = at.index(changed.len());
                changed[at] = other;
                let changed = String::from_utf8(changed).unwrap();
                match decode(&changed) {
                    Ok(decoded) => {
                        proptest::prop_assert_eq!(encode(&decoded), &changed[..]);
                        proptest::prop_assert_eq!(decoded == bytes, changed == text);
                    }
                    Err(DecodeError) => {
                        let in_alphabet = other.is_ascii_alphanumeric() || b"-_".contains(&other);
                        let last = at + 1 == text.len() && bytes.len() % 3 != 0;
                        proptest::prop_assert!(!in_alphabet || last, "{} of {}", at, changed);
                    }
                }
            }
        }

        #[test]
        fn the_unused_bits_of_the_last_character_are_zero(
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 1..100),
        ) {
            const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            let text = encode(&bytes);
            let unused = [1, 16, 4][bytes.len() % 3];
            let (front, last) = text.split_at(text.len() - 1);
            let value = ALPHABET.find(last).unwrap();
            proptest::prop_assert_eq!(value % unused, 0);
            for bits in 1..unused {
                let bent = format!("{front}{}", &ALPHABET[value + bits..=value + bits]);
                proptest::prop_assert_eq!(decode(&bent), Err(DecodeError));
            }
        }
    }
}
