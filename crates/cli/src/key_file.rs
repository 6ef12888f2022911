//! Key files: a JWK, a JWK set, PEM or DER, told apart by how they begin.

use sealwright_jose::{Alg, Key, KeyError, SigningKey, VerifyingKey};
use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::{
    error::CliError,
    input::{Input, MAX_KEY_BYTES, Source},
    output::Output,
};

/// A key file, read but not yet understood.
pub(crate) struct KeyFile {
    source: Source,
    bytes: Zeroizing<Vec<u8>>,
}

/// `{"keys": […]}`, each key as it stands in the file.
#[derive(Deserialize)]
struct JwkSetText<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

impl KeyFile {
    pub(crate) fn read(input: &mut Input, source: &Source) -> Result<Self, CliError> {
        let bytes = input.read(source, MAX_KEY_BYTES)?;
        Ok(Self { source: source.clone(), bytes })
    }

    /// The one key of the file. Where it names no algorithm, it gets the one of `algs` that fits it.
    pub(crate) fn one_key(&self, algs: &[Alg]) -> Result<Key, CliError> {
        if self.set()?.is_some() {
            let message = format!("{} is a set of keys, and one key is needed", self.source);
            return Err(CliError::Usage(message));
        }
        self.single(algs)
    }

    /// All keys of the file. A set may hold keys that nobody here can use, which are passed over with
    /// a warning, but not only such.
    pub(crate) fn keys(&self, algs: &[Alg], output: &Output) -> Result<Vec<Key>, CliError> {
        let Some(set) = self.set()? else {
            return Ok(vec![self.single(algs)?]);
        };
        let (mut keys, mut first_error) = (Vec::new(), None);
        for (n, text) in set.iter().enumerate() {
            match self.text_key(text, algs) {
                Ok(key) => keys.push(key),
                Err(error) => {
                    output.warning_of(&format!("key {} of {} is passed over", n + 1, self.source), &error);
                    first_error.get_or_insert(error);
                }
            }
        }
        match first_error {
            Some(error) if keys.is_empty() => Err(error),
            None if keys.is_empty() => Err(CliError::refused(format!("{} holds no key", self.source))),
            _ => Ok(keys),
        }
    }

    /// The texts of a JWK or of each JWK of a set; `true` for a set.
    pub(crate) fn jwks(&self) -> Result<(Vec<&str>, bool), CliError> {
        if let Some(set) = self.set()? {
            return Ok((set, true));
        }
        match self.text() {
            Some(text) if text.trim_ascii_start().starts_with('{') => Ok((vec![text], false)),
            _ => Err(CliError::refused(format!("{} is no JWK and no JWK set", self.source))),
        }
    }

    /// `error`, with the name of this file.
    pub(crate) fn refused(&self, error: KeyError) -> CliError {
        CliError::refused_by(format!("{} cannot be used", self.source), error)
    }

    fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    fn set(&self) -> Result<Option<Vec<&str>>, CliError> {
        // serde finds `keys` only at the top; whether each key is a JWK is for the library to say.
        #[derive(Deserialize)]
        struct Probe {
            keys: Option<serde::de::IgnoredAny>,
        }
        let Some(text) = self.text().filter(|text| text.trim_ascii_start().starts_with('{')) else {
            return Ok(None);
        };
        match serde_json::from_str::<Probe>(text) {
            Ok(Probe { keys: Some(_) }) => {}
            Ok(Probe { keys: None }) | Err(_) => return Ok(None),
        }
        let set: JwkSetText<'_> = serde_json::from_str(text)
            .map_err(|_| CliError::refused(format!("{} is no JWK set: `keys` is no list", self.source)))?;
        Ok(Some(set.keys.into_iter().map(RawValue::get).collect()))
    }

    fn single(&self, algs: &[Alg]) -> Result<Key, CliError> {
        match self.text() {
            Some(text) if !self.bytes.starts_with(&[DER_SEQUENCE]) => self.text_key(text, algs),
            _ => self.der_key(algs),
        }
    }

    /// A JWK or PEM.
    fn text_key(&self, text: &str, algs: &[Alg]) -> Result<Key, CliError> {
        match Key::parse(text, None) {
            Ok(key) if algs.is_empty() || algs.contains(&key.alg()) => Ok(key),
            Ok(key) => Err(CliError::refused(format!(
                "{} cannot be used: the key is for {}, which --alg does not name",
                self.source,
                key.alg()
            ))),
            Err(KeyError::AlgMissing) => self.fitting(algs, |alg| Key::parse(text, Some(alg))),
            Err(error) => Err(self.refused(error)),
        }
    }

    fn der_key(&self, algs: &[Alg]) -> Result<Key, CliError> {
        if algs.is_empty() && Alg::ALL.iter().all(|alg| parse_der(*alg, &self.bytes).is_err()) {
            return Err(CliError::refused(format!("{} is no JWK, JWK set, PEM or DER", self.source)));
        }
        self.fitting(algs, |alg| parse_der(alg, &self.bytes))
    }

    /// The key under the one algorithm of `algs` that fits it: two that fit would leave the choice to
    /// whoever wrote the token.
    fn fitting(&self, algs: &[Alg], parse: impl Fn(Alg) -> Result<Key, KeyError>) -> Result<Key, CliError> {
        let source = &self.source;
        let (mut keys, mut error) = (Vec::new(), None);
        for alg in algs {
            match parse(*alg) {
                Ok(key) => keys.push(key),
                Err(e) => error = Some(e),
            }
        }
        match (keys.pop(), error) {
            (Some(key), _) if keys.is_empty() => Ok(key),
            (Some(_), _) => Err(CliError::Usage(format!(
                "{source} names no algorithm, and several of --alg fit it: name the one that it is for"
            ))),
            (None, Some(error)) => Err(self.refused(error)),
            (None, None) => {
                Err(CliError::Usage(format!("{source} names no algorithm: say with --alg which one it is for")))
            }
        }
    }
}

/// The first byte of every key in DER.
const DER_SEQUENCE: u8 = 0x30;

/// SPKI, a certificate, or PKCS#8: the shapes exclude each other, so the first that parses is it.
fn parse_der(alg: Alg, der: &[u8]) -> Result<Key, KeyError> {
    match VerifyingKey::from_spki_der(alg, der) {
        Err(KeyError::Malformed { .. }) => {}
        spki => return spki.map(Key::Verifying),
    }
    match VerifyingKey::from_certificate_der(alg, der) {
        Err(KeyError::Malformed { .. }) => {}
        certificate => return certificate.map(Key::Verifying),
    }
    SigningKey::from_pkcs8_der(alg, der).map(Key::Signing)
}
