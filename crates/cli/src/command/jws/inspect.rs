//! `sealwright jws inspect`: shows what a token says, and says that it may be a lie.

use sealwright_jose::base64url;
use serde_json::{Value, json};

use super::{Outcome, Token, object};
use crate::{
    args::InspectArgs,
    error::CliError,
    input::Input,
    output::{Output, one_line, printable, style},
};

pub(super) fn run(args: &InspectArgs, output: &Output) -> Result<Outcome, CliError> {
    let token = Token::read(&mut Input::default(), &args.token)?;
    let unverified = token
        .peek()
        .map_err(|error| CliError::refused(format!("malformed: {}", error.kind())))?;
    output.warning("NOTHING WAS VERIFIED: anybody can have written this");
    let (header, payload) = (object(unverified.protected_header()), unverified.dangerous_payload());
    output.json(&json!({
        "verified": false,
        "serialization": token.serialization(),
        "protected": header,
        "header": token.unprotected_header(),
        "payload": base64url::encode(payload),
    }))?;
    let strong = style::STRONG;
    output.line(format_args!("{strong}serialization{strong:#}  {}", token.serialization()))?;
    output.line(format_args!("{strong}protected{strong:#}      {}", one_line(&header.to_string())))?;
    output.line(format_args!("{strong}payload{strong:#}        {} bytes", payload.len()))?;
    output.line(shown(payload))?;
    Ok(Outcome::Good)
}

/// JSON laid out, text as text, and of anything else only that it is there; nothing that commands a terminal.
fn shown(payload: &[u8]) -> String {
    let lines = match (serde_json::from_slice::<Value>(payload), std::str::from_utf8(payload)) {
        (Ok(json), _) => format!("{json:#}"),
        (Err(_), Ok(text)) => text.to_owned(),
        (Err(_), Err(_)) => "(not text)".to_owned(),
    };
    printable(&lines)
}
