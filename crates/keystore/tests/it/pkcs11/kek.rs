//! Key-encryption keys in a token.

use std::{
    env, fs,
    path::Path,
    process::{self, Command, Stdio},
};

use sealwright_jose::{Alg, base64url};
use sealwright_keystore::{KekPkcs11Spec, KekRing, KekSpec, KeyProvider, SealedStore};
use sealwright_service::secret::SecretRef;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::{
    from_file, ring,
    softhsm::{PIN, Token, module, said},
};

/// A folder with the PIN in it.
fn folder() -> TempDir {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("pin"), PIN).unwrap();
    dir
}

fn spec(token: &Token, id: &str, create: bool) -> KekSpec {
    spec_of(&token.label, id, create)
}

fn spec_of(token: &str, id: &str, create: bool) -> KekSpec {
    let pkcs11 = KekPkcs11Spec {
        module: module(),
        token: Some(token.to_owned()),
        slot: None,
        pin: SecretRef { file: Some("pin".into()), env: None },
        label: format!("kek-{id}"),
        create,
    };
    KekSpec { id: id.into(), pkcs11: Some(pkcs11), ..KekSpec::default() }
}

fn provider(dir: &Path, specs: &[KekSpec]) -> KeyProvider {
    KeyProvider::sealed(KekRing::read(specs, dir).unwrap())
}

#[tokio::test]
async fn what_a_key_in_the_token_sealed_it_opens_again() {
    let (dir, token) = (folder(), Token::new());
    let made = provider(dir.path(), &[spec(&token, "h1", true)]);
    let mut kept = Vec::new();
    for alg in [Alg::Es256, Alg::Rs256] {
        kept.push((alg, made.generate("a", alg).await.unwrap()));
    }
    // Another start of the server: the key is there now, and need not be asked for.
    let again = provider(dir.path(), &[spec(&token, "h1", false)]);
    for (alg, kept) in kept {
        let key = again.open("a", &kept.text).await.unwrap();
        let signature = key.sign_message(b"message").await.unwrap();
        assert!(kept.public.verify(b"message", &signature).is_ok(), "{alg}");
    }
}

#[tokio::test]
async fn another_key_or_a_changed_seal_is_refused() {
    let (dir, token) = (folder(), Token::new());
    let text =
        provider(dir.path(), &[spec(&token, "h1", true)]).generate("a", Alg::Es256).await.unwrap().text;
    let does_not_open = "the text kept of key `a`: the seal does not open: either `h1` is not the key-encryption key that sealed it, or it was changed since";

    let other = Token::new();
    let other = provider(dir.path(), &[spec(&other, "h1", true)]);
    assert_eq!(said(&other.open("a", &text).await.unwrap_err(), &token.label), does_not_open);

    let provider = provider(dir.path(), &[spec(&token, "h1", false)]);
    for member in ["sealed", "nonce"] {
        let mut json: Value = serde_json::from_str(&text).unwrap();
        let mut bytes = base64url::decode(json[member].as_str().unwrap()).unwrap();
        bytes[0] ^= 1;
        json[member] = base64url::encode(bytes).into();
        let error = provider.open("a", &json.to_string()).await.unwrap_err();
        assert_eq!(said(&error, &token.label), does_not_open, "{member}");
    }
    let mut json: Value = serde_json::from_str(&text).unwrap();
    for sealed in ["", "AAAA"] {
        json["sealed"] = sealed.into();
        let error = provider.open("a", &json.to_string()).await.unwrap_err();
        assert_eq!(said(&error, &token.label), does_not_open, "{sealed:?}");
    }
    provider.open("a", &text).await.unwrap();
}

/// From a file to the token, and the sealed keys follow.
#[tokio::test]
async fn keys_move_from_a_file_under_a_key_in_the_token() {
    let (dir, token) = (folder(), Token::new());
    let ring_of_file = ring(dir.path(), &["k1"]).unwrap();
    let store = SealedStore::open(&dir.path().join("keys"), ring_of_file).unwrap();
    let public = store.generate("a", Alg::Es256).await.unwrap().verifying_key().to_jwk();

    let both = KekRing::read(&[spec(&token, "h1", true), from_file("k1")], dir.path()).unwrap();
    let store = SealedStore::open(&dir.path().join("keys"), both).unwrap();
    assert_eq!(store.reseal_all().await.unwrap().resealed, 1);
    fs::remove_file(dir.path().join("k1")).unwrap();

    let token_only = KekRing::read(&[spec(&token, "h1", false)], dir.path()).unwrap();
    let store = SealedStore::open(&dir.path().join("keys"), token_only).unwrap();
    assert_eq!(store.load("a").await.unwrap().verifying_key().to_jwk(), public);
}

/// What each of several processes does in the test below; nothing where there is no such process.
#[tokio::test]
async fn one_of_several_processes() {
    let Some((folder, label)) = env::var_os("KEK_FOLDER").zip(env::var("KEK_TOKEN").ok()) else { return };
    let folder = Path::new(&folder);
    let provider = provider(folder, &[spec_of(&label, "h1", true)]);
    let kept = provider.generate("a", Alg::Es256).await.unwrap();
    fs::write(folder.join(format!("kept-{}", process::id())), kept.text).unwrap();
}

#[tokio::test]
async fn however_many_processes_ask_at_once_one_key_is_made() {
    const PROCESSES: usize = 6;
    for _ in 0..3 {
        let (dir, token) = (folder(), Token::new());
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", "--nocapture", "pkcs11::kek::one_of_several_processes"]);
        child.env("KEK_FOLDER", dir.path()).env("KEK_TOKEN", &token.label).stdout(Stdio::null());
        let children: Vec<_> = (0..PROCESSES).map(|_| child.spawn().unwrap()).collect();
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        let provider = provider(dir.path(), &[spec(&token, "h1", false)]);
        let mut opened = 0;
        for entry in fs::read_dir(dir.path()).unwrap().map(Result::unwrap) {
            if entry.file_name().to_str().unwrap().starts_with("kept-") {
                provider.open("a", &fs::read_to_string(entry.path()).unwrap()).await.unwrap();
                opened += 1;
            }
        }
        assert_eq!(opened, PROCESSES);
    }
}

#[test]
fn a_key_that_is_not_there_is_made_only_for_who_asks() {
    let (dir, token) = (folder(), Token::new());
    let read = |spec: KekSpec| KekRing::read(&[spec], dir.path()).map(|ring| format!("{ring:?}"));
    let absent = said(&read(spec(&token, "h1", false)).unwrap_err(), &token.label);
    assert_eq!(absent, "key-encryption key `h1`: the PKCS#11 token `LABEL` has no key labelled `kek-h1`");
    assert_eq!(read(spec(&token, "h1", true)).unwrap(), r#"["h1"]"#);
    assert_eq!(read(spec(&token, "h1", false)).unwrap(), r#"["h1"]"#);

    let mut unsafe_label = spec(&token, "h1", true);
    unsafe_label.pkcs11.as_mut().unwrap().label = "../kek".into();
    assert_eq!(
        said(&read(unsafe_label).unwrap_err(), &token.label),
        "key-encryption key `h1`: `label` is 1 to 128 of A-Z a-z 0-9 . _ - and has no dot in front"
    );
    let mut wrong_pin = spec(&token, "h2", false);
    fs::write(dir.path().join("wrong"), "0000-wrong").unwrap();
    wrong_pin.pkcs11.as_mut().unwrap().pin.file = Some("wrong".into());
    assert!(
        said(&read(wrong_pin).unwrap_err(), &token.label)
            .contains("the PKCS#11 token `LABEL` refused the PIN")
    );
    let mut both = spec(&token, "h1", false);
    both.env = Some("KEK".into());
    assert_eq!(
        said(&read(both).unwrap_err(), &token.label),
        "key-encryption key `h1`: it has several of `file`, `env` and `pkcs11`; keep one of them"
    );
}
