//! What the log must not have.

use std::{
    io,
    sync::{Arc, Mutex},
};

use tracing_subscriber::fmt::MakeWriter;

use crate::support::{DOCUMENT, World, json_body};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Captured {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

/// One thread, so that the subscriber of the test sees what the server does.
#[tokio::test(flavor = "current_thread")]
async fn the_log_has_no_token_no_document_and_no_claim() {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(captured.clone())
        .with_ansi(false)
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let world = World::start().await;
    let kek = std::fs::read_to_string(world.storage.dir().join("kek")).unwrap();
    let good = world.token("contracts", DOCUMENT);
    assert_eq!(world.sign(&good).send().await.unwrap().status(), 200);
    assert_eq!(world.sign(&good).send().await.unwrap().status(), 409);
    let other = world.token("contracts", b"another");
    assert_eq!(world.sign(&other).send().await.unwrap().status(), 403);
    let cut = &good[..good.len() - 10];
    assert_eq!(world.sign(cut).send().await.unwrap().status(), 401);
    let question = world.post("/v1/workers/contracts/sign").json(&json_body(DOCUMENT));
    assert_eq!(question.send().await.unwrap().status(), 401);

    // The HTTP client of the test logs in the same thread; what it says about itself does not count.
    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    let log: String = log.lines().filter(|line| line.contains("sealwright")).collect::<Vec<_>>().join("\n");
    assert!(log.contains("token:ok rules:ok assurance:ok binding:ok"), "{log}");
    assert!(log.contains("single_use:token_replayed"), "{log}");
    let document = base64_simd::STANDARD.encode_to_string(DOCUMENT);
    for secret in [
        good.as_str(),
        good.rsplit('.').next().unwrap(),
        good.split('.').nth(1).unwrap(),
        cut,
        &document,
        "bicycle",
        "Meier",
        "alice@example.com",
        kek.trim(),
    ] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
    let audit = world.recorded().await;
    let audit = audit.audit.iter().map(|(_, _, details)| details.to_string()).collect::<Vec<_>>().join("\n");
    for secret in [good.as_str(), good.rsplit('.').next().unwrap(), &document, "bicycle", kek.trim()] {
        assert!(!audit.contains(secret), "{secret} is in the audit log");
    }
}
