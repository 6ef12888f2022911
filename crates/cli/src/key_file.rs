//! Key files: a JWK, a JWK set, PEM, DER or OpenSSH, told apart by how they begin.

use sealwright_jose::{
    Alg, JwkSet, Key, KeyError, MacKey, Pkcs12, SigningKey,
    jws::{Verifier, VerifierBuilder},
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::{
    error::CliError,
    input::{MAX_KEY_BYTES, Source},
    output::Output,
};

/// A password is a line, not a file of its own.
const MAX_PASSWORD_BYTES: u64 = 4096;

/// Whether this is DER that begins as a PFX does, with version 3 (RFC 7292 §4); no key alone has that version.
fn is_pkcs12(bytes: &[u8]) -> bool {
    let behind_length = match bytes {
        [0x30, 1..=0x7f, ..] => 2,
        [0x30, length @ 0x81..=0x84, ..] => 2 + usize::from(length - 0x80),
        _ => return false,
    };
    bytes.get(behind_length..).is_some_and(|content| content.starts_with(&[0x02, 0x01, 0x03]))
}

/// A key file, read but not yet understood.
pub(crate) struct KeyFile {
    source: Source,
    bytes: Zeroizing<Vec<u8>>,
    password: Option<Zeroizing<Vec<u8>>>,
    short_secrets: bool,
}

impl KeyFile {
    /// Reads a key that no password guards.
    pub(crate) fn read(source: &Source) -> Result<Self, CliError> {
        Self::read_with_password(source, None)
    }

    /// Reads a key, and its password from the first line of another file.
    pub(crate) fn read_with_password(source: &Source, password: Option<&Source>) -> Result<Self, CliError> {
        let password = password.map(read_password).transpose()?;
        let bytes = source.read(MAX_KEY_BYTES)?;
        Ok(Self { source: source.clone(), bytes, password, short_secrets: false })
    }

    /// Whether a secret shorter than its hash will do, as `--policy joserfc` has it.
    pub(crate) fn short_secrets(self, short_secrets: bool) -> Self {
        Self { short_secrets, ..self }
    }

    /// The one key of the file. Where it names no algorithm, it gets the one of `algs` that fits it.
    pub(crate) fn one_key(&self, algs: &[Alg]) -> Result<Key, CliError> {
        if self.set()?.is_some() {
            let message = format!("{} is a set of keys, and one key is needed", self.source);
            return Err(CliError::Usage(message));
        }
        self.alone(algs)
    }

    /// The key to sign with: the one of the file, or of a set the only one that can sign, is for one of `algs` (any if
    /// there are none) and has this `kid`, if one is named.
    pub(crate) fn signing_key(&self, algs: &[Alg], kid: Option<&str>) -> Result<Key, CliError> {
        let Some(set) = self.set()? else { return self.alone(algs) };
        let (mut fitting, mut refused) = (Vec::new(), None);
        for (n, text) in set.iter().enumerate() {
            let name = format!("key {} of {}", n + 1, self.source);
            match self.parse(&name, text.as_bytes(), algs) {
                Ok(key) if can_sign_as(&key, kid) => fitting.push(key),
                Ok(_) => {}
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        match (fitting.pop(), refused) {
            (Some(key), _) if fitting.is_empty() => Ok(key),
            (Some(_), _) => Err(CliError::Usage(format!(
                "several keys of {} can sign this: say with --alg or by a `kid` in --header which one is meant",
                self.source
            ))),
            (None, Some(error)) if set.len() == 1 => Err(error),
            (None, _) => Err(CliError::refused(format!("no key of {} can sign this", self.source))),
        }
    }

    /// Whether this is a set.
    pub(crate) fn is_set(&self) -> Result<bool, CliError> {
        self.set().map(|set| set.is_some())
    }

    /// The private key of a PKCS#12 file (`.p12`, `.pfx`); `None` for a file of another kind. It names no algorithm, so
    /// there must be one.
    pub(crate) fn pkcs12(&self, alg: Option<Alg>) -> Result<Option<SigningKey>, CliError> {
        if !is_pkcs12(&self.bytes) {
            return Ok(None);
        }
        let (Some(alg), Some(password)) = (alg, self.password()) else {
            let message =
                format!("{} is a PKCS#12 file: give --alg and --password-file with it", self.source);
            return Err(CliError::Usage(message));
        };
        let password = std::str::from_utf8(password)
            .map_err(|_| CliError::refused("the password of a PKCS#12 file is UTF-8 text"))?;
        let file = Pkcs12::read(&self.bytes, password).map_err(|error| self.refused(error))?;
        file.signing_key(alg).map(Some).map_err(|error| self.refused(error))
    }

    /// All keys of the file, one or those of a set.
    pub(crate) fn keys(&self, algs: &[Alg], output: &Output) -> Result<Vec<Key>, CliError> {
        match self.keys_of_set(algs, output)? {
            Some(keys) => Ok(keys),
            None => self.alone(algs).map(|key| vec![key]),
        }
    }

    /// What is no set.
    fn alone(&self, algs: &[Alg]) -> Result<Key, CliError> {
        self.parse(&self.source.to_string(), &self.bytes, algs)
    }

    /// The keys of a set; `None` if this is none. A set may hold keys that nobody here can use, which are passed over
    /// with a warning, but not only such.
    fn keys_of_set(&self, algs: &[Alg], output: &Output) -> Result<Option<Vec<Key>>, CliError> {
        let Some(set) = self.set()? else { return Ok(None) };
        let (mut keys, mut passed_over) = (Vec::new(), Vec::new());
        for (n, text) in set.iter().enumerate() {
            let name = format!("key {} of {}", n + 1, self.source);
            match self.parse(&name, text.as_bytes(), algs) {
                Ok(key) => keys.push(key),
                Err(error) => passed_over.push(error),
            }
        }
        if keys.is_empty() {
            let none = CliError::refused(format!("{} holds no key", self.source));
            return Err(passed_over.into_iter().next().unwrap_or(none));
        }
        for error in &passed_over {
            output.warning_of(error);
        }
        Ok(Some(keys))
    }

    /// The one key, or each key of a set, without a word on what they are for; `true` for a set.
    pub(crate) fn each(&self) -> Result<(Vec<&[u8]>, bool), CliError> {
        Ok(match self.set()? {
            Some(set) => (set.into_iter().map(str::as_bytes).collect(), true),
            None => (vec![&self.bytes], false),
        })
    }

    /// What opens a key of this file that is encrypted.
    pub(crate) fn password(&self) -> Option<&[u8]> {
        self.password.as_ref().map(|password| password.as_slice())
    }

    /// `error`, with the name of this file and, in a set, the number of the key.
    pub(crate) fn refused_at(&self, n: Option<usize>, error: KeyError) -> CliError {
        match n {
            Some(n) => refused(&format!("key {} of {}", n + 1, self.source), error),
            None => self.refused(error),
        }
    }

    /// `error`, with the name of this file.
    pub(crate) fn refused(&self, error: KeyError) -> CliError {
        refused(&self.source.to_string(), error)
    }

    fn json(&self) -> Option<&str> {
        let text = std::str::from_utf8(&self.bytes).ok()?;
        text.trim_ascii_start().starts_with('{').then_some(text)
    }

    /// The texts of the keys, if this is a set, within the limits of any JWK set. Whether each is a JWK is for the
    /// library to say.
    fn set(&self) -> Result<Option<Vec<&str>>, CliError> {
        #[derive(Deserialize)]
        struct Probe {
            keys: Option<IgnoredAny>,
        }
        #[derive(Deserialize)]
        struct Set<'a> {
            #[serde(borrow)]
            keys: Vec<&'a RawValue>,
        }
        let Some(text) = self.json() else { return Ok(None) };
        match serde_json::from_str(text) {
            Ok(Probe { keys: Some(IgnoredAny) }) => {}
            Ok(Probe { keys: None }) | Err(_) => return Ok(None),
        }
        // No algorithm is allowed, so each key is passed over, and only the whole is looked at.
        JwkSet::parse(text, &[]).map_err(|error| self.refused(error))?;
        let set: Set<'_> = serde_json::from_str(text)
            .map_err(|error| CliError::refused_by(format!("{} is no JWK set", self.source), error))?;
        Ok(Some(set.keys.into_iter().map(RawValue::get).collect()))
    }

    fn parse(&self, name: &str, key: &[u8], algs: &[Alg]) -> Result<Key, CliError> {
        match self.key(key, None) {
            Ok(key) if algs.is_empty() || algs.contains(&key.alg()) => Ok(key),
            Ok(key) => Err(CliError::refused(format!(
                "{name} cannot be used: it is for {}, which --alg does not name",
                key.alg()
            ))),
            Err(KeyError::AlgMissing) => fitting(name, algs, |alg| self.key(key, Some(alg))),
            Err(error) => Err(refused(name, error)),
        }
    }

    fn key(&self, key: &[u8], alg: Option<Alg>) -> Result<Key, KeyError> {
        match (Key::parse_with_password(key, alg, self.password()), std::str::from_utf8(key)) {
            (Err(error @ KeyError::Size { .. }), Ok(text)) if self.short_secrets => {
                let wanted = |mac: &Alg| mac.is_mac() && alg.is_none_or(|alg| alg == *mac);
                let mut algs = Alg::ALL.iter().copied().filter(wanted);
                let key = algs.find_map(|alg| MacKey::insecure_from_short_jwk_as(alg, text).ok());
                key.map(Key::Mac).ok_or(error)
            }
            (key, _) => key,
        }
    }
}

/// All keys of several files, for verifying.
#[derive(Default)]
pub(crate) struct Keys {
    /// Files of one key each.
    alone: Vec<Key>,
    /// Of sets, whose publisher may give one `kid` to several.
    of_sets: Option<Vec<Key>>,
}

impl Keys {
    pub(crate) fn read(
        sources: &[Source],
        password: Option<&Source>,
        algs: &[Alg],
        short_secrets: bool,
        output: &Output,
    ) -> Result<Self, CliError> {
        let mut keys = Self::default();
        for source in sources {
            let file = KeyFile::read_with_password(source, password)?.short_secrets(short_secrets);
            match file.keys_of_set(algs, output)? {
                Some(set) => keys.of_sets.get_or_insert_default().extend(set),
                None => keys.alone.push(file.alone(algs)?),
            }
        }
        Ok(keys)
    }

    /// Accepts `algs`, or where none are named those of the keys.
    pub(crate) fn verifier(self, algs: &[Alg]) -> VerifierBuilder {
        let of_keys: Vec<Alg> =
            self.alone.iter().chain(self.of_sets.iter().flatten()).map(Key::alg).collect();
        let builder = Verifier::builder_from(if algs.is_empty() { &of_keys } else { algs });
        let builder = self.alone.into_iter().fold(builder, |builder, key| match key {
            Key::Mac(key) => builder.mac_key(key),
            key => key.verifying_key().into_iter().fold(builder, VerifierBuilder::key),
        });
        let Some(of_sets) = self.of_sets else { return builder };
        let public: JwkSet = of_sets.iter().filter_map(Key::verifying_key).collect();
        let secrets = of_sets.into_iter().filter_map(|key| match key {
            Key::Mac(key) => Some(key),
            _ => None,
        });
        builder.keys(&public).mac_keys(secrets)
    }
}

fn can_sign_as(key: &Key, kid: Option<&str>) -> bool {
    let name = match key {
        Key::Signing(key) => key.kid(),
        Key::Mac(key) => key.kid(),
        _ => return false,
    };
    kid.is_none_or(|kid| name == Some(kid))
}

fn read_password(source: &Source) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let mut password = source.read(MAX_PASSWORD_BYTES)?;
    let line = password.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(password.len());
    password.truncate(line);
    if password.is_empty() {
        return Err(CliError::Usage(format!(
            "the first line of {source} is empty, and should be a password"
        )));
    }
    Ok(password)
}

/// The key under the one algorithm of `algs` that fits it: two that fit would leave the choice to
/// whoever wrote the token.
fn fitting(name: &str, algs: &[Alg], parse: impl Fn(Alg) -> Result<Key, KeyError>) -> Result<Key, CliError> {
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
            "{name} names no algorithm, and several of --alg fit it: name the one that it is for"
        ))),
        (None, Some(error)) => Err(refused(name, error)),
        (None, None) => {
            Err(CliError::Usage(format!("{name} names no algorithm: say with --alg which one it is for")))
        }
    }
}

fn refused(name: &str, error: KeyError) -> CliError {
    let hint = match error {
        KeyError::PasswordNeeded => {
            ": --password-file names the file that holds it; for verifying, the public key is enough"
        }
        _ => "",
    };
    CliError::refused(format!("{name} cannot be used: {error}{hint}"))
}
