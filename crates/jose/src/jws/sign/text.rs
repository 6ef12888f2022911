//! The serializations, put together from parts that are ready.

use crate::base64url;

/// One signature with its headers.
pub(super) struct Part<'a> {
    /// The base64url text of the protected header; empty if there is none.
    pub(super) protected: &'a str,
    /// The JSON text of the unprotected header.
    pub(super) unprotected: Option<&'a str>,
    pub(super) signature: &'a [u8],
}

impl Part<'_> {
    fn len(&self) -> usize {
        self.protected.len()
            + self.unprotected.map_or(0, str::len)
            + base64url::encoded_len(self.signature.len())
            + r#"{"protected":"","header":,"signature":""},"#.len()
    }

    fn write(&self, json: &mut String) {
        if !self.protected.is_empty() {
            json.push_str(r#""protected":""#);
            json.push_str(self.protected);
            json.push_str("\",");
        }
        if let Some(header) = self.unprotected {
            json.push_str(r#""header":"#);
            json.push_str(header);
            json.push(',');
        }
        json.push_str(r#""signature":""#);
        base64url::encode_to(self.signature, json);
        json.push('"');
    }
}

/// What is signed of a payload in base64url (RFC 7515 §5.1).
pub(super) fn encoded_input(protected: &str, payload: &[u8]) -> String {
    let mut input = String::with_capacity(protected.len() + 1 + base64url::encoded_len(payload.len()));
    input.push_str(protected);
    input.push('.');
    base64url::encode_to(payload, &mut input);
    input
}

/// What is signed of a payload that stands as it is (RFC 7797 §3).
pub(super) fn unencoded_input(protected: &str, payload: &[u8]) -> Vec<u8> {
    [protected.as_bytes(), b".", payload].concat()
}

/// A compact JWS without its payload (RFC 7515 appendix F).
pub(super) fn compact_detached(protected: &str, signature: &[u8]) -> String {
    let mut jws = String::with_capacity(protected.len() + 2 + base64url::encoded_len(signature.len()));
    jws.push_str(protected);
    jws.push_str("..");
    base64url::encode_to(signature, &mut jws);
    jws
}

/// The flattened serialization (RFC 7515 §7.2.2); `payload` is the JSON value of that member, and
/// left out where it is detached.
pub(super) fn flattened(payload: Option<&str>, part: &Part<'_>) -> String {
    let mut json = start(payload, part.len());
    part.write(&mut json);
    json.push('}');
    json
}

/// The general serialization (RFC 7515 §7.2.1).
pub(super) fn general(payload: Option<&str>, parts: &[Part<'_>]) -> String {
    let mut json = start(payload, parts.iter().map(Part::len).sum::<usize>() + r#""signatures":[]"#.len());
    json.push_str(r#""signatures":["#);
    for (n, part) in parts.iter().enumerate() {
        json.push_str(if n == 0 { "{" } else { ",{" });
        part.write(&mut json);
        json.push('}');
    }
    json.push_str("]}");
    json
}

fn start(payload: Option<&str>, more: usize) -> String {
    let mut json = String::with_capacity(r#"{"payload":,}"#.len() + payload.map_or(0, str::len) + more);
    json.push('{');
    if let Some(payload) = payload {
        json.push_str(r#""payload":"#);
        json.push_str(payload);
        json.push(',');
    }
    json
}
