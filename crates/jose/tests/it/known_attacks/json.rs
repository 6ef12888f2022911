//! Headers that two parsers read differently (RFC 7515 §4, §5.2; CVE-2025-53864).

use sealwright_jose::{VerifyErrorKind as Kind, jws::Unverified};

use crate::{
    support::{PAYLOAD, es256_verifier, outcome, refuse_headers, signed},
    tally::refused,
};

#[test]
pub(super) fn one_name_twice() {
    refuse_headers(
        &es256_verifier().build().unwrap(),
        &[
            (r#"{"alg":"ES256","alg":"ES256"}"#, Kind::Malformed),
            (r#"{"alg":"none","alg":"ES256"}"#, Kind::Malformed),
            (r#"{"alg":"ES256","\u0061lg":"none"}"#, Kind::Malformed),
            (r#"{"\u0061\u006C\u0067":"none","alg":"ES256"}"#, Kind::Malformed),
            (r#"{"alg":"ES256","kid":"k","k\u0069d":"k"}"#, Kind::Malformed),
            (r#"{"alg":"ES256","x":1,"x":1}"#, Kind::Malformed),
            (r#"{"alg":"ES256","x":{"y":1,"y":2}}"#, Kind::Malformed),
            (r#"{"alg":"ES256","x":[[{"y":1,"\u0079":2}]]}"#, Kind::Malformed),
            (r#"{"alg":"ES256","jwk":{"kty":"EC","kty":"oct"}}"#, Kind::Malformed),
            (r#"{"alg":"ES256","\/":1,"/":2}"#, Kind::Malformed),
            (r#"{"alg":"ES256","\ud83d\ude00":1,"😀":2}"#, Kind::Malformed),
        ],
    );
}

#[test]
pub(super) fn what_is_not_strict_json() {
    refuse_headers(
        &es256_verifier().build().unwrap(),
        &[
            ("", Kind::Malformed),
            ("ES256", Kind::Malformed),
            (r#""ES256""#, Kind::Malformed),
            (r#"[{"alg":"ES256"}]"#, Kind::Malformed),
            ("\u{feff}{\"alg\":\"ES256\"}", Kind::Malformed),
            (r#"{"alg":"ES256"}{"alg":"none"}"#, Kind::Malformed),
            (r#"{"alg":"ES256"} x"#, Kind::Malformed),
            ("{\"alg\":\"ES256\"}\0", Kind::Malformed),
            (r#"{"alg":"ES256",}"#, Kind::Malformed),
            (r#"{"alg":"ES256"/* */}"#, Kind::Malformed),
            (r#"{'alg':'ES256'}"#, Kind::Malformed),
            (r#"{alg:"ES256"}"#, Kind::Malformed),
            (r#"{"alg":"ES256","x":NaN}"#, Kind::Malformed),
            (r#"{"alg":"ES256","x":1e400}"#, Kind::Malformed),
            (r#"{"alg":"ES256","x":-1e400}"#, Kind::Malformed),
            (r#"{"alg":"ES256","x":01}"#, Kind::Malformed),
            (r#"{"alg":"ES256","x":0x10}"#, Kind::Malformed),
            (r#"{"alg":"ES256","x":"\ud800"}"#, Kind::Malformed),
            (r#"{"alg":"ES256","x":"\udc00\ud800"}"#, Kind::Malformed),
            (r#"{"alg":"ES256","x":"\q"}"#, Kind::Malformed),
            ("{\"alg\":\"ES256\",\"x\":\"\t\"}", Kind::Malformed),
            ("{\"alg\":\"ES256\",\u{a0}\"x\":1}", Kind::Malformed),
        ],
    );
}

#[test]
pub(super) fn what_is_not_utf8() {
    let verifier = es256_verifier().build().unwrap();
    let utf16: Vec<u8> = r#"{"alg":"ES256"}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for header in [
        &utf16[..],
        b"{\"alg\":\"ES256\",\"x\":\"\xff\"}",
        // An overlong quote, an encoded surrogate, a cut sequence.
        b"{\"alg\":\"ES256\",\"x\":\"\xc0\xa2\"}",
        b"{\"alg\":\"ES256\",\"x\":\"\xed\xa0\x80\"}",
        b"{\"alg\":\"ES256\",\"x\":\"\xf0\x9f\x98\"}",
    ] {
        let token = signed(header, PAYLOAD);
        refused(header.escape_ascii(), outcome(&verifier, &token), Kind::Malformed);
        assert!(Unverified::peek_compact(&token).is_err());
    }
}

#[test]
pub(super) fn registered_parameters_of_another_type() {
    let verifier = es256_verifier().build().unwrap();
    for name in ["kid", "typ", "cty", "jku", "x5u", "x5t", "x5t#S256"] {
        for value in ["1", "null", "true", "[\"k\"]", "{}"] {
            let header = format!(r#"{{"alg":"ES256","{name}":{value}}}"#);
            refused(format_args!("{header}"), outcome(&verifier, &signed(&header, PAYLOAD)), Kind::Malformed);
        }
    }
    for rest in
        [r#""jwk":"x""#, r#""jwk":[]"#, r#""x5c":"x""#, r#""x5c":[]"#, r#""x5c":[1]"#, r#""x5c":null"#]
    {
        let header = format!(r#"{{"alg":"ES256",{rest}}}"#);
        refused(format_args!("{header}"), outcome(&verifier, &signed(&header, PAYLOAD)), Kind::Malformed);
    }
}
