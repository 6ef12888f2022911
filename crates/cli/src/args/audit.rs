//! `sealwright audit …`

use clap::Subcommand;
use sealwright_jose::Alg;

use super::{alg, source};
use crate::input::Source;

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Prove that a log is whole, or name the first entry that is not.
    #[command(after_help = "Examples:\n  \
        sealwright audit verify sign.db\n  \
        sealwright audit verify sign.db --key audit.jwk --checkpoint checkpoint.jws\n  \
        sealwright audit verify sign.db --receipt receipt.json\n  \
        sealwright audit export sign.db | sealwright audit verify -\n\n\
        The chain alone shows an edit, a removal and a reordering. That the end was cut off shows only\n\
        against something from outside the log: --checkpoint, or --receipt. That nobody rewrote it all\n\
        shows only against --key.")]
    Verify(VerifyArgs),
    /// Print the entries of one operation.
    #[command(after_help = "Example:\n  sealwright audit show op_4vO6cXhGmJq1Yw0b2mQe5A --log sign.db")]
    Show(ShowArgs),
    /// Print a whole log, one JSON object a line, with all that verifying it needs.
    #[command(after_help = "Example:\n  sealwright audit export sign.db > log.jsonl")]
    Export(ExportArgs),
}

impl AuditCommand {
    pub(super) fn wants_json(&self) -> bool {
        match self {
            Self::Verify(args) => args.json,
            Self::Show(args) => args.json,
            Self::Export(_) => false,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// A server's SQLite file, the URL of its PostgreSQL database, or an exported log; `-` or nothing reads an exported log from standard input.
    #[arg(value_name = "FILE|URL", default_value = "-", hide_default_value = true)]
    pub(crate) log: String,
    /// The public key that signed the checkpoints; without it, their signatures prove nothing about who made them.
    #[arg(long, value_name = "FILE", value_parser = source())]
    pub(crate) key: Option<Source>,
    /// The algorithm of that key, where it names none.
    #[arg(long, value_parser = alg(), requires = "key")]
    pub(crate) alg: Option<Alg>,
    /// A checkpoint kept elsewhere, which the log has to contain.
    #[arg(long, value_name = "FILE", value_parser = source())]
    pub(crate) checkpoint: Option<Source>,
    /// A receipt that a server gave, which the log has to contain.
    #[arg(long, value_name = "FILE", value_parser = source())]
    pub(crate) receipt: Option<Source>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// The operation's id, as it stands in the answer and in its `X-Operation-Id`.
    pub(crate) operation: String,
    /// A server's SQLite file, the URL of its PostgreSQL database, or an exported log.
    #[arg(long, value_name = "FILE|URL")]
    pub(crate) log: String,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// A server's SQLite file, or the URL of its PostgreSQL database.
    #[arg(value_name = "FILE|URL")]
    pub(crate) log: String,
}
