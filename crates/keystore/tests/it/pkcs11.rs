mod kek;
mod lost;
mod refusals;

use std::{collections::BTreeSet, sync::Arc};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    object::{Attribute, AttributeInfo, AttributeType, ObjectClass},
    session::UserType,
    types::AuthPin,
};
use sealwright_jose::{Alg, Hash, SigningKey, jws, jws::SigningInput};
use sealwright_keystore::KeyProvider;
use serde_json::Value;
use tempfile::tempdir;

use crate::{
    in_a_child,
    softhsm::{PIN, Token, module, said},
};

const ALGORITHMS: [Alg; 10] = [
    Alg::Rs256,
    Alg::Rs384,
    Alg::Rs512,
    Alg::Ps256,
    Alg::Ps384,
    Alg::Ps512,
    Alg::Es256,
    Alg::Es384,
    Alg::Es512,
    Alg::Ed25519,
];

#[tokio::test]
async fn a_key_of_every_algorithm_is_made_in_the_token_and_signs_what_its_public_half_verifies() {
    let token = Token::new();
    let provider = token.provider().await;
    for alg in ALGORITHMS {
        let kept = provider
            .generate(alg.name(), alg)
            .await
            .unwrap_or_else(|e| panic!("{alg}: {}", said(&e, &token.label)));
        assert_eq!((kept.public.kid(), kept.public.alg()), (Some(alg.name()), alg));
        let key = provider.open(alg.name(), &kept.text).await.unwrap();
        assert_eq!((key.kid(), key.alg(), key.verifying_key()), (alg.name(), alg, &kept.public));
        let signature = key.sign_message(b"message").await.unwrap();
        assert!(kept.public.verify(b"message", &signature).is_ok(), "{alg}");
    }
}

#[tokio::test]
async fn a_jws_signed_in_the_token_verifies() {
    let token = Token::new();
    let provider = token.provider().await;
    let kept = provider.generate("k", Alg::Rs256).await.unwrap();
    let key = provider.open("k", &kept.text).await.unwrap();
    let prepared = jws::prepare(jws::Header::new(key.alg()).kid(key.kid()), b"payload").unwrap();
    let signature = key.sign_prepared(&prepared).await.unwrap();
    let jws = prepared.signed(signature).unwrap().compact().unwrap();
    let verifier = jws::Verifier::builder([Alg::Rs256]).key(kept.public).build().unwrap();
    let mut scratch = jws::Scratch::new();
    assert_eq!(verifier.verify_compact(&jws, &mut scratch).unwrap().payload(), b"payload");
}

#[tokio::test]
async fn a_digest_of_another_hash_is_not_signed() {
    let token = Token::new();
    let provider = token.provider().await;
    for alg in [Alg::Es256, Alg::Rs256, Alg::Ed25519] {
        let kept = provider.generate(alg.name(), alg).await.unwrap();
        let key = provider.open(alg.name(), &kept.text).await.unwrap();
        for (hash, len) in [(Hash::Sha384, 48), (Hash::Sha512, 64), (Hash::Sha256, 31), (Hash::Sha256, 33)] {
            assert!(key.sign(SigningInput::Digest(hash, &vec![1; len])).await.is_err(), "{alg} {hash} {len}");
        }
    }
}

#[tokio::test]
async fn debug_shows_names_and_neither_key_nor_pin() {
    let token = Token::new();
    let provider = token.provider().await;
    let kept = provider.generate("k", Alg::Es256).await.unwrap();
    let key = provider.open("k", &kept.text).await.unwrap();
    assert_eq!(
        format!("{key:?}").replace(&token.label, "LABEL"),
        r#"InToken { token: "`LABEL`", kid: "k", alg: Es256, .. }"#
    );
    let shown = format!("{provider:?} {:?}", token.settings());
    assert!(!shown.contains(PIN), "{shown}");
}

#[tokio::test]
async fn the_text_says_where_the_key_is_and_what_its_public_half_is() {
    let token = Token::new();
    let kept = token.provider().await.generate("k", Alg::Es256).await.unwrap();
    let json: Value = serde_json::from_str(&kept.text).unwrap();
    let members: Vec<&String> = json.as_object().unwrap().keys().collect();
    assert_eq!(members, ["alg", "kid", "public_jwk", "token", "version"]);
    assert!(json["public_jwk"].get("d").is_none());
    assert_eq!(json["token"].as_str().unwrap().trim_matches('`'), token.label);
}

/// Logged in as the server is: the session sees what any user of the token can. In a process of its own, where
/// nobody else uses the module.
#[tokio::test]
async fn the_token_hands_out_no_private_value_and_says_so() {
    const CHILD: &str = "SEALWRIGHT_TEST_LOOK_INTO_TOKEN";
    if let Ok(label) = std::env::var(CHILD) {
        look_into(&label);
        println!("LOOKED");
        return;
    }
    let token = Token::new();
    let provider = token.provider().await;
    for alg in [Alg::Rs256, Alg::Es256, Alg::Ed25519] {
        provider.generate(alg.name(), alg).await.unwrap();
    }
    in_a_child(
        concat!(module_path!(), "::the_token_hands_out_no_private_value_and_says_so"),
        CHILD,
        &token.label,
        "LOOKED",
    );
}

fn look_into(label: &str) {
    let library = Pkcs11::new(module()).unwrap();
    library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    let is_it = |slot: &_| library.get_token_info(*slot).is_ok_and(|token| token.label() == label);
    let slot = library.get_slots_with_initialized_token().unwrap().into_iter().find(is_it).unwrap();
    let session = library.open_rw_session(slot).unwrap();
    session.login(UserType::User, Some(&AuthPin::from(PIN.to_owned()))).unwrap();
    let private = [
        (
            Alg::Rs256,
            &[AttributeType::PrivateExponent, AttributeType::Prime1, AttributeType::Coefficient][..],
        ),
        (Alg::Es256, &[AttributeType::Value]),
        (Alg::Ed25519, &[AttributeType::Value]),
    ];
    for (alg, secrets) in private {
        let id = Attribute::Id(alg.name().as_bytes().to_vec());
        let [key] = session.find_objects(&[Attribute::Class(ObjectClass::PRIVATE_KEY), id]).unwrap()[..]
        else {
            panic!("one private key of {alg}")
        };
        let wanted = [
            AttributeType::Sensitive,
            AttributeType::Extractable,
            AttributeType::AlwaysSensitive,
            AttributeType::NeverExtractable,
            AttributeType::Local,
            AttributeType::Token,
            AttributeType::Sign,
            AttributeType::Decrypt,
            AttributeType::Unwrap,
            AttributeType::Derive,
        ];
        assert_eq!(
            session.get_attributes(key, &wanted).unwrap(),
            [
                Attribute::Sensitive(true),
                Attribute::Extractable(false),
                Attribute::AlwaysSensitive(true),
                Attribute::NeverExtractable(true),
                Attribute::Local(true),
                Attribute::Token(true),
                Attribute::Sign(true),
                Attribute::Decrypt(false),
                Attribute::Unwrap(false),
                Attribute::Derive(false),
            ]
        );
        for secret in secrets {
            assert_eq!(session.get_attributes(key, &[*secret]).unwrap(), [], "{alg}: {secret:?}");
            let said = session.get_attribute_info(key, &[*secret]).unwrap();
            assert!(matches!(said[..], [AttributeInfo::Sensitive]), "{alg}: {secret:?}: {said:?}");
        }
        assert!(session.update_attributes(key, &[Attribute::Extractable(true)]).is_err(), "{alg}");
        assert!(session.update_attributes(key, &[Attribute::Sensitive(false)]).is_err(), "{alg}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_signatures_at_once_share_four_sessions() {
    let token = Token::new();
    let provider = token.provider().await;
    let kept = provider.generate("k", Alg::Es256).await.unwrap();
    let key = provider.open("k", &kept.text).await.unwrap();
    let signing: Vec<_> = (0..100_u32)
        .map(|nr| {
            let key = key.clone();
            tokio::spawn(async move { (nr, key.sign_message(&nr.to_be_bytes()).await.unwrap()) })
        })
        .collect();
    let mut seen = BTreeSet::new();
    for signing in signing {
        let (nr, signature) = signing.await.unwrap();
        assert!(kept.public.verify(&nr.to_be_bytes(), &signature).is_ok());
        seen.insert(signature);
    }
    assert_eq!(seen.len(), 100);
}

#[tokio::test]
async fn a_destroyed_key_is_gone_with_both_halves_and_destroying_it_again_is_no_error() {
    let token = Token::new();
    let provider = token.provider().await;
    let kept = provider.generate("k", Alg::Es256).await.unwrap();
    let held = provider.open("k", &kept.text).await.unwrap();
    assert!(provider.destroy("k", &kept.text).await.unwrap());
    assert!(!provider.destroy("k", &kept.text).await.unwrap(), "it is gone already");
    let gone = "the PKCS#11 token `LABEL` has no private key `k`";
    assert_eq!(said(&provider.open("k", &kept.text).await.unwrap_err(), &token.label), gone);
    assert_eq!(said(&held.sign_message(b"message").await.unwrap_err(), &token.label), gone);
    // The name is free in the token again: nothing of the old key is left there.
    provider.generate("k", Alg::Es256).await.unwrap();
}

#[tokio::test]
async fn a_key_outlives_the_process_that_made_it() {
    let token = Token::new();
    let kept = token.provider().await.generate("k", Alg::Es256).await.unwrap();
    // Another owner of sessions stands for another process: it knows nothing but the text.
    let key = token.provider().await.open("k", &kept.text).await.unwrap();
    let signature = key.sign_message(b"message").await.unwrap();
    assert!(kept.public.verify(b"message", &signature).is_ok());
    assert_eq!(token.provider().await.reseal(&kept.text).await.unwrap(), None);
}

#[tokio::test]
async fn two_tokens_of_one_module_do_not_disturb_each_other() {
    let [one, two] = [Token::new(), Token::new()];
    let providers = [Arc::new(one.provider().await), Arc::new(two.provider().await)];
    let mut keys = Vec::new();
    for provider in &providers {
        let kept = provider.generate("k", Alg::Es256).await.unwrap();
        keys.push((provider.open("k", &kept.text).await.unwrap(), kept.public));
    }
    assert_ne!(keys[0].1.thumbprint(), keys[1].1.thumbprint());
    for (key, public) in &keys {
        let signature = key.sign_message(b"message").await.unwrap();
        assert!(public.verify(b"message", &signature).is_ok());
    }
}

/// "Nothing there" would be taken for "destroyed", and the key forgotten in the other token.
#[tokio::test]
async fn a_key_in_one_token_is_not_destroyed_in_another() {
    let [one, two] = [Token::new(), Token::new()];
    let (there, here) = (one.provider().await, two.provider().await);
    let (kept, same_name) =
        (there.generate("k", Alg::Es256).await.unwrap(), here.generate("k", Alg::Es256).await.unwrap());
    assert_eq!(
        here.destroy("k", &kept.text).await.unwrap_err().to_string(),
        "key `k`: it is in another PKCS#11 token than the one among the settings; remove it with the token's own tool"
    );
    here.open("k", &same_name.text).await.unwrap();
    there.destroy("k", &kept.text).await.unwrap();
}

/// What was sealed before the server was given a token can still be put away, and is told apart.
#[tokio::test]
async fn sealed_keys_and_keys_in_tokens_are_not_taken_for_each_other() {
    let dir = tempdir().unwrap();
    let sealed = KeyProvider::sealed(crate::ring(dir.path(), &["k1"]).unwrap());
    let token = Token::new();
    let in_token = token.provider().await;
    let (a, b) =
        (sealed.generate("k", Alg::Es256).await.unwrap(), in_token.generate("k", Alg::Es256).await.unwrap());
    assert_eq!(
        said(&sealed.open("k", &b.text).await.unwrap_err(), &token.label),
        "the text kept of key `k`: it is in a PKCS#11 token, and this provider has sealed keys"
    );
    let error = said(&in_token.open("k", &a.text).await.unwrap_err(), &token.label);
    assert!(error.starts_with("the text kept of key `k`: it names no key in a token: "), "{error}");
    assert_eq!(
        said(&sealed.destroy("k", &b.text).await.unwrap_err(), &token.label),
        "key `k`: it is in a PKCS#11 token, which is not among the settings; remove it with the token's own tool"
    );
    // The sealed key goes with its text; the one in the token, of the same name, stays.
    in_token.destroy("k", &a.text).await.unwrap();
    in_token.open("k", &b.text).await.unwrap();
    let error = in_token.import("i", SigningKey::generate(Alg::Es256).unwrap()).await.unwrap_err();
    assert_eq!(
        said(&error, &token.label),
        "key `i`: a token holds only keys that were made in it, of which there is no other copy; let it make one"
    );
}
