//! `sealwright jwk inspect`: what a key is, and what is wrong with it. Nothing secret is shown.

use sealwright_jose::{Inspected, base64url};
use serde_json::{Value, json};

use super::Outcome;
use crate::{
    args::JwkInspectArgs,
    error::CliError,
    key_file::KeyFile,
    output::{Output, one_line, style},
};

pub(super) fn run(args: &JwkInspectArgs, output: &Output) -> Result<Outcome, CliError> {
    let file = KeyFile::read_with_password(&args.file, args.password.password_file.as_ref())?;
    let (keys, is_set) = match file.each() {
        Ok(keys) => keys,
        Err(error) => {
            output.json(&json!({"faults": [error.to_string()]}))?;
            return Err(error);
        }
    };
    let all = keys.len();
    let (mut found, mut faulty) = (Vec::new(), Vec::new());
    for (n, key) in keys.into_iter().enumerate() {
        let facts = match Inspected::read(key, file.password()) {
            Ok(facts) => facts,
            // Among other keys, one that is none is a fact like others.
            Err(error) if is_set => {
                if n > 0 {
                    output.line("")?;
                }
                output.line(labelled("fault", &error.to_string()))?;
                found.push(json!({"faults": [error.to_string()]}));
                faulty.push((n, error.to_string()));
                continue;
            }
            Err(error) => {
                output.json(&json!({"faults": [error.to_string()]}))?;
                return Err(file.refused(error));
            }
        };
        if n > 0 {
            output.line("")?;
        }
        faulty.extend(facts.faults().first().map(|fault| (n, fault.to_string())));
        tell(&facts, output)?;
        found.push(in_json(&facts));
    }
    if is_set {
        output.json(&json!({"keys": found}))?;
    } else if let Some(one) = found.first() {
        output.json(one)?;
    }
    let file = &args.file;
    Err(CliError::refused(match faulty.as_slice() {
        [] => return Ok(Outcome::Done),
        [(n, fault)] if is_set => format!("key {} of {file} cannot be used: {fault}", n + 1),
        several if is_set => format!("{} of the {all} keys of {file} cannot be used", several.len()),
        [(_, fault), ..] => format!("{file} cannot be used: {fault}"),
    }))
}

fn tell(facts: &Inspected, output: &Output) -> Result<(), CliError> {
    let half = match (facts.key_type(), facts.is_secret()) {
        (Some("oct"), _) => "symmetric",
        (_, true) => "private",
        (_, false) => "public",
    };
    let kind: Vec<String> = [
        facts.key_type().map(str::to_owned),
        facts.curve().map(str::to_owned),
        facts.bits().map(|bits| format!("{bits} bits")),
        Some(half.to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect();
    let algs = match (facts.named_alg(), facts.fitting_algs()) {
        (Some(named), _) => named.to_owned(),
        (None, fitting) => {
            let names: Vec<&str> = fitting.iter().map(|alg| alg.name()).collect();
            format!("not named; fits {}", if names.is_empty() { "none".into() } else { names.join(", ") })
        }
    };
    let thumbprint = facts.thumbprint().map(base64url::encode);
    let key_ops = facts.key_ops().map(|operations| operations.join(", "));
    output.line(labelled("format", &facts.format().to_string()))?;
    output.line(labelled("key", &kind.join(", ")))?;
    output.line(labelled("algorithm", &algs))?;
    let more = [
        ("kid", facts.kid()),
        ("use", facts.usage()),
        ("key_ops", key_ops.as_deref()),
        ("thumbprint", thumbprint.as_deref()),
    ];
    for (name, value) in more {
        if let Some(value) = value {
            output.line(labelled(name, value))?;
        }
    }
    for fault in facts.faults() {
        let bad = style::BAD;
        output.line(format_args!("{bad}{:<11}{bad:#}{}", "fault", one_line(fault)))?;
    }
    Ok(())
}

/// What a stranger wrote into a key stays in its line.
fn labelled(name: &str, value: &str) -> String {
    let strong = style::STRONG;
    format!("{strong}{name:<11}{strong:#}{}", one_line(value))
}

fn in_json(facts: &Inspected) -> Value {
    let fitting: Vec<&str> = facts.fitting_algs().iter().map(|alg| alg.name()).collect();
    json!({
        "format": facts.format().to_string(),
        "encrypted": facts.is_encrypted(),
        "secret": facts.is_secret(),
        "kty": facts.key_type(),
        "crv": facts.curve(),
        "bits": facts.bits(),
        "alg": facts.named_alg(),
        "fits": fitting,
        "kid": facts.kid(),
        "use": facts.usage(),
        "key_ops": facts.key_ops(),
        "thumbprint": facts.thumbprint().map(base64url::encode),
        "faults": facts.faults(),
    })
}
