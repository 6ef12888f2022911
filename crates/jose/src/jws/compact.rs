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

/// Splits at the dots. At most four are looked for, however many there are (CVE-2025-27144).
pub(super) fn split(jws: &str) -> Result<Parts<'_>, VerifyErrorKind> {
    split_after(jws, jws.find('.').ok_or(VerifyErrorKind::Malformed)?)
}

/// As [`split`], where the first dot is known.
pub(super) fn split_after(jws: &str, dot: usize) -> Result<Parts<'_>, VerifyErrorKind> {
    let (protected, rest) = (&jws[..dot], &jws[dot + 1..]);
    let (payload, signature) = rest.split_once('.').ok_or(VerifyErrorKind::Malformed)?;
    if let Some((_, more)) = signature.split_once('.') {
        let five_parts = more.split_once('.').is_some_and(|(_, last)| !last.contains('.'));
        return Err(if five_parts { VerifyErrorKind::Encrypted } else { VerifyErrorKind::Malformed });
    }
    let signing_input = &jws[..dot + 1 + payload.len()];
    Ok(Parts { protected, payload, signature, signing_input })
}

/// The bytes of a payload that stands between the dots as it is: printable ASCII (RFC 7797 §5.2). A
/// dot cannot be in it, since [`split`] has split there.
pub(super) fn unencoded(payload: &str) -> Result<&[u8], VerifyErrorKind> {
    let bytes = payload.as_bytes();
    if bytes.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        Ok(bytes)
    } else {
        Err(VerifyErrorKind::Malformed)
    }
}
