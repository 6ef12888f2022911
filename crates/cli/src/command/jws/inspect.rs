//! `sealwright jws inspect`: shows what a token says, and says that it may be a lie.

use sealwright_jose::base64url;
use serde::Serialize;
use serde_json::{Value, value::RawValue};

use super::{
    Outcome,
    token::{Serialization, Token, TokenText, object},
    verdict::sentence,
};
use crate::{
    args::InspectArgs,
    error::CliError,
    output::{Output, one_line, printable, style},
};

/// The object of `--json`.
#[derive(Serialize)]
struct Inspected {
    verified: bool,
    serialization: Serialization,
    protected: Option<Box<RawValue>>,
    header: Option<Box<RawValue>>,
    payload: String,
}

pub(super) fn run(args: &InspectArgs, output: &Output) -> Result<Outcome, CliError> {
    let text = TokenText::read(&args.token)?;
    let token = Token::of(&text);
    let unverified = token.peek().map_err(|error| CliError::refused(sentence(error)))?;
    output.warning("NOTHING WAS VERIFIED: anybody can have written this");
    let (protected, header) = (object(unverified.protected_header()), token.unprotected_header(0));
    let payload = unverified.dangerous_payload();

    let strong = style::STRONG;
    for (name, json) in [("protected", &protected), ("header", &header)] {
        if let Some(json) = json.as_deref().map(RawValue::get).filter(|json| *json != "{}") {
            output.line(format_args!("{strong}{name:<10}{strong:#} {}", one_line(json)))?;
        }
    }
    output.line(format_args!("{strong}{:<10}{strong:#} {} bytes", "payload", payload.len()))?;
    output.line(shown(payload))?;
    output.json(&Inspected {
        verified: false,
        serialization: token.serialization,
        protected,
        header,
        payload: base64url::encode(payload),
    })?;
    Ok(Outcome::Done)
}

/// JSON laid out, text as text, and of anything else only that it is there; nothing that commands a terminal.
fn shown(payload: &[u8]) -> String {
    let text = match (serde_json::from_slice::<Value>(payload), std::str::from_utf8(payload)) {
        (Ok(json), _) => format!("{json:#}"),
        (Err(_), Ok(text)) => text.to_owned(),
        (Err(_), Err(_)) => "(not text)".to_owned(),
    };
    printable(&text)
}
