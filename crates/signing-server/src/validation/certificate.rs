//! One certificate that somebody sent or configured.

use aws_lc_rs::digest;
use der::{Decode, Encode, Reader, SliceReader, oid::db};
use sealwright_jose::{Alg, VerifyingKey, ecdsa};
use sealwright_service::clock::Timestamp;
use x509_cert::{
    Certificate,
    ext::pkix::{BasicConstraints, KeyUsage},
};

/// More is not a certificate of a signer.
const MAX_BYTES: usize = 16 * 1024;

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CertificateError {
    #[error("not base64")]
    Base64,
    #[error("more than {MAX_BYTES} bytes")]
    TooLarge,
    #[error("not a certificate")]
    Der(#[from] der::Error),
    #[error("not a PEM certificate")]
    Pem,
    #[error("the file holds no certificate")]
    Empty,
    #[error("the file cannot be read")]
    File(#[from] std::io::Error),
}

/// A parsed certificate with the bytes that its signature covers.
#[derive(Clone, Debug)]
pub(super) struct ParsedCertificate {
    pub(super) certificate: Certificate,
    pub(super) der: Vec<u8>,
    tbs: Vec<u8>,
}

impl ParsedCertificate {
    /// Reads DER, strictly.
    pub(super) fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > MAX_BYTES {
            return Err(CertificateError::TooLarge);
        }
        let certificate = Certificate::from_der(der)?;
        Ok(Self { certificate, der: der.to_vec(), tbs: signed_bytes(der)? })
    }

    /// Reads a member of `x5c`: base64 of DER (RFC 7515 §4.1.6).
    pub(super) fn from_base64(text: &str) -> Result<Self, CertificateError> {
        if text.len() > MAX_BYTES * 4 / 3 + 4 {
            return Err(CertificateError::TooLarge);
        }
        let der = base64_simd::STANDARD.decode_to_vec(text).map_err(|_| CertificateError::Base64)?;
        Self::from_der(&der)
    }

    pub(super) fn sha256(&self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, &self.der).as_ref());
        hash
    }

    /// The certificate's key, for those of `algs` that fit its type.
    pub(super) fn keys(&self, algs: &[Alg]) -> Vec<VerifyingKey> {
        let Ok(spki) = self.certificate.tbs_certificate.subject_public_key_info.to_der() else {
            return Vec::new();
        };
        algs.iter().filter_map(|alg| VerifyingKey::from_spki_der(*alg, &spki).ok()).collect()
    }

    /// As RFC 4514 writes it; for people.
    pub(super) fn subject(&self) -> String {
        self.certificate.tbs_certificate.subject.to_string()
    }

    pub(super) fn not_before(&self) -> Timestamp {
        time(self.certificate.tbs_certificate.validity.not_before)
    }

    pub(super) fn not_after(&self) -> Timestamp {
        time(self.certificate.tbs_certificate.validity.not_after)
    }

    pub(super) fn is_valid_at(&self, at: Timestamp) -> bool {
        // The last second counts whole (RFC 5280 §4.1.2.5).
        self.not_before() <= at && at.as_secs() <= self.not_after().as_secs()
    }

    /// Whether `issuer` signed it: name, algorithm and signature.
    pub(super) fn is_issued_by(&self, issuer: &Self) -> bool {
        let signed = &self.certificate;
        signed.tbs_certificate.issuer == issuer.certificate.tbs_certificate.subject
            && signed.signature_algorithm == signed.tbs_certificate.signature
            && self.verify_signature(issuer).is_some()
    }

    fn verify_signature(&self, issuer: &Self) -> Option<()> {
        let algorithm = &self.certificate.signature_algorithm;
        let alg = match algorithm.oid {
            oid if oid == db::rfc5912::ECDSA_WITH_SHA_256 => Alg::Es256,
            oid if oid == db::rfc5912::SHA_256_WITH_RSA_ENCRYPTION => Alg::Rs256,
            oid if oid == db::rfc8410::ID_ED_25519 => Alg::Ed25519,
            _ => return None,
        };
        let signature = self.certificate.signature.as_bytes()?;
        let key = issuer.keys(&[alg]).pop()?;
        let signature = match alg {
            Alg::Es256 => ecdsa::der_to_fixed(alg, signature).ok()?,
            _ => signature.to_vec(),
        };
        key.verify(&self.tbs, &signature).ok()
    }

    /// Whether it may certify signers: `cA`, and `keyCertSign` if key usages are named.
    pub(super) fn may_certify(&self) -> bool {
        let tbs = &self.certificate.tbs_certificate;
        let is_ca = matches!(tbs.get::<BasicConstraints>(), Ok(Some((_, constraints))) if constraints.ca);
        let usage = match tbs.get::<KeyUsage>() {
            Ok(Some((_, usage))) => usage.key_cert_sign(),
            Ok(None) => true,
            Err(_) => false,
        };
        is_ca && usage
    }

    /// Whether its key may sign documents: `digitalSignature` or `nonRepudiation`, and it is no authority.
    pub(super) fn may_sign_documents(&self) -> bool {
        let tbs = &self.certificate.tbs_certificate;
        let is_ca = match tbs.get::<BasicConstraints>() {
            Ok(Some((_, constraints))) => constraints.ca,
            Ok(None) => false,
            Err(_) => return false,
        };
        let usage = match tbs.get::<KeyUsage>() {
            Ok(Some((_, usage))) => usage.digital_signature() || usage.non_repudiation(),
            Ok(None) | Err(_) => false,
        };
        usage && !is_ca
    }

    /// Whether every critical extension is one that is looked at here (RFC 5280 §4.2).
    pub(super) fn criticals_are_known(&self) -> bool {
        let known = [
            db::rfc5280::ID_CE_BASIC_CONSTRAINTS,
            db::rfc5280::ID_CE_KEY_USAGE,
            // An alternative name restricts nothing; it is critical where the subject is empty.
            db::rfc5280::ID_CE_SUBJECT_ALT_NAME,
        ];
        let extensions = self.certificate.tbs_certificate.extensions.as_deref().unwrap_or_default();
        extensions.iter().all(|extension| !extension.critical || known.contains(&extension.extn_id))
    }
}

/// The first member of the outer SEQUENCE as it stands, so that the signature is checked over what was sent
/// and not over what this program would have written.
fn signed_bytes(der: &[u8]) -> Result<Vec<u8>, der::Error> {
    let mut reader = SliceReader::new(der)?;
    reader.sequence(|inner| {
        let tbs = inner.tlv_bytes()?.to_vec();
        inner.read_slice(inner.remaining_len())?;
        Ok(tbs)
    })
}

fn time(time: x509_cert::time::Time) -> Timestamp {
    Timestamp::from_secs(i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX))
}
