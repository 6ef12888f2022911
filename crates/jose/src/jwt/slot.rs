//! Strings that stand in a text, kept without copying them and without borrowing the text.

use std::ops::Range;

use crate::json::Value;

/// Where something stands in a text, in half the room of a `Range<usize>`: tokens are kept by the hundred thousand.
/// What starts with the text is not there at all, since a claim stands in an object.
type Place = Range<u32>;

const NOWHERE: Place = 0..0;

/// `None` beyond 4 GiB.
fn short(place: Range<usize>) -> Option<Place> {
    Some(u32::try_from(place.start).ok()?..u32::try_from(place.end).ok()?)
}

fn long(place: &Place) -> Range<usize> {
    place.start as usize..place.end as usize
}

/// A string claim, or none.
#[derive(Clone, Debug)]
pub(super) enum Slot {
    /// It stands in the text as it is meant, or nowhere.
    Plain(Place),
    /// It is written with escapes, such as the `\/` of some encoders, or stands too far behind.
    Decoded(Box<str>),
}

impl Slot {
    pub(super) const ABSENT: Self = Self::Plain(NOWHERE);

    /// `None` if the value is no string. It stands in the text that [`get`](Self::get) will be given.
    #[inline]
    pub(super) fn string(value: Value<'_>) -> Option<Self> {
        let string = value.as_str()?;
        Some(match string.place().and_then(short) {
            Some(place) => Self::Plain(place),
            None => Self::Decoded(string.decoded().into()),
        })
    }

    pub(super) fn get<'s>(&'s self, text: &'s str) -> Option<&'s str> {
        match self {
            Self::Plain(place) if *place == NOWHERE => None,
            Self::Plain(place) => text.get(long(place)),
            Self::Decoded(decoded) => Some(decoded),
        }
    }
}

/// The audience: a string, or an array of strings.
#[derive(Clone, Debug)]
pub(super) enum Audience {
    /// Its JSON stands there and has no escape in it, so each quote begins or ends a string; or there is none.
    Plain(Place),
    Decoded(Box<[String]>),
}

impl Audience {
    pub(super) const ABSENT: Self = Self::Plain(NOWHERE);

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
        if let Some(place) = short(value.place()).filter(|_| !escaped) {
            return Some(Self::Plain(place));
        }
        let strings = match value.as_str() {
            Some(one) => vec![one],
            None => value.strings()?,
        };
        Some(Self::Decoded(strings.into_iter().map(|string| string.decoded().into_owned()).collect()))
    }

    pub(super) fn iter<'s>(&'s self, text: &'s str) -> impl Iterator<Item = &'s str> {
        let (plain, decoded): (&str, &[String]) = match self {
            Self::Plain(place) => (text.get(long(place)).unwrap_or_default(), &[]),
            Self::Decoded(decoded) => ("", decoded),
        };
        // Most tokens have one, in no array: it is not searched for its quotes.
        let one = plain.strip_prefix('"').and_then(|plain| plain.strip_suffix('"'));
        let array = if one.is_some() { "" } else { plain };
        let several = array.split('"').skip(1).step_by(2);
        one.into_iter().chain(several).chain(decoded.iter().map(AsRef::as_ref))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a token takes while it is remembered is mostly this and its text.
    #[test]
    fn a_place_takes_no_more_than_a_box() {
        assert_eq!((size_of::<Slot>(), size_of::<Audience>()), (16, 16));
    }

    #[test]
    fn what_stands_beyond_4_gib_has_no_place() {
        let end = u32::MAX as usize;
        assert_eq!(short(7..end), Some(7..u32::MAX));
        assert_eq!(short(7..end + 1), None);
        assert_eq!(short(end + 1..end + 2), None);
    }
}
