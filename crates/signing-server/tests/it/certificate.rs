//! One-time certificates, read by openssl.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::support::{DOCUMENT, World, decode, ok};

/// Runs `openssl` with `input` on its standard input and gives its standard output.
pub(crate) fn openssl(arguments: &[&str], input: &[u8]) -> String {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("openssl is installed");
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "openssl {arguments:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// `openssl verify` of leaf and authority, at the time of the tests.
pub(crate) fn verify_chain(chain: &Value) {
    let dir = tempfile::tempdir().unwrap();
    let pem = |index: usize, name: &str| {
        let path = dir.path().join(name);
        let pem = openssl(&["x509", "-inform", "DER"], &decode(&chain[index]));
        std::fs::write(&path, pem).unwrap();
        path.display().to_string()
    };
    let (leaf, authority) = (pem(0, "leaf.pem"), pem(1, "ca.pem"));
    let at = crate::support::NOW_S.to_string();
    openssl(&["verify", "-x509_strict", "-attime", &at, "-CAfile", &authority, &leaf], b"");
}

/// The subject, one attribute a line, as openssl reads it: `(name, value)`.
fn subject(der: &[u8]) -> Vec<(String, String)> {
    // `sep_multiline` gives each attribute its own line, and without `esc_2253` values stand as they are.
    let options =
        ["x509", "-inform", "DER", "-noout", "-subject", "-nameopt", "sep_multiline,sname,utf8,space_eq"];
    let text = openssl(&options, der);
    let lines = text.lines().skip(1);
    lines
        .map(|line| {
            let (name, value) = line.trim_start().split_once(" = ").unwrap();
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

#[tokio::test]
async fn the_certificate_is_what_openssl_expects() {
    let world = World::start().await;
    let answer = ok(world.sign(&world.token("contracts", DOCUMENT)).send().await.unwrap()).await;
    let chain = &answer["certificate"]["chain"];
    verify_chain(chain);

    let leaf = openssl(&["x509", "-inform", "DER", "-noout", "-text"], &decode(&chain[0]));
    for expected in [
        "Version: 3 (0x2)",
        "Signature Algorithm: ecdsa-with-SHA256",
        "Issuer: CN = Demo signing CA",
        "Not Before: Dec  1 11:59:00 2026 GMT",
        "Not After : Dec  1 12:10:00 2026 GMT",
        "Subject: CN = Alice Meier, serialNumber = alice, C = CH",
        "X509v3 Basic Constraints: critical\n                CA:FALSE",
        "X509v3 Key Usage: critical\n                Digital Signature, Non Repudiation\n",
        "X509v3 Subject Key Identifier",
        "X509v3 Authority Key Identifier",
        "email:alice@example.com",
    ] {
        assert!(leaf.contains(expected), "{expected}\nis not in\n{leaf}");
    }
    let authority = openssl(&["x509", "-inform", "DER", "-noout", "-text"], &decode(&chain[1]));
    for expected in [
        "Subject: CN = Demo signing CA",
        "Not After : Nov 28 12:00:00 2036 GMT",
        "X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0",
        "X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign",
    ] {
        assert!(authority.contains(expected), "{expected}\nis not in\n{authority}");
    }
    let serial = openssl(&["x509", "-inform", "DER", "-noout", "-serial"], &decode(&chain[0]));
    let stated = answer["certificate"]["serial"].as_str().unwrap();
    assert!(serial.trim().eq_ignore_ascii_case(&format!("serial={stated}")), "{serial} {stated}");
}

#[tokio::test]
async fn no_two_signatures_share_a_key_or_a_serial_number() {
    let world = World::start().await;
    let mut seen = std::collections::HashSet::new();
    for _ in 0..3 {
        let answer = ok(world.sign(&world.token("contracts", DOCUMENT)).send().await.unwrap()).await;
        let leaf = decode(&answer["certificate"]["chain"][0]);
        assert!(seen.insert(openssl(&["x509", "-inform", "DER", "-noout", "-pubkey"], &leaf)));
        assert!(seen.insert(answer["certificate"]["serial"].to_string()));
    }
}

/// A claim that tries to be more than one attribute, and the attributes that openssl finds.
#[tokio::test]
async fn a_claim_is_the_value_of_one_attribute_and_no_more() {
    let world = World::start().await;
    for given_name in [
        "Mallory,O=Bank",
        "Mallory+O=Bank",
        "Mallory/O=Bank",
        "Mallory;O=Bank",
        "O=Bank",
        "#0c0442616e6b",
        "#Mallory",
        "\"Mallory\"",
        "<Mallory>",
        "Mallory\\,O=Bank",
        "\\2CO=Bank",
        "Mal=lory",
        "Željko",
        "李小龍",
        "O'Neill",
    ] {
        let mut claims = world.claims("contracts", DOCUMENT);
        claims["given_name"] = json!(given_name);
        claims["sub"] = json!("user,C=XX");
        let answer = ok(world.sign(&world.issuer.token(claims)).send().await.unwrap()).await;
        let chain = &answer["certificate"]["chain"];
        verify_chain(chain);
        let found = subject(&decode(&chain[0]));
        let expected =
            [("CN", format!("{given_name} Meier")), ("serialNumber", "user,C=XX".into()), ("C", "CH".into())];
        let expected = expected.map(|(name, value)| (name.to_owned(), value));
        assert_eq!(found, expected, "{given_name}");
    }
}

/// Claims that make no subject: nothing is signed, and the token can be used again after all.
#[tokio::test]
async fn claims_that_make_no_subject_are_refused() {
    let world = World::start().await;
    let long = "x".repeat(65);
    let cases: Vec<(&str, Value, &str)> = vec![
        ("given_name", json!(" Alice"), "the value for `CN` must not begin or end with a blank"),
        ("given_name", json!("Alice "), "the value for `CN` must not begin or end with a blank"),
        ("family_name", json!("Meier\u{a0}"), "the value for `CN` must not begin or end with a blank"),
        ("given_name", json!(""), "the value for `CN` must not be empty"),
        ("given_name", json!("Ali\0ce"), "the value for `CN` must not have control characters"),
        ("given_name", json!("Alice\nCN=Bob"), "the value for `CN` must not have control characters"),
        ("given_name", json!("Alice\r"), "the value for `CN` must not begin or end with a blank"),
        (
            "given_name",
            json!("\u{202e}ecilA"),
            "the value for `CN` must not have invisible or direction-changing characters",
        ),
        (
            "given_name",
            json!("Al\u{200b}ice"),
            "the value for `CN` must not have invisible or direction-changing characters",
        ),
        ("given_name", json!(long), "the value for `CN` must not have more than 64 characters"),
        ("given_name", json!("x".repeat(60)), "the value for `CN` must not have more than 64 characters"),
        ("given_name", json!(["Alice"]), "the value for `CN` is not a text"),
        ("given_name", json!({"first": "Alice"}), "the value for `CN` is not a text"),
        ("given_name", json!(42), "the value for `CN` is not a text"),
        ("given_name", json!(true), "the value for `CN` is not a text"),
        ("given_name", Value::Null, "the value for `CN` is not a text"),
        ("email", json!("alice"), "the value for `rfc822Name` is not an e-mail address"),
        ("email", json!("alice@exämple.com"), "the value for `rfc822Name` is not an e-mail address"),
        ("email", json!("a@b\0c"), "the value for `rfc822Name` is not an e-mail address"),
        ("email", json!(["alice@example.com"]), "the value for `rfc822Name` is not a text"),
    ];
    let count = cases.len();
    for (claim, value, detail) in cases {
        let mut claims = world.claims("contracts", DOCUMENT);
        claims[claim] = value.clone();
        let response = world.sign(&world.issuer.token(claims)).send().await.unwrap();
        assert_eq!(response.status(), 403, "{claim}: {value}");
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["code"], "subject_template_failed", "{claim}: {value}");
        assert_eq!(problem["detail"], detail, "{claim}: {value}");
    }
    let recorded = world.recorded().await;
    recorded.assert_nothing_signed();
    assert_eq!(recorded.events(), vec!["signature.refused"; count]);
    assert!(recorded.ledger.is_empty(), "nothing was reserved");
}

#[tokio::test]
async fn a_missing_claim_is_left_out_where_it_may_be() {
    let world = World::start().await;
    let without = |claim: &str| {
        let mut claims = world.claims("contracts", DOCUMENT);
        claims.as_object_mut().unwrap().remove(claim);
        world.issuer.token(claims)
    };
    let answer = ok(world.sign(&without("email")).send().await.unwrap()).await;
    let leaf =
        openssl(&["x509", "-inform", "DER", "-noout", "-text"], &decode(&answer["certificate"]["chain"][0]));
    assert!(!leaf.contains("Subject Alternative Name"), "{leaf}");

    let refused: Value = world.sign(&without("family_name")).send().await.unwrap().json().await.unwrap();
    assert_eq!(refused["code"], "subject_template_failed");
    assert_eq!(refused["detail"], "a value for `CN` is missing");
}
