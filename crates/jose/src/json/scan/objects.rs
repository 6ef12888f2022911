//! An object with an array of objects in it, such as a JWK set, in the same one pass.

use super::Scanner;
use crate::json::{JsonError, Kind, Names, Str, Value, seen::Seen};

/// What is passed, in the order of its end: the members of an element, the element, the array.
pub(crate) enum Part<'a> {
    /// A member of the whole object.
    Member(Str<'a>, Value<'a>),
    /// An element of the array.
    Element(Value<'a>),
    /// A member of the element that is shown next.
    ElementMember(Str<'a>, Value<'a>),
}

impl<'a> Scanner<'a> {
    /// As [`object`](Self::object), where the member `array` is shown part by part if it is one.
    pub(in crate::json) fn object_of_objects(
        mut self,
        array: &str,
        mut each: impl FnMut(Part<'a>),
    ) -> Result<(), JsonError> {
        self.whitespace();
        self.enter()?;
        self.expect(b'{')?;
        self.whitespace();
        let mut seen = Seen::new();
        let mut is_over = self.peek() == Some(b'}');
        if is_over {
            self.pos += 1;
        }
        while !is_over {
            self.whitespace();
            let start = self.pos + 1;
            let escaped = self.string()?;
            let name = Str { text: self.text, start, end: self.pos - 1, escaped };
            if self.names == Names::Unique {
                seen.add(name)?;
            }
            self.whitespace();
            self.expect(b':')?;
            self.whitespace();
            let start = self.pos;
            let kind = if self.peek() == Some(b'[') && name.is(array) {
                self.objects(&mut each)?
            } else {
                self.value()?
            };
            each(Part::Member(name, Value { text: self.text, start, end: self.pos, kind }));
            is_over = self.is_last(b'}')?;
        }
        self.whitespace();
        if self.pos == self.text.len() { Ok(()) } else { Err(JsonError::Syntax) }
    }

    fn objects(&mut self, each: &mut impl FnMut(Part<'a>)) -> Result<Kind, JsonError> {
        self.enter()?;
        self.expect(b'[')?;
        self.whitespace();
        let mut is_over = self.peek() == Some(b']');
        if is_over {
            self.pos += 1;
        }
        while !is_over {
            self.whitespace();
            let start = self.pos;
            let kind = if self.peek() == Some(b'{') {
                self.enter()?;
                self.members(&mut |name, value| each(Part::ElementMember(name, value)))?;
                self.nesting += 1;
                Kind::Object
            } else {
                self.value()?
            };
            each(Part::Element(Value { text: self.text, start, end: self.pos, kind }));
            is_over = self.is_last(b']')?;
        }
        self.nesting += 1;
        Ok(Kind::Array)
    }

    fn is_last(&mut self, end: u8) -> Result<bool, JsonError> {
        self.whitespace();
        match self.bump()? {
            b',' => Ok(false),
            byte if byte == end => Ok(true),
            _ => Err(JsonError::Syntax),
        }
    }
}
