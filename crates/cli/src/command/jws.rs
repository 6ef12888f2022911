//! `sealwright jws …`

mod inspect;
mod sign;
mod token;
mod verify;

use super::Outcome;
use crate::{args::JwsCommand, error::CliError, output::Output};

pub(super) fn run(command: &JwsCommand, output: &Output) -> Result<Outcome, CliError> {
    match command {
        JwsCommand::Sign(args) => sign::run(args, output),
        JwsCommand::Verify(args) => verify::run(args, output),
        JwsCommand::Inspect(args) => inspect::run(args, output),
    }
}
