//! `sealwright jwt verify`

use std::time::{SystemTime, UNIX_EPOCH};

use sealwright_jose::{
    VerifyErrorKind, VerifyingKey,
    jws::{Limit, Scratch, Verifier},
    jwt::{JwtError, JwtErrorKind, Token, Validator, ValidatorBuilder},
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Outcome, jwks};
use crate::{
    args::{JwtVerifyArgs, Waivable},
    command::jws::{TokenText, object},
    error::CliError,
    input::{Source, stdin_at_most_once},
    key_file::Keys,
    output::Output,
};

pub(super) fn run(args: &JwtVerifyArgs, output: &Output) -> Result<Outcome, CliError> {
    let token = Source::from(args.token.as_str());
    stdin_at_most_once(args.keys.iter().chain(&args.password.password_file).chain([&token]))?;
    let validator = validator(args)?;
    let now = args.at.map_or_else(now, Ok)?;
    let text = TokenText::read(&args.token)?;
    let verifier = verifier(args, output)?;
    let mut scratch = Scratch::new();
    match verifier.verify_jwt(&text, &validator, now, &mut scratch) {
        Ok(token) if output.is_json() => output.json(&Verdict::valid(&token))?,
        Ok(token) => output.text_of_a_stranger(token.claims().as_json())?,
        Err(error) => {
            output.json(&Verdict::invalid(error))?;
            return Err(CliError::refused(sentence(error)));
        }
    }
    Ok(Outcome::Done)
}

fn verifier(args: &JwtVerifyArgs, output: &Output) -> Result<Verifier, CliError> {
    let builder = match &args.jwks {
        Some(url) => Verifier::builder_from(&args.algs).keys(&jwks::fetch(url, &args.algs, output)?),
        None => {
            let password = args.password.password_file.as_ref();
            Keys::read(&args.keys, password, &args.algs, false, output)?.verifier(&args.algs)
        }
    };
    builder.build().map_err(|error| CliError::refused_by("the keys cannot be used together", error))
}

/// Expects what the command line names; what it neither names nor waives is a mistake.
fn validator(args: &JwtVerifyArgs) -> Result<Validator, CliError> {
    let waived = |check| args.waive.contains(&check);
    let named_and_waived = !args.issuers.is_empty() && waived(Waivable::Iss)
        || !args.audiences.is_empty() && waived(Waivable::Aud);
    if named_and_waived {
        return Err(CliError::Usage("a check that --waive names cannot have an expected value".to_owned()));
    }
    let builder = Validator::builder().leeway(args.leeway).waive_not_before();
    let builder = match (args.issuers.as_slice(), waived(Waivable::Iss)) {
        ([], true) => builder.waive_issuer(),
        ([], false) => return Err(missing("--issuer", "iss")),
        (issuers, _) => issuers.iter().fold(builder, ValidatorBuilder::expect_issuer),
    };
    let builder = match (args.audiences.as_slice(), waived(Waivable::Aud)) {
        ([], true) => builder.waive_audience(),
        ([], false) => return Err(missing("--audience", "aud")),
        (audiences, _) => audiences.iter().fold(builder, ValidatorBuilder::expect_audience),
    };
    let builder = match args.types.as_slice() {
        [] => builder.waive_typ(),
        types => types.iter().fold(builder, ValidatorBuilder::expect_typ),
    };
    let builder = if waived(Waivable::Exp) { builder.waive_expiry() } else { builder.expect_expiry() };
    let builder = match args.max_age {
        Some(seconds) => builder.expect_max_age(seconds),
        None => builder.waive_max_age(),
    };
    builder.build().map_err(|error| CliError::Usage(error.to_string()))
}

fn missing(option: &str, claim: &str) -> CliError {
    CliError::Usage(format!(
        "say with {option} what the token must name, or with --waive {claim} that any will do"
    ))
}

fn now() -> Result<i64, CliError> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since
        .ok()
        .and_then(|since| i64::try_from(since.as_secs()).ok())
        .ok_or_else(|| CliError::refused("the clock of this machine is wrong: say the time with --at"))
}

/// The object of `--json`.
#[derive(Serialize)]
struct Verdict {
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<&'static str>,
    #[serde(flatten)]
    facts: Option<Facts>,
}

#[derive(Serialize)]
struct Facts {
    protected: Option<Box<RawValue>>,
    claims: Option<Box<RawValue>>,
    key: KeyFacts,
}

#[derive(Serialize)]
struct KeyFacts {
    kid: Option<String>,
    thumbprint: Option<String>,
}

impl Verdict {
    fn valid(token: &Token<'_>) -> Self {
        let verified = token.verified();
        let facts = Facts {
            protected: object(verified.protected_header()),
            claims: object(token.claims().as_json()),
            key: KeyFacts {
                kid: verified.key_kid().map(str::to_owned),
                thumbprint: verified.key().map(VerifyingKey::thumbprint_base64url),
            },
        };
        Self { valid: true, error: None, limit: None, claim: None, facts: Some(facts) }
    }

    fn invalid(error: JwtError) -> Self {
        let kind = error.kind();
        let limit = error.limit().map(Limit::name);
        Self { valid: false, error: Some(kind.name()), limit, claim: kind.claim(), facts: None }
    }
}

/// What was wrong, for whoever holds the token and the keys.
fn sentence(error: JwtError) -> String {
    match (error.kind(), error.limit()) {
        (JwtErrorKind::Jws(VerifyErrorKind::Malformed), _) => {
            "malformed: this is no JWS in compact form, as a JWT must be".to_owned()
        }
        (JwtErrorKind::Jws(_), Some(limit)) => format!("not valid: over the limit for the {limit}"),
        (kind, _) => format!("not valid: {kind}"),
    }
}
