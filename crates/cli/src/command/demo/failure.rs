//! Why the demo did not come to its end.

use std::io;

use super::portal::Challenge;
use crate::error::CliError;

/// One sentence, and whether the user or the demo is at fault.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The arguments cannot be used.
    #[error("{0}")]
    Usage(String),
    /// A step did not go as it must.
    #[error("{0}")]
    Step(String),
    #[error("HTTP failed")]
    Http(#[from] reqwest::Error),
    #[error("a file or socket failed")]
    Io(#[from] io::Error),
}

impl Failure {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self::Step(what.into())
    }

    pub(super) fn usage(what: impl Into<String>) -> Self {
        Self::Usage(what.into())
    }

    /// An answer other than the one that the story needs.
    pub(super) fn answer(what: &str, answer: &Challenge) -> Self {
        Self::Step(format!("{what}, got {} {}", answer.status, answer.problem))
    }
}

impl From<Failure> for CliError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Usage(what) => Self::Usage(what),
            Failure::Step(what) => Self::refused(what),
            failure => Self::refused_by("the demo stopped", failure),
        }
    }
}
