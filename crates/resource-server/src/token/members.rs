//! The claims of an access token that RFC 7519 does not know (RFC 9068 §2.2, RFC 9396, RFC 7800), found in one look at
//! the text.
//!
//! A tree of all claims would cost a dozen allocations for each token, and for each that is kept many times the memory of
//! the text; it is made for whoever asks for a claim by its name, and does not stay. The lists that are read here do, and
//! are counted.

use crate::sender::Binding;
use sealwright_jose::jwt::{Claims, ClaimsError};
use serde_json::Value;
use std::{ops::Range, sync::LazyLock};

/// What a token says, of which nothing is decided yet.
pub(crate) struct Payload<'t> {
    pub(super) claims: Claims<'t>,
    pub(super) members: Members,
    /// Whether each of the members has the type that its standard gives it.
    pub(super) sound: bool,
}

impl<'t> Payload<'t> {
    pub(crate) fn parse(payload: &'t [u8]) -> Result<Self, ClaimsError> {
        let mut members = Members::default();
        let mut sound = true;
        let claims =
            Claims::parse_with(payload, |name, json| sound &= members.note(name, json, payload).is_some())?;
        Ok(Self { claims, members, sound })
    }

    /// Who it says that made it.
    pub(crate) fn iss(&self) -> Option<&str> {
        self.claims.iss()
    }
}

/// Where the claims stand, and what is short.
#[derive(Default)]
pub(super) struct Members {
    pub(super) client_id: Text,
    pub(super) acr: Text,
    pub(super) scope: Text,
    pub(super) auth_time: Option<i64>,
    /// What most tokens have nothing of.
    lists: Option<Box<Lists>>,
}

/// What does not stand in the text as it is needed.
#[derive(Default)]
pub(super) struct Lists {
    pub(super) scopes: Box<[Box<str>]>,
    pub(super) amr: Box<[Box<str>]>,
    pub(super) authorization_details: Box<[Value]>,
    pub(super) binding: Option<Binding>,
}

/// A string that stands in the claims' text.
pub(super) enum Text {
    /// There, as it is meant. What starts with the text is no string: it is not there at all.
    At(Range<u32>),
    /// Written with escapes.
    Decoded(Box<str>),
}

impl Default for Text {
    fn default() -> Self {
        Self::At(0..0)
    }
}

impl Text {
    /// `text` is what it was read from.
    pub(super) fn get<'t>(&'t self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::At(Range { start: 0, .. }) => None,
            Self::At(Range { start, end }) => text.get(*start as usize..*end as usize),
            Self::Decoded(decoded) => Some(decoded),
        }
    }

    /// `json` is a value in `payload`; `None` if it is no string.
    fn read(json: &str, payload: &[u8]) -> Option<Self> {
        let inner = json.strip_prefix('"')?.strip_suffix('"')?;
        if inner.as_bytes().contains(&b'\\') {
            return serde_json::from_str(json).ok().map(Self::Decoded);
        }
        let start = (inner.as_ptr() as usize).checked_sub(payload.as_ptr() as usize)?;
        let place = u32::try_from(start).ok()?..u32::try_from(start + inner.len()).ok()?;
        Some(Self::At(place))
    }
}

impl Members {
    /// The claims that decide about access have the type that their standard gives them, or the token is refused: one
    /// that is not understood must not count as one that is not there.
    #[inline]
    fn note(&mut self, name: &str, json: &str, payload: &[u8]) -> Option<()> {
        // As bytes, which takes a few comparisons for all names instead of a call for each of the same length.
        match name.as_bytes() {
            b"client_id" => self.client_id = Text::read(json, payload)?,
            b"acr" => self.acr = Text::read(json, payload)?,
            // Some issuers write a list. Anything else grants nothing.
            b"scope" => match Text::read(json, payload) {
                Some(words) => self.scope = words,
                None => self.lists_mut().scopes = strings_of(json),
            },
            b"auth_time" => self.auth_time = Some(numeric_date(json)?),
            b"amr" => self.lists_mut().amr = serde_json::from_str(json).ok()?,
            b"authorization_details" => {
                let details: Box<[Value]> = serde_json::from_str(json).ok()?;
                self.lists_mut().authorization_details = details.iter().all(has_type).then_some(details)?;
            }
            b"cnf" => self.lists_mut().binding = Some(Binding::read(json)),
            _ => {}
        }
        Some(())
    }

    pub(super) fn lists(&self) -> &Lists {
        static NONE: LazyLock<Lists> = LazyLock::new(Lists::default);
        self.lists.as_deref().unwrap_or_else(|| &NONE)
    }

    pub(super) fn binding(&self) -> Option<&Binding> {
        self.lists.as_ref()?.binding.as_ref()
    }

    fn lists_mut(&mut self) -> &mut Lists {
        self.lists.get_or_insert_default()
    }

    /// What the lists take in memory.
    pub(super) fn list_bytes(&self) -> usize {
        let Some(lists) = &self.lists else { return 0 };
        let strings = lists.amr.iter().chain(&lists.scopes);
        let strings: usize = strings.map(|string| size_of::<Box<str>>() + allocated(string.len())).sum();
        let details = lists.authorization_details.iter();
        allocated(size_of::<Lists>())
            + strings
            + details.map(|detail| size_of::<Value>() + heap_bytes(detail)).sum::<usize>()
    }
}

/// What a value takes beyond itself, rather too much than too little.
fn heap_bytes(value: &Value) -> usize {
    /// A B-tree node has room for 11 members and is filled with 5 at least; one that is not a leaf has 12 pointers more.
    const NODE: usize = 11 * (size_of::<String>() + size_of::<Value>()) + 14 * size_of::<usize>();
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => allocated(text.capacity()),
        Value::Array(list) => {
            allocated(list.capacity() * size_of::<Value>()) + list.iter().map(heap_bytes).sum::<usize>()
        }
        Value::Object(members) => {
            let nodes = members.len().div_ceil(5) * allocated(NODE);
            let held = members.iter().map(|(name, value)| allocated(name.capacity()) + heap_bytes(value));
            nodes + held.sum::<usize>()
        }
    }
}

/// What the allocator gives for so many bytes.
fn allocated(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { bytes + 16 }
}

/// RFC 9396 §2: `type` is the one member that every detail has.
fn has_type(detail: &Value) -> bool {
    detail.get("type").is_some_and(Value::is_string)
}

/// The strings of a list, whatever else is in it; none of anything else.
fn strings_of(json: &str) -> Box<[Box<str>]> {
    let list: Vec<Value> = serde_json::from_str(json).unwrap_or_default();
    list.iter().filter_map(Value::as_str).map(Into::into).collect()
}

/// A NumericDate (RFC 7519 §2) in whole seconds: a fraction is cut off, and the cast stops at the ends of time.
fn numeric_date(json: &str) -> Option<i64> {
    let number: serde_json::Number = serde_json::from_str(json).ok()?;
    number.as_i64().or_else(|| number.as_f64().map(|date| date as i64))
}
