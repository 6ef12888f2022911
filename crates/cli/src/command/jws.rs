//! `sealwright jws …`

mod inspect;
mod sign;
mod verify;

use sealwright_jose::{
    VerifyError,
    jws::Unverified,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::Outcome;
use crate::{
    args::JwsCommand,
    error::CliError,
    input::{Input, MAX_TOKEN_BYTES, Source},
    output::Output,
};

pub(super) fn run(command: &JwsCommand, output: &Output) -> Result<Outcome, CliError> {
    match command {
        JwsCommand::Sign(args) => sign::run(args, output),
        JwsCommand::Verify(args) => verify::run(args, output),
        JwsCommand::Inspect(args) => inspect::run(args, output),
    }
}

/// A token as the user gave it, and how it is serialized as far as its first character tells.
struct Token {
    text: Zeroizing<String>,
    is_json: bool,
}

impl Token {
    /// The argument itself, or standard input for `-`, without the line end that `echo` and editors leave.
    fn read(input: &mut Input, argument: &str) -> Result<Self, CliError> {
        let mut text = match argument {
            "-" => input.read_text(&Source::Stdin, MAX_TOKEN_BYTES)?,
            token => Zeroizing::new(token.to_owned()),
        };
        let length = text.trim_end_matches(['\r', '\n']).len();
        text.truncate(length);
        let is_json = text.trim_start().starts_with('{');
        Ok(Self { text, is_json })
    }

    /// The name of the serialization in `--json`.
    fn serialization(&self) -> &'static str {
        if self.is_json { "flattened" } else { "compact" }
    }

    /// The header that nobody signed (RFC 7515 §7.2.2); empty if there is none.
    fn unprotected_header(&self) -> Value {
        #[derive(Deserialize)]
        struct Unprotected {
            header: Option<Map<String, Value>>,
        }
        let parsed = self.is_json.then(|| serde_json::from_str::<Unprotected>(&self.text).ok()).flatten();
        Value::Object(parsed.and_then(|token| token.header).unwrap_or_default())
    }

    fn peek(&self) -> Result<Unverified, VerifyError> {
        if self.is_json { Unverified::peek_flattened(&self.text) } else { Unverified::peek_compact(&self.text) }
    }
}

/// A header as it is shown; the library has read it, so that it is an object.
fn object(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_default()
}
