//! Certificates (RFC 5280): what every one of ours has, and how it is signed.

use std::time::Duration;

use aws_lc_rs::digest;
use der::{
    Decode, Encode,
    asn1::{Any, BitString, GeneralizedTime, OctetString, UtcTime},
    oid::{ObjectIdentifier, db},
};
use sealwright_jose::{Alg, VerifyingKey, ecdsa};
use sealwright_keystore::KeyHandle;
use sealwright_service::{clock::Timestamp, random};
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::{
    Certificate, TbsCertificate, Version,
    ext::{AsExtension, Extension},
    name::Name,
    serial_number::SerialNumber,
    time::{Time, Validity},
};

use super::authority::IssueError;

/// What differs between certificates.
pub(super) struct Contents<'a> {
    pub(super) issuer: &'a Name,
    pub(super) subject: Name,
    pub(super) public_key: &'a VerifyingKey,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
}

/// A certificate in the making, before its extensions and its signature.
pub(super) fn to_be_signed(contents: Contents<'_>, signer: Alg) -> Result<TbsCertificate, IssueError> {
    Ok(TbsCertificate {
        version: Version::V3,
        serial_number: serial_number()?,
        signature: signature_algorithm(signer)?,
        issuer: contents.issuer.clone(),
        validity: Validity { not_before: time(contents.not_before)?, not_after: time(contents.not_after)? },
        subject: contents.subject,
        subject_public_key_info: public_key_info(contents.public_key)?,
        issuer_unique_id: None,
        subject_unique_id: None,
        extensions: Some(Vec::new()),
    })
}

/// Adds an extension; `critical: None` leaves the choice to RFC 5280.
pub(super) fn extend(
    tbs: &mut TbsCertificate,
    extension: &impl AsExtension,
    critical: Option<bool>,
) -> Result<(), IssueError> {
    let extensions = tbs.extensions.get_or_insert_default();
    let mut extension: Extension = extension.to_extension(&tbs.subject, extensions)?;
    if let Some(critical) = critical {
        extension.critical = critical;
    }
    extensions.push(extension);
    Ok(())
}

/// Signs it; the private key may live elsewhere.
pub(super) async fn sign(tbs: TbsCertificate, key: &KeyHandle) -> Result<Certificate, IssueError> {
    let message = tbs.to_der()?;
    let signature = key.sign_message(&message).await?;
    let signature = match key.alg() {
        // JWS has r‖s, X.509 a SEQUENCE of two INTEGERs (RFC 5480 appendix A).
        Alg::Es256 => ecdsa::fixed_to_der(&signature).map_err(|_| IssueError::Signature)?,
        _ => signature,
    };
    let signature_algorithm = tbs.signature.clone();
    Ok(Certificate {
        tbs_certificate: tbs,
        signature_algorithm,
        signature: BitString::from_bytes(&signature)?,
    })
}

/// `keyIdentifier`: the leftmost 160 bits of SHA-256 over the public key's bits (RFC 7093 §2, method 1).
pub(super) fn key_identifier(key: &VerifyingKey) -> Result<OctetString, IssueError> {
    let info = public_key_info(key)?;
    let hash = digest::digest(&digest::SHA256, info.subject_public_key.raw_bytes());
    Ok(OctetString::new(&hash.as_ref()[..20])?)
}

pub(super) fn public_key_info(key: &VerifyingKey) -> Result<SubjectPublicKeyInfoOwned, IssueError> {
    Ok(SubjectPublicKeyInfoOwned::from_der(&key.to_spki_der())?)
}

/// 159 random bits, so always positive and at most 20 bytes (RFC 5280 §4.1.2.2).
fn serial_number() -> Result<SerialNumber, IssueError> {
    let mut bytes = random::bytes::<20>();
    bytes[0] &= 0x7f;
    Ok(SerialNumber::new(&bytes)?)
}

/// UTCTime until 2049, GeneralizedTime after (RFC 5280 §4.1.2.5).
fn time(at: Timestamp) -> Result<Time, IssueError> {
    let seconds = u64::try_from(at.as_secs()).map_err(|_| IssueError::Time)?;
    let since_epoch = Duration::from_secs(seconds);
    match UtcTime::from_unix_duration(since_epoch) {
        Ok(time) => Ok(Time::UtcTime(time)),
        Err(_) => Ok(Time::GeneralTime(GeneralizedTime::from_unix_duration(since_epoch)?)),
    }
}

fn signature_algorithm(alg: Alg) -> Result<AlgorithmIdentifierOwned, IssueError> {
    let (oid, parameters): (ObjectIdentifier, Option<Any>) = match alg {
        Alg::Es256 => (db::rfc5912::ECDSA_WITH_SHA_256, None),
        // RFC 4055 §5: the parameters are NULL, not absent.
        Alg::Rs256 => (db::rfc5912::SHA_256_WITH_RSA_ENCRYPTION, Some(Any::null())),
        Alg::Ed25519 => (db::rfc8410::ID_ED_25519, None),
        other => return Err(IssueError::Algorithm(other)),
    };
    Ok(AlgorithmIdentifierOwned { oid, parameters })
}
