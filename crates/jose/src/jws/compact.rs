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
    let (protected, rest) = jws.split_once('.').ok_or(VerifyErrorKind::Malformed)?;
    let (payload, signature) = rest.split_once('.').ok_or(VerifyErrorKind::Malformed)?;
    if let Some((_, more)) = signature.split_once('.') {
        let five_parts = more.split_once('.').is_some_and(|(_, last)| !last.contains('.'));
        return Err(if five_parts { VerifyErrorKind::Encrypted } else { VerifyErrorKind::Malformed });
    }
    let signing_input = &jws[..protected.len() + 1 + payload.len()];
    Ok(Parts { protected, payload, signature, signing_input })
}
