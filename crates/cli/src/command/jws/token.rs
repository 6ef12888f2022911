//! A token as the user gave it, and how its parts are shown.

use sealwright_jose::{
    VerifyError, VerifyErrorKind,
    jws::{Scratch, Unverified, Verified, Verifier},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::{
    error::CliError,
    input::{MAX_TOKEN_BYTES, Source},
};

/// A token, and its serialization as far as the first character tells.
pub(super) struct Token {
    text: Zeroizing<String>,
    pub(super) serialization: Serialization,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Serialization {
    Compact,
    Flattened,
}

impl Token {
    /// The argument itself, or standard input for `-`, without the line end that `echo` and editors leave.
    pub(super) fn read(argument: &str) -> Result<Self, CliError> {
        let mut text = match Source::from(argument) {
            Source::Stdin => Source::Stdin.read_text(MAX_TOKEN_BYTES)?,
            Source::File(_) => Zeroizing::new(argument.to_owned()),
        };
        let length = text.trim_end_matches(['\r', '\n']).len();
        text.truncate(length);
        let is_json = text.trim_start().starts_with('{');
        let serialization = if is_json { Serialization::Flattened } else { Serialization::Compact };
        Ok(Self { text, serialization })
    }

    pub(super) fn verify<'t>(
        &'t self,
        verifier: &'t Verifier,
        scratch: &'t mut Scratch,
    ) -> Result<Verified<'t>, VerifyError> {
        match self.serialization {
            Serialization::Compact => verifier.verify_compact(&self.text, scratch),
            Serialization::Flattened => verifier.verify_flattened(&self.text, scratch),
        }
    }

    pub(super) fn peek(&self) -> Result<Unverified, VerifyError> {
        match self.serialization {
            Serialization::Compact => Unverified::peek_compact(&self.text),
            Serialization::Flattened => Unverified::peek_flattened(&self.text),
        }
    }

    /// The header that nobody signed (RFC 7515 §7.2.2); empty if there is none.
    pub(super) fn unprotected_header(&self) -> Option<Box<RawValue>> {
        #[derive(Deserialize)]
        struct Unprotected<'a> {
            #[serde(borrow)]
            header: Option<&'a RawValue>,
        }
        match self.serialization {
            Serialization::Compact => object("{}"),
            Serialization::Flattened => {
                let token: Unprotected<'_> = serde_json::from_str(&self.text).ok()?;
                object(token.header.map_or("{}", RawValue::get))
            }
        }
    }
}

/// What was wrong, for whoever holds the token and the keys: to them the reason is no oracle but the answer.
pub(super) fn sentence(kind: VerifyErrorKind) -> String {
    match kind {
        VerifyErrorKind::Malformed => "malformed: this is no JWS in compact or flattened form".to_owned(),
        kind => format!("not valid: {kind}"),
    }
}

/// JSON that the library has read, with its members in their order and its numbers as they were written.
pub(super) fn object(json: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(in_one_line(json)).ok()
}

/// JSON without the spaces and line ends between its tokens.
fn in_one_line(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let mut line = String::with_capacity(json.len());
    for character in json.chars() {
        if in_string || !character.is_ascii_whitespace() {
            line.push(character);
        }
        if escaped {
            escaped = false;
        } else if in_string && character == '\\' {
            escaped = true;
        } else if character == '"' {
            in_string = !in_string;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::in_one_line;

    #[test]
    fn only_space_between_tokens_goes() {
        assert_eq!(
            in_one_line("{\"typ\":\"J W T\",\r\n \"a\\\" b\" : [1, 2]}"),
            r#"{"typ":"J W T","a\" b":[1,2]}"#
        );
    }
}
