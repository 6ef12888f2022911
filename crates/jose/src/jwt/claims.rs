//! Claims with strict types (RFC 7519 §4.1).

use serde_json::{Map, Value};

use crate::json::{self, JsonError};

/// A claims set: one JSON object, no name twice, registered claims of the right type.
///
/// It says what stands in a payload, not whether that is true or still valid: verify first, then
/// compare.
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
#[derive(Clone, Debug, PartialEq)]
pub struct Claims {
    map: Map<String, Value>,
    exp: Option<i64>,
    nbf: Option<i64>,
    iat: Option<i64>,
}

/// Why a payload is no claims set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
}

const NESTING: usize = 32;

/// 9999-12-31T23:59:59Z. A time beyond it is a mistake (milliseconds, say) or an attempt to
/// overflow somebody.
const LATEST: f64 = 253_402_300_799.0;

impl Claims {
    /// Reads a payload.
    ///
    /// `iss`, `sub` and `jti` must be strings, `aud` a string or an array of strings, `exp`, `nbf`
    /// and `iat` numbers from 0 to the year 9999.
    ///
    /// # Errors
    ///
    /// A [`ClaimsError`] if anything of that does not hold.
    pub fn parse(payload: &[u8]) -> Result<Self, ClaimsError> {
        let text = str::from_utf8(payload).map_err(|_| ClaimsError::NotAnObject)?;
        json::object(text, NESTING, |_, _| {}).map_err(|error| match error {
            JsonError::TooDeep => ClaimsError::TooDeep,
            JsonError::Syntax | JsonError::DuplicateName => ClaimsError::NotAnObject,
        })?;
        let map: Map<String, Value> = serde_json::from_str(text).map_err(|_| ClaimsError::NotAnObject)?;
        for name in ["iss", "sub", "jti"] {
            if map.get(name).is_some_and(|value| !value.is_string()) {
                return Err(ClaimsError::Type(name));
            }
        }
        let aud_is_good = match map.get("aud") {
            Some(Value::Array(values)) => values.iter().all(Value::is_string),
            Some(value) => value.is_string(),
            None => true,
        };
        if !aud_is_good {
            return Err(ClaimsError::Type("aud"));
        }
        let (exp, nbf, iat) = (time(&map, "exp")?, time(&map, "nbf")?, time(&map, "iat")?);
        Ok(Self { map, exp, nbf, iat })
    }

    /// Who made the token.
    pub fn iss(&self) -> Option<&str> {
        self.string("iss")
    }

    /// Whom it is about.
    pub fn sub(&self) -> Option<&str> {
        self.string("sub")
    }

    /// Its own identifier.
    pub fn jti(&self) -> Option<&str> {
        self.string("jti")
    }

    /// Whom it is for: one string is one audience; no claim is none.
    pub fn aud(&self) -> impl Iterator<Item = &str> {
        let values = match self.map.get("aud") {
            Some(Value::Array(values)) => values.as_slice(),
            Some(value) => std::slice::from_ref(value),
            None => &[],
        };
        values.iter().filter_map(Value::as_str)
    }

    /// When it expires, in seconds since the epoch, as are the others; a fraction is cut off.
    pub fn exp(&self) -> Option<i64> {
        self.exp
    }

    /// From when on it is valid.
    pub fn nbf(&self) -> Option<i64> {
        self.nbf
    }

    /// When it was made.
    pub fn iat(&self) -> Option<i64> {
        self.iat
    }

    /// Any claim.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.map.get(name)
    }

    /// All claims.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.map
    }

    fn string(&self, name: &str) -> Option<&str> {
        self.map.get(name).and_then(Value::as_str)
    }
}

fn time(map: &Map<String, Value>, name: &'static str) -> Result<Option<i64>, ClaimsError> {
    let Some(value) = map.get(name) else {
        return Ok(None);
    };
    match value.as_f64() {
        // In this range a double holds every whole second exactly.
        Some(seconds) if (0.0..=LATEST).contains(&seconds) => Ok(Some(seconds.trunc() as i64)),
        _ => Err(ClaimsError::Type(name)),
    }
}
