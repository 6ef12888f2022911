//! `sealwright user …`: what a `User` resource needs.

use sealwright_authorization_server::hash_password;
use sealwright_service::secret::Secret;

use super::Outcome;
use crate::{
    args::{HashPasswordArgs, UserCommand},
    error::CliError,
    output::Output,
};

/// More than any password that a server accepts, with its line end.
const MAX_PASSWORD_BYTES: u64 = 4096;

pub(super) fn run(command: &UserCommand, output: &Output) -> Result<Outcome, CliError> {
    match command {
        UserCommand::HashPassword(args) => hash(args, output),
    }
}

fn hash(args: &HashPasswordArgs, output: &Output) -> Result<Outcome, CliError> {
    let text = args.file.read_text(MAX_PASSWORD_BYTES)?;
    let password = text.strip_suffix('\n').unwrap_or(&text);
    let password = Secret::new(password.strip_suffix('\r').unwrap_or(password));
    let hash = hash_password(&password).map_err(|error| CliError::refused_by("no hash was made", error))?;
    output.text(&hash)?;
    Ok(Outcome::Done)
}
