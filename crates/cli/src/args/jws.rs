//! `sealwright jws …`

use clap::{Subcommand, ValueEnum};
use sealwright_jose::Alg;

use super::{alg, source};
use crate::input::Source;

#[derive(Debug, Subcommand)]
pub(crate) enum JwsCommand {
    /// Sign a payload.
    #[command(after_help = "Examples:\n  \
        echo -n hello | sealwright jws sign --key key.jwk\n  \
        sealwright jws sign --key key.pem --alg RS256 --header '{\"typ\":\"JWT\"}' --payload claims.json")]
    Sign(SignArgs),
    /// Verify a token, and print its payload if it is valid.
    #[command(after_help = "Examples:\n  \
        sealwright jws verify --key keys.jwks < token.txt\n  \
        sealwright jws verify --key cert.pem --alg ES256 --json - < signed.json\n\n\
        The algorithms are those of the keys, or those of --alg where a key names none;\n\
        the token cannot add one. Exit status 1 if the token is malformed or not valid.")]
    Verify(VerifyArgs),
    /// Look into a token without verifying anything.
    #[command(after_help = "Example:\n  sealwright jws inspect eyJhbGciOiJFUzI1NiJ9.aGVsbG8.…")]
    Inspect(InspectArgs),
}

impl JwsCommand {
    pub(super) fn wants_json(&self) -> bool {
        match self {
            Self::Sign(_) => false,
            Self::Verify(args) => args.json,
            Self::Inspect(args) => args.json,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct SignArgs {
    /// The private key: a JWK, PEM (PKCS#8, PKCS#1, SEC1) or DER (PKCS#8).
    #[arg(long, value_name = "FILE", value_parser = source())]
    pub(crate) key: Source,
    /// The algorithm, where the key names none.
    #[arg(long, value_parser = alg())]
    pub(crate) alg: Option<Alg>,
    /// More protected header parameters, as a JSON object; `alg` and `kid` come from the key.
    #[arg(long, value_name = "JSON")]
    pub(crate) header: Option<String>,
    /// What to sign, any bytes.
    #[arg(long, value_name = "FILE", default_value = "-", value_parser = source())]
    pub(crate) payload: Source,
    /// The form of the result.
    #[arg(long, value_name = "FORM", default_value = "compact")]
    pub(crate) serialization: Serialization,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Serialization {
    /// Three parts with dots between them (RFC 7515 §7.1).
    Compact,
    /// A JSON object with one signature (RFC 7515 §7.2.2).
    Flattened,
}

#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// A key that may verify it: a JWK, a JWK set, PEM or DER (public key or certificate); may be repeated.
    #[arg(long = "key", value_name = "FILE", required = true, value_parser = source())]
    pub(crate) keys: Vec<Source>,
    /// The algorithms to accept, separated by commas; needed where a key names none.
    #[arg(long = "alg", value_name = "ALG,...", value_delimiter = ',', value_parser = alg())]
    pub(crate) algs: Vec<Alg>,
    /// Print one JSON object instead of the payload.
    #[arg(long)]
    pub(crate) json: bool,
    /// The token, compact or flattened JSON; `-` or nothing reads it from standard input.
    #[arg(value_name = "TOKEN|-", default_value = "-", hide_default_value = true)]
    pub(crate) token: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct InspectArgs {
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    /// The token, compact or flattened JSON; `-` or nothing reads it from standard input.
    #[arg(value_name = "TOKEN|-", default_value = "-", hide_default_value = true)]
    pub(crate) token: String,
}
