//! One header member: its name, its value as JSON text, and what its name demands of the value.

use serde_json::Value;

use crate::{
    Alg, SignError, base64url,
    header::REGISTERED,
    json::{self, quote},
    jwk,
    jws::Limits,
};

/// A name and the compact JSON text of its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) json: String,
}

impl Member {
    pub(super) fn new(name: &str, value: &Value) -> Self {
        Self { name: name.to_owned(), json: value.to_string() }
    }

    /// Whether both say the same, however they spell it.
    pub(super) fn means(&self, other: &Self) -> bool {
        let value = |member: &Self| serde_json::from_str::<Value>(&member.json).ok();
        self.name == other.name && value(self) == value(other)
    }

    /// Reads the text of a header, which is no larger than what verifiers take.
    pub(super) fn read_header(text: &str) -> Result<Vec<(Self, Value)>, SignError> {
        let limits = Limits::default();
        if text.len() > limits.header_bytes {
            return Err(SignError::HeaderTooLarge(limits.header_bytes));
        }
        Self::read_all(text, limits.nesting)
    }

    /// Reads a text that is one object. Names and values come in the order of the text, without the
    /// whitespace between tokens; a name that stands twice, at any depth, is refused.
    fn read_all(text: &str, nesting: usize) -> Result<Vec<(Self, Value)>, SignError> {
        let mut members = Vec::new();
        let mut readable = true;
        json::object(text, nesting, |name, value| match serde_json::from_str(value.raw()) {
            Ok(parsed) => {
                let name = name.decoded().into_owned();
                members.push((Self { name, json: compact(value.raw()) }, parsed));
            }
            Err(_) => readable = false,
        })
        .map_err(|_| SignError::HeaderJson)?;
        if readable { Ok(members) } else { Err(SignError::HeaderJson) }
    }
}

/// `json`, which is well-formed, without whitespace between its tokens.
fn compact(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in json.chars() {
        if !in_string && matches!(c, ' ' | '\t' | '\n' | '\r') {
            continue;
        }
        in_string ^= c == '"' && !escaped;
        escaped = in_string && c == '\\' && !escaped;
        out.push(c);
    }
    out
}

/// The JSON object of these members, which verifiers will read: within the limits, and each name
/// once.
pub(super) fn object<'a>(members: impl IntoIterator<Item = &'a Member>) -> Result<String, SignError> {
    let mut json = String::from("{");
    for member in members {
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str(&quote(&member.name));
        json.push(':');
        json.push_str(&member.json);
    }
    json.push('}');
    let limits = Limits::default();
    if json.len() > limits.header_bytes {
        return Err(SignError::HeaderTooLarge(limits.header_bytes));
    }
    json::object(&json, limits.nesting, |_, _| {}).map_err(|_| SignError::HeaderJson)?;
    Ok(json)
}

/// `json` with an escape for each character outside ASCII, as Python's `json.dumps` writes it.
pub(super) fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c <= '~' {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

/// Whether a value of this name is what the RFCs say it is. `crit` and `alg` are not asked here.
pub(super) fn check_value(name: &str, value: &Value) -> Result<(), SignError> {
    let wanted = match name {
        "kid" | "typ" | "cty" if !value.is_string() => "a string",
        "jku" | "x5u" if !value.as_str().is_some_and(is_http_url) => "an http or https URL",
        "jwk" if !is_public_jwk(value) => "a public JWK, without private members",
        "x5c" if !is_chain(value) => "certificates in base64, at least one",
        "x5t" if !is_digest::<20>(value) => "the base64url text of 20 bytes",
        "x5t#S256" if !is_digest::<32>(value) => "the base64url text of 32 bytes",
        "b64" if *value != Value::Bool(false) => "`false`, or left out",
        _ => return Ok(()),
    };
    Err(SignError::HeaderValue { name: name.to_owned(), wanted })
}

/// Adds a member to an unprotected header. Whether `alg` may stand there is the caller's matter.
pub(super) fn add_unprotected(
    header: &mut Vec<Member>,
    member: Member,
    value: &Value,
) -> Result<(), SignError> {
    let name = member.name.as_str();
    let stands_there = header.iter().any(|member| member.name == name);
    if stands_there || matches!(name, "crit" | "b64") || is_of_encryption(name) {
        return Err(SignError::HeaderParameter(name.to_owned()));
    }
    check_value(name, value)?;
    header.push(member);
    Ok(())
}

/// Parameters of encryption (RFC 7516 §4.1): in a JWS they would make readers take it for a JWE.
pub(super) fn is_of_encryption(name: &str) -> bool {
    matches!(name, "enc" | "zip" | "epk" | "apu" | "apv" | "p2s" | "p2c")
}

/// Whether `crit` may list it (RFC 7515 §4.1.11): an extension, or `b64` (RFC 7797 §6).
pub(super) fn may_be_critical(name: &str) -> bool {
    !REGISTERED.contains(&name)
}

/// Whether `name` names `alg` in a header: by its own name, or by the older `EdDSA` where it is of
/// that family (RFC 8037 §3.1).
pub(super) fn names_alg(name: &str, alg: Alg) -> bool {
    Alg::meant_by(name).contains(&alg)
}

fn is_http_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
            && rest.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\' | '^' | '`'))
    })
}

fn is_public_jwk(value: &Value) -> bool {
    let Value::Object(members) = value else { return false };
    members.get("kty").is_some_and(Value::is_string)
        && !jwk::Member::PRIVATE.iter().any(|member| members.contains_key(member.name()))
}

fn is_chain(value: &Value) -> bool {
    let is_base64 = |text: &str| !text.is_empty() && base64_simd::STANDARD.check(text.as_bytes()).is_ok();
    let Value::Array(certificates) = value else { return false };
    !certificates.is_empty() && certificates.iter().all(|one| one.as_str().is_some_and(is_base64))
}

fn is_digest<const N: usize>(value: &Value) -> bool {
    value.as_str().is_some_and(|text| base64url::decode_exact::<N>(text).is_ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_keeps_its_order_and_its_spelling() {
        let text = " {\"z\" : [1, 2.50, \"a b\\\" c\\\\\"] ,\n\"a\":{\"y\":1, \"b\":\"\\u00e9 é\"}, \"\\u0061b\": null}";
        let members = Member::read_all(text, 4).unwrap();
        let json = object(members.iter().map(|(member, _)| member)).unwrap();
        assert_eq!(json, r#"{"z":[1,2.50,"a b\" c\\"],"a":{"y":1,"b":"\u00e9 é"},"ab":null}"#);
        for bad in
            ["", "[]", "{\"a\":1,\"\\u0061\":2}", "{\"a\":{\"b\":1,\"b\":1}}", "{\"a\":1e999}", "{\"a\":1} x"]
        {
            assert_eq!(Member::read_all(bad, 4), Err(SignError::HeaderJson), "{bad}");
        }
    }

    #[test]
    fn escapes_are_those_of_python() {
        assert_eq!(ascii("\"\u{7f}é\u{1f600}~\""), r#""\u007f\u00e9\ud83d\ude00~""#);
    }

    #[test]
    fn values_are_held_to_what_their_names_say() {
        let sha1 = base64url::encode([1; 20]);
        for (name, value) in [
            ("kid", json!("")),
            ("jku", json!("https://example.com/keys?a=b#c")),
            ("x5u", json!("http://[::1]/")),
            ("jwk", json!({"kty": "EC"})),
            ("x5c", json!(["AQID", "AQ=="])),
            ("x5t", json!(sha1)),
            ("b64", json!(false)),
            ("exp", json!([{"any": "thing"}])),
        ] {
            assert_eq!(check_value(name, &value), Ok(()), "{name}");
        }
        for (name, value) in [
            ("kid", json!(1)),
            ("typ", json!(null)),
            ("cty", json!(["a"])),
            ("jku", json!("ftp://example.com")),
            ("jku", json!("file:///etc/passwd")),
            ("jku", json!("HTTPS://example.com")),
            ("jku", json!("https://")),
            ("jku", json!("https:///path")),
            ("x5u", json!("https://exa mple.com")),
            ("x5u", json!("https://example.com/\n")),
            ("x5u", json!("https://bücher.example")),
            ("x5u", json!(["https://example.com"])),
            ("jwk", json!("{}")),
            ("jwk", json!({})),
            ("jwk", json!({"kty": "EC", "d": "AQ"})),
            ("jwk", json!({"kty": "oct", "k": "AQ"})),
            ("jwk", json!({"kty": "RSA", "qi": "AQ"})),
            ("jwk", json!({"kty": "AKP", "priv": "AQ"})),
            ("x5c", json!("AQID")),
            ("x5c", json!([])),
            ("x5c", json!([""])),
            ("x5c", json!(["AQ"])),
            ("x5c", json!(["-_-_"])),
            ("x5c", json!([1])),
            ("x5t", json!(format!("{sha1}A"))),
            ("x5t#S256", json!(sha1)),
            ("b64", json!(true)),
            ("b64", json!("false")),
        ] {
            let refused = check_value(name, &value);
            assert!(matches!(refused, Err(SignError::HeaderValue { .. })), "{name}: {value}");
        }
    }
}
