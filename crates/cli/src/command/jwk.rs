//! `sealwright jwk …`: keys are made, stripped of what is private, and named by their thumbprint.

use sealwright_jose::{Alg, Key, KeyError, MacKey, SigningKey, VerifyingKey};
use sealwright_service::random;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::Outcome;
use crate::{
    args::{GenerateArgs, HashName, JwkCommand, PublicArgs, ThumbprintArgs},
    error::CliError,
    key_file::KeyFile,
    output::Output,
};

pub(super) fn run(command: &JwkCommand, output: &Output) -> Result<Outcome, CliError> {
    match command {
        JwkCommand::Generate(args) => generate(args, output),
        JwkCommand::Public(args) => public(args, output),
        JwkCommand::Thumbprint(args) => thumbprint(args, output),
    }
}

fn generate(args: &GenerateArgs, output: &Output) -> Result<Outcome, CliError> {
    let one = || {
        new_key(args.alg, args.kid.as_deref()).map_err(|error| CliError::refused_by("no key was made", error))
    };
    let Some(count) = args.count else {
        output.text(&one()?)?;
        return Ok(Outcome::Done);
    };
    let keys = (0..count).map(|_| one()).collect::<Result<Vec<_>, _>>()?;
    output.text(&Zeroizing::new(set_of(keys.iter().map(|key| key.as_str()))))?;
    Ok(Outcome::Done)
}

/// A private JWK under `kid`, or under its thumbprint. A symmetric key gets a random name: its
/// thumbprint would be a hash of the secret, published with every token.
fn new_key(alg: Alg, kid: Option<&str>) -> Result<Zeroizing<String>, KeyError> {
    if alg.is_mac() {
        let kid = kid.map_or_else(|| random::id("k_"), str::to_owned);
        return Ok(MacKey::generate(alg)?.with_kid(kid).to_jwk());
    }
    let key = SigningKey::generate(alg)?;
    let kid = kid.map_or_else(|| key.verifying_key().thumbprint_base64url(), str::to_owned);
    key.with_kid(kid).to_jwk()
}

fn public(args: &PublicArgs, output: &Output) -> Result<Outcome, CliError> {
    let file = KeyFile::read(&args.file)?;
    let (texts, is_set) = file.jwks()?;
    let mut keys = Vec::new();
    for text in texts {
        let (key, names_alg) = public_half(text).map_err(|error| file.refused(error))?;
        keys.push(if names_alg { key.to_jwk() } else { without_alg(&key) });
    }
    let keys = keys.iter().map(String::as_str);
    output.text(&if is_set { set_of(keys) } else { keys.collect() })?;
    Ok(Outcome::Done)
}

fn thumbprint(args: &ThumbprintArgs, output: &Output) -> Result<Outcome, CliError> {
    let HashName::Sha256 = args.hash;
    let file = KeyFile::read(&args.file)?;
    let (texts, is_set) = file.jwks()?;
    let mut found = Vec::new();
    for text in texts {
        let (key, _) = public_half(text).map_err(|error| file.refused(error))?;
        let thumbprint = key.thumbprint_base64url();
        let uri = format!("urn:ietf:params:oauth:jwk-thumbprint:sha-256:{thumbprint}");
        output.line(if args.uri { &uri } else { &thumbprint })?;
        found.push(json!({"kid": key.kid(), "thumbprint": thumbprint, "uri": uri}));
    }
    match <[Value; 1]>::try_from(found) {
        Ok([one]) if !is_set => output.json(&one)?,
        Ok(one) => output.json(&json!({"keys": one}))?,
        Err(found) => output.json(&json!({"keys": found}))?,
    }
    Ok(Outcome::Done)
}

/// The public half of a JWK, and whether it names its algorithm. Neither it nor a thumbprint needs one,
/// so that any that fits will do.
fn public_half(jwk: &str) -> Result<(VerifyingKey, bool), KeyError> {
    let (key, names_alg) = match Key::parse(jwk, None) {
        Err(KeyError::AlgMissing) => (any_fitting(jwk)?, false),
        key => (key?, true),
    };
    let symmetric = KeyError::Format { seen: "a symmetric key", wanted: "a key that has a public half" };
    Ok((key.verifying_key().ok_or(symmetric)?, names_alg))
}

fn any_fitting(jwk: &str) -> Result<Key, KeyError> {
    let mut error = KeyError::AlgMissing;
    for alg in Alg::ALL {
        match Key::parse(jwk, Some(*alg)) {
            Err(KeyError::Type { .. }) => {}
            Err(e) => error = e,
            key => return key,
        }
    }
    Err(error)
}

/// The library never writes a key without its algorithm, and the file did not name one.
fn without_alg(key: &VerifyingKey) -> String {
    // No other member can hold this text: the quotes of a value would be escaped.
    key.to_jwk().replacen(&format!(r#","alg":"{}""#, key.alg()), "", 1)
}

fn set_of<'a>(keys: impl Iterator<Item = &'a str>) -> String {
    format!("{{\"keys\":[{}]}}", keys.collect::<Vec<_>>().join(","))
}
