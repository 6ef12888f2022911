//! Durations as people write them.

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// The `format` of a duration's JSON Schema; the one that JSON Schema calls `duration` is ISO 8601.
pub(super) const FORMAT: &str = "sealwright-duration";

/// From the largest, as they must follow each other.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Hundred years: more is a mistake, and sums of two still fit everywhere.
const MAX_MS: u64 = 36_525 * 86_400_000;

/// A duration such as `5m`, `300s`, `12h`, `30d`, `250ms` or `1h30m`, as a field of a spec.
///
/// # Examples
///
/// ```
/// use sealwright_service::resource::DurationField;
/// use std::time::Duration;
///
/// assert_eq!("1h30m".parse(), Ok(DurationField(Duration::from_secs(5400))));
/// assert_eq!(DurationField(Duration::from_secs(5400)).to_string(), "1h30m");
/// assert!("90".parse::<DurationField>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DurationField(pub Duration);

/// Why a text is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DurationError {
    /// Digits alone.
    #[error("a duration needs a unit: ms, s, m, h or d, such as `5m`")]
    NoUnit,
    /// Anything else that is not numbers with units.
    #[error(
        "expected a duration such as `5m`, `300s` or `1h30m`, from the largest unit (d, h, m, s, ms) to the smallest"
    )]
    Malformed,
    /// Longer than a hundred years.
    #[error("a duration of more than a hundred years is a mistake")]
    TooLong,
}

impl FromStr for DurationField {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(DurationError::NoUnit);
        }
        let (mut rest, mut units, mut total) = (text, UNITS.iter(), 0_u64);
        loop {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, tail) = rest.split_at(digits);
            let name = tail.bytes().take_while(u8::is_ascii_lowercase).count();
            let (name, tail) = tail.split_at(name);
            // Each unit at most once and from the largest down: the iterator never goes back.
            let (_, unit) = units.find(|(unit, _)| *unit == name).ok_or(DurationError::Malformed)?;
            if number.is_empty() {
                return Err(DurationError::Malformed);
            }
            let ms = number.parse::<u64>().ok().and_then(|number| number.checked_mul(*unit));
            total = ms.and_then(|ms| ms.checked_add(total)).ok_or(DurationError::TooLong)?;
            if total > MAX_MS {
                return Err(DurationError::TooLong);
            }
            if tail.is_empty() {
                return Ok(Self(Duration::from_millis(total)));
            }
            rest = tail;
        }
    }
}

impl fmt::Display for DurationField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_millis();
        if rest == 0 {
            return f.write_str("0s");
        }
        for (name, unit) in UNITS {
            let count = rest / u128::from(unit);
            rest %= u128::from(unit);
            if count > 0 {
                write!(f, "{count}{name}")?;
            }
        }
        Ok(())
    }
}

impl From<DurationField> for Duration {
    fn from(field: DurationField) -> Self {
        field.0
    }
}

impl<'de> Deserialize<'de> for DurationField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for DurationField {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": FORMAT,
            "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$",
            "minLength": 2,
            "examples": ["5m", "300s", "1h30m"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, ms) in [
            ("250ms", 250),
            ("300s", 300_000),
            ("5m", 300_000),
            ("12h", 43_200_000),
            ("30d", 2_592_000_000),
            ("1h30m", 5_400_000),
            ("1d2h3m4s5ms", 93_784_005),
            ("1m5ms", 60_005),
            ("0s", 0),
            ("0h0s", 0),
            ("90m", 5_400_000),
        ] {
            assert_eq!(text.parse(), Ok(DurationField(Duration::from_millis(ms))), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        use DurationError::{Malformed, NoUnit, TooLong};
        for (text, error) in [
            ("0", NoUnit),
            ("300", NoUnit),
            ("", Malformed),
            ("m", Malformed),
            ("5 m", Malformed),
            (" 5m", Malformed),
            ("5M", Malformed),
            ("5min", Malformed),
            ("1.5h", Malformed),
            ("-5m", Malformed),
            ("+5m", Malformed),
            ("30m1h", Malformed),
            ("1m1m", Malformed),
            ("1h30", Malformed),
            ("PT5M", Malformed),
            ("1w", Malformed),
            ("٣m", Malformed),
            ("36526d", TooLong),
            ("99999999999999999999s", TooLong),
        ] {
            assert_eq!(text.parse::<DurationField>(), Err(error), "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for ms in [0, 1, 999, 1000, 61_000, 5_400_000, 86_400_000, 93_784_005] {
            let field = DurationField(Duration::from_millis(ms));
            assert_eq!(field.to_string().parse(), Ok(field));
        }
    }
}
