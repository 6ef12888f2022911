//! `sealwright jwt …`

mod jwks;
mod verify;

use super::Outcome;
use crate::{args::JwtCommand, error::CliError, output::Output};

pub(super) fn run(command: &JwtCommand, output: &Output) -> Result<Outcome, CliError> {
    match command {
        JwtCommand::Verify(args) => verify::run(args, output),
    }
}
