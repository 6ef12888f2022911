//! Tokens that go away while the server runs, and come back.

use std::{fs, process::Command};

use sealwright_jose::Alg;

use crate::softhsm::{Token, eventually, initialise, initialise_with, said, util};

#[tokio::test]
async fn a_key_that_was_removed_under_us_is_told_as_missing() {
    let token = Token::new();
    let provider = token.provider().await;
    let kept = provider.generate("k", Alg::Es256).await.unwrap();
    let key = provider.open("k", &kept.text).await.unwrap();
    // Somebody else, with sessions of their own: ours know the old handle.
    token.provider().await.destroy("k", &kept.text).await.unwrap();
    let error = key.sign_message(b"message").await.unwrap_err();
    assert_eq!(said(&error, &token.label), "the PKCS#11 token `LABEL` has no private key `k`");
}

#[tokio::test]
async fn a_token_that_was_deleted_and_brought_back_is_used_again_without_a_new_start() {
    let token = Token::new();
    let provider = token.provider().await;
    let kept = provider.generate("k", Alg::Es256).await.unwrap();
    let key = provider.open("k", &kept.text).await.unwrap();
    let folder = token.folder();
    let away = tempfile::tempdir().unwrap();
    let copied = Command::new("cp").arg("-a").arg(&folder).arg(away.path().join("token")).status().unwrap();
    assert!(copied.success());

    util(&["--delete-token", "--token", &token.label], || ());
    let error = said(&key.sign_message(b"message").await.unwrap_err(), &token.label);
    assert!(error.starts_with("there is no PKCS#11 token `LABEL`; the module has "), "{error}");

    fs::rename(away.path().join("token"), &folder)
        .or_else(|_| {
            let moved = Command::new("mv").arg(away.path().join("token")).arg(&folder).status()?;
            assert!(moved.success());
            Ok::<_, std::io::Error>(())
        })
        .unwrap();
    let signature = eventually(|| key.sign_message(b"message")).await;
    assert!(kept.public.verify(b"message", &signature).is_ok());
}

#[tokio::test]
async fn a_token_that_was_initialised_anew_has_no_key_any_more() {
    let token = Token::new();
    let provider = token.provider().await;
    let kept = provider.generate("k", Alg::Es256).await.unwrap();
    let key = provider.open("k", &kept.text).await.unwrap();
    fs::remove_dir_all(token.folder()).unwrap();
    initialise(&token.label);
    let error = said(&key.sign_message(b"message").await.unwrap_err(), &token.label);
    assert_eq!(error, "the PKCS#11 token `LABEL` has no private key `k`");
    // The new token is used, under the same settings.
    eventually(|| provider.generate("k2", Alg::Es256)).await;
}

/// A wrong PIN counts at the token, which locks after a few: that the right one is there again is not even tried.
#[tokio::test]
async fn a_pin_that_was_refused_is_not_sent_again() {
    let token = Token::new();
    let provider = token.provider().await;
    let kept = provider.generate("k", Alg::Es256).await.unwrap();
    let key = provider.open("k", &kept.text).await.unwrap();
    let refused = "the PKCS#11 token `LABEL` refused the PIN; it is not tried again, so that the token does not lock: correct it and start anew";
    fs::remove_dir_all(token.folder()).unwrap();
    initialise_with(&token.label, "4712-other");
    assert_eq!(said(&key.sign_message(b"message").await.unwrap_err(), &token.label), refused);

    fs::remove_dir_all(token.folder()).unwrap();
    initialise(&token.label);
    for _ in 0..5 {
        assert_eq!(said(&key.sign_message(b"message").await.unwrap_err(), &token.label), refused);
    }
    // A new start has the right one.
    eventually(async || token.provider().await.generate("k2", Alg::Es256).await).await;
}
