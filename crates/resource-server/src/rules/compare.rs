//! When two JSON values are the same.

use serde_json::{Number, Value};
use std::borrow::Cow;

/// How values are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compare {
    /// With their types: `42` is not `"42"`, `true` is not `"true"`, a list is another thing than what is in it.
    ///
    /// Numbers are compared by value, so that `1` and `1.0` are the same: how an issuer's serializer writes a
    /// number says nothing. Whole numbers are exact up to 64 bits; one beyond is rounded when it is read, and is
    /// therefore not the same as anything. Numbers with a fraction are compared as doubles.
    #[default]
    Typed,
    /// By their texts, as SignServer's authorizers do: `42` is `"42"`, `true` is `"true"`, and each operator looks
    /// into a list as `contains` does. Objects, `null` and whole numbers beyond 64 bits have no text.
    AsText,
}

impl Compare {
    pub(super) fn same(self, one: &Value, other: &Value) -> bool {
        match self {
            Self::Typed => same_typed(one, other),
            Self::AsText => text(one).is_some_and(|one| text(other).is_some_and(|other| one == other)),
        }
    }

    /// The value as a text that may start with another one.
    pub(super) fn text(self, value: &Value) -> Option<Cow<'_, str>> {
        match self {
            Self::Typed => value.as_str().map(Cow::Borrowed),
            Self::AsText => text(value),
        }
    }
}

fn same_typed(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => same_number(one, other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_typed(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, one)| other.get(name).is_some_and(|other| same_typed(one, other)))
        }
        _ => one == other,
    }
}

fn same_number(one: &Number, other: &Number) -> bool {
    match (integer(one), integer(other)) {
        (Some(one), Some(other)) => one == other,
        (None, None) => matches!((fraction(one), fraction(other)), (Some(one), Some(other)) if one == other),
        _ => false,
    }
}

/// What was read as a double may be whole all the same: `1.0`, `1e3`.
fn integer(number: &Number) -> Option<i128> {
    let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    whole.or_else(|| {
        number
            .as_f64()
            .filter(|double| double.fract() == 0.0 && is_exact(*double))
            .map(|double| double as i128)
    })
}

fn fraction(number: &Number) -> Option<f64> {
    number.as_f64().filter(|double| is_exact(*double))
}

/// From 2⁵³ on, a double stands for several whole numbers.
fn is_exact(double: f64) -> bool {
    double.abs() < 9_007_199_254_740_992.0
}

fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Bool(bool) => Some(Cow::Borrowed(if *bool { "true" } else { "false" })),
        Value::Number(number) if number.is_f64() => {
            number.as_f64().filter(|double| is_exact(*double)).map(|_| Cow::Owned(number.to_string()))
        }
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
