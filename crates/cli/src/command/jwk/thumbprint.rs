//! `sealwright jwk thumbprint`

use sealwright_jose::{Hash, base64url};
use serde_json::{Value, json};

use super::{AnyKey, Outcome, of_each_key};
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
    let (keys, is_set) = match of_each_key(&file, output, AnyKey::public) {
        Ok(keys) => keys,
        Err(error) => {
            output.json(&json!({"faults": [error.to_string()]}))?;
            return Err(error);
        }
    };
    let mut found = Vec::with_capacity(keys.len());
    for key in keys {
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
