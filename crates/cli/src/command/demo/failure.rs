//! Why the demo did not come to its end.

use std::{error::Error, io};

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
    /// A server did not start, or did not stop in peace.
    #[error("the {server} server failed")]
    Server { server: &'static str, source: Box<dyn Error + Send + Sync> },
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

    pub(super) fn server(server: &'static str, source: impl Error + Send + Sync + 'static) -> Self {
        Self::Server { server, source: Box::new(source) }
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
