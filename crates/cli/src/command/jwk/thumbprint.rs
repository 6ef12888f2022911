//! `sealwright jwk thumbprint`

use sealwright_jose::{Hash, base64url};
use serde_json::{Value, json};

use super::{AnyKey, Outcome};
use crate::{
    args::{HashName, ThumbprintArgs},
    error::CliError,
    key_file::KeyFile,
    output::Output,
};

pub(super) fn run(args: &ThumbprintArgs, output: &Output) -> Result<Outcome, CliError> {
    let hash = match args.hash {
        HashName::Sha256 => Hash::Sha256,
        HashName::Sha384 => Hash::Sha384,
        HashName::Sha512 => Hash::Sha512,
    };
    let file = KeyFile::read_with_password(&args.file, args.password.password_file.as_ref())?;
    let (keys, is_set) = file.each()?;
    let mut found = Vec::new();
    for (n, key) in keys.into_iter().enumerate() {
        let key = AnyKey::read(key, file.password()).and_then(|key| key.public());
        let key = key.map_err(|error| file.refused_at(is_set.then_some(n), error))?;
        let thumbprint = base64url::encode(key.thumbprint_with(hash));
        let uri = key.thumbprint_uri(hash);
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
