//! `sealwright jws inspect`: shows what a token says, and says that it may be a lie.

use sealwright_jose::{
    VerifyError, base64url,
    jws::{Limit, Limits, Policy, Unverified, UnverifiedJson},
};
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

/// More than that nobody reads.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The object of `--json`. Without `payload`, the payload is detached, or there is an `error`.
#[derive(Serialize)]
struct Inspected {
    verified: bool,
    serialization: Serialization,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<String>,
    signatures: Vec<Headers>,
}

#[derive(Serialize)]
struct Headers {
    protected: Option<Box<RawValue>>,
    header: Option<Box<RawValue>>,
}

pub(super) fn run(args: &InspectArgs, output: &Output) -> Result<Outcome, CliError> {
    let text = TokenText::read(&args.token)?;
    let limits = Limits::default().token_bytes(MAX_BYTES);
    let refused = |serialization, error: VerifyError| Inspected {
        verified: false,
        serialization,
        error: Some(error.kind().name()),
        limit: error.limit().map(Limit::name),
        payload: None,
        signatures: Vec::new(),
    };
    if text.len() > MAX_BYTES {
        let (limit, most) = (Limit::Token, MAX_BYTES / 1024 / 1024);
        output.json(&refused(Serialization::Compact, limit.into()))?;
        return Err(CliError::refused(format!("not shown: over the limit for the {limit}, {most} MiB")));
    }
    let token = Token::of(&text);
    let (protected, payload) = match peek(&token, &limits) {
        Ok(seen) => seen,
        Err(error) => {
            output.json(&refused(token.serialization, error))?;
            return Err(CliError::refused(sentence(error)));
        }
    };
    output.warning("NOTHING WAS VERIFIED: anybody can have written this");
    let headers = |(n, protected): (usize, &String)| Headers {
        protected: object(protected),
        header: token.unprotected_header(n),
    };
    let signatures: Vec<Headers> = protected.iter().enumerate().map(headers).collect();

    let strong = style::STRONG;
    for headers in &signatures {
        for (name, json) in [("protected", &headers.protected), ("header", &headers.header)] {
            if let Some(json) = json.as_deref().map(RawValue::get).filter(|json| *json != "{}") {
                output.line(format_args!("{strong}{name:<10}{strong:#} {}", one_line(json)))?;
            }
        }
    }
    match &payload {
        Some(payload) => {
            output.line(format_args!("{strong}{:<10}{strong:#} {} bytes", "payload", payload.len()))?;
            output.line(shown(payload))?;
        }
        None => output.line(format_args!("{strong}{:<10}{strong:#} detached", "payload"))?,
    }
    output.json(&Inspected {
        verified: false,
        serialization: token.serialization,
        error: None,
        limit: None,
        payload: payload.map(base64url::encode),
        signatures,
    })?;
    Ok(Outcome::Done)
}

/// The protected headers and the payload, which is `None` if it is detached.
fn peek(token: &Token<'_>, limits: &Limits) -> Result<(Vec<String>, Option<Vec<u8>>), VerifyError> {
    if token.serialization != Serialization::Compact {
        let unverified = UnverifiedJson::peek_with(token.text, Policy::Rfc, limits)?;
        let headers = unverified.protected_headers().map(str::to_owned).collect();
        return Ok((headers, unverified.dangerous_payload().map(<[u8]>::to_vec)));
    }
    let unverified = Unverified::peek_compact_with(token.text, Policy::Rfc, limits)?;
    let payload = unverified.dangerous_payload();
    let payload = (!payload.is_empty()).then(|| payload.to_vec());
    Ok((vec![unverified.protected_header().to_owned()], payload))
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
