//! The second line of defence against secrets in the log. The first is that nobody puts them there.

use serde_json::Value;

const REDACTED: &str = "[redacted]";

/// Names of members whose value is a secret wherever it stands; compared without case, `_` and `-`.
const SECRET_NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "clientsecret",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "jwt",
    "bearer",
    "authorization",
    "cookie",
    "codeverifier",
    "authorizationcode",
    "continuation",
    "csrf",
    "otp",
    "totp",
    "privatekey",
    "privatejwk",
];

/// Replaces what must not be recorded, at any depth: strings that are a JWS, and values of members named like a
/// secret. It does not refuse, since a stranger may choose a string (such as a file name), and a signature without
/// evidence would be worse than evidence without that string.
pub(crate) fn redact(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                if is_secret_name(name) && !value.is_null() && !value.is_boolean() {
                    tracing::warn!(member = name, "an audit entry was to hold a secret; it was redacted");
                    *value = REDACTED.into();
                } else {
                    redact(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(redact),
        Value::String(text) if is_jws(text) => {
            tracing::warn!("an audit entry was to hold a signed token; it was redacted");
            *value = REDACTED.into();
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_secret_name(name: &str) -> bool {
    // Longer names are not in the list, and need no copy.
    if name.len() > 32 {
        return false;
    }
    let plain: String =
        name.chars().filter(|c| !matches!(c, '_' | '-')).map(|c| c.to_ascii_lowercase()).collect();
    SECRET_NAMES.contains(&plain.as_str())
}

/// A compact JWS or JWE: its header is the base64url of a JSON object, which begins with `eyJ`, and at least two
/// dots follow.
fn is_jws(text: &str) -> bool {
    text.split_whitespace().any(|word| word.starts_with("eyJ") && word.matches('.').count() >= 2)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::redact;

    fn redacted(mut value: Value) -> Value {
        redact(&mut value);
        value
    }

    #[test]
    fn members_named_like_a_secret_lose_their_value_at_any_depth() {
        assert_eq!(
            redacted(
                json!({"a": [{"Client-Secret": "s", "accessToken": {"x": 1}, "worker": "w"}], "otp": 123456})
            ),
            json!({"a": [{"Client-Secret": "[redacted]", "accessToken": "[redacted]", "worker": "w"}], "otp": "[redacted]"}),
        );
    }

    #[test]
    fn a_token_is_redacted_whatever_its_member_is_called() {
        let token = "eyJhbGciOiJFUzI1NiJ9.e30.c2ln";
        assert_eq!(
            redacted(json!({"x": token, "y": [format!("Bearer {token}")]})),
            json!({"x": "[redacted]", "y": ["[redacted]"]})
        );
    }

    #[test]
    fn what_only_sounds_like_a_secret_stays() {
        let details = json!({"token": "onetime", "code": "claim_mismatch", "otp": true, "amr": ["pwd", "otp"], "file": "eyJ.md"});
        assert_eq!(redacted(details.clone()), details);
    }
}
