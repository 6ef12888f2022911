//! The flattened JSON serialization (RFC 7515 §7.2.2), read from its text and not from a parsed
//! value: a value would have lost what stood twice.

use std::borrow::Cow;

use crate::{
    VerifyErrorKind, header,
    json::{self, Str, Value},
};

/// The members as they stand in the text.
pub(super) struct Flattened<'a> {
    pub(super) protected: Cow<'a, str>,
    pub(super) payload: Cow<'a, str>,
    pub(super) signature: Cow<'a, str>,
    /// The unprotected header's JSON.
    pub(super) header: Option<&'a str>,
}

pub(super) fn flattened(json_text: &str, nesting: usize) -> Result<Flattened<'_>, VerifyErrorKind> {
    let (mut protected, mut payload, mut signature, mut unprotected) = (None, None, None, None);
    let mut general = false;
    let mut encrypted = false;
    json::object(json_text, nesting, |name, value| match &*name.decoded() {
        "protected" => protected = Some(value),
        "payload" => payload = Some(value),
        "signature" => signature = Some(value),
        "header" => unprotected = Some(value),
        // Both forms at once are neither (§7.2.2).
        "signatures" => general = true,
        "ciphertext" | "recipients" | "encrypted_key" => encrypted = true,
        _ => {}
    })
    .map_err(header::kind)?;
    if encrypted {
        return Err(VerifyErrorKind::Encrypted);
    }
    match (text(protected), text(payload), text(signature)) {
        (Some(protected), Some(payload), Some(signature))
            if !general && unprotected.is_none_or(Value::is_object) =>
        {
            Ok(Flattened { protected, payload, signature, header: unprotected.map(|value| value.raw) })
        }
        _ => Err(VerifyErrorKind::Malformed),
    }
}

fn text(value: Option<Value<'_>>) -> Option<Cow<'_, str>> {
    value.and_then(Value::as_str).map(Str::decoded)
}
