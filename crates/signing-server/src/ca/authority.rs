//! An internal authority: its own certificate, and those that it issues for one signature each.

use std::time::Duration;

use der::{Decode, Encode, flagset::FlagSet};
use sealwright_jose::{Alg, VerifyingKey};
use sealwright_keystore::{KeyHandle, KeystoreError};
use sealwright_service::clock::Timestamp;
use x509_cert::{
    Certificate,
    attr::AttributeTypeAndValue,
    ext::pkix::{
        AuthorityKeyIdentifier, BasicConstraints, KeyUsage, KeyUsages, SubjectAltName, SubjectKeyIdentifier,
    },
    name::{Name, RdnSequence, RelativeDistinguishedName},
};

use super::{
    subject::{Subject, SubjectError},
    x509::{self, Contents},
};
use crate::{authorizer::SigningContext, config::AuthorityConfig};

/// How long an authority's own certificate is valid.
const ROOT_VALIDITY: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// An authority that is ready to issue.
#[derive(Debug)]
pub(crate) struct Authority {
    config: std::sync::Arc<AuthorityConfig>,
    key: KeyHandle,
    certificate: Certificate,
    der: Vec<u8>,
    pem: String,
}

/// A certificate that was issued.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub(crate) der: Vec<u8>,
    /// Lower-case hexadecimal.
    pub(crate) serial: String,
    /// As RFC 4514 writes it; for people, never parsed.
    pub(crate) subject: String,
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
}

/// Why an authority cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthorityError {
    #[error("its stored certificate cannot be read")]
    Certificate(#[source] der::Error),
    #[error("its stored certificate belongs to another key than `{kid}`")]
    OtherKey { kid: String },
    #[error("its key `{kid}` is for {found}, not for {wanted}")]
    OtherAlg { kid: String, found: Alg, wanted: Alg },
    #[error("its certificate cannot be made")]
    Issue(#[from] IssueError),
}

/// Why a certificate was not issued.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssueError {
    #[error("the certificate cannot be encoded")]
    Der(#[from] der::Error),
    #[error("the authority's key does not sign")]
    Key(#[from] KeystoreError),
    #[error("the authority's signature is malformed")]
    Signature,
    #[error("certificates cannot be signed with {0}")]
    Algorithm(Alg),
    #[error("the time is before 1970")]
    Time,
    /// What it issued now would outlive it.
    #[error("the authority's own certificate has expired, or is about to")]
    Expired,
}

impl Authority {
    /// Takes up an authority with its key and the DER of its certificate.
    pub(crate) fn new(
        config: std::sync::Arc<AuthorityConfig>,
        key: KeyHandle,
        der: Vec<u8>,
    ) -> Result<Self, AuthorityError> {
        check_alg(&config, &key)?;
        let certificate = Certificate::from_der(&der).map_err(AuthorityError::Certificate)?;
        if certificate.tbs_certificate.subject_public_key_info != x509::public_key_info(key.verifying_key())?
        {
            return Err(AuthorityError::OtherKey { kid: config.kid.clone() });
        }
        let pem = super::to_pem(&der).map_err(|error| AuthorityError::Certificate(error.into()))?;
        Ok(Self { config, key, certificate, der, pem })
    }

    /// Makes the self-signed certificate of a new authority; returns its DER.
    pub(crate) async fn self_signed(
        config: &AuthorityConfig,
        key: &KeyHandle,
        now: Timestamp,
    ) -> Result<Vec<u8>, AuthorityError> {
        check_alg(config, key)?;
        let name = common_name(&config.common_name).map_err(IssueError::Der)?;
        let contents = Contents {
            issuer: &name,
            subject: name.clone(),
            public_key: key.verifying_key(),
            not_before: now.minus(config.backdate),
            not_after: now.plus(ROOT_VALIDITY),
        };
        let mut tbs = x509::to_be_signed(contents, key.alg())?;
        let identifier = x509::key_identifier(key.verifying_key())?;
        // It certifies signers and no further authorities.
        let constraints = BasicConstraints { ca: true, path_len_constraint: Some(0) };
        x509::extend(&mut tbs, &constraints, Some(true))?;
        let usage = KeyUsages::KeyCertSign | KeyUsages::CRLSign;
        x509::extend(&mut tbs, &KeyUsage(usage), Some(true))?;
        x509::extend(&mut tbs, &SubjectKeyIdentifier(identifier), None)?;
        let certificate = x509::sign(tbs, key).await?;
        Ok(certificate.to_der().map_err(IssueError::Der)?)
    }

    /// The subject that a certificate for this signer would have; fails if the claims do not make one.
    pub(crate) fn subject(&self, context: &SigningContext) -> Result<Subject, SubjectError> {
        self.config.subject.fill(context)
    }

    /// Certifies `public_key` for `subject`.
    pub(crate) async fn issue(
        &self,
        Subject { name, alt_names }: Subject,
        public_key: &VerifyingKey,
        now: Timestamp,
    ) -> Result<Issued, IssueError> {
        // X.509 counts whole seconds; what is reported is what stands in the certificate.
        let now = Timestamp::from_secs(now.as_secs());
        let not_before = now.minus(self.config.backdate);
        let not_after = now.plus(self.config.validity);
        if not_after > self.not_after() {
            return Err(IssueError::Expired);
        }
        let contents = Contents {
            issuer: &self.certificate.tbs_certificate.subject,
            subject: name,
            public_key,
            not_before,
            not_after,
        };
        let mut tbs = x509::to_be_signed(contents, self.key.alg())?;
        let constraints = BasicConstraints { ca: false, path_len_constraint: None };
        x509::extend(&mut tbs, &constraints, Some(true))?;
        let usage: FlagSet<KeyUsages> = KeyUsages::DigitalSignature | KeyUsages::NonRepudiation;
        x509::extend(&mut tbs, &KeyUsage(usage), Some(true))?;
        x509::extend(&mut tbs, &SubjectKeyIdentifier(x509::key_identifier(public_key)?), None)?;
        let authority_key = AuthorityKeyIdentifier {
            key_identifier: Some(x509::key_identifier(self.key.verifying_key())?),
            ..AuthorityKeyIdentifier::default()
        };
        x509::extend(&mut tbs, &authority_key, None)?;
        if !alt_names.is_empty() {
            x509::extend(&mut tbs, &SubjectAltName(alt_names), Some(false))?;
        }
        let serial = hex(tbs.serial_number.as_bytes());
        let subject = tbs.subject.to_string();
        let certificate = x509::sign(tbs, &self.key).await?;
        Ok(Issued { der: certificate.to_der()?, serial, subject, not_before, not_after })
    }

    fn not_after(&self) -> Timestamp {
        let not_after = self.certificate.tbs_certificate.validity.not_after.to_unix_duration();
        Timestamp::from_secs(i64::try_from(not_after.as_secs()).unwrap_or(i64::MAX))
    }

    pub(crate) fn name(&self) -> &str {
        &self.config.name
    }

    /// The authority's own certificate.
    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    /// The same as PEM.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }
}

fn check_alg(config: &AuthorityConfig, key: &KeyHandle) -> Result<(), AuthorityError> {
    if key.alg() == config.alg {
        return Ok(());
    }
    Err(AuthorityError::OtherAlg { kid: config.kid.clone(), found: key.alg(), wanted: config.alg })
}

fn common_name(text: &str) -> Result<Name, der::Error> {
    let atv = AttributeTypeAndValue {
        oid: der::oid::db::rfc4519::CN,
        value: der::asn1::Utf8StringRef::new(text)?.into(),
    };
    Ok(RdnSequence(vec![RelativeDistinguishedName(vec![atv].try_into()?)]))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
