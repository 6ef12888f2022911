//! `sealwright jws verify`

use sealwright_jose::{
    Alg, VerifyError, VerifyErrorKind,
    jws::{BuildError, Limits, Policy, Require, Scratch, Verifier},
};

use super::{
    Outcome, batch, detached,
    token::{Serialization, Token, TokenText},
    verdict::{SignatureVerdict, Verdict, of_each, sentence},
};
use crate::{
    args::JwsVerifyArgs,
    error::CliError,
    input::{MAX_TOKEN_BYTES, Source, stdin_at_most_once},
    key_file::Keys,
    output::Output,
};

pub(super) fn run(args: &JwsVerifyArgs, output: &Output) -> Result<Outcome, CliError> {
    let token = Source::from(args.token.as_str());
    let token = if args.batch.is_some() { &args.batch } else { &Some(token) };
    let password = &args.password.password_file;
    stdin_at_most_once(args.keys.iter().chain(password).chain(&args.payload).chain(token))?;
    let verifier = verifier(args, output)?;
    let require = args.require.0;
    if let Some(tokens) = &args.batch {
        return batch::run(tokens, &verifier, require, output);
    }
    let text = TokenText::read(&args.token)?;
    let token = Token::of(&text);
    let mut scratch = Scratch::new();
    let verdict = match &args.payload {
        Some(payload) => detached::verify(&token, payload, &verifier, require),
        None => Ok(verify(&token, &verifier, require, &mut scratch)),
    }?;
    match verdict {
        Ok(verdict) => match verdict.payload {
            Some(payload) if !output.is_json() => output.bytes_of_a_stranger(payload)?,
            Some(_) => output.json(&verdict)?,
            None => {
                output.json(&verdict)?;
                output.note("valid");
            }
        },
        Err((verdict, error)) => {
            output.json(&verdict)?;
            let sentence = match (&args.payload, token.has_payload()) {
                (None, Some(false)) => {
                    format!("{}; its payload is not in it: name the file with --payload", sentence(error))
                }
                (Some(_), Some(true)) => {
                    "not valid: it has a payload of its own, so --payload cannot name another".to_owned()
                }
                _ => sentence(error),
            };
            return Err(CliError::refused(sentence));
        }
    }
    Ok(Outcome::Done)
}

/// A token's verdict; if it is not valid, with the reason.
pub(super) type Verdicts<'t> = Result<Verdict<'t>, (Verdict<'t>, VerifyError)>;

/// Verifies a token that has its payload in it.
pub(super) fn verify<'t>(
    token: &Token<'t>,
    verifier: &'t Verifier,
    require: Require,
    scratch: &'t mut Scratch,
) -> Verdicts<'t> {
    let whole = |error| (Verdict::invalid(token, error, SignatureVerdict::of_refused(error)), error);
    if token.serialization == Serialization::Compact {
        let verified = verifier.verify_compact(token.text, scratch).map_err(whole)?;
        let signatures = vec![SignatureVerdict::of_compact(&verified)];
        return match met_by_one_key(require) {
            Ok(()) => Ok(Verdict::valid(token, Some(verified.payload()), signatures)),
            Err(error) => Err((Verdict::invalid(token, error, signatures), error)),
        };
    }
    let report = verifier.examine_json(token.text, scratch).map_err(whole)?;
    let signatures = of_each(token, report.signatures());
    match report.require(require) {
        Ok(verified) => Ok(Verdict::valid(token, Some(verified.payload()), signatures)),
        Err(error) => Err((Verdict::invalid(token, error, signatures), error)),
    }
}

/// Whether the one key of a compact token is enough: a signature of several stays one, whatever form it is given.
pub(super) fn met_by_one_key(require: Require) -> Result<(), VerifyError> {
    match require {
        Require::All | Require::Any | Require::AtLeast(1) => Ok(()),
        _ => Err(VerifyErrorKind::Threshold.into()),
    }
}

/// Accepts what `--alg` names, or where it names nothing the algorithms of the keys.
fn verifier(args: &JwsVerifyArgs, output: &Output) -> Result<Verifier, CliError> {
    let policy = Policy::from(args.policy);
    let joserfc = policy == Policy::Joserfc;
    let algs = if args.algs.is_empty() && joserfc { Alg::RECOMMENDED.as_slice() } else { &args.algs };
    let password = args.password.password_file.as_ref();
    let keys = Keys::read(&args.keys, password, algs, joserfc, output)?;
    let builder = keys.verifier(algs).policy(policy).unencoded();
    let builder = args.understands.iter().fold(builder, |builder, name| builder.understands(name));
    let most = usize::try_from(MAX_TOKEN_BYTES).unwrap_or(usize::MAX);
    let builder = match policy {
        Policy::Joserfc => builder,
        _ => builder.limits(Limits::default().token_bytes(most).payload_bytes(most)),
    };
    builder.build().map_err(|error| match error {
        BuildError::NotAnExtension(_) => CliError::Usage(format!("--understands: {error}")),
        error => CliError::refused_by("the keys cannot be used together", error),
    })
}
