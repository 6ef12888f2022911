//! The compact serialization: three base64url parts with dots between (RFC 7515 §7.1).

use crate::VerifyErrorKind;

/// The parts as they stand in the token.
pub(super) struct Parts<'a> {
    pub(super) protected: &'a str,
    pub(super) payload: &'a str,
    pub(super) signature: &'a str,
    /// What is signed: protected header, dot, payload.
    pub(super) signing_input: &'a str,
}

/// Splits at the dots, however many there are in a few passes over the text (CVE-2025-27144).
pub(super) fn split(jws: &str) -> Result<Parts<'_>, VerifyErrorKind> {
    let parts = split_outside(jws, 0)?;
    if has_dot(parts.payload.as_bytes()) { Err(of_more_parts(jws)) } else { Ok(parts) }
}

/// As [`split`], for one who decodes the payload and, if anything is wrong with the token, lets
/// [`check_dots`] say whether it has three parts at all. No dot is in the alphabet of base64url, and
/// [`unencoded`] takes none, so looking for one first would be 120 instructions of each good token.
///
/// Where the signature has as many characters as is expected of it, it is not searched through: one of RSA would be 400
/// instructions.
pub(super) fn split_outside(jws: &str, signature_len: usize) -> Result<Parts<'_>, VerifyErrorKind> {
    let first = first_dot(jws.as_bytes()).ok_or(VerifyErrorKind::Malformed)?;
    split_after(jws, first, signature_len)
}

/// As [`split_outside`], where the first dot is known and the signature is expected to have so many
/// characters.
pub(super) fn split_after(
    jws: &str,
    first: usize,
    signature_len: usize,
) -> Result<Parts<'_>, VerifyErrorKind> {
    let last = match jws.len().checked_sub(signature_len.saturating_add(1)) {
        // If another one comes after it, the signature is no base64url.
        Some(at) if at > first && jws.as_bytes()[at] == b'.' => at,
        _ => first + 1 + last_dot(&jws.as_bytes()[first + 1..]).ok_or(VerifyErrorKind::Malformed)?,
    };
    let signing_input = &jws[..last];
    let (protected, payload) = (&signing_input[..first], &signing_input[first + 1..]);
    Ok(Parts { protected, payload, signature: &jws[last + 1..], signing_input })
}

/// Whether there are three parts, and if not, what is wrong.
#[cold]
pub(super) fn check_dots(jws: &str) -> Result<(), VerifyErrorKind> {
    if jws.split('.').take(4).count() == 3 { Ok(()) } else { Err(of_more_parts(jws)) }
}

/// Five parts are a JWE (RFC 7516 §7.1).
#[cold]
fn of_more_parts(jws: &str) -> VerifyErrorKind {
    if jws.split('.').take(6).count() == 5 { VerifyErrorKind::Encrypted } else { VerifyErrorKind::Malformed }
}

// Where header and signature end is searched for from both sides, eight bytes at a time, and the long
// payload between them only tested, by blocks. With `str::find` the dots of a token of 350 bytes took
// 600 instructions, of 1,200 that are not cryptography.

fn first_dot(text: &[u8]) -> Option<usize> {
    let (words, rest) = text.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let hits = dots(u64::from_le_bytes(*word));
        if hits != 0 {
            return Some(at * 8 + hits.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().position(|byte| *byte == b'.').map(|at| words.len() * 8 + at)
}

fn last_dot(text: &[u8]) -> Option<usize> {
    let (rest, words) = text.as_rchunks::<8>();
    for (at, word) in words.iter().enumerate().rev() {
        // The last byte is the lowest here.
        let hits = dots(u64::from_be_bytes(*word));
        if hits != 0 {
            return Some(rest.len() + at * 8 + 7 - hits.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().rposition(|byte| *byte == b'.')
}

/// The top bit of the lowest byte that is a dot. Bits above it mean nothing.
fn dots(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xFF;
    let zero_at_dot = word ^ (ONES * b'.' as u64);
    zero_at_dot.wrapping_sub(ONES) & !zero_at_dot & (ONES * 0x80)
}

/// Its loops become vector instructions.
fn has_dot(text: &[u8]) -> bool {
    const BLOCK: usize = 32;
    let in_block = |block: &[u8; BLOCK]| block.iter().fold(false, |hit, byte| hit | (*byte == b'.'));
    match text.last_chunk() {
        // The last block overlaps the one before.
        Some(last) => text.as_chunks().0.iter().any(in_block) || in_block(last),
        None => text.contains(&b'.'),
    }
}

/// The bytes of a payload that stands between the dots as it is: printable ASCII without a dot (RFC
/// 7797 §5.2).
pub(super) fn unencoded(payload: &str) -> Result<&[u8], VerifyErrorKind> {
    let bytes = payload.as_bytes();
    if bytes.iter().all(|byte| matches!(byte, b' '..=b'~') && *byte != b'.') {
        Ok(bytes)
    } else {
        Err(VerifyErrorKind::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_found_wherever_they_stand() {
        for len in 0..100 {
            // Bytes that differ from a dot in one bit, and others.
            for other in [b'a', b'/', b',', b'*', b'&', b'>', b'n', 0xAE, 0, 0xFF] {
                let mut text = vec![other; len];
                assert_eq!((first_dot(&text), last_dot(&text), has_dot(&text)), (None, None, false));
                for at in 0..len {
                    text[at] = b'.';
                    assert_eq!((first_dot(&text), last_dot(&text)), (Some(at), Some(at)), "{at} of {len}");
                    assert!(has_dot(&text), "{at} of {len}");
                    text[len - 1] = b'.';
                    assert_eq!((first_dot(&text), last_dot(&text)), (Some(at), Some(len - 1)));
                    text[len - 1] = other;
                    text[at] = other;
                }
            }
        }
    }

    #[test]
    fn only_two_dots_make_three_parts() {
        for payload in [0, 1, 31, 32, 33, 63, 64, 65, 200] {
            let payload = "p".repeat(payload);
            let token = format!("head.{payload}.sign");
            let parts = split(&token).map_err(|kind| kind.to_string()).unwrap();
            assert_eq!((parts.protected, parts.payload, parts.signature), ("head", &*payload, "sign"));
            assert_eq!(parts.signing_input, format!("head.{payload}"));
            assert_eq!(check_dots(&token), Ok(()));
            // Whatever length was expected of the signature, it is found.
            for expected in (0..token.len() + 2).chain([usize::MAX - 1]) {
                let again = split_after(&token, 4, expected).map_err(|kind| kind.to_string()).unwrap();
                assert_eq!((again.payload, again.signature), (parts.payload, parts.signature));
            }
            for (text, kind) in [
                (payload.clone(), VerifyErrorKind::Malformed),
                (format!("head.{payload}"), VerifyErrorKind::Malformed),
                (format!("head.{payload}.{payload}.sign"), VerifyErrorKind::Malformed),
                (format!("head.{payload}..tag.sign"), VerifyErrorKind::Encrypted),
                (format!("{payload}...."), VerifyErrorKind::Encrypted),
                (format!("....{payload}"), VerifyErrorKind::Encrypted),
                (format!("head.{payload}....sign"), VerifyErrorKind::Malformed),
                (format!("{payload}{}", ".".repeat(1000)), VerifyErrorKind::Malformed),
            ] {
                assert_eq!(split(&text).err(), Some(kind), "{text}");
                // However it is split, one part of it has a dot, or it is not split at all.
                let outside = split_outside(&text, 4);
                let dots = outside.map(|parts| has_dot([parts.payload, parts.signature].concat().as_bytes()));
                assert!(dots != Ok(false), "{text}");
                assert_eq!(check_dots(&text).err(), Some(kind), "{text}");
            }
        }
    }
}
