//! Strings that stand in a text, kept without copying them and without borrowing the text.

use std::ops::Range;

use crate::json::Value;

/// A string claim, or none.
#[derive(Clone, Debug, Default)]
pub(super) enum Slot {
    #[default]
    Absent,
    /// It stands in the text as it is meant.
    Plain(Range<usize>),
    /// It is written with escapes, such as the `\/` of some encoders.
    Decoded(String),
}

impl Slot {
    /// `None` if the value is no string. It stands in the text that [`get`](Self::get) will be given.
    #[inline]
    pub(super) fn string(value: Value<'_>) -> Option<Self> {
        let string = value.as_str()?;
        Some(match string.place() {
            Some(place) => Self::Plain(place),
            None => Self::Decoded(string.decoded().into_owned()),
        })
    }

    pub(super) fn get<'s>(&'s self, text: &'s str) -> Option<&'s str> {
        match self {
            Self::Absent => None,
            Self::Plain(place) => text.get(place.clone()),
            Self::Decoded(decoded) => Some(decoded),
        }
    }
}

/// The audience: a string, or an array of strings.
#[derive(Clone, Debug, Default)]
pub(super) enum Audience {
    #[default]
    Absent,
    /// Its JSON stands there and has no escape in it, so each quote begins or ends a string.
    Plain(Range<usize>),
    Decoded(Vec<String>),
}

impl Audience {
    /// `None` if the value is neither. It stands in the text that [`iter`](Self::iter) will be given.
    pub(super) fn of(value: Value<'_>) -> Option<Self> {
        let mut escaped = false;
        if let Some(one) = value.as_str() {
            escaped = one.is_escaped();
        } else {
            let mut strings = true;
            let is_array = value.for_each_element(&mut |element| match element.as_str() {
                Some(string) => escaped |= string.is_escaped(),
                None => strings = false,
            });
            if !is_array || !strings {
                return None;
            }
        }
        if !escaped {
            return Some(Self::Plain(value.place()));
        }
        let strings = match value.as_str() {
            Some(one) => vec![one],
            None => value.strings()?,
        };
        Some(Self::Decoded(strings.into_iter().map(|string| string.decoded().into_owned()).collect()))
    }

    pub(super) fn iter<'s>(&'s self, text: &'s str) -> impl Iterator<Item = &'s str> {
        let (plain, decoded): (&str, &[String]) = match self {
            Self::Absent => ("", &[]),
            Self::Plain(place) => (text.get(place.clone()).unwrap_or_default(), &[]),
            Self::Decoded(decoded) => ("", decoded),
        };
        // Most tokens have one, in no array: it is not searched for its quotes.
        let one = plain.strip_prefix('"').and_then(|plain| plain.strip_suffix('"'));
        let array = if one.is_some() { "" } else { plain };
        let several = array.split('"').skip(1).step_by(2);
        one.into_iter().chain(several).chain(decoded.iter().map(AsRef::as_ref))
    }
}
