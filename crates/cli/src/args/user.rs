//! `sealwright user …`.

use clap::Subcommand;

use super::source;
use crate::input::Source;

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Hash a password, for the file that `User.spec.password` names.
    #[command(
        after_help = "Examples:\n  sealwright user hash-password < password.txt > alice.password-hash\n  \
        systemd-ask-password | sealwright user hash-password > alice.password-hash\n\n\
        One line end after the password is cut off. The hash is argon2id (RFC 9106) at the cost of\n\
        `AuthServer.spec.passwords.argon2`'s defaults."
    )]
    HashPassword(HashPasswordArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct HashPasswordArgs {
    /// A file with the password. There is no option for the password itself: others would see it.
    #[arg(value_name = "FILE", default_value = "-", value_parser = source())]
    pub(crate) file: Source,
}
