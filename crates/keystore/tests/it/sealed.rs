use std::{fs, path::Path, sync::Arc};

use sealwright_jose::{Alg, SigningKey, base64url};
use sealwright_keystore::{KeyHandle, SealedStore};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::{ring, said, store};

/// A folder with a sealed ES256 key `a`.
async fn with_a() -> (TempDir, SealedStore, KeyHandle) {
    let dir = tempdir().unwrap();
    let store = store(dir.path(), &["k1"]);
    let key = store.generate("a", Alg::Es256).await.unwrap();
    (dir, store, key)
}

fn file(dir: &Path, kid: &str) -> std::path::PathBuf {
    dir.join(format!("keys/{kid}.sealed.json"))
}

/// What loading `a` says after its file was changed.
async fn after(edit: impl FnOnce(&mut Value)) -> String {
    let (dir, store, _) = with_a().await;
    let path = file(dir.path(), "a");
    let mut json = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    edit(&mut json);
    fs::write(&path, json.to_string()).unwrap();
    said(dir.path(), &store.load("a").await.unwrap_err())
}

const DOES_NOT_OPEN: &str = "DIR/keys/a.sealed.json: the seal does not open: either `k1` is not the key-encryption key that sealed it, or it was changed since";

#[tokio::test]
async fn a_key_comes_back_as_it_was_sealed() {
    let dir = tempdir().unwrap();
    let store = store(dir.path(), &["k1"]);
    for alg in [Alg::Es256, Alg::Ed25519, Alg::Rs256, Alg::Ps256] {
        let made = store.generate(alg.name(), alg).await.unwrap();
        let loaded = store.load(alg.name()).await.unwrap();
        assert_eq!(loaded.alg(), alg);
        assert_eq!(loaded.verifying_key().to_jwk(), made.verifying_key().to_jwk());
    }
    assert_eq!(store.list().await.unwrap(), ["ES256", "Ed25519", "PS256", "RS256"]);
}

#[tokio::test]
async fn the_file_shows_what_it_holds_and_not_the_key() {
    let dir = tempdir().unwrap();
    let store = store(dir.path(), &["k1"]);
    let key = SigningKey::generate(Alg::Es256).unwrap();
    let private: Value = serde_json::from_str(&key.to_jwk().unwrap()).unwrap();
    let handle = store.import("a", key).await.unwrap();

    let text = fs::read_to_string(file(dir.path(), "a")).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let members: Vec<&String> = json.as_object().unwrap().keys().collect();
    assert_eq!(members, ["alg", "kek", "kid", "nonce", "public_jwk", "sealed", "version"]);
    assert_eq!(json["public_jwk"].to_string(), {
        let public: Value = serde_json::from_str(&handle.verifying_key().to_jwk()).unwrap();
        public.to_string()
    });
    assert!(!text.contains(private["d"].as_str().unwrap()));
    assert!(json["public_jwk"].get("d").is_none());
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_files_and_folder_and_nothing_else_is_left_there() {
    use std::os::unix::fs::PermissionsExt;
    let (dir, store, _) = with_a().await;
    store.generate("a", Alg::Es256).await.unwrap_err();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir.path().join("keys")), 0o700);
    assert_eq!(mode(&file(dir.path(), "a")), 0o600);
    assert_eq!(fs::read_dir(dir.path().join("keys")).unwrap().count(), 1);
}

#[tokio::test]
async fn a_name_that_exists_is_refused_and_stays_as_it_is() {
    let (dir, store, key) = with_a().await;
    assert_eq!(
        said(dir.path(), &store.generate("a", Alg::Es256).await.unwrap_err()),
        "there is a key `a` already"
    );
    assert_eq!(store.load("a").await.unwrap().verifying_key().thumbprint(), key.verifying_key().thumbprint());
}

#[tokio::test]
async fn names_that_are_no_file_names_are_refused_everywhere() {
    let (dir, store, _) = with_a().await;
    let why = "`../a` cannot name a key: use 1 to 128 of A-Z a-z 0-9 . _ - and no dot in front";
    assert_eq!(said(dir.path(), &store.load("../a").await.unwrap_err()), why);
    assert_eq!(said(dir.path(), &store.generate("../a", Alg::Es256).await.unwrap_err()), why);
    assert_eq!(said(dir.path(), &store.load_or_generate("../a", Alg::Es256).await.unwrap_err()), why);
    assert_eq!(said(dir.path(), &store.destroy("../a").await.unwrap_err()), why);
}

#[tokio::test]
async fn a_mac_is_no_signing_key() {
    let (dir, store, _) = with_a().await;
    let error = store.generate("mac", Alg::Hs256).await.unwrap_err();
    assert!(said(dir.path(), &error).starts_with("key `mac` is not usable: "), "{error}");
    assert_eq!(store.list().await.unwrap(), ["a"]);
}

#[tokio::test]
async fn a_wrong_key_encryption_key_is_refused() {
    let (dir, _, _) = with_a().await;
    fs::remove_file(dir.path().join("k1")).unwrap();
    let other = store(dir.path(), &["k1"]);
    assert_eq!(said(dir.path(), &other.load("a").await.unwrap_err()), DOES_NOT_OPEN);
}

#[tokio::test]
async fn a_truncated_file_is_refused() {
    let (dir, store, _) = with_a().await;
    let path = file(dir.path(), "a");
    let text = fs::read(&path).unwrap();
    for len in [0, 1, text.len() / 2, text.len() - 3] {
        fs::write(&path, &text[..len]).unwrap();
        let said = said(dir.path(), &store.load("a").await.unwrap_err());
        assert!(
            said.starts_with("DIR/keys/a.sealed.json: not a sealed key, or not the whole of one: "),
            "{said}"
        );
    }
}

#[tokio::test]
async fn a_file_too_long_for_a_key_is_not_read_whole() {
    let (dir, store, _) = with_a().await;
    fs::write(file(dir.path(), "a"), " ".repeat(1 << 20)).unwrap();
    assert_eq!(
        said(dir.path(), &store.load("a").await.unwrap_err()),
        "DIR/keys/a.sealed.json: too long for a sealed key"
    );
}

#[tokio::test]
async fn a_renamed_or_swapped_file_is_refused() {
    let (dir, store, _) = with_a().await;
    store.generate("b", Alg::Es256).await.unwrap();
    fs::rename(file(dir.path(), "b"), file(dir.path(), "a")).unwrap();
    assert_eq!(
        said(dir.path(), &store.load("a").await.unwrap_err()),
        "DIR/keys/a.sealed.json: it holds the key `b`: it was renamed or swapped"
    );
}

#[tokio::test]
async fn a_swapped_file_that_says_the_right_name_does_not_open() {
    let (dir, store, _) = with_a().await;
    store.generate("b", Alg::Es256).await.unwrap();
    let b = fs::read_to_string(file(dir.path(), "b")).unwrap();
    fs::write(file(dir.path(), "a"), b.replace(r#""b""#, r#""a""#)).unwrap();
    assert_eq!(said(dir.path(), &store.load("a").await.unwrap_err()), DOES_NOT_OPEN);
}

#[tokio::test]
async fn every_changed_member_is_refused() {
    let flip = |json: &mut Value, member: &str| {
        let mut bytes = base64url::decode(json[member].as_str().unwrap()).unwrap();
        bytes[0] ^= 1;
        json[member] = base64url::encode(bytes).into();
    };
    assert_eq!(after(|json| flip(json, "sealed")).await, DOES_NOT_OPEN);
    assert_eq!(after(|json| flip(json, "nonce")).await, DOES_NOT_OPEN);
    assert_eq!(
        after(|json| json["version"] = 2.into()).await,
        "DIR/keys/a.sealed.json: version 2 of sealed keys is not known here; 1 is"
    );
    assert_eq!(
        after(|json| json["kek"] = "k9".into()).await,
        "DIR/keys/a.sealed.json: sealed under the key-encryption key `k9`, which is not in the ring; add it behind the first"
    );
    let other_alg = "DIR/keys/a.sealed.json: `public_jwk` has another `alg` or `kid` than stands beside it";
    assert_eq!(after(|json| json["alg"] = "RS256".into()).await, other_alg);
    assert_eq!(after(|json| json["public_jwk"]["kid"] = "b".into()).await, other_alg);
    assert_eq!(
        after(|json| json["alg"] = "none".into()).await,
        "DIR/keys/a.sealed.json: `none` is not an algorithm that is known here"
    );
    assert!(after(|json| json["more"] = 1.into()).await.contains("unknown field `more`"));
    assert!(
        after(|json| drop(json.as_object_mut().unwrap().remove("nonce")))
            .await
            .contains("missing field `nonce`")
    );
}

#[tokio::test]
async fn another_public_key_is_refused() {
    let other = SigningKey::generate(Alg::Es256).unwrap().with_kid("a").verifying_key();
    let other: Value = serde_json::from_str(&other.to_jwk()).unwrap();
    assert_eq!(after(|json| json["public_jwk"] = other).await, DOES_NOT_OPEN);
}

#[tokio::test]
async fn a_folder_of_strange_files_lists_only_keys() {
    let (dir, store, _) = with_a().await;
    for name in [".new-x", "notes.txt", ".hidden.sealed.json", "b c.sealed.json", "sealed.json"] {
        fs::write(dir.path().join("keys").join(name), "").unwrap();
    }
    assert_eq!(store.list().await.unwrap(), ["a"]);
}

#[tokio::test]
async fn a_destroyed_key_is_gone_but_held_handles_work_on() {
    let (dir, store, key) = with_a().await;
    store.destroy("a").await.unwrap();
    assert_eq!(said(dir.path(), &store.load("a").await.unwrap_err()), "there is no key `a`");
    assert_eq!(said(dir.path(), &store.destroy("a").await.unwrap_err()), "there is no key `a`");
    key.sign(
        sealwright_jose::jws::prepare(sealwright_jose::jws::Header::new(Alg::Es256), b"x")
            .unwrap()
            .signing_input(),
    )
    .await
    .unwrap();
}

#[tokio::test]
async fn a_key_for_another_algorithm_is_refused() {
    let (dir, store, _) = with_a().await;
    assert_eq!(
        said(dir.path(), &store.load_or_generate("a", Alg::Ed25519).await.unwrap_err()),
        "key `a` is for ES256, not for Ed25519"
    );
}

/// Each store has a ring of its own, as processes have.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_start_at_once_all_have_the_same_key() {
    let dir = Arc::new(tempdir().unwrap());
    ring(dir.path(), &["k1"]).unwrap();
    let starts: Vec<_> = (0..16)
        .map(|_| {
            let dir = dir.clone();
            tokio::spawn(async move {
                store(dir.path(), &["k1"])
                    .load_or_generate("a", Alg::Es256)
                    .await
                    .unwrap()
                    .verifying_key()
                    .thumbprint()
            })
        })
        .collect();
    let mut thumbprints = Vec::new();
    for start in starts {
        thumbprints.push(start.await.unwrap());
    }
    thumbprints.dedup();
    assert_eq!(thumbprints.len(), 1);
    assert_eq!(json!(store(dir.path(), &["k1"]).list().await.unwrap()), json!(["a"]));
}
