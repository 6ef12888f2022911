//! Claims sets that are read, and those that are not.

use sealwright_jose::jwt::{Claims, ClaimsError};

#[test]
fn good_claims_are_read() {
    let claims = Claims::parse(
        br#" {"iss":"i","sub":"s","jti":"j","aud":"a","exp":1300819380.9,"nbf":0,"iat":1.3e9,"x":{"y":null}} "#,
    )
    .unwrap();
    assert_eq!((claims.iss(), claims.sub(), claims.jti()), (Some("i"), Some("s"), Some("j")));
    assert_eq!(claims.aud().collect::<Vec<_>>(), ["a"]);
    assert_eq!(
        (claims.exp(), claims.nbf(), claims.iat()),
        (Some(1_300_819_380), Some(0), Some(1_300_000_000))
    );
    assert!(claims.get("x").unwrap()["y"].is_null());
    assert_eq!(claims.as_map().len(), 8);

    let claims = Claims::parse(br#"{"aud":["a","b"]}"#).unwrap();
    assert_eq!(claims.aud().collect::<Vec<_>>(), ["a", "b"]);
    let empty = Claims::parse(b"{}").unwrap();
    assert_eq!((empty.iss(), empty.exp(), empty.aud().count()), (None, None, 0));
    assert_eq!(Claims::parse(br#"{"exp":253402300799}"#).unwrap().exp(), Some(253_402_300_799));
}

#[test]
fn a_registered_claim_of_another_type_is_refused() {
    for name in ["iss", "sub", "jti"] {
        for value in ["1", "null", "true", "[\"a\"]", "{}"] {
            let payload = format!(r#"{{"{name}":{value}}}"#);
            assert_eq!(Claims::parse(payload.as_bytes()), Err(ClaimsError::Type(name)), "{payload}");
        }
    }
    for value in ["1", "null", "true", "{}", "[\"a\",1]", "[[\"a\"]]", "[null]"] {
        let payload = format!(r#"{{"aud":{value}}}"#);
        assert_eq!(Claims::parse(payload.as_bytes()), Err(ClaimsError::Type("aud")), "{payload}");
    }
    for name in ["exp", "nbf", "iat"] {
        // Milliseconds are the usual way to get a time that never comes.
        for value in [
            "\"1\"",
            "true",
            "null",
            "[1]",
            "{}",
            "-1",
            "-0.5",
            "1e300",
            "253402300800",
            "1764547200000",
            "\"NaN\"",
        ] {
            let payload = format!(r#"{{"{name}":{value}}}"#);
            assert_eq!(Claims::parse(payload.as_bytes()), Err(ClaimsError::Type(name)), "{payload}");
        }
    }
}

#[test]
fn a_payload_that_is_not_one_strict_object_is_refused() {
    for payload in [
        &b""[..],
        b"null",
        b"[]",
        b"\"a\"",
        b"{}{}",
        b"{\"a\":1,\"a\":1}",
        b"{\"a\":{\"b\":1,\"\\u0062\":2}}",
        b"{\"exp\":1e400}",
        b"{\"exp\":NaN}",
        b"{\"exp\":Infinity}",
        b"{\"a\":\"\xff\"}",
        b"\xef\xbb\xbf{}",
        b"{\"a\":\"\\ud800\"}",
        b"{\0}",
    ] {
        assert_eq!(Claims::parse(payload), Err(ClaimsError::NotAnObject), "{}", payload.escape_ascii());
    }
    let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(Claims::parse(deep.as_bytes()), Err(ClaimsError::TooDeep));
}
