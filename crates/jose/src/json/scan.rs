//! The one pass over a text.

mod objects;

pub(crate) use objects::Parts;

use super::{JsonError, Kind, Name, Names, Str, Value, plain, seen::Seen};

pub(super) struct Scanner<'a> {
    text: &'a str,
    pos: usize,
    nesting: usize,
    names: Names,
}

impl<'a> Scanner<'a> {
    #[inline]
    pub(super) fn new(text: &'a str, nesting: usize, names: Names) -> Self {
        Self { text, pos: 0, nesting, names }
    }

    /// For a text that was scanned before, or a part of it.
    pub(super) fn rescan(text: &'a str) -> Self {
        Self::new(text, usize::MAX, Names::LastWins)
    }

    /// The string after the quote at `start` - 1 of a text of which at least that was scanned before.
    #[cold]
    pub(super) fn string_at(text: &'a str, start: usize) -> Result<Str<'a>, JsonError> {
        let mut scanner = Self::rescan(text);
        scanner.pos = start - 1;
        let escaped = scanner.string()?;
        Ok(Str { text, start, end: scanner.pos - 1, escaped })
    }

    #[inline]
    pub(super) fn object(mut self, mut each: impl FnMut(Name<'a>, Value<'a>)) -> Result<(), JsonError> {
        self.whitespace();
        if self.peek() != Some(b'{') {
            return Err(JsonError::Syntax);
        }
        self.enter()?;
        self.members(&mut each)?;
        self.whitespace();
        if self.pos == self.text.len() { Ok(()) } else { Err(JsonError::Syntax) }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.pos).copied()
    }

    #[inline]
    fn bump(&mut self) -> Result<u8, JsonError> {
        let byte = self.peek().ok_or(JsonError::Syntax)?;
        self.pos += 1;
        Ok(byte)
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.bump()? == byte { Ok(()) } else { Err(JsonError::Syntax) }
    }

    #[inline]
    fn whitespace(&mut self) {
        // One comparison tells that there is none, as in every compact text.
        while let Some(byte @ ..=b' ') = self.peek()
            && matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
        {
            self.pos += 1;
        }
    }

    /// The next byte that is no whitespace.
    #[inline]
    fn next(&mut self) -> Option<u8> {
        self.whitespace();
        self.peek()
    }

    /// Passes this byte, with whitespace before it.
    #[inline]
    fn token(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.next() != Some(byte) {
            return Err(JsonError::Syntax);
        }
        self.pos += 1;
        Ok(())
    }

    /// Passes what stands after an element or a member, and says whether it was the last one.
    #[inline]
    fn is_last(&mut self, end: u8) -> Result<bool, JsonError> {
        let byte = self.next();
        let is_last = byte == Some(end);
        if !is_last && byte != Some(b',') {
            return Err(JsonError::Syntax);
        }
        self.pos += 1;
        Ok(is_last)
    }

    fn enter(&mut self) -> Result<(), JsonError> {
        self.nesting = self.nesting.checked_sub(1).ok_or(JsonError::TooDeep)?;
        Ok(())
    }

    /// Passes a value. It stands between the position before and the one after; what is returned fits
    /// a register, which matters for the many short ones.
    #[inline(always)]
    fn value(&mut self) -> Result<Kind, JsonError> {
        match self.peek() {
            Some(b'"') => Ok(Kind::String { escaped: self.string()? }),
            _ => self.no_string(),
        }
    }

    fn no_string(&mut self) -> Result<Kind, JsonError> {
        match self.peek() {
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            Some(b'{' | b'[') => self.nested(),
            _ => Err(JsonError::Syntax),
        }
    }

    fn nested(&mut self) -> Result<Kind, JsonError> {
        self.enter()?;
        let kind = if self.peek() == Some(b'{') {
            self.members(&mut |_, _| {})?;
            Kind::Object
        } else {
            self.elements(&mut |_| {})?;
            Kind::Array
        };
        self.nesting += 1;
        Ok(kind)
    }

    #[inline]
    fn members(&mut self, each: &mut impl FnMut(Name<'a>, Value<'a>)) -> Result<(), JsonError> {
        let mut seen = Seen::new();
        self.expect(b'{')?;
        if self.next() == Some(b'}') {
            self.pos += 1;
            return Ok(());
        }
        loop {
            let name = self.name()?;
            if self.names == Names::Unique {
                seen.add(name)?;
            }
            let start = self.pos;
            let kind = self.value()?;
            each(name, Value { text: self.text, start, end: self.pos, kind });
            if self.is_last(b'}')? {
                return Ok(());
            }
        }
    }

    /// Passes a name and the colon after it, with the whitespace around them.
    #[inline(always)]
    fn name(&mut self) -> Result<Name<'a>, JsonError> {
        if let Some(name) = self.short_name() {
            return Ok(name);
        }
        self.whitespace();
        let start = self.pos + 1;
        let escaped = self.string()?;
        let name = Str { text: self.text, start, end: self.pos - 1, escaped };
        self.token(b':')?;
        self.whitespace();
        Ok(Name { short: name.short(), name })
    }

    /// A name as most are written: plain, at most seven characters, and nothing around it but quotes, the colon and
    /// the value. It is found in one look at eight bytes.
    #[inline(always)]
    fn short_name(&mut self) -> Option<Name<'a>> {
        let [b'"', chunk @ ..] = self.text.as_bytes().get(self.pos..)?.first_chunk::<11>()? else {
            return None;
        };
        let word = u64::from_le_bytes(*chunk.first_chunk()?);
        let len = plain::special_in(word).trailing_zeros() as usize / 8;
        if len > 7 || chunk[len..len + 2] != *b"\":" || chunk[len + 2] <= b' ' {
            return None;
        }
        let start = self.pos + 1;
        self.pos = start + len + 2;
        let name = Str { text: self.text, start, end: start + len, escaped: false };
        Some(Name { short: word & ((1 << (len * 8)) - 1), name })
    }

    pub(super) fn elements(&mut self, each: &mut dyn FnMut(Value<'a>)) -> Result<(), JsonError> {
        self.expect(b'[')?;
        if self.next() == Some(b']') {
            self.pos += 1;
            return Ok(());
        }
        loop {
            self.whitespace();
            let start = self.pos;
            let kind = self.value()?;
            each(Value { text: self.text, start, end: self.pos, kind });
            if self.is_last(b']')? {
                return Ok(());
            }
        }
    }

    /// Passes a string, and says whether there is an escape in it.
    #[inline(always)]
    fn string(&mut self) -> Result<bool, JsonError> {
        self.expect(b'"')?;
        if self.plain()? == b'"' {
            return Ok(false);
        }
        self.escaped_string()
    }

    /// Passes what is plain and the byte after it, which is returned.
    #[inline(always)]
    fn plain(&mut self) -> Result<u8, JsonError> {
        let bytes = self.text.as_bytes().get(self.pos..).unwrap_or_default();
        let plain = plain::special(bytes).ok_or(JsonError::Syntax)?;
        self.pos += plain + 1;
        Ok(bytes[plain])
    }

    /// Passes the rest of a string in which something else than its end has just been passed. Few
    /// strings have that, so it is kept out of the others' way.
    #[cold]
    fn escaped_string(&mut self) -> Result<bool, JsonError> {
        self.pos -= 1;
        loop {
            match self.bump()? {
                b'"' => return Ok(true),
                b'\\' => self.escape()?,
                _ => return Err(JsonError::Syntax),
            }
            self.plain()?;
            self.pos -= 1;
        }
    }

    #[cold]
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

    fn word(&mut self, word: &str) -> Result<Kind, JsonError> {
        if self.text.as_bytes()[self.pos..].starts_with(word.as_bytes()) {
            self.pos += word.len();
            Ok(Kind::Word)
        } else {
            Err(JsonError::Syntax)
        }
    }

    #[inline]
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
        let exponent = matches!(self.peek(), Some(b'.' | b'e' | b'E')) && self.fraction_and_exponent()?;
        // A double holds any number of 308 digits; only more of them or an exponent go beyond.
        if exponent || self.pos - start > 300 {
            let number = self.text[start..self.pos].parse::<f64>();
            number.ok().filter(|number| number.is_finite()).ok_or(JsonError::Syntax)?;
        }
        Ok(Kind::Number)
    }

    /// Whether there is an exponent.
    fn fraction_and_exponent(&mut self) -> Result<bool, JsonError> {
        if self.peek() == Some(b'.') {
            self.pos += 1;
            self.digits()?;
        }
        let exponent = matches!(self.peek(), Some(b'e' | b'E'));
        if exponent {
            self.pos += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.pos += 1;
            }
            self.digits()?;
        }
        Ok(exponent)
    }

    #[inline]
    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.pos;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.pos += 1;
        }
        if self.pos > start { Ok(()) } else { Err(JsonError::Syntax) }
    }
}
