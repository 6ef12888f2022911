//! `sealwright jws …`

use std::str::FromStr;

use clap::{Subcommand, ValueEnum};
use sealwright_jose::{Alg, jws};

use super::{alg, jwk::PasswordArgs, source};
use crate::input::Source;

#[derive(Debug, Subcommand)]
pub(crate) enum JwsCommand {
    /// Sign a payload.
    #[command(after_help = "Examples:\n  \
        echo -n hello | sealwright jws sign --key key.jwk\n  \
        sealwright jws sign --key key.pem --alg RS256 --header '{\"typ\":\"JWT\"}' --payload claims.json\n  \
        sealwright jws sign --key alice.jwk --key bob.jwk --payload contract.pdf --detached > contract.jws\n\n\
        Several keys make the general form; the first --header belongs to the first --key, and so on.\n\
        Under --policy joserfc the header is what --header says and nothing else, and short secrets may sign.")]
    Sign(SignArgs),
    /// Verify a token, and print its payload if it is valid.
    #[command(after_help = "Examples:\n  \
        sealwright jws verify --key keys.jwks < token.txt\n  \
        sealwright jws verify --key cert.pem --alg ES256 --json - < signed.json\n  \
        sealwright jws verify --key keys.jwks --payload contract.pdf < contract.jws\n  \
        sealwright jws verify --key keys.jwks --batch tokens.txt > results.jsonl\n\n\
        The algorithms are those of the keys, or those of --alg where a key names none;\n\
        the token cannot add one. Exit status 1 if the token is malformed or not valid.\n\
        A detached payload is read once, in pieces, and not printed again.")]
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
    /// The private key: a JWK, a JWK set of which one key fits, PEM (PKCS#8, PKCS#1, SEC1), DER or OpenSSH; repeated,
    /// there are several signatures.
    #[arg(long = "key", value_name = "FILE", required = true, value_parser = source())]
    pub(crate) keys: Vec<Source>,
    /// The file with the password of an encrypted key; of several keys, the one of all that need one.
    #[arg(long, value_name = "FILE", value_parser = source())]
    pub(crate) password_file: Option<Source>,
    /// The algorithm, where a key names none; of several, each key gets the one that fits it.
    #[arg(long = "alg", value_name = "ALG,...", value_delimiter = ',', value_parser = alg())]
    pub(crate) algs: Vec<Alg>,
    /// The protected header, a JSON object whose order is kept; `alg` and `kid` come from the key if it has none.
    #[arg(long = "header", value_name = "JSON")]
    pub(crate) headers: Vec<String>,
    /// The unprotected header, a JSON object that is not signed.
    #[arg(long = "unprotected", value_name = "JSON")]
    pub(crate) unprotected: Vec<String>,
    /// What to sign, any bytes.
    #[arg(long, value_name = "FILE", default_value = "-", value_parser = source())]
    pub(crate) payload: Source,
    /// The form of the result; without it, compact for one key and general for several.
    #[arg(long, value_name = "FORM")]
    pub(crate) serialization: Option<Serialization>,
    /// Leave the payload out of the result (RFC 7515 appendix F).
    #[arg(long)]
    pub(crate) detached: bool,
    /// Sign the payload as it is and not in base64url (RFC 7797).
    #[arg(long)]
    pub(crate) unencoded: bool,
    /// By whose rules.
    #[arg(long, value_name = "POLICY", default_value = "strict")]
    pub(crate) policy: Policy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Serialization {
    /// Three parts with dots between them (RFC 7515 §7.1).
    Compact,
    /// A JSON object with one signature (RFC 7515 §7.2.2).
    Flattened,
    /// A JSON object with a list of signatures (RFC 7515 §7.2.1).
    General,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Policy {
    /// Refuses what two programs could read differently.
    Strict,
    /// Accepts all that the RFCs let a recipient accept.
    Rfc,
    /// As joserfc decides; its recommended algorithms are the default.
    Joserfc,
}

impl From<Policy> for jws::Policy {
    fn from(policy: Policy) -> Self {
        match policy {
            Policy::Strict => Self::Strict,
            Policy::Rfc => Self::Rfc,
            Policy::Joserfc => Self::Joserfc,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// A key that may verify it: a JWK, a JWK set, PEM, DER (public key or certificate) or OpenSSH; may be repeated.
    #[arg(long = "key", value_name = "FILE", required = true, value_parser = source())]
    pub(crate) keys: Vec<Source>,
    #[command(flatten)]
    pub(crate) password: PasswordArgs,
    /// The algorithms to accept, separated by commas; needed where a key names none.
    #[arg(long = "alg", value_name = "ALG,...", value_delimiter = ',', value_parser = alg())]
    pub(crate) algs: Vec<Alg>,
    /// The payload, if it is not in the token; of any size with RSA, ECDSA and HMAC.
    #[arg(long, value_name = "FILE", value_parser = source(), conflicts_with = "batch")]
    pub(crate) payload: Option<Source>,
    /// How many signatures must be valid; a number counts different keys, of which a compact token has one.
    #[arg(long, value_name = "all|any|N", default_value = "all")]
    pub(crate) require: Require,
    /// By whose rules; under each, a payload may be signed as it is (RFC 7797).
    #[arg(long, value_name = "POLICY", default_value = "strict")]
    pub(crate) policy: Policy,
    /// A critical header parameter that you understand and will act on yourself; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub(crate) understands: Vec<String>,
    /// Verify many tokens, one a line, and print one JSON result a line, in order.
    #[arg(long, value_name = "FILE", value_parser = source(), conflicts_with = "token")]
    pub(crate) batch: Option<Source>,
    /// Print one JSON object instead of the payload.
    #[arg(long)]
    pub(crate) json: bool,
    /// The token in any of its forms; `-` or nothing reads it from standard input.
    #[arg(value_name = "TOKEN|-", default_value = "-", hide_default_value = true)]
    pub(crate) token: String,
}

/// The value of `--require`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Require(pub(crate) jws::Require);

impl FromStr for Require {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match (text, text.parse()) {
            ("all", _) => Ok(Self(jws::Require::All)),
            ("any", _) => Ok(Self(jws::Require::Any)),
            (_, Ok(keys)) if keys > 0 => Ok(Self(jws::Require::AtLeast(keys))),
            _ => Err("it is `all`, `any` or a number from 1"),
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct InspectArgs {
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    /// The token in any of its forms; `-` or nothing reads it from standard input.
    #[arg(value_name = "TOKEN|-", default_value = "-", hide_default_value = true)]
    pub(crate) token: String,
}
