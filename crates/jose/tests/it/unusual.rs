//! Tokens that look odd and are good: strictness must not refuse them.

use sealwright_jose::{Alg, JwkSet, SigningKey, VerifyingKey, base64url, jws::Verifier};
use serde_json::json;

use crate::{
    support::{
        ED25519, ES256, PAYLOAD, RS256, es256_verifier, generate, outcome, outcome_flattened, signed,
        signed_flattened,
    },
    tally::accepted,
};

/// All of them, to be counted.
pub(crate) const TESTS: &[fn()] = &[
    unusual_headers_are_accepted,
    any_payload_is_accepted,
    unusual_json_is_accepted,
    types_are_compared_as_media_types,
    a_critical_parameter_that_is_understood_is_accepted,
    a_key_without_kid_serves_a_token_with_one,
    a_high_s_is_accepted,
    unusual_keys_are_accepted,
];

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
        assert_eq!(accepted(header, outcome(&verifier, &signed(header, PAYLOAD))), PAYLOAD);
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
        let got = outcome(&verifier, &signed(r#"{"alg":"ES256"}"#, payload));
        assert_eq!(accepted(payload.escape_ascii(), got), payload);
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
        let got = outcome_flattened(&verifier, &signed_flattened(header, more));
        assert_eq!(accepted(more, got), PAYLOAD);
    }
    // A string is the same however it is escaped.
    let escaped = signed_flattened(header, "").replace("\"payload\":\"e", "\"p\\u0061yload\":\"\\u0065");
    assert!(escaped.contains("\\u0065"));
    assert_eq!(accepted("escapes", outcome_flattened(&verifier, &escaped)), PAYLOAD);
}

#[test]
fn types_are_compared_as_media_types() {
    let verifier = es256_verifier().typ("at+jwt").build().unwrap();
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "APPLICATION/At+Jwt"] {
        let header = format!(r#"{{"alg":"ES256","typ":"{typ}"}}"#);
        assert_eq!(accepted(typ, outcome(&verifier, &signed(header, PAYLOAD))), PAYLOAD);
    }
    let verifier = es256_verifier().typ("application/at+jwt").typ("JWT").typ_optional(true).build().unwrap();
    for header in
        [r#"{"alg":"ES256","typ":"at+jwt"}"#, r#"{"alg":"ES256","typ":"jwt"}"#, r#"{"alg":"ES256"}"#]
    {
        assert_eq!(accepted(header, outcome(&verifier, &signed(header, PAYLOAD))), PAYLOAD);
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
        assert_eq!(accepted(header, outcome(&verifier, &signed(header, PAYLOAD))), PAYLOAD);
    }
}

#[test]
fn a_key_without_kid_serves_a_token_with_one() {
    // A PEM file has no `kid`, and an issuer always writes one.
    let nameless = SigningKey::from_pem(Alg::Es256, &ES256.to_pem().unwrap()).unwrap().verifying_key();
    let token = signed(r#"{"alg":"ES256","kid":"whatever"}"#, PAYLOAD);
    let verifier = Verifier::builder([Alg::Es256]).key(nameless).build().unwrap();
    assert_eq!(accepted("no kid", outcome(&verifier, &token)), PAYLOAD);
}

#[test]
fn a_high_s_is_accepted() {
    // ES256 has no low-s rule; for each signature (r, s) of a curve there is (r, n − s), and on
    // secp256k1 RFC 8812 asks for no other.
    const ORDERS: [(Alg, &str); 4] = [
        (Alg::Es256, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
        (
            Alg::Es384,
            "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
        ),
        (
            Alg::Es512,
            "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa\
             51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
        ),
        (Alg::Es256k, "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"),
    ];
    for (alg, n) in ORDERS {
        let n: Vec<_> =
            (0..n.len()).step_by(2).map(|at| u8::from_str_radix(&n[at..at + 2], 16).unwrap()).collect();
        let key = generate(alg);
        let signature = key.sign(b"m").unwrap();
        let mut other = signature.clone();
        let mut borrow = 0;
        for at in (0..n.len()).rev() {
            let difference = i16::from(n[at]) - i16::from(signature[n.len() + at]) - borrow;
            borrow = i16::from(difference < 0);
            other[n.len() + at] = difference.rem_euclid(256) as u8;
        }
        assert_ne!(other, signature);
        accepted(format_args!("{alg}"), key.verifying_key().verify(b"m", &signature));
        accepted(format_args!("{alg}, the other s"), key.verifying_key().verify(b"m", &other));
    }
}

#[test]
fn unusual_keys_are_accepted() {
    let ec: serde_json::Value = serde_json::from_str(&ES256.verifying_key().to_jwk()).unwrap();
    let rsa: serde_json::Value = serde_json::from_str(&RS256.verifying_key().to_jwk()).unwrap();
    let ed: serde_json::Value = serde_json::from_str(&ED25519.verifying_key().to_jwk()).unwrap();
    let with = |jwk: &serde_json::Value, name: &str, value: serde_json::Value| {
        let mut jwk = jwk.clone();
        jwk[name] = value;
        jwk.to_string()
    };
    for jwk in [
        with(&ec, "key_ops", json!(["verify", "sign", "wrapKey", "x"])),
        with(&ec, "kid", json!("")),
        with(&ec, "kid", json!("../../etc/passwd")),
        with(&ec, "ext", json!(true)),
        with(&ec, "x5c", json!(["not a certificate"])),
        with(&ec, "__proto__", json!({"kty": "oct"})),
        with(&ec, "KTY", json!("oct")),
        with(&ec, "oth\u{435}r", json!([null, 1e300])),
        with(&rsa, "e", json!("Aw")),
        with(&rsa, "e", json!("AQAAAAE")),
        with(&rsa, "alg", json!("PS512")),
        with(&ed, "alg", json!("EdDSA")),
        with(&ed, "iat", json!(-1)),
        ec.to_string().replace("\"kty\"", "\r\n\t\"k\\u0074y\" "),
    ] {
        accepted(&jwk, VerifyingKey::from_jwk(&jwk));
        let set = format!("{{\"keys\":[{jwk}],\"more\":{{}}}}");
        assert_eq!(JwkSet::parse(&set, Alg::ALL).unwrap().keys().len(), 1, "{jwk}");
    }
    let pem = ES256.verifying_key().to_pem().unwrap();
    for (name, pem) in [
        ("CRLF", pem.replace('\n', "\r\n")),
        ("text before it", format!("Subject: x\n\n{pem}")),
        ("no line feed at the end", pem.trim_end().to_owned()),
    ] {
        accepted(name, VerifyingKey::from_pem(Alg::Es256, &pem));
    }
    // Some write the private numbers as long as the modulus, or half of it, whatever they are.
    let private: serde_json::Value = serde_json::from_str(&RS256.to_jwk().unwrap()).unwrap();
    for member in ["d", "p", "q", "dp", "dq", "qi"] {
        let number = base64url::decode(private[member].as_str().unwrap()).unwrap();
        let padded = with(&private, member, json!(base64url::encode([&[0], &number[..]].concat())));
        let read = accepted(member, SigningKey::from_jwk(&padded));
        assert_eq!(*read.to_jwk().unwrap(), *RS256.to_jwk().unwrap());
    }
}
