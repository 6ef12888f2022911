//! A strict JSON scanner that copies nothing (RFC 8259, RFC 7493).
//!
//! JSON is scanned here and not by serde because two readers of one text must not see two meanings:
//! a name may stand in an object only once, however it is escaped, at any depth (RFC 7515 §4, RFC
//! 7519 §4). Numbers that no double can hold, lone surrogates, a byte order mark and anything after
//! the value are refused too. Only a caller who asks for [`Names::LastWins`] gets the other reading
//! that RFC 7515 §4 allows.

mod plain;
#[cfg(test)]
mod properties;
mod scan;
mod seen;
#[cfg(test)]
mod tests;

use std::{
    borrow::Cow,
    ops::{Deref, Range},
    str::Chars,
};

use scan::Scanner;

pub(crate) use scan::Parts;

/// Why a text is not the JSON that is read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonError {
    Syntax,
    DuplicateName,
    TooDeep,
}

/// How often a name may stand in one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// Once, at every depth.
    Unique,
    /// Any number of times; members are shown in their order, so whoever keeps the last one keeps
    /// the one that counts.
    LastWins,
}

/// A string as it stands in a text, between its quotes.
///
/// Strings and values keep their place and are cut out when somebody wants them as text: that costs two
/// looks at the boundaries of characters, which most of them are never worth.
#[derive(Clone, Copy)]
pub(crate) struct Str<'a> {
    text: &'a str,
    start: usize,
    end: usize,
    escaped: bool,
}

impl<'a> Str<'a> {
    #[inline]
    fn raw(self) -> &'a str {
        &self.text[self.start..self.end]
    }

    /// Where in the text it stands as it is meant; `None` if it has escapes.
    #[inline]
    pub(crate) fn place(self) -> Option<Range<usize>> {
        (!self.escaped).then_some(self.start..self.end)
    }

    /// As [`decoded`](Self::decoded), in bytes: to be compared.
    #[inline]
    pub(crate) fn bytes(self) -> Cow<'a, [u8]> {
        if self.escaped {
            Cow::Owned(self.unescaped().into_bytes())
        } else {
            Cow::Borrowed(&self.text.as_bytes()[self.start..self.end])
        }
    }

    /// What is meant, by [`short`].
    #[inline]
    pub(crate) fn short(self) -> u64 {
        if self.escaped {
            return short(self.unescaped().as_bytes());
        }
        let len = self.end - self.start;
        match self.text.as_bytes().get(self.start..).and_then(|rest| rest.first_chunk()) {
            // Nothing that stands in a text unescaped is zero.
            Some(chunk) if len < 8 => u64::from_le_bytes(*chunk) & ((1 << (len * 8)) - 1),
            _ => short(&self.text.as_bytes()[self.start..self.end]),
        }
    }

    /// The characters that are meant; borrowed unless an escape is in the way.
    #[inline]
    pub(crate) fn decoded(self) -> Cow<'a, str> {
        if self.escaped { Cow::Owned(self.unescaped()) } else { Cow::Borrowed(self.raw()) }
    }

    #[cold]
    fn unescaped(self) -> String {
        // No more than it takes: what is kept of it is a box, and not to be allocated twice.
        let mut decoded = String::with_capacity(self.chars().map(char::len_utf8).sum());
        decoded.extend(self.chars());
        decoded
    }

    /// Whether it is not written as it is meant.
    pub(crate) fn is_escaped(self) -> bool {
        self.escaped
    }

    pub(crate) fn is(self, other: &str) -> bool {
        if self.escaped { self.chars().eq(other.chars()) } else { self.raw() == other }
    }

    fn same(self, other: Str<'_>) -> bool {
        if self.escaped || other.escaped { self.chars().eq(other.chars()) } else { self.raw() == other.raw() }
    }

    fn chars(self) -> Unescaped<'a> {
        Unescaped { rest: self.raw().chars() }
    }
}

/// The name of a member.
#[derive(Clone, Copy)]
pub(crate) struct Name<'a> {
    name: Str<'a>,
    short: u64,
}

impl Name<'_> {
    /// What is meant, by [`short`]: known from the scan.
    #[inline]
    pub(crate) fn short(self) -> u64 {
        self.short
    }
}

impl<'a> Deref for Name<'a> {
    type Target = Str<'a>;

    #[inline]
    fn deref(&self) -> &Str<'a> {
        &self.name
    }
}

/// A text of at most eight bytes, none of them zero, as a number: quick to compare. Zero for all else.
pub(crate) const fn short(bytes: &[u8]) -> u64 {
    if bytes.len() > 8 {
        return 0;
    }
    let (mut number, mut at) = (0, 0);
    while at < bytes.len() {
        if bytes[at] == 0 {
            return 0;
        }
        number |= (bytes[at] as u64) << (8 * at);
        at += 1;
    }
    number
}

struct Unescaped<'a> {
    rest: Chars<'a>,
}

impl Unescaped<'_> {
    fn hex4(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |unit, _| Some(unit << 4 | self.rest.next()?.to_digit(16)?))
    }
}

impl Iterator for Unescaped<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        if c != '\\' {
            return Some(c);
        }
        Some(match self.rest.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let unit = self.hex4()?;
                if !(0xD800..0xDC00).contains(&unit) {
                    return char::from_u32(unit);
                }
                self.rest.next()?;
                self.rest.next()?;
                let low = self.hex4()?;
                return char::from_u32(0x10000 + ((unit - 0xD800) << 10) + (low.checked_sub(0xDC00)?));
            }
            quoted => quoted,
        })
    }
}

/// A value as it stands in the text.
#[derive(Clone, Copy)]
pub(crate) struct Value<'a> {
    text: &'a str,
    start: usize,
    end: usize,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    String {
        escaped: bool,
    },
    Object,
    Array,
    Number,
    /// `true`, `false`, `null`.
    Word,
}

impl<'a> Value<'a> {
    /// A value of no text.
    pub(crate) const NONE: Self = Self { text: "", start: 0, end: 0, kind: Kind::Word };

    #[inline]
    pub(crate) fn raw(self) -> &'a str {
        &self.text[self.start..self.end]
    }

    /// Where in the text it stands.
    pub(crate) fn place(self) -> Range<usize> {
        self.start..self.end
    }

    #[inline]
    pub(crate) fn as_str(self) -> Option<Str<'a>> {
        match self.kind {
            Kind::String { escaped } => {
                Some(Str { text: self.text, start: self.start + 1, end: self.end - 1, escaped })
            }
            _ => None,
        }
    }

    pub(crate) fn is_object(self) -> bool {
        self.kind == Kind::Object
    }

    pub(crate) fn is_array(self) -> bool {
        self.kind == Kind::Array
    }

    /// The number as it is written, which a double can hold; `None` if it is none.
    #[inline]
    pub(crate) fn as_number(self) -> Option<&'a [u8]> {
        (self.kind == Kind::Number).then(|| &self.text.as_bytes()[self.start..self.end])
    }

    /// Shows each element of an array, and says whether it is one.
    pub(crate) fn for_each_element(self, each: &mut dyn FnMut(Value<'a>)) -> bool {
        // The text was scanned before: its depth is within the limit of then, its names are right.
        self.kind == Kind::Array && Scanner::rescan(self.raw()).elements(each).is_ok()
    }

    /// The elements of an array; `None` if it is none.
    pub(crate) fn elements(self) -> Option<Vec<Value<'a>>> {
        let mut elements = Vec::new();
        self.for_each_element(&mut |element| elements.push(element)).then_some(elements)
    }

    /// The strings of an array of strings; `None` if it is none.
    pub(crate) fn strings(self) -> Option<Vec<Str<'a>>> {
        self.elements()?.into_iter().map(Value::as_str).collect()
    }
}

impl From<Value<'_>> for serde_json::Value {
    /// The value in a form that can be walked. Every number fits: one that is no integer of 64 bits is
    /// the nearest double, which the scanner has found to be finite.
    fn from(value: Value<'_>) -> Self {
        match value.kind {
            Kind::Word => match value.raw() {
                "true" => Self::Bool(true),
                "false" => Self::Bool(false),
                _ => Self::Null,
            },
            Kind::Number => number(value.raw()),
            Kind::String { .. } => {
                Self::String(value.as_str().map(Str::decoded).unwrap_or_default().into_owned())
            }
            Kind::Array => {
                let mut elements = Vec::new();
                value.for_each_element(&mut |element| elements.push(element.into()));
                Self::Array(elements)
            }
            Kind::Object => Self::Object(to_map(value.raw())),
        }
    }
}

fn number(raw: &str) -> serde_json::Value {
    if let Ok(number) = raw.parse::<u64>() {
        return number.into();
    }
    match raw.parse::<i64>() {
        // An integer knows no negative zero.
        Ok(number) if number != 0 => number.into(),
        _ => raw.parse::<f64>().map_or(serde_json::Value::Null, Into::into),
    }
}

/// The members of a text that [`object`] has accepted, in a form that can be walked.
pub(crate) fn to_map(text: &str) -> serde_json::Map<String, serde_json::Value> {
    let mut map = serde_json::Map::new();
    let scanned = members(text, |name, value| {
        map.insert(name.decoded().into_owned(), value.into());
    });
    scanned.expect("it was scanned before");
    map
}

/// Reads a text that is one object, and shows each member of it.
///
/// Members are shown before the rest of the text is known to be good, so a caller believes them
/// only after `Ok`.
#[inline]
pub(crate) fn object<'a>(
    text: &'a str,
    nesting: usize,
    each: impl FnMut(Name<'a>, Value<'a>),
) -> Result<(), JsonError> {
    object_with(text, nesting, Names::Unique, each)
}

/// As [`object`], where the caller says how often a name may stand.
#[inline]
pub(crate) fn object_with<'a>(
    text: &'a str,
    nesting: usize,
    names: Names,
    each: impl FnMut(Name<'a>, Value<'a>),
) -> Result<(), JsonError> {
    Scanner::new(text, nesting, names).object(each)
}

/// As [`object`], where the elements of the member `array` are shown, too, and their members.
pub(crate) fn object_of_objects<'a>(
    text: &'a str,
    nesting: usize,
    array: &str,
    parts: &mut impl Parts<'a>,
) -> Result<(), JsonError> {
    Scanner::new(text, nesting, Names::Unique).object_of_objects(array, parts)
}

/// Shows each member of a text that was accepted before, as an object, by this scanner.
pub(crate) fn members<'a>(text: &'a str, each: impl FnMut(Name<'a>, Value<'a>)) -> Result<(), JsonError> {
    Scanner::rescan(text).object(each)
}

/// The member `name` of a text that [`object`] has accepted; the last one of several.
pub(crate) fn member<'a>(text: &'a str, name: &str) -> Option<Value<'a>> {
    let mut found = None;
    members(text, |n, value| {
        if n.is(name) {
            found = Some(value);
        }
    })
    .ok()?;
    found
}

/// A JSON string literal, quotes included.
pub(crate) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
