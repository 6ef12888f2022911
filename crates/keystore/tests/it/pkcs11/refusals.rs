use std::{env, process::Command, time::Duration};

use sealwright_jose::{Alg, SigningKey};
use sealwright_keystore::{KeyProvider, Pkcs11Settings, Pkcs11Spec, Pkcs11Token, TokenName};
use sealwright_service::secret::{Secret, SecretRef};
use serde_json::Value;

use crate::{
    in_a_child,
    softhsm::{PIN, Token, module, refused, said},
};

#[tokio::test]
async fn a_wrong_pin_is_told_as_such() {
    let token = Token::new();
    let said = refused(token.settings_with("0000-wrong"), &token.label).await;
    assert_eq!(
        said,
        "the PKCS#11 token `LABEL` refused the PIN; it is not tried again, so that the token does not lock: correct it and start anew"
    );
    assert_eq!(refused(token.settings_with("1"), &token.label).await, said);
    token.open().await;
}

#[tokio::test]
async fn a_token_that_is_opened_when_it_is_needed_is_not_asked_before() {
    let token = Token::new();
    let kept = token.provider().await.generate("k", Alg::Es256).await.unwrap();
    let lazy = KeyProvider::pkcs11_when_needed(token.settings_with("0000-wrong"));
    assert_eq!(lazy.reseal(&kept.text).await.unwrap(), None);
    let refused = lazy.open("k", &kept.text).await.map(drop).unwrap_err();
    assert!(refused.to_string().contains("refused the PIN"), "{refused}");
    let lazy = KeyProvider::pkcs11_when_needed(token.settings());
    assert_eq!(lazy.open("k", &kept.text).await.unwrap().verifying_key(), &kept.public);
}

#[tokio::test]
async fn a_token_that_is_not_there_is_named_with_those_that_are() {
    let token = Token::new();
    let settings = |name| Pkcs11Settings::new(module(), name, Secret::new(PIN));
    let said = refused(settings(TokenName::Label("no such token".into())), &token.label).await;
    assert!(said.starts_with("there is no PKCS#11 token `no such token`; the module has "), "{said}");
    let said = refused(settings(TokenName::Slot(99_999_999_999)), &token.label).await;
    assert!(said.starts_with("there is no PKCS#11 token in slot 99999999999; the module has "), "{said}");
}

#[tokio::test]
async fn a_module_that_is_not_there_or_is_none_is_refused() {
    let settings = |module: &str| Pkcs11Settings::new(module, TokenName::Slot(0), Secret::new(PIN));
    let said = refused(settings("/nonexistent/module.so"), "LABEL").await;
    assert!(
        said.starts_with(
            "the PKCS#11 module /nonexistent/module.so cannot be used: /nonexistent/module.so: "
        ),
        "{said}"
    );
    let this = env::current_exe().unwrap();
    let said =
        refused(settings(this.to_str().unwrap()), "LABEL").await.replace(this.to_str().unwrap(), "THIS");
    assert!(said.starts_with("the PKCS#11 module THIS cannot be used: THIS: "), "{said}");
    // A library, but no module.
    let said = refused(settings("libm.so.6"), "LABEL").await;
    assert_eq!(
        said,
        "the PKCS#11 module libm.so.6 cannot be used: it is no PKCS#11 module (Missing PKCS#11 symbol: C_GetFunctionList)"
    );
}

#[test]
fn a_spec_that_is_not_as_it_must_be_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("pin"), PIN).unwrap();
    let pin = SecretRef { file: Some("pin".into()), env: None };
    let spec = |token: Option<&str>, slot, sessions, pin: &SecretRef| {
        let token = token.map(Into::into);
        let spec = Pkcs11Spec { module: "softhsm2.so".into(), token, slot, pin: pin.clone(), sessions };
        spec.read(dir.path()).map(|_| ()).map_err(|error| crate::said(dir.path(), &error))
    };
    assert_eq!(spec(Some("t"), None, Some(64), &pin), Ok(()));
    assert_eq!(spec(None, Some(0), None, &pin), Ok(()));
    let one = Err("a PKCS#11 token is named by exactly one of `token` (its label) and `slot`".to_owned());
    assert_eq!(spec(None, None, None, &pin), one);
    assert_eq!(spec(Some(""), None, None, &pin), one);
    assert_eq!(spec(Some("t"), Some(1), None, &pin), one);
    assert_eq!(spec(Some("t"), None, Some(0), &pin), Err("0 PKCS#11 sessions; use 1 to 64".to_owned()));
    assert_eq!(spec(Some("t"), None, Some(65), &pin), Err("65 PKCS#11 sessions; use 1 to 64".to_owned()));
    let none = spec(Some("t"), None, None, &SecretRef::default());
    assert_eq!(none, Err("the PIN: name exactly one of `file` and `env`".to_owned()));
}

#[tokio::test]
async fn an_algorithm_that_tokens_do_not_have_is_refused_by_name() {
    let token = Token::new();
    let provider = token.provider().await;
    for alg in [Alg::Es256k, Alg::MlDsa44, Alg::Hs256] {
        let error = provider.generate("k", alg).await.unwrap_err();
        assert_eq!(
            said(&error, &token.label),
            format!(
                "the PKCS#11 token `LABEL` cannot do {}: use one of RS256 to RS512, PS256 to PS512, ES256 to ES512 and Ed25519",
                alg.name()
            )
        );
    }
}

#[tokio::test]
async fn a_name_that_is_taken_or_no_name_is_refused() {
    let token = Token::new();
    let provider = token.provider().await;
    let kept = provider.generate("k", Alg::Es256).await.unwrap();
    for alg in [Alg::Es256, Alg::Ed25519] {
        let error = provider.generate("k", alg).await.unwrap_err();
        assert_eq!(error.to_string(), "there is a key `k` already");
    }
    assert_eq!(provider.open("k", &kept.text).await.unwrap().verifying_key(), &kept.public);
    assert!(provider.generate("../k", Alg::Es256).await.is_err());
}

/// Whoever can change the records gets no key under another name, algorithm or public half.
#[tokio::test]
async fn a_changed_text_is_refused() {
    let token = Token::new();
    let provider = token.provider().await;
    let a = provider.generate("a", Alg::Rs256).await.unwrap().text;
    let b = provider.generate("b", Alg::Rs256).await.unwrap().text;
    let refused = async |text: &str| match provider.open("a", text).await {
        Ok(_) => "it was opened".to_owned(),
        Err(error) => said(&error, &token.label),
    };
    let wrong = |what: &str| format!("the text kept of key `a`: {what}");
    assert_eq!(refused(&b).await, wrong("it names the key `b`: it was renamed or swapped"));
    // The public half of another key, under this name.
    assert_eq!(
        refused(&b.replace(r#""b""#, r#""a""#)).await,
        "key `a` failed its test: its public half does not verify what it signs"
    );
    let other = SigningKey::generate(Alg::Rs256).unwrap().with_kid("a").verifying_key();
    let mut json: Value = serde_json::from_str(&a).unwrap();
    json["public_jwk"] = serde_json::from_str(&other.to_jwk()).unwrap();
    assert!(refused(&json.to_string()).await.starts_with("key `a` failed its test"));
    // The same numbers, for another algorithm.
    assert_eq!(
        refused(&a.replace("RS256", "PS256")).await,
        "the PKCS#11 token `LABEL` has no private key `a`"
    );
    assert_eq!(
        refused(&a.replacen("RS256", "PS256", 1)).await,
        wrong("`public_jwk` has another `alg` or `kid` than stands beside it")
    );
    assert_eq!(
        refused(&a.replace(r#""version":1"#, r#""version":2"#)).await,
        wrong("version 2 is not known here; 1 is")
    );
    for text in ["", "{}", &a[..a.len() / 2]] {
        let said = refused(text).await;
        assert!(
            said.starts_with("the text kept of key `a`: it names no key in a token: ")
                || said.contains("not a sealed key"),
            "{said}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_waits_too_long_for_a_session_is_told_so_and_the_next_is_served() {
    let token = Token::new();
    let settings = token.settings().sessions(1).unwrap().wait(Duration::from_millis(1));
    let provider = KeyProvider::pkcs11(Pkcs11Token::open(settings).await.unwrap());
    let kept = provider.generate("k", Alg::Rs256).await.unwrap();
    let key = provider.open("k", &kept.text).await.unwrap();
    let signing: Vec<_> = (0..100)
        .map(|_| {
            let key = key.clone();
            tokio::spawn(async move { key.sign_message(b"message").await })
        })
        .collect();
    let mut refusals = 0;
    for signing in signing {
        match signing.await.unwrap() {
            Ok(signature) => assert!(kept.public.verify(b"message", &signature).is_ok()),
            Err(error) => {
                refusals += 1;
                assert_eq!(
                    said(&error, &token.label),
                    "the signer does not answer: all sessions with the PKCS#11 token `LABEL` were in use for 1 ms"
                );
            }
        }
    }
    assert!((1..100).contains(&refusals), "{refusals}");
    key.sign_message(b"message").await.unwrap();
}

/// SoftHSM has no limit, so that its disk is what is full: a shell runs this test again in a process that may write no
/// byte into any file. What hardware says when it is full is tested where it is put into words.
#[test]
fn a_token_that_cannot_keep_a_key_refuses_to_make_one() {
    const CHILD: &str = "SEALWRIGHT_TEST_FULL_TOKEN";
    if let Ok(label) = env::var(CHILD) {
        let settings = Pkcs11Settings::new(module(), TokenName::Label(label.clone()), Secret::new(PIN));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let error = runtime.block_on(async {
            let provider = KeyProvider::pkcs11(Pkcs11Token::open(settings).await.unwrap());
            // Not earlier: a login writes, too.
            let limit = ["--pid", &std::process::id().to_string(), "--fsize=0"].map(str::to_owned);
            assert!(Command::new("prlimit").args(limit).status().unwrap().success());
            provider.generate("k", Alg::Es256).await.unwrap_err()
        });
        // Standard output goes through a pipe, which is no file.
        println!("REFUSED {}", said(&error, &label));
        return;
    }
    let token = Token::new();
    let test = concat!(module_path!(), "::a_token_that_cannot_keep_a_key_refuses_to_make_one");
    let said = in_a_child(test, CHILD, &token.label, "REFUSED ");
    // SoftHSM says this or that general failure.
    assert!(said.starts_with("the PKCS#11 token `LABEL` refused: "), "{said}");
    assert!(said.ends_with(" from C_GenerateKeyPair"), "{said}");
}
