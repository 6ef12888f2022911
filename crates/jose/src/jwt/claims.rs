//! Claims with strict types (RFC 7519 §4.1).

use std::{borrow::Cow, fmt, sync::OnceLock};

use serde_json::{Map, Value};

use super::slot::{Audience, Slot};
use crate::json::{self, JsonError};

/// A claims set: one JSON object, no name twice, registered claims of the right type.
///
/// It says what stands in a payload, not whether that is true or still valid: verify first, then
/// hold it to a [`Validator`](super::Validator), which returns it.
///
/// It borrows the payload, and the usual ones are read without allocating;
/// [`into_owned`](Self::into_owned) makes a `Claims<'static>` of it.
///
/// ```
/// use sealwright_jose::jwt::Claims;
///
/// let claims = Claims::parse(br#"{"iss":"https://id.example","aud":["a","b"],"exp":1764547200}"#)?;
/// assert_eq!(claims.iss(), Some("https://id.example"));
/// assert!(claims.aud().any(|audience| audience == "b"));
/// assert_eq!(claims.exp(), Some(1764547200));
/// assert!(Claims::parse(br#"{"exp":"1764547200"}"#).is_err(), "a string is no time");
/// # Ok::<(), sealwright_jose::jwt::ClaimsError>(())
/// ```
#[derive(Clone)]
pub struct Claims<'t> {
    text: Cow<'t, str>,
    iss: Slot,
    sub: Slot,
    jti: Slot,
    aud: Audience,
    exp: Time,
    nbf: Time,
    iat: Time,
    /// Filled when somebody asks for a claim by name.
    map: OnceLock<Box<Map<String, Value>>>,
}

/// A time from 0 on, or none, which is -1.
#[derive(Clone, Copy)]
struct Time(i64);

impl Time {
    const ABSENT: Self = Self(-1);

    fn get(self) -> Option<i64> {
        (self.0 >= 0).then_some(self.0)
    }
}

/// Why a payload is no claims set, or not the one that was asked for.
///
/// ```
/// use sealwright_jose::jwt::{Claims, ClaimsError};
///
/// let error = |payload: &str| Claims::parse(payload.as_bytes()).unwrap_err();
/// assert_eq!(error(r#"{"sub":"alice","sub":"bob"}"#), ClaimsError::NotAnObject);
/// assert_eq!(error(r#"{"nbf":"now"}"#), ClaimsError::Type("nbf"));
/// assert_eq!(error(r#"{"nbf":"now"}"#).to_string(), "the claim `nbf` is not of its type");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimsError {
    /// It is not UTF-8, not one JSON object, or has a name twice.
    #[error("the payload is not one strict JSON object")]
    NotAnObject,
    /// It is nested more deeply than is read.
    #[error("the payload is nested too deeply")]
    TooDeep,
    /// A registered claim is not of its type, or a time is out of range.
    #[error("the claim `{0}` is not of its type")]
    Type(&'static str),
    /// [`Claims::deserialize`] was asked for a type that these claims do not fit. What stands there
    /// is not repeated.
    #[error("the claims do not fit the type that they are read as, at line {line}, column {column}")]
    Shape {
        /// The line of the payload at which that was seen, from 1.
        line: usize,
        /// The byte of that line, from 1; 0 is before the first.
        column: usize,
    },
}

pub(super) const NESTING: usize = 32;

/// 9999-12-31T23:59:59Z. A time beyond it is a mistake (milliseconds, say) or an attempt to
/// overflow somebody.
const LATEST: i64 = 253_402_300_799;

impl<'t> Claims<'t> {
    /// Reads a payload.
    ///
    /// `iss`, `sub` and `jti` must be strings, `aud` a string or an array of strings, `exp`, `nbf`
    /// and `iat` numbers from 0 to the year 9999. Objects and arrays may stand 32 deep in each
    /// other.
    ///
    /// ```
    /// use sealwright_jose::jwt::{Claims, ClaimsError};
    ///
    /// // The payload of RFC 7519 §3.1, with its line breaks.
    /// let payload = b"{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
    /// assert_eq!(Claims::parse(payload)?.exp(), Some(1300819380));
    /// // A time in milliseconds lies beyond the year 9999.
    /// assert_eq!(Claims::parse(br#"{"exp":1300819380000}"#), Err(ClaimsError::Type("exp")));
    /// # Ok::<(), ClaimsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ClaimsError::NotAnObject`] for what is no strict JSON object, [`TooDeep`](ClaimsError::TooDeep)
    /// beyond that depth, [`Type`](ClaimsError::Type) for a registered claim of another type or range.
    pub fn parse(payload: &'t [u8]) -> Result<Self, ClaimsError> {
        Self::scan(payload, NESTING, |_, _| {})
    }

    /// As [`parse`](Self::parse), with objects and arrays that stand so deep in each other.
    pub(super) fn parse_within(payload: &'t [u8], nesting: usize) -> Result<Self, ClaimsError> {
        Self::scan(payload, nesting, |_, _| {})
    }

    /// As [`parse`](Self::parse), and shows each other claim, which `parse` does not look into, by its name and by its
    /// JSON as it stands in the payload: for whoever needs several of them, and neither a tree of all nor a second look
    /// at the text.
    ///
    /// A claim is shown before the rest of the payload is read. What was shown counts only if the result is `Ok`.
    ///
    /// ```
    /// use sealwright_jose::jwt::Claims;
    ///
    /// let mut amr = None;
    /// let claims = Claims::parse_with(br#"{"sub":"alice","amr":["pwd", "otp"]}"#, |name, json| {
    ///     if name == "amr" {
    ///         amr = Some(json);
    ///     }
    /// })?;
    /// assert_eq!((claims.sub(), amr), (Some("alice"), Some(r#"["pwd", "otp"]"#)));
    /// # Ok::<(), sealwright_jose::jwt::ClaimsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn parse_with(payload: &'t [u8], mut each: impl FnMut(&str, &'t str)) -> Result<Self, ClaimsError> {
        Self::scan(payload, NESTING, |name, value| each(&name.decoded(), value.raw()))
    }

    #[inline]
    fn scan(
        payload: &'t [u8],
        nesting: usize,
        mut each: impl FnMut(json::Name<'t>, json::Value<'t>),
    ) -> Result<Self, ClaimsError> {
        let text = str::from_utf8(payload).map_err(|_| ClaimsError::NotAnObject)?;
        let mut claims = Self {
            text: Cow::Borrowed(text),
            iss: Slot::ABSENT,
            sub: Slot::ABSENT,
            jti: Slot::ABSENT,
            aud: Audience::ABSENT,
            exp: Time::ABSENT,
            nbf: Time::ABSENT,
            iat: Time::ABSENT,
            map: OnceLock::new(),
        };
        let mut mistyped = None;
        json::object(text, nesting, |name, value| match claims.read(&name.bytes(), value) {
            Ok(true) => {}
            Ok(false) => each(name, value),
            Err(name) => {
                mistyped.get_or_insert(name);
            }
        })
        .map_err(|error| match error {
            JsonError::TooDeep => ClaimsError::TooDeep,
            JsonError::Syntax | JsonError::DuplicateName => ClaimsError::NotAnObject,
        })?;
        mistyped.map_or(Ok(claims), |name| Err(ClaimsError::Type(name)))
    }

    /// Keeps a registered claim, or says that it is none. Names are compared as bytes, which takes a few comparisons for
    /// all of them instead of a call for each.
    #[inline]
    fn read(&mut self, name: &[u8], value: json::Value<'_>) -> Result<bool, &'static str> {
        match name {
            b"iss" => self.iss = Slot::string(value).ok_or("iss")?,
            b"sub" => self.sub = Slot::string(value).ok_or("sub")?,
            b"jti" => self.jti = Slot::string(value).ok_or("jti")?,
            b"aud" => self.aud = Audience::of(value).ok_or("aud")?,
            b"exp" => self.exp = Time(time(value).ok_or("exp")?),
            b"nbf" => self.nbf = Time(time(value).ok_or("nbf")?),
            b"iat" => self.iat = Time(time(value).ok_or("iat")?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The same claims, for longer than the payload lives.
    ///
    /// ```
    /// use sealwright_jose::jwt::{Claims, ClaimsError};
    ///
    /// fn keep(payload: Vec<u8>) -> Result<Claims<'static>, ClaimsError> {
    ///     Claims::parse(&payload).map(Claims::into_owned)
    /// }
    /// assert_eq!(keep(br#"{"sub":"alice"}"#.to_vec())?.sub(), Some("alice"));
    /// # Ok::<(), ClaimsError>(())
    /// ```
    pub fn into_owned(self) -> Claims<'static> {
        Claims {
            text: Cow::Owned(self.text.into_owned()),
            iss: self.iss,
            sub: self.sub,
            jti: self.jti,
            aud: self.aud,
            exp: self.exp,
            nbf: self.nbf,
            iat: self.iat,
            map: self.map,
        }
    }

    /// The same claims for a while, with a tree of their own: what [`get`](Self::get) and [`as_map`](Self::as_map) make
    /// of these is freed with them, where the others are kept for longer.
    ///
    /// ```
    /// use sealwright_jose::jwt::{Claims, ClaimsError};
    ///
    /// // Kept in a cache for an hour, and asked for all its claims in one request.
    /// let cached: Claims<'static> = Claims::parse(br#"{"sub":"alice","scope":"sign"}"#)?.into_owned();
    /// let for_this_request = cached.borrowed();
    /// assert_eq!(for_this_request.as_map().len(), 2);
    /// assert_eq!(for_this_request, cached);
    /// # Ok::<(), ClaimsError>(())
    /// ```
    pub fn borrowed(&self) -> Claims<'_> {
        Claims {
            text: Cow::Borrowed(&self.text),
            iss: self.iss.clone(),
            sub: self.sub.clone(),
            jti: self.jti.clone(),
            aud: self.aud.clone(),
            exp: self.exp,
            nbf: self.nbf,
            iat: self.iat,
            map: OnceLock::new(),
        }
    }

    /// Who made the token (RFC 7519 §4.1.1).
    ///
    /// ```
    /// use sealwright_jose::jwt::Claims;
    ///
    /// let claims = Claims::parse(br#"{"iss":"https:\/\/id.example"}"#)?;
    /// assert_eq!(claims.iss(), Some("https://id.example"), "without the escapes of JSON");
    /// # Ok::<(), sealwright_jose::jwt::ClaimsError>(())
    /// ```
    pub fn iss(&self) -> Option<&str> {
        self.iss.get(&self.text)
    }

    /// Whom it is about (RFC 7519 §4.1.2).
    ///
    /// ```
    /// use sealwright_jose::jwt::Claims;
    ///
    /// assert_eq!(Claims::parse(br#"{"sub":""}"#)?.sub(), Some(""), "an empty one is one");
    /// assert_eq!(Claims::parse(br#"{"client_id":"portal"}"#)?.sub(), None);
    /// # Ok::<(), sealwright_jose::jwt::ClaimsError>(())
    /// ```
    pub fn sub(&self) -> Option<&str> {
        self.sub.get(&self.text)
    }

    /// Its own identifier, by which a second use is known (RFC 7519 §4.1.7): one of its issuer, to be
    /// remembered until the token has expired.
    ///
    /// ```
    /// use sealwright_jose::jwt::Claims;
    ///
    /// let claims = Claims::parse(br#"{"iss":"joe","jti":"e1j3V_bKic8","exp":1300819380}"#)?;
    /// let used = (claims.iss(), claims.jti(), claims.exp());
    /// assert_eq!(used, (Some("joe"), Some("e1j3V_bKic8"), Some(1300819380)));
    /// assert_eq!(Claims::parse(b"{}")?.jti(), None, "nobody can tell");
    /// # Ok::<(), sealwright_jose::jwt::ClaimsError>(())
    /// ```
    pub fn jti(&self) -> Option<&str> {
        self.jti.get(&self.text)
    }

    /// Whom it is for (RFC 7519 §4.1.3): one string is one audience; no claim is none.
    ///
    /// ```
    /// use sealwright_jose::jwt::Claims;
    ///
    /// assert!(Claims::parse(br#"{"aud":"api"}"#)?.aud().eq(["api"]));
    /// assert!(Claims::parse(br#"{"aud":["api","files"]}"#)?.aud().eq(["api", "files"]));
    /// assert_eq!(Claims::parse(b"{}")?.aud().count(), 0);
    /// # Ok::<(), sealwright_jose::jwt::ClaimsError>(())
    /// ```
    pub fn aud(&self) -> impl Iterator<Item = &str> {
        self.aud.iter(&self.text)
    }

    /// When it expires, in seconds since the epoch (RFC 7519 §4.1.4); a fraction is cut off.
    ///
    /// ```
    /// use sealwright_jose::jwt::Claims;
    ///
    /// assert_eq!(Claims::parse(br#"{"exp":1764547200.9}"#)?.exp(), Some(1764547200));
    /// assert_eq!(Claims::parse(b"{}")?.exp(), None, "it never expires");
    /// # Ok::<(), sealwright_jose::jwt::ClaimsError>(())
    /// ```
    pub fn exp(&self) -> Option<i64> {
        self.exp.get()
    }

    /// From when on it is valid, in seconds since the epoch (RFC 7519 §4.1.5); a fraction is cut off.
    ///
    /// ```
    /// use sealwright_jose::jwt::Claims;
    ///
    /// let claims = Claims::parse(br#"{"nbf":1764547200,"exp":1764547500}"#)?;
    /// let lifetime_s = claims.exp().zip(claims.nbf()).map(|(exp, nbf)| exp - nbf);
    /// assert_eq!(lifetime_s, Some(300));
    /// # Ok::<(), sealwright_jose::jwt::ClaimsError>(())
    /// ```
    pub fn nbf(&self) -> Option<i64> {
        self.nbf.get()
    }

    /// When it was made, in seconds since the epoch (RFC 7519 §4.1.6); a fraction is cut off.
    ///
    /// ```
    /// use sealwright_jose::jwt::Claims;
    ///
    /// let claims = Claims::parse(br#"{"iat":1764547200}"#)?;
    /// let now = 1764547260;
    /// assert_eq!(claims.iat().map(|iat| now - iat), Some(60), "a minute old");
    /// # Ok::<(), sealwright_jose::jwt::ClaimsError>(())
    /// ```
    pub fn iat(&self) -> Option<i64> {
        self.iat.get()
    }

    /// Any claim, as JSON; `None` if there is none of that name. The first call reads them all; who wants
    /// many of them in types of their own is served faster by [`deserialize`](Self::deserialize).
    ///
    /// ```
    /// use sealwright_jose::jwt::Claims;
    ///
    /// let claims = Claims::parse(br#"{"exp":1764547200,"cnf":{"jkt":"0ZcO"}}"#)?;
    /// assert_eq!(claims.get("cnf").and_then(|cnf| cnf["jkt"].as_str()), Some("0ZcO"));
    /// assert!(claims.get("exp").is_some_and(|exp| exp.is_i64()), "registered ones, too");
    /// assert_eq!(claims.get("jkt"), None, "it is no claim, but a part of one");
    /// # Ok::<(), sealwright_jose::jwt::ClaimsError>(())
    /// ```
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_map().get(name)
    }

    /// All claims, as JSON: to iterate over, for example.
    ///
    /// ```
    /// use sealwright_jose::jwt::Claims;
    ///
    /// let claims = Claims::parse(br#"{"sub":"alice","role":"admin"}"#)?;
    /// let private: Vec<_> = claims.as_map().keys().filter(|name| *name != "sub").collect();
    /// assert_eq!(private, ["role"]);
    /// # Ok::<(), sealwright_jose::jwt::ClaimsError>(())
    /// ```
    pub fn as_map(&self) -> &Map<String, Value> {
        self.map.get_or_init(|| Box::new(json::to_map(&self.text)))
    }

    /// Shows each claim by its name and its JSON as it stands in the payload, in order: one look at the text for
    /// whoever needs several claims and no tree of them.
    ///
    /// ```
    /// use sealwright_jose::jwt::Claims;
    ///
    /// let claims = Claims::parse(br#"{"sub":"alice","amr":["pwd", "otp"]}"#)?;
    /// let mut amr = None;
    /// claims.for_each(|name, json| {
    ///     if name == "amr" {
    ///         amr = Some(json);
    ///     }
    /// });
    /// assert_eq!(amr, Some(r#"["pwd", "otp"]"#));
    /// # Ok::<(), sealwright_jose::jwt::ClaimsError>(())
    /// ```
    pub fn for_each<'s>(&'s self, mut each: impl FnMut(&str, &'s str)) {
        // It was scanned before, so it cannot fail now.
        let _ = json::members(&self.text, |name, value| each(&name.decoded(), value.raw()));
    }

    /// The payload, as it was signed.
    ///
    /// ```
    /// use sealwright_jose::jwt::Claims;
    ///
    /// let claims = Claims::parse(br#"{"exp": 1764547200.50, "sub": "alice"}"#)?;
    /// assert_eq!(claims.as_json(), r#"{"exp": 1764547200.50, "sub": "alice"}"#, "byte by byte");
    /// # Ok::<(), sealwright_jose::jwt::ClaimsError>(())
    /// ```
    pub fn as_json(&self) -> &str {
        &self.text
    }

    /// The claims as a type of the caller's, which may borrow from them.
    ///
    /// ```
    /// use sealwright_jose::jwt::Claims;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Access<'a> {
    ///     client_id: &'a str,
    ///     scope: &'a str,
    /// }
    ///
    /// let claims = Claims::parse(br#"{"sub":"alice","client_id":"portal","scope":"sign read"}"#)?;
    /// let access: Access<'_> = claims.deserialize()?;
    /// assert_eq!((access.client_id, access.scope), ("portal", "sign read"));
    /// # Ok::<(), sealwright_jose::jwt::ClaimsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ClaimsError::Shape`] if a claim that `T` needs is missing or of another type.
    pub fn deserialize<'s, T: serde::Deserialize<'s>>(&'s self) -> Result<T, ClaimsError> {
        serde_json::from_str(&self.text)
            .map_err(|error| ClaimsError::Shape { line: error.line(), column: error.column() })
    }
}

/// Equal if the payloads mean the same JSON.
impl PartialEq for Claims<'_> {
    fn eq(&self, other: &Claims<'_>) -> bool {
        self.text == other.text || self.as_map() == other.as_map()
    }
}

/// Names the token. What it says about a person is not for logs.
impl fmt::Debug for Claims<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("iss", &self.iss())
            .field("jti", &self.jti())
            .field("exp", &self.exp())
            .finish_non_exhaustive()
    }
}

/// A NumericDate (RFC 7519 §2) in its range.
#[inline]
fn time(value: json::Value<'_>) -> Option<i64> {
    let number = value.as_number()?;
    let seconds = match whole(number) {
        Some(seconds) => seconds,
        None => {
            let seconds = str::from_utf8(number).ok()?.parse::<f64>().ok()?;
            // In this range a double holds every whole second exactly.
            (0.0..=LATEST as f64).contains(&seconds).then_some(seconds.trunc() as i64)?
        }
    };
    (seconds <= LATEST).then_some(seconds)
}

/// A number that is written in no more digits than the latest time has, and in nothing else. JSON writes
/// no zeros in front, so one of more digits lies beyond it.
#[inline]
fn whole(number: &[u8]) -> Option<i64> {
    const DIGITS: usize = LATEST.ilog10() as usize + 1;
    if number.len() > DIGITS {
        return None;
    }
    let (first, rest) = match number.split_first_chunk() {
        Some((eight, rest)) => (eight_digits(*eight)?, rest),
        None => (0, number),
    };
    rest.iter()
        .try_fold(first, |seconds, byte| byte.is_ascii_digit().then(|| seconds * 10 + i64::from(byte - b'0')))
}

/// Eight digits as one number: the times of these decades have ten, and digit by digit the three of a
/// token took 350 instructions.
#[inline]
fn eight_digits(digits: [u8; 8]) -> Option<i64> {
    const ONES: u64 = u64::MAX / 0xFF;
    let word = u64::from_le_bytes(digits);
    // From `0` to `?`, and six more is still there: no byte is above `9`, and none carries.
    let is_at_0 = |word: u64| word & (ONES * 0xF0) == ONES * 0x30;
    if !is_at_0(word) || !is_at_0(word + ONES * 6) {
        return None;
    }
    let ones = word & (ONES * 0x0F);
    let pairs = (ones * 10 + (ones >> 8)) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_FFFF_0000_FFFF;
    Some(((fours * 10_000 + (fours >> 32)) & 0xFFFF_FFFF) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_digits_only() {
        for number in [0, 9, 12_345_678, 87_654_321, 99_999_999, 100_000_000, 1_795_341_223, LATEST] {
            assert_eq!(whole(number.to_string().as_bytes()), Some(number));
        }
        assert_eq!(whole(b"1000000000000"), None, "thirteen digits");
        for len in 1..=12 {
            for at in 0..len {
                for byte in 0..=255_u8 {
                    let mut number = vec![b'7'; len];
                    number[at] = byte;
                    let parsed = str::from_utf8(&number).ok().filter(|_| byte.is_ascii_digit());
                    assert_eq!(whole(&number), parsed.and_then(|number| number.parse().ok()), "{number:?}");
                }
            }
        }
    }
}
