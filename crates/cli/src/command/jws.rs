//! `sealwright jws …`

mod batch;
mod detached;
mod inspect;
mod sign;
mod token;
mod verdict;
mod verify;

pub(super) use self::token::{TokenText, object};

use super::Outcome;
use crate::{args::JwsCommand, error::CliError, output::Output};

pub(super) fn run(command: &JwsCommand, output: &Output) -> Result<Outcome, CliError> {
    match command {
        JwsCommand::Sign(args) => sign::run(args, output),
        JwsCommand::Verify(args) => verify::run(args, output),
        JwsCommand::Inspect(args) => inspect::run(args, output),
    }
}
