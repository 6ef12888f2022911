//! One module a command: it reads, calls a library, and hands the result to [`Output`].

mod audit;
mod check;
mod demo;
mod jwk;
mod jws;
mod jwt;
mod key;
mod resources;
mod serve;
mod user;

use std::process::ExitCode;

use crate::{args::Command, error::CliError, output::Output};

/// How a command that could do its work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Outcome {
    /// Done, or valid.
    Done,
    /// Refused or invalid, and the command has already said why.
    Refused,
}

impl Outcome {
    pub(crate) fn exit_code(self) -> ExitCode {
        match self {
            Self::Done => ExitCode::SUCCESS,
            Self::Refused => ExitCode::from(1),
        }
    }
}

/// Carries out what the command line says.
pub(crate) fn run(command: &Command, output: &Output) -> Result<Outcome, CliError> {
    match command {
        Command::Demo(args) => demo::run(args, output),
        Command::Serve(args) => serve::run(args, output),
        Command::Check(args) => check::run(args, output),
        Command::Jwk(command) => jwk::run(command, output),
        Command::Jws(command) => jws::run(command, output),
        Command::Jwt(command) => jwt::run(command, output),
        Command::Key(command) => key::run(command, output),
        Command::Audit(command) => audit::run(command, output),
        Command::User(command) => user::run(command, output),
    }
}
