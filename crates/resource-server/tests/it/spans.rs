//! What `tracing` sees of a request: one span, however long it waited and through whichever door it came.

use crate::support::*;
use http::HeaderMap;
use sealwright_jose::SigningKey;
use sealwright_resource_server::{AuthLayer, Authenticator, Requirements};
use serde_json::json;
use std::{
    collections::BTreeMap,
    fmt,
    process::Command,
    sync::{Arc, Mutex},
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

/// The name of a span and the fields that were recorded in it.
type Seen = (&'static str, BTreeMap<&'static str, String>);

/// Remembers the spans of this crate.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<Seen>>>);

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.target().starts_with("sealwright_resource_server")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields::default();
        span.record(&mut fields);
        let mut seen = self.0.lock().unwrap();
        seen.push((span.metadata().name(), fields.0));
        Id::from_u64(seen.len() as u64)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        self.0.lock().unwrap()[span.into_u64() as usize - 1].1.append(&mut fields.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl Recorder {
    /// The spans since the last time that it was asked.
    fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Whether a test runs in a process of its own; if it does not, it is run there.
///
/// What is wanted of a callsite is remembered for all threads, and a thread of another test that reaches one first,
/// where nobody records, would have it remembered that nobody does.
fn is_alone(test: &str) -> bool {
    const ALONE: &str = "SEALWRIGHT_TEST_ALONE";
    if std::env::var(ALONE).is_ok_and(|alone| alone == test) {
        return true;
    }
    let mut program = Command::new(std::env::current_exe().unwrap());
    let output = program.args(["--exact", test]).env(ALONE, test).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("\ntest result: ok. 1 passed;"), "{said}");
    false
}

fn authorize<const N: usize>(fields: [(&'static str, &str); N]) -> Vec<Seen> {
    vec![("authorize", fields.map(|(name, value)| (name, value.to_owned())).into())]
}

#[tokio::test]
async fn a_request_is_one_span_with_its_issuer_or_the_reason() {
    if !is_alone("spans::a_request_is_one_span_with_its_issuer_or_the_reason") {
        return;
    }
    let recorder = Recorder::default();
    let _recording = tracing::subscriber::set_default(recorder.clone());
    let forged = forge(&header().to_string(), &claims().to_string(), &STRANGER);
    let authenticator = trusting(terms());
    for (name, headers, expected) in [
        ("accepted", bearer(&good()), authorize([("issuer", ISSUER)])),
        ("forged", bearer(&forged), authorize([("code", "signature_invalid")])),
        // What a stranger wrote is not in it.
        (
            "foreign",
            bearer(&token(json!({}), json!({"iss": "https://evil.example.com"}))),
            authorize([("code", "issuer_unknown")]),
        ),
        ("nothing sent", HeaderMap::new(), authorize([("code", "token_missing")])),
    ] {
        for (door, router) in doors(&authenticator) {
            ask(router, "/hello", headers.clone()).await;
            assert_eq!(recorder.take(), expected, "{name} at the {door}");
        }
        let decided = authenticator.authenticate(&(&request_with(headers)).into(), NOW).await;
        assert_eq!(recorder.take(), expected, "{name}: {decided:?}");
    }
    // The token is valid, and its issuer's word; it only does not reach far enough.
    let write = Requirements::none().scopes(["orders:write"]);
    let layer = AuthLayer::new(authenticator.clone()).require(write.clone());
    let layered = axum::Router::new().route("/hello", axum::routing::get(async || "hello")).layer(layer);
    let expected = authorize([("issuer", ISSUER), ("code", "scope_insufficient")]);
    ask(layered, "/hello", bearer(&good())).await;
    assert_eq!(recorder.take(), expected);
    authenticator.authorize_for(&request_with(bearer(&good())), &write).await.unwrap_err();
    assert_eq!(recorder.take(), expected);
}

#[tokio::test]
async fn a_request_that_waits_for_keys_is_one_span_as_well() {
    if !is_alone("spans::a_request_that_waits_for_keys_is_one_span_as_well") {
        return;
    }
    let recorder = Recorder::default();
    let _recording = tracing::subscriber::set_default(recorder.clone());
    let source = Source::start(Answer::Ok(jwk_set(&[&K1]))).await;
    let down = Source::start(Answer::Raw("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n".into())).await;
    let signed_by = |key: &SigningKey| {
        forge(&with(header(), json!({"kid": key.kid()})).to_string(), &claims().to_string(), key)
    };
    let cold = |source: &Source| -> Authenticator { builder(source.terms()).build().unwrap() };
    let count = doors(&cold(&source)).len();
    for (name, source, token, expected) in [
        ("the first request", &source, signed_by(&K1), authorize([("issuer", ISSUER)])),
        // It waits twice: for the set, and for a newer one.
        ("an unknown key", &source, signed_by(&K2), authorize([("code", "key_unknown")])),
        ("no keys", &down, signed_by(&K1), authorize([("code", "authorization_server_unavailable")])),
    ] {
        for door in 0..count {
            let authenticator = cold(source);
            let (door, router) = doors(&authenticator)[door].clone();
            let requests = source.requests();
            ask(router, "/hello", bearer(&token)).await;
            assert!(source.requests() > requests, "{name} at the {door} waited for nothing");
            assert_eq!(recorder.take(), expected, "{name} at the {door}");
        }
    }
}
