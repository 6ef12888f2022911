//! Payloads as claims.

use sealwright_jose::jwt::Claims;

use crate::{json_oracle::Json, time::bounded};

const LATEST: f64 = 253_402_300_799.0;

/// Accepted is exactly what a second reading of the rules accepts; what is read can be written and
/// is read as the same.
pub fn claims(data: &[u8]) {
    bounded(data.len(), || {
        let claims = Claims::parse(data);
        assert_eq!(claims.is_ok(), is_acceptable(data), "{}: {claims:?}", data.escape_ascii());
        let (Ok(claims), Some(json)) = (claims, Json::object(data, 32)) else { return };
        let string = |name| json.get(name).and_then(Json::str);
        assert_eq!(claims.iss(), string("iss"));
        assert_eq!(claims.sub(), string("sub"));
        assert_eq!(claims.jti(), string("jti"));
        let audience = match json.get("aud") {
            Some(Json::String(one)) => vec![one.as_str()],
            Some(many) => many.strings().expect("an array of strings"),
            None => vec![],
        };
        assert_eq!(claims.aud().collect::<Vec<_>>(), audience);
        for (name, time) in [("exp", claims.exp()), ("nbf", claims.nbf()), ("iat", claims.iat())] {
            match json.get(name) {
                Some(Json::Number(number)) => assert_eq!(time, Some(number.trunc() as i64)),
                _ => assert_eq!(time, None),
            }
        }
        let written = serde_json::to_string(claims.as_map()).expect("JSON can be written");
        assert_eq!(Claims::parse(written.as_bytes()), Ok(claims));
    });
}

fn is_acceptable(payload: &[u8]) -> bool {
    let Some(json) = Json::object(payload, 32) else { return false };
    let is_string = |name| json.get(name).is_none_or(|value| value.str().is_some());
    let is_time = |name| {
        json.get(name)
            .is_none_or(|value| matches!(value, Json::Number(number) if (0.0..=LATEST).contains(number)))
    };
    ["iss", "sub", "jti"].into_iter().all(is_string)
        && ["exp", "nbf", "iat"].into_iter().all(is_time)
        && json.get("aud").is_none_or(|value| value.str().is_some() || value.strings().is_some())
}
