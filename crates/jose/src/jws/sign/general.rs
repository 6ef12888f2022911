//! One payload, several signatures.

use crate::{
    SignError,
    jws::{
        Limits,
        sign::{
            payload,
            secret::Signature,
            signer::{Encoded, Signer},
            text::{self, Part},
        },
    },
};

/// The general JSON serialization (RFC 7515 §7.2.1) of `payload`, signed by each of `signers`, in
/// their order: at most 16, as many as a verifier takes by default. No limit of a signer can be changed.
///
/// ```
/// use sealwright_jose::{Alg, MacKey, SigningKey, jws::{Signer, sign_general}};
///
/// let ours = Signer::new(&SigningKey::generate(Alg::Es256)?.with_kid("ours"));
/// let theirs = Signer::new(&SigningKey::generate(Alg::Ed25519)?.with_kid("theirs"));
/// let json = sign_general(&[&ours, &theirs], b"hello")?;
/// assert!(json.starts_with(r#"{"payload":"aGVsbG8","signatures":[{"protected":""#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// The [`SignError`] of the first signer that cannot sign; [`SignError::Signatures`] for no signer
/// or more than verifiers accept, and [`SignError::MixedEncoding`] if some leave the payload
/// unencoded and others do not (RFC 7797 §3).
pub fn sign_general(signers: &[&Signer], payload: &[u8]) -> Result<String, SignError> {
    let headers = headers(signers)?;
    let unencoded = headers.first().is_some_and(|header| header.unencoded);
    let member = payload::json_member(payload, unencoded)?;
    sign(signers, &headers, payload, Some(&member))
}

/// As [`sign_general`], with the payload detached (RFC 7515 appendix F).
///
/// ```
/// # use sealwright_jose::{Alg, MacKey, SignError, jws::{Signer, sign_general_detached}};
/// # let signer = Signer::mac(&MacKey::generate(Alg::Hs256)?);
/// let json = sign_general_detached(&[&signer, &signer.clone().typ("JWT")], b"hello")?;
/// assert!(json.starts_with(r#"{"signatures":[{"protected":"eyJhbGciOiJIUzI1NiJ9","#));
/// let mixed = sign_general_detached(&[&signer, &signer.clone().unencoded()], b"hello");
/// assert_eq!(mixed, Err(SignError::MixedEncoding));
/// assert_eq!(sign_general_detached(&[], b"hello"), Err(SignError::Signatures(16)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// As [`sign_general`].
pub fn sign_general_detached(signers: &[&Signer], payload: &[u8]) -> Result<String, SignError> {
    sign(signers, &headers(signers)?, payload, None)
}

pub(super) fn headers<'s>(signers: &[&'s Signer]) -> Result<Vec<&'s Encoded>, SignError> {
    check_number(signers.len())?;
    let headers: Vec<&Encoded> = signers.iter().map(|signer| signer.encoded()).collect::<Result<_, _>>()?;
    if headers.windows(2).any(|two| two[0].unencoded != two[1].unencoded) {
        return Err(SignError::MixedEncoding);
    }
    Ok(headers)
}

/// A JWS has at least one signature, and no more than verifiers accept.
pub(super) fn check_number(signatures: usize) -> Result<(), SignError> {
    let max = Limits::default().signatures;
    if (1..=max).contains(&signatures) { Ok(()) } else { Err(SignError::Signatures(max)) }
}

fn sign(
    signers: &[&Signer],
    headers: &[&Encoded],
    payload: &[u8],
    member: Option<&str>,
) -> Result<String, SignError> {
    let signatures: Vec<Signature> = signers
        .iter()
        .zip(headers)
        .map(|(signer, header)| signer.sign_payload(header, payload))
        .collect::<Result<_, _>>()?;
    let parts: Vec<Part<'_>> =
        headers.iter().zip(&signatures).map(|(header, signature)| header.part(signature.as_ref())).collect();
    Ok(text::general(member, &parts))
}
