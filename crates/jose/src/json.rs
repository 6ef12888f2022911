//! A strict JSON scanner that copies nothing (RFC 8259, RFC 7493).
//!
//! JSON is scanned here and not by serde because two readers of one text must not see two meanings:
//! a name may stand in an object only once, however it is escaped, at any depth (RFC 7515 §4, RFC
//! 7519 §4). Numbers that no double can hold, lone surrogates, a byte order mark and anything after
//! the value are refused too. Only a caller who asks for [`Names::LastWins`] gets the other reading
//! that RFC 7515 §4 allows.

use std::{borrow::Cow, collections::HashSet, str::Chars};

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

/// A string as it stands in the text, between its quotes.
#[derive(Clone, Copy)]
pub(crate) struct Str<'a> {
    raw: &'a str,
    escaped: bool,
}

impl<'a> Str<'a> {
    /// The characters that are meant; borrowed unless an escape is in the way.
    pub(crate) fn decoded(self) -> Cow<'a, str> {
        if self.escaped { Cow::Owned(self.chars().collect()) } else { Cow::Borrowed(self.raw) }
    }

    pub(crate) fn is(self, other: &str) -> bool {
        if self.escaped { self.chars().eq(other.chars()) } else { self.raw == other }
    }

    fn same(self, other: Str<'_>) -> bool {
        if self.escaped || other.escaped { self.chars().eq(other.chars()) } else { self.raw == other.raw }
    }

    fn chars(self) -> Unescaped<'a> {
        Unescaped { rest: self.raw.chars() }
    }
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
    pub(crate) raw: &'a str,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    String { escaped: bool },
    Object,
    Array,
    Other,
}

impl<'a> Value<'a> {
    pub(crate) fn as_str(self) -> Option<Str<'a>> {
        match self.kind {
            Kind::String { escaped } => Some(Str { raw: &self.raw[1..self.raw.len() - 1], escaped }),
            _ => None,
        }
    }

    pub(crate) fn is_object(self) -> bool {
        self.kind == Kind::Object
    }

    /// Shows each element of an array, and says whether it is one.
    pub(crate) fn for_each_element(self, each: &mut dyn FnMut(Value<'a>)) -> bool {
        // The text was scanned before: its depth is within the limit of then, its names are right.
        self.kind == Kind::Array && Scanner::rescan(self.raw).elements(each).is_ok()
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

/// Reads a text that is one object, and shows each member of it.
///
/// Members are shown before the rest of the text is known to be good, so a caller believes them
/// only after `Ok`.
pub(crate) fn object<'a>(
    text: &'a str,
    nesting: usize,
    each: impl FnMut(Str<'a>, Value<'a>),
) -> Result<(), JsonError> {
    object_with(text, nesting, Names::Unique, each)
}

/// As [`object`], where the caller says how often a name may stand.
pub(crate) fn object_with<'a>(
    text: &'a str,
    nesting: usize,
    names: Names,
    each: impl FnMut(Str<'a>, Value<'a>),
) -> Result<(), JsonError> {
    Scanner { text, pos: 0, nesting, names }.object(each)
}

/// Shows each member of a text that was accepted before, as an object, by this scanner.
pub(crate) fn members<'a>(text: &'a str, each: impl FnMut(Str<'a>, Value<'a>)) -> Result<(), JsonError> {
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

struct Scanner<'a> {
    text: &'a str,
    pos: usize,
    nesting: usize,
    names: Names,
}

impl<'a> Scanner<'a> {
    fn rescan(text: &'a str) -> Self {
        Self { text, pos: 0, nesting: usize::MAX, names: Names::LastWins }
    }

    fn object(&mut self, mut each: impl FnMut(Str<'a>, Value<'a>)) -> Result<(), JsonError> {
        self.whitespace();
        if self.peek() != Some(b'{') {
            return Err(JsonError::Syntax);
        }
        self.enter()?;
        self.members(&mut each)?;
        self.end()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.pos).copied()
    }

    fn bump(&mut self) -> Result<u8, JsonError> {
        let byte = self.peek().ok_or(JsonError::Syntax)?;
        self.pos += 1;
        Ok(byte)
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.bump()? == byte { Ok(()) } else { Err(JsonError::Syntax) }
    }

    fn whitespace(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.pos += 1;
        }
    }

    fn end(&mut self) -> Result<(), JsonError> {
        self.whitespace();
        if self.pos == self.text.len() { Ok(()) } else { Err(JsonError::Syntax) }
    }

    fn enter(&mut self) -> Result<(), JsonError> {
        self.nesting = self.nesting.checked_sub(1).ok_or(JsonError::TooDeep)?;
        Ok(())
    }

    fn value(&mut self) -> Result<Value<'a>, JsonError> {
        let start = self.pos;
        let kind = match self.peek().ok_or(JsonError::Syntax)? {
            b'"' => Kind::String { escaped: self.string()?.escaped },
            b'{' => {
                self.enter()?;
                self.members(&mut |_, _| {})?;
                self.nesting += 1;
                Kind::Object
            }
            b'[' => {
                self.enter()?;
                self.elements(&mut |_| {})?;
                self.nesting += 1;
                Kind::Array
            }
            b't' => self.literal("true")?,
            b'f' => self.literal("false")?,
            b'n' => self.literal("null")?,
            _ => self.number()?,
        };
        Ok(Value { raw: &self.text[start..self.pos], kind })
    }

    fn members(&mut self, each: &mut dyn FnMut(Str<'a>, Value<'a>)) -> Result<(), JsonError> {
        let mut seen = Seen::new();
        self.expect(b'{')?;
        self.whitespace();
        if self.peek() == Some(b'}') {
            self.pos += 1;
            return Ok(());
        }
        loop {
            self.whitespace();
            let name = self.string()?;
            if self.names == Names::Unique {
                seen.add(name)?;
            }
            self.whitespace();
            self.expect(b':')?;
            self.whitespace();
            let value = self.value()?;
            each(name, value);
            self.whitespace();
            match self.bump()? {
                b',' => {}
                b'}' => return Ok(()),
                _ => return Err(JsonError::Syntax),
            }
        }
    }

    fn elements(&mut self, each: &mut dyn FnMut(Value<'a>)) -> Result<(), JsonError> {
        self.expect(b'[')?;
        self.whitespace();
        if self.peek() == Some(b']') {
            self.pos += 1;
            return Ok(());
        }
        loop {
            self.whitespace();
            each(self.value()?);
            self.whitespace();
            match self.bump()? {
                b',' => {}
                b']' => return Ok(()),
                _ => return Err(JsonError::Syntax),
            }
        }
    }

    fn string(&mut self) -> Result<Str<'a>, JsonError> {
        self.expect(b'"')?;
        let start = self.pos;
        let mut escaped = false;
        loop {
            // A payload of many megabytes is one string, so the plain part of it is passed over fast.
            let rest = &self.text.as_bytes()[self.pos..];
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F));
            self.pos += plain.ok_or(JsonError::Syntax)?;
            match self.bump()? {
                b'"' => return Ok(Str { raw: &self.text[start..self.pos - 1], escaped }),
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return Err(JsonError::Syntax),
            }
        }
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        match self.bump()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
            b'u' => match self.hex4()? {
                0xDC00..0xE000 => Err(JsonError::Syntax),
                0xD800..0xDC00 => {
                    self.expect(b'\\')?;
                    self.expect(b'u')?;
                    if (0xDC00..0xE000).contains(&self.hex4()?) { Ok(()) } else { Err(JsonError::Syntax) }
                }
                _ => Ok(()),
            },
            _ => Err(JsonError::Syntax),
        }
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit << 4 | char::from(self.bump()?).to_digit(16).ok_or(JsonError::Syntax)?;
        }
        Ok(unit)
    }

    fn literal(&mut self, word: &str) -> Result<Kind, JsonError> {
        if self.text.as_bytes()[self.pos..].starts_with(word.as_bytes()) {
            self.pos += word.len();
            Ok(Kind::Other)
        } else {
            Err(JsonError::Syntax)
        }
    }

    fn number(&mut self) -> Result<Kind, JsonError> {
        let start = self.pos;
        if self.peek() == Some(b'-') {
            self.pos += 1;
        }
        if self.peek() == Some(b'0') {
            self.pos += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.pos += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.pos += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.pos += 1;
            }
            self.digits()?;
        }
        match self.text[start..self.pos].parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Kind::Other),
            _ => Err(JsonError::Syntax),
        }
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.pos;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.pos += 1;
        }
        if self.pos > start { Ok(()) } else { Err(JsonError::Syntax) }
    }
}

/// The names seen in one object. A header has few, so those are compared one by one, without
/// allocating; an object of thousands goes to a hash set, so that it does not cost the square of
/// its size.
struct Seen<'a> {
    few: [Str<'a>; FEW],
    len: usize,
    many: HashSet<Cow<'a, str>>,
}

const FEW: usize = 12;

impl<'a> Seen<'a> {
    fn new() -> Self {
        Self { few: [Str { raw: "", escaped: false }; FEW], len: 0, many: HashSet::new() }
    }

    fn add(&mut self, name: Str<'a>) -> Result<(), JsonError> {
        if self.few[..self.len].iter().any(|seen| seen.same(name)) {
            return Err(JsonError::DuplicateName);
        }
        if self.len < FEW {
            self.few[self.len] = name;
            self.len += 1;
        } else if !self.many.insert(name.decoded()) {
            return Err(JsonError::DuplicateName);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, JsonError> {
        let mut members = Vec::new();
        object(text, 4, |name, value| members.push((name.decoded().into_owned(), value.raw.to_owned())))?;
        Ok(members)
    }

    #[test]
    fn good_objects_are_read() {
        let members =
            read(" {\"a\" : \"b\\u00e9\\ud83d\\ude00\\n\", \"c\":[1,-0.5e+3,{\"a\":null}],\"d\":true} \n")
                .unwrap();
        assert_eq!(members.len(), 3);
        assert_eq!(members[1], ("c".into(), "[1,-0.5e+3,{\"a\":null}]".into()));
        let value = member("{\"a\":\"b\\u00e9\\ud83d\\ude00\\n\"}", "a").unwrap();
        assert_eq!(value.as_str().unwrap().decoded(), "bé😀\n");
        assert!(value.as_str().unwrap().is("bé😀\n"));
        assert_eq!(read("{}"), Ok(vec![]));
    }

    #[test]
    fn bad_texts_are_refused() {
        for text in [
            "",
            " ",
            "{",
            "}",
            "[]",
            "null",
            "{\"a\":1}x",
            "{\"a\":1}{}",
            "{\"a\":1,}",
            "{,}",
            "{a:1}",
            "{'a':1}",
            "{\"a\" 1}",
            "{\"a\":}",
            "{\"a\":01}",
            "{\"a\":+1}",
            "{\"a\":.5}",
            "{\"a\":1.}",
            "{\"a\":1e}",
            "{\"a\":-}",
            "{\"a\":1e400}",
            "{\"a\":NaN}",
            "{\"a\":Infinity}",
            "{\"a\":tru}",
            "{\"a\":[1,]}",
            "{\"a\":[1 2]}",
            "{\"a\":\"\n\"}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\u12\"}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\\ud800\\u0041\"}",
            "{\"a\":\"\\udc00\"}",
            "{\"a\":\"",
            "{\"a\":1/**/}",
            "\u{feff}{\"a\":1}",
            "{\"a\":1}\0",
        ] {
            assert_eq!(read(text), Err(JsonError::Syntax), "{text}");
        }
    }

    #[test]
    fn a_name_stands_once_at_every_depth_however_escaped() {
        for text in [
            "{\"a\":1,\"a\":1}",
            "{\"a\":1,\"\\u0061\":2}",
            "{\"\\u0061\":1,\"a\":2}",
            "{\"x\":[{\"b\":1,\"\\u0062\":1}]}",
            "{\"😀\":1,\"\\ud83d\\ude00\":1}",
        ] {
            assert_eq!(read(text), Err(JsonError::DuplicateName), "{text}");
        }
        let many: String = (0..1000).map(|n| format!("\"n{n}\":0,")).collect();
        assert_eq!(read(&format!("{{{many}\"z\":0}}")).map(|m| m.len()), Ok(1001));
        for repeated in ["n0", "n5", "n999", "\\u006e999"] {
            assert_eq!(read(&format!("{{{many}\"{repeated}\":0}}")), Err(JsonError::DuplicateName));
        }
        assert_eq!(read("{\"a\":1,\"A\":2}").map(|m| m.len()), Ok(2));
    }

    #[test]
    fn the_last_of_several_wins_where_the_caller_asks_for_it() {
        let text = r#"{"a":1,"b":{"c":1,"c":2},"\u0061":"last"}"#;
        assert_eq!(object(text, 4, |_, _| {}), Err(JsonError::DuplicateName));
        assert_eq!(object_with(text, 4, Names::LastWins, |_, _| {}), Ok(()));
        assert_eq!(member(text, "a").unwrap().raw, "\"last\"");
        assert_eq!(object_with(text, 1, Names::LastWins, |_, _| {}), Err(JsonError::TooDeep));
        assert_eq!(object_with("{\"a\":1,}", 4, Names::LastWins, |_, _| {}), Err(JsonError::Syntax));
    }

    #[test]
    fn nesting_is_limited() {
        assert!(read("{\"a\":[[[1]],[[2]]]}").is_ok());
        assert_eq!(read("{\"a\":[[[[1]]]]}"), Err(JsonError::TooDeep));
        assert_eq!(read(&format!("{{\"a\":{}", "[".repeat(20_000))), Err(JsonError::TooDeep));
    }
}
