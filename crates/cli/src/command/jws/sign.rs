//! `sealwright jws sign`

use std::fmt;

use sealwright_jose::{
    Alg, Key,
    jws::{self, Header, SigningInput},
};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::Outcome;
use crate::{
    args::{Serialization, SignArgs},
    error::CliError,
    input::{MAX_TOKEN_BYTES, stdin_at_most_once},
    key_file::KeyFile,
    output::Output,
};

pub(super) fn run(args: &SignArgs, output: &Output) -> Result<Outcome, CliError> {
    stdin_at_most_once([&args.key, &args.payload])?;
    let members = match &args.header {
        Some(json) => serde_json::from_str(json)
            .map_err(|e| CliError::Usage(format!("--header is not a JSON object: {e}")))?,
        None => Members::default(),
    };
    let file = KeyFile::read(&args.key)?;
    let key = file.one_key(args.alg.as_slice())?;
    let header = header(key.alg(), key.kid(), members)?;
    let payload = args.payload.read(MAX_TOKEN_BYTES)?;

    let not_signed = |error| CliError::refused_by("nothing was signed", error);
    let prepared = jws::prepare(header, &payload).map_err(not_signed)?;
    let SigningInput::Message(message) = prepared.signing_input() else {
        return Err(CliError::refused("nothing was signed: the algorithm signs no bytes"));
    };
    let signature = match &key {
        Key::Signing(key) => key.sign(message),
        Key::Mac(key) => key.sign(message),
        _ => {
            return Err(CliError::refused(format!(
                "{} is a public key: signing needs the private one",
                args.key
            )));
        }
    }
    .map_err(not_signed)?;
    let token = match args.serialization {
        Serialization::Compact => prepared.finish_compact(&signature),
        Serialization::Flattened => prepared.finish_flattened(&signature),
    }
    .map_err(not_signed)?;
    output.text(&token)?;
    Ok(Outcome::Done)
}

/// `alg` and `kid` are those of the key. `--header` may repeat them, and name a key that has no name.
fn header(alg: Alg, kid: Option<&str>, members: Members) -> Result<Header, CliError> {
    let mut header = Header::new(alg);
    if let Some(kid) = kid {
        header = header.kid(kid);
    }
    for (name, value) in members.0 {
        header = match (name.as_str(), &value) {
            ("alg", Value::String(stated)) if stated == alg.name() => header,
            ("alg", _) => return Err(CliError::refused(format!("--header: the key's algorithm is {alg}"))),
            ("kid", Value::String(stated)) if kid == Some(stated.as_str()) => header,
            ("kid", Value::String(stated)) if kid.is_none() => header.kid(stated),
            ("kid", _) => return Err(CliError::refused("--header: the key has another `kid`")),
            ("typ", Value::String(typ)) => header.typ(typ),
            ("cty", Value::String(cty)) => header.cty(cty),
            ("typ" | "cty", _) => {
                return Err(CliError::refused(format!("--header: `{name}` is not a string")));
            }
            _ => header.param(&name, value),
        };
    }
    Ok(header)
}

/// The members of a JSON object in the order in which they were written, none of them twice.
#[derive(Default)]
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members: Vec<(String, Value)> = Vec::new();
                while let Some((name, value)) = map.next_entry()? {
                    if members.iter().any(|(other, _)| *other == name) {
                        return Err(serde::de::Error::custom(format_args!("`{name}` stands there twice")));
                    }
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}
