//! `sealwright jwk …`

use clap::{Subcommand, ValueEnum};
use sealwright_jose::Alg;

use super::{alg, source};
use crate::input::Source;

/// Where the password of an encrypted key is.
#[derive(Debug, clap::Args)]
pub(crate) struct PasswordArgs {
    /// The password of an encrypted private key: the first line of this file.
    #[arg(long, value_name = "FILE", value_parser = source())]
    pub(crate) password_file: Option<Source>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JwkCommand {
    /// Make a private key, or a set of them, on standard output.
    #[command(after_help = "Examples:\n  \
        sealwright jwk generate --alg ES256 > key.jwk\n  \
        sealwright jwk generate --alg RS256 --size 4096 > key.jwk\n  \
        sealwright jwk generate --alg Ed25519 --use sig --count 3 > keys.jwks")]
    Generate(GenerateArgs),
    /// Print the public part of a key or of a set.
    #[command(after_help = "Example:\n  sealwright jwk public key.jwk > key.pub.jwk")]
    Public(PublicArgs),
    /// Write a key in another format: JWK, PEM or DER.
    #[command(after_help = "Examples:\n  \
        sealwright jwk convert key.jwk --to pem > key.pem\n  \
        sealwright jwk convert cert.pem --to jwk\n  \
        sealwright jwk convert id_ed25519 --password-file password.txt --to pem --public\n\n\
        A private key is written as PKCS#8, a public one as SPKI; of a certificate, the key.")]
    Convert(ConvertArgs),
    /// Print the thumbprint of a key (RFC 7638), or of each key of a set.
    #[command(after_help = "Example:\n  sealwright jwk thumbprint key.jwk --uri")]
    Thumbprint(ThumbprintArgs),
    /// Say what a key is: format, type, size, algorithm, and what is wrong with it.
    #[command(after_help = "Example:\n  sealwright jwk inspect key.pem --json\n\n\
        Exit status 1 if a key is faulty. Nothing secret is shown.")]
    Inspect(InspectArgs),
}

impl JwkCommand {
    pub(super) fn wants_json(&self) -> bool {
        match self {
            Self::Generate(_) | Self::Public(_) | Self::Convert(_) => false,
            Self::Thumbprint(args) => args.json,
            Self::Inspect(args) => args.json,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct GenerateArgs {
    /// The one algorithm that the key is for.
    #[arg(long, value_parser = alg())]
    pub(crate) alg: Alg,
    /// The key's name; without it, the public key's thumbprint (a random name for a symmetric key).
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new(), value_name = "ID", conflicts_with = "count")]
    pub(crate) kid: Option<String>,
    /// What the key is for: `sig` is the only use there is, and every key says so.
    #[arg(long = "use", value_name = "USE")]
    pub(crate) usage: Option<KeyUse>,
    /// Make this many keys, as a set: as many as one may have, at most.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) count: Option<u16>,
    /// The size of an RSA key; 2048 without it.
    #[arg(long, value_name = "BITS", value_parser = ["2048", "3072", "4096", "8192"])]
    pub(crate) size: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyUse {
    /// Signatures and MACs.
    Sig,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PublicArgs {
    /// A JWK, a JWK set, PEM, DER or OpenSSH.
    #[arg(value_name = "FILE", default_value = "-", value_parser = source())]
    pub(crate) file: Source,
    #[command(flatten)]
    pub(crate) password: PasswordArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ConvertArgs {
    /// A JWK, a JWK set, PEM (PKCS#8, PKCS#1, SEC1, SPKI, certificate), DER or OpenSSH.
    #[arg(value_name = "FILE", default_value = "-", value_parser = source())]
    pub(crate) file: Source,
    /// The format of the result.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) to: KeyFormat,
    /// Write the public part only.
    #[arg(long)]
    pub(crate) public: bool,
    #[command(flatten)]
    pub(crate) password: PasswordArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyFormat {
    /// RFC 7517.
    Jwk,
    /// PKCS#8 or SPKI between BEGIN and END lines.
    Pem,
    /// PKCS#8 or SPKI as bytes.
    Der,
}

#[derive(Debug, clap::Args)]
pub(crate) struct InspectArgs {
    /// A JWK, a JWK set, PEM, DER or OpenSSH.
    #[arg(value_name = "FILE", default_value = "-", value_parser = source())]
    pub(crate) file: Source,
    #[command(flatten)]
    pub(crate) password: PasswordArgs,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ThumbprintArgs {
    /// A JWK, a JWK set, PEM, DER or OpenSSH.
    #[arg(value_name = "FILE", default_value = "-", value_parser = source())]
    pub(crate) file: Source,
    #[command(flatten)]
    pub(crate) password: PasswordArgs,
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
    Sha384,
    Sha512,
}
