//! Keys that come over https, by the client that is there if nobody brings one along: whom it trusts, and whom not.
//!
//! It trusts what its machine trusts, which the environment says (`SSL_CERT_FILE`). So that this is the test's to say, the
//! test runs its own program again, with an environment of its own.

use crate::{
    mtls::{Identity, serve},
    support::*,
};
use axum::{Router, response::Redirect, routing::get};
use sealwright_jose::Alg;
use sealwright_resource_server::IssuerConfig;
use std::{fs, path::PathBuf, process::Command};
use tokio::task::spawn_blocking;

const THIS_TEST: &str = "https::keys_come_from_whom_the_machine_trusts_and_from_nobody_else";

/// Where the keys are, for the program that is run by the test.
const URI: &str = "SEALWRIGHT_TEST_JWKS_URI";
const TOKEN: &str = "SEALWRIGHT_TEST_TOKEN";

/// How a line begins that the one program says to the other.
const SAID: &str = "said: ";

/// What the API says that finds its keys at [`URI`]: the status at each door, and why the keys are missing.
async fn ask_with_the_trust_of_this_environment(uri: &str) {
    let token = std::env::var(TOKEN).unwrap();
    let terms = IssuerConfig::new(ISSUER, AUDIENCE).jwks_uri(uri.parse().unwrap(), [Alg::Es256]);
    let authenticator = trusting(terms);
    for (door, router) in doors(&authenticator) {
        let answer = ask(router, "/hello", bearer(&token)).await;
        println!("\n{SAID}{door}: {}", answer.lines().next().unwrap());
    }
    let status = authenticator.key_sets().remove(0);
    println!("\n{SAID}{}", status.last_error.unwrap_or_else(|| format!("{} keys", status.usable_keys)));
}

/// What is said by a program that trusts this certificate alone.
async fn said(trusted: &Identity, uri: String) -> Vec<String> {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("trusted-{}.pem", std::process::id()));
    let der = base64_simd::STANDARD.encode_to_string(&trusted.certificate);
    fs::write(&file, format!("-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n")).unwrap();
    let mut program = Command::new(std::env::current_exe().unwrap());
    program
        .args(["--exact", "--nocapture", THIS_TEST])
        .env(URI, uri)
        .env(TOKEN, good())
        .env("SSL_CERT_FILE", &file)
        .env_remove("SSL_CERT_DIR")
        // No proxy stands between the two.
        .env("NO_PROXY", "*")
        .env("no_proxy", "*");
    let output = spawn_blocking(move || program.output()).await.unwrap().unwrap();
    fs::remove_file(file).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    text.lines().filter_map(|line| line.strip_prefix(SAID)).map(str::to_owned).collect()
}

#[tokio::test]
async fn keys_come_from_whom_the_machine_trusts_and_from_nobody_else() {
    if let Ok(uri) = std::env::var(URI) {
        return ask_with_the_trust_of_this_environment(&uri).await;
    }
    let (source, other) = (Identity::new("localhost"), Identity::new("localhost"));
    let misnamed = Identity::new("id.example.com");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plain = listener.local_addr().unwrap().port();
    tokio::spawn(async { axum::serve(listener, Router::new().fallback(async || jwk_set(&[&K1]))).await });
    let away = format!("http://127.0.0.1:{plain}/jwks");
    let keys = Router::new()
        .route("/jwks", get(async || jwk_set(&[&K1])))
        .route("/away", get(async move || Redirect::temporary(&away)));
    // It asks for no certificate of its clients; whose it would take, does not matter.
    let https = async |identity: &Identity, path: &str| {
        let address = serve(keys.clone(), identity, &[identity]).await;
        format!("https://localhost:{}/{path}", address.port())
    };
    let at_plain = format!("https://localhost:{plain}/jwks");
    let unconnected = "the connection could not be made";
    for (name, trusted, uri, status, why) in [
        ("a certificate that is trusted", &source, https(&source, "jwks").await, "200", "1 keys"),
        ("one of the same name that is not", &other, https(&source, "jwks").await, "503", unconnected),
        ("one of another name", &misnamed, https(&misnamed, "jwks").await, "503", unconnected),
        ("none at all: plain http", &source, at_plain, "503", unconnected),
        (
            "a redirect to plain http",
            &source,
            https(&source, "away").await,
            "503",
            "the answer is a redirect, and none is followed",
        ),
    ] {
        let mut expected: Vec<_> =
            doors(&trusting(terms())).map(|(door, _)| format!("{door}: {status}")).into();
        expected.push(why.to_owned());
        assert_eq!(said(trusted, uri).await, expected, "{name}");
    }
}
