//! JAdES B-B (ETSI TS 119 182-1), attached, in the flattened JSON serialization.

use aws_lc_rs::digest;
use sealwright_jose::{
    Alg, SignError, VerifyError, VerifyingKey, base64url,
    jws::{BuildError, Header, Limits, Prepared, Scratch, SigningInput, Verifier, prepare},
};
use sealwright_service::clock::Timestamp;
use serde_json::Value;

use crate::crypto_token::OneTimeKey;

/// The media type of what is made here.
pub(crate) const MEDIA_TYPE: &str = "application/jose+json";
const TYP: &str = "jose+json";

/// Why a document was not signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JadesError {
    #[error("the signature cannot be made")]
    Sign(#[from] SignError),
    #[error("the signature that was made cannot be checked")]
    Verifier(#[from] BuildError),
    #[error("the signature that was made is not valid")]
    Verify(#[from] VerifyError),
    #[error("the signature that was made is for another payload")]
    Payload,
}

/// Signs `document` with the one key that `key` is, and checks the result as a stranger would.
///
/// It hashes and encodes the whole document: not for a thread that serves.
pub(crate) fn sign(
    document: &[u8],
    media_type: Option<&str>,
    key: OneTimeKey,
    signing_time: Timestamp,
) -> Result<String, JadesError> {
    let verifying_key = key.verifying_key();
    let header = protected_header(key.alg(), media_type, key.chain(), signing_time);
    let prepared = prepare(header, document)?;
    let signature = key.sign_once(message(&prepared))?;
    let signed = prepared.signed(signature)?.flattened()?;
    check(&signed, document, verifying_key)?;
    Ok(signed)
}

/// Clauses 5.1.2 to 5.1.11: exactly one reference to the signing certificate, by SHA-256; the time as `iat`,
/// which took the place of `sigT` in version 1.2.1.
fn protected_header(
    alg: Alg,
    media_type: Option<&str>,
    chain: &[Vec<u8>],
    signing_time: Timestamp,
) -> Header {
    let mut header = Header::new(alg).typ(TYP);
    if let Some(media_type) = media_type {
        header = header.cty(content_type(media_type));
    }
    header = header.param("iat", signing_time.as_secs().into());
    if let Some(leaf) = chain.first() {
        header = header.param("x5t#S256", base64url::encode(digest::digest(&digest::SHA256, leaf)).into());
    }
    let certificates = chain.iter().map(|der| Value::from(base64_simd::STANDARD.encode_to_string(der)));
    header.param("x5c", certificates.collect())
}

/// RFC 7515 §4.1.10: `application/` is left out where no other slash is.
fn content_type(media_type: &str) -> &str {
    match media_type.strip_prefix("application/") {
        Some(subtype) if !subtype.contains('/') => subtype,
        _ => media_type,
    }
}

fn message(prepared: &Prepared) -> &[u8] {
    match prepared.signing_input() {
        SigningInput::Message(message) => message,
        // `prepare` makes messages; the other forms are for keys that only take digests.
        _ => &[],
    }
}

/// Nothing leaves that does not verify with the key that the certificate names.
fn check(signed: &str, document: &[u8], key: VerifyingKey) -> Result<(), JadesError> {
    let verifier = Verifier::builder([key.alg()])
        .key(key)
        .typ(TYP)
        .limits(Limits::default().token_bytes(signed.len()))
        .build()?;
    let mut scratch = Scratch::new();
    let verified = verifier.verify_flattened(signed, &mut scratch)?;
    if verified.payload() == document { Ok(()) } else { Err(JadesError::Payload) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_type_is_short_where_it_can_be() {
        assert_eq!(content_type("application/json"), "json");
        assert_eq!(content_type("application/pdf"), "pdf");
        assert_eq!(content_type("text/markdown"), "text/markdown");
        assert_eq!(content_type("application/a;b=c/d"), "application/a;b=c/d");
    }
}
