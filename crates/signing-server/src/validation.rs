//! Validation of signed documents, reported in the words of EN 319 102-1.
//!
//! A certificate in a document is a claim and no key: it counts after a chain to a configured anchor was
//! built, and what the document says about itself (time, algorithm) is never believed without that.

mod certificate;
mod chain;
mod jws;
mod report;

pub(crate) use certificate::CertificateError;
pub(crate) use chain::Anchors;
pub(crate) use jws::validate;
pub(crate) use report::Report;
