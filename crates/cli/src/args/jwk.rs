//! `sealwright jwk …`

use clap::{Subcommand, ValueEnum};
use sealwright_jose::Alg;

use super::{alg, source};
use crate::input::Source;

#[derive(Debug, Subcommand)]
pub(crate) enum JwkCommand {
    /// Make a private key, or a set of them, on standard output.
    #[command(after_help = "Examples:\n  \
        sealwright jwk generate --alg ES256 > key.jwk\n  \
        sealwright jwk generate --alg RS256 --use sig --count 3 > keys.jwks")]
    Generate(GenerateArgs),
    /// Print the public part of a key or of a set.
    #[command(after_help = "Example:\n  sealwright jwk public key.jwk > key.pub.jwk")]
    Public(PublicArgs),
    /// Print the thumbprint of a key (RFC 7638), or of each key of a set.
    #[command(after_help = "Example:\n  sealwright jwk thumbprint key.jwk --uri")]
    Thumbprint(ThumbprintArgs),
}

impl JwkCommand {
    pub(super) fn wants_json(&self) -> bool {
        match self {
            Self::Generate(_) | Self::Public(_) => false,
            Self::Thumbprint(args) => args.json,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct GenerateArgs {
    /// The one algorithm that the key is for.
    #[arg(long, value_parser = alg())]
    pub(crate) alg: Alg,
    /// The key's name; without it, the public key's thumbprint (a random name for a symmetric key).
    #[arg(long, value_name = "ID", conflicts_with = "count")]
    pub(crate) kid: Option<String>,
    /// What the key is for: `sig` is the only use there is, and every key says so.
    #[arg(long = "use", value_name = "USE")]
    pub(crate) usage: Option<KeyUse>,
    /// Make this many keys, as a set.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) count: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyUse {
    /// Signatures and MACs.
    Sig,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PublicArgs {
    /// A JWK or a JWK set.
    #[arg(value_name = "FILE", default_value = "-", value_parser = source())]
    pub(crate) file: Source,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ThumbprintArgs {
    /// A JWK or a JWK set.
    #[arg(value_name = "FILE", default_value = "-", value_parser = source())]
    pub(crate) file: Source,
    /// The hash function.
    #[arg(long, value_name = "HASH", default_value = "sha256")]
    pub(crate) hash: HashName,
    /// As a URI (RFC 9278).
    #[arg(long)]
    pub(crate) uri: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HashName {
    Sha256,
}
