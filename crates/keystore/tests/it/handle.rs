use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use sealwright_jose::{
    Alg, Hash, SigningKey, VerifyingKey,
    jws::{self, Header, Scratch, SigningInput, Verifier},
};
use sealwright_keystore::{KeyHandle, KeystoreError, RemoteSigner, Signing, in_memory};
use tokio::task::yield_now;

async fn sign(key: &KeyHandle, payload: &[u8]) -> String {
    let header = Header::new(key.alg()).kid(key.kid());
    let prepared = jws::prepare(header, payload).unwrap();
    let signature = key.sign_prepared(&prepared).await.unwrap();
    prepared.signed(signature).unwrap().compact().unwrap()
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

/// As a signing service in the cloud: it refuses to be sent a message where a digest would do.
#[derive(Debug)]
struct Service(KeyHandle);

impl RemoteSigner for Service {
    fn alg(&self) -> Alg {
        self.0.alg()
    }

    fn kid(&self) -> &str {
        self.0.kid()
    }

    fn verifying_key(&self) -> &VerifyingKey {
        self.0.verifying_key()
    }

    fn takes_digests(&self) -> bool {
        true
    }

    fn sign<'a>(&'a self, input: SigningInput<'a>) -> Signing<'a> {
        match input {
            SigningInput::Message(_) if self.alg().digest().is_some() => {
                Box::pin(async { Err(KeystoreError::Unavailable("a digest is wanted".into())) })
            }
            input => self.0.sign(input),
        }
    }
}

#[tokio::test]
async fn a_signer_that_wants_digests_gets_them_where_the_algorithm_allows() {
    for alg in [Alg::Es256, Alg::Es384, Alg::Es512, Alg::Rs256, Alg::Ps512, Alg::Ed25519, Alg::MlDsa44] {
        let key: KeyHandle = Arc::new(Service(in_memory("k1", SigningKey::generate(alg).unwrap())));
        let jws = sign(&key, b"payload").await;
        let verifier = Verifier::builder([alg]).key(key.verifying_key().clone()).build().unwrap();
        let mut scratch = Scratch::new();
        assert_eq!(verifier.verify_compact(&jws, &mut scratch).unwrap().payload(), b"payload", "{alg}");
        let signature = key.sign_message(b"message").await.unwrap();
        assert!(key.verifying_key().verify(b"message", &signature).is_ok(), "{alg}");
    }
}

#[tokio::test]
async fn a_digest_of_another_hash_is_not_signed() {
    let key = in_memory("k1", SigningKey::generate(Alg::Es256).unwrap());
    for (hash, len) in [(Hash::Sha384, 48), (Hash::Sha512, 64), (Hash::Sha256, 31), (Hash::Sha256, 33)] {
        assert!(key.sign(SigningInput::Digest(hash, &vec![1; len])).await.is_err(), "{hash} {len}");
    }
    let key = in_memory("k1", SigningKey::generate(Alg::Ed25519).unwrap());
    assert!(key.sign(SigningInput::Digest(Hash::Sha512, &[1; 64])).await.is_err());
}

/// An RSA signature takes long, so each lets all others go first who could go on.
#[tokio::test]
async fn between_two_rsa_signatures_others_go_on() {
    const ROUNDS: usize = 4;
    let at_once = std::thread::available_parallelism().unwrap().get();
    let key = in_memory("k1", SigningKey::generate(Alg::Rs256).unwrap());
    let turns = Arc::new(AtomicUsize::new(0));
    let others = tokio::spawn({
        let turns = Arc::clone(&turns);
        async move {
            loop {
                turns.fetch_add(1, Ordering::Relaxed);
                yield_now().await;
            }
        }
    });
    let signatures: Vec<_> = (0..ROUNDS * at_once)
        .map(|_| {
            let key = key.clone();
            tokio::spawn(async move { key.sign_message(b"message").await.unwrap() })
        })
        .collect();
    for signature in signatures {
        assert!(key.verifying_key().verify(b"message", &signature.await.unwrap()).is_ok());
    }
    assert!(turns.load(Ordering::Relaxed) > ROUNDS, "{turns:?}");
    others.abort();
}
