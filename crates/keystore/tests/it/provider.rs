use std::{fs, path::Path};

use sealwright_jose::{Alg, SigningKey, base64url};
use sealwright_keystore::{KekRing, KeyProvider, SealedStore};
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::{ring, said};

fn provider(dir: &Path, keks: &[&str]) -> KeyProvider {
    KeyProvider::sealed(ring(dir, keks).unwrap())
}

/// A provider and the text of an ES256 key `a` that it made.
async fn with_a() -> (TempDir, KeyProvider, String) {
    let dir = tempdir().unwrap();
    let provider = provider(dir.path(), &["k1"]);
    let kept = provider.generate("a", Alg::Es256).await.unwrap();
    (dir, provider, kept.text)
}

/// Why `text` is not opened as the key `kid`.
async fn refused(provider: &KeyProvider, kid: &str, text: &str) -> String {
    match provider.open(kid, text).await {
        Ok(_) => "it was opened".into(),
        Err(error) => said(Path::new("no folder"), &error),
    }
}

const DOES_NOT_OPEN: &str = "the text kept of key `a`: the seal does not open: either `k1` is not the key-encryption key that sealed it, or it was changed since";

#[tokio::test]
async fn a_key_of_every_algorithm_comes_back_and_signs_what_the_kept_public_half_verifies() {
    let dir = tempdir().unwrap();
    let provider = provider(dir.path(), &["k1"]);
    for alg in Alg::ALL.iter().copied().filter(|alg| !alg.is_mac()) {
        let kept = provider.generate("a", alg).await.unwrap();
        assert_eq!((kept.public.kid(), kept.public.alg()), (Some("a"), alg));
        let key = provider.open("a", &kept.text).await.unwrap();
        assert_eq!((key.kid(), key.alg(), key.verifying_key()), ("a", alg, &kept.public));
        let signature = key.sign_message(b"message").await.unwrap();
        assert!(kept.public.verify(b"message", &signature).is_ok(), "{alg}");
        assert!(!provider.destroy("a", &kept.text).await.unwrap(), "it is nowhere but in its text");
        assert_eq!(provider.place("a"), None);
    }
}

#[tokio::test]
async fn an_imported_key_is_the_same_key_under_its_new_name() {
    let dir = tempdir().unwrap();
    let provider = provider(dir.path(), &["k1"]);
    let key = SigningKey::generate(Alg::Es256).unwrap().with_kid("old");
    let kept = provider.import("new", key.clone()).await.unwrap();
    assert_eq!(kept.public.kid(), Some("new"));
    assert_eq!(kept.public.thumbprint(), key.verifying_key().thumbprint());
    assert_eq!(provider.open("new", &kept.text).await.unwrap().verifying_key(), &kept.public);
}

#[tokio::test]
async fn the_text_is_that_of_the_files_and_has_nothing_secret_in_clear() {
    let dir = tempdir().unwrap();
    let provider = provider(dir.path(), &["k1"]);
    let key = SigningKey::generate(Alg::Es256).unwrap();
    let private: Value = serde_json::from_str(&key.to_jwk().unwrap()).unwrap();
    let kept = provider.import("a", key).await.unwrap();
    assert!(!kept.text.contains(private["d"].as_str().unwrap()));

    let store = SealedStore::open(&dir.path().join("keys"), ring(dir.path(), &["k1"]).unwrap()).unwrap();
    fs::write(dir.path().join("keys/a.sealed.json"), &kept.text).unwrap();
    assert_eq!(store.load("a").await.unwrap().verifying_key(), &kept.public);
}

#[tokio::test]
async fn a_mac_is_no_signing_key_and_a_bad_name_none() {
    let (_dir, provider, text) = with_a().await;
    let error = provider.generate("mac", Alg::Hs256).await.unwrap_err().to_string();
    assert_eq!(error, "key `mac` is not usable");
    let bad = "`../a` cannot name a key: use 1 to 128 of A-Z a-z 0-9 . _ - and no dot in front";
    assert_eq!(provider.generate("../a", Alg::Es256).await.unwrap_err().to_string(), bad);
    assert_eq!(
        provider.import("../a", SigningKey::generate(Alg::Es256).unwrap()).await.unwrap_err().to_string(),
        bad
    );
    assert_eq!(refused(&provider, "../a", &text).await, bad);
    assert_eq!(provider.destroy("../a", &text).await.unwrap_err().to_string(), bad);
}

#[tokio::test]
async fn another_key_encryption_key_does_not_open_it() {
    let (dir, _, text) = with_a().await;
    let other = provider(dir.path(), &["k2"]);
    assert_eq!(
        refused(&other, "a", &text).await,
        "the text kept of key `a`: sealed under the key-encryption key `k1`, which is not in the ring; add it behind the first"
    );
    fs::remove_file(dir.path().join("k1")).unwrap();
    assert_eq!(refused(&provider(dir.path(), &["k1"]), "a", &text).await, DOES_NOT_OPEN);
}

#[tokio::test]
async fn the_texts_of_two_keys_cannot_be_swapped() {
    let (_dir, provider, a) = with_a().await;
    let b = provider.generate("b", Alg::Es256).await.unwrap().text;
    assert_eq!(
        refused(&provider, "a", &b).await,
        "the text kept of key `a`: it holds the key `b`: it was renamed or swapped"
    );
    assert_eq!(refused(&provider, "a", &b.replace(r#""b""#, r#""a""#)).await, DOES_NOT_OPEN);
    // Nor parts of them: the sealed half of one beside the public half of the other.
    let (mut a, b): (Value, Value) = (serde_json::from_str(&a).unwrap(), serde_json::from_str(&b).unwrap());
    a["sealed"] = b["sealed"].clone();
    a["nonce"] = b["nonce"].clone();
    assert_eq!(refused(&provider, "a", &a.to_string()).await, DOES_NOT_OPEN);
}

#[tokio::test]
async fn another_public_half_or_algorithm_is_refused() {
    let (_dir, provider, text) = with_a().await;
    let json: Value = serde_json::from_str(&text).unwrap();
    let mut other_public = json.clone();
    let other = SigningKey::generate(Alg::Es256).unwrap().with_kid("a").verifying_key();
    other_public["public_jwk"] = serde_json::from_str(&other.to_jwk()).unwrap();
    assert_eq!(refused(&provider, "a", &other_public.to_string()).await, DOES_NOT_OPEN);

    // PS256 in place of RS256 fits the same key, so only the seal can tell.
    let rsa = provider.generate("a", Alg::Rs256).await.unwrap().text;
    assert_eq!(refused(&provider, "a", &rsa.replace("RS256", "PS256")).await, DOES_NOT_OPEN);
}

/// Each of these texts is one byte away from one that opens.
#[tokio::test]
async fn a_changed_byte_anywhere_is_refused() {
    let (_dir, provider, text) = with_a().await;
    let public = provider.open("a", &text).await.unwrap().verifying_key().clone();
    let mut refusals = 0;
    for at in 0..text.len() {
        for flip in [0x01, 0x20] {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= flip;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            match provider.open("a", &changed).await {
                Err(_) => refusals += 1,
                // White space means nothing, nor does a member of the public half that says nothing of it.
                Ok(key) => {
                    assert_eq!((key.verifying_key(), key.kid()), (&public, "a"), "byte {at}: {changed}");
                }
            }
        }
    }
    assert!(refusals > 2 * text.len() * 8 / 10, "{refusals} of {}", 2 * text.len());
}

#[tokio::test]
async fn what_is_no_sealed_key_is_refused_without_being_repeated() {
    let (_dir, provider, text) = with_a().await;
    for not_one in ["", "{}", "null", "SECRET", &text[..text.len() / 2], &format!("{text}SECRET")] {
        let said = refused(&provider, "a", not_one).await;
        assert!(
            said.starts_with("the text kept of key `a`: not a sealed key, or not the whole of one: "),
            "{said}"
        );
        assert!(!said.contains("SECRET"), "{said}");
        let said = provider.reseal(not_one).await.unwrap_err().to_string();
        assert!(said.starts_with("the text kept of a key: not a sealed key"), "{said}");
    }
}

#[tokio::test]
async fn resealing_puts_a_key_under_the_first_key_encryption_key_and_only_once() {
    let (dir, old, text) = with_a().await;
    let public = old.open("a", &text).await.unwrap().verifying_key().clone();
    assert_eq!(old.reseal(&text).await.unwrap(), None);

    let both = provider(dir.path(), &["k2", "k1"]);
    let resealed = both.reseal(&text).await.unwrap().unwrap();
    assert_eq!(both.reseal(&resealed).await.unwrap(), None);
    let new = provider(dir.path(), &["k2"]);
    assert_eq!(new.open("a", &resealed).await.unwrap().verifying_key(), &public);
    assert_eq!(
        refused(&old, "a", &resealed).await,
        "the text kept of key `a`: sealed under the key-encryption key `k2`, which is not in the ring; add it behind the first"
    );
}

#[tokio::test]
async fn what_does_not_open_is_not_resealed() {
    let (dir, _, text) = with_a().await;
    let both = provider(dir.path(), &["k2", "k1"]);
    let mut json: Value = serde_json::from_str(&text).unwrap();
    let mut sealed = base64url::decode(json["sealed"].as_str().unwrap()).unwrap();
    sealed[0] ^= 1;
    json["sealed"] = base64url::encode(sealed).into();
    let said = both.reseal(&json.to_string()).await.unwrap_err().to_string();
    assert_eq!(said, DOES_NOT_OPEN);
    let said = provider(dir.path(), &["k2"]).reseal(&text).await.unwrap_err().to_string();
    assert!(said.contains("`k1`, which is not in the ring"), "{said}");
    // Another key-encryption key under the same name.
    fs::write(dir.path().join("k1"), KekRing::generate_text().as_bytes()).unwrap();
    let said = provider(dir.path(), &["k1"]).reseal(&text).await.unwrap_err().to_string();
    assert_eq!(said, DOES_NOT_OPEN);
}
