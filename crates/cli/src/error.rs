//! Why a command failed, and the exit status that says so.

use std::{error::Error, io, process::ExitCode};

/// What went wrong; each variant is one exit status and one line on standard error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The command cannot be carried out as it was given.
    #[error("{0}")]
    Usage(String),
    /// A file, or standard input, cannot be read.
    #[error("cannot read {what}")]
    Unreadable {
        /// The file as the user named it.
        what: String,
        source: io::Error,
    },
    /// A signature, key, configuration or log is not what it has to be.
    #[error("{what}")]
    Refused { what: String, source: Option<Box<dyn Error + Send + Sync>> },
    /// Standard output is gone or full.
    #[error("cannot write the result")]
    Output(#[source] io::Error),
}

impl CliError {
    /// A refusal in one sentence.
    pub(crate) fn refused(what: impl Into<String>) -> Self {
        Self::Refused { what: what.into(), source: None }
    }

    /// A refusal by a library, whose own words follow `what`.
    pub(crate) fn refused_by(
        what: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Refused { what: what.into(), source: Some(source.into()) }
    }

    /// Whether the reader of the output has gone, as `head` does: nobody is left to be told.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The only place that knows the exit status of a failure.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Refused { .. } | Self::Output(_) => ExitCode::from(1),
            Self::Usage(_) | Self::Unreadable { .. } => ExitCode::from(2),
        }
    }
}
