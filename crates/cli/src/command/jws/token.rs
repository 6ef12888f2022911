//! A token as the user gave it, and how its parts are shown.

use std::{borrow::Cow, collections::HashMap, ops::Deref};

use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::{
    error::CliError,
    input::{MAX_TOKEN_BYTES, Source},
};

/// The text of a token. Whoever has it may use it, so it is wiped in the end.
pub(crate) struct TokenText(Zeroizing<String>);

impl TokenText {
    /// The argument itself, or standard input for `-`, without the line end that `echo` and editors leave.
    pub(crate) fn read(argument: &str) -> Result<Self, CliError> {
        let mut text = match Source::from(argument) {
            Source::Stdin => Source::Stdin.read_text(MAX_TOKEN_BYTES)?,
            Source::File(_) => Zeroizing::new(argument.to_owned()),
        };
        let length = text.trim_end_matches(['\r', '\n']).len();
        text.truncate(length);
        Ok(Self(text))
    }
}

impl Deref for TokenText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// A token, and its serialization as far as can be told without believing it.
pub(super) struct Token<'t> {
    pub(super) text: &'t str,
    pub(super) serialization: Serialization,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Serialization {
    Compact,
    Flattened,
    General,
}

impl<'t> Token<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let json = json(text);
        let serialization = if !json.starts_with('{') {
            Serialization::Compact
        } else if outline(json).is_some_and(|names| names.contains_key("signatures")) {
            Serialization::General
        } else {
            Serialization::Flattened
        };
        Self { text, serialization }
    }

    /// Whether its payload is in it; `None` if that cannot be told.
    pub(super) fn has_payload(&self) -> Option<bool> {
        if self.serialization == Serialization::Compact {
            let mut parts = self.text.splitn(3, '.');
            let payload = parts.nth(1)?;
            return parts.next().map(|_| !payload.is_empty());
        }
        Some(outline(json(self.text))?.contains_key("payload"))
    }

    /// The header of the n-th signature that nobody signed (RFC 7515 §7.2.1); empty if there is none.
    pub(super) fn unprotected_header(&self, n: usize) -> Option<Box<RawValue>> {
        #[derive(Deserialize)]
        struct Signature<'a> {
            #[serde(borrow)]
            header: Option<&'a RawValue>,
        }
        #[derive(Deserialize)]
        struct General<'a> {
            #[serde(borrow)]
            signatures: Vec<Signature<'a>>,
        }
        let signature = match self.serialization {
            Serialization::Compact => None,
            Serialization::Flattened => Some(serde_json::from_str(json(self.text)).ok()?),
            Serialization::General => {
                let general: General<'_> = serde_json::from_str(json(self.text)).ok()?;
                general.signatures.into_iter().nth(n)
            }
        };
        object(signature.and_then(|of: Signature<'_>| of.header).map_or("{}", RawValue::get))
    }
}

/// What JSON there may be begins here: after whitespace, and after the byte order mark that not every policy refuses
/// (RFC 8259 §8.1).
fn json(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text).trim_ascii_start()
}

/// The names in a JSON object, of which the library says whether they may stand twice.
fn outline(json: &str) -> Option<HashMap<Cow<'_, str>, IgnoredAny>> {
    serde_json::from_str(json).ok()
}

/// JSON that the library has read, with its members in their order and its numbers as they were written.
pub(crate) fn object(json: &str) -> Option<Box<RawValue>> {
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
    use super::{Serialization, Token, in_one_line};

    #[test]
    fn the_form_is_that_of_what_stands_there_first() {
        for (text, form) in [
            ("a.b.c", Serialization::Compact),
            ("", Serialization::Compact),
            ("\u{feff}a.b.c", Serialization::Compact),
            (" {\"payload\":\"\"}", Serialization::Flattened),
            ("\u{feff}\r\n\t {\"payload\":\"\"}", Serialization::Flattened),
            ("{", Serialization::Flattened),
            ("\u{feff}{\"signatures\":[]}", Serialization::General),
            ("{\"signatures\":[],\"x\":{\"payload\":1},\"signatures\":[]}", Serialization::General),
            ("{\"\\u0073ignatures\":[]}", Serialization::General),
        ] {
            assert_eq!(Token::of(text).serialization, form, "{text:?}");
        }
    }

    #[test]
    fn only_space_between_tokens_goes() {
        assert_eq!(
            in_one_line("{\"typ\":\"J W T\",\r\n \"a\\\" b\" : [1, 2]}"),
            r#"{"typ":"J W T","a\" b":[1,2]}"#
        );
    }
}
