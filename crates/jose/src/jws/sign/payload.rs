//! Which payloads may stand in a JWS as they are (RFC 7797).

use std::str;

use crate::{SignError, base64url, json::quote, jws::Policy};

/// The text of a payload that stands unencoded between the dots of a compact JWS (RFC 7797 §5.2).
pub(super) fn unencoded_compact(payload: &[u8], policy: Policy) -> Result<&str, SignError> {
    let fits = match policy {
        // A text that goes through URLs unharmed, which is what a compact JWS is for.
        Policy::Strict => payload.iter().all(|byte| is_url_safe(*byte)),
        Policy::Rfc => payload.iter().all(|byte| matches!(byte, b' '..=b'~') && *byte != b'.'),
        // Its pattern ends in `$`, which in Python stands before a last line feed, too.
        Policy::Joserfc => {
            let line = payload.strip_suffix(b"\n").filter(|line| !line.is_empty()).unwrap_or(payload);
            line.iter().all(|byte| is_url_safe(*byte))
        }
    };
    let text = str::from_utf8(payload).ok().filter(|_| fits);
    text.ok_or(SignError::Unencoded("characters that a compact JWS cannot carry"))
}

fn is_url_safe(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~')
}

/// The value of the member `payload` in the JSON serializations.
pub(super) fn json_member(payload: &[u8], unencoded: bool) -> Result<String, SignError> {
    if unencoded {
        // RFC 7797 §5.3: the octets of the payload are the UTF-8 of the string.
        str::from_utf8(payload).map(quote).map_err(|_| SignError::Unencoded("bytes that are not UTF-8"))
    } else {
        let mut json = String::with_capacity(base64url::encoded_len(payload.len()) + 2);
        json.push('"');
        base64url::encode_to(payload, &mut json);
        json.push('"');
        Ok(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_unencoded_between_dots_depends_on_the_policy() {
        let table: [(&[u8], [bool; 3]); 12] = [
            (b"", [true, true, true]),
            (b"hello", [true, true, true]),
            (b"A-z_0~9", [true, true, true]),
            (b"$02", [false, true, false]),
            (b"a b", [false, true, false]),
            (b"hello\n", [false, false, true]),
            (b"\n", [false, false, false]),
            (b"hello\n\n", [false, false, false]),
            (b"$.02", [false, false, false]),
            (b".", [false, false, false]),
            (b"a\x7f", [false, false, false]),
            ("é".as_bytes(), [false, false, false]),
        ];
        for (payload, expected) in table {
            for (policy, fits) in [Policy::Strict, Policy::Rfc, Policy::Joserfc].into_iter().zip(expected) {
                assert_eq!(unencoded_compact(payload, policy).is_ok(), fits, "{policy:?} {payload:?}");
            }
        }
    }

    #[test]
    fn the_json_member_is_the_payload_in_one_of_two_ways() {
        assert_eq!(json_member(b"a\"\n\xc3\xa9", true).unwrap(), "\"a\\\"\\n\u{e9}\"");
        assert!(matches!(json_member(b"\xff", true), Err(SignError::Unencoded(_))));
        assert_eq!(json_member(b"\xff", false).unwrap(), "\"_w\"");
    }
}
