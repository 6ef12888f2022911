//! From a signer's certificate to one of the configured anchors.

use std::path::Path;

use aws_lc_rs::digest;
use der::Encode;
use sealwright_service::clock::Timestamp;
use x509_cert::Certificate;

use super::{
    certificate::{CertificateError, ParsedCertificate},
    report::SubIndication,
};

/// Leaf, and at most so many authorities below the anchor.
const MAX_INTERMEDIATES: usize = 3;

/// The certificates that are believed without a signature.
#[derive(Clone, Debug)]
pub(crate) struct Anchors {
    certificates: Vec<ParsedCertificate>,
    snapshot: String,
}

impl Anchors {
    /// From DER certificates.
    pub(crate) fn from_der<'a>(
        certificates: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Self, CertificateError> {
        let certificates: Result<Vec<_>, _> =
            certificates.into_iter().map(ParsedCertificate::from_der).collect();
        let certificates = certificates?;
        let snapshot = snapshot(&certificates);
        Ok(Self { certificates, snapshot })
    }

    /// The DER certificates of a PEM file.
    pub(crate) async fn read_file(path: &Path) -> Result<Vec<Vec<u8>>, CertificateError> {
        let pem = tokio::fs::read(path).await?;
        if pem.iter().all(u8::is_ascii_whitespace) {
            return Err(CertificateError::Empty);
        }
        let certificates =
            Certificate::load_pem_chain(pem.trim_ascii_end()).map_err(|_| CertificateError::Pem)?;
        if certificates.is_empty() {
            return Err(CertificateError::Empty);
        }
        certificates.iter().map(|certificate| Ok(certificate.to_der()?)).collect()
    }

    /// Names exactly this set of anchors: SHA-256 over their sorted SHA-256 fingerprints.
    pub(crate) fn snapshot(&self) -> &str {
        &self.snapshot
    }
}

fn snapshot(certificates: &[ParsedCertificate]) -> String {
    let mut prints: Vec<[u8; 32]> = certificates.iter().map(ParsedCertificate::sha256).collect();
    prints.sort_unstable();
    prints.dedup();
    let hash = digest::digest(&digest::SHA256, prints.as_flattened());
    let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// A chain that was found, anchor last.
#[derive(Debug)]
pub(super) struct Chain<'c> {
    certificates: Vec<&'c ParsedCertificate>,
}

/// Finds a chain from `leaf` over `others` to an anchor; every step is checked by name and signature.
///
/// Times are not looked at: see [`Chain::is_valid_at`]. Which steps may certify is: see
/// [`Chain::check_constraints`].
pub(super) fn find<'c>(
    leaf: &'c ParsedCertificate,
    others: &'c [ParsedCertificate],
    anchors: &'c Anchors,
) -> Result<Chain<'c>, SubIndication> {
    let mut certificates = vec![leaf];
    let mut current = leaf;
    // A signer's certificate that is itself configured as an anchor needs no issuer.
    if anchors.certificates.iter().any(|anchor| anchor.der == leaf.der) {
        return Ok(Chain { certificates });
    }
    for _ in 0..=MAX_INTERMEDIATES {
        if let Some(anchor) = anchors.certificates.iter().find(|anchor| current.is_issued_by(anchor)) {
            certificates.push(anchor);
            return Ok(Chain { certificates });
        }
        let next = others.iter().find(|other| {
            !certificates.iter().any(|used| used.der == other.der) && current.is_issued_by(other)
        });
        let Some(next) = next else {
            break;
        };
        certificates.push(next);
        current = next;
    }
    Err(SubIndication::NoCertificateChainFound)
}

impl Chain<'_> {
    /// The shell model's strict brother: every certificate is valid at this time.
    pub(super) fn is_valid_at(&self, at: Timestamp) -> bool {
        self.certificates.iter().all(|certificate| certificate.is_valid_at(at))
    }

    /// Whether each step may do what it does (RFC 5280 §6.1.4, §4.2.1.3, §4.2.1.9).
    pub(super) fn check_constraints(&self) -> Result<(), SubIndication> {
        let sound = self.certificates.iter().enumerate().all(|(position, certificate)| {
            let role = if position == 0 {
                certificate.may_sign_documents()
            } else {
                certificate.may_certify() && path_is_short_enough(certificate, position)
            };
            role && certificate.criticals_are_known()
        });
        if sound { Ok(()) } else { Err(SubIndication::ChainConstraintsFailure) }
    }
}

/// `pathLenConstraint` counts the authorities between this one and the leaf.
fn path_is_short_enough(authority: &ParsedCertificate, position: usize) -> bool {
    use x509_cert::ext::pkix::BasicConstraints;
    match authority.certificate.tbs_certificate.get::<BasicConstraints>() {
        Ok(Some((_, constraints))) => {
            constraints.path_len_constraint.is_none_or(|most| position - 1 <= usize::from(most))
        }
        _ => false,
    }
}
