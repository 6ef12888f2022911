//! `sealwright jwk …`: keys are made, converted, stripped of what is private, looked at, and named by their thumbprint.

mod convert;
mod generate;
mod inspect;
mod thumbprint;

use sealwright_jose::{Alg, Inspected, Key, KeyError, VerifyingKey};
use zeroize::Zeroizing;

use super::Outcome;
use crate::{
    args::{JwkCommand, PublicArgs},
    error::CliError,
    key_file::KeyFile,
    output::Output,
};

pub(super) fn run(command: &JwkCommand, output: &Output) -> Result<Outcome, CliError> {
    match command {
        JwkCommand::Generate(args) => generate::run(args, output),
        JwkCommand::Public(args) => public(args, output),
        JwkCommand::Convert(args) => convert::run(args, output),
        JwkCommand::Thumbprint(args) => thumbprint::run(args, output),
        JwkCommand::Inspect(args) => inspect::run(args, output),
    }
}

fn public(args: &PublicArgs, output: &Output) -> Result<Outcome, CliError> {
    let file = KeyFile::read_with_password(&args.file, args.password.password_file.as_ref())?;
    let (jwks, is_set) = of_each_key(&file, output, AnyKey::public_jwk)?;
    output.text(&one_or_set(&jwks, is_set))?;
    Ok(Outcome::Done)
}

/// What `take` makes of the one key, or of each key of a set; `true` for a set. A set may hold keys of which nothing can
/// be made, which are passed over with a warning, but not only such.
fn of_each_key<T>(
    file: &KeyFile,
    output: &Output,
    take: impl Fn(&AnyKey) -> Result<T, KeyError>,
) -> Result<(Vec<T>, bool), CliError> {
    let (keys, is_set) = file.each()?;
    let (mut taken, mut passed_over) = (Vec::with_capacity(keys.len()), Vec::new());
    for (n, key) in keys.into_iter().enumerate() {
        match AnyKey::read(key, file.password()).and_then(|key| take(&key)) {
            Ok(one) => taken.push(one),
            Err(error) => passed_over.push(file.refused_at(is_set.then_some(n), error)),
        }
    }
    if taken.is_empty() && !passed_over.is_empty() {
        return Err(passed_over.swap_remove(0));
    }
    for error in &passed_over {
        output.warning_of(error);
    }
    Ok((taken, is_set))
}

/// A key that is not used for anything here, so that of the algorithms that it may be for any will do.
struct AnyKey {
    key: Key,
    /// Whether its file says which algorithm it is for.
    names_alg: bool,
}

impl AnyKey {
    fn read(key: &[u8], password: Option<&[u8]>) -> Result<Self, KeyError> {
        match Key::parse_with_password(key, None, password) {
            Err(KeyError::AlgMissing) => {
                let facts = Inspected::read(key, password)?;
                // One that fits nothing is read all the same, for the library's own words on why.
                let alg = facts.fitting_algs().first().copied().unwrap_or(Alg::Es256);
                let key = Key::parse_with_password(key, Some(alg), password)?;
                Ok(Self { key, names_alg: false })
            }
            key => Ok(Self { key: key?, names_alg: true }),
        }
    }

    fn public(&self) -> Result<VerifyingKey, KeyError> {
        let symmetric = KeyError::Format { seen: "a symmetric key", wanted: "a key that has a public half" };
        self.key.verifying_key().ok_or(symmetric)
    }

    fn public_jwk(&self) -> Result<String, KeyError> {
        let key = self.public()?;
        Ok(self.as_it_was(key.to_jwk(), key.alg()))
    }

    fn jwk(&self) -> Result<Zeroizing<String>, KeyError> {
        let jwk = match &self.key {
            Key::Signing(key) => key.to_jwk()?,
            Key::Mac(key) => key.to_jwk(),
            _ => return self.public_jwk().map(Zeroizing::new),
        };
        Ok(if self.names_alg { jwk } else { without_alg(&jwk, self.key.alg()) })
    }

    fn as_it_was(&self, jwk: String, alg: Alg) -> String {
        if self.names_alg { jwk } else { String::clone(&without_alg(&jwk, alg)) }
    }
}

/// The library never writes a key without its algorithm, and the file did not name one. For ML-DSA it is part of the
/// key's type (RFC 9964 §3).
fn without_alg(jwk: &str, alg: Alg) -> Zeroizing<String> {
    // No other member can hold this text: the quotes of a value would be escaped.
    let member = format!(r#","alg":"{alg}""#);
    let mut rest = Zeroizing::new(String::with_capacity(jwk.len()));
    match jwk.split_once(&member) {
        Some((before, after)) if !jwk.contains(r#""kty":"AKP""#) => {
            rest.push_str(before);
            rest.push_str(after);
        }
        _ => rest.push_str(jwk),
    }
    rest
}

/// The one key, or the set of them; in a buffer that never grows, so that no copy of a secret stays behind.
fn one_or_set(keys: &[impl AsRef<str>], is_set: bool) -> Zeroizing<String> {
    if !is_set {
        return Zeroizing::new(keys.first().map(|key| key.as_ref().to_owned()).unwrap_or_default());
    }
    let (start, end) = (r#"{"keys":["#, "]}");
    let room: usize = keys.iter().map(|key| key.as_ref().len() + 1).sum();
    let mut set = Zeroizing::new(String::with_capacity(start.len() + room + end.len()));
    set.push_str(start);
    for (n, key) in keys.iter().enumerate() {
        if n > 0 {
            set.push(',');
        }
        set.push_str(key.as_ref());
    }
    set.push_str(end);
    set
}
