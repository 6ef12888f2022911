//! `sealwright key …`

use std::path::PathBuf;

use clap::Subcommand;
use sealwright_jose::Alg;

use super::{jwk::PasswordArgs, signature_alg, source};
use crate::input::Source;

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Show which key signs, since when and until when, what is next, and which replicas know it.
    #[command(
        after_help = "Examples:\n  sealwright key list -f config/\n  sealwright key list -f config/ --json"
    )]
    List(ListArgs),
    /// Have the next key take over: announced now, as long as the plan says, or in an emergency --now.
    #[command(after_help = "Examples:\n  \
        sealwright key rotate -f config/ --reason \"a colleague left\"\n  \
        sealwright key rotate -f config/ --now --reason drill --yes\n\n\
        It says first what will break, and until when; with --now it asks. Running servers follow within one\n\
        poll; none has to be restarted.")]
    Rotate(RotateArgs),
    /// Put a key that lies in reserve into the set, so that verifiers learn of it.
    #[command(after_help = "Example:\n  sealwright key publish es256-20261122-0f3c5a7e9b1d -f config/")]
    Publish(OneArgs),
    /// Have a published key sign within seconds, whether all replicas confirmed that they serve it or not.
    #[command(after_help = "Example:\n  sealwright key activate es256-20261122-0f3c5a7e9b1d -f config/")]
    Activate(OneArgs),
    /// Take a key out of the set at once and for good, as when its private half was seen by others.
    #[command(after_help = "Example:\n  \
        sealwright key revoke es256-20261122-0f3c5a7e9b1d -f config/ --reason \"backup was lost\"\n\n\
        All its tokens are refused from then on. The key in reserve signs at once in its place.")]
    Revoke(RevokeArgs),
    /// Take over a private key that was made elsewhere; it lies in reserve until it is its turn.
    #[command(
        after_help = "Example:\n  sealwright key import key.pem --alg ES256 --kid es256-old-server -f config/"
    )]
    Import(ImportArgs),
    /// Print the public keys that verifiers are to know, as a JWK set or as PEM.
    #[command(after_help = "Examples:\n  sealwright key export -f config/ > jwks.json\n  \
        sealwright key export es256-20261122-0f3c5a7e9b1d --pem -f config/")]
    Export(ExportArgs),
    /// Seal every private key under the first key-encryption key, so that the others can go.
    #[command(after_help = "Example:\n  sealwright key reseal -f config/")]
    Reseal(ResealArgs),
    /// Print all keys as one text, in which private halves are sealed, for another machine or for the day of need.
    #[command(after_help = "Example:\n  sealwright key backup -f config/ > keys.json\n\n\
        Without the key-encryption key nobody can sign with it. Keep that key elsewhere.")]
    Backup(BackupArgs),
    /// Take the keys of a backup over into a new database, before its server starts for the first time.
    #[command(after_help = "Example:\n  sealwright key restore keys.json -f config/")]
    Restore(RestoreArgs),
}

impl KeyCommand {
    pub(super) fn wants_json(&self) -> bool {
        match self {
            Self::List(args) => args.server.json,
            Self::Rotate(args) => args.server.json,
            Self::Publish(args) | Self::Activate(args) => args.server.json,
            Self::Revoke(args) => args.server.json,
            Self::Import(args) => args.server.json,
            Self::Export(args) => args.server.json,
            Self::Reseal(args) => args.server.json,
            Self::Backup(args) => args.server.json,
            Self::Restore(args) => args.server.json,
        }
    }
}

/// Whose keys.
#[derive(Debug, clap::Args)]
pub(crate) struct ServerArgs {
    /// Resource files, or folders of `*.yaml` and `*.yml` files.
    #[arg(short = 'f', long = "file", value_name = "PATH", required = true, num_args = 1..)]
    pub(crate) files: Vec<PathBuf>,
    /// The name of the `AuthServer`, where the files declare several.
    #[arg(long, value_name = "NAME")]
    pub(crate) server: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// Also the keys that have left the set long ago.
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// Only the key of this algorithm; without it, that of each algorithm of the server.
    #[arg(long, value_parser = signature_alg())]
    pub(crate) alg: Option<Alg>,
    /// Sign as soon as all replicas can, although verifiers out there may not know the key yet.
    #[arg(long)]
    pub(crate) now: bool,
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct OneArgs {
    /// The key's name, as `key list` shows it.
    pub(crate) kid: String,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RevokeArgs {
    /// The key's name, as `key list` shows it.
    pub(crate) kid: String,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT", required = true)]
    pub(crate) reason: String,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    /// A private key: JWK, PEM, DER or PKCS#12.
    #[arg(value_name = "FILE", value_parser = source())]
    pub(crate) file: Source,
    /// Its name from now on, which no key had before.
    #[arg(long, value_name = "ID")]
    pub(crate) kid: String,
    /// Its algorithm, where it names none.
    #[arg(long, value_parser = signature_alg())]
    pub(crate) alg: Option<Alg>,
    #[command(flatten)]
    pub(crate) password: PasswordArgs,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// One key; without it, all that are in the set.
    pub(crate) kid: Option<String>,
    /// As PEM (SPKI) instead of a JWK set.
    #[arg(long)]
    pub(crate) pem: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ResealArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct BackupArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArgs {
    /// What `key backup` printed.
    #[arg(value_name = "FILE", value_parser = source())]
    pub(crate) file: Source,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}
