//! `sealwright jwk convert`

use sealwright_jose::{Key, KeyError};
use zeroize::Zeroizing;

use super::{AnyKey, Outcome, of_each_key, one_or_set};
use crate::{
    args::{ConvertArgs, KeyFormat},
    error::CliError,
    key_file::KeyFile,
    output::Output,
};

pub(super) fn run(args: &ConvertArgs, output: &Output) -> Result<Outcome, CliError> {
    let file = KeyFile::read_with_password(&args.file, args.password.password_file.as_ref())?;
    if args.to != KeyFormat::Jwk && file.each()?.1 {
        return Err(CliError::Usage(format!(
            "{} is a set of keys, and PEM and DER hold one: convert each of its keys alone",
            args.file
        )));
    }
    let (found, is_set) = of_each_key(&file, output, |key| convert(key, args.to, args.public))?;
    if let (KeyFormat::Der, [der]) = (args.to, found.as_slice()) {
        output.bytes(der)?;
        return Ok(Outcome::Done);
    }
    let texts: Vec<&str> = found.iter().filter_map(|key| std::str::from_utf8(key).ok()).collect();
    output.text(one_or_set(&texts, is_set).trim_end())?;
    Ok(Outcome::Done)
}

fn convert(key: &AnyKey, to: KeyFormat, public: bool) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let bytes = |text: &str| Zeroizing::new(text.as_bytes().to_vec());
    Ok(match (to, &key.key, public) {
        (KeyFormat::Jwk, _, true) => bytes(&key.public_jwk()?),
        (KeyFormat::Jwk, _, false) => bytes(&key.jwk()?),
        (_, Key::Mac(_), _) => {
            return Err(KeyError::Format { seen: "a symmetric key", wanted: "a private or a public key" });
        }
        (KeyFormat::Pem, Key::Signing(key), false) => bytes(&key.to_pem()?),
        (KeyFormat::Pem, ..) => bytes(&key.public()?.to_pem()?),
        (KeyFormat::Der, Key::Signing(key), false) => key.to_pkcs8_der()?,
        (KeyFormat::Der, ..) => Zeroizing::new(key.public()?.to_spki_der()),
    })
}
