//! Tokens that look odd and are good: strictness must not refuse them.

use sealwright_jose::{Alg, SigningKey, jws::Verifier};

use crate::support::{ES256, PAYLOAD, es256_verifier, outcome, outcome_flattened, signed, signed_flattened};

#[test]
fn unusual_headers_are_accepted() {
    let verifier = es256_verifier().build().unwrap();
    for header in [
        // White space, also at the ends and between all tokens.
        "\r\n { \"alg\" :\t\"ES256\" , \"kid\":\"k\" } \n",
        // Escapes in names and values.
        r#"{"\u0061lg":"ES\u0032\u00356","k\u0069d":"\u006b"}"#,
        // Unknown parameters are ignored (RFC 7515 §4), whatever they are.
        r#"{"alg":"ES256","x":{"y":[null,true,-1.5e-3,"😀\ud83d\ude00\u0000"]},"":0}"#,
        r#"{"alg":"ES256","__proto__":{"alg":"none"},"ALG":"none","Alg":"HS256"}"#,
        // Not the same name, though it looks like it.
        r#"{"alg":"ES256","\u0430lg":"none"}"#,
        // Keys in the header are well-formed and not looked at.
        r#"{"alg":"ES256","jwk":{},"jku":"https://evil.example/","x5u":"file:///etc/passwd","x5c":["MII"],"x5t":"","x5t#S256":""}"#,
        r#"{"alg":"ES256","typ":"","cty":""}"#,
        // Any order.
        r#"{"kid":"k","typ":"JWT","alg":"ES256"}"#,
        // More names than are compared one by one.
        r#"{"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"g":0,"h":0,"i":0,"j":0,"k":0,"l":0,"m":0,"n":0,"alg":"ES256"}"#,
    ] {
        assert_eq!(outcome(&verifier, &signed(header, PAYLOAD)).as_deref(), Ok(PAYLOAD), "{header}");
        assert_eq!(
            outcome_flattened(&verifier, &signed_flattened(header, "")).as_deref(),
            Ok(PAYLOAD),
            "{header}"
        );
    }
}

#[test]
fn any_payload_is_accepted() {
    let verifier = es256_verifier().build().unwrap();
    for payload in [&b""[..], b"\0", b"null", b"\xff\xfe", b"a.b.c", b"{\"a\":1,\"a\":2}"] {
        assert_eq!(outcome(&verifier, &signed(r#"{"alg":"ES256"}"#, payload)).as_deref(), Ok(payload));
    }
}

#[test]
fn unusual_json_is_accepted() {
    let verifier = es256_verifier().build().unwrap();
    let header = r#"{"alg":"ES256"}"#;
    for more in [
        "\n\t ",
        r#""header":{},"#,
        r#""header":{"kid":"k"},"#,
        r#""header":{"x":{"alg":"none"},"typ":"JWT"},"#,
        // Members that are not understood are ignored (RFC 7515 §7.2.1).
        r#""more":[{}],"Payload":"","#,
    ] {
        assert_eq!(
            outcome_flattened(&verifier, &signed_flattened(header, more)).as_deref(),
            Ok(PAYLOAD),
            "{more}"
        );
    }
    // A string is the same however it is escaped.
    let escaped = signed_flattened(header, "").replace("\"payload\":\"e", "\"p\\u0061yload\":\"\\u0065");
    assert!(escaped.contains("\\u0065"));
    assert_eq!(outcome_flattened(&verifier, &escaped).as_deref(), Ok(PAYLOAD));
}

#[test]
fn types_are_compared_as_media_types() {
    let verifier = es256_verifier().typ("at+jwt").build().unwrap();
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "APPLICATION/At+Jwt"] {
        let header = format!(r#"{{"alg":"ES256","typ":"{typ}"}}"#);
        assert_eq!(outcome(&verifier, &signed(header, PAYLOAD)).as_deref(), Ok(PAYLOAD), "{typ}");
    }
    let verifier = es256_verifier().typ("application/at+jwt").typ("JWT").typ_optional(true).build().unwrap();
    for header in
        [r#"{"alg":"ES256","typ":"at+jwt"}"#, r#"{"alg":"ES256","typ":"jwt"}"#, r#"{"alg":"ES256"}"#]
    {
        assert_eq!(outcome(&verifier, &signed(header, PAYLOAD)).as_deref(), Ok(PAYLOAD), "{header}");
    }
}

#[test]
fn a_critical_parameter_that_is_understood_is_accepted() {
    let verifier = es256_verifier().understands("exp").understands("urn:x").build().unwrap();
    for header in [
        r#"{"alg":"ES256","crit":["exp"],"exp":1}"#,
        r#"{"alg":"ES256","crit":["urn:x","exp"],"exp":null,"urn:x":{}}"#,
        r#"{"alg":"ES256","crit":["\u0065xp"],"e\u0078p":1}"#,
        r#"{"alg":"ES256","exp":1}"#,
    ] {
        assert_eq!(outcome(&verifier, &signed(header, PAYLOAD)).as_deref(), Ok(PAYLOAD), "{header}");
    }
}

#[test]
fn a_key_without_kid_serves_a_token_with_one() {
    // A PEM file has no `kid`, and an issuer always writes one.
    let nameless = SigningKey::from_pem(Alg::Es256, &ES256.to_pem().unwrap()).unwrap().verifying_key();
    let token = signed(r#"{"alg":"ES256","kid":"whatever"}"#, PAYLOAD);
    let verifier = Verifier::builder([Alg::Es256]).key(nameless).build().unwrap();
    assert_eq!(outcome(&verifier, &token).as_deref(), Ok(PAYLOAD));
}

#[test]
fn a_high_s_is_accepted() {
    // ES256 has no low-s rule; for each signature (r, s) of P-256 there is (r, n − s).
    const N: [u8; 32] = [
        0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA,
        0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
    ];
    let signature = ES256.sign(b"m").unwrap();
    let mut other = signature.clone();
    let mut borrow = 0;
    for i in (0..32).rev() {
        let difference = i16::from(N[i]) - i16::from(signature[32 + i]) - borrow;
        borrow = i16::from(difference < 0);
        other[32 + i] = difference.rem_euclid(256) as u8;
    }
    assert!(ES256.verifying_key().verify(b"m", &signature).is_ok());
    assert!(ES256.verifying_key().verify(b"m", &other).is_ok());
}
