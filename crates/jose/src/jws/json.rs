//! The JSON serializations (RFC 7515 §7.2), read from their text and not from a parsed value: a
//! value would have lost what stood twice.

use std::{borrow::Cow, slice};

use crate::{
    VerifyError, VerifyErrorKind,
    json::{self, Str, Value},
    jws::{Limit, Limits, Policy},
};

/// One signature and its headers, as they stand in the text.
pub(super) struct Entry<'a> {
    /// Empty if there is no protected header.
    pub(super) protected: Cow<'a, str>,
    pub(super) signature: Cow<'a, str>,
    /// The unprotected header's JSON.
    pub(super) header: Option<&'a str>,
}

pub(super) enum Entries<'a> {
    Flattened(Entry<'a>),
    General(Vec<Entry<'a>>),
}

impl<'a> Entries<'a> {
    pub(super) fn as_slice(&self) -> &[Entry<'a>] {
        match self {
            Self::Flattened(entry) => slice::from_ref(entry),
            Self::General(entries) => entries,
        }
    }
}

/// A JWS in one of the JSON forms, as it stands in the text.
pub(super) struct Envelope<'a> {
    pub(super) payload: Option<Cow<'a, str>>,
    pub(super) entries: Entries<'a>,
}

impl<'a> Envelope<'a> {
    pub(super) fn is_general(&self) -> bool {
        matches!(self.entries, Entries::General(_))
    }

    pub(super) fn parse(text: &'a str, policy: Policy, limits: &Limits) -> Result<Self, VerifyError> {
        let (mut payload, mut signatures, mut outer) = (None, None, Members::default());
        let mut encrypted = false;
        json::object_with(policy.json(text), limits.nesting, policy.names(), |name, value| {
            match &*name.decoded() {
                "payload" => payload = Some(value),
                "signatures" => signatures = Some(value),
                "ciphertext" | "recipients" | "encrypted_key" => encrypted = true,
                name => outer.note(name, value),
            }
        })?;
        if encrypted {
            return Err(VerifyErrorKind::Encrypted.into());
        }
        let payload = optional_text(payload)?;
        let entries = match signatures {
            None => Entries::Flattened(outer.entry(policy)?),
            // Both forms at once are neither (§7.2.2).
            Some(_) if outer.any() => return Err(VerifyErrorKind::Malformed.into()),
            Some(signatures) => Entries::General(Self::general(signatures, policy, limits)?),
        };
        Ok(Self { payload, entries })
    }

    fn general(
        signatures: Value<'a>,
        policy: Policy,
        limits: &Limits,
    ) -> Result<Vec<Entry<'a>>, VerifyError> {
        let mut count = 0;
        let is_array = signatures.for_each_element(&mut |_| count += 1);
        if !is_array || count == 0 {
            return Err(VerifyErrorKind::Malformed.into());
        }
        Limit::Signatures.check(count, limits.signatures)?;
        let mut entries = Ok(Vec::with_capacity(count));
        signatures.for_each_element(&mut |element| {
            if let Ok(so_far) = &mut entries {
                match Members::read(element).and_then(|members| members.entry(policy)) {
                    Ok(entry) => so_far.push(entry),
                    Err(kind) => entries = Err(kind),
                }
            }
        });
        Ok(entries?)
    }
}

/// The members of one signature.
#[derive(Default)]
struct Members<'a> {
    protected: Option<Value<'a>>,
    signature: Option<Value<'a>>,
    header: Option<Value<'a>>,
}

impl<'a> Members<'a> {
    fn read(element: Value<'a>) -> Result<Self, VerifyErrorKind> {
        let mut members = Self::default();
        json::members(element.raw(), |name, value| members.note(&name.decoded(), value))
            .map_err(|_| VerifyErrorKind::Malformed)?;
        Ok(members)
    }

    fn note(&mut self, name: &str, value: Value<'a>) {
        match name {
            "protected" => self.protected = Some(value),
            "signature" => self.signature = Some(value),
            "header" => self.header = Some(value),
            _ => {}
        }
    }

    fn any(&self) -> bool {
        self.protected.is_some() || self.signature.is_some() || self.header.is_some()
    }

    fn entry(self, policy: Policy) -> Result<Entry<'a>, VerifyErrorKind> {
        let protected = match optional_text(self.protected)? {
            // An empty header is left out, never written (§7.2.1).
            Some(text) if text.is_empty() => return Err(VerifyErrorKind::Malformed),
            Some(text) => text,
            None if policy.is_strict() => return Err(VerifyErrorKind::Malformed),
            None => Cow::Borrowed(""),
        };
        let signature = optional_text(self.signature)?.ok_or(VerifyErrorKind::Malformed)?;
        match self.header {
            Some(header) if !header.is_object() => Err(VerifyErrorKind::Malformed),
            header => Ok(Entry { protected, signature, header: header.map(Value::raw) }),
        }
    }
}

fn optional_text(value: Option<Value<'_>>) -> Result<Option<Cow<'_, str>>, VerifyErrorKind> {
    value.map(|value| value.as_str().map(Str::decoded).ok_or(VerifyErrorKind::Malformed)).transpose()
}
