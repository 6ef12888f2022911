//! `sealwright jws sign`

use sealwright_jose::{
    Alg, Key, SignError,
    jws::{self, Header, Policy, Signer},
};
use sealwright_service::json_object::Object;
use serde::Deserialize;
use serde_json::Value;

use super::{Outcome, detached};
use crate::{
    args::{self, Serialization, SignArgs},
    error::CliError,
    input::{MAX_TOKEN_BYTES, stdin_at_most_once},
    key_file::KeyFile,
    output::Output,
};

pub(super) fn run(args: &SignArgs, output: &Output) -> Result<Outcome, CliError> {
    stdin_at_most_once(args.keys.iter().chain(&args.password_file).chain([&args.payload]))?;
    let serialization = serialization(args)?;
    let signers = (0..args.keys.len()).map(|n| signer(args, n)).collect::<Result<Vec<_>, _>>()?;
    let token = match (signers.as_slice(), serialization) {
        ([signer], Serialization::Compact | Serialization::Flattened) if args.detached => {
            detached::sign(signer, &args.payload, serialization)?
        }
        (signers, Serialization::General) if args.detached => detached::sign_general(signers, &args.payload)?,
        (signers, serialization) => {
            let payload = args.payload.read(MAX_TOKEN_BYTES)?;
            match (signers, serialization) {
                ([signer], Serialization::Compact) => signer.sign_compact(&payload),
                ([signer], Serialization::Flattened) => signer.sign_flattened(&payload),
                (signers, _) => {
                    let signers: Vec<&Signer> = signers.iter().collect();
                    jws::sign_general(&signers, &payload)
                }
            }
            .map_err(not_signed)?
        }
    };
    output.text(&token)?;
    Ok(Outcome::Done)
}

pub(super) fn not_signed(error: SignError) -> CliError {
    match error {
        SignError::HeaderJson => CliError::Usage(format!("nothing was signed: {error}")),
        error => CliError::refused_by("nothing was signed", error),
    }
}

fn serialization(args: &SignArgs) -> Result<Serialization, CliError> {
    let usage = |message: &str| Err(CliError::Usage(message.to_owned()));
    let keys = args.keys.len();
    if args.headers.len() > keys || args.unprotected.len() > keys {
        return usage(
            "there are more headers than keys; each --header and --unprotected belongs to one --key",
        );
    }
    match args.serialization {
        None if keys > 1 => Ok(Serialization::General),
        None => Ok(Serialization::Compact),
        Some(Serialization::Compact | Serialization::Flattened) if keys > 1 => {
            usage("several keys make several signatures, which only --serialization general has room for")
        }
        Some(serialization) => Ok(serialization),
    }
}

/// What a header says that the rest of the command line leaves open.
#[derive(Default, Deserialize)]
struct Stated {
    alg: Option<String>,
    kid: Option<Value>,
    b64: Option<Value>,
}

impl Stated {
    fn read(option: &str, json: Option<&String>) -> Result<Self, CliError> {
        let Some(json) = json else { return Ok(Self::default()) };
        serde_json::from_str(json)
            .map(|Object(stated)| stated)
            .map_err(|error| CliError::Usage(format!("{option} is not a JSON object: {error}")))
    }
}

/// The n-th key with the n-th headers.
fn signer(args: &SignArgs, n: usize) -> Result<Signer, CliError> {
    let (protected, unprotected) = (args.headers.get(n), args.unprotected.get(n));
    let stated = Stated::read("--header", protected)?;
    let beside = Stated::read("--unprotected", unprotected)?;
    let policy = Policy::from(args.policy);

    let named = stated.kid.as_ref().or(beside.kid.as_ref()).and_then(Value::as_str);
    let key = key(args, n, stated.alg.as_deref().or(beside.alg.as_deref()), named)?;
    let (signer, alg, kid) = match &key {
        Key::Signing(key) => (Signer::new(key), key.alg(), key.kid()),
        Key::Mac(key) => (Signer::mac(key), key.alg(), key.kid()),
        _ => {
            let message = format!("{} is a public key: signing needs the private one", args.keys[n]);
            return Err(CliError::refused(message));
        }
    };
    let mut header = match protected {
        Some(json) => Header::from_json(alg, json).map_err(not_signed)?,
        None => Header::new(alg),
    };
    if stated.kid.as_ref().is_some_and(|stated| kid.is_some_and(|kid| stated != kid)) {
        return Err(CliError::refused("nothing was signed: --header names another `kid` than the key has"));
    }
    // joserfc writes the caller's header and nothing else.
    if let (Some(kid), None, None) = (kid, &stated.kid, &beside.kid)
        && policy != Policy::Joserfc
    {
        header = header.kid(kid);
    }
    if args.unencoded && stated.b64.is_none() {
        header = header.unencoded();
    }
    let signer = signer.policy(policy).header(header);
    Ok(match unprotected {
        Some(json) => signer.unprotected_json(json),
        None => signer,
    })
}

/// The n-th key. Where neither it nor `--alg` names an algorithm, the header that goes with it does: it
/// is the signer's own word. Of a set, the header says which key is meant.
fn key(args: &SignArgs, n: usize, alg: Option<&str>, kid: Option<&str>) -> Result<Key, CliError> {
    let file = KeyFile::read_with_password(&args.keys[n], args.password_file.as_ref())?
        .short_secrets(args.policy == args::Policy::Joserfc);
    let stated: Vec<Alg> = match alg {
        Some("EdDSA") => vec![Alg::Ed25519],
        name => name.and_then(Alg::from_name).into_iter().collect(),
    };
    if file.is_set()? {
        let both: Vec<Alg> = args.algs.iter().copied().filter(|alg| stated.contains(alg)).collect();
        let algs = if args.algs.is_empty() { &stated } else { &both };
        return file.signing_key(if algs.is_empty() { &args.algs } else { algs }, kid);
    }
    match file.one_key(&args.algs) {
        Err(CliError::Usage(_)) if args.algs.is_empty() && !stated.is_empty() => file.one_key(&stated),
        key => key,
    }
}
