//! An object with an array of objects in it, such as a JWK set, in the same one pass.

use super::Scanner;
use crate::json::{JsonError, Kind, Name, Names, Value, seen::Seen};

/// Who is shown what is passed, in the order of its end: the members of an element, the element, the array.
pub(crate) trait Parts<'a> {
    /// A member of the whole object.
    fn member(&mut self, name: Name<'a>, value: Value<'a>);
    /// An element of the array.
    fn element(&mut self, element: Value<'a>);
    /// A member of the element that is shown next.
    fn element_member(&mut self, name: Name<'a>, value: Value<'a>);
}

impl<'a> Scanner<'a> {
    /// As [`object`](Self::object), where the member `array` is shown part by part if it is one.
    pub(in crate::json) fn object_of_objects(
        mut self,
        array: &str,
        parts: &mut impl Parts<'a>,
    ) -> Result<(), JsonError> {
        self.whitespace();
        self.enter()?;
        self.expect(b'{')?;
        let mut seen = Seen::new();
        let mut is_over = self.next() == Some(b'}');
        if is_over {
            self.pos += 1;
        }
        while !is_over {
            let name = self.name()?;
            if self.names == Names::Unique {
                seen.add(name)?;
            }
            let start = self.pos;
            let kind = if self.peek() == Some(b'[') && name.is(array) {
                self.objects(parts)?
            } else {
                self.value()?
            };
            parts.member(name, Value { text: self.text, start, end: self.pos, kind });
            is_over = self.is_last(b'}')?;
        }
        self.whitespace();
        if self.pos == self.text.len() { Ok(()) } else { Err(JsonError::Syntax) }
    }

    fn objects(&mut self, parts: &mut impl Parts<'a>) -> Result<Kind, JsonError> {
        self.enter()?;
        self.expect(b'[')?;
        let mut is_over = self.next() == Some(b']');
        if is_over {
            self.pos += 1;
        }
        while !is_over {
            self.whitespace();
            let start = self.pos;
            let kind = if self.peek() == Some(b'{') {
                self.enter()?;
                self.members(&mut |name, value| parts.element_member(name, value))?;
                self.nesting += 1;
                Kind::Object
            } else {
                self.value()?
            };
            parts.element(Value { text: self.text, start, end: self.pos, kind });
            is_over = self.is_last(b']')?;
        }
        self.nesting += 1;
        Ok(Kind::Array)
    }
}
