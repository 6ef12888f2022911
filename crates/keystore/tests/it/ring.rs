use std::fs;

use sealwright_jose::{Alg, base64url};
use sealwright_keystore::{KekRing, KekSpec, KeystoreError, SealedStore};
use tempfile::tempdir;

use crate::{from_file, ring, said, store};

/// What `KekRing::read` says about a file `kek` with this content.
fn read(content: impl AsRef<[u8]>) -> String {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("kek"), content).unwrap();
    match KekRing::read(&[from_file("kek")], dir.path()) {
        Ok(ring) => format!("{ring:?}"),
        Err(error) => said(dir.path(), &error),
    }
}

const NOT_A_KEY: &str = "key-encryption key `kek`: its text is not a key; 32 bytes are wanted, as base64url, base64 or hex, and nothing else";

#[test]
fn a_key_may_be_written_in_three_ways_with_one_newline() {
    let url = base64url::encode([0xfb; 32]);
    let standard = url.replace('-', "+").replace('_', "/") + "=";
    let hex = "fB".repeat(32);
    for text in [&url, &standard, &hex] {
        assert_eq!(read(text), r#"["kek"]"#);
        assert_eq!(read(format!("{text}\n")), r#"["kek"]"#);
    }
}

#[tokio::test]
async fn the_three_ways_are_the_same_key() {
    let dir = tempdir().unwrap();
    let url = base64url::encode([0xfb; 32]);
    let standard = url.replace('-', "+").replace('_', "/") + "=";
    for (nr, text) in [url, standard, "fb".repeat(32)].iter().enumerate() {
        fs::write(dir.path().join("kek"), text).unwrap();
        let store = SealedStore::open(&dir.path().join("keys"), ring(dir.path(), &["kek"]).unwrap()).unwrap();
        store.load_or_generate("k", Alg::Ed25519).await.unwrap_or_else(|e| panic!("way {nr}: {e}"));
    }
}

#[test]
fn what_is_not_exactly_32_bytes_is_refused() {
    let short = base64url::encode([7; 31]);
    let long = base64url::encode([7; 33]);
    let good = base64url::encode([7; 32]);
    for text in [
        short,
        long,
        good.clone() + "\n\n",
        format!(" {good}"),
        good.clone() + "==",
        "0x".repeat(32),
        "ä".repeat(32),
    ] {
        assert_eq!(read(&text), NOT_A_KEY, "{text:?}");
    }
    // The last character of 43 carries two bits that must be zero.
    let trailing = good[..42].to_owned() + "d";
    assert_eq!(read(trailing), NOT_A_KEY);
}

#[test]
fn no_refusal_shows_a_part_of_the_key() {
    let text = "SECRETSECRETSECRETSECRETSECRETSECRETSECRET";
    assert!(!read(text).contains("SECRET"));
    let dir = tempdir().unwrap();
    let ring = ring(dir.path(), &["k1"]).unwrap();
    let key = fs::read_to_string(dir.path().join("k1")).unwrap();
    assert!(!format!("{ring:?}").contains(&key));
}

#[test]
fn a_ring_that_is_not_as_it_must_be_is_refused_with_what_would_be_right() {
    let dir = tempdir().unwrap();
    ring(dir.path(), &["k1", "k2"]).unwrap();
    let said = |specs: &[KekSpec]| said(dir.path(), &KekRing::read(specs, dir.path()).unwrap_err());
    let spec = |id: &str, file: Option<&str>, env: Option<&str>| KekSpec {
        id: id.into(),
        file: file.map(Into::into),
        env: env.map(Into::into),
        pkcs11: None,
    };
    assert_eq!(
        said(&[]),
        "there is no key-encryption key: name at least one, such as `kek: [{id: k1, file: kek}]`"
    );
    assert_eq!(
        said(&[from_file("k1"), spec("k1", Some("k2"), None)]),
        "key-encryption key `k1`: the id stands twice in the ring; give each key an id of its own"
    );
    assert_eq!(
        said(&[spec("k1", Some("k1"), Some("KEK"))]),
        "key-encryption key `k1`: it has several of `file`, `env` and `pkcs11`; keep one of them"
    );
    assert_eq!(
        said(&[spec("k1", None, None)]),
        "key-encryption key `k1`: it says not where the key is; give `file`, `env` or `pkcs11`"
    );
    assert_eq!(
        said(&[spec("k/1", Some("k1"), None)]),
        "key-encryption key `k/1`: an id is 1 to 128 of A-Z a-z 0-9 . _ - and has no dot in front"
    );
    assert!(said(&[from_file("k3")]).starts_with("key-encryption key `k3`: the file DIR/k3 cannot be read"));
    assert!(said(&[spec("k1", None, Some("SEALWRIGHT_TEST_NO_SUCH_KEK"))]).starts_with(
        "key-encryption key `k1`: the environment variable SEALWRIGHT_TEST_NO_SUCH_KEK is not set"
    ));
}

#[tokio::test]
async fn an_old_key_behind_the_first_still_opens_and_the_first_seals() {
    let dir = tempdir().unwrap();
    store(dir.path(), &["old"]).generate("a", Alg::Es256).await.unwrap();
    let both = store(dir.path(), &["new", "old"]);
    both.load("a").await.unwrap();
    both.generate("b", Alg::Es256).await.unwrap();

    let new_only = store(dir.path(), &["new"]);
    new_only.load("b").await.unwrap();
    assert_eq!(
        said(dir.path(), &new_only.load("a").await.unwrap_err()),
        "DIR/keys/a.sealed.json: sealed under the key-encryption key `old`, which is not in the ring; add it behind the first"
    );
}

#[tokio::test]
async fn resealing_all_keys_lets_the_old_key_leave_the_ring() {
    let dir = tempdir().unwrap();
    let old = store(dir.path(), &["old"]);
    let mut public = Vec::new();
    for kid in ["a", "b"] {
        public.push(old.generate(kid, Alg::Es256).await.unwrap().verifying_key().to_jwk());
    }
    let both = store(dir.path(), &["new", "old"]);
    both.generate("c", Alg::Es256).await.unwrap();
    // One that does not open holds up no other.
    fs::write(dir.path().join("keys/broken.sealed.json"), "{}").unwrap();

    let done = both.reseal_all().await.unwrap();
    assert_eq!((done.resealed, done.unchanged, done.failed.len()), (2, 1, 1));
    assert!(
        done.failed[0].to_string().contains("broken.sealed.json: not a sealed key"),
        "{}",
        done.failed[0]
    );
    let again = both.reseal_all().await.unwrap();
    assert_eq!((again.resealed, again.unchanged), (0, 3));

    let new = store(dir.path(), &["new"]);
    for (kid, public) in ["a", "b"].iter().zip(&public) {
        assert_eq!(&new.load(kid).await.unwrap().verifying_key().to_jwk(), public);
        assert!(old.load(kid).await.is_err());
    }
    let left: Vec<String> = fs::read_dir(dir.path().join("keys"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".sealed.json"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[tokio::test]
async fn another_key_encryption_key_of_the_same_name_shows_when_keys_are_sealed_anew() {
    let dir = tempdir().unwrap();
    store(dir.path(), &["old"]).generate("a", Alg::Es256).await.unwrap();
    fs::write(dir.path().join("old"), KekRing::generate_text().as_bytes()).unwrap();
    let done = store(dir.path(), &["old"]).reseal_all().await.unwrap();
    assert_eq!((done.resealed, done.unchanged), (0, 0));
    assert!(matches!(done.failed[..], [KeystoreError::Seal { .. }]), "{:?}", done.failed);
}

#[tokio::test]
async fn a_key_is_restored_from_its_text_into_an_empty_folder() {
    let dir = tempdir().unwrap();
    let here = store(dir.path(), &["old"]);
    let public = here.generate("a", Alg::Es256).await.unwrap().verifying_key().to_jwk();
    let text = here.sealed_text("a").await.unwrap();
    assert_eq!(here.restore("a", &text).await.unwrap().verifying_key().to_jwk(), public, "it is there");
    assert!(matches!(here.restore("b", &text).await, Err(KeystoreError::Kept { .. })), "its name is sealed");
    assert!(matches!(here.sealed_text("b").await, Err(KeystoreError::NotFound(_))));

    here.destroy("a").await.unwrap();
    here.generate("a", Alg::Es256).await.unwrap();
    assert!(matches!(here.restore("a", &text).await, Err(KeystoreError::Exists(_))), "another key");
    here.destroy("a").await.unwrap();
    let other = store(dir.path(), &["new"]);
    assert!(matches!(other.restore("a", &text).await, Err(KeystoreError::KekUnknown { .. })));
    assert_eq!(here.list().await.unwrap(), Vec::<String>::new(), "nothing was written");
    assert_eq!(here.restore("a", &text).await.unwrap().verifying_key().to_jwk(), public);
    assert_eq!(here.load("a").await.unwrap().verifying_key().to_jwk(), public);
}

#[tokio::test]
async fn a_renamed_key_is_not_resealed_under_its_new_name() {
    let dir = tempdir().unwrap();
    store(dir.path(), &["old"]).generate("a", Alg::Es256).await.unwrap();
    fs::rename(dir.path().join("keys/a.sealed.json"), dir.path().join("keys/b.sealed.json")).unwrap();
    let done = store(dir.path(), &["new", "old"]).reseal_all().await.unwrap();
    assert_eq!((done.resealed, done.failed.len()), (0, 1));
    assert_eq!(
        said(dir.path(), &done.failed[0]),
        "DIR/keys/b.sealed.json: it holds the key `a`: it was renamed or swapped"
    );
}
