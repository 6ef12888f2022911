//! `sealwright jwt …`

use clap::{Subcommand, ValueEnum};
use jiff::Timestamp;
use sealwright_jose::Alg;
use url::Url;

use super::{alg, jwk::PasswordArgs, source};
use crate::input::Source;

#[derive(Debug, Subcommand)]
pub(crate) enum JwtCommand {
    /// Verify a JSON Web Token and its claims, and print the claims if it is valid.
    #[command(after_help = "Examples:\n  \
        sealwright jwt verify --key keys.jwks --issuer https://id.example --audience api < token.txt\n  \
        sealwright jwt verify --jwks https://id.example/oauth2/jwks --alg ES256 --typ at+jwt \\\n      \
            --issuer https://id.example --audience https://api.example --json - < token.txt\n\n\
        Issuer, audience and expiry are checked unless --waive names them; what a token says of its own\n\
        times holds in any case. Exit status 1 if the token is malformed or not valid.")]
    Verify(VerifyArgs),
}

impl JwtCommand {
    pub(super) fn wants_json(&self) -> bool {
        let Self::Verify(args) = self;
        args.json
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// A key that may verify it: a JWK, a JWK set, PEM, DER or OpenSSH; may be repeated.
    #[arg(long = "key", value_name = "FILE", required_unless_present = "jwks", value_parser = source())]
    pub(crate) keys: Vec<Source>,
    #[command(flatten)]
    pub(crate) password: PasswordArgs,
    /// The issuer's JWK set: https, or plain http on this machine.
    #[arg(long, value_name = "URL", conflicts_with = "keys", requires = "algs")]
    pub(crate) jwks: Option<Url>,
    /// The algorithms to accept, separated by commas; needed where a key names none.
    #[arg(id = "algs", long = "alg", value_name = "ALG,...", value_delimiter = ',', value_parser = alg())]
    pub(crate) algs: Vec<Alg>,
    /// An accepted `iss`, compared character by character; may be repeated.
    #[arg(long = "issuer", value_name = "ISS")]
    pub(crate) issuers: Vec<String>,
    /// An accepted `aud`; may be repeated.
    #[arg(long = "audience", value_name = "AUD")]
    pub(crate) audiences: Vec<String>,
    /// An accepted `typ`, such as at+jwt; may be repeated. Without it, any.
    #[arg(long = "typ", value_name = "TYP")]
    pub(crate) types: Vec<String>,
    /// How old the token may be, by its `iat`.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) max_age: Option<u64>,
    /// Checks that are left out, by name.
    #[arg(long, value_name = "CHECK,...", value_delimiter = ',')]
    pub(crate) waive: Vec<Waivable>,
    /// The time of the check: RFC 3339, or seconds since 1970. Without it, now.
    #[arg(long, value_name = "TIME", value_parser = time, allow_negative_numbers = true)]
    pub(crate) at: Option<i64>,
    /// How far the clocks may differ.
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=600))]
    pub(crate) leeway: u64,
    /// Print one JSON object with header, claims and key.
    #[arg(long)]
    pub(crate) json: bool,
    /// The token; `-` or nothing reads it from standard input.
    #[arg(value_name = "TOKEN|-", default_value = "-", hide_default_value = true)]
    pub(crate) token: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Waivable {
    /// Any issuer, or none.
    Iss,
    /// Any audience, or none.
    Aud,
    /// A token that never expires will do.
    Exp,
}

fn time(text: &str) -> Result<i64, String> {
    let seconds =
        text.parse().or_else(|_| text.parse().map(Timestamp::as_second)).map_err(|_: jiff::Error| {
            "it is neither a time such as 2026-11-22T12:00:00Z nor a number of seconds since 1970".to_owned()
        })?;
    if seconds < 0 { Err("it lies before 1970, where no token can be valid".to_owned()) } else { Ok(seconds) }
}
