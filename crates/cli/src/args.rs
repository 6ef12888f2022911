//! The command line as types. What is accepted here is carried out; nothing is accepted and ignored.

mod audit;
mod jwk;
mod jws;
mod jwt;
mod key;
mod user;

use std::path::PathBuf;

use clap::{
    Parser, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use sealwright_jose::Alg;

pub(crate) use self::{
    audit::{AuditCommand, ExportArgs, ShowArgs, VerifyArgs as AuditVerifyArgs},
    jwk::{
        ConvertArgs, GenerateArgs, HashName, InspectArgs as JwkInspectArgs, JwkCommand, KeyFormat,
        PublicArgs, ThumbprintArgs,
    },
    jws::{InspectArgs, JwsCommand, Policy, Serialization, SignArgs, VerifyArgs as JwsVerifyArgs},
    jwt::{JwtCommand, VerifyArgs as JwtVerifyArgs, Waivable},
    key::{KeyCommand, ServerArgs as KeyServerArgs},
    user::{HashPasswordArgs, UserCommand},
};
use crate::input::Source;

/// Everything between "who is this person?" and "this document is signed in their name".
#[derive(Debug, Parser)]
#[command(
    name = "sealwright",
    version,
    disable_help_subcommand = true,
    arg_required_else_help = true,
    after_help = "Exit status: 0 done or valid, 1 refused or invalid, 2 wrong usage or unreadable input.\n\
                  `sealwright COMMAND --help` says more, with examples."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Play the whole story on two real servers: log in, approve, sign, verify, and see refusals.
    #[command(after_help = "Examples:\n  sealwright demo\n  \
        sealwright demo --document contract.pdf --out demo --keep")]
    Demo(DemoArgs),
    /// Start every server that the resource files declare, and run until interrupted.
    #[command(after_help = "Example:\n  sealwright serve -f config/\n\n\
        The servers stop at SIGINT or SIGTERM, after the open requests are answered.")]
    Serve(ServeArgs),
    /// Read and resolve resource files, report every fault with file and line, and start nothing.
    #[command(after_help = "Example:\n  sealwright check -f config/ -f users.yaml")]
    Check(CheckArgs),
    /// Make and look at JSON Web Keys (RFC 7517).
    #[command(subcommand)]
    Jwk(JwkCommand),
    /// Make and verify JSON Web Signatures (RFC 7515).
    #[command(subcommand)]
    Jws(JwsCommand),
    /// Verify JSON Web Tokens (RFC 7519): signature, type, issuer, audience and times.
    #[command(subcommand)]
    Jwt(JwtCommand),
    /// See and change the keys that sign the tokens of an authorization server.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Prove that an audit log is whole, or look something up in it.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Prepare what a `User` resource needs.
    #[command(subcommand)]
    User(UserCommand),
}

impl Command {
    /// Whether `--json` was given.
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            Self::Demo(args) => args.json,
            Self::Serve(_) | Self::User(_) => false,
            Self::Check(args) => args.json,
            Self::Jwk(command) => command.wants_json(),
            Self::Jws(command) => command.wants_json(),
            Self::Jwt(command) => command.wants_json(),
            Self::Key(command) => command.wants_json(),
            Self::Audit(command) => command.wants_json(),
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// The document to sign, any bytes; without it, a contract that ships with this program.
    #[arg(long, value_name = "FILE")]
    pub(crate) document: Option<PathBuf>,
    /// The folder for what the demo writes: resources, databases, the signed document; without it, a new one.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Leave both servers running at the end, and print their URLs and the user's credentials.
    #[arg(long)]
    pub(crate) keep: bool,
    /// Print the whole story as one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// Resource files, or folders of `*.yaml` and `*.yml` files.
    #[arg(short = 'f', long = "file", value_name = "PATH", required = true, num_args = 1..)]
    pub(crate) files: Vec<PathBuf>,
    /// How log lines on standard error look.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,
    /// What is logged, as in `RUST_LOG`: a level, or `target=level` pairs separated by commas.
    #[arg(long, value_name = "FILTER", default_value = "info")]
    pub(crate) log: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// Resource files, or folders of `*.yaml` and `*.yml` files.
    #[arg(short = 'f', long = "file", value_name = "PATH", required = true, num_args = 1..)]
    pub(crate) files: Vec<PathBuf>,
    /// Print one JSON object with all faults and warnings.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Parses an algorithm by its IANA name; `--help` and errors list the names.
fn alg() -> impl TypedValueParser<Value = Alg> {
    PossibleValuesParser::new(Alg::ALL.iter().copied().map(Alg::name))
        .map(|name| Alg::from_name(&name).expect("the possible values are the names of algorithms"))
}

/// Parses an algorithm whose keys have a public half.
fn signature_alg() -> impl TypedValueParser<Value = Alg> {
    let algs = Alg::ALL.iter().copied().filter(|alg| !alg.is_mac());
    PossibleValuesParser::new(algs.map(Alg::name))
        .map(|name| Alg::from_name(&name).expect("the possible values are the names of algorithms"))
}

/// Parses a file name, or `-` for standard input.
fn source() -> impl TypedValueParser<Value = Source> {
    clap::builder::StringValueParser::new().map(|argument| Source::from(argument.as_str()))
}
