//! The protected header: order, types, what a caller cannot write.

use sealwright_jose::{
    Alg, SignError, SigningKey,
    jws::{Header, Policy, Signer},
};
use serde_json::{Value, json};

use super::header_of;
use crate::support::{ED25519, ES256, HS256, outcome};

fn written(header: Header) -> Result<String, SignError> {
    header.to_json()
}

fn refused(name: &str) -> Result<String, SignError> {
    Err(SignError::HeaderParameter(name.to_owned()))
}

#[test]
fn members_stand_in_the_callers_order() {
    let header = || Header::new(Alg::Es256);
    for (header, text) in [
        (header(), r#"{"alg":"ES256"}"#),
        (header().typ("JWT").kid("k"), r#"{"alg":"ES256","typ":"JWT","kid":"k"}"#),
        (header().kid("k").param("alg", json!("ES256")).cty("x"), r#"{"kid":"k","alg":"ES256","cty":"x"}"#),
        (
            header().critical("b").typ("t").critical("a").param("a", json!(1)).param("b", json!(null)),
            r#"{"alg":"ES256","crit":["b","a"],"typ":"t","a":1,"b":null}"#,
        ),
        (header().unencoded(), r#"{"alg":"ES256","b64":false,"crit":["b64"]}"#),
        (
            header().param("crit", json!(["x"])).unencoded().param("x", json!("y")),
            r#"{"alg":"ES256","crit":["x","b64"],"b64":false,"x":"y"}"#,
        ),
    ] {
        assert_eq!(written(header).unwrap(), text);
    }
}

#[test]
fn a_text_keeps_its_order_and_its_spelling() {
    let read = |text: &str| Header::from_json(Alg::Es256, text).and_then(written);
    for (text, expected) in [
        ("{}", r#"{"alg":"ES256"}"#),
        (" { \"typ\" : \"JWT\" ,\n\"alg\" : \"ES256\" }\r\n", r#"{"typ":"JWT","alg":"ES256"}"#),
        (
            r#"{"z":{"b":1.0, "a":10000000000000000000001},"a":[ ]}"#,
            r#"{"alg":"ES256","z":{"b":1.0,"a":10000000000000000000001},"a":[]}"#,
        ),
        (r#"{"b64":false,"alg":"ES256","crit":["b64"]}"#, r#"{"b64":false,"alg":"ES256","crit":["b64"]}"#),
        (r#"{"kid":"\u00e9 é"}"#, r#"{"alg":"ES256","kid":"\u00e9 é"}"#),
    ] {
        assert_eq!(read(text).unwrap(), expected, "{text}");
    }
    let nested = |depth: usize| format!(r#"{{"x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    assert!(read(&nested(15)).is_ok());
    for text in [
        "",
        "null",
        "[]",
        "{",
        "{}{}",
        "{\"a\":1}\0",
        "\u{feff}{}",
        "{'a':1}",
        "{\"a\":NaN}",
        "{\"a\":1,\"a\":1}",
        "{\"a\":1,\"\\u0061\":2}",
        "{\"a\":[{\"b\":1,\"b\":2}]}",
        &nested(16),
        &nested(5000),
    ] {
        assert_eq!(read(text), Err(SignError::HeaderJson), "{text:.40}");
    }
    assert_eq!(read(&format!("{{{}}}", " ".repeat(20_000))), Err(SignError::HeaderTooLarge(16 * 1024)));
}

#[test]
fn members_of_a_list_follow_the_same_rules() {
    let list = |members: Vec<(&str, Value)>| Header::from_members(Alg::Es256, members).and_then(written);
    let good = list(vec![("typ", json!("JWT")), ("alg", json!("ES256"))]);
    assert_eq!(good.unwrap(), r#"{"typ":"JWT","alg":"ES256"}"#);
    assert_eq!(list(vec![("a", json!(1)), ("b", json!(2)), ("a", json!(1))]), refused("a"));
    assert_eq!(list(vec![("alg", json!("ES384"))]), Err(SignError::AlgMismatch { key: Alg::Es256 }));
}

#[test]
fn a_caller_cannot_contradict_the_key() {
    let mismatch = Err(SignError::AlgMismatch { key: Alg::Es256 });
    for alg in [
        json!("none"),
        json!("HS256"),
        json!("es256"),
        json!("EdDSA"),
        json!("ES256 "),
        json!(["ES256"]),
        Value::Null,
    ] {
        assert_eq!(written(Header::new(Alg::Es256).param("alg", alg.clone())), mismatch, "{alg}");
        let signed = Signer::new(&ES256).header(Header::new(Alg::Es256).param("alg", alg)).sign_compact(b"");
        assert_eq!(signed, mismatch);
    }
    let twice = Header::new(Alg::Es256).param("alg", json!("ES256")).param("alg", json!("ES256"));
    assert_eq!(written(twice), refused("alg"));
    let other = Signer::new(&ES256).header(Header::new(Alg::Ed25519));
    assert_eq!(other.sign_compact(b""), mismatch);
    // The key's name is `k`, and the signer wrote it.
    assert_eq!(Signer::new(&ES256).param("kid", json!("k")).sign_compact(b""), refused("kid"));
    let other = Signer::new(&ES256).header(Header::new(Alg::Es256).kid("other"));
    assert_eq!(other.sign_compact(b""), refused("kid"));
    let other = Signer::new(&ES256).header(Header::new(Alg::Es256)).unprotected("kid", json!("other"));
    assert_eq!(other.sign_flattened(b""), refused("kid"));
    // However it is spelt.
    let same = Signer::new(&ES256).header(Header::from_json(Alg::Es256, r#"{"kid":"\u006b"}"#).unwrap());
    assert_eq!(header_of(&same.sign_compact(b"").unwrap()), r#"{"alg":"ES256","kid":"\u006b"}"#);
}

#[test]
fn names_stand_once_and_never_belong_to_encryption() {
    for name in ["enc", "zip", "epk", "apu", "apv", "p2s", "p2c"] {
        assert_eq!(written(Header::new(Alg::Es256).param(name, json!("x"))), refused(name));
        assert_eq!(Signer::new(&ES256).param(name, json!("x")).sign_compact(b""), refused(name));
        assert_eq!(Signer::new(&ES256).unprotected(name, json!("x")).sign_flattened(b""), refused(name));
    }
    assert_eq!(
        written(Header::new(Alg::Es256).param("iat", json!(1)).param("iat", json!(1))),
        refused("iat")
    );
    assert_eq!(written(Header::new(Alg::Es256).kid("a").kid("a")), refused("kid"));
    assert_eq!(Signer::new(&ES256).typ("a").typ("b").sign_flattened(b""), refused("typ"));
    let large = Signer::new(&ES256).param("x", json!("x".repeat(20_000)));
    assert_eq!(large.sign_compact(b""), Err(SignError::HeaderTooLarge(16 * 1024)));
    // The first fault is the one that is told.
    let two = Header::new(Alg::Es256).kid("a").kid("b").param("alg", json!("none"));
    assert_eq!(written(two), refused("kid"));
}

#[test]
fn values_have_the_types_of_their_names() {
    let private: Value = serde_json::from_str(&ES256.to_jwk().unwrap()).unwrap();
    let secret: Value = serde_json::from_str(&HS256.to_jwk()).unwrap();
    for (name, value) in [
        ("kid", json!(1)),
        ("typ", json!(["JWT"])),
        ("cty", json!({})),
        ("jku", json!("file:///etc/passwd")),
        ("x5u", json!("javascript:alert(1)")),
        ("jwk", private),
        ("jwk", secret),
        ("jwk", json!("x")),
        ("x5c", json!([])),
        ("x5c", json!(["not base64"])),
        ("x5t", json!("x")),
        ("x5t#S256", json!("x")),
        ("b64", json!(true)),
        ("b64", json!(0)),
        ("crit", json!([])),
        ("crit", json!("exp")),
        ("crit", json!([1])),
        ("crit", Value::Null),
    ] {
        let result = written(Header::new(Alg::Es256).param(name, value.clone()));
        assert!(
            matches!(&result, Err(SignError::HeaderValue { name: n, .. }) if n == name),
            "{name}: {value}: {result:?}"
        );
    }
    let public: Value = serde_json::from_str(&ES256.verifying_key().to_jwk()).unwrap();
    let header = Header::new(Alg::Es256).param("jwk", public).param("jku", json!("https://a.example/k"));
    assert!(written(header).is_ok());
}

#[test]
fn critical_names_are_extensions_that_are_there() {
    let header = || Header::new(Alg::Es256).param("exp", json!(1));
    let critical = |name: &str| Err(SignError::Critical(name.to_owned()));
    for name in
        ["alg", "kid", "typ", "cty", "crit", "jwk", "jku", "x5c", "x5u", "x5t", "x5t#S256", "enc", "p2c"]
    {
        assert_eq!(written(header().critical(name)), critical(name));
        assert_eq!(written(header().param("crit", json!(["exp", name]))), critical(name));
    }
    assert_eq!(written(header().critical("absent")), critical("absent"));
    assert_eq!(written(header().critical("")), critical(""));
    assert_eq!(written(header().critical("exp").critical("exp")), critical("exp"));
    assert_eq!(written(header().param("crit", json!(["exp", "exp"]))), critical("exp"));
    assert_eq!(written(header().param("b64", json!(false))), critical("b64"));
    assert_eq!(written(header().critical("b64")), critical("b64"));
    // What is critical must be protected, so a name in the other header does not count.
    let elsewhere = Signer::new(&ES256).unprotected("exp", json!(1)).critical("exp").sign_flattened(b"");
    assert_eq!(elsewhere, critical("exp"));
    assert_eq!(written(header().critical("exp")).unwrap(), r#"{"alg":"ES256","exp":1,"crit":["exp"]}"#);
}

#[test]
fn the_older_name_of_eddsa_is_written_only_where_the_caller_asks() {
    let verifier =
        sealwright_jose::jws::Verifier::builder([Alg::Ed25519]).key(ED25519.verifying_key()).build().unwrap();
    let older = Header::new(Alg::Ed25519).param("alg", json!("EdDSA")).kid("k");
    let token = Signer::new(&ED25519).header(older).sign_compact(b"x").unwrap();
    assert_eq!(header_of(&token), r#"{"alg":"EdDSA","kid":"k"}"#);
    assert_eq!(outcome(&verifier, &token).unwrap(), b"x");
    assert_eq!(
        header_of(&Signer::new(&ED25519).sign_compact(b"x").unwrap()),
        r#"{"alg":"Ed25519","kid":"k"}"#
    );
}

#[test]
fn joserfc_writes_escapes_outside_ascii() {
    let key = SigningKey::generate(Alg::Ed25519).unwrap();
    let signer = Signer::new(&key).param("é", json!("€😀~\u{7f}")).policy(Policy::Joserfc);
    let escaped = r#"{"alg":"Ed25519","\u00e9":"\u20ac\ud83d\ude00~\u007f"}"#;
    assert_eq!(header_of(&signer.sign_compact(b"").unwrap()), escaped);
}
