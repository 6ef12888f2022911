//! Internal certificate authorities: subjects from typed parts, certificates for one signature.

mod attribute;
mod authority;
mod subject;
mod x509;

pub(crate) use attribute::AttributeKind;
pub(crate) use authority::{Authority, AuthorityError, IssueError, Issued};
pub(crate) use subject::{AltNameTemplate, AttributeTemplate, Part, Subject, SubjectError, SubjectTemplate};

/// A certificate as PEM (RFC 7468).
fn to_pem(der: &[u8]) -> Result<String, der::pem::Error> {
    der::pem::encode_string("CERTIFICATE", der::pem::LineEnding::LF, der)
}
