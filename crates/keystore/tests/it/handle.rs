use sealwright_jose::{
    Alg, SigningKey,
    jws::{self, Header, Scratch, Verifier},
};
use sealwright_keystore::{KeyHandle, in_memory};

async fn sign(key: &KeyHandle, payload: &[u8]) -> String {
    let header = Header::new(key.alg()).kid(key.kid());
    let prepared = jws::prepare(header, payload).unwrap();
    let signature = key.sign(prepared.signing_input()).await.unwrap();
    prepared.finish_compact(&signature).unwrap()
}

/// Signs and verifies on a runtime that has one thread, which a slow signature must not need for itself.
#[tokio::test]
async fn every_algorithm_signs_what_the_public_half_verifies() {
    for alg in [Alg::Es256, Alg::Ed25519, Alg::Rs256, Alg::Ps256] {
        let key = in_memory("k1", SigningKey::generate(alg).unwrap());
        for payload in [&b"short"[..], &vec![b'x'; 200_000]] {
            let jws = sign(&key, payload).await;
            let verifier = Verifier::builder([alg]).key(key.verifying_key().clone());
            let verifier = verifier.limits(jws::Limits::default().token_bytes(1 << 20)).build().unwrap();
            let mut scratch = Scratch::new();
            let verified = verifier.verify_compact(&jws, &mut scratch).unwrap();
            assert_eq!((verified.payload(), verified.kid()), (payload, Some("k1")));
        }
    }
}

#[test]
fn the_public_half_carries_the_name_of_the_handle() {
    let key = in_memory("k1", SigningKey::generate(Alg::Es256).unwrap().with_kid("other"));
    assert_eq!((key.kid(), key.verifying_key().kid()), ("k1", Some("k1")));
}

#[test]
fn debug_shows_name_and_algorithm_and_no_key() {
    let key = in_memory("k1", SigningKey::generate(Alg::Es256).unwrap());
    assert_eq!(format!("{key:?}"), r#"InMemory { kid: "k1", alg: Es256, .. }"#);
}
