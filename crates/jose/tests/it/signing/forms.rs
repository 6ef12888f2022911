//! The serializations: which members they have, and what each of them refuses.

use sealwright_jose::{
    Alg, SignError, SigningKey,
    jws::{Header, Policy, Signer, sign_general, sign_general_detached},
};
use serde_json::{Value, json};

use crate::support::{ED25519, ES256, HS256, PAYLOAD, RS256};

fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

fn names(json: &str) -> Vec<String> {
    parsed(json).as_object().unwrap().keys().cloned().collect()
}

/// RS256 and HS256 sign the same bytes the same way, so the forms can be compared.
#[test]
fn all_forms_carry_the_same_signature() {
    for signer in [Signer::new(&RS256), Signer::mac(&HS256), Signer::new(&ED25519)] {
        let compact = signer.sign_compact(PAYLOAD).unwrap();
        let parts: Vec<&str> = compact.split('.').collect();
        let (protected, payload, signature) = (parts[0], parts[1], parts[2]);
        assert_eq!(signer.sign_detached(PAYLOAD).unwrap(), format!("{protected}..{signature}"));
        assert_eq!(
            signer.sign_flattened(PAYLOAD).unwrap(),
            format!(r#"{{"payload":"{payload}","protected":"{protected}","signature":"{signature}"}}"#)
        );
        assert_eq!(
            signer.sign_flattened_detached(PAYLOAD).unwrap(),
            format!(r#"{{"protected":"{protected}","signature":"{signature}"}}"#)
        );
        assert_eq!(
            sign_general(&[&signer], PAYLOAD).unwrap(),
            format!(
                r#"{{"payload":"{payload}","signatures":[{{"protected":"{protected}","signature":"{signature}"}}]}}"#
            )
        );
        assert_eq!(
            sign_general_detached(&[&signer, &signer], PAYLOAD).unwrap(),
            format!(
                r#"{{"signatures":[{{"protected":"{protected}","signature":"{signature}"}},{{"protected":"{protected}","signature":"{signature}"}}]}}"#
            )
        );
        let mut text = String::from("Bearer ");
        signer.sign_compact_into(PAYLOAD, &mut text).unwrap();
        assert_eq!(text, format!("Bearer {compact}"));
        let checked = signer.clone().verify_after_signing();
        assert_eq!(checked.sign_compact(PAYLOAD).unwrap(), compact);
        assert_eq!(checked.sign_detached(PAYLOAD).unwrap(), format!("{protected}..{signature}"));
    }
}

#[test]
fn the_members_come_in_one_order() {
    let signer = Signer::mac(&HS256).unprotected("x", json!({"b": 1, "a": "é"})).unprotected("y", json!(2));
    let json = signer.sign_flattened(b"hello").unwrap();
    let start = r#"{"payload":"aGVsbG8","protected":"eyJhbGciOiJIUzI1NiIsImtpZCI6ImsifQ","header":{"x":{"a":"é","b":1},"y":2},"signature":""#;
    assert!(json.starts_with(start), "{json}");
    let json = sign_general(&[&signer], b"hello").unwrap();
    let start = r#"{"payload":"aGVsbG8","signatures":[{"protected":"eyJhbGciOiJIUzI1NiIsImtpZCI6ImsifQ","header":{"x":{"a":"é","b":1},"y":2},"signature":""#;
    assert!(json.starts_with(start), "{json}");
}

#[test]
fn an_unprotected_header_of_a_text_is_that_text() {
    let flattened = |text: &str| Signer::mac(&HS256).unprotected_json(text).sign_flattened(b"hello");
    let json = flattened(" {\"x\": {\"b\":1, \"a\":1.50},\n\"\\u0077\": [\"\\u00e9\", 1e2]}").unwrap();
    assert!(json.contains(r#""header":{"x":{"b":1,"a":1.50},"w":["\u00e9",1e2]},"#), "{json}");
    let bad = [
        "",
        "[]",
        "{\"a\":1} x",
        "{\"x\":1,\"x\":2}",
        "{\"x\":1,\"\\u0078\":2}",
        "{\"x\":{\"a\":1,\"a\":2}}",
    ];
    for text in bad {
        assert_eq!(flattened(text), Err(SignError::HeaderJson), "{text}");
    }
    let long = format!("{{\"x\":1{}}}", " ".repeat(16 * 1024));
    assert_eq!(flattened(&long), Err(SignError::HeaderTooLarge(16 * 1024)));
    for (text, name) in
        [(r#"{"b64":false}"#, "b64"), (r#"{"crit":["x"]}"#, "crit"), (r#"{"kid":"k"}"#, "kid")]
    {
        assert_eq!(flattened(text), Err(SignError::HeaderParameter(name.to_owned())), "{text}");
    }
    let other = flattened(r#"{"alg":"none"}"#);
    assert_eq!(other, Err(SignError::AlgMismatch { key: Alg::Hs256 }));
    let twice = Signer::mac(&HS256).unprotected("x", json!(1)).unprotected_json(r#"{"x":1}"#);
    assert_eq!(twice.sign_flattened(b"hello"), Err(SignError::HeaderParameter("x".to_owned())));
}

#[test]
fn an_unprotected_header_stands_in_json_only() {
    let signer = Signer::new(&ES256).unprotected("x", json!(1));
    assert_eq!(signer.sign_compact(b""), Err(SignError::UnprotectedHeader));
    assert_eq!(signer.sign_detached(b""), Err(SignError::UnprotectedHeader));
    let mut text = "before".to_owned();
    assert_eq!(signer.sign_compact_into(b"", &mut text), Err(SignError::UnprotectedHeader));
    assert_eq!(text, "before");
    assert_eq!(names(&signer.sign_flattened_detached(b"").unwrap()), ["header", "protected", "signature"]);
}

#[test]
fn a_name_stands_in_one_header_only() {
    let refused = |name: &str| Err(SignError::HeaderParameter(name.to_owned()));
    for (name, value) in
        [("crit", json!(["x"])), ("b64", json!(false)), ("alg", json!("ES256")), ("kid", json!("k"))]
    {
        assert_eq!(Signer::new(&ES256).unprotected(name, value).sign_flattened(b""), refused(name), "{name}");
    }
    let both = Signer::new(&ES256).param("x", json!(1)).unprotected("x", json!(1));
    assert_eq!(both.sign_flattened(b""), refused("x"));
    assert_eq!(sign_general(&[&Signer::new(&ED25519), &both], b""), refused("x"));
    let twice = Signer::new(&ES256).unprotected("x", json!(1)).unprotected("x", json!(1));
    assert_eq!(twice.sign_flattened(b""), refused("x"));
    let wrong = Signer::new(&ES256).unprotected("jku", json!("ftp://x")).sign_flattened(b"");
    assert!(matches!(wrong, Err(SignError::HeaderValue { .. })));
    let large = Signer::new(&ES256).unprotected("x", json!("x".repeat(20_000))).sign_flattened(b"");
    assert_eq!(large, Err(SignError::HeaderTooLarge(16 * 1024)));
}

#[test]
fn alg_is_unprotected_only_by_policy() {
    let signer = |header: Header| Signer::new(&ES256).header(header).unprotected("alg", json!("ES256"));
    let empty = || Header::new(Alg::Es256);
    assert_eq!(signer(empty()).sign_flattened(b""), Err(SignError::HeaderParameter("alg".into())));
    for policy in [Policy::Rfc, Policy::Joserfc] {
        let json = signer(empty()).policy(policy).sign_flattened(b"x").unwrap();
        assert_eq!(names(&json), ["header", "payload", "signature"]);
        // With nothing protected the signing input begins with the dot (RFC 7515 §5.1).
        let signature = parsed(&json)["signature"].as_str().unwrap().to_owned();
        let signature = sealwright_jose::base64url::decode(&signature).unwrap();
        assert!(ES256.verifying_key().verify(b".eA", &signature).is_ok());
        let json = signer(empty().typ("t")).policy(policy).sign_flattened(b"x").unwrap();
        assert_eq!(parsed(&json)["protected"], sealwright_jose::base64url::encode(r#"{"typ":"t"}"#));
        let both = signer(empty().param("alg", json!("ES256"))).policy(policy).sign_flattened(b"");
        assert_eq!(both, Err(SignError::HeaderParameter("alg".into())));
        let other = Signer::new(&ES256).header(empty()).unprotected("alg", json!("none")).policy(policy);
        assert_eq!(other.sign_flattened(b""), Err(SignError::AlgMismatch { key: Alg::Es256 }));
    }
}

#[test]
fn an_unencoded_payload_is_attached_where_it_fits() {
    let signer = Signer::mac(&HS256).unencoded();
    let compact = signer.sign_compact(b"hello").unwrap();
    assert!(compact.contains(".hello."));
    assert_eq!(parsed(&signer.sign_flattened(b"a.\"b\"\n").unwrap())["payload"], "a.\"b\"\n");
    for payload in [&b"$.02"[..], b"a b", b"\xff", "é".as_bytes(), b"hello\n"] {
        assert!(matches!(signer.sign_compact(payload), Err(SignError::Unencoded(_))), "{payload:?}");
        let mut text = "before".to_owned();
        assert!(signer.sign_compact_into(payload, &mut text).is_err());
        assert_eq!(text, "before");
        assert!(signer.sign_detached(payload).unwrap().contains(".."));
    }
    assert!(matches!(signer.sign_flattened(b"\xff"), Err(SignError::Unencoded(_))));
    assert!(matches!(sign_general(&[&signer], b"\xff"), Err(SignError::Unencoded(_))));
    assert!(signer.sign_flattened_detached(b"\xff").is_ok());
    assert!(sign_general_detached(&[&signer], b"\xff").is_ok());
    let error = signer.sign_compact(b"a.b").unwrap_err().to_string();
    assert!(error.ends_with("detach it"), "{error}");
    let rfc = signer.policy(Policy::Rfc);
    assert!(rfc.sign_compact(b"$ 02").unwrap().contains(".$ 02."));
    assert!(matches!(rfc.sign_compact(b"$.02"), Err(SignError::Unencoded(_))));
}

#[test]
fn several_signers_agree_on_the_encoding_and_are_not_too_many() {
    let encoded = Signer::new(&ES256);
    let unencoded = Signer::mac(&HS256).unencoded();
    for mixed in [[&encoded, &unencoded], [&unencoded, &encoded]] {
        assert_eq!(sign_general(&mixed, b"x"), Err(SignError::MixedEncoding));
        assert_eq!(sign_general_detached(&mixed, b"x"), Err(SignError::MixedEncoding));
    }
    let json = sign_general(&[&unencoded, &Signer::new(&ED25519).unencoded()], b"a.b").unwrap();
    assert_eq!(parsed(&json)["payload"], "a.b");
    assert_eq!(parsed(&json)["signatures"].as_array().unwrap().len(), 2);
    assert_eq!(sign_general(&[], b"x"), Err(SignError::Signatures(16)));
    assert!(sign_general(&[&unencoded; 16], b"x").is_ok());
    assert_eq!(sign_general(&[&unencoded; 17], b"x"), Err(SignError::Signatures(16)));
    let faulty = Signer::new(&SigningKey::generate(Alg::Ed25519).unwrap()).typ("a").typ("b");
    assert_eq!(sign_general(&[&encoded, &faulty], b"x"), Err(SignError::HeaderParameter("typ".into())));
}
